"""The gap calendar: for each series a strip of days or weeks, drawn as SVG, and the same gaps as a list."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from marketing.health.checks.coverage import WORDS
from marketing.health.report import LOW, MISSING, NONE, OK, Report, SeriesDays
from marketing.models import Dataset
from marketing.periods import Period
from mmm_project import formats

CELL_PX = 10
MOST_CELLS_BY_DAY = 120  # a longer period is drawn by week
WEEK = 7
GRAVEST_FIRST = (MISSING, LOW, OK, NONE)
CLASSES = {OK: "ok", MISSING: "missing", LOW: "low", NONE: "none"}
WORDS_OF_STATE = {MISSING: "missing", LOW: "far less than usual"}
TICK_DAYS = 14
TICK_WEEKS = 8
WEEKS_OF_TICKS_APART_PX = 70

# (dataset, series, first day) -> the address that explains those days
Explain = Callable[[SeriesDays, dt.date], str]


@dataclass(frozen=True, kw_only=True)
class Block:
    """Cells in a row that are alike: where they begin, how wide they are, and how they look."""

    x: int
    width: int
    look: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Days that are missing, or low, close to each other: one link. `blocks`: what it draws."""

    x: int
    width: int
    href: str
    label: str
    blocks: Sequence[Block]
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A series: its cells, its gaps, and how many of the days that it should have it has."""

    label: str
    href: str
    summary: str
    blocks: Sequence[Block]
    gaps: Sequence[Gap]


@dataclass(frozen=True, kw_only=True)
class StripGroup:
    """The strips of a dataset."""

    label: str
    strips: Sequence[Strip]


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A date above the strips."""

    x: int
    label: str


@dataclass(frozen=True, kw_only=True)
class GapRow:
    """A gap as a line of the table."""

    dataset: str
    label: str
    days: str
    length: str
    state: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """All strips of a period. `unit`: what a cell stands for. `hidden`: how many strips are left out."""

    unit: str
    width: int
    ticks: Sequence[Tick]
    groups: Sequence[StripGroup]
    rows: Sequence[GapRow]
    hidden: int


def dataset_label(dataset: str) -> str:
    return str(Dataset(dataset).label)


def build_calendar(
    report: Report,
    series: Sequence[SeriesDays],
    period: Period,
    *,
    week_start: int,
    most: int,
    link: Callable[[SeriesDays], str],
    explain: Explain,
    chosen: tuple[SeriesDays, dt.date] | None,
) -> Calendar:
    """Draw these series over a period.

    `week_start`: the weekday that dates are named of, 0 for Monday. `most`: strips of each dataset, of more those with
    gaps first.
    """
    by_week = period.days > MOST_CELLS_BY_DAY
    groups: list[StripGroup] = []
    rows: list[GapRow] = []
    hidden = 0
    for dataset, of_dataset in groupby(series, key=lambda one: one.dataset):
        listed = list(of_dataset)
        shown = sorted(listed, key=lambda one: MISSING not in _within(report, one, period))[:most]
        hidden += len(listed) - len(shown)
        strips = [
            _strip(report, one, period, by_week=by_week, href=link(one), explain=explain, chosen=chosen)
            for one in listed
            if one in shown
        ]
        groups.append(StripGroup(label=dataset_label(dataset), strips=strips))
        for one in listed:
            rows += _rows(report, one, period, explain)
    cells = -(-period.days // WEEK) if by_week else period.days
    return Calendar(
        unit="week" if by_week else "day",
        width=cells * CELL_PX,
        ticks=list(calendar_ticks(period, by_week=by_week, week_start=week_start)),
        groups=groups,
        rows=rows,
        hidden=hidden,
    )


def gap_at(report: Report, one: SeriesDays, day: dt.date) -> tuple[Period, str] | None:
    """The stretch of missing (or low) days of a series that holds a day, and its state; None if it has data then."""
    position = (day - report.first_day).days
    if not 0 <= position < len(one.states) or one.states[position] not in WORDS_OF_STATE:
        return None
    state = one.states[position]
    first = last = position
    while first and one.states[first - 1] == state:
        first -= 1
    while last + 1 < len(one.states) and one.states[last + 1] == state:
        last += 1
    days = (report.first_day + dt.timedelta(first), report.first_day + dt.timedelta(last))
    return Period(*days), state


def _within(report: Report, one: SeriesDays, period: Period) -> str:
    """The letters of the period's days; none are expected outside the report."""
    before = (period.start - report.first_day).days
    padded = NONE * max(-before, 0) + one.states[max(before, 0) :]
    return padded[: period.days].ljust(period.days, NONE)


def _cells(states: str, *, by_week: bool) -> str:
    """A letter for each cell: of a week the gravest of its days. Weeks are counted back from the last day."""
    if not by_week:
        return states
    lead = len(states) % WEEK
    weeks = [states[:lead]] if lead else []
    weeks += [states[start : start + WEEK] for start in range(lead, len(states), WEEK)]
    return "".join(next(state for state in GRAVEST_FIRST if state in week) for week in weeks)


def _first_day(period: Period, cell: int, *, by_week: bool) -> dt.date:
    if not by_week:
        return period.start + dt.timedelta(cell)
    lead = period.days % WEEK
    return period.start + dt.timedelta(max(cell * WEEK - ((WEEK - lead) if lead else 0), 0))


def _strip(
    report: Report,
    one: SeriesDays,
    period: Period,
    *,
    by_week: bool,
    href: str,
    explain: Explain,
    chosen: tuple[SeriesDays, dt.date] | None,
) -> Strip:
    states = _within(report, one, period)
    cells = _cells(states, by_week=by_week)
    blocks = list(_blocks(cells))
    gaps = []
    for first, last in _clusters(cells):
        start = _first_day(period, first, by_week=by_week)
        end = _first_day(period, last + 1, by_week=by_week) - dt.timedelta(1) if last + 1 < len(cells) else period.end
        day = next(day for day in Period(start, end).dates() if _state(report, one, day) in WORDS_OF_STATE)
        gaps.append(
            Gap(
                x=first * CELL_PX,
                width=(last - first + 1) * CELL_PX,
                href=explain(one, day),
                label=f"{one.name}, {WORDS[one.dataset]}: {_gaps_in_words(report, one, Period(start, end))}",
                blocks=list(_blocks(cells, first, last)),
                is_chosen=chosen is not None and chosen[0] == one and start <= chosen[1] <= end,
            )
        )
    has, should = states.count(OK) + states.count(LOW), len(states) - states.count(NONE)
    return Strip(
        label=one.name,
        href=href,
        summary=f"{has:,} of {should:,}" if should else "none expected",
        blocks=[block for block in blocks if block.look not in (CLASSES[MISSING], CLASSES[LOW])],
        gaps=gaps,
    )


def _state(report: Report, one: SeriesDays, day: dt.date) -> str:
    return _within(report, one, Period(day, day))


def _blocks(cells: str, first: int = 0, last: int | None = None) -> Iterator[Block]:
    position = first
    for letter, run in groupby(cells[first : None if last is None else last + 1]):
        length = len(list(run))
        yield Block(x=position * CELL_PX, width=length * CELL_PX, look=CLASSES[letter])
        position += length


def _clusters(cells: str) -> Iterator[tuple[int, int]]:
    """The stretches of missing or low cells; those with a single other cell between them are one.

    So that every link has the room that a finger needs.
    """
    first = last = None
    for position, letter in enumerate(cells):
        if letter not in WORDS_OF_STATE:
            continue
        if first is None or last is None:
            first = position
        elif position - last > 2:
            yield first, last
            first = position
        last = position
    if first is not None and last is not None:
        yield first, last


def _gaps_in_words(report: Report, one: SeriesDays, period: Period) -> str:
    return "; ".join(
        f"{formats.count(days.days, 'day')} {WORDS_OF_STATE[state]}, {days.label}"
        for days, state in _stretches(_within(report, one, period), period)
    )


def _stretches(states: str, period: Period) -> Iterator[tuple[Period, str]]:
    position = 0
    for letter, run in groupby(states):
        length = len(list(run))
        if letter in WORDS_OF_STATE:
            start = period.start + dt.timedelta(position)
            yield Period(start, start + dt.timedelta(length - 1)), letter
        position += length


def _rows(report: Report, one: SeriesDays, period: Period, explain: Explain) -> Iterator[GapRow]:
    for days, state in _stretches(_within(report, one, period), period):
        yield GapRow(
            dataset=dataset_label(one.dataset),
            label=one.name,
            days=days.label,
            length=formats.count(days.days, "day"),
            state=WORDS_OF_STATE[state].capitalize(),
            href=explain(one, days.start),
        )


def calendar_ticks(period: Period, *, by_week: bool, week_start: int) -> Iterator[Tick]:
    """The date of every other week's beginning, or, by week, the beginnings of months that have room for their name."""
    cells = -(-period.days // WEEK) if by_week else period.days
    room = WEEKS_OF_TICKS_APART_PX // CELL_PX if by_week else TICK_DAYS
    last = -room
    for cell in range(cells):
        day = _first_day(period, cell, by_week=by_week)
        is_tick = day.day <= WEEK if by_week else day.weekday() == week_start
        if is_tick and cell - last >= room and cells - cell >= 4:
            last = cell
            yield Tick(x=cell * CELL_PX, label=f"{day:%b %Y}" if by_week else f"{day:%-d %b}")
