"""Two media mix runs side by side: their data, what channels returned, and what is recommended."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analyses.age import stale_sentence
from analyses.documents import Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from weightings.presentation.model_changes import RETURNS, Sides, budget_section, data_section, returns_section
from weightings.presentation.refresh_sections import backtest_section
from weightings.presentation.results import Result, category, extent, figure, listed, mark
from weightings.standing import doubts

if TYPE_CHECKING:
    from analyses.models import Run

MOST_MARKS = 15
A_AND_B = Sides("A", "B")
OTHER_OUTCOMES = "A and B are about different outcomes, or measure them differently: there is nothing to compare."


def compare(earlier: "Run", later: "Run") -> tuple[Section, ...]:
    """Return what changed from the earlier run to the later one; only that, if they are about different outcomes."""
    first, second = Result(earlier), Result(later)
    if (first.outcome, first.is_money, first.bounds) != (second.outcome, second.is_money, second.bounds):
        return (Section(title=RETURNS, sentences=(OTHER_OUTCOMES,)),)
    # Here, not above: pages that only name the kind must not wait for the numerical libraries.
    from weightings.refresh.changes import changes

    found = changes(earlier, later)
    charts = returns_charts(first, second, found["names"])
    standing = tuple(_standing(first, second))
    tried = second.data.get("since_previous") or {}
    return (
        *((Section(title="Standing", sentences=standing),) if standing else ()),
        data_section(second, found, sides=A_AND_B),
        returns_section(second, found, sides=A_AND_B, periods=(first.period, second.period), charts=charts),
        budget_section(second, found, sides=A_AND_B),
        *((backtest_section(second, tried),) if tried.get("run") == str(earlier.pk) else ()),
    )


def _standing(first: Result, second: Result) -> Iterator[str]:
    """Why either is not to be acted on."""
    for letter, result in (("A", first), ("B", second)):
        for why in filter(None, (doubts(result.data), stale_sentence(result.run))):
            yield f"{letter}: {why}"


def returns_charts(first: Result, second: Result, names_now: Mapping[str, str]) -> tuple[ChartSpec, ...]:
    """What channels returned in both runs as one chart; none where no channel has a return.

    `names_now`: what the later run calls channels of the earlier one. Those that are one in it have no return together.
    """
    called = [(names_now.get(channel["channel"], channel["channel"]), channel) for channel in first.by_return()]
    times = Counter(name for name, _channel in called)
    found = [
        {name: channel for name, channel in called if times[name] == 1},
        {channel["channel"]: channel for channel in second.by_return()},
    ]
    names = list(dict.fromkeys([*found[1], *found[0]]))[:MOST_MARKS]
    if not names:
        return ()
    series = tuple(
        Series(
            name=f"{letter}: {result.model_label}",
            colour=colour,
            marks=tuple(_mark(second, result, name, channels.get(name)) for name in names),
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


def _mark(shown_by: Result, result: Result, name: str, channel: Mapping[str, Any] | None) -> Mark | None:
    """A run's return, in the multiples of spend that the other one is shown in."""
    if channel is None:
        return None
    of = figure(
        channel[result.return_key], shown_by.return_text, lambda value: f"{value:.4f}", factor=shown_by.return_factor
    )
    return mark(of, href=shown_by.href(name))


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
