"""Checks of a workspace's data. Pure: arrays in, findings out, no Django.

`examine` is the one entry. Every threshold is a constant of the module that uses it, and in docs/methods.md.
"""

from dataclasses import dataclass

from marketing.health.checks import amounts, coverage, crossing, journeys, tagging
from marketing.health.checks.coverage import DatasetCoverage
from marketing.health.checks.findings import Finding, Severity, gravest_first
from marketing.health.checks.observations import Observations
from marketing.health.checks.readiness import Need, Readiness, Status, readiness

__all__ = ["Examination", "Finding", "Need", "Observations", "Readiness", "Severity", "Status", "examine"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Examination:
    """What was found: findings, gravest first; each dataset's days by its code; and what each analysis lacks."""

    findings: list[Finding]
    coverage: dict[str, DatasetCoverage]
    readiness: list[Readiness]


def examine(seen: Observations) -> Examination:
    """Carry out every check."""
    covered = coverage.cover(seen)
    misspelt = list(tagging.spelling_of_channels(seen))
    found = [
        *coverage.late_data(seen, covered),
        *coverage.missing_days(seen, covered),
        *coverage.touches_after_last_conversion(seen, covered),
        *coverage.mixed_rhythm(seen, covered),
        *journeys.untouched_conversions(seen),
        *journeys.unassigned_touches(seen),
        *journeys.late_clocks(seen),
        *journeys.repeated_rows(seen),
        *amounts.unusual_amounts(seen),
        *amounts.outlying_orders(seen),
        *amounts.sales_without_value(seen),
        *amounts.amounts_disagree(seen),
        *tagging.missing_campaigns(seen),
        *misspelt,
        *tagging.spelling_of_sources(seen),
        *tagging.spelling_of_campaigns(seen),
        *tagging.ads_without_medium(seen),
        *crossing.spend_without_touches(seen),
        *crossing.touches_without_spend(seen, misspelt={finding.channel for finding in misspelt}),
        *crossing.left_out_of_media_mix(seen),
    ]
    return Examination(findings=gravest_first(found), coverage=covered, readiness=readiness(seen, covered, found))
