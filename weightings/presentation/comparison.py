"""Two media mix runs side by side as a chart."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from weightings.presentation.results import Result, category, extent, figure, listed, mark

if TYPE_CHECKING:
    from analyses.models import Run

MOST_MARKS = 15


def compare(earlier: "Run", later: "Run") -> tuple[ChartSpec, ...]:
    """Return what channels returned in both runs as one chart; none if they are about different outcomes."""
    first, second = Result(earlier), Result(later)
    if (first.outcome, first.is_money, first.bounds) != (second.outcome, second.is_money, second.bounds):
        return ()
    found = [{channel["channel"]: channel for channel in result.by_return()} for result in (first, second)]
    names = list(dict.fromkeys([*found[1], *found[0]]))[:MOST_MARKS]
    if not names:
        return ()
    series = tuple(
        Series(
            name=f"{letter}: {result.model_label}",
            colour=colour,
            marks=tuple(_mark(second, result, channels.get(name)) for name in names),
        )
        for letter, result, channels, colour in (
            ("A", first, found[0], Colour.OTHER),
            ("B", second, found[1], Colour.ACCENT),
        )
    )
    title = _finding(found, first.return_key, names)
    levels = " and ".join(dict.fromkeys([first.interval_words, second.interval_words]))
    return (
        ChartSpec(
            id="compared-returns",
            kind=Kind.DOTS,
            title=title,
            subtitle=f"{second.return_words}, {levels}. A: {first.period.label}. B: {second.period.label}.",
            summary=f"{second.return_words} by channel in A and in B, side by side. {title}.",
            category_title="Channel",
            categories=tuple(category(name) for name in names),
            series=series,
            axis=axis(
                [end for one in series for end in extent(one.marks)], title=second.return_words, text=second.return_tick
            ),
            interval=levels,
        ),
    )


def _mark(shown_by: Result, result: Result, channel: Mapping[str, Any] | None) -> Mark | None:
    """A run's return, in the multiples of spend that the other one is shown in."""
    if channel is None:
        return None
    of = figure(
        channel[result.return_key], shown_by.return_text, lambda value: f"{value:.4f}", factor=shown_by.return_factor
    )
    return mark(of, href=shown_by.href(channel["channel"]))


def _finding(found: Sequence[Mapping[str, Mapping[str, Any]]], key: str, names: Sequence[str]) -> str:
    """Whose intervals do not meet."""
    both = [name for name in names if all(name in channels for channels in found)]
    apart = [
        name
        for name in both
        if found[0][name][key]["high"] < found[1][name][key]["low"]
        or found[1][name][key]["high"] < found[0][name][key]["low"]
    ]
    if not both:
        return "A and B have no channel in common"
    return f"The intervals of {listed(apart)} do not meet" if apart else "The intervals of every channel overlap"
