"""A health report: what an examination found, in a form that can be kept and read without any arrays."""

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Self

import numpy as np

from marketing.health.checks import Examination, Finding, Observations, Readiness, Severity
from marketing.health.checks.coverage import DatasetCoverage, SeriesCoverage
from marketing.health.checks.findings import day_of
from marketing.health.checks.gaps import Coverage, sides_of

FORMAT = 2
# One letter for each day of a series: it has data; it lacks them; it has far less than usual; none are expected.
OK, MISSING, LOW, NONE = "o", "m", "l", "n"
_RUN = re.compile(r"(\d+)([omln])")


@dataclass(frozen=True, kw_only=True)
class DatasetDays:
    """A dataset as a whole: its rhythm, its first and last day (None while it is empty), and how many days are missing.

    `missing`: days that any of its series lacks.
    """

    dataset: str
    cadence: str
    first_day: dt.date | None
    last_day: dt.date | None
    missing: int


@dataclass(frozen=True, kw_only=True)
class SeriesDays:
    """A channel's spend or touches, a goal, an outcome or a control: a letter for each day of the report."""

    dataset: str
    name: str
    is_channel: bool
    cadence: str
    states: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found in the data from `first_day` to `last_day`. `seen`: how much there was, by what it is."""

    first_day: dt.date
    last_day: dt.date
    findings: Sequence[Finding]
    readiness: Sequence[Readiness]
    datasets: Sequence[DatasetDays]
    series: Sequence[SeriesDays]
    seen: Mapping[str, int]

    @classmethod
    def of(cls, seen: Observations, examined: Examination) -> Self:
        """Write up an examination."""
        return cls(
            first_day=day_of(seen.first_day),
            last_day=day_of(seen.yesterday),
            findings=examined.findings,
            readiness=examined.readiness,
            datasets=[_dataset(seen, covered) for covered in examined.coverage.values()],
            series=[_series(covered, one) for covered in examined.coverage.values() for one in covered.series],
            seen={
                "days": seen.days,
                "channels": len({*seen.touched_channels, *seen.spent_channels}),
                "touches": int(seen.touches.count.sum()),
                "conversions": len(seen.conversions.day),
            },
        )

    def concerning(self, datasets: Collection[str], start: dt.date, end: dt.date) -> list[Finding]:
        """The problems and warnings in these datasets on any of the days from `start` to `end`, gravest first."""
        return [
            finding
            for finding in self.findings
            if finding.dataset in datasets and finding.severity != Severity.NOTE and finding.concerns(start, end)
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "findings": [finding.to_json() for finding in self.findings],
            "readiness": [readiness.to_json() for readiness in self.readiness],
            "datasets": [
                asdict(one)
                | {"first_day": one.first_day and one.first_day.isoformat()}
                | {"last_day": one.last_day and one.last_day.isoformat()}
                for one in self.datasets
            ],
            "series": [asdict(one) | {"states": _packed(one.states)} for one in self.series],
            "seen": dict(self.seen),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self | None:
        """Read a kept report; None for an empty one, and for one of another format."""
        if data.get("format") != FORMAT:
            return None
        return cls(
            first_day=dt.date.fromisoformat(data["first_day"]),
            last_day=dt.date.fromisoformat(data["last_day"]),
            findings=[Finding.from_json(finding) for finding in data["findings"]],
            readiness=[Readiness.from_json(readiness) for readiness in data["readiness"]],
            datasets=[DatasetDays(**{**one, **_days(one)}) for one in data["datasets"]],
            series=[SeriesDays(**{**one, "states": _unpacked(one["states"])}) for one in data["series"]],
            seen=data["seen"],
        )


def _days(data: Mapping[str, Any]) -> dict[str, dt.date | None]:
    return {name: data[name] and dt.date.fromisoformat(data[name]) for name in ("first_day", "last_day")}


def _packed(states: str) -> str:
    """Runs of letters with their lengths: "ooom" is "3o1m"."""
    return "".join(f"{len(list(run))}{letter}" for letter, run in groupby(states))


def _unpacked(packed: str) -> str:
    return "".join(letter * int(length) for length, letter in _RUN.findall(packed))


def _dataset(seen: Observations, covered: DatasetCoverage) -> DatasetDays:
    first, last = covered.whole.first, covered.whole.last
    missing = covered.whole.missing
    for one in covered.series:
        missing = missing | one.coverage.missing
    return DatasetDays(
        dataset=covered.dataset,
        cadence=covered.whole.cadence.value,
        first_day=None if first is None else day_of(seen.first_day + first),
        last_day=None if last is None else day_of(seen.first_day + last),
        missing=int(missing.sum()),
    )


def _series(covered: DatasetCoverage, one: SeriesCoverage) -> SeriesDays:
    return SeriesDays(
        dataset=one.dataset,
        name=one.name,
        is_channel=one.channel is not None,
        cadence=one.coverage.cadence.value,
        states="".join(_states(covered, one.coverage)),
    )


def _states(covered: DatasetCoverage, coverage: Coverage) -> Iterator[str]:
    letters = np.full(len(coverage.present), NONE)
    letters[coverage.covered] = OK
    letters[coverage.low] = LOW
    for hole in covered.whole.holes:  # a small series lacks the days, too, though chance might have left it none
        if not hole.at_end and all(side.any() for side in sides_of(coverage.present, hole)):
            letters[hole.first : hole.last + 1] = MISSING
    letters[coverage.missing] = MISSING
    yield from letters.tolist()
