"""Two finished runs of one kind side by side: what differs in the question and the data, and their numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from analyses import registry
from analyses.documents import DataTable, Figure, Row, Section
from analyses.models import Run
from analyses.presenters import SHOWN_OF_DIGEST, RunRow, present_row
from mmm_project import formats
from mmm_project.tables import Cell

MOST_ROWS = 500
DASH = "\N{EN DASH}"
NOTE = "Every number of both results, as their exports have them."
SIDES = ("A", "B", f"B {formats.MINUS} A", "change")
TableOfCells: TypeAlias = Sequence[Sequence[Cell]]
Key: TypeAlias = tuple[tuple[Cell, ...], int]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting that two runs do not share, and what it is in each."""

    setting: str
    earlier: str
    later: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs for the page that compares them; A is the earlier one.

    `sections`: what their kind says of them. `table` is None where the columns differ.
    """

    label: str
    earlier: RunRow
    later: RunRow
    settings: Sequence[Difference]
    origins: Sequence[Difference]
    sections: Sequence[Section]
    table: DataTable | None


def compare(one: Run, other: Run) -> Comparison:
    """Return two finished runs of one kind, needing `workspace`, `job`, `requested_by` and `api_key` with them."""
    earlier, later = sorted((one, other), key=lambda run: (run.created_at, run.pk))
    kind = registry.get(earlier.kind)
    return Comparison(
        label=kind.label,
        earlier=present_row(earlier),
        later=present_row(later),
        settings=differences(dict(kind.settings(earlier.params)), dict(kind.settings(later.params))),
        origins=differences(_origin(earlier), _origin(later)),
        sections=kind.compare(earlier, later),
        table=side_by_side(list(kind.rows(earlier)), list(kind.rows(later))),
    )


def differences(earlier: Mapping[str, str], later: Mapping[str, str]) -> list[Difference]:
    """Return what differs, in the order in which it is first named; a dash stands for what one side lacks."""
    return [
        Difference(setting=name, earlier=earlier.get(name, DASH), later=later.get(name, DASH))
        for name in {**earlier, **later}
        if earlier.get(name) != later.get(name)
    ]


def side_by_side(earlier: TableOfCells, later: TableOfCells) -> DataTable | None:
    """Join two tables, header first, on their columns of text; None if their columns are not the same.

    Each column of numbers becomes four: A, B, B minus A, and that as a share of A. Rows keep the order of A, then that
    of B; where one text occurs several times, its first row in A belongs to its first row in B. A text that all of A
    has and another that all of B has, such as two models, does not keep their rows apart.
    """
    columns = [str(name) for name in earlier[0]]
    if columns != [str(name) for name in later[0]]:
        return None
    rows = [*earlier[1:], *later[1:]]
    texts = [place for place in range(len(columns)) if any(isinstance(row[place], str) for row in rows)]
    numbers = [place for place in range(len(columns)) if place not in texts]
    texts = [place for place in texts if not _tells_sides_apart(earlier, later, place)] or texts
    first, second = _by_text(earlier[1:], texts), _by_text(later[1:], texts)
    keys = list({**first, **second})
    shown = keys[:MOST_ROWS]
    return DataTable(
        title="Numbers side by side",
        columns=(
            " · ".join(columns[place].capitalize() for place in texts) or "Row",
            *(f"{columns[place].capitalize()}, {side}" for place in numbers for side in SIDES),
        ),
        rows=tuple(_row(key, first.get(key), second.get(key), numbers) for key in shown),
        note=f"The first {len(shown)} of {formats.count(len(keys))} rows." if len(shown) < len(keys) else NOTE,
    )


def _tells_sides_apart(earlier: TableOfCells, later: TableOfCells, place: int) -> bool:
    sides = [{row[place] for row in table[1:]} for table in (earlier, later)]
    return all(len(side) == 1 for side in sides) and sides[0] != sides[1]


def _by_text(rows: TableOfCells, texts: Sequence[int]) -> dict[Key, Sequence[Cell]]:
    """Return the rows by their texts and, as those may repeat, by how often they occurred before."""
    seen: Counter[tuple[Cell, ...]] = Counter()
    found: dict[Key, Sequence[Cell]] = {}
    for row in rows:
        text = tuple(row[place] for place in texts)
        found[text, seen[text]] = row
        seen[text] += 1
    return found


def _row(key: Key, first: Sequence[Cell] | None, second: Sequence[Cell] | None, numbers: Sequence[int]) -> Row:
    text, times = key
    return Row(
        label=" · ".join(str(part or DASH) for part in text) or str(times + 1),
        cells=tuple(
            figure
            for place in numbers
            for figure in _figures(_number(first[place]) if first else None, _number(second[place]) if second else None)
        ),
    )


def _number(cell: Cell) -> float | None:
    return None if isinstance(cell, str) else cell


def _figures(first: float | None, second: float | None) -> tuple[Figure, ...]:
    """A, B, their difference, and that as a share of A."""
    difference = None if first is None or second is None else second - first
    share = difference / abs(first) if difference is not None and first else None
    return (
        _figure(first),
        _figure(second),
        _figure(difference, signed=True),
        Figure(DASH) if share is None else Figure(formats.change(share), f"{share:+.6%}", share),
    )


def _figure(value: float | None, *, signed: bool = False) -> Figure:
    if value is None:
        return Figure(DASH)
    text = formats.count(value)
    plus = "+" if signed and value > 0 and text != formats.count(0) else ""
    return Figure(plus + text, plus + repr(value), value)


def _origin(run: Run) -> dict[str, str]:
    """Where a run's numbers come from, besides the question."""
    return {"Data version": run.data_version[:SHOWN_OF_DIGEST], "Method version": run.method_version}
