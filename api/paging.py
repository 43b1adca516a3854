"""Long lists in pages that stay put while rows arrive."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from mmm_project.problems import Invalid


class Pages(CursorPagination):
    """`page_size` rows after `cursor`; `next` and `previous` are addresses to follow, null at the ends.

    A view's `ordering` has to end with something unique. More than `max_page_size` is capped, as there are ends to
    what one answer holds. Raises Invalid for a size or a cursor that there cannot be.
    """

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = "How many rows at once: 1 to 200."
    cursor_query_description = "Where to go on: taken from the `next` or `previous` of an answer."

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, ValidationError, DataError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            raise _no_cursor() from error  # it names a place in another order

    def get_ordering(self, _request: Request, _queryset: Any, view: Any) -> tuple[str, ...]:
        ordering = getattr(view, "ordering", self.ordering)
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and len(asked) <= 18 and int(asked) > 0):
            sentence = f"Use a whole number from 1 to {self.max_page_size}."
            raise Invalid("This is no size of a page.", errors={"page_size": [sentence]})
        return min(int(asked), self.max_page_size)

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise _no_cursor() from error

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        link = {"type": ["string", "null"], "format": "uri"}
        properties = described["properties"] | {"next": link, "previous": link}
        return described | {"properties": properties, "required": ["next", "previous", "results"]}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        size = {"type": "integer", "minimum": 1, "default": self.page_size}
        return [each | {"schema": size} if each["name"] == self.page_size_query_param else each for each in parameters]


def _no_cursor() -> Invalid:
    sentence = "Follow the `next` or `previous` of an answer as it is."
    return Invalid("This cursor leads nowhere.", errors={"cursor": [sentence]})
