"""A model beside the one before it: what has changed, and how the earlier one has predicted what has come since."""

import datetime as dt
from collections.abc import Iterator

from analyses.documents import Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from marketing.periods import Period
from mmm_project import formats
from weightings.presentation.model_changes import Part, Sides, budget_section, data_section, returns_section
from weightings.presentation.results import Result, extent, listed
from weightings.presentation.time_sections import outcome_mark, period_categories

TITLE = "Since the previous model"
NOTICED = 0.0005  # of what was predicted: less is rounded away
BEFORE_AND_NOW = Sides("Before", "Now")


def since_previous(result: Result) -> tuple[Section, ...]:
    """What has changed since the previous model of the same question; nothing for the first one."""
    found: Part | None = result.data.get("since_previous")
    if found is None:
        return ()
    if found["problem"]:
        return (Section(title=TITLE, sentences=(found["problem"],)),)
    parts = [
        Section(title=TITLE, sentences=tuple(_which(result, found))),
        backtest_section(result, found),
        returns_section(result, found, sides=BEFORE_AND_NOW, periods=(_period(found["period"]), result.period)),
        budget_section(result, found, sides=BEFORE_AND_NOW),
        data_section(result, found, sides=BEFORE_AND_NOW),
    ]
    return (
        Section(
            title=TITLE,
            sentences=tuple(sentence for part in parts for sentence in part.sentences),
            charts=tuple(chart for part in parts for chart in part.charts),
            tables=tuple(table for part in parts for table in part.tables),
        ),
    )


def _which(result: Result, found: Part) -> Iterator[str]:
    learnt = _period(found["estimation"])
    yield f"The previous model is of {_made(result, found)}, and had learnt from {learnt.label}."
    if found["verdict"] == "fail":
        yield "It failed checks, so what differs from it may be its own fault."


def _made(result: Result, found: Part) -> str:
    asked_at = dt.datetime.fromisoformat(found["asked_at"]).astimezone(result.run.workspace.zone)
    return f"{asked_at:%-d %b %Y}"


def _period(found: Part) -> Period:
    return Period(dt.date.fromisoformat(found["start"]), dt.date.fromisoformat(found["end"]))


def backtest_section(result: Result, found: Part) -> Section:
    """How the earlier model predicted the periods that have come since. `result`: of the later model."""
    title, tried = "How the earlier model predicted what came", found.get("backtest")
    if tried is None:
        return Section(title=title, sentences=(found["backtest_problem"],))
    charts = (_backtest_chart(result, tried),) if len(tried["period_start"]) > 1 else ()
    return Section(title=title, sentences=tuple(_predicted(result, found, tried)), charts=charts)


VERDICTS = {
    "good": "It has predicted well",
    "review": "It has predicted no better than a year before's values would have",
    "fail": "It has predicted badly: what came lies further off than chance explains, so something has changed that it "
    "does not know of",
}


def _predicted(result: Result, found: Part, tried: Part) -> Iterator[str]:
    known = formats.count(tried["known"], result.granularity)
    error = "" if tried["wmape"] is None else f" with an error of {formats.percent(tried['wmape'])} (wMAPE)"
    naive = (
        ""
        if tried["naive_wmape"] is None
        else f"; to say the same as a year before would have had one of {formats.percent(tried['naive_wmape'])}"
    )
    inside = f"{formats.count(tried['inside'])} of {formats.count(tried['known'])}"
    yield (
        f"The model of {_made(result, found)} predicted the {known} since{error}: {inside} lie inside its "
        f"{tried['level']:g}% intervals{naive}."
    )
    yield f"{VERDICTS[tried['verdict']]}."
    yield _in_total(result, tried)
    if tried["new"]:
        are = "is" if len(tried["new"]) == 1 else "are"
        yield f"{listed(tried['new'])} {are} new since: that model knows no effect of it."


def _in_total(result: Result, tried: Part) -> str:
    predicted = result.amounts(tried["total"], middle="mean").with_interval
    together = "In total" if result.bounds is None else "On average"
    came = result.rounded(result.factor * tried["total_observed"])
    change = tried["total_observed"] / tried["total"]["mean"] - 1 if tried["total"]["mean"] else 0.0
    apart = f", {formats.percent(abs(change))} {'more' if change > 0 else 'less'}" if abs(change) >= NOTICED else ""
    return f"{together} it predicted {predicted}, and {came} came{apart}."


def _backtest_chart(result: Result, tried: Part) -> ChartSpec:
    predicted = tuple(
        outcome_mark(result, mean, low, high)
        for mean, low, high in zip(tried["mean"], tried["low"], tried["high"], strict=True)
    )
    observed: tuple[Mark | None, ...] = tuple(
        None if value is None else outcome_mark(result, value) for value in tried["observed"]
    )
    title = (
        f"{formats.count(tried['inside'])} of {formats.count(tried['known'], result.granularity)} lie within what the "
        "previous model predicted"
    )
    per = f"{result.outcome} by {result.granularity}, {result.unit}"
    level = f"{tried['level']:g}% prediction interval"
    return ChartSpec(
        id="since-backtest",
        kind=Kind.LINE,
        title=title,
        subtitle=f"{per}. Predicted by the previous model with what was spent; the band is its {level}.",
        summary=f"{per}, as the previous model predicted it and as it came. {title}.",
        category_title=result.granularity.capitalize(),
        categories=period_categories(tried["period_start"], result.granularity),
        series=(
            Series(name="Predicted", colour=Colour.ACCENT, marks=predicted),
            Series(name="Observed", colour=Colour.CHANNEL_1, marks=observed),
        ),
        axis=axis(extent([*predicted, *observed]), title=per, text=result.tick, zero=False),
        interval=level,
    )
