"""Mistakes as data really has them, planted into a demo world: what data health is held against.

Each fault changes some tables the way a broken tag, a forgotten export or a wrong unit would, and says what it did, so
that a test can ask whether it was found where it is. Pure: the same world and faults give the same bits.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from marketing.demo.build import DemoWorld
from marketing.demo.world import TIME_ZONE

SEED = 4711


@dataclass(frozen=True)
class Planted:
    """A fault as it was planted: its code, the dataset and channel it is in ("" for all), and its days."""

    code: str
    dataset: str
    channel: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None


Fault = Callable[[DemoWorld], tuple[DemoWorld, Planted]]


def plant(world: DemoWorld, *codes: str) -> tuple[DemoWorld, list[Planted]]:
    """Return the world with these faults (of `FAULTS`), and what each did. Raises KeyError for a code there is not."""
    planted = []
    for code in codes:
        world, done = FAULTS[code](world)
        planted.append(done)
    return world, planted


def _last_day(world: DemoWorld) -> dt.date:
    day: dt.date = world.outcomes["date"].max().date()
    return day


def _days_ago(world: DemoWorld, days: int) -> pd.Timestamp:
    return pd.Timestamp(_last_day(world) - dt.timedelta(days=days))


def _within(dates: "pd.Series[pd.Timestamp]", first: pd.Timestamp, last: pd.Timestamp) -> "pd.Series[bool]":
    """Whether each day, or each moment's day in UTC, lies between the two, both included."""
    days = dates.dt.tz_localize(None).dt.normalize() if dates.dt.tz is not None else dates
    return (days >= first) & (days <= last)


def _span(world: DemoWorld, *, first_days_ago: int, last_days_ago: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    return _days_ago(world, first_days_ago), _days_ago(world, last_days_ago)


def spend_gap(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Five days of Paid Social's spend were never exported."""
    first, last = _span(world, first_days_ago=34, last_days_ago=30)
    lost = (world.spend["channel"] == "Paid Social") & _within(world.spend["date"], first, last)
    planted = Planted("spend_gap", "spend", "Paid Social", first.date(), last.date())
    return replace(world, spend=world.spend[~lost]), planted


def tracking_outage(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """For three days no touch at all was recorded."""
    first, last = _span(world, first_days_ago=42, last_days_ago=40)
    kept = world.touchpoints[~_within(world.touchpoints["occurred_at"], first, last)]
    return replace(world, touchpoints=kept), Planted("tracking_outage", "touchpoints", "", first.date(), last.date())


def stale_conversions(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """The shop's export stopped two weeks ago; touches went on, after the last conversion."""
    first, last = _span(world, first_days_ago=13, last_days_ago=0)
    kept = world.conversions[world.conversions["occurred_at"].dt.tz_localize(None) < first]
    return replace(world, conversions=kept), Planted("stale_conversions", "conversions", "", first.date(), last.date())


def missing_outcome_weeks(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Three weeks of every outcome are missing."""
    first, last = _span(world, first_days_ago=90, last_days_ago=70)
    kept = world.outcomes[~_within(world.outcomes["date"], first, last)]
    return replace(world, outcomes=kept), Planted("missing_outcome_weeks", "outcomes", "", first.date(), last.date())


def repeated_touches(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """A tag fired twice for a month: every touch of it is there twice."""
    first, last = _span(world, first_days_ago=50, last_days_ago=21)
    again = world.touchpoints[_within(world.touchpoints["occurred_at"], first, last)]
    touchpoints = pd.concat([world.touchpoints, again], ignore_index=True)
    return replace(world, touchpoints=touchpoints), Planted(
        "repeated_touches", "touchpoints", "", first.date(), last.date()
    )


def lost_touches(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Since a consent banner came, nine of ten recent touches are lost: conversions come from nowhere."""
    first, last = _span(world, first_days_ago=27, last_days_ago=0)
    recent = _within(world.touchpoints["occurred_at"], first - pd.Timedelta(days=30), last)
    lost = recent & (np.random.default_rng(SEED).random(len(recent)) < 0.9)
    return replace(world, touchpoints=world.touchpoints[~lost]), Planted(
        "lost_touches", "conversions", "", first.date(), last.date()
    )


def late_clock(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """The ad server's clock runs a day behind: Paid Search's touches seem to come after the purchases they led to."""
    late = world.touchpoints["channel"] == "Paid Search"
    moved = world.touchpoints["occurred_at"].where(~late, world.touchpoints["occurred_at"] + pd.Timedelta(hours=36))
    until = pd.Timestamp(_last_day(world), tz="UTC") + pd.Timedelta(hours=20)
    touchpoints = world.touchpoints.assign(occurred_at=moved.where(moved <= until, until)).drop_duplicates(
        ["customer", "occurred_at", "channel", "campaign", "interaction"]
    )
    return replace(world, touchpoints=touchpoints), Planted("late_clock", "touchpoints", "Paid Search")


def spend_shift(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """From one day on, Paid Search's spend is three times what it was: two accounts in one export."""
    first, last = _span(world, first_days_ago=55, last_days_ago=0)
    return _spend_times(world, 3, channel="Paid Search", first=first, last=last, code="spend_shift")


def spend_outlier(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """One day of Display's spend is twenty times as high."""
    day = _days_ago(world, 25)
    return _spend_times(world, 20, channel="Display", first=day, last=day, code="spend_outlier")


def spend_in_cents(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """For the last five weeks the export of Affiliates is in cents."""
    first, last = _span(world, first_days_ago=34, last_days_ago=0)
    return _spend_times(world, 100, channel="Affiliates", first=first, last=last, code="spend_in_cents")


def _spend_times(
    world: DemoWorld, factor: float, *, channel: str, first: pd.Timestamp, last: pd.Timestamp, code: str
) -> tuple[DemoWorld, Planted]:
    changed = (world.spend["channel"] == channel) & _within(world.spend["date"], first, last)
    spend = world.spend.assign(spend=world.spend["spend"].where(~changed, (world.spend["spend"] * factor).round(2)))
    return replace(world, spend=spend), Planted(code, "spend", channel, first.date(), last.date())


def order_outlier(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """One purchase was typed without its decimal point, and a zero too many."""
    purchases = world.conversions.index[
        (world.conversions["goal"] == "Purchase")
        & (world.conversions["occurred_at"].dt.tz_localize(None) >= _days_ago(world, 20))
    ]
    values = world.conversions["value"].copy()
    values.loc[purchases[0]] = round(float(values.loc[purchases[0]]) * 1000, 2)
    day = world.conversions["occurred_at"].loc[purchases[0]].date()
    return replace(world, conversions=world.conversions.assign(value=values)), Planted(
        "order_outlier", "conversions", "", day, day
    )


def missing_campaign(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Most clicks of Paid Social lost their campaign tag in the last two months."""
    first, last = _span(world, first_days_ago=59, last_days_ago=0)
    hit = (world.touchpoints["channel"] == "Paid Social") & _within(world.touchpoints["occurred_at"], first, last)
    hit &= np.random.default_rng(SEED).random(len(hit)) < 0.7
    touchpoints = world.touchpoints.assign(campaign=world.touchpoints["campaign"].mask(hit)).drop_duplicates(
        ["customer", "occurred_at", "channel", "campaign", "interaction"]
    )
    return replace(world, touchpoints=touchpoints), Planted(
        "missing_campaign", "touchpoints", "Paid Social", first.date(), last.date()
    )


def channel_misspelt(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """A third of Affiliates' touches came in as “Affilates”."""
    hit = (world.touchpoints["channel"] == "Affiliates") & (
        np.random.default_rng(SEED).random(len(world.touchpoints)) < 1 / 3
    )
    touchpoints = world.touchpoints.assign(channel=world.touchpoints["channel"].mask(hit, "Affilates"))
    return replace(world, touchpoints=touchpoints), Planted("channel_misspelt", "touchpoints", "Affilates")


def source_variants(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Links of Paid Social are tagged fb, Facebook and facebook.com by different people."""
    rng = np.random.default_rng(SEED)
    hit = world.touchpoints["channel"] == "Paid Social"
    spelt = pd.Series(rng.choice(["fb", "Facebook", "facebook.com"], len(hit)), index=world.touchpoints.index)
    touchpoints = world.touchpoints.assign(source=world.touchpoints["source"].mask(hit, spelt))
    return replace(world, touchpoints=touchpoints), Planted("source_variants", "touchpoints", "Paid Social")


def paid_without_medium(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Ads of Google are linked without a medium, and rows name no channel: their clicks look like organic search."""
    first, last = _span(world, first_days_ago=44, last_days_ago=0)
    hit = (world.touchpoints["channel"] == "Paid Search") & _within(world.touchpoints["occurred_at"], first, last)
    touchpoints = world.touchpoints.assign(
        channel=world.touchpoints["channel"].mask(hit),
        source=world.touchpoints["source"].mask(hit, "googleads"),
        medium=world.touchpoints["medium"].mask(hit, ""),
    )
    return replace(world, touchpoints=touchpoints), Planted(
        "paid_without_medium", "touchpoints", "Paid Search", first.date(), last.date()
    )


def unassigned_traffic(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """A quarter of the touches of the last six weeks carry tags that no rule knows."""
    first, last = _span(world, first_days_ago=41, last_days_ago=0)
    hit = _within(world.touchpoints["occurred_at"], first, last) & (
        np.random.default_rng(SEED).random(len(world.touchpoints)) < 0.25
    )
    touchpoints = world.touchpoints.assign(
        channel=world.touchpoints["channel"].mask(hit),
        source=world.touchpoints["source"].mask(hit, "partner-42"),
        medium=world.touchpoints["medium"].mask(hit, "xx"),
    ).drop_duplicates(["customer", "occurred_at", "channel", "source", "medium", "campaign", "interaction"])
    return replace(world, touchpoints=touchpoints), Planted(
        "unassigned_traffic", "touchpoints", "Unassigned", first.date(), last.date()
    )


def spend_without_touches(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Money goes to a channel whose links are not tagged: it leaves no touches."""
    copied = world.spend[world.spend["channel"] == "Display"].assign(channel="Podcast Ads", campaign=None)
    added = copied.groupby(["date", "channel"], as_index=False).agg(
        spend=("spend", "sum"), impressions=("impressions", "sum"), clicks=("clicks", "sum")
    )
    spend = pd.concat([world.spend, added], ignore_index=True)
    return replace(world, spend=spend), Planted("spend_without_touches", "spend", "Podcast Ads")


def touches_without_spend(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Nobody brings in what Paid Shopping costs."""
    spend = world.spend[world.spend["channel"] != "Paid Shopping"]
    return replace(world, spend=spend), Planted("touches_without_spend", "spend", "Paid Shopping")


def weekly_among_daily(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Paid Video's spend comes by week, on its Mondays, while everything else is daily."""
    video = world.spend[world.spend["channel"] == "Paid Video"]
    monday = video["date"] - pd.to_timedelta(video["date"].dt.day_of_week, unit="D")
    weekly = (
        video.assign(date=monday)
        .groupby(["date", "channel", "campaign"], as_index=False, dropna=False)
        .agg(spend=("spend", "sum"), impressions=("impressions", "sum"), clicks=("clicks", "sum"))
    )
    first = world.spend["date"].min()
    spend = pd.concat([world.spend[world.spend["channel"] != "Paid Video"], weekly[weekly["date"] >= first]])
    return replace(world, spend=spend.reset_index(drop=True)), Planted("weekly_among_daily", "spend", "Paid Video")


def series_stopped(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Three weeks ago the export of Affiliates' spend stopped, while the channel went on."""
    first, last = _span(world, first_days_ago=20, last_days_ago=0)
    lost = (world.spend["channel"] == "Affiliates") & _within(world.spend["date"], first, last)
    planted = Planted("series_stopped", "spend", "Affiliates", first.date(), last.date())
    return replace(world, spend=world.spend[~lost]), planted


def empty_orders(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """For two months every other purchase came without its value."""
    first, last = _span(world, first_days_ago=59, last_days_ago=0)
    hit = (world.conversions["goal"] == "Purchase") & _within(world.conversions["occurred_at"], first, last)
    hit &= np.random.default_rng(SEED).random(len(hit)) < 0.5
    conversions = world.conversions.assign(value=world.conversions["value"].mask(hit, 0.0))
    return replace(world, conversions=conversions), Planted(
        "empty_orders", "conversions", "", first.date(), last.date()
    )


def outcome_in_cents(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Sales as an outcome are in cents, those of conversions in euros."""
    sales = world.outcomes["outcome"] == "Sales"
    outcomes = world.outcomes.assign(value=world.outcomes["value"].where(~sales, world.outcomes["value"] * 100))
    return replace(world, outcomes=outcomes), Planted("outcome_in_cents", "outcomes")


def campaign_spellings(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Two people write one campaign of Paid Shopping in two ways."""
    hit = world.touchpoints["campaign"] == "Shopping Bestsellers"
    hit &= np.random.default_rng(SEED).random(len(hit)) < 0.3
    touchpoints = world.touchpoints.assign(campaign=world.touchpoints["campaign"].mask(hit, "shopping_bestsellers"))
    return replace(world, touchpoints=touchpoints), Planted("campaign_spellings", "touchpoints", "Paid Shopping")


def young_channel(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """Cinema has been booked for twenty weeks: too few for the media mix."""
    first, last = _span(world, first_days_ago=139, last_days_ago=0)
    added = pd.DataFrame({"date": pd.date_range(first, last), "channel": "Cinema", "spend": 90.0})
    spend = pd.concat([world.spend, added], ignore_index=True)
    channels = pd.concat([world.channels, pd.DataFrame({"channel": ["Cinema"], "type": ["offline"]})])
    return replace(world, spend=spend, channels=channels.reset_index(drop=True)), Planted(
        "young_channel", "spend", "Cinema", first.date(), last.date()
    )


def checkout_outage(world: DemoWorld) -> tuple[DemoWorld, Planted]:
    """For two days nobody could pay: there are no purchases, and no sales, while everything else went on."""
    first, last = _span(world, first_days_ago=12, last_days_ago=11)
    local_day = world.conversions["occurred_at"].dt.tz_convert(TIME_ZONE).dt.tz_localize(None)
    lost = (world.conversions["goal"] == "Purchase") & _within(local_day.dt.normalize(), first, last)
    unsold = (world.outcomes["outcome"] == "Sales") & _within(world.outcomes["date"], first, last)
    outcomes = world.outcomes.assign(value=world.outcomes["value"].mask(unsold, 0.0))
    planted = Planted("checkout_outage", "conversions", "", first.date(), last.date())
    return replace(world, conversions=world.conversions[~lost], outcomes=outcomes), planted


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        spend_gap,
        tracking_outage,
        stale_conversions,
        missing_outcome_weeks,
        repeated_touches,
        lost_touches,
        late_clock,
        spend_shift,
        spend_outlier,
        spend_in_cents,
        order_outlier,
        missing_campaign,
        channel_misspelt,
        source_variants,
        paid_without_medium,
        unassigned_traffic,
        spend_without_touches,
        touches_without_spend,
        weekly_among_daily,
        series_stopped,
        empty_orders,
        outcome_in_cents,
        campaign_spellings,
        young_channel,
        checkout_outage,
    )
}
