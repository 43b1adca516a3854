"""Two forecasts side by side."""

from typing import TYPE_CHECKING

from analyses.documents import Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from weightings.forecasts.presentation.result import ForecastResult
from weightings.presentation.results import extent
from weightings.presentation.time_sections import outcome_mark, period_categories

if TYPE_CHECKING:
    from analyses.models import Run


def compare(earlier: "Run", later: "Run") -> tuple[Section, ...]:
    """Return what is predicted in both runs as one chart; none if they are about different outcomes or periods."""
    first, second = ForecastResult(earlier), ForecastResult(later)
    if (first.outcome, first.unit, first.granularity) != (second.outcome, second.unit, second.granularity):
        return ()
    predicted = [_by_start(result) for result in (first, second)]
    starts = sorted(predicted[0] | predicted[1])
    if not predicted[0].keys() & predicted[1].keys():
        return ()
    series = tuple(
        Series(name=name, colour=colour, marks=tuple(found.get(start) for start in starts))
        for name, colour, found in zip(("A", "B"), (Colour.CHANNEL_1, Colour.ACCENT), predicted, strict=True)
    )
    levels = " and ".join(dict.fromkeys([first.interval_words, second.interval_words]))
    per = f"Predicted {second.outcome} by {second.granularity}, {second.unit}"
    title = _finding(predicted)
    chart = ChartSpec(
        id="compared-forecasts",
        kind=Kind.LINE,
        title=title,
        subtitle=f"{per}, {levels}. A: {first.period.label}. B: {second.period.label}.",
        summary=f"{per}, in A and in B. {title}.",
        category_title=second.granularity.capitalize(),
        categories=period_categories(starts, second.granularity),
        series=series,
        axis=axis(extent([mark for one in series for mark in one.marks]), title=per, text=second.tick, zero=False),
        interval=levels,
    )
    return (Section(title="Predicted in both", charts=(chart,)),)


def _by_start(result: ForecastResult) -> dict[int, Mark]:
    found = result.series["predicted"]
    ends = zip(found["median"], found["low"], found["high"], strict=True)
    return dict(zip(result.series["period_start"], (outcome_mark(result, *one) for one in ends), strict=True))


def _finding(predicted: list[dict[int, Mark]]) -> str:
    """Which of the two says more, where both say something."""
    both = predicted[0].keys() & predicted[1].keys()
    first, second = (sum(found[start].value for start in both) for found in predicted)
    if first == second:
        return "A and B predict the same"
    return f"{'B' if second > first else 'A'} predicts more over the periods that both are about"
