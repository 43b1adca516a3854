"""What a layout is, and a layout found in a file: how its columns become those of a dataset."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketing.importing.appearance import folded
from marketing.importing.columns import trimmed
from marketing.models import Dataset

FIRST_COLUMN = "first column"  # a role that every layout has: there, totals are named
JOINER = "\x1f"


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that the file does not have, made row by row from the columns of these roles.

    `make` gets a row's cells as trimmed text, "" for a role that the file lacks. The column is there if the file has
    one of the roles in `needs`, or if `needs` is empty.
    """

    name: str
    roles: tuple[str, ...]
    make: Callable[..., str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that are no data, such as totals. `when` gets the cells of the roles, as `Derived.make` does.

    They are looked for if the file has one of the roles in `needs`, or if that is empty. `told`: a sentence with
    {count}, for those whom it may surprise; "" if it goes without saying.
    """

    roles: tuple[str, ...]
    when: Callable[..., bool]
    told: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The layout of an export: which columns it has, under which names, and what they are of a dataset.

    `roles`: what columns the export may have; for each the names that the product gives it, in its languages, the best
    first. `required`: the roles without which the file is not of this layout; `foreign`: roles whose presence rules it
    out. `marks`: whatever else tells that the export is this one. `splits`: columns that spread a day of a campaign
    over several rows, which a dataset has no place for.

    `fields`: field -> role or name of a derived column; `fields_of` and `derived_of` are for those that depend on the
    file. `cleaned`: role -> what makes its cells readable. `blank`: what cells say where there is nothing.
    `longest_days`: how many days a row from `start` to `end` may cover, 0 for any number. `nothing_left` and
    `split_advice` are sentences for when all rows are skipped, or split.
    """

    code: str
    label: str
    dataset: Dataset
    roles: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    fields_of: Callable[["Binding"], dict[str, str]] = lambda _binding: {}
    marks: Callable[["Binding"], bool] = lambda _binding: True
    foreign: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()
    derived_of: Callable[["Binding"], tuple[Derived, ...]] = lambda _binding: ()
    cleaned: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    skips: tuple[Skip, ...] = ()
    blank: tuple[str, ...] = ()
    nothing_left: str = "The file holds no rows but totals."
    split_advice: str = ""
    longest_days: int = 0


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A layout and the file's own columns: which of them plays which role."""

    layout: Layout
    file_header: Sequence[str]
    preamble: Sequence[Sequence[str]] = ()

    @property
    def code(self) -> str:
        return self.layout.code

    @property
    def label(self) -> str:
        return self.layout.label

    @property
    def dataset(self) -> Dataset:
        return self.layout.dataset

    @cached_property
    def columns(self) -> dict[str, str]:
        """The file's column for each role that it has one for; no column plays two roles."""
        by_name: dict[str, str] = {}
        for column in self.file_header:
            by_name.setdefault(folded(column), column)
        found: dict[str, str] = {}
        for role, names in self.layout.roles.items():
            present = [by_name[folded(name)] for name in names if folded(name) in by_name]
            if present and present[0] not in found.values():
                found[role] = present[0]
        if self.file_header and self.file_header[0]:
            found[FIRST_COLUMN] = self.file_header[0]
        return found

    @cached_property
    def derived(self) -> dict[str, Derived]:
        """The derived columns of this file, by name."""
        made = (*self.layout.derived, *self.layout.derived_of(self))
        return {column.name: column for column in made if not column.needs or self.has(*column.needs)}

    @property
    def header(self) -> list[str]:
        """The columns that fields can be mapped to: the file's own, then the derived ones."""
        return [*self.file_header, *(name for name in self.derived if name not in self.file_header)]

    @property
    def mapping(self) -> dict[str, str]:
        """Field -> column, as the layout has it."""
        fields = {**self.layout.fields, **self.layout.fields_of(self)}
        named = {name: self.columns.get(target, target) for name, target in fields.items()}
        return {name: column for name, column in named.items() if column in self.header}

    @property
    def fits(self) -> bool:
        """Whether the file is of this layout."""
        required = self.columns.keys() >= set(self.layout.required)
        return required and not self.has(*self.layout.foreign) and self.layout.marks(self)

    @property
    def split_by(self) -> str | None:
        """The column, if the file has one, that spreads what should be one row over several."""
        splits = {folded(name) for name in self.layout.splits}
        return next((column for column in self.file_header if folded(column) in splits), None)

    def has(self, *roles: str) -> bool:
        """Whether the file has a column for one of the roles."""
        return any(role in self.columns for role in roles)

    @property
    def skips(self) -> list[Skip]:
        """What rows of this file are passed over."""
        return [skip for skip in self.layout.skips if not skip.needs or self.has(*skip.needs)]

    def columns_for(self, wanted: Sequence[str]) -> list[str]:
        """Return the file's columns that the wanted ones, and knowing the rows to skip, take."""
        roles = {role for skip in self.skips for role in skip.roles}
        roles |= {"start", "end"} if self.layout.longest_days else set()
        roles |= {role for name in wanted if name in self.derived for role in self.derived[name].roles}
        own = [name for name in wanted if name not in self.derived]
        return list(dict.fromkeys([*own, *(self.columns[role] for role in sorted(roles) if role in self.columns)]))

    def cells(self, columns: Mapping[str, pa.Array], roles: Sequence[str], count: int) -> list[pa.Array]:
        """Return the cells of the roles as trimmed text, blank ones as ""."""
        return [
            self._text(columns[self.columns[role]]) if role in self.columns else pa.array([""] * count, pa.string())
            for role in roles
        ]

    def make(self, name: str, columns: Mapping[str, pa.Array], count: int) -> pa.Array:
        """Return a wanted column: derived, or the file's own made readable."""
        if (derived := self.derived.get(name)) is not None:
            return by_row(derived.make, self.cells(columns, derived.roles, count), count)
        column = columns[name]
        clean = next((make for role, make in self.layout.cleaned.items() if self.columns.get(role) == name), None)
        if clean:
            return by_row(clean, [self._text(column)], count)
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        return self._text(column) if is_text else column  # typed: a number or a day that needs no reading

    def preview(self, rows: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return a file's first rows as the layout reads them: data only, with a cell for each column of `header`."""
        own = [[row[place] if place < len(row) else "" for row in rows] for place in range(len(self.file_header))]
        columns = {name: pa.array(cells, pa.string()) for name, cells in zip(self.file_header, own, strict=True)}
        data = np.logical_and.reduce(
            [np.ones(len(rows), bool), *(self.kept(s, columns, len(rows)) for s in self.skips)]
        )
        read = [self.make(name, columns, len(rows)).to_pylist() for name in self.header]
        return [list(cells) for cells, kept in zip(zip(*read, strict=True), data.tolist(), strict=True) if kept]

    def kept(self, skip: Skip, columns: Mapping[str, pa.Array], count: int) -> NDArray[np.bool_]:
        """Return which rows (count,) are data as far as this skip is concerned."""
        said = by_row(lambda *cells: "1" if skip.when(*cells) else "", self.cells(columns, skip.roles, count), count)
        kept: NDArray[np.bool_] = pc.equal(said, "").to_numpy(zero_copy_only=False).astype(bool)
        return kept

    def _text(self, column: pa.Array) -> pa.Array:
        cells = trimmed(column)
        return pc.if_else(pc.is_in(cells, pa.array(self.layout.blank)), "", cells) if self.layout.blank else cells


def by_row(make: Callable[..., str], columns: Sequence[pa.Array], count: int) -> pa.Array:
    """Return the text (count,) that `make` makes of each row's cells; it is asked once for equal rows."""
    if not columns:
        return pa.array([make()] * count, pa.string())
    if len(columns) > 1:  # a cell that holds the joiner itself would fall apart
        columns = [pc.replace_substring(column, JOINER, "") for column in columns]
    joined: Any = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, JOINER)
    encoded = joined.dictionary_encode()
    made = [make(*cells.split(JOINER)) if len(columns) > 1 else make(cells) for cells in encoded.dictionary.to_pylist()]
    return pa.array(made, pa.string()).take(encoded.indices)
