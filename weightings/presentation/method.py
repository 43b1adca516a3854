"""How a media mix model came to its numbers, in paragraphs, and the terms that go with it: docs/methods.md in short."""

from collections.abc import Iterator

from analyses.definitions import defined
from analyses.documents import Document
from mmm_project import formats
from weightings.labels import EXPERIMENT_USES, LIGHTWEIGHT, MODEL_SENTENCES
from weightings.presentation.results import Result

TERMS = (
    *("outcome", "incremental", "incremental_roi", "marginal_roi", "contribution", "baseline", "expected"),
    *("posterior_interval", "efficiency", "share", "curve", "carry_over", "saturation", "recommended", "gain"),
    *("better", "flighting", "worth_of_knowing", "stability", "predicted", "residual", "experiment", "r_hat"),
    *("effective_draws", "divergences", "r2", "wmape", "vif", "crps"),
)


def with_method(document: Document, result: Result, *, confidence: int | None = None) -> Document:
    """Return the document with its definitions."""
    level = result.data["confidence"] if confidence is None else confidence
    return defined(document, *TERMS, confidence=level, currency=result.currency)


def method(result: Result) -> tuple[str, ...]:
    """Return what data and what model the numbers come from, and what their intervals say."""
    return (*how_fitted(result), *_reported(result), intervals(result))


def how_fitted(result: Result) -> Iterator[str]:
    """Yield what the model has learnt from, and how."""
    learnt, found = result.data["estimation"], result.data["diagnostics"]
    periods = formats.count(learnt["periods"], result.granularity)
    sentence = MODEL_SENTENCES.get(result.data["model"], "")
    yield (
        f"A media mix model explains {result.outcome} by {result.granularity} by what was spent or shown on each "
        "channel and by everything else that it knows to move it: trend, season, weekdays, holidays, events and "
        f"controls. It needs no customers and no paths. It has learnt from {periods}, {result.estimation.label}."
        f"{' ' + sentence if sentence else ''}"
    )
    use = result.params.get("experiments", "auto")
    if not result.data["model"].startswith(LIGHTWEIGHT):
        yield f"Experiments were taken into account as follows: {EXPERIMENT_USES[use]}."
    yield (
        f"The model was fitted by sampling its posterior (NUTS), {found['chains']} chains of "
        f"{formats.count(found['draws_per_chain'])} draws each, until the chains agree. Beliefs beforehand matter "
        "where the data say little."
    )


def _reported(result: Result) -> Iterator[str]:
    yield (
        f"What is reported is {result.period.label}. Incremental numbers count what would be missing in this period "
        "and after it, had the channel been zero in it; contributions count what of the period’s outcome is owed to a "
        "channel, whenever its money was spent, and add up with the baseline to the expected outcome."
    )


def intervals(result: Result) -> str:
    """Return what the intervals say."""
    return (
        f"Numbers are computed from each draw of the posterior and then summarised: medians with central "
        f"{result.interval_words}s, and means where numbers have to add up. An interval holds the number with that "
        "probability, given the data, the model and the beliefs beforehand; a model that leaves something out can be "
        "surely wrong."
    )
