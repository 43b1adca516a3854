"""Whether a fitted model deserves to be believed: each check has a value, a verdict and a sentence on what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc

from marketing.frames import MediaPanel
from weightings.methods.experiments.lifts import AGREEMENT_FAIL, AGREEMENT_REVIEW
from weightings.methods.posterior import Fitted, blocks_of
from weightings.methods.quantities import Quantities
from weightings.methods.sampling import Draws
from weightings.methods.scores import correlations, ks_distance, variance_inflation_factors

FloatArray: TypeAlias = npt.NDArray[np.float64]
Verdict: TypeAlias = Literal["good", "review", "fail"]

LARGEST_R_HAT, LEAST_ESS = 1.01, 400
DIVERGING_REVIEW, DIVERGING_FAIL = 0.0005, 0.01  # share of draws
NEGATIVE_REVIEW, NEGATIVE_FAIL = 0.2, 0.8
LEAST_P_VALUE = 0.05
SURELY_WRONG = 0.0001  # as probable, what is seen of the intervals of periods held back
R2_REVIEW, R2_FAIL = 0.7, 0.4
WMAPE_REVIEW, WMAPE_FAIL = 0.15, 0.3
LEAST_LEARNT = 0.1  # Kolmogorov-Smirnov distance of prior and posterior
VIF_REVIEW, VIF_FAIL = 5.0, 10.0
LARGEST_CORRELATION = 0.9
PERIODS_REVIEW, PERIODS_FAIL = 15.0, 8.0  # per medium
VARIATION_REVIEW, VARIATION_FAIL = 0.15, 0.05  # standard deviation over mean


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check. `subject`: the channel or the pair that it is about, "" for the model. `threshold`: of a good value.

    `value`: None where it cannot be computed. `advice`: what to do; for a good value, what it means.
    """

    check: str
    value: float | None
    threshold: float | None
    verdict: Verdict
    advice: str
    subject: str = ""


def worst(checks: Sequence[Check]) -> Verdict:
    """The verdict on the model: that of its worst check."""
    verdicts = {check.verdict for check in checks}
    return "fail" if "fail" in verdicts else "review" if "review" in verdicts else "good"


def sampling_checks(draws: Draws, names: Sequence[str]) -> Iterator[Check]:
    """Whether the draws are those of the posterior."""
    r_hat = draws.convergence.r_hat
    slowest = names[int(np.argmax(np.where(np.isfinite(r_hat), r_hat, np.inf)))]
    yield _at_most(
        "R-hat",
        float(np.max(r_hat)),
        LARGEST_R_HAT,
        1.05,
        good="The chains agree with each other.",
        bad=f"The chains do not agree, most of all on {slowest}. Ask for more draws; if that does not help, leave out "
        "channels that move together, or give narrower priors.",
    )
    ess = np.minimum(draws.convergence.bulk_ess, draws.convergence.tail_ess)
    yield _at_least(
        "Effective draws",
        float(np.min(ess)),
        LEAST_ESS,
        LEAST_ESS / 4,
        good="There are enough independent draws for every interval.",
        bad="There are too few independent draws for stable intervals. Ask for more draws.",
    )
    yield _at_most(
        "Divergences",
        float(draws.diverging.mean()),
        DIVERGING_REVIEW,
        DIVERGING_FAIL,
        good="The sampler met no region that it could not explore.",
        bad="The sampler met a region that it cannot explore, so intervals may be too narrow. Give narrower priors or "
        "choose the logistic curve.",
    )
    if any(draws.restarts):
        yield _at_most(
            "Stuck chains",
            float(len(draws.stuck)),
            0.0,
            1.0,
            good=f"{_count(sum(draws.restarts), 'chain')} got stuck while warming up and was begun anew, with success.",
            bad="A chain stays stuck away from the others, whatever its start. Another seed or narrower priors may "
            "help; do not use the result as it is.",
        )


def fit_checks(
    fitted: Fitted, observed: FloatArray, of_window: Quantities, *, r2: float, wmape: float, rng: np.random.Generator
) -> Iterator[Check]:
    """Whether the model describes the data. `observed`: (T,) outcome, NaN where not known."""
    negative = float(np.mean(of_window.baseline < 0))
    # An outcome that is itself no more than zero has a negative baseline whatever media do.
    if fitted.scale.bounds is None and np.nanmean(observed) > 0:
        yield _at_most(
            "Negative baseline",
            negative,
            NEGATIVE_REVIEW,
            NEGATIVE_FAIL,
            good="Without media there would be an outcome still, as there should.",
            bad="Media are credited with more than the whole outcome. Something that moves the outcome is missing: add "
            "controls, holidays or events, or expect less of media in the priors.",
        )
    yield _at_least(
        "R2",
        r2,
        R2_REVIEW,
        R2_FAIL,
        good="The model explains most of the ups and downs.",
        bad="Much of the ups and downs is unexplained. Add what else moves the outcome: prices, promotions, weather, "
        "holidays, events.",
    )
    yield _at_most(
        "wMAPE",
        wmape,
        WMAPE_REVIEW,
        WMAPE_FAIL,
        good="Fitted and observed outcome differ little.",
        bad="Fitted and observed outcome differ by much. Look at the periods with the largest residuals: is the data "
        "right, was there an event?",
    )
    persistent, extreme = _p_values(fitted, observed, rng)
    yield _p_value(
        "Residuals from period to period",
        persistent,
        good="Residuals come one by one, as the model takes them to.",
        bad="Residuals persist from one period to the next: something slow is missing, and intervals are too narrow. "
        "Add controls or give the trend more knots.",
    )
    yield _p_value(
        "Largest residual",
        extreme,
        good="No period is further off than chance would have it.",
        bad="A period is further off than chance would have it. Check its data, or add an event for it.",
    )


def media_checks(
    fitted: Fitted, panel: MediaPanel, prior: FloatArray | None, posterior: FloatArray | None
) -> Iterator[Check]:
    """Whether the data can tell the media apart. `prior`, `posterior`: (S, P) draws of the effects, None if unknown."""
    seen = fitted.amounts[..., fitted.lead :].swapaxes(-1, -2).reshape(-1, len(fitted.media))
    periods = float(len(seen) / len(fitted.media))
    yield _at_least(
        "Periods per medium",
        periods,
        PERIODS_REVIEW,
        PERIODS_FAIL,
        good="There are enough periods for so many media.",
        bad="There are few periods for so many media. Take a longer period or a finer granularity, or merge channels.",
    )
    inflation = variance_inflation_factors(seen)
    for place, name in enumerate(fitted.media):
        if inflation[place] > 0:  # neither NaN nor 0, as for one that is always the same: its variation speaks of that
            yield _at_most(
                "VIF",
                float(inflation[place]),
                VIF_REVIEW,
                VIF_FAIL,
                subject=name,
                good="It moves on its own, so its effect can be told from the others'.",
                bad="It moves together with other channels, so that their effects can hardly be told apart. Merge "
                "them, test one of them, or vary its spend.",
            )
        spread = float(seen[:, place].std() / seen[:, place].mean()) if seen[:, place].any() else 0.0
        yield _at_least(
            "Variation",
            spread,
            VARIATION_REVIEW,
            VARIATION_FAIL,
            subject=name,
            good="Its amounts vary, so that there is something to learn from.",
            bad="Its amounts hardly vary, so that its effect is mostly what the prior says. Vary its spend or test it.",
        )
        if prior is not None and posterior is not None:
            yield _at_least(
                "Learnt from the data",
                ks_distance(prior[:, place], posterior[:, place]),
                LEAST_LEARNT,
                0.0,
                subject=name,
                good="The data have moved the belief about it.",
                bad="The data say next to nothing about it: its result is what was believed beforehand. An experiment "
                "would say more.",
            )
        if place < len(panel.channels) and panel.exposure_units[place] != "spend":
            yield from _spend_without_units(panel, place)
    for first, second, value in _pairs_that_move_together(seen):
        yield Check(
            check="Correlation",
            subject=f"{fitted.media[first]} and {fitted.media[second]}",
            value=value,
            threshold=LARGEST_CORRELATION,
            verdict="review",
            advice="They move together: read their sum rather than each. Merge them, or test one of them.",
        )


def money_check() -> Check:
    """For spend that a usual return would make next to nothing, or more than all, of the outcome."""
    return Check(
        check="Currency",
        value=None,
        threshold=None,
        verdict="review",
        advice="Spend is out of all proportion to the outcome, as if they were not in one currency. Shares of the "
        "outcome were taken for likely beforehand instead of returns. Check the units, or say what return you expect.",
    )


def experiment_check(subject: str, tail_probability: float, *, has_learnt: bool) -> Check:
    """For an experiment that is used, and how probable its lift is by the other data.

    `has_learnt`: by a model that has learnt from the lift as well, as there is none that has not.
    """
    by = "the model, which has learnt from it," if has_learnt else "the model without experiments"
    return _at_least(
        "Agreement with an experiment",
        tail_probability,
        AGREEMENT_REVIEW,
        AGREEMENT_FAIL,
        subject=subject,
        good=f"What {by} says of its lift agrees with what was measured.",
        bad=f"What {by} says of its lift is far from what was measured. Check that the lift is in the outcome's unit, "
        "is of these days and this spend, and counts what it is said to; else look for what moves spend and outcome "
        "alike, and add it as a control.",
    )


def organic_check(names: Sequence[str]) -> Check:
    """For organic media that LightweightMMM's models have no place for."""
    return Check(
        check="Organic media left out",
        subject=", ".join(names),
        value=None,
        threshold=None,
        verdict="review",
        advice="LightweightMMM's models know media with spend only, so what these brought is in the baseline or with "
        "other channels. Choose the model “hill”, “delayed” or “logistic” to have them in.",
    )


def holdout_checks(
    *, covered: int, level: float, periods: int, wmape: float | None, naive_wmape: float | None
) -> Iterator[Check]:
    """Whether the model predicts periods that it has not seen. `naive_wmape`: of saying the same as a year before.

    `covered` of `periods` lay in intervals of this level. If they were right, as few would have a probability: of a
    binomial distribution, which errs on the side of alarm, as the predictions of one fold go wrong together.
    """
    as_few = float(bdtr(covered, periods, level))
    as_many = float(bdtrc(covered - 1, periods, level)) if covered else 1.0
    advice = "Predictions of periods that the model had not seen were as sure as they claimed."
    verdict: Verdict = "good"
    if as_few < LEAST_P_VALUE:
        verdict = "fail" if as_few < SURELY_WRONG else "review"
        advice = (
            "Predictions of periods that the model had not seen were too sure of themselves. Add what else moves the "
            "outcome, and read intervals as too narrow."
        )
    elif as_many < LEAST_P_VALUE:
        verdict = "review"
        advice = (
            "Predictions of periods that the model had not seen were less sure of themselves than they could be: read "
            "intervals as too wide."
        )
    yield Check(
        check="Coverage of periods held back", value=covered / periods, threshold=level, verdict=verdict, advice=advice
    )
    if wmape is not None:
        naive = naive_wmape or 0.0
        yield _at_most(
            "wMAPE of periods held back",
            wmape,
            max(WMAPE_REVIEW, naive),
            max(WMAPE_FAIL, 2 * naive),
            good="Periods that the model had not seen were predicted well.",
            bad="Periods that the model had not seen were predicted badly. Do not use it for a forecast; add controls "
            "or events that explain them.",
        )


def _p_values(fitted: Fitted, observed: FloatArray, rng: np.random.Generator) -> tuple[float, float]:
    """Posterior predictive p-values: of the residuals' correlation from period to period, and of the largest residual.

    Residuals of each draw against noise of the same draw: a realised discrepancy.
    Source: Gelman, Meng, Stern 1996, Statistica Sinica 6.
    """
    known = np.flatnonzero(np.isfinite(observed))
    predicted = fitted.baseline.copy()
    for block in blocks_of(len(predicted), 4 * fitted.amounts.size):
        predicted[block] += fitted.added(block, fitted.amounts).sum(axis=1)
    residual = (fitted.scale.scaled(observed)[known] - predicted[:, known]) / fitted.sigma[:, None]
    noise = rng.standard_normal(residual.shape)
    follows = np.flatnonzero(np.diff(known) == 1)
    persistence = [np.abs(_lagged_correlation(values, follows)) for values in (noise, residual)]
    extremes = [np.abs(values).max(axis=1) for values in (noise, residual)]
    return float(np.mean(persistence[0] >= persistence[1])), float(np.mean(extremes[0] >= extremes[1]))


def _lagged_correlation(values: FloatArray, follows: npt.NDArray[np.int64]) -> FloatArray:
    return np.asarray((values[:, follows] * values[:, follows + 1]).sum(axis=1) / (values**2).sum(axis=1))


def _spend_without_units(panel: MediaPanel, place: int) -> Iterator[Check]:
    without = (panel.spend[:, place] > 0) & (panel.exposure[:, place] == 0)
    if without.any():
        yield Check(
            check="Spend without media units",
            subject=panel.channels[place],
            value=float(without.mean()),
            threshold=0.0,
            verdict="review",
            advice=f"There are periods with spend and no {panel.exposure_units[place]}. Import what is missing, or "
            "model this channel by its spend.",
        )


def _pairs_that_move_together(seen: FloatArray) -> Iterator[tuple[int, int, float]]:
    found = correlations(seen)
    for first, second in zip(*np.triu_indices(len(found), 1), strict=True):
        if abs(found[first, second]) > LARGEST_CORRELATION:
            yield int(first), int(second), float(found[first, second])


def _at_most(check: str, value: float, review: float, fail: float, *, good: str, bad: str, subject: str = "") -> Check:
    verdict: Verdict = "good" if value <= review else "review" if value < fail else "fail"
    if np.isnan(value):
        verdict = "fail"
    return _checked(check, value, review, verdict, good, bad, subject)


def _at_least(check: str, value: float, review: float, fail: float, *, good: str, bad: str, subject: str = "") -> Check:
    verdict: Verdict = "good" if value >= review else "review" if value >= fail else "fail"
    if np.isnan(value):
        verdict = "fail"
    return _checked(check, value, review, verdict, good, bad, subject)


def _p_value(check: str, value: float, *, good: str, bad: str) -> Check:
    return _at_least(check, value, LEAST_P_VALUE, LEAST_P_VALUE, good=good, bad=bad)


def _checked(check: str, value: float, threshold: float, verdict: Verdict, good: str, bad: str, subject: str) -> Check:
    return Check(
        check=check,
        subject=subject,
        value=value if np.isfinite(value) else None,
        threshold=threshold,
        verdict=verdict,
        advice=good if verdict == "good" else bad,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
