"""Operations for migrations that run while the product serves."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexOnline(AddIndexConcurrently):
    """Adds an index to a large table without keeping others from writing to it.

    CREATE INDEX CONCURRENTLY on PostgreSQL, in a migration of its own with `atomic = False`; should it fail, an index
    that is not valid stays behind and has to be dropped. On SQLite, which has one writer anyway, as `AddIndex`.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        forwards = super().database_forwards if _can_wait_for_others(schema_editor) else self._plainly_forwards
        forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        backwards = super().database_backwards if _can_wait_for_others(schema_editor) else self._plainly_backwards
        backwards(app_label, schema_editor, from_state, to_state)

    def _plainly_forwards(self, *arguments: object) -> None:
        AddIndex.database_forwards(self, *arguments)  # type: ignore[arg-type]

    def _plainly_backwards(self, *arguments: object) -> None:
        AddIndex.database_backwards(self, *arguments)  # type: ignore[arg-type]


def _can_wait_for_others(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"
