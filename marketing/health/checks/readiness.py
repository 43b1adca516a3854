"""Which analyses the data are ready for, and what each still lacks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np

from marketing.day_labels import span_label
from marketing.health.checks.coverage import CONVERSIONS, OUTCOMES, SPEND, TOUCHPOINTS, WORDS, DatasetCoverage
from marketing.health.checks.findings import Finding, Severity, counted, day_of, listed
from marketing.health.checks.observations import Observations

WEEK = 7
NEEDED_WEEKS, WISHED_WEEKS = 52, 104
MOST_MISSING_WEEKS = 0.1  # share of the weeks of the media mix that may lack days
FEWEST_CONVERSIONS, WISHED_CONVERSIONS = 30, 300
FEWEST_PATHS, WISHED_PATHS = 30, 300
RECENT_DAYS = 90


class Status(StrEnum):
    """Whether an analysis can be run: with what there is, with reservations, or not yet."""

    READY = "ready"
    LIMITED = "limited"
    BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something that an analysis needs: whether it has it, in a sentence, and what to do if not.

    `about`: the dataset and the name of each series that it speaks of, "" for all of the dataset.
    """

    status: Status
    sentence: str
    advice: str = ""
    about: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """An analysis and its needs; its status is the worst of theirs."""

    code: str
    label: str
    needs: tuple[Need, ...]

    @property
    def status(self) -> Status:
        found = {need.status for need in self.needs}
        return next(status for status in (Status.BLOCKED, Status.LIMITED, Status.READY) if status in found)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "label": self.label, "needs": [asdict(need) for need in self.needs]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        needs = tuple(
            Need(**{**need, "status": Status(need["status"]), "about": tuple((d, s) for d, s in need["about"])})
            for need in data["needs"]
        )
        return cls(code=data["code"], label=data["label"], needs=needs)


def readiness(
    seen: Observations, covered: Mapping[str, DatasetCoverage], findings: Sequence[Finding]
) -> list[Readiness]:
    """Judge every analysis."""
    return [
        Readiness(
            code="attribution",
            label="Attribution",
            needs=(
                *_has(covered, (TOUCHPOINTS, CONVERSIONS)),
                *_conversions(seen),
                *_troubles(findings, ("untouched_conversions", "late_data"), (TOUCHPOINTS, CONVERSIONS)),
                *_outages(seen, findings),
            ),
        ),
        Readiness(
            code="media_mix",
            label="Media mix",
            needs=(
                *_has(covered, (SPEND, OUTCOMES)),
                *_weeks(covered, "The media mix"),
                *_whole_weeks(seen, covered, findings),
                *_troubles(findings, ("wrong_unit", "mixed_rhythm", "late_data"), (SPEND, OUTCOMES)),
            ),
        ),
        Readiness(
            code="cross_channel",
            label="Cross-channel",
            needs=(
                *_has(covered, (TOUCHPOINTS, CONVERSIONS)),
                *_channels(seen),
                *_long_paths(seen),
                *_troubles(findings, ("untouched_conversions",), (CONVERSIONS,)),
            ),
        ),
        Readiness(
            code="forecast",
            label="Forecast",
            needs=(
                *_has(covered, (SPEND, OUTCOMES)),
                *_weeks(covered, "A forecast"),
                *_troubles(findings, ("late_data", "missing_days"), (OUTCOMES,)),
            ),
        ),
    ]


def _has(covered: Mapping[str, DatasetCoverage], datasets: Sequence[str]) -> Iterator[Need]:
    for dataset in datasets:
        if covered[dataset].is_empty:
            yield Need(
                status=Status.BLOCKED,
                sentence=f"There {'is' if dataset == SPEND else 'are'} no {WORDS[dataset]} yet.",
                advice=f"Import {WORDS[dataset]}.",
            )


def _conversions(seen: Observations) -> Iterator[Need]:
    recent = int((seen.conversions.day > seen.yesterday - RECENT_DAYS).sum())
    ending = f"in the last {RECENT_DAYS} days"
    if not len(seen.conversions.day):
        return
    if recent < FEWEST_CONVERSIONS:
        yield Need(
            status=Status.LIMITED,
            sentence=f"There are {counted(recent, 'conversion')} {ending}; shares of so few say little.",
            advice="Choose a longer period, or import newer conversions.",
        )
    elif recent < WISHED_CONVERSIONS:
        yield Need(
            status=Status.READY,
            sentence=f"{counted(recent, 'conversion')} {ending}: enough, though small channels will be uncertain.",
        )
    else:
        yield Need(status=Status.READY, sentence=f"{counted(recent, 'conversion')} {ending}.")


def _channels(seen: Observations) -> Iterator[Need]:
    channels = int(seen.touches_by_channel.any(axis=1).sum())
    if channels == 1:
        yield Need(
            status=Status.BLOCKED,
            sentence="All touches come from one channel, so there is nothing to work together.",
            advice="Import the touches of other channels.",
        )


def _long_paths(seen: Observations) -> Iterator[Need]:
    if not len(seen.conversions.day) or not len(seen.touches.day):
        return
    paths = int(((seen.conversions.touches >= 2) & (seen.conversions.day > seen.yesterday - RECENT_DAYS)).sum())
    sentence = f"{counted(paths, 'conversion')} of the last {RECENT_DAYS} days had two touches or more"
    if paths >= WISHED_PATHS:
        yield Need(status=Status.READY, sentence=f"{sentence}.")
    else:
        yield Need(
            status=Status.BLOCKED if paths < FEWEST_PATHS else Status.LIMITED,
            sentence=f"{sentence}; pairs of channels need {WISHED_PATHS} or more to be told apart.",
            advice="Choose a longer period, or see whether touches of one customer come under several keys.",
        )


def _weeks_of(covered: Mapping[str, DatasetCoverage]) -> tuple[int, int]:
    """How many whole weeks both spend and outcomes span, and the position of the last day of them."""
    spend, outcomes = covered[SPEND].whole, covered[OUTCOMES].whole
    if spend.first is None or outcomes.first is None or spend.last is None or outcomes.last is None:
        return 0, 0
    first, last = max(spend.first, outcomes.first), min(spend.last, outcomes.last)
    return max((last - first + 1) // WEEK, 0), last


def _weeks_with(seen: Observations, holes: Sequence[Finding], weeks: int, last: int) -> int:
    """Of so many weeks up to position `last`: in how many lies a day of these findings."""
    lacking = np.zeros(seen.days, np.bool_)
    start = day_of(seen.first_day)
    for hole in holes:
        if hole.first_day and hole.last_day:
            lacking[(hole.first_day - start).days : (hole.last_day - start).days + 1] = True
    return int(lacking[last + 1 - weeks * WEEK : last + 1].reshape(weeks, WEEK).any(axis=1).sum())


def _weeks(covered: Mapping[str, DatasetCoverage], what: str) -> Iterator[Need]:
    if covered[SPEND].is_empty or covered[OUTCOMES].is_empty:
        return
    weeks, _ = _weeks_of(covered)
    if weeks >= WISHED_WEEKS:
        yield Need(status=Status.READY, sentence=f"Spend and outcomes of {counted(weeks, 'week')}.")
        return
    if weeks >= NEEDED_WEEKS:
        yield Need(
            status=Status.LIMITED,
            sentence=(
                f"Spend and outcomes span {counted(weeks, 'week')}. With {WISHED_WEEKS}, {what.lower()} can tell the "
                "time of year from media."
            ),
            advice="Import older weeks if you have them.",
        )
        return
    yield Need(
        status=Status.BLOCKED,
        sentence=f"{what} needs {NEEDED_WEEKS} weeks of spend and of an outcome; you have {weeks}.",
        advice=f"Import older weeks, or come back in {counted(NEEDED_WEEKS - weeks, 'week')}.",
    )


def _whole_weeks(
    seen: Observations, covered: Mapping[str, DatasetCoverage], findings: Sequence[Finding]
) -> Iterator[Need]:
    """What is missing in the weeks that there are: names the series and the days.

    A channel whose spend has stopped may have been switched off: that alone does not stand in the way.
    """
    weeks, last = _weeks_of(covered)
    holes = [
        finding
        for finding in findings
        if finding.code in ("missing_days", "series_stopped") and finding.dataset in (SPEND, OUTCOMES)
    ]
    lacking = _weeks_with(seen, holes, weeks, last)
    if not lacking:
        return
    missing = _weeks_with(seen, [hole for hole in holes if hole.code == "missing_days"], weeks, last)
    is_blocked = missing > MOST_MISSING_WEEKS * weeks
    yield Need(
        status=Status.BLOCKED if is_blocked else Status.LIMITED,
        sentence=(
            f"{lacking} of {counted(weeks, 'week')} {'lacks' if lacking == 1 else 'lack'} days: "
            f"{listed([_hole(hole) for hole in holes], most=3)}."
        ),
        about=tuple(_about(hole) for hole in holes),
        advice="Import these days, or such a week looks as if less was spent or sold than was.",
    )


def _outages(seen: Observations, findings: Sequence[Finding]) -> Iterator[Need]:
    """Days of the last ones on which nothing at all was recorded."""
    recent = day_of(seen.yesterday - RECENT_DAYS + 1), day_of(seen.yesterday)
    for finding in findings:
        is_whole = finding.code == "missing_days" and not finding.channel and not finding.series
        if is_whole and finding.dataset in (TOUCHPOINTS, CONVERSIONS) and finding.concerns(*recent):
            yield _reservation(finding)


def _hole(finding: Finding) -> str:
    whose = finding.channel or finding.series or ("spend" if finding.dataset == SPEND else "all outcomes")
    if finding.first_day is None or finding.last_day is None:
        return whose
    return f"{whose}, {span_label(finding.first_day, finding.last_day)}"


def _troubles(findings: Sequence[Finding], codes: Sequence[str], datasets: Sequence[str]) -> Iterator[Need]:
    """The findings that make an answer doubtful."""
    for finding in findings:
        if finding.code in codes and finding.dataset in datasets and finding.severity != Severity.NOTE:
            yield _reservation(finding)


def _reservation(finding: Finding) -> Need:
    return Need(status=Status.LIMITED, sentence=finding.sentence, advice=finding.advice, about=(_about(finding),))


def _about(finding: Finding) -> tuple[str, str]:
    return finding.dataset, finding.channel or finding.series
