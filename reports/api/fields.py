"""What requests about reports are made of: JSON of the type that the description names, and none that reads like it."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import timezone_names
from api.serializers import KnownFieldsOnly, printable
from api.views import MOST_ID
from mmm_project.problems import Invalid
from reports.deliveries.addresses import MOST

M = TypeVar("M", bound=Model)
LONGEST_ADDRESS = 254
LARGEST_AMOUNT = 10**13 - 1
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_AMOUNT = r"^[0-9]{1,13}([.][0-9]{1,4})?$"
_SMALLEST = Decimal("0.0001")


class Text(serializers.CharField):
    """Text; a number is none."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number; text is none."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Id(Whole):
    """The number of a row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MOST_ID, **kwargs)


class Choice(serializers.ChoiceField):
    """One of several names or numbers, of the type that these have."""

    def to_internal_value(self, data: Any) -> Any:
        if type(data) not in {type(choice) for choice in self.choices}:
            self.fail("invalid_choice", input=printable(str(data))[:40])
        return super().to_internal_value(data)


class Params(serializers.DictField):
    """Settings by name, of which no text holds what no database stores."""

    def to_internal_value(self, data: Any) -> dict[Any, Any]:
        try:
            text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        except ValueError:
            raise serializers.ValidationError("Numbers must be finite.") from None
        if "\\u0000" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise serializers.ValidationError("Text must not contain NUL or surrogate characters.")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "pattern": _TIME, "example": "09:00"})
class ClockTime(Text):
    """A time of the day to the minute, such as 09:00."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not re.fullmatch(_TIME, text):
            raise serializers.ValidationError("Write a time such as 09:00.")
        return dt.time.fromisoformat(text)


class Zone(Text):
    """A time zone by its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in timezone_names():
            sentence = f"“{printable(name)[:40]}” is not an IANA time zone, such as Europe/Berlin."
            raise serializers.ValidationError(sentence)
        return name


@extend_schema_field({"type": "string", "format": "email", "maxLength": LONGEST_ADDRESS})
class Address(Text):
    """An address as it was sent, which the actions judge: line breaks stay in it, and are refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_ADDRESS, trim_whitespace=False, **kwargs)


class Addresses(serializers.ListField):
    """Who gets the mails."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Address(), min_length=1, max_length=MOST, **kwargs)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": _AMOUNT},
            {"type": "number", "minimum": 0, "maximum": LARGEST_AMOUNT},
        ]
    }
)
class Amount(serializers.Field):  # type: ignore[type-arg]  # what it takes and what it gives differ
    """An amount as text, such as "99.5", which keeps its decimals, or as a number, which is rounded to four of them."""

    def to_internal_value(self, data: Any) -> Decimal:
        is_number = isinstance(data, int | float) and not isinstance(data, bool) and 0 <= data <= LARGEST_AMOUNT
        if not is_number and not (isinstance(data, str) and re.fullmatch(_AMOUNT, data)):
            raise serializers.ValidationError("Write an amount such as “99.5”: from 0 on, with four decimals at most.")
        return Decimal(repr(data) if is_number else data).quantize(_SMALLEST, rounding=ROUND_HALF_EVEN)


class Part(KnownFieldsOnly):
    """A part of a body, which has no unknown fields either."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({printable(name): ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs


def named(rows: QuerySet[M], pk: object, *, field: str, sentence: str) -> M | None:
    """Return the row that a body names, None for null. Raises Invalid for one that is not there, whosever it is."""
    if pk is None:
        return None
    try:
        found = rows.filter(pk=pk).first()
    except (DjangoValidationError, ValueError):
        found = None
    if found is None:
        raise Invalid(sentence, errors={field: [sentence]})
    return found
