"""How lists are narrowed by the address's query."""

from django_filters import rest_framework as filters
from django_filters.rest_framework import (
    BooleanFilter,
    CharFilter,
    ChoiceFilter,
    DateFilter,
    IsoDateTimeFilter,
    NumberFilter,
    UUIDFilter,
)


class Filters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """What a list may be narrowed by: a view's `filterset_class`. Values that there cannot be are refused (400)."""


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
