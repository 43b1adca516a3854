"""How a media mix model came to its numbers, in paragraphs, and the terms that go with it: docs/methods.md in short."""

from collections.abc import Iterator

from analyses.definitions import defined
from analyses.documents import Document
from mmm_project import formats
from weightings.labels import EXPERIMENT_USES, MODEL_SENTENCES
from weightings.presentation.results import Result, listed

TERMS = (
    *("outcome", "incremental", "incremental_roi", "marginal_roi", "contribution", "baseline", "expected"),
    *("posterior_interval", "efficiency", "share", "curve", "carry_over", "saturation", "recommended", "gain"),
    *("better", "flighting", "worth_of_knowing", "stability", "predicted", "residual", "experiment", "r_hat"),
    *("effective_draws", "divergences", "r2", "wmape", "vif", "crps"),
)
# How an experiment came into a model, by what the result has for it.
ADJUSTED = "adjusted_prior"
ROUTE_WORDS = {"likelihood": EXPERIMENT_USES["likelihood"], "prior": EXPERIMENT_USES["prior"]}


def with_method(document: Document, result: Result, *, confidence: int | None = None) -> Document:
    """Return the document with its definitions."""
    level = result.data["confidence"] if confidence is None else confidence
    return defined(document, *TERMS, confidence=level, currency=result.currency)


def method(result: Result) -> tuple[str, ...]:
    """Return what data and what model the numbers come from, and what their intervals say."""
    return (*how_fitted(result), *_reported(result), intervals(result))


def how_fitted(result: Result) -> Iterator[str]:
    """Yield what the model has learnt from, and how."""
    learnt = result.data["estimation"]
    periods = formats.count(learnt["periods"], result.granularity)
    sentence = MODEL_SENTENCES.get(result.data["model"], "")
    yield (
        f"A media mix model explains {result.outcome} by {result.granularity} by what was spent or shown on each "
        "channel and by everything else that it knows to move it: trend, season, weekdays, holidays, events and "
        f"controls. It needs no customers and no paths. It has learnt from {periods}, {result.estimation.label}."
        f"{' ' + sentence if sentence else ''}"
    )
    yield experiments_used(result)
    yield how_sampled(result)


def experiments_used(result: Result) -> str:
    """Return which experiments the model has taken into account, and as what: what it did, not what was asked."""
    found = result.data.get("experiments") or ()
    by_route = {route: [test["channel"] for test in found if test["route"] == route] for route in ROUTE_WORDS}
    used = [
        f"{formats.count(len(channels), 'experiment')} of {listed(list(dict.fromkeys(channels)))} "
        f"{'was' if len(channels) == 1 else 'were'} used {_as_what(route, result)}"
        for route, channels in by_route.items()
        if channels
    ]
    rest = sum(test["route"] is None for test in found)
    if not used:
        there = f", though {formats.count(rest)} {'was' if rest == 1 else 'were'} there" if rest else ""
        return f"No experiment was used{there}."
    left = f"; {formats.count(rest)} more could not be used" if rest else ""
    return f"{'; '.join(used)}{left}."


def _as_what(route: str, result: Result) -> str:
    return EXPERIMENT_USES[ADJUSTED] if result.params.get("experiments") == ADJUSTED else ROUTE_WORDS[route]


def how_sampled(result: Result) -> str:
    """Return how the model's draws were made, and whether its chains agree."""
    found = result.data["diagnostics"]
    until = (
        "until the chains agree"
        if result.converged
        else "for as many draws as were allowed; the chains do not agree, so another fit would give other numbers"
    )
    return (
        f"The model was fitted by sampling its posterior (NUTS), {found['chains']} chains of "
        f"{formats.count(found['draws_per_chain'])} draws each, {until}. Beliefs beforehand matter where the data say "
        "little."
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
