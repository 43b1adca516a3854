"""Two models of one question side by side: what changed in their data, their returns and their recommendations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Series, axis
from marketing.periods import Period
from mmm_project import formats
from weightings.presentation.results import Result, category, extent, listed, mark

Part = Mapping[str, Any]
RETURNS = "Returns in both models"
MOST_MARKS = 15
NOTICED = 0.1  # of the distance between two posteriors: less is hardly more than the chance of draws
UNMOVED = 0.005  # of a budget
STABILITY = (
    "Stability is 100 less the distance between what both models say of a channel's return (Kolmogorov-Smirnov, in "
    "percent), weighted by spend: 100 is the same, and a shift by half a standard deviation of the return costs 20."
)
STANDINGS = {
    "stable": "channels return about what they did",
    "moved": "returns have moved, though by less than half of what they were uncertain by",
    "changed": "returns have moved by more than half of what they were uncertain by",
}


@dataclass(frozen=True, slots=True)
class Sides:
    """What the earlier and the later model are called at the head of a column."""

    before: str
    after: str

    @property
    def each(self) -> tuple[tuple[str, str, Colour], ...]:
        """Key, name and colour of both."""
        return ("before", self.before, Colour.OTHER), ("after", self.after, Colour.ACCENT)


def data_section(result: Result, found: Part, *, sides: Sides) -> Section:
    """What the later data have that the earlier ones had not, or have otherwise. `result`: of the later model."""
    title, data = "Changes in the data", found["data"]
    if data is None:
        return Section(title=title, sentences=(found["data_problem"],))
    restated = bool(data["outcome"] or data["spend"])
    return Section(
        title=title,
        sentences=tuple(_changed(result, data)),
        tables=(_restated_table(result, data, sides),) if restated else (),
    )


def _changed(result: Result, data: Part) -> Iterator[str]:
    unit = result.granularity
    added = [
        f"{formats.count(data[key], unit)} {where}"
        for key, where in (("added_after", "at the end"), ("added_before", "at the beginning"))
        if data[key]
    ]
    yield f"The data have gained {listed(added)}." if added else f"No whole {unit} has been added to the data."
    if data["removed"]:
        are = "is" if data["removed"] == 1 else "are"
        yield f"{formats.count(data['removed'], unit)} of the earlier data {are} no longer there."
    names = [data["outcome"]["name"]] if data["outcome"] else []
    names += [f"spend on {each['name']}" for each in data["spend"]]
    if names:
        yield f"Of the {formats.count(data['common'], unit)} that both know, there are other values of {listed(names)}."
    elif data["common"]:
        yield f"In the {formats.count(data['common'], unit)} that both know, no outcome and no spend has changed."
    for key, words in (("appeared", "new in the model"), ("left", "no longer in it")):
        changed = [*data[key], *data[f"other_{key}"]]
        if changed:
            yield f"{listed(changed)} {'is' if len(changed) == 1 else 'are'} {words}."


def _restated_table(result: Result, data: Part, sides: Sides) -> DataTable:
    rows = []
    if data["outcome"]:
        values = [result.factor * data["outcome"][key] for key in ("before", "after")]
        cells = [Figure(result.rounded(value), result.in_full(value), value) for value in values]
        rows.append(_restated_row(data["outcome"], cells))
    rows += [_restated_row(each, [result.money(each[key]) for key in ("before", "after")]) for each in data["spend"]]
    of_outcome = "" if result.bounds is None else f" Of {result.outcome} they are means."
    return DataTable(
        title="Values that have changed",
        columns=("Series", sides.before, sides.after, "Change", f"{result.granularity.capitalize()}s changed"),
        rows=tuple(rows),
        note=f"Totals over the {formats.count(data['common'], result.granularity)} that both data have.{of_outcome}",
    )


def _restated_row(restated: Part, cells: Sequence[Figure]) -> Row:
    change = restated["after"] / restated["before"] - 1 if restated["before"] else None
    return Row(
        label=restated["name"],
        cells=(
            *cells,
            Figure(NO_FIGURE) if change is None else Figure(formats.change(change), f"{change:+.6%}", change),
            Figure(formats.count(restated["periods"]), value=restated["periods"]),
        ),
    )


def returns_section(
    result: Result,
    found: Part,
    *,
    sides: Sides,
    periods: tuple[Period, Period],
    charts: Sequence[ChartSpec] | None = None,
) -> Section:
    """What both models say of each channel's return. `charts`: instead of the one that is drawn of those in common."""
    title, moved = RETURNS, found["stability"]
    if moved is None:
        return Section(title=title, sentences=(found["stability_problem"],), charts=tuple(charts or ()))
    if charts is None:
        charts = (_returns_chart(result, moved, sides),)
    return Section(
        title=title,
        sentences=tuple(_stability(result, moved, periods)),
        charts=tuple(charts),
        tables=(_returns_table(result, moved, sides),),
    )


def _stability(result: Result, moved: Part, periods: tuple[Period, Period]) -> Iterator[str]:
    yield f"Stability {formats.count(round(moved['score']))} of 100: {STANDINGS[moved['standing']]}."
    most = moved["channels"][0]
    if most["distance"] < NOTICED:
        yield "No channel's return has moved noticeably."
    else:
        before, after = (result.returns(most[side]).with_interval for side in ("before", "after"))
        yield f"{most['channel']} has moved most: {result.return_words} was {before}, and is {after}."
    if not moved["same_period"]:
        yield (
            f"The two report different periods, {periods[0].label} and {periods[1].label}: part of what differs may be "
            "what was spent in them."
        )


def _returns_chart(result: Result, moved: Part, sides: Sides) -> ChartSpec:
    shown = sorted(moved["channels"], key=lambda each: -each["after"]["median"])[:MOST_MARKS]
    series = tuple(
        Series(
            name=name,
            colour=colour,
            marks=tuple(
                mark(result.returns(each[side], is_mark=True), href=result.href(each["channel"])) for each in shown
            ),
        )
        for side, name, colour in sides.each
    )
    apart = [each["channel"] for each in shown if _apart(each["before"], each["after"])]
    title = f"The intervals of {listed(apart)} do not meet" if apart else "Every channel's two intervals overlap"
    return ChartSpec(
        id="returns-in-both",
        kind=Kind.DOTS,
        title=title,
        subtitle=f"{result.return_words}, {result.interval_words}, in the earlier model and in the later one",
        summary=f"{result.return_words} by channel in the earlier model and in the later one, side by side. {title}.",
        category_title="Channel",
        categories=tuple(category(each["channel"]) for each in shown),
        series=series,
        axis=axis(
            [end for one in series for end in extent(one.marks)], title=result.return_words, text=result.return_tick
        ),
        interval=result.interval_words,
    )


def _apart(before: Part, after: Part) -> bool:
    return bool(before["high"] < after["low"] or after["high"] < before["low"])


def _returns_table(result: Result, moved: Part, sides: Sides) -> DataTable:
    return DataTable(
        title="How far each channel has moved",
        columns=(
            "Channel",
            *(f"{result.return_words}: {name}" for _side, name, _colour in sides.each),
            "Distance",
            "Weight",
        ),
        rows=tuple(
            Row(
                label=each["channel"],
                cells=(
                    result.returns(each["before"]),
                    result.returns(each["after"]),
                    Figure(formats.ratio(each["distance"]), repr(each["distance"]), each["distance"]),
                    _share(each["weight"]),
                ),
                href=result.href(each["channel"]),
            )
            for each in moved["channels"]
        ),
        note=f"{STABILITY} The weight is the channel's share of spend.",
    )


def budget_section(result: Result, found: Part, *, sides: Sides) -> Section:
    """What both models recommend, as shares of the budget."""
    title, budget = "Recommendations of both models", found["budget"]
    if budget is None:
        return Section(title=title, sentences=(found["budget_problem"],))
    return Section(
        title=title,
        sentences=tuple(_moved_budget(budget)),
        charts=(_budget_chart(result, budget, sides),),
        tables=(_budget_table(result, budget, sides),),
    )


def _moved_budget(budget: Part) -> Iterator[str]:
    if budget["moved"] is None:
        return
    spent = (
        ""
        if budget["moved_current"] is None
        else f"; of what was spent, {formats.percent(budget['moved_current'])} went to other channels"
    )
    yield f"{formats.percent(budget['moved'])} of the recommended budget is now for other channels{spent}."


def _budget_chart(result: Result, budget: Part, sides: Sides) -> ChartSpec:
    def largest(each: Part) -> float:
        return max(each["recommended_before"] or 0.0, each["recommended_after"] or 0.0)

    shown = sorted(budget["channels"], key=lambda each: (-largest(each), each["channel"]))[:MOST_MARKS]
    series = tuple(
        Series(
            name=name,
            colour=colour,
            marks=tuple(mark(_share(each[f"recommended_{side}"]), href=result.href(each["channel"])) for each in shown),
        )
        for side, name, colour in sides.each
    )
    moves = {
        each["channel"]: (each["recommended_after"] or 0.0) - (each["recommended_before"] or 0.0) for each in shown
    }
    most = max(moves, key=lambda name: abs(moves[name]))
    title = (
        f"The share that is recommended for {most} has {'grown' if moves[most] > 0 else 'shrunk'} most"
        if abs(moves[most]) >= UNMOVED
        else "The recommendation is as it was"
    )
    return ChartSpec(
        id="both-recommendations",
        kind=Kind.BARS,
        horizontal=True,
        title=title,
        subtitle="Share of the recommended budget, by channel",
        summary=f"Share of the recommended budget by channel, in both models. {title}.",
        category_title="Channel",
        categories=tuple(category(each["channel"]) for each in shown),
        series=series,
        axis=axis(
            [0.0, *(end for one in series for end in extent(one.marks))],
            title="Share of the recommended budget",
            text=lambda share: f"{share:.0%}" if share == round(share, 2) else formats.percent(share),
        ),
    )


def _budget_table(result: Result, budget: Part, sides: Sides) -> DataTable:
    columns = [
        (f"{plan}_{side}", f"{plan.capitalize()}: {name}")
        for plan in ("current", "recommended")
        for side, name, _colour in sides.each
    ]
    return DataTable(
        title="Current and recommended shares in both models",
        columns=("Channel", *(name for _key, name in columns)),
        rows=tuple(
            Row(
                label=each["channel"],
                cells=tuple(_share(each[key]) for key, _name in columns),
                href=result.href(each["channel"]),
            )
            for each in budget["channels"]
        ),
        note="Shares of all spend on channels of the model, in the period that each run reports.",
    )


def _share(share: float | None) -> Figure:
    if share is None:
        return Figure(NO_FIGURE, "Not in this model")
    return Figure(formats.percent(share), f"{share:.6%}", share)
