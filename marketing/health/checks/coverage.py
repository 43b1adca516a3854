"""Which days each dataset and each of its series has, lacks, or is not expected to have."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from marketing.frames import BoolColumn
from marketing.health.checks.findings import Finding, Severity, counted, day_of, listed, quoted, span, whose
from marketing.health.checks.gaps import Cadence, Coverage, Hole, coverage_by_count, coverage_by_rows
from marketing.health.checks.observations import Observations, SeriesSeen

TOUCHPOINTS, CONVERSIONS, SPEND, OUTCOMES, CONTROLS = "touchpoints", "conversions", "spend", "outcomes", "controls"
WORDS = {
    TOUCHPOINTS: "touches",
    CONVERSIONS: "conversions",
    SPEND: "spend",
    OUTCOMES: "outcomes",
    CONTROLS: "controls",
}
# Days behind yesterday until somebody is told, by rhythm; weekly rows speak for the six days after theirs.
LATE_DAYS = {Cadence.DAILY: 3, Cadence.WEEKLY: 7, Cadence.RARE: 45}
VERY_LATE_DAYS = {Cadence.DAILY: 14, Cadence.WEEKLY: 28, Cadence.RARE: 120}
SHARED = 0.8  # of the series that have data around must lack the same days for a hole to be the whole dataset's
SPENT_SHARE = 0.1  # of the usual spend, below which no touches are expected


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesCoverage:
    """One series of a dataset: a channel's spend or touches (`channel`: its position), a goal, outcome or control."""

    dataset: str
    name: str
    channel: int | None
    coverage: Coverage


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetCoverage:
    """A dataset: that of all its series together, and each of them; only of series with any data."""

    dataset: str
    whole: Coverage
    series: tuple[SeriesCoverage, ...]

    @property
    def is_empty(self) -> bool:
        return self.whole.first is None


def cover(seen: Observations) -> dict[str, DatasetCoverage]:
    """Judge every dataset's days."""
    return {
        covered.dataset: covered
        for covered in (
            _touches(seen),
            _conversions(seen),
            _spend(seen),
            _series(seen, OUTCOMES, list(seen.outcomes)),
            _series(seen, CONTROLS, list(seen.controls)),
        )
    }


def _touches(seen: Observations) -> DatasetCoverage:
    table = seen.touches_by_channel
    spend = seen.spend_by_channel
    found = []
    for channel in seen.touched_channels:
        usual = np.nanmedian(spend[channel][spend[channel] > 0]) if np.any(spend[channel] > 0) else None
        # Only days of which spend is known can say that nothing was bought.
        expected = None if usual is None else ~(spend[channel] < SPENT_SHARE * usual)
        coverage = coverage_by_count(table[channel], expected=expected)
        found.append(_of_channel(seen, TOUCHPOINTS, channel, coverage))
    return DatasetCoverage(dataset=TOUCHPOINTS, whole=coverage_by_count(table.sum(axis=0)), series=tuple(found))


def _conversions(seen: Observations) -> DatasetCoverage:
    table = seen.conversions_by_goal
    found = [
        SeriesCoverage(
            dataset=CONVERSIONS, name=seen.goals[goal].name, channel=None, coverage=coverage_by_count(table[goal])
        )
        for goal in np.flatnonzero(table.any(axis=1)).tolist()
    ]
    return DatasetCoverage(dataset=CONVERSIONS, whole=coverage_by_count(table.sum(axis=0)), series=tuple(found))


def _spend(seen: Observations) -> DatasetCoverage:
    spend = seen.spend_by_channel
    present = np.isfinite(spend)
    any_channel = np.logical_or.reduce(present, axis=0) if present.size else _never(seen)
    whole = coverage_by_rows(any_channel)
    found = [
        _of_channel(seen, SPEND, channel, coverage_by_rows(present[channel], amount=spend[channel], until=whole.last))
        for channel in seen.spent_channels
    ]
    return DatasetCoverage(dataset=SPEND, whole=whole, series=tuple(found))


def _series(seen: Observations, dataset: str, named: list[SeriesSeen]) -> DatasetCoverage:
    present = [np.isfinite(seen.on_axis(series)) for series in named]
    whole = coverage_by_rows(np.any(present, axis=0) if present else _never(seen))
    found = [
        SeriesCoverage(
            dataset=dataset, name=series.name, channel=None, coverage=coverage_by_rows(days, until=whole.last)
        )
        for series, days in zip(named, present, strict=True)
        if days.any()
    ]
    return DatasetCoverage(dataset=dataset, whole=whole, series=tuple(found))


def _never(seen: Observations) -> BoolColumn:
    return np.zeros(seen.days, np.bool_)


def _of_channel(seen: Observations, dataset: str, channel: int, coverage: Coverage) -> SeriesCoverage:
    return SeriesCoverage(dataset=dataset, name=seen.channel_name(channel), channel=channel, coverage=coverage)


def missing_days(seen: Observations, covered: dict[str, DatasetCoverage]) -> Iterator[Finding]:
    """Yield each hole once: of the whole dataset where all lack the days, else of the series that does."""
    for dataset in covered.values():
        shared = [hole for hole in dataset.whole.holes if not hole.at_end]
        for hole in shared:
            yield _missing(seen, dataset.dataset, None, hole, dataset.whole.cadence)
        for series in dataset.series:
            for hole in series.coverage.holes:
                if not any(hole.first >= other.first and hole.last <= other.last for other in shared):
                    yield _missing(seen, dataset.dataset, series, hole, series.coverage.cadence)


def _missing(seen: Observations, dataset: str, series: SeriesCoverage | None, hole: Hole, cadence: Cadence) -> Finding:
    first, last = seen.first_day + hole.first, seen.first_day + hole.last
    length = counted(hole.days / 7, "week") if cadence == Cadence.WEEKLY else counted(hole.days, "day")
    what = "value" if dataset in (OUTCOMES, CONTROLS) and series else WORDS[dataset]
    if series is None:
        rest = seen.touches_by_channel[:, hole.first : hole.last + 1].sum() if dataset == TOUCHPOINTS else 0
        subject = f"There {'is' if dataset == SPEND else 'are'} {'almost no' if rest else 'no'} {what} at all"
    else:
        subject = f"{series.name if series.channel is not None else f'“{series.name}”'} has no {what}"
    if hole.at_end:
        sentence = f"{subject} since {span(first, first)}, while the rest goes on."
    else:
        sentence = f"{subject} on {length}: {span(first, last)}."
    is_channel = series is not None and series.channel is not None
    return Finding(
        code="series_stopped" if hole.at_end else "missing_days",
        severity=Severity.WARNING,
        dataset=dataset,
        channel=series.name if series and is_channel else "",
        series=series.name if series and not is_channel else "",
        first_day=day_of(first),
        last_day=day_of(last),
        count=hole.days,
        sentence=sentence,
        advice=_how_to_fill(dataset, at_end=hole.at_end),
    )


def _how_to_fill(dataset: str, *, at_end: bool) -> str:
    if at_end:
        return "If it was switched off, nothing is wrong. Otherwise export and import the days since then."
    if dataset == TOUCHPOINTS:
        return (
            "See whether the tag or the export failed on these days, and import what is left of them. Conversions "
            "just after them are credited to what was seen before."
        )
    if dataset == SPEND:
        return "Export these days again and import them. If nothing was spent, import them with 0, so that it shows."
    return "Export these days again and import them."


def late_data(seen: Observations, covered: dict[str, DatasetCoverage]) -> Iterator[Finding]:
    """Yield the datasets whose newest row is too long ago for their rhythm."""
    for dataset in covered.values():
        if dataset.whole.last is None:
            continue
        last = seen.first_day + dataset.whole.last
        behind = seen.yesterday - last
        if behind < LATE_DAYS[dataset.whole.cadence]:
            continue
        late = behind >= VERY_LATE_DAYS[dataset.whole.cadence]
        yield Finding(
            code="late_data",
            severity=Severity.PROBLEM if late else Severity.WARNING,
            dataset=dataset.dataset,
            first_day=day_of(last + 1),
            last_day=day_of(seen.yesterday),
            count=behind,
            sentence=(
                f"{WORDS[dataset.dataset].capitalize()} {_verb(dataset.dataset)} on {span(last, last)}: "
                f"{counted(behind, 'day')} up to yesterday {'is' if behind == 1 else 'are'} missing."
            ),
            advice="Import what has come in since. Until then, choose periods that end where the data do.",
        )


def _verb(dataset: str) -> str:
    return "ends" if dataset == SPEND else "end"


def touches_after_last_conversion(seen: Observations, covered: dict[str, DatasetCoverage]) -> Iterator[Finding]:
    """Yield a finding if touches go on for days after the last conversion: nobody can get credit for those days."""
    touched, converted = covered[TOUCHPOINTS].whole.last, covered[CONVERSIONS].whole.last
    if touched is None or converted is None or touched - converted < LATE_DAYS[Cadence.DAILY]:
        return
    if covered[CONVERSIONS].whole.cadence != Cadence.DAILY:
        return
    after = seen.touches_by_channel[:, converted + 1 :].sum()
    last = seen.first_day + converted
    yield Finding(
        code="touches_after_last_conversion",
        severity=Severity.WARNING,
        dataset=CONVERSIONS,
        first_day=day_of(last + 1),
        last_day=day_of(seen.first_day + touched),
        count=int(after),
        sentence=(
            f"{counted(after, 'touch|touches')} came after the last conversion, of {span(last, last)}. "
            "They can lead to nothing until newer conversions are there."
        ),
        advice="Import the conversions of these days, or analyse periods that end before them.",
    )


def mixed_rhythm(seen: Observations, covered: dict[str, DatasetCoverage]) -> Iterator[Finding]:
    """Yield the channels whose spend comes by week while that of most others comes by day."""
    series = covered[SPEND].series
    weekly = [one for one in series if one.coverage.cadence == Cadence.WEEKLY]
    daily = [one for one in series if one.coverage.cadence == Cadence.DAILY]
    if not daily or not weekly:
        return
    for one in weekly:
        first = seen.first_day + (one.coverage.first or 0)
        last = seen.first_day + (one.coverage.last or 0)
        yield Finding(
            code="mixed_rhythm",
            severity=Severity.WARNING,
            dataset=SPEND,
            channel=one.name,
            first_day=day_of(first),
            last_day=day_of(last),
            count=int(one.coverage.present.sum()),
            sentence=(
                f"{whose(one.name)} spend comes by week, that of "
                f"{listed(quoted([other.name for other in daily]), most=2)} "
                "by day. Its days without a row look as if nothing was spent."
            ),
            advice="Export it by day. Until then, compare whole weeks only.",
        )
