"""What requests and answers of several views are made of."""

from typing import Any

from rest_framework import serializers


class KnownFieldsOnly(serializers.Serializer[Any]):
    """Refuses unknown fields: a misspelt one would be another request."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(self.initial_data) - set(self.fields):
            raise serializers.ValidationError(dict.fromkeys(map(printable, unknown), "There is no such field."))
        return attrs


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused (RFC 9457). `code` is for programs, `detail` for people."""

    type = serializers.CharField(help_text="A URN that ends with the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence that says what to do.")
    code = serializers.CharField(help_text="To branch on, such as `plan_required`.")
    errors = serializers.DictField(  # type: ignore[assignment]  # DRF moves fields away from attributes
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Sentences by field, with dots between the levels; those of no field are under the empty name.",
    )


def printable(text: str) -> str:
    """Return text that an answer can hold: what is repeated of a request may be a lone surrogate."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
