"""Where touches and conversions do not fit together: conversions from nowhere, late clocks, rows that came twice."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Int64Column
from marketing.health.checks.coverage import CONVERSIONS, TOUCHPOINTS
from marketing.health.checks.findings import Finding, Severity, counted, day_of, share, span, whose
from marketing.health.checks.gaps import newest_stretch
from marketing.health.checks.observations import PAID, ImportSeen, Observations

RECENT_DAYS = 28
FEWEST_CONVERSIONS = 20  # of a stretch of days whose share without a touch says anything
MANY_UNTOUCHED, MOST_UNTOUCHED = 0.4, 0.7
RISEN = 0.2  # more than before
RISEN_ERRORS = 3.0  # and so many times the error of the difference
SMOOTHED_DAYS = 7
FEWEST_AROUND = 30  # touches around sales of a channel whose clock is judged
LATE_SHARE = 0.25  # of those, after the sale
LATE_AGAINST_OTHERS = 3.0
MANY_DUPLICATES = 0.05
FEWEST_DUPLICATES = 20
REPEATED_WITHIN = 0.25  # rows that count for each that does not: a file holds both rows of what it says twice
UNASSIGNED = "Unassigned"
MANY_UNASSIGNED, MOST_UNASSIGNED = 0.05, 0.3
FEWEST_TOUCHES = 50


def untouched_conversions(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if lately many conversions have no touch in the lookback window, or clearly more than before."""
    total, untouched = (
        _per_day(seen, np.ones(len(seen.conversions.day), np.bool_)),
        _per_day(seen, seen.conversions.touches == 0),
    )
    start = _first_day_with_window(seen)
    if start is None:
        return
    recent = slice(max(seen.days - RECENT_DAYS, start), seen.days)
    now = _part(untouched[recent], total[recent])
    before = _part(untouched[start : recent.start], total[start : recent.start])
    if now is None:
        return
    risen = before is not None and now >= before + max(RISEN, RISEN_ERRORS * _error(before, total, start, recent.start))
    if now < MANY_UNTOUCHED and not risen:
        return
    usual = before if risen and before is not None else MANY_UNTOUCHED - RISEN
    smoothed = _smoothed_share(untouched, total)
    stretch = newest_stretch(smoothed >= (usual + now) / 2) or (recent.start, seen.days - 1)
    first, last = (seen.first_day + max(day, start) for day in stretch)
    than_before = f", {share(before)} before" if risen and before is not None else ""
    yield Finding(
        code="untouched_conversions",
        severity=Severity.PROBLEM if now >= MOST_UNTOUCHED else Severity.WARNING,
        dataset=CONVERSIONS,
        first_day=day_of(first),
        last_day=day_of(last),
        count=int(untouched[recent].sum()),
        sentence=(
            f"{share(now)} of the conversions of the last {counted(RECENT_DAYS, 'day')} have no touch in the "
            f"{seen.window_days} days before{than_before}: no channel can be credited with them."
        ),
        advice=(
            "See whether touches and conversions name customers by the same key, and whether a consent banner or a "
            "failed tag loses touches."
        ),
    )


def _first_day_with_window(seen: Observations) -> int | None:
    """The first position on which a conversion's whole window lies within the touches; None without touches."""
    touched = seen.touches_by_channel.any(axis=0)
    if not touched.any():
        return None
    start = int(np.argmax(touched)) + min(seen.window_days, 30)
    return start if start < seen.days else None


def _per_day(seen: Observations, chosen: BoolColumn) -> Int64Column:
    return np.bincount(seen.conversions.day[chosen] - seen.first_day, minlength=seen.days).astype(np.int64)


def _part(part: Int64Column, total: Int64Column) -> float | None:
    return float(part.sum() / total.sum()) if total.sum() >= FEWEST_CONVERSIONS else None


def _error(part: float, total: Int64Column, start: int, middle: int) -> float:
    """The standard error of how much more, or less, than this part of all is found after `middle` than before."""
    before, after = total[start:middle].sum(), total[middle:].sum()
    return float(np.sqrt(part * (1 - part) * (1 / before + 1 / after)))


def _smoothed_share(part: Int64Column, total: Int64Column) -> Float64Column:
    """(D,) the share in the week around each day; 0 where there is nothing."""
    kernel = np.ones(SMOOTHED_DAYS)
    parts, totals = (np.convolve(column, kernel, "same") for column in (part, total))
    shares: Float64Column = np.divide(parts, totals, out=np.zeros(len(parts)), where=totals > 0)
    return shares


def late_clocks(seen: Observations) -> Iterator[Finding]:
    """Yield the paid channels whose touches come after the sale more often than before it, unlike those of others."""
    around = seen.clock.before + seen.clock.after
    judged = [
        channel
        for channel, named in enumerate(seen.channels)
        if named.type == PAID and around[channel] >= FEWEST_AROUND
    ]
    late = {channel: float(seen.clock.after[channel] / around[channel]) for channel in judged}
    for channel in judged:
        others = [late[other] for other in judged if other != channel]
        if not others:
            return  # nobody knows how many come back after a sale
        usual = float(np.median(others))
        if late[channel] < LATE_SHARE or late[channel] < LATE_AGAINST_OTHERS * usual:
            continue
        days = np.flatnonzero(seen.touches_by_channel[channel]) + seen.first_day
        name = seen.channel_name(channel)
        yield Finding(
            code="late_clock",
            severity=Severity.WARNING,
            dataset=TOUCHPOINTS,
            channel=name,
            first_day=day_of(days[0]),
            last_day=day_of(days[-1]),
            count=int(seen.clock.after[channel]),
            sentence=(
                f"{share(late[channel])} of {whose(name)} touches within two days of a sale come after it, "
                f"{share(usual)} of "
                "those of other paid channels: the sale cannot be credited to them."
            ),
            advice="Check the time zone of this channel’s export, and whether it holds the click or a later time.",
        )


def repeated_rows(seen: Observations) -> Iterator[Finding]:
    """Yield the imports that say many rows twice, and once for each dataset that files overlap with earlier ones."""
    overlapping: dict[str, list[ImportSeen]] = defaultdict(list)
    for batch in seen.imports:
        first, last = max(batch.first_day, seen.first_day), min(batch.last_day, seen.yesterday)
        if first > last:
            continue
        once = _rows_between(seen, batch.dataset, first, last)
        part = batch.duplicates / (batch.duplicates + once)
        if part < MANY_DUPLICATES or batch.duplicates < FEWEST_DUPLICATES:
            continue
        if batch.counted < REPEATED_WITHIN * batch.duplicates:
            overlapping[batch.dataset].append(batch)
            continue
        yield Finding(
            code="repeated_rows",
            severity=Severity.WARNING,
            dataset=batch.dataset,
            first_day=day_of(first),
            last_day=day_of(last),
            count=batch.duplicates,
            sentence=(
                f"{counted(batch.duplicates, 'row')} of “{batch.name}” were there already: "
                f"{share(part)} of all rows of {span(first, last)}. Each counts once."
            ),
            advice="See whether a tag or an export runs twice.",
        )
    for dataset, batches in overlapping.items():
        yield _overlap(seen, dataset, batches)


def _overlap(seen: Observations, dataset: str, batches: Sequence[ImportSeen]) -> Finding:
    rows = sum(batch.duplicates for batch in batches)
    first = max(min(batch.first_day for batch in batches), seen.first_day)
    last = min(max(batch.last_day for batch in batches), seen.yesterday)
    files = f"“{batches[0].name}”" if len(batches) == 1 else counted(len(batches), "file")
    return Finding(
        code="overlapping_imports",
        severity=Severity.NOTE,
        dataset=dataset,
        first_day=day_of(first),
        last_day=day_of(last),
        count=rows,
        sentence=(
            f"{counted(rows, 'row')} of {files} about {span(first, last)} came with an earlier import already. "
            "Each counts once."
        ),
        advice="Nothing is wrong if exports overlap on purpose. Otherwise see whether a file was imported twice.",
    )


def _rows_between(seen: Observations, dataset: str, first: int, last: int) -> int:
    if dataset == TOUCHPOINTS:
        return int(seen.touches_by_channel[:, first - seen.first_day : last - seen.first_day + 1].sum())
    return int(((seen.conversions.day >= first) & (seen.conversions.day <= last)).sum())


def unassigned_touches(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if lately many touches carry tags that no rule of the channel grouping knows."""
    unassigned = np.zeros(seen.days, np.int64)
    for channel, named in enumerate(seen.channels):
        if named.name == UNASSIGNED:
            unassigned = seen.touches_by_channel[channel]
    total = seen.touches_by_channel.sum(axis=0)
    recent = seen.last(RECENT_DAYS)
    part = unassigned[recent].sum() / max(total[recent].sum(), 1)
    if part < MANY_UNASSIGNED or unassigned[recent].sum() < FEWEST_TOUCHES:
        return
    stretch = newest_stretch(_smoothed_share(unassigned, total) >= MANY_UNASSIGNED) or (recent.start, seen.days - 1)
    # The week around the first such day reaches before it.
    touched = np.flatnonzero(unassigned[stretch[0] : stretch[1] + 1]) + stretch[0]
    first, last = seen.first_day + int(touched[0]), seen.first_day + int(touched[-1])
    yield Finding(
        code="unassigned_touches",
        severity=Severity.PROBLEM if part >= MOST_UNASSIGNED else Severity.WARNING,
        dataset=TOUCHPOINTS,
        channel=UNASSIGNED,
        first_day=day_of(first),
        last_day=day_of(last),
        count=int(unassigned[recent].sum()),
        sentence=(
            f"{share(part)} of the touches of the last {counted(RECENT_DAYS, 'day')} belong to no channel: no rule "
            f"of the grouping fits {_examples(seen)}."
        ),
        advice="Correct the tags of these links, or add a rule for them in Settings, Channels & grouping.",
    )


def _examples(seen: Observations) -> str:
    """The source and medium that most of the unassigned touches carry."""
    counts: dict[tuple[str, str], int] = {}
    for position, count in zip(seen.touches.source.tolist(), seen.touches.count.tolist(), strict=True):
        source = seen.sources[position]
        if seen.channel_name(source.channel) == UNASSIGNED:
            counts[source.source, source.medium] = counts.get((source.source, source.medium), 0) + count
    source_name, medium = max(counts, key=lambda pair: counts[pair])
    return f"source “{source_name or '(not set)'}” with medium “{medium or '(not set)'}”"
