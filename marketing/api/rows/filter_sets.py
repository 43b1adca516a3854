"""Which list of rows may be narrowed by what."""

from collections.abc import Mapping
from typing import Any

from django import forms
from drf_spectacular.utils import extend_schema_field

from accounts.permissions import Permission
from api import filters
from marketing.api.rows.filters import RowFilter
from marketing.models import Dataset

TEXT = {"type": "string", "pattern": r"^[^\x00]+$"}
ID = {"type": "integer", "minimum": 1}
CUSTOMER_ID = {"type": "string", "pattern": "^[0-9]{1,19}$"}
OF_DAYS: Mapping[str, tuple[str, str]] = {
    "occurred_at": ("On this day of the workspace's time zone or later.", "On this day or earlier."),
    "date": ("Of this day or later.", "Of this day or earlier."),
    "start": ("Not over before this day.", "Begun on this day or earlier."),
    "date or none": ("Of this day or later, or of no day.", "Of this day or earlier, or of no day."),
}
OF_CHANNEL = "Name or id of a channel, with all that counts for it: former names and merged channels are known."


class IdFilter(filters.NumberFilter):  # type: ignore[misc]  # the library has no types
    """The id of something."""

    field_class = forms.IntegerField


class CustomerIdFilter(filters.CharFilter):  # type: ignore[misc]
    """The id of a customer, as rows have it."""

    field_class = forms.RegexField


def _described(filter_class: Any, schema: Mapping[str, Any], help_text: str, **kwargs: Any) -> Any:
    """Make a filter whose values are those of the schema."""
    annotate = extend_schema_field({**schema, "description": help_text})
    return annotate(filter_class(help_text=help_text, **kwargs))


def _text(method: str, help_text: str) -> Any:
    return _described(filters.CharFilter, TEXT, help_text, method=method)


def _filters_of(name: str, *, when: str, **extra: Any) -> Any:
    """Make a filter set: in the body of a class nothing could be called `from` or `import`."""
    of_first, of_last = OF_DAYS[when]
    members = {
        "when": when,
        "__doc__": "Which rows to list.",
        "from": filters.DateFilter(method="from_day", help_text=of_first),
        "to": filters.DateFilter(method="to_day", help_text=of_last),
        "import": _described(IdFilter, ID, "The id of an import.", method="of_import", min_value=1),
        **extra,
    }
    metaclass: Any = type(RowFilter)
    return metaclass(name, (RowFilter,), members)


def _geo() -> dict[str, Any]:
    return {"geo": _described(filters.CharFilter, TEXT, "The geo, letter for letter.", field_name="geo")}


def _customer() -> dict[str, Any]:
    key = "The customer's key, as it was sent. Addresses are often kept in logs: `customer_id` says nothing there. "
    message = {"invalid": "Give the id of a customer as rows have it: up to 19 digits."}
    return {
        "customer": _text("of_customer", f"{key}Your role has to allow you to {Permission.PRIVACY.value}."),
        "customer_id": _described(
            CustomerIdFilter,
            CUSTOMER_ID,
            "The customer's id, as rows have it.",
            method="of_customer_id",
            regex=r"^[0-9]{1,19}\Z",
            error_messages=message,
        ),
    }


FILTERS: Mapping[Dataset, Any] = {
    Dataset.TOUCHPOINTS: _filters_of(
        "TouchpointFilter",
        when="occurred_at",
        channel=_text("touching_channel", OF_CHANNEL),
        campaign=_text("touching_campaign", "Name or id of a campaign."),
        **_customer(),
    ),
    Dataset.CONVERSIONS: _filters_of(
        "ConversionFilter", when="occurred_at", goal=_text("of_goal", "Name or id of a goal."), **_customer()
    ),
    Dataset.SPEND: _filters_of(
        "SpendFilter",
        when="date",
        channel=_text("of_channel", OF_CHANNEL),
        campaign=_text("of_campaign", "Name or id of a campaign."),
        **_geo(),
    ),
    Dataset.OUTCOMES: _filters_of(
        "OutcomeFilter", when="date", outcome=_text("of_outcome", "Name or id of an outcome."), **_geo()
    ),
    Dataset.CONTROLS: _filters_of(
        "ControlFilter", when="date", control=_text("of_control", "Name or id of a control."), **_geo()
    ),
    Dataset.EXPERIMENTS: _filters_of(
        "ExperimentFilter", when="start", channel=_text("of_channel", OF_CHANNEL), **_geo()
    ),
    Dataset.EVENTS: _filters_of("EventFilter", when="start", **_geo()),
    Dataset.PATHS: _filters_of("PathFilter", when="date or none"),
}
