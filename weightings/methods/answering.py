"""A fitted model as an answer: JSON of full-precision numbers, and the arrays that it keeps."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods import health
from weightings.methods.adstock import periods_until
from weightings.methods.experiments.answers import Told, experiment_checks, experiments_json
from weightings.methods.fitting import CHECK_STREAM, stream
from weightings.methods.forecasting.backtest import held_back_json
from weightings.methods.geo.answers import geos_json
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.media_mix import EFFECT
from weightings.methods.planning.answers import Arrays, budget_json, pack_surface, worth_testing_json
from weightings.methods.planning.budget import recommend
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import GRID, surface_of
from weightings.methods.planning.testing_next import worth_testing
from weightings.methods.posterior import Posterior, blocks_of
from weightings.methods.priors import EffectPrior
from weightings.methods.quantities import MULTIPLIERS, Quantities, quantities, response_grid
from weightings.methods.sampling import Draws
from weightings.methods.series import Fitting, Series
from weightings.methods.summaries import LARGEST, bounds, rounded, spread_over, summary

FloatArray: TypeAlias = npt.NDArray[np.float64]

MONEY_DIGITS = 6  # as the database keeps it: sums of floats have more
CHECK_DRAWS = 500  # that posterior predictive checks look at
MOST_CURVE_NUMBERS, FEWEST_CURVE_DRAWS = 120_000_000, 200  # all draws for curves, unless that would take many seconds
MOST_SURFACE_NUMBERS = 240_000_000  # of the surface that plans are read from, which has more multipliers
EFFECT_SHARES = {"half": 0.5, "most": 0.9}  # of what a medium brings, of which it is said how soon it comes
HOLDOUT_LEVEL = 0.9  # of the intervals that periods held back are tried on
RECONCILED_WITHIN = 1e-9  # of the expected outcome


def quantities_of(fitting: Fitting) -> Quantities:
    """The quantities of the window that is reported."""
    panel, window = fitting.panel, fitting.window
    inside = slice(panel.history + window.start, panel.history + window.stop)
    organic = len(fitting.fitted.media) - len(panel.channels)
    spend = np.concatenate([panel.spend[inside].sum(axis=0), np.zeros(organic)])
    exposure = np.concatenate(
        [panel.exposure[inside].sum(axis=0), panel.organic_exposure[inside].sum(axis=0)[:organic]]
    )
    return quantities(fitting.fitted, window, spend=spend, exposure=exposure)


def answer(fitting: Fitting, found: Quantities, curves: FloatArray) -> dict[str, Any]:
    """The answer as JSON. `curves`: (S', P, M) of the response grid, in the window and behind it together."""
    series = Series.of(fitting)
    checks = _checks(fitting, found, series)
    return {
        "channels": [_channel(fitting, found, place) for place in range(len(fitting.fitted.media))],
        "baseline": {
            "outcome": summary(found.baseline, fitting.level),
            "share": summary(found.baseline_share, fitting.level),
        },
        "expected": summary(found.expected, fitting.level),
        "paid_media": _together(fitting, found.together()),
        "smaller_media": smaller_media(found, fitting.level),
        "observed": _observed(fitting),
        "reconciliation": _reconciliation(found),
        "diagnostics": _diagnostics(fitting.draws, fitting.names),
        "health": [asdict(check) for check in checks],
        "verdict": health.worst(checks),
        "fit": series.accuracy(fitting),
        "holdout": held_back_json(fitting.panel, fitting.folds, level=HOLDOUT_LEVEL),
        "prior_predictive": _prior_predictive(fitting),
        "experiments": _experiments(fitting, found),
        "geos": _geos(fitting),
        "series": series.as_json(fitting),
        "curves": _curves(found, curves, fitting.level),
    }


def curves_of(fitting: Fitting) -> FloatArray:
    """The response grid (S', P, M) of the window, from as many draws as can be computed in a few seconds."""
    fitted = fitting.fitted
    most = MOST_CURVE_NUMBERS // (fitted.amounts.size * len(MULTIPLIERS))
    some = fitted.take(spread_over(len(fitted.sigma), max(most, FEWEST_CURVE_DRAWS)))
    return np.asarray(response_grid(some, fitting.window, MULTIPLIERS).sum(axis=3))


def plans_of(fitting: Fitting, *, doubts: str = "") -> tuple[dict[str, Any], Arrays]:
    """What is recommended from the model, as JSON, and what other plans are computed from, as arrays.

    `budget`: by the usual wishes; None where no budget can be searched, for which `budget_problem` is the reason.
    `worth_testing`: by how much knowing each channel's response would improve it. Where there are `doubts` about the
    model, a sentence, nothing is recommended.
    """
    fitted, panel = fitting.fitted, fitting.panel
    inside = slice(panel.history + fitting.window.start, panel.history + fitting.window.stop)
    most = MOST_SURFACE_NUMBERS // (fitted.amounts.size * len(GRID))
    some = fitted.take(spread_over(len(fitted.sigma), max(most, FEWEST_CURVE_DRAWS)))
    nothing: dict[str, Any] = {"budget": None, "worth_testing": [], "stored": {"surface": None}}
    try:
        surface = surface_of(some, fitting.window, spend=panel.spend[inside].sum(axis=0))
        described, arrays = pack_surface(surface)
    except CannotBePlanned as problem:
        return nothing | {"budget_problem": str(problem)}, {}
    kept = {"stored": {"surface": described}}
    if doubts:
        return nothing | kept | {"budget_problem": doubts}, arrays
    try:
        budget = budget_json(recommend(surface), surface, fitting.level)
        tests = worth_testing_json(worth_testing(surface))
    except CannotBePlanned as problem:
        return nothing | kept | {"budget_problem": str(problem)}, arrays
    return kept | {"budget": budget, "budget_problem": "", "worth_testing": tests}, arrays


def _channel(fitting: Fitting, found: Quantities, place: int) -> dict[str, Any]:
    panel, name, level = fitting.panel, found.media[place], fitting.level
    paid = place < len(panel.channels)
    money = panel.is_money and panel.bounds is None
    units = panel.exposure_units if paid else panel.organic_units
    per_spend = {
        "roi": found.return_on_spend if money else None,
        "mroi": found.marginal_return if money else None,
        "incremental_per_spend": found.return_on_spend,
        "marginal_per_spend": found.marginal_return,
        "cpik": found.cost_per_incremental,
        "efficiency": found.efficiency,
    }
    measures = {
        "contribution_share": found.share,
        "contribution": found.contribution,
        "incremental": found.incremental,
        "carry_over": found.carry_over,
        "effectiveness": found.effectiveness,
    }
    described: dict[str, Any] = {
        "channel": name,
        "kind": "paid" if paid else "organic",
        "spend": round(float(found.spend[place]), MONEY_DIGITS) if paid else None,
        "exposure": float(found.exposure[place]),
        "exposure_unit": units[place if paid else place - len(panel.channels)],
        **{key: summary(values[:, place], level) for key, values in measures.items()},
    }
    described["carry_in"] = summary(found.carry_in[:, place], level) if panel.bounds is None else None
    for key, values in per_spend.items():
        described[key] = summary(values[:, place], level) if paid and values is not None else None
    if fitting.priors is not None:
        described["prior"] = _prior(fitting.priors[place], level)
    if isinstance(fitting.fitted, Posterior):
        described["parameters"] = {
            block: summary(fitting.fitted.parameters[block][:, place], level) for block in fitting.fitted.model.blocks
        }
        weights = fitting.fitted.model.carry_over(fitting.fitted.parameters)[:, place]
        described["carry_over_weights"] = weights.mean(axis=0).tolist()
        described["carry_over_by_lag"] = dict(
            zip(("low", "median", "high"), np.quantile(weights, bounds(level), axis=0).tolist(), strict=True)
        )
        described["effect_within"] = {
            name: summary(periods_until(weights, share), level) for name, share in EFFECT_SHARES.items()
        }
    return described


def _together(fitting: Fitting, found: Quantities) -> dict[str, Any]:
    """All media with spend as one. Its return is not the mean of theirs: it is what they added over what all cost."""
    money = fitting.panel.is_money and fitting.panel.bounds is None
    measures = {
        "incremental": found.incremental,
        "contribution": found.contribution,
        "contribution_share": found.share,
        "incremental_per_spend": found.return_on_spend,
        "marginal_per_spend": found.marginal_return,
        "roi": found.return_on_spend if money else None,
        "mroi": found.marginal_return if money else None,
    }
    return {
        "spend": round(float(found.spend[0]), MONEY_DIGITS),
        **{key: None if values is None else summary(values[:, 0], fitting.level) for key, values in measures.items()},
    }


def smaller_media(found: Quantities, level: float) -> dict[str, Any] | None:
    """What all media past the largest contributions have contributed together; None where there are no more."""
    means = found.contribution.mean(axis=0)
    largest_first = sorted(range(len(means)), key=lambda place: (-abs(means[place]), found.media[place]))
    smaller = largest_first[LARGEST:]
    if not smaller:
        return None
    return {
        "media": [found.media[place] for place in smaller],
        "contribution": summary(found.contribution[:, smaller].sum(axis=1), level),
        "contribution_share": summary(found.share[:, smaller].sum(axis=1), level),
    }


def _prior(effect: EffectPrior, level: float) -> dict[str, Any]:
    low, high = effect.prior.interval(level)
    return {"kind": effect.kind, "median": effect.prior.median, "low": low, "high": high}


def _observed(fitting: Fitting) -> dict[str, Any]:
    """The outcome of the window as it was: its sum, or mean where it has bounds; over the periods that are known."""
    inside = fitting.panel.outcome[fitting.window.start : fitting.window.stop]
    known = inside[np.isfinite(inside)]
    total = float(known.sum()) if fitting.panel.bounds is None else float(known.mean()) if len(known) else None
    return {"outcome": total, "periods": len(inside), "periods_known": len(known)}


def _reconciliation(found: Quantities) -> dict[str, Any]:
    """Whether baseline and contributions add up to the expected outcome, draw by draw; as a share of it."""
    difference = np.abs(found.baseline + found.contribution.sum(axis=1) - found.expected)
    largest = float(np.max(difference / np.maximum(np.abs(found.expected), np.finfo(float).tiny)))
    return {"ok": largest < RECONCILED_WITHIN, "largest_relative_difference": largest}


def _diagnostics(draws: Draws, names: Sequence[str]) -> dict[str, Any]:
    """Of the draws; numbers are None where they cannot be computed."""
    found = draws.convergence
    least = np.minimum(found.bulk_ess, found.tail_ess)
    behind = ~((found.r_hat <= health.LARGEST_R_HAT) & (least >= health.LEAST_ESS))
    chains, count, _size = draws.positions.shape
    max_rhat, min_ess, bulk, tail = rounded(
        np.array([found.r_hat.max(), least.min(), found.bulk_ess.min(), found.tail_ess.min()])
    )
    return {
        "max_rhat": max_rhat,
        "min_ess": min_ess,
        "min_bulk_ess": bulk,
        "min_tail_ess": tail,
        "divergences": int(draws.diverging.sum()),
        "converged": draws.converged,
        "not_converged": [name for name, is_behind in zip(names, behind, strict=True) if is_behind],
        "chains": chains,
        "draws_per_chain": count,
        "mean_steps": float(draws.steps.mean()),
        "restarts": list(draws.restarts),
        "stuck_chains": list(draws.stuck),
    }


def _checks(fitting: Fitting, found: Quantities, series: Series) -> list[health.Check]:
    fitted, panel = fitting.fitted, fitting.panel
    accuracy = series.accuracy(fitting)
    checks = list(health.sampling_checks(fitting.draws, fitting.names))
    checks += health.fit_checks(
        fitted.take(spread_over(len(fitted.sigma), CHECK_DRAWS)),
        panel.outcome,
        found,
        r2=accuracy["r2"] or 0.0,
        wmape=accuracy["wmape"] or 0.0,
        rng=stream(fitting.seed, CHECK_STREAM),
    )
    if isinstance(fitted, Posterior):
        before = fitting.before.posterior if fitting.before is not None else None
        checks += experiment_checks(fitting.readings, fitted, before)
    if fitting.money_doubted:
        checks.append(health.money_check())
    checks += health.media_checks(
        fitted,
        panel,
        fitting.prior.parameters[EFFECT] if fitting.prior is not None else None,
        fitted.parameters[EFFECT] if isinstance(fitted, Posterior) else None,
    )
    if fitting.panel.organic and not isinstance(fitted, Posterior):
        checks.append(health.organic_check(fitting.panel.organic))
    if (tried := held_back_json(fitting.panel, fitting.folds, level=HOLDOUT_LEVEL)) is not None:
        checks += health.holdout_checks(
            covered=round(tried["coverage"] * tried["periods"]),
            level=HOLDOUT_LEVEL,
            periods=tried["periods"],
            wmape=tried["wmape"],
            naive_wmape=tried["naive_wmape"],
        )
    return checks


def _experiments(fitting: Fitting, found: Quantities) -> list[dict[str, Any]]:
    """What was measured, and what the model says of it without and with all that was."""
    if not isinstance(fitting.fitted, Posterior):
        return []
    before = None
    if fitting.before is not None:
        without = fitting.before.posterior
        of_window = quantities_of(replace(fitting, fitted=without))
        before = Told(without, of_window, fitting.before.draws.converged)
    after = Told(fitting.fitted, found, fitting.draws.converged)
    return experiments_json(fitting.readings, after, before, fitting.level)


def _geos(fitting: Fitting) -> list[dict[str, Any]]:
    """What the model says of each geo; nothing of a national one."""
    if fitting.geos is None or not isinstance(fitting.fitted, GeoPosterior):
        return []
    return geos_json(fitting.fitted, fitting.geos, fitting.window, fitting.level)


def _prior_predictive(fitting: Fitting) -> dict[str, Any] | None:
    """What was taken for likely before: each medium's and all media's share of the outcome as it was observed."""
    prior, panel = fitting.prior, fitting.panel
    if prior is None or panel.bounds is not None:
        return None
    total = np.empty((len(prior.sigma), len(prior.media)))
    for block in blocks_of(len(total), 4 * prior.amounts.size):
        total[block] = prior.added(block, prior.amounts).sum(axis=2) * prior.scale.unit
    outcome = float(np.nanmean(panel.outcome)) * len(panel)
    return {
        "media_share": summary(total.sum(axis=1) / outcome, fitting.level),
        "shares": {name: summary(total[:, place] / outcome, fitting.level) for place, name in enumerate(prior.media)},
    }


def _curves(found: Quantities, curves: FloatArray, level: float) -> dict[str, Any]:
    low, median, high = np.quantile(curves, bounds(level), axis=0)
    return {
        "multipliers": MULTIPLIERS.tolist(),
        "channels": [
            {
                "channel": name,
                "spend": (MULTIPLIERS * found.spend[place]).tolist() if found.spend[place] > 0 else None,
                "median": median[place].tolist(),
                "mean": curves[:, place].mean(axis=0).tolist(),
                "low": low[place].tolist(),
                "high": high[place].tolist(),
            }
            for place, name in enumerate(found.media)
        ],
    }
