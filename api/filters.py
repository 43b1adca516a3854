"""How lists are narrowed by the address's query."""

from typing import Any

from django import forms
from django_filters import rest_framework as filters
from django_filters.rest_framework import (
    CharFilter,
    ChoiceFilter,
    DateFilter,
    IsoDateTimeFilter,
    NumberFilter,
    UUIDFilter,
)

YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}


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
