"""What a media mix result says in sentences: the question, the finding, and what has to be said with the numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from babel import Locale

from analyses.age import stale_sentence
from analyses.asking import period_of
from mmm_project import formats
from weightings import expected_returns
from weightings.labels import EXPERIMENT_USES, EXPOSURES, LIFT_COUNTS, MODEL_LABELS
from weightings.params import EFFECTS, MEASURED_IN, NO_EXPERIMENTS, is_lightweight
from weightings.presentation.results import Result, listed

ROI_MEANING = (
    "ROI is incremental: what would be missing without the channel's spend in the period, in it and after it by "
    "carry-over, divided by that spend."
)
RETURN_MEANING = (
    "Incremental is what would be missing without the channel's spend in the period, in it and after it by carry-over."
)
ADDING_UP = (
    "Contributions and the baseline add up to the expected outcome. Incremental outcomes do not: they count what comes "
    "after the period, and leave out what spend from before it still brings."
)
OF_POINTS = "Numbers of this outcome are means over the period, in points: it does not add up over time."
LEFT_OUT = (
    ("leave_out_channels", "Channels left out", "channel"),
    ("leave_out_controls", "Controls left out", "control"),
    ("leave_out_experiments", "Experiments left out", "experiment"),
)
MEASURES = {"money": "in money", "share": "as a share or percentage", "number": "as a number"}


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Sales · Hill curve · by week · 1 Jan 2023 - 31 Dec 2025" (with an en dash)."""
    parts = [params["outcome"], MODEL_LABELS[params["model"]], f"by {params['granularity']}", period_of(params).label]
    if "by_geo" in params:
        parts.append("by geo")
    if EFFECTS in params:
        parts.append("with expected returns")
    parts += _left_out(params)
    if params.get("experiments") == NO_EXPERIMENTS:
        parts.append("without experiments")
    return " · ".join(parts)


def _left_out(params: Mapping[str, Any]) -> Iterator[str]:
    """What the question leaves out, by name if that is one thing."""
    for name, _label, noun in LEFT_OUT:
        if found := params.get(name, ()):
            yield f"without {found[0] if len(found) == 1 else formats.count(len(found), noun)}"


def settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the question as a list of settings."""
    bounds, effects = " to ".join(map(expected_returns.plain, params.get("bounds", ()))), params.get(EFFECTS, {})
    expected = (f"{channel} {_believed(believed)}" for channel, believed in effects.items())
    folds = params["folds"]
    use = NO_EXPERIMENTS if is_lightweight(params) else params.get("experiments", "auto")
    return [
        ("Outcome", f"{params['outcome']}, {MEASURES[params[MEASURED_IN]]}"),
        ("Period reported", period_of(params).label),
        ("Granularity", params["granularity"]),
        *((("Geos", "side by side"),) if "by_geo" in params else ()),
        ("Model", MODEL_LABELS[params["model"]]),
        ("Intervals", f"{params['confidence']}%"),
        ("Exposure", EXPOSURES[params.get("exposure", "auto")]),
        *((label, ", ".join(params[name])) for name, label, _noun in LEFT_OUT if name in params),
        ("Holidays", ", ".join(map(_country, params.get("holidays", ()))) or "none"),
        ("Expected returns", "; ".join(expected) or "the usual ones"),
        ("Experiments", EXPERIMENT_USES[use]),
        *((("Lifts count", LIFT_COUNTS[params.get("lifts", "all")]),) if use != NO_EXPERIMENTS else ()),
        *((("Bounds of the outcome", bounds),) if bounds else ()),
        ("Knots of the trend", str(params.get("knots", "by the length of the data"))),
        ("Periods held back", formats.count(folds, "time") if folds else "none"),
        ("Draws at most", f"{formats.count(params['draws'])} per chain, seed {params['seed']}"),
        *((("Short data", "allowed"),) if "short_allowed" in params else ()),
    ]


def _believed(believed: Mapping[str, float]) -> str:
    """An expected return as it may have been said: by a range alone where it is that, else by its median as well."""
    if interval := expected_returns.as_interval(believed):
        return f"{interval[0]:g}–{interval[1]:g} ({interval[2]}% sure)"
    return f"{believed['median']:g} ({believed['low']:g}–{believed['high']:g})"


def _country(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


def headline(result: Result) -> str:
    """Return the finding, or that there is none to be relied on."""
    if not result.converged:
        return "The model has not converged: do not use these numbers yet. Ask for more draws, or for a simpler model."
    if result.verdict == "fail":
        return f"{finding(result)}. But the model fails checks: see Model health before using this."
    return f"{finding(result)}."


def finding(result: Result) -> str:
    """Return which channel returned most, without a full stop."""
    ranked = result.by_return()
    if not ranked:
        return f"Media account for {_share(result)} of {result.outcome}"
    best = ranked[0]
    returned = result.returns(best[result.return_key]).with_interval
    brought = (
        f"{best['channel']} returned {returned} per {result.spend_words}"
        if result.is_money
        else f"{best['channel']} brought {returned} of {result.outcome} per {result.spend_words}"
    )
    if len(ranked) == 1:
        return f"{brought} spent"
    second = max(channel[result.return_key]["high"] for channel in ranked[1:])
    clearly = best[result.return_key]["low"] > second
    rank = f"the most of {len(ranked)} channels"
    return f"{brought} spent, {rank if clearly else f'{rank}, though intervals overlap'}"


def _share(result: Result) -> str:
    low, mean, high = media_share(result)
    return f"{formats.percent(mean)} ({formats.percent(low)}–{formats.percent(high)})"


def media_share(result: Result) -> tuple[float, float, float]:
    """Return which share of the expected outcome is owed to media: low, mean, high; what the baseline leaves."""
    share = result.data["baseline"]["share"]
    return 1 - share["high"], 1 - share["mean"], 1 - share["low"]


def notes(result: Result) -> Iterator[str]:
    """Yield what has to be said with the numbers, the gravest first."""
    if not result.converged:
        yield not_converged(result)
    if result.verdict == "fail":
        failed = list(dict.fromkeys(check["check"] for check in result.data["health"] if check["verdict"] == "fail"))
        yield f"This model fails {formats.count(len(failed), 'check')} ({listed(failed)}). Its numbers may mislead."
    if stale := stale_sentence(result.run):
        yield stale
    yield ROI_MEANING if result.is_money else RETURN_MEANING
    yield ADDING_UP
    if result.bounds is not None:
        yield OF_POINTS
    if result.estimation != result.period:
        yield (
            f"The model has learnt from {formats.count(result.data['estimation']['periods'], result.granularity)}, "
            f"{result.estimation.label}. What is reported is {result.period.label}."
        )
    yield from (remark["sentence"] for remark in result.data["remarks"])


def not_converged(result: Result) -> str:
    """Return what kept the model from converging."""
    found = result.data["diagnostics"]
    behind: Sequence[str] = found["not_converged"]
    some = f": {listed(list(behind[:3]))}{' and others' if len(behind) > 3 else ''}" if behind else ""
    return (
        f"After {formats.count(found['draws_per_chain'])} draws in each of {found['chains']} chains "
        f"{formats.count(len(behind), 'parameter')} had not converged{some}. Another run with another seed would "
        "give other numbers."
    )
