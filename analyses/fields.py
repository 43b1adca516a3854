"""A column of JSON that is read as it was written."""

from typing import Any

from django.db.models import JSONField
from django.db.models.expressions import Expression


class OrderedJSONField(JSONField):
    """JSON whose keys keep their order: PostgreSQL's `jsonb`, which `JSONField` is there, sorts them by their length.

    As `json` it can be looked into, but neither compared nor indexed.
    """

    def db_type(self, connection: Any) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        if connection.vendor == "postgresql" and value is not None:
            from psycopg.types.json import Json

            return Json(value.obj, dumps=value.dumps)
        return value

    def from_db_value(self, value: Any, expression: Expression, connection: Any) -> Any:
        # Of the two types, psycopg reads `json` by itself.
        return super().from_db_value(value, expression, connection) if isinstance(value, str) else value
