"""A media mix result as one table in full precision."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyses.models import Run
    from mmm_project.tables import Cell

BASELINE, EXPECTED = "(baseline)", "(expected)"
# Medians, each with the ends of its interval.
MEASURES = (
    *("roi", "mroi", "incremental_per_spend", "marginal_per_spend", "incremental", "carry_over", "carry_in"),
    *("contribution", "contribution_share", "efficiency", "cpik", "effectiveness", "prior"),
)
WITHOUT_EXPERIMENTS = "incremental_per_spend_without_experiments"
RECOMMENDED, ADDED = "spend_recommended", "incremental_by_recommendation"
MEANS = ("contribution", "contribution_share")  # as these are what add up


def rows(run: "Run") -> "Iterator[Sequence[Cell]]":
    """Yield the header, a row for each channel, and the baseline and the expected outcome."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    result = run.result
    without = {test["channel"]: test["before"] for test in result.get("experiments", ()) if test["before"]}
    yield (
        *("channel", "kind", "exposure_unit", "spend", "exposure"),
        *(f"{measure}{end}" for measure in MEASURES for end in ("", "_low", "_high")),
        *(f"{measure}_mean" for measure in MEANS),
        *(f"{WITHOUT_EXPERIMENTS}{end}" for end in ("", "_low", "_high")),
        RECOMMENDED,
        *(f"{ADDED}{end}" for end in ("", "_low", "_high")),
    )
    budget = result.get("budget") or {"channels": ()}
    recommended = {each["channel"]: each for each in budget["channels"]}
    for channel in result["channels"]:
        before = without.get(channel["channel"], {}).get("incremental_per_spend")
        plan = recommended.get(channel["channel"], {})
        yield _row(
            {
                **channel,
                WITHOUT_EXPERIMENTS: before,
                RECOMMENDED: plan.get("spend_recommended"),
                ADDED: plan.get("difference"),
            }
        )
    baseline = result["baseline"]
    yield _row({"channel": BASELINE, "contribution": baseline["outcome"], "contribution_share": baseline["share"]})
    yield _row(
        {
            "channel": EXPECTED,
            "contribution": result["expected"],
            RECOMMENDED: budget.get("spend_recommended"),
            ADDED: budget.get("gain"),
        }
    )


def _row(channel: Mapping[str, Any]) -> "Sequence[Cell]":
    return (
        *(channel.get(name) or "" for name in ("channel", "kind", "exposure_unit")),
        *(channel.get(name) for name in ("spend", "exposure")),
        *((channel.get(measure) or {}).get(end) for measure in MEASURES for end in ("median", "low", "high")),
        *((channel.get(measure) or {}).get("mean") for measure in MEANS),
        *((channel.get(WITHOUT_EXPERIMENTS) or {}).get(end) for end in ("median", "low", "high")),
        channel.get(RECOMMENDED),
        *((channel.get(ADDED) or {}).get(end) for end in ("median", "low", "high")),
    )
