"""How lists are narrowed by the address's query."""

import datetime as dt
import re
from typing import Any

from django import forms
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import CharFilter, ChoiceFilter, NumberFilter, UUIDFilter

YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Nothing is outside of these, and within them no zone leads over an end of the calendar.
FIRST_MOMENT, LAST_MOMENT = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(3000, 1, 1, tzinfo=dt.UTC)


class Filters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """What a list may be narrowed by: a view's `filterset_class`. Values that there cannot be are refused (400)."""


class YesOrNo(forms.Field):
    """`true` or `false`, or `1` or `0`: the library's own field takes everything else for nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{name: value for name, value in kwargs.items() if name != "null_label"})

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        answer = YES_OR_NO.get(str(value).lower())
        if answer is None:
            raise forms.ValidationError("Use true or false.")
        return answer


class BooleanFilter(filters.BooleanFilter):  # type: ignore[misc]
    """Yes or no, said as `YesOrNo` has it."""

    field_class = YesOrNo

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"widget": forms.TextInput, **kwargs})


class Day(forms.DateField):
    """A day in ISO 8601 alone: the library's own field takes those of the American order, too."""

    def to_python(self, value: Any) -> dt.date | None:
        if value in self.empty_values:
            return None
        try:
            return dt.date.fromisoformat(value if DAY.fullmatch(value) else "")
        except ValueError:
            raise forms.ValidationError("Use a day such as 2026-03-31: year, month and day.") from None


class DateFilter(filters.DateFilter):  # type: ignore[misc]
    """A day, said as `Day` has it."""

    field_class = Day


class Moment(IsoDateTimeField):  # type: ignore[misc]
    """A moment in ISO 8601, in UTC where it says no offset. What lies beyond all data is moved to its ends."""

    def to_python(self, value: Any) -> dt.datetime | None:
        moment = super().to_python(value)
        return None if moment is None else min(max(moment, FIRST_MOMENT), LAST_MOMENT)


class IsoDateTimeFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]
    """A moment, said as `Moment` has it."""

    field_class = Moment


__all__ = [
    "BooleanFilter",
    "CharFilter",
    "ChoiceFilter",
    "DateFilter",
    "Filters",
    "IsoDateTimeFilter",
    "NumberFilter",
    "UUIDFilter",
]
