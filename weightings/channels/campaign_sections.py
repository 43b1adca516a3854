"""The campaigns of a channel as a section: what each added, whether it paid back, and how far that can be trusted."""

from collections.abc import Iterator, Sequence

from django.urls import reverse

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Series, axis
from marketing.day_labels import span_label
from mmm_project import formats
from weightings.channels.reading import Campaign, Reading
from weightings.presentation.results import Result, category, extent, listed, mark

TITLE = "Campaigns"
WITHOUT_CAMPAIGN = "Without a campaign"
NEVER_SPENT = "No day with spend"
MOST_MARKS = 15
WORTH_SAYING = 0.05  # of what a campaign adds, still to come
PAID, UNCLEAR, UNPAID = "Clearly paid back", "Not clear", "Clearly did not"
CHANGED = (
    "The data have changed since this run: which part each campaign was is read from the data as they are now, what "
    "the channel did is as the run had it. Run it again to bring both together."
)


def campaigns(result: Result, channel: str, reading: Reading, *, doubts: str, data_changed: bool) -> Section:
    """The campaigns of a channel. `doubts`: why nothing is to be decided by the model, "" where it may be."""
    sentences = [
        *((reading.problem,) if reading.problem else ()),
        *_finding(result, reading, doubts),
        *((CHANGED,) if data_changed else ()),
        *_meaning(result, channel, reading),
    ]
    return Section(
        title=TITLE,
        sentences=tuple(sentences),
        charts=tuple(_chart(result, reading)),
        tables=(_table(result, reading, doubts),),
    )


def verdict(result: Result, campaign: Campaign) -> str:
    """Whether a campaign brought in more than it cost, at the run's level; "" where that cannot be said."""
    low, high = campaign.per_spend["low"], campaign.per_spend["high"]
    if not result.is_money or low is None or high is None:
        return ""
    return PAID if low > 1 else UNPAID if high < 1 else UNCLEAR


def name_of(campaign: Campaign) -> str:
    if campaign.count > 1:
        return f"{formats.count(campaign.count, 'other campaign')}"
    return campaign.name or WITHOUT_CAMPAIGN


def _finding(result: Result, reading: Reading, doubts: str) -> Iterator[str]:
    if doubts:
        yield f"No verdict is given. {doubts}"
        return
    if not result.is_money:
        yield f"Whether a campaign paid back cannot be said: {result.outcome} is not in money."
        return
    named = [campaign for campaign in reading.campaigns if campaign.campaign_id is not None]
    by_verdict = {
        word: [name_of(campaign) for campaign in named if verdict(result, campaign) == word]
        for word in (PAID, UNPAID, UNCLEAR)
    }
    if paid := by_verdict[PAID]:
        yield f"{listed(paid)} clearly paid back."
    if unpaid := by_verdict[UNPAID]:
        yield f"{listed(unpaid)} clearly did not pay back."
    if unclear := by_verdict[UNCLEAR]:
        interval = "its interval holds" if len(unclear) == 1 else "their intervals hold"
        yield f"Of {listed(unclear)} it is not clear: {interval} 1, at which what came in is what was spent."


def _meaning(result: Result, channel: str, reading: Reading) -> Iterator[str]:
    yield (
        f"The model knows {channel} as a whole: it takes all of its campaigns to act alike per unit of what acts, and "
        f"each to be its share of the spend in each {result.granularity}. So campaigns differ by when they ran and by "
        "how saturated the channel then was, not by what they showed to whom. An experiment tells those apart."
    )
    yield (
        "Incremental is what would be missing without the campaign, the others as they were, carry-over included. With "
        "saturation these do not add up to what the channel added; the fair shares do: of what the channel adds in a "
        f"{result.granularity}, a campaign has the share that it has in what then acts."
    )
    running = [name_of(campaign) for campaign in reading.campaigns if campaign.is_running and campaign.campaign_id]
    if running and reading.reaches_end:
        verb = "is" if len(running) == 1 else "are"
        yield (
            f"{listed(running)} {verb} still running: part of what is counted here is carry-over that has yet to come, "
            "and what is spent from now on is not in it."
        )
    if reading.draws < reading.draws_kept:
        yield (
            f"Computed from {formats.count(reading.draws)} of the model's {formats.count(reading.draws_kept)} draws, "
            "evenly spaced, so that the page answers at once."
        )


def _chart(result: Result, reading: Reading) -> Iterator[ChartSpec]:
    shown = [campaign for campaign in reading.campaigns if campaign.per_spend["median"] is not None][:MOST_MARKS]
    marks = tuple(
        mark(
            result.returns(campaign.per_spend, is_mark=True),
            detail=(
                f"Spend {formats.round_money(campaign.spend, result.currency)}",
                f"Incremental {result.amounts(campaign.incremental).with_interval}",
            ),
            href=_href(result, reading, campaign),
        )
        for campaign in shown
    )
    if not any(marks):
        return
    title = _told(result, reading, shown)
    yield ChartSpec(
        id="campaigns",
        kind=Kind.DOTS,
        title=title,
        subtitle=f"{result.return_words} by campaign, {reading.period.label}, {result.interval_words}",
        summary=f"{result.return_words} by campaign with {result.interval_words}s. {title}.",
        category_title="Campaign",
        categories=tuple(category(name_of(campaign)) for campaign in shown),
        series=(Series(name=result.return_words, colour=Colour.ACCENT, marks=marks),),
        axis=axis(
            [*extent(marks), *([1.0] if result.is_money else [])], title=result.return_words, text=result.return_tick
        ),
        interval=result.interval_words,
    )


def _told(result: Result, reading: Reading, shown: Sequence[Campaign]) -> str:
    best = max(shown, key=lambda campaign: campaign.per_spend["median"] or 0.0)
    if len(shown) == 1:
        return f"{name_of(best)} returned {result.returns(best.per_spend).text}"
    named = [campaign for campaign in reading.campaigns if campaign.name or campaign.count > 1]
    who = formats.count(sum(campaign.count for campaign in named), "campaign")
    if len(named) < len(reading.campaigns):
        who = f"{who} and what ran without one"
    added = result.amounts(reading.medium).text
    return f"{name_of(best)} returned most per unit of spend; {who} added {added} together"


def _table(result: Result, reading: Reading, doubts: str) -> DataTable:
    with_verdict = result.is_money and not doubts
    rows = [
        Row(
            label=name_of(campaign),
            cells=(
                _active(campaign),
                result.money(campaign.spend),
                result.amounts(campaign.incremental),
                result.returns(campaign.per_spend),
                result.amounts(campaign.split, middle="mean"),
                _status(campaign, reading),
                *((_verdict(result, campaign),) if with_verdict else ()),
            ),
            href=_href(result, reading, campaign),
        )
        for campaign in reading.campaigns
    ]
    per_spend = {end: None if value is None else value / reading.spend for end, value in reading.medium.items()}
    total = (
        Figure(reading.period.label),
        result.money(reading.spend),
        result.amounts(reading.medium),
        result.returns(per_spend),
        result.amounts(reading.medium, middle="mean"),
        Figure(NO_FIGURE),
        *((Figure(NO_FIGURE),) if with_verdict else ()),
    )
    return DataTable(
        title="What campaigns added",
        columns=(
            *("Campaign", "Active", "Spend", f"Incremental {result.outcome}", result.return_words, "Fair share"),
            *("Status", *(("Verdict",) if with_verdict else ())),
        ),
        rows=(*rows, Row(label="The channel", cells=total, is_total=True)),
        note=f"Medians with {result.interval_words}s, {reading.period.label}, of what is added in it and after it by "
        "carry-over. Fair shares are means, which add up to the channel's.",
    )


def _active(campaign: Campaign) -> Figure:
    if not campaign.days:
        return Figure(NO_FIGURE, NEVER_SPENT)
    days = formats.count(len(campaign.days), "day")
    return Figure(f"{span_label(campaign.days[0], campaign.days[-1])}, {days}", f"{days} with spend in the data")


def _status(campaign: Campaign, reading: Reading) -> Figure:
    share = f"{formats.percent(campaign.to_come)} of it is expected after the data's end"
    if campaign.is_running:
        return Figure("Still running: carry-over to come", share) if reading.reaches_end else Figure("Still running")
    if campaign.last_seen is None:
        return Figure(NO_FIGURE, NEVER_SPENT)
    if campaign.to_come > WORTH_SAYING:
        return Figure("Ended: carry-over to come", share)
    return Figure(f"Ended {campaign.last_seen:%-d %b %Y}")


def _verdict(result: Result, campaign: Campaign) -> Figure:
    word = verdict(result, campaign)
    if not word:
        return Figure(NO_FIGURE, "Nothing was spent")
    return Figure(word, f"It brought in more than it cost with a probability of {formats.percent(campaign.pays)}")


def _href(result: Result, reading: Reading, campaign: Campaign) -> str:
    if campaign.campaign_id is None:
        return ""
    page = reverse("reports:campaign", kwargs={"slug": result.run.workspace.slug, "campaign_id": campaign.campaign_id})
    return f"{page}?start={reading.period.start}&end={reading.period.end}"
