"""A plan as a table: a row for each period, a column for each channel and for what else is known of these periods.

Files are read as imports are, so that they may be CSV with whatever separator and decimal sign, Excel or Parquet.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils import timezone

from accounts.models import Workspace
from mmm_project.problems import FileTooLarge
from weightings.forecasts.horizon import Horizon

MOST_ROWS = 1000  # more than any plan has: then it is another file
MOST_SAID = 5  # wrong cells
COPIED_AT_ONCE = 2**20
NAME_SHOWN = 60
EMPTY = "it is empty: write 0 where there is to be none"
EXPECTED = "The first column says the period, as its first day or as a number from 1 on."


class PlanRefused(ValueError):
    """What is wrong with a plan, by row and column where it is a table."""


@dataclass(frozen=True)
class PlanTable:
    """A table as it was read. `first`: what the first column says of each row; `numbers`: of the other columns.

    `rows`: the number of each row in the file. `date_order`: how its days are probably meant.
    """

    name: str
    first: tuple[str, ...]
    numbers: Mapping[str, tuple[float, ...]]
    rows: tuple[int, ...]
    date_order: str

    def __len__(self) -> int:
        return len(self.rows)

    def require_periods(self, horizon: Horizon, workspace: Workspace) -> None:
        """Raise PlanRefused unless the rows are the periods of the horizon, one after another."""
        if list(self.first) == [str(place) for place in range(1, len(self) + 1)]:
            return
        wrong: list[str] = []
        for order in dict.fromkeys((self.date_order, "dmy", "mdy")):
            found = list(_out_of_place(self, horizon, workspace, order))
            if not found:
                return
            wrong = wrong or found
        raise PlanRefused(_listed(wrong))


def read_text(text: str, *, workspace: Workspace) -> PlanTable:
    """Return the table that a text is. Raises PlanRefused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.csv"
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
        return _read(path, file_name="plan.csv", workspace=workspace)


def read_file(file: IO[bytes], *, file_name: str, workspace: Workspace) -> PlanTable:
    """Return the table of an uploaded file, which is not kept. Raises PlanRefused, and FileTooLarge."""
    with tempfile.TemporaryDirectory() as folder:
        path, size = Path(folder) / "plan", 0
        with path.open("wb") as copy:
            while block := file.read(COPIED_AT_ONCE):
                size += len(block)
                if size > settings.MAX_FILE_BYTES:
                    raise FileTooLarge
                copy.write(block)
        return _read(path, file_name=file_name, workspace=workspace)


def _read(path: Path, *, file_name: str, workspace: Workspace) -> PlanTable:
    # Here, not above: pages that only show results must not wait for the libraries that read files.
    from marketing.importing.errors import FileRejected
    from marketing.importing.inspection import inspect

    try:
        found = inspect(path, file_name=file_name)
        for question in found.questions:
            if question.field == "decimal":
                raise PlanRefused(f"{question.text} Write all numbers without marks between thousands.")
        if not found.header[0]:
            raise PlanRefused(f"The first column has no name. {EXPECTED}")
        columns = [name for name in found.header if name]
        if len(columns) == 1:
            raise PlanRefused(f"The table has a single column, “{_cut(columns[0])}”. {EXPECTED} Add one per channel.")
        return _converted(path, found.reading, columns, workspace)
    except FileRejected as refusal:
        raise PlanRefused(str(refusal)) from refusal


def _converted(path: Path, reading: Any, columns: Sequence[str], workspace: Workspace) -> PlanTable:
    from marketing.importing import cells
    from marketing.importing.columns import trimmed
    from marketing.importing.files import read_chunks

    first: list[str] = []
    rows: list[int] = []
    numbers: dict[str, list[float]] = {name: [] for name in columns[1:]}
    wrong: list[tuple[int, str]] = []
    clock = _clock(workspace, reading.date_order, decimal=reading.decimal)
    for chunk in read_chunks(path, reading, columns=columns):
        wrong += [(error.row, f"Row {error.row}: {error.reason}.") for error in chunk.errors]
        rows += chunk.rows
        if len(rows) > MOST_ROWS:
            raise PlanRefused(f"The table has more than {MOST_ROWS:,} rows, and a plan has one for each period.")
        first += trimmed(chunk.columns[columns[0]]).to_pylist()
        for name in numbers:
            read = cells.number(chunk.columns[name], clock)
            numbers[name] += read.values.tolist()
            reasons = {place: EMPTY for place, present in enumerate(read.present.tolist()) if not present} | read.wrong
            wrong += [
                (chunk.rows[place], f"Row {chunk.rows[place]}, column “{_cut(name)}”: {reason}.")
                for place, reason in reasons.items()
            ]
    if wrong:
        raise PlanRefused(_listed([sentence for _row, sentence in sorted(wrong, key=lambda each: each[0])]))
    if not rows:
        raise PlanRefused("The table has no rows below its header.")
    read_numbers = {name: tuple(values) for name, values in numbers.items()}
    return PlanTable(columns[0], tuple(first), read_numbers, tuple(rows), reading.date_order)


def _out_of_place(table: PlanTable, horizon: Horizon, workspace: Workspace, order: str) -> Iterator[str]:
    """Yield what is wrong with rows that do not say the period that comes next."""
    import pyarrow as pa

    from marketing.importing.times import read_days

    read = read_days(pa.array(table.first, pa.string()), _clock(workspace, order))
    for place, (row, start, end) in enumerate(zip(table.rows, horizon.starts, horizon.ends(), strict=True)):
        where = f"Row {row}, column “{_cut(table.name)}”"
        if not read.present[place]:
            yield f"{where}: it is empty. {EXPECTED}"
        elif place in read.wrong:
            yield f"{where}: {read.wrong[place]}."
        elif not start <= read.values[place].astype(object) <= end:
            expected = f"{start}" if start == end else f"the {horizon.granularity} from {start}"
            yield f"{where}: {read.values[place]} is not {expected}, which comes next."


def _clock(workspace: Workspace, date_order: str, *, decimal: str = ".") -> Any:
    """What cells are read against; days may lie in the future."""
    from marketing.importing.columns import Clock

    clock = Clock(zone=workspace.zone, now=timezone.now(), currency=workspace.currency)
    return replace(clock, now=clock.now.replace(year=2199), date_order=date_order, decimal=decimal)  # type: ignore[arg-type]


def _listed(wrong: Sequence[str]) -> str:
    left = len(wrong) - MOST_SAID
    return " ".join([*wrong[:MOST_SAID], *([f"{left} more cells or rows are wrong."] if left > 0 else [])])


def _cut(name: str) -> str:
    return name[:NAME_SHOWN]
