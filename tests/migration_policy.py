"""What a migration must not do while the code of before still runs beside it: docs/deployment.md, Migrations."""

from collections.abc import Iterable, Iterator

from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from mmm_project.migration_operations import AddIndexOnline

# Tables that grow with the data or with time: whoever writes to them must not wait for an index to be built.
LARGE = frozenset(
    {
        *("marketing.touchpoint", "marketing.conversion", "marketing.customer", "marketing.channelspend"),
        *("marketing.outcomevalue", "marketing.controlvalue", "analyses.run", "jobs.job", "accounts.auditevent"),
        *("reports.delivery", "reports.edition", "webhooks.message", "webhooks.delivery", "webhooks.attempt"),
    }
)
MARK = "despite_policy"  # of a Migration class: the sentence that says why it may be deployed all the same
GONE = "takes away or renames what the code of before reads and writes"
NOT_NULL = (
    "is filled by no default of the database: rows that the code of before inserts are refused (null or db_default)"
)
NARROWED = "refuses or changes values that the code of before writes"
LOCKS = "keeps others from writing to a large table while it is built (AddIndexOnline, in a migration of its own)"


def objections(migration: Migration, before: ProjectState) -> list[str]:
    """Return what stands against deploying `migration`, which is applied to `before`, beside running code."""
    if str(getattr(migration, MARK, "")).strip():
        return []
    state, found = before.clone(), []
    for operation in migration.operations:
        told = operation.describe()
        found += [f"{told}: {reason}" for reason in _reasons(operation, migration.app_label, state, before)]
        operation.state_forwards(migration.app_label, state)
    return found


def _reasons(operation: Operation, app: str, state: ProjectState, before: ProjectState) -> Iterator[str]:
    """Yield what stands against one operation. A table that the migration itself makes is nobody's yet."""
    if isinstance(operation, ops.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _reasons(inner, app, state, before)
        return
    model = str(getattr(operation, "model_name", None) or getattr(operation, "name", "")).lower()
    if (app, model) not in before.models:
        return
    is_large = f"{app}.{model}" in LARGE
    match operation:
        case ops.RemoveField() | ops.RenameField() | ops.DeleteModel() | ops.RenameModel() | ops.AlterModelTable():
            yield GONE
        case ops.AddField():
            if not _fills_itself(operation.field):
                yield NOT_NULL
            if is_large and _is_indexed(operation.field):
                yield LOCKS
        case ops.AlterField():
            old = state.models[app, model].fields[operation.name_lower]
            if _is_narrower(operation.field, old):
                yield NARROWED
            if is_large and _is_indexed(operation.field) and not _is_indexed(old):
                yield LOCKS
        case AddIndexOnline():
            pass
        case ops.AddIndex():
            if is_large:
                yield LOCKS
        case ops.AddConstraint() | ops.AlterUniqueTogether():
            yield NARROWED
            if is_large:
                yield LOCKS


def _fills_itself(field: models.Field) -> bool:  # type: ignore[type-arg]
    return field.null or field.has_db_default() or isinstance(field, models.ManyToManyField | models.GeneratedField)


def _is_indexed(field: models.Field) -> bool:  # type: ignore[type-arg]
    return field.unique or bool(getattr(field, "db_index", False))


def _is_narrower(new: models.Field, old: models.Field) -> bool:  # type: ignore[type-arg]
    shorter = (new.max_length or 10**9) < (old.max_length or 10**9)
    other = new.get_internal_type() != old.get_internal_type()
    return shorter or other or (old.null and not new.null) or (new.unique and not old.unique)


def since(migrations: Iterable[Migration], baseline: dict[str, int]) -> list[Migration]:
    """Return the migrations whose number is above that of the baseline of their app."""
    return [one for one in migrations if int(one.name.partition("_")[0]) > baseline.get(one.app_label, 0)]
