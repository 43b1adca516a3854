"""What is said of the days that a click in the gap calendar is about."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from marketing.health.checks import Finding, Status
from marketing.health.checks.coverage import CONVERSIONS, SPEND, WORDS
from marketing.health.report import LOW, Report, SeriesDays
from marketing.pages.health_calendar import gap_at
from marketing.periods import Period
from mmm_project import formats

OF_GAPS = ("missing_days", "series_stopped")


@dataclass(frozen=True, kw_only=True)
class ChosenGap:
    """The days that a click in the calendar is about: what is missing, what it means, and what to do."""

    title: str
    sentence: str
    advice: str
    consequences: Sequence[tuple[str, str]]
    close_url: str
    is_gap: bool


def explain_gap(report: Report, one: SeriesDays, day: dt.date, *, close_url: str) -> ChosenGap:
    """Say what of a series is missing on a day and those beside it, or that nothing is."""
    found = gap_at(report, one, day)
    if found is None:
        return ChosenGap(
            title=f"{one.name}, {day:%-d %b %Y}",
            sentence=f"Nothing is missing from the {WORDS[one.dataset]} of {one.name} on this day.",
            advice="",
            consequences=(),
            close_url=close_url,
            is_gap=False,
        )
    days, state = found
    return ChosenGap(
        title=f"{one.name}, {days.label}",
        sentence=_what_is_missing(one, days, state),
        advice=_advice(report.findings, one, days),
        consequences=_consequences(report, one),
        close_url=close_url,
        is_gap=True,
    )


def _what_is_missing(one: SeriesDays, days: Period, state: str) -> str:
    length = formats.count(days.days, "day")
    if state == LOW:
        less = "less" if one.dataset == SPEND else "fewer"
        return f"{one.name} has far {less} {WORDS[one.dataset]} than usual on {length}: {days.label}."
    what = WORDS[one.dataset] if one.dataset in (SPEND, CONVERSIONS) or one.is_channel else "value"
    return f"{one.name} has no {what} on {length}: {days.label}."


def _advice(findings: Sequence[Finding], one: SeriesDays, days: Period) -> str:
    """The advice of the finding about these days, of the series itself or of the whole dataset."""
    for finding in findings:
        is_about = finding.dataset == one.dataset and (finding.channel or finding.series) in ("", one.name)
        if is_about and finding.code in OF_GAPS and finding.concerns(days.start, days.end):
            return finding.advice
    return "See whether the export or the tag failed in part, and import these days again."


def _consequences(report: Report, one: SeriesDays) -> list[tuple[str, str]]:
    """What analyses lack because of the series, or of its whole dataset."""
    about = {(one.dataset, one.name), (one.dataset, "")}
    return [
        (readiness.label, need.sentence)
        for readiness in report.readiness
        for need in readiness.needs
        if need.status != Status.READY and about.intersection(need.about)
    ]
