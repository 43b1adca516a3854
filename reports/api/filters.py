"""What lists of this app are narrowed by."""

from typing import Any

from django import forms
from drf_spectacular.utils import extend_schema_field

from api import filters
from api.views import MOST_ID


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MOST_ID})
class WholeNumberFilter(filters.NumberFilter):  # type: ignore[misc]  # the library has no types
    """The id of a row; one that there is not leaves nothing."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=MOST_ID, **kwargs)
