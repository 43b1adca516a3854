"""How a forecast came to its numbers, in paragraphs, and the terms that go with it: docs/methods.md in short."""

from analyses.definitions import defined
from analyses.documents import Document
from mmm_project import formats
from weightings.forecasts.presentation.result import ForecastResult
from weightings.presentation.method import experiments_used, how_sampled

TERMS = (
    *("outcome", "predicted", "expected", "baseline", "contribution", "incremental", "incremental_roi"),
    *("prediction_interval", "share", "better", "wmape", "crps"),
)


def with_method(document: Document, result: ForecastResult) -> Document:
    """Return the document with its definitions."""
    return defined(document, *TERMS, confidence=result.data["confidence"], currency=result.currency)


def method(result: ForecastResult) -> tuple[str, ...]:
    """Return what model and what plan the numbers come from, and what their intervals say."""
    periods = formats.count(result.periods, result.granularity)
    model = result.model
    return (
        (
            f"A forecast continues a media mix model beyond its data, for {periods}, if a plan of spend is carried "
            "out. Nothing is fitted again: it is computed from the draws that the model’s run has kept. Season, "
            "weekdays, holidays, events and controls go on with the coefficients of each draw, media with what "
            "carries over from the last periods, and the trend wanders on as far as it does in that draw, so that "
            "uncertainty grows with time."
        ),
        *((how_sampled(model), experiments_used(model)) if model else ()),
        (
            "Controls and media without spend that the plan leaves open have the value of the same period a year "
            "before. What the plan adds is set against no spend at all in the same periods, what carries over behind "
            "the last of them included."
        ),
        (
            f"Numbers are medians with central {result.data['confidence']}% intervals, and means where numbers have "
            "to add up. Predicted numbers have the noise of the outcome in them, expected ones have not. The "
            "interval of a total is narrower than the sum of those of its periods, as noise evens out."
        ),
    )
