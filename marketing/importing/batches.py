"""Batches of rows that programs send: checked while the caller waits, kept as a file, and imported like any other.

The rows become a Parquet file of text, so that the same code reads, checks and loads them as loads people's files; an
answer to the caller says which rows that code rejects.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import IntegrityError, transaction

from accounts import plans
from accounts.audit import record
from accounts.models import ApiKey, User, Workspace
from jobs.actions import submit
from marketing.importing import cells, kept_files
from marketing.importing.actions import ERRORS_KEPT, checker_for
from marketing.importing.demo import IMPORT_JOB
from marketing.importing.errors import CellError, FileRejected
from marketing.importing.fields import FIELDS
from marketing.importing.reading import Reading
from marketing.importing.stored_rows import rows_stored
from marketing.models import Dataset, Import
from mmm_project.problems import Invalid, Problem, TooLarge

MOST_ROWS = 10_000
LONGEST_KEY = 255  # of what names a request that may be sent again
SAYS_THE_CHANNEL = ("channel", "source", "medium")
# Rows of a batch are numbered from 1: there is no row with names of columns above them.
AS_A_FILE = Reading(format="parquet", header_row=0, path_separator=">")

Columns: TypeAlias = dict[str, list[str | None]]


class TooManyRows(TooLarge):
    """A batch of more than `MOST_ROWS` rows."""

    code = "too_many_rows"

    def __init__(self) -> None:
        Problem.__init__(self, f"A batch holds {MOST_ROWS:,} rows at most. Send the others in further batches.")


class RowsRejected(Problem):
    """Nothing of the batch is imported, because of these rows."""

    status = 422
    code = "rows_rejected"
    title = "Rows rejected"

    def __init__(self, detail: str, *, rejected: Sequence[CellError]) -> None:
        super().__init__(detail, rejected=len(rejected))
        self.rejected = rejected

    def as_json(self) -> dict[str, object]:
        """Return the problem with each rejected row, as an accepted batch has them."""
        return super().as_json() | {"errors": [as_json(error) for error in self.rejected]}


class KeyReused(Problem):
    """The key of an earlier request, on another batch."""

    status = 422
    code = "idempotency_key_reused"
    title = "Idempotency-Key used before"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: the import, the rejected rows, and whether it had been asked for before."""

    batch: Import
    errors: list[dict[str, Any]]
    replayed: bool = False


def request_batch(
    *,
    workspace: Workspace,
    dataset: Dataset,
    body: object,
    by: User | None,
    api_key: ApiKey | None = None,
    idempotency_key: str | None = None,
    strict: bool = False,
    origin: Import.Origin = Import.Origin.API,
    file_name: str = "",
    ring: bool = True,
) -> Answer:
    """Check the rows and queue the import of the valid ones, or return the import that the same request got before.

    `body`: a list of rows (field name -> text, true, false or None), or an object whose `rows` is one. `origin`: by
    which way it came, as the form of a page may send one as well. `file_name`: what people read it as. Raises Invalid
    for what is no such thing, TooManyRows, KeyReused, QuotaExceeded, and RowsRejected if no row is valid or, when
    `strict`, any is not.
    """
    columns = _columns(dataset, _rows(body))
    checksum = _checksum(dataset, columns)
    if idempotency_key is not None:
        _require_usable(idempotency_key)
        if answer := _answered_before(workspace, idempotency_key, checksum):
            return answer
    path = kept_files.place_for(workspace_id=workspace.pk, suffix=".parquet")
    batch = Import(
        workspace=workspace,
        dataset=dataset,
        origin=origin,
        file_name=file_name or f"{dataset}.parquet",
        stored_file=kept_files.stored_name(path),
        checksum=checksum,
        reading=AS_A_FILE.as_json(),
        requested_by=by,
        idempotency_key=idempotency_key,
    )
    try:
        _write(columns, path)
        errors = _check(workspace, dataset, path, rows=len(next(iter(columns.values()))), strict=strict)
        _queue(batch, errors, api_key=api_key, ring=ring)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if not isinstance(error, IntegrityError) or idempotency_key is None:
            raise
        # Somebody else sent the same at this moment, and was first.
        answer = _answered_before(workspace, idempotency_key, checksum)
        if answer is None:
            raise
        return answer
    return Answer(batch, [as_json(error) for error in errors])


def _queue(batch: Import, errors: list[CellError], *, api_key: ApiKey | None, ring: bool) -> None:
    """Note on the import what the check found, and queue it."""
    batch.rejected = len(errors)
    batch.errors = [
        {"row": error.row, "column": error.column, "reason": error.reason} for error in errors[:ERRORS_KEPT]
    ]
    with transaction.atomic():
        batch.job = submit(workspace=batch.workspace, kind=IMPORT_JOB, ring=ring)
        batch.save(force_insert=True)
        record(
            workspace=batch.workspace,
            actor=batch.requested_by,
            api_key=api_key,
            action="import.requested",
            target=batch.file_name,
            dataset=batch.dataset,
        )


def as_json(error: CellError) -> dict[str, Any]:
    """Return a rejected row as the API gives it: its number, the field (None: the row as a whole), and why."""
    return {"row": error.row, "field": error.column or None, "reason": error.reason}


def _rows(body: object) -> list[dict[str, Any]]:
    """Return the rows of a request's body. Raises Invalid, and TooManyRows."""
    if isinstance(body, Mapping):
        if unknown := set(body) - {"rows"}:
            _refuse(min(unknown), "There is no such field. A batch is a list of rows, or {“rows”: [...]}.")
        body = body.get("rows")
    if not isinstance(body, list):
        _refuse("rows", "Send a list of rows, or {“rows”: [...]}.")
    if not body:
        _refuse("rows", "There are no rows.")
    if len(body) > MOST_ROWS:
        raise TooManyRows
    for number, row in enumerate(body, start=1):
        if not isinstance(row, dict):
            _refuse("rows", f"Row {number} is not an object of fields and values.")
    return body


def _columns(dataset: Dataset, rows: list[dict[str, Any]]) -> Columns:
    """Return the rows by column, as text: fields that somebody said, and those that the dataset cannot do without."""
    fields = {field.name: field for field in FIELDS[dataset]}
    said = set(chain.from_iterable(rows))
    if unknown := said - fields.keys():
        _refuse(min(unknown), f"There is no such field. The fields of {dataset}: {', '.join(fields)}.")
    wanted = said | {name for name, field in fields.items() if field.required}
    if dataset == Dataset.TOUCHPOINTS and wanted.isdisjoint(SAYS_THE_CHANNEL):
        wanted.add(SAYS_THE_CHANNEL[0])  # so that each row is told that it lacks one
    return {
        name: _column(name, [row.get(name) for row in rows], takes_booleans=field.parse is cells.boolean)
        for name, field in fields.items()
        if name in wanted
    }


def _column(name: str, values: list[Any], *, takes_booleans: bool) -> list[str | None]:
    """Return the values as text. Raises Invalid, naming the row, for what is neither text nor number (nor yes/no)."""
    kinds = set(map(type, values))
    if bool in kinds and takes_booleans:
        values = [str(value).lower() if isinstance(value, bool) else value for value in values]
        kinds = kinds - {bool} | {str}
    if kinds - {str, type(None)}:
        for number, value in enumerate(values, start=1):
            if not isinstance(value, str | None):
                _refuse(name, f"Row {number}: {_kind(value)} is neither text nor a number.")
    _refuse_unstorable(name, values)
    return values


def _refuse_unstorable(name: str, values: list[str | None]) -> None:
    """Raise Invalid for text that no database stores: NUL and lone surrogates."""
    text = "".join(filter(None, values))
    if "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in set(text)):
        return
    for number, value in enumerate(values, start=1):
        if value and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
            _refuse(name, f"Row {number}: text must not contain NUL or surrogate characters.")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "an object" if isinstance(value, dict) else "a list"


def _refuse(field: str, sentence: str) -> NoReturn:
    raise Invalid("This is not a batch of rows.", errors={field: [sentence]})


def _checksum(dataset: Dataset, columns: Columns) -> str:
    """Return a digest of what the batch says, however its JSON was laid out."""
    return hashlib.sha256(json.dumps([dataset, columns], sort_keys=True).encode()).hexdigest()


def _require_usable(key: str) -> None:
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        sentence = f"Use 1 to {LONGEST_KEY} printable ASCII characters, such as a UUID."
        raise Invalid("The Idempotency-Key cannot be used.", errors={"Idempotency-Key": [sentence]})


def _answered_before(workspace: Workspace, key: str, checksum: str) -> Answer | None:
    """Return the answer to the earlier request of this key, unless its import failed. Raises KeyReused."""
    keyed = Import.objects.filter(workspace=workspace, idempotency_key=key)
    batch = keyed.select_related("workspace", "job", "requested_by").first()
    if batch is not None and batch.status == Import.Status.FAILED:
        # It brought nothing in, and gives its key back, so that sending the batch again helps.
        keyed.filter(status=Import.Status.FAILED).update(idempotency_key=None)
        return None
    if batch is None:
        return None
    if batch.checksum != checksum:
        raise KeyReused("This Idempotency-Key was sent with another batch before. Use a new key for a new batch.")
    errors = [{"row": kept["row"], "field": kept["column"] or None, "reason": kept["reason"]} for kept in batch.errors]
    return Answer(batch, errors, replayed=True)


def _write(columns: Columns, path: Path) -> None:
    pq.write_table(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), path)


def _check(workspace: Workspace, dataset: Dataset, path: Path, *, rows: int, strict: bool) -> list[CellError]:
    """Return an error for each row that will be rejected. Raises RowsRejected, QuotaExceeded and Invalid."""
    try:
        checker = checker_for(workspace=workspace, path=path, dataset=dataset, mapping={}, reading=AS_A_FILE, layout="")
        errors = [error for checked in checker for error in checked.errors]
    except FileRejected as error:
        raise Invalid(str(error)) from error
    if len(errors) == rows:
        raise RowsRejected("None of the rows can be imported.", rejected=errors)
    if errors and strict:
        raise RowsRejected("Nothing was imported, because some rows cannot be.", rejected=errors)
    plans.require_rows(workspace, stored=rows_stored(workspace), added=rows - len(errors))
    return errors
