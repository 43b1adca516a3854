"""A recommended budget as a document: where to spend, when, and why."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from analyses.age import stale_sentence
from analyses.documents import Card, DataTable, Document, Figure, LazyRows, RawCell, Row, Section
from analyses.models import Run
from analyses.presenters import asked_at, provenance
from analyses.serializers import RunWithResultSerializer
from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from charts.colours import CHANNEL_COLOURS
from marketing.periods import EPOCH
from mmm_project import formats
from weightings.budgets.words import days_of, describe, settings
from weightings.presentation import words
from weightings.presentation.budget_sections import budget_section, finding, more_or_less
from weightings.presentation.method import how_fitted, intervals, with_method
from weightings.presentation.results import Result, listed

if TYPE_CHECKING:
    from mmm_project.tables import Cell

MOST_COLOURS = len(CHANNEL_COLOURS)
OTHERS = "Other channels"
HOW_FOUND = (
    "What a budget would bring is read from response curves that are stored for every draw of the model, without "
    "fitting anything again; each channel’s spend is multiplied with its spread over time as it is, unless that is "
    "optimised as well. The recommendation is the best by what it aims at, within its total or target, its limits and "
    "what is locked."
)
TICKS = 8


def document(run: Run) -> Document:
    """Return a finished budget run for its page and its exports."""
    assert run.result is not None  # noqa: S101 - only finished runs are presented
    answer: Mapping[str, Any] = run.result
    model = Run.objects.select_related("workspace", "job").get(workspace=run.workspace, pk=answer["model_run"]["id"])
    result, budget = Result(model), answer["budget"]
    is_flighted = answer["flighting"] is not None
    period = _spread_anew(result, run.params, answer) if is_flighted else answer["horizon"]["label"]
    found = Document(
        title="Budget",
        subtitle=describe(run.params),
        headline=finding(result, budget, is_flighted=is_flighted),
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(
            *settings(run.params),
            ("Model", words.describe(model.params)),
            ("Model of", asked_at(model)),
            *provenance(run),
        ),
        cards=tuple(_cards(result, budget)),
        sections=(budget_section(result, budget, period=period, is_flighted=is_flighted), *_flighting(result, answer)),
        notes=tuple(_notes(result, answer)),
        rows=LazyRows(partial(rows, run)),
        data=RunWithResultSerializer(run).data,
        file_name=f"budget-{run.workspace.slug}-{run.params['start']}-to-{run.params['end']}",
        method=(*how_fitted(result), HOW_FOUND, intervals(result)),
    )
    return with_method(found, result)


def _spread_anew(result: Result, params: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """What a budget is for that is not spread as it was."""
    count = formats.count(answer["horizon"]["periods"], result.granularity)
    return f"{count} like those of {days_of(params)}, spread over them as “When to spend” says"


def _cards(result: Result, budget: Mapping[str, Any]) -> Iterator[Card]:
    gain = result.amounts(budget["gain"])
    outcome = result.amounts(budget["outcome_recommended"])
    better = budget["probability_better"]
    yield Card(
        label=result.outcome,
        unit=result.interval_words,
        figure=outcome,
        change=outcome.interval,
        change_tone="quiet",
    )
    yield Card(label="Gain", unit=result.interval_words, figure=gain, change=gain.interval, change_tone="quiet")
    yield Card(
        label="Better than the current one",
        unit="probability",
        figure=Figure(formats.percent(better), f"{better:.6%}", better),
    )
    yield Card(
        label="Spend",
        figure=result.money(budget["spend_recommended"]),
        change=f"{formats.short_money(budget['spend_current'], result.currency)} now",
        change_tone="quiet",
    )


def _notes(result: Result, answer: Mapping[str, Any]) -> Iterator[str]:
    if answer["doubts"]:
        yield f"{answer['doubts']} This one was asked for all the same."
    if stale := stale_sentence(result.run):
        yield stale
    yield words.ROI_MEANING if result.is_money else words.RETURN_MEANING
    if answer["flighting"]:
        yield (
            f"Flighting: no channel has more in a {result.granularity} than it ever had, unless its budget needs more "
            "room. It is the best that was found from many beginnings, for the mean over all draws of the model."
        )


def _flighting(result: Result, answer: Mapping[str, Any]) -> tuple[Section, ...]:
    """When to spend; nothing where the spread is kept."""
    found = answer["flighting"]
    if found is None:
        return ()
    gain = result.amounts(found["gain"])
    best = max(found["channels"], key=lambda each: each["gain"]["mean"] or 0.0)
    change = f"{more_or_less(result, found['gain'])} ({gain.interval})"
    sentences = (
        f"Spread like this, the budget brings {change} than with each channel spread as it is now.",
        f"Most of it on {best['channel']}: {result.amounts(best['gain']).with_interval}.",
    )
    return (
        Section(
            title=f"When to spend, by {result.granularity}",
            sentences=sentences,
            charts=(_chart(result, found),),
            tables=(_table(result, found), _gains(result, found)),
        ),
    )


def _chart(result: Result, found: Mapping[str, Any]) -> ChartSpec:
    by_size = sorted(found["channels"], key=lambda each: -sum(each["best"]))
    drawn = by_size if len(by_size) <= MOST_COLOURS else by_size[: MOST_COLOURS - 1]
    free = [colour for colour in CHANNEL_COLOURS if colour not in [result.colour(each["channel"]) for each in drawn]]
    series = []
    for each in drawn:
        own = result.colour(each["channel"])
        colour = free.pop(0) if own == Colour.OTHER else own
        series.append(Series(name=each["channel"], colour=colour, marks=_marks(result, each["best"])))
    rest = [each["best"] for each in by_size[len(drawn) :]]
    if rest:
        total = [sum(values) for values in zip(*rest, strict=True)]
        series.append(Series(name=OTHERS, colour=Colour.OTHER, marks=_marks(result, total)))
    highest = max(sum(values) for values in zip(*(each["best"] for each in found["channels"]), strict=True))
    title = f"Most is spent in {_busiest(result, found)}"
    return ChartSpec(
        id="flighting",
        kind=Kind.AREA,
        title=title,
        subtitle=f"Recommended spend by {result.granularity} and channel, {result.currency}",
        summary=f"Recommended spend by {result.granularity}, channels stacked on each other. {title}.",
        category_title=result.granularity.capitalize(),
        categories=_categories(result, found),
        series=tuple(series),
        axis=axis(
            [0.0, highest],
            title=f"Spend, {result.currency}",
            text=lambda value: formats.short_money(value, result.currency),
        ),
    )


def _marks(result: Result, values: Sequence[float]) -> tuple[Mark, ...]:
    return tuple(Mark(value=value, text=formats.round_money(value, result.currency)) for value in values)


def _busiest(result: Result, found: Mapping[str, Any]) -> str:
    sums = [sum(values) for values in zip(*(each["best"] for each in found["channels"]), strict=True)]
    place = max(range(len(sums)), key=lambda one: sums[one])
    return f"{result.granularity} {place + 1}"


def _categories(result: Result, found: Mapping[str, Any]) -> tuple[Category, ...]:
    every = max(-(-len(found["period_start"]) // TICKS), 1)
    return tuple(
        Category(
            label=f"{result.granularity.capitalize()} {place + 1}, as that of {_day(start)}",
            short=f"{place + 1}",
            tick=place % every == 0,
        )
        for place, start in enumerate(found["period_start"])
    )


def _day(start: int) -> str:
    return f"{EPOCH.date() + dt.timedelta(start):%-d %b %Y}"


def _table(result: Result, found: Mapping[str, Any]) -> DataTable:
    names = [each["channel"] for each in found["channels"]]
    rows_of = []
    for place, of in enumerate(_categories(result, found)):
        amounts = [each["best"][place] for each in found["channels"]]
        rows_of.append(Row(label=of.label, cells=(*map(result.money, amounts), result.money(sum(amounts)))))
    totals = [sum(each["best"]) for each in found["channels"]]
    rows_of.append(Row(label="Total", cells=(*map(result.money, totals), result.money(sum(totals))), is_total=True))
    return DataTable(
        title=f"Spend by {result.granularity}",
        columns=(result.granularity.capitalize(), *names, "All channels"),
        rows=tuple(rows_of),
        note=f"Recommended spend in {result.currency}, {listed(['by ' + result.granularity, 'by channel'])}.",
    )


def _gains(result: Result, found: Mapping[str, Any]) -> DataTable:
    return DataTable(
        title="What the spread over time brings",
        columns=("Channel", f"Adds more {result.outcome}"),
        rows=tuple(
            Row(label=each["channel"], cells=(result.amounts(each["gain"]),), href=result.href(each["channel"]))
            for each in found["channels"]
        ),
        note=f"Medians with {result.interval_words}s, against the same budget spread as now.",
    )


def rows(run: Run) -> "Iterator[Sequence[Cell]]":
    """Yield the header, each channel and the total, and spend by channel and period if it is spread anew."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    budget, flighting = run.result["budget"], run.result["flighting"]
    measures = ("difference", "added_recommended", "marginal_current", "marginal_recommended")
    yield (
        *("channel", "period_start", "spend_current", "spend_recommended", "low", "high", "bound"),
        *(f"{name}{end}" for name in measures for end in ("", "_low", "_high")),
    )
    empty: tuple[RawCell, ...] = (None,) * (3 * len(measures))
    for each in budget["channels"]:
        numbers = [each[name][end] for name in measures for end in ("median", "low", "high")]
        ends = (each["low"], each["high"], each["bound"] or "")
        yield (each["channel"], "", each["spend_current"], each["spend_recommended"], *ends, *numbers)
    gain = [budget["gain"][end] for end in ("median", "low", "high")]
    added = [budget["added_recommended"][end] for end in ("median", "low", "high")]
    total = ("(all channels)", "", budget["spend_current"], budget["spend_recommended"], None, None, "")
    yield (*total, *gain, *added, *empty[6:])
    if flighting is None:
        return
    days = [(EPOCH.date() + dt.timedelta(start)).isoformat() for start in flighting["period_start"]]
    for each in flighting["channels"]:
        current = each.get("current") or [None] * len(days)  # runs of the first version did not keep it
        for day, now, best in zip(days, current, each["best"], strict=True):
            yield (each["channel"], day, now, best, None, None, "", *empty)
