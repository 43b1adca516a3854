"""Fields of requests that several resources have."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers


class LineField(serializers.CharField):
    """A name: one line of text that is not blank. Blanks around it are dropped."""

    def to_internal_value(self, data: Any) -> str:
        line = super().to_internal_value(data)
        if not line.isprintable():
            raise serializers.ValidationError("Use one line of printable characters.")
        return line


class LineDescription(OpenApiSerializerFieldExtension):
    """Says of a `LineField` what a pattern cannot: `format` is `line`."""

    target_class = LineField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        del auto_schema, direction
        return {"type": "string", "format": "line", "minLength": 1, "maxLength": self.target.max_length}
