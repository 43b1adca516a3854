"""Finished weightings runs whose results are written by hand: two channels with spend, one without, twelve weeks.

`test_analysis.py` holds them against the answer of a real fit: they have the same keys.
"""

from typing import Any

from django.utils import timezone

from accounts.models import Workspace
from analyses.models import Run
from jobs.models import Job

FIRST_WEEK = 20_458  # 2026-01-05, days since 1970
WEEKS = 12
MULTIPLIERS = [round(0.1 * place, 1) for place in range(23)]
PARAMS: dict[str, Any] = {
    "outcome": "Sales",
    "measured_in": "money",
    "start": "2026-01-01",
    "end": "2026-03-31",
    "granularity": "week",
    "model": "hill",
    "confidence": 90,
    "folds": 1,
    "draws": 4000,
    "seed": 0,
}
NOTHING = dict.fromkeys(("median", "mean", "low", "high"))
# Name, spend, median return, and what the contribution is on average.
CHANNELS = (("Search", 1000.0, 2.0, 2200.0), ("TV", 4000.0, 0.5, 2100.0))
ORGANIC, ORGANIC_CONTRIBUTION, BASELINE = "Blog", 700.0, 15_000.0
EXPECTED = sum(contribution for *_, contribution in CHANNELS) + ORGANIC_CONTRIBUTION + BASELINE


def around(median: float, mean: float | None = None, *, reach: float = 0.3) -> dict[str, float | None]:
    """A summary whose interval reaches this share to both sides."""
    return {
        "median": median,
        "mean": median if mean is None else mean,
        "low": median - reach * abs(median),
        "high": median + reach * abs(median),
    }


def finished(
    workspace: Workspace,
    *,
    is_money: bool = True,
    bounds: list[float] | None = None,
    converged: bool = True,
    checks: list[dict[str, Any]] | None = None,
    result: dict[str, Any] | None = None,
    **params: Any,
) -> Run:
    """Return a finished run that is in no database. `result`: parts of it that are otherwise."""
    measured_in = "money" if is_money else "share" if bounds else "number"
    asked = PARAMS | {"measured_in": measured_in} | params
    return Run(
        workspace=workspace,
        job=Job(workspace=workspace, status=Job.Status.DONE),
        kind="weightings",
        method_version="1",
        data_version="d" * 64,
        trigger=Run.Trigger.CLI,
        params=asked,
        result=a_result(is_money=is_money, bounds=bounds, converged=converged, checks=checks) | (result or {}),
        created_at=timezone.now(),
    )


def a_result(
    *,
    is_money: bool = True,
    bounds: list[float] | None = None,
    converged: bool = True,
    checks: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    of_money = is_money and bounds is None
    health = [a_check("R-hat", 1.004 if converged else 1.2, 1.01, "good" if converged else "fail"), *(checks or [])]
    verdicts = [check["verdict"] for check in health]
    return {
        "format": 1,
        "model": "hill",
        "outcome": {
            "name": "Sales",
            "kind": "sales",
            "is_money": is_money,
            "bounds": bounds,
            "unit": "EUR" if is_money else "",
        },
        "granularity": "week",
        "period": {"start": "2026-01-05", "end": "2026-03-29", "periods": WEEKS, "first": 0},
        "estimation": {"start": "2026-01-05", "end": "2026-03-29", "periods": WEEKS, "history": 0},
        "confidence": 90,
        "remarks": [{"code": "short", "sentence": "“Sales” is known for 12 whole weeks.", "names": ["Sales"]}],
        "channels": [*(_channel(*channel, of_money=of_money) for channel in CHANNELS), _organic(of_money=of_money)],
        "baseline": {"outcome": around(BASELINE), "share": around(BASELINE / EXPECTED, reach=0.1)},
        "expected": around(EXPECTED, reach=0.05),
        "paid_media": _paid_media(of_money=of_money),
        "smaller_media": None,
        "observed": {"outcome": 19_950.0, "periods": WEEKS, "periods_known": WEEKS},
        "reconciliation": {"ok": True, "largest_relative_difference": 0.0},
        "diagnostics": {
            "max_rhat": health[0]["value"],
            "min_ess": 800.0,
            "min_bulk_ess": 900.0,
            "min_tail_ess": 800.0,
            "divergences": 0,
            "converged": converged,
            "not_converged": [] if converged else ["retention of TV"],
            "chains": 4,
            "draws_per_chain": 500,
            "mean_steps": 15.0,
            "restarts": [0, 0, 0, 0],
            "stuck_chains": [],
        },
        "health": health,
        "verdict": "fail" if "fail" in verdicts else "review" if "review" in verdicts else "good",
        "fit": {"r2": 0.9, "wmape": 0.05, "mae": 80.0, "rmse": 100.0, "coverage": 0.9},
        "holdout": _holdout(),
        "experiments": [],
        "geos": [],
        "prior_predictive": {"media_share": around(0.25), "shares": {"Search": around(0.1), "TV": around(0.1)}},
        "series": _series(),
        "curves": _curves(),
        "since_previous": None,
        "stored": {
            "posterior": None,
            "quantities": {"window": [0, WEEKS], "media": [*(name for name, *_ in CHANNELS), ORGANIC]},
            "panel": {"channels": [name for name, *_ in CHANNELS]},
            "surface": None,
        },
        "budget": _budget() if of_money and converged and "fail" not in verdicts else None,
        "budget_problem": "" if of_money and converged and "fail" not in verdicts else "No budget is recommended.",
        "worth_testing": _worth_testing() if of_money and converged and "fail" not in verdicts else [],
        "timings": {"compile_seconds": 6.0, "sampling_seconds": 4.0, "total_seconds": 12.0},
    }


def _budget() -> dict[str, Any]:
    """300 of TV's spend on Search."""
    moved = {"Search": 300.0, "TV": -300.0}
    total = sum(spend for _name, spend, *_ in CHANNELS)
    added = sum(spend * returned for _name, spend, returned, _contribution in CHANNELS)
    return {
        "goal": {"kind": "total", "spend": total},
        "objective": {"name": "mean", "share": 0.1},
        "spend_current": total,
        "spend_recommended": total,
        "outcome_current": around(EXPECTED, reach=0.05),
        "outcome_recommended": around(EXPECTED + 320, reach=0.05),
        "added_current": around(added),
        "added_recommended": around(added + 320),
        "gain": around(320.0, reach=1.5),
        "probability_better": 0.91,
        "channels": [
            {
                "channel": name,
                "spend_current": spend,
                "spend_recommended": spend + moved[name],
                "low": 0.7 * spend,
                "high": 1.3 * spend,
                "bound": "high" if name == "Search" else None,
                "extrapolated": name == "Search",
                "added_current": around(returned * spend),
                "added_recommended": around(returned * (spend + 0.9 * moved[name])),
                "difference": around(0.9 * returned * moved[name]),
                "marginal_current": around(0.8 * returned),
                "marginal_recommended": around(0.7 * returned),
                "per_spend_recommended": around(0.95 * returned),
            }
            for name, spend, returned, _contribution in CHANNELS
        ],
    }


def _worth_testing() -> list[dict[str, Any]]:
    tests = {"TV": (120.0, 3700.0, 2800.0, 5000.0, 400.0), "Search": (20.0, 1300.0, 900.0, 1300.0, 60.0)}
    keys = ("value", "spend", "spend_low", "spend_high", "moves")
    return [{"channel": name, **dict(zip(keys, numbers, strict=True))} for name, numbers in tests.items()]


def a_check(
    check: str, value: float | None, threshold: float | None, verdict: str, subject: str = ""
) -> dict[str, Any]:
    advice = "All is well." if verdict == "good" else f"Do something about {check}."
    return {
        "check": check,
        "subject": subject,
        "value": value,
        "threshold": threshold,
        "verdict": verdict,
        "advice": advice,
    }


def _channel(name: str, spend: float, returned: float, contribution: float, *, of_money: bool) -> dict[str, Any]:
    return {
        "channel": name,
        "kind": "paid",
        "spend": spend,
        "exposure": 50 * spend,
        "exposure_unit": "impressions",
        "contribution_share": around(contribution / EXPECTED),
        "contribution": around(contribution),
        "incremental": around(returned * spend),
        "carry_over": around(100.0),
        "carry_in": around(50.0),
        "effectiveness": around(returned / 50),
        "roi": around(returned) if of_money else None,
        "mroi": around(0.8 * returned) if of_money else None,
        "incremental_per_spend": around(returned),
        "marginal_per_spend": around(0.8 * returned),
        "cpik": around(1 / returned),
        "efficiency": around(100 * returned),
        "prior": {"kind": "roi" if of_money else "contribution", "median": 1.2, "low": 0.3, "high": 5.4},
        "parameters": {"effect": around(returned), "retention": around(0.5)},
        "carry_over_weights": [0.6, 0.4],
        "carry_over_by_lag": {"low": [0.5, 0.3], "median": [0.61, 0.39], "high": [0.7, 0.5]},
        "effect_within": {"half": around(1.0, reach=0.0), "most": around(2.0, reach=0.0)},
    }


def _paid_media(*, of_money: bool) -> dict[str, Any]:
    spend = sum(channel[1] for channel in CHANNELS)
    incremental = sum(channel[1] * channel[2] for channel in CHANNELS)
    contribution = sum(channel[3] for channel in CHANNELS)
    returned = incremental / spend
    return {
        "spend": spend,
        "incremental": around(incremental),
        "contribution": around(contribution),
        "contribution_share": around(contribution / EXPECTED),
        "incremental_per_spend": around(returned),
        "marginal_per_spend": around(0.8 * returned),
        "roi": around(returned) if of_money else None,
        "mroi": around(0.8 * returned) if of_money else None,
    }


def _organic(*, of_money: bool) -> dict[str, Any]:
    whole = _channel(ORGANIC, 1.0, 1.0, ORGANIC_CONTRIBUTION, of_money=of_money)
    per_spend = ("roi", "mroi", "incremental_per_spend", "marginal_per_spend", "cpik", "efficiency")
    prior = {"kind": "contribution", "median": 0.03, "low": 0.01, "high": 0.1}
    return (
        whole | dict.fromkeys(per_spend) | {"kind": "organic", "spend": None, "exposure_unit": "clicks", "prior": prior}
    )


def _holdout() -> dict[str, Any]:
    tried = {"wmape": 0.1, "crps": 90.0, "coverage": 0.75}
    return {
        "folds": [{"origin": WEEKS - 4, "periods": 4, "converged": True, **tried}],
        "periods": 4,
        "level": 90.0,
        "naive_wmape": 0.2,
        **tried,
        "by_steps": [
            {"ahead": ahead, "periods": 1, **tried, "naive_wmape": 0.2, "naive_crps": 180.0, "skill": 0.5}
            for ahead in range(1, 5)
        ],
    }


def _series() -> dict[str, Any]:
    """Each week has a twelfth of everything; the sixth was not observed."""
    expected = EXPECTED / WEEKS
    observed: list[float | None] = [expected + (50 if place % 2 else -50) for place in range(WEEKS)]
    observed[5] = None
    contributions = {name: contribution for name, _spend, _return, contribution in CHANNELS}
    contributions[ORGANIC] = ORGANIC_CONTRIBUTION
    return {
        "period_start": [FIRST_WEEK + 7 * place for place in range(WEEKS)],
        "observed": observed,
        "expected": {"mean": [expected] * WEEKS, "low": [expected - 40] * WEEKS, "high": [expected + 40] * WEEKS},
        "predicted": {"low": [expected - 100] * WEEKS, "high": [expected + 100] * WEEKS},
        "baseline": [BASELINE / WEEKS] * WEEKS,
        "baseline_parts": {"intercept": [1000.0] * WEEKS, "trend": [100.0 + place for place in range(WEEKS)]},
        "channels": [
            {
                "channel": name,
                "mean": [contribution / WEEKS] * WEEKS,
                "low": [0.5 * contribution / WEEKS] * WEEKS,
                "high": [2 * contribution / WEEKS] * WEEKS,
            }
            for name, contribution in contributions.items()
        ],
    }


def _curves() -> dict[str, Any]:
    def curve(name: str, spend: float | None, now: float) -> dict[str, Any]:
        responses = [now * multiplier**0.5 for multiplier in MULTIPLIERS]
        return {
            "channel": name,
            "spend": None if spend is None else [multiplier * spend for multiplier in MULTIPLIERS],
            "median": responses,
            "mean": responses,
            "low": [0.7 * response for response in responses],
            "high": [1.3 * response for response in responses],
        }

    return {
        "multipliers": MULTIPLIERS,
        "channels": [
            *(curve(name, spend, returned * spend) for name, spend, returned, _contribution in CHANNELS),
            curve(ORGANIC, None, 100.0),
        ],
    }
