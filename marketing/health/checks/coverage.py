"""Which days each dataset and each of its series has, lacks, or is not expected to have."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Int64Column
from marketing.health.checks.findings import Finding, Severity, counted, day_of, listed, quoted, span, whose
from marketing.health.checks.gaps import (
    UNLIKELY_COUNT,
    WEEK,
    Cadence,
    Coverage,
    Hole,
    cadence_of,
    coverage_by_count,
    coverage_by_rows,
    sides_of,
)
from marketing.health.checks.observations import Observations, SeriesSeen

TOUCHPOINTS, CONVERSIONS, SPEND, OUTCOMES, CONTROLS = "touchpoints", "conversions", "spend", "outcomes", "controls"
WORDS = {
    TOUCHPOINTS: "touches",
    CONVERSIONS: "conversions",
    SPEND: "spend",
    OUTCOMES: "outcomes",
    CONTROLS: "controls",
}
# Days behind yesterday until somebody is told, by rhythm; weekly rows speak for the six days after theirs, and the next
# ones are due some days after their week.
LATE_DAYS = {Cadence.DAILY: 3, Cadence.WEEKLY: 10, Cadence.RARE: 45}
VERY_LATE_DAYS = {Cadence.DAILY: 14, Cadence.WEEKLY: 28, Cadence.RARE: 120}
RARE_ROWS_AWAITED = 2, 4  # times the usual distance of rare rows: a row of May, dated 1 May, comes in June
PAUSED = 0.2  # of the usual touches, below which a channel without spend was paused, or switched off
GOING_ON = 0.5  # of the usual touches of all channels: with fewer, touches are missing, too, and tell nothing
BOUGHT_ON_ITS_DAYS = 0.6  # of a channel's touches on the days of its rows and the days after: it runs once a week
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
    any_spend: BoolColumn = np.logical_or.reduce(np.isfinite(spend), axis=0)
    for channel in seen.touched_channels:
        coverage = coverage_by_count(table[channel], expected=_bought(spend[channel], any_spend))
        found.append(_of_channel(seen, TOUCHPOINTS, channel, coverage))
    return DatasetCoverage(dataset=TOUCHPOINTS, whole=coverage_by_count(table.sum(axis=0)), series=tuple(found))


def _bought(spend: Float64Column, any_spend: BoolColumn) -> BoolColumn | None:
    """(D,) the days on which touches can be expected of a channel; None if nothing is known of its spend.

    Nothing was bought on a day with next to no spend, nor, where rows come by day, on one without a row while other
    channels have some: that its touches and its spend fail together is less likely than a pause.
    """
    known = np.isfinite(spend)
    if not np.any(spend[known] > 0):
        return None
    nothing = spend < SPENT_SHARE * np.median(spend[known][spend[known] > 0])
    if cadence_of(known) == Cadence.DAILY:
        nothing |= ~known & any_spend
    bought: BoolColumn = ~nothing
    return bought


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
    touches = seen.touches_by_channel
    found = []
    for channel in seen.spent_channels:
        coverage = coverage_by_rows(present[channel], amount=spend[channel], until=whole.last)
        missing = [hole for hole in coverage.holes if not _is_paused(touches[channel], touches.sum(axis=0), hole)]
        found.append(_of_channel(seen, SPEND, channel, replace(coverage, holes=tuple(missing))))
    return DatasetCoverage(dataset=SPEND, whole=whole, series=tuple(found))


def _is_paused(touches: Int64Column, all_touches: Int64Column, hole: Hole) -> bool:
    """Whether a channel's touches (D,) end with its spend, while those of others go on: then nobody bought any."""

    def kept(counts: Int64Column) -> tuple[float, float]:
        sides = [float(np.mean(side)) for side in sides_of(counts, hole) if len(side)]
        return float(counts[hole.first : hole.last + 1].sum()), min(sides, default=0.0) * hole.days

    found, expected = kept(touches)
    all_found, all_expected = kept(all_touches)
    return expected >= UNLIKELY_COUNT and found < PAUSED * expected and all_found >= GOING_ON * all_expected


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
        late, very_late = _late_days(dataset.whole)
        if behind < late:
            continue
        yield Finding(
            code="late_data",
            severity=Severity.PROBLEM if behind >= very_late else Severity.WARNING,
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


def _late_days(coverage: Coverage) -> tuple[float, float]:
    """So many days behind yesterday data are late, and very late; rare rows by how far apart they usually are."""
    late, very_late = LATE_DAYS[coverage.cadence], VERY_LATE_DAYS[coverage.cadence]
    distances = np.diff(np.flatnonzero(coverage.present))
    if coverage.cadence != Cadence.RARE or not len(distances):
        return late, very_late
    usual = float(np.median(distances))
    return max(late, RARE_ROWS_AWAITED[0] * usual + WEEK), max(very_late, RARE_ROWS_AWAITED[1] * usual + WEEK)


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
    """Yield the channels whose spend comes by week while that of others comes by day.

    Not one whose touches come on the days of its rows, too: it runs once a week.
    """
    series = covered[SPEND].series
    weekly = [one for one in series if one.coverage.cadence == Cadence.WEEKLY]
    daily = [one for one in series if one.coverage.cadence == Cadence.DAILY]
    if not daily or not weekly:
        return
    for one in weekly:
        if one.channel is not None and _runs_weekly(seen.touches_by_channel[one.channel], one.coverage.present):
            continue
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


def _runs_weekly(touches: Int64Column, rows: BoolColumn) -> bool:
    """Whether a channel's touches (D,) come on the days of its rows (D,), and on the days after."""
    near = rows | np.concatenate([[False], rows[:-1]])
    return bool(touches.sum() >= UNLIKELY_COUNT and touches[near].sum() >= BOUGHT_ON_ITS_DAYS * touches.sum())
