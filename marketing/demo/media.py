"""Media of the demo world: spend plan, what it buys, and the intensity with which it reaches people."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketing.demo import seasons, world
from marketing.demo.seasons import Clock
from marketing.demo.world import Channel, FloatArray, Media

# Budgets are pulsed on purpose: every two weeks each always-on channel runs below, at or above plan, independently of
# the others, or nothing could be learnt about its effect from history.
PULSE_WEEKS = 2
PULSE_LEVELS = np.array([0.25, 1.0, 1.0, 1.9])
WEEKLY_NOISE, DAILY_NOISE = 0.25, 0.10
OWNED_SEND_DAYS = np.array([0.6, 1.7, 0.7, 1.6, 0.8, 0.6, 1.0])  # newsletters leave on Tuesdays and Thursdays


@dataclass(frozen=True)
class MediaPlan:
    """Daily media of one channel: spend (D,) in euros, and spend by campaign (D, campaigns)."""

    channel: Channel
    media: Media
    campaign_spend: FloatArray

    @property
    def spend(self) -> FloatArray:
        total: FloatArray = self.campaign_spend.sum(axis=1)
        return total


def build_plans(*, clock: Clock, seed: int) -> tuple[MediaPlan, ...]:
    """The spend plan of every channel that costs money, to the cent, in the world's order."""
    return tuple(
        MediaPlan(
            channel=channel,
            media=media,
            campaign_spend=np.round(
                _planned_spend(clock=clock, seed=seed, channel=channel, media=media)[:, None]
                * campaign_shares(clock=clock, channel=channel),
                2,
            ),
        )
        for channel, media in world.media_channels()
    )


def campaign_shares(*, clock: Clock, channel: Channel) -> FloatArray:
    """Share of each campaign (D, campaigns) in the channel's spend and touches of a day; rows sum to 1."""
    months = pd.DatetimeIndex(clock.dates).month.to_numpy()
    weights = np.stack(
        [np.where(np.isin(months, campaign.months), campaign.share, 0.0) for campaign in channel.campaigns], axis=1
    )
    shares: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return shares


def intensity(*, spend: FloatArray, media: Media) -> FloatArray:
    """Reach per day (D,) that daily spend (D,) buys: geometric adstock, then a Hill curve, 1 at the daily budget.

    `adstock_t = (1 - retention) spend_t + retention adstock_(t-1)`, `hill(x) = x^slope / (x^slope + half^slope)`, x in
    multiples of the daily budget. Source: Jin, Wang, Sun, Chan, Koehler 2017. Zero spend throughout gives exactly zero.
    """
    adstock = np.empty_like(spend)
    carried = spend[0]
    for day, amount in enumerate(spend):
        carried = (1 - media.retention_per_day) * amount + media.retention_per_day * carried
        adstock[day] = carried
    powered = (adstock / media.daily_budget) ** media.slope
    half = media.half_saturation**media.slope
    reach: FloatArray = powered / (powered + half) * (1 + half)
    return reach


def touch_intensities(*, clock: Clock, seed: int, plans: tuple[MediaPlan, ...]) -> dict[str, FloatArray]:
    """Relative reach per day (D,) of every channel with touches: bought by spend, or the channel's own rhythm."""
    bought = {plan.channel.name: intensity(spend=plan.spend, media=plan.media) for plan in plans}
    reach = {}
    for channel in world.touch_channels():
        if channel.name in bought:
            reach[channel.name] = bought[channel.name]
            continue
        rhythm = np.exp(0.08 * seasons.weekly_normal(clock=clock, seed=seed, name=f"rhythm {channel.name}"))
        if channel.type == "owned":
            sale_mailings = np.where(seasons.promotion(clock) > 0, 1.3, 1.0)
            rhythm = rhythm * OWNED_SEND_DAYS[seasons.weekdays(clock)] * sale_mailings
        reach[channel.name] = rhythm
    return reach


def spend_table(*, clock: Clock, seed: int, plans: tuple[MediaPlan, ...]) -> pd.DataFrame:
    """Daily spend, impressions and clicks by channel and campaign; a running campaign has a row for every day."""
    dates = clock.dates[clock.first_reported_day :].astype("datetime64[us]")
    tables = []
    for plan in plans:
        rng = world.random_stream(seed=seed, name=f"delivery {plan.channel.name}")
        delivered = plan.campaign_spend / plan.media.cost_per_mille * 1000
        impressions = np.round(delivered * np.exp(0.06 * rng.standard_normal(delivered.shape))).astype(np.int64)
        clicks = rng.binomial(impressions, plan.media.click_rate)
        shares = campaign_shares(clock=clock, channel=plan.channel)
        for column, campaign in enumerate(plan.channel.campaigns):
            table = pd.DataFrame(
                {
                    "date": dates,
                    "channel": plan.channel.name,
                    "campaign": campaign.name,
                    "spend": plan.campaign_spend[clock.first_reported_day :, column],
                    "impressions": impressions[clock.first_reported_day :, column],
                    "clicks": clicks[clock.first_reported_day :, column],
                }
            )
            tables.append(table[shares[clock.first_reported_day :, column] > 0])
    return pd.concat(tables).sort_values("date", kind="stable").reset_index(drop=True)


def _planned_spend(*, clock: Clock, seed: int, channel: Channel, media: Media) -> FloatArray:
    years = (clock.dates - clock.dates[clock.first_reported_day]).astype(np.float64) / 365.25
    weekly = WEEKLY_NOISE * seasons.weekly_normal(clock=clock, seed=seed, name=f"plan weeks {channel.name}")
    daily = DAILY_NOISE * seasons.daily_normal(clock=clock, seed=seed, name=f"plan days {channel.name}")
    level = _flights(clock=clock, media=media) if media.flights else _pulses(clock=clock, seed=seed, channel=channel)
    planned: FloatArray = (
        media.daily_budget
        * (1 + world.GROWTH_PER_YEAR) ** years
        * seasons.season(clock) ** media.season_exponent
        * level
        * np.exp(weekly + daily)
    )
    return planned


def _flights(*, clock: Clock, media: Media) -> FloatArray:
    """Level of the flight that each day belongs to (D,), 0 between flights."""
    iso_weeks = pd.DatetimeIndex(clock.dates).isocalendar().week.to_numpy().astype(np.int64)
    level = np.zeros(len(clock.dates))
    for flight in media.flights:
        level[(iso_weeks >= flight.first_week) & (iso_weeks <= flight.last_week)] = flight.level
    return level


def _pulses(*, clock: Clock, seed: int, channel: Channel) -> FloatArray:
    """Level of the deliberate pulses (D,), one draw for every block of weeks since the epoch."""
    block = seasons.weeks(clock) // PULSE_WEEKS
    rng = world.random_stream(seed=seed, name=f"pulses {channel.name}")
    return rng.choice(PULSE_LEVELS, size=int(block[-1]) + 1)[block]
