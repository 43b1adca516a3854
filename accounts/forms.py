"""Forms of the account pages."""

from typing import ClassVar

from babel.numbers import get_currency_name, list_currencies
from django import forms

from accounts.models import Workspace, timezone_names


def currency_choices() -> list[tuple[str, str]]:
    """Return (code, name) of every ISO 4217 currency, for a list to search in."""
    return [(code, get_currency_name(code, locale="en")) for code in sorted(list_currencies())]


def timezone_choices() -> list[str]:
    return sorted(timezone_names())


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The little that a new workspace needs; everything else has a default and a setting."""

    class Meta:
        model = Workspace
        fields: ClassVar = ["name", "currency", "timezone"]
        labels: ClassVar = {"timezone": "Time zone"}
        help_texts: ClassVar = {
            "name": "Usually your company or brand.",
            "currency": "Type a code or a name. All amounts of this workspace are in this currency.",
            "timezone": "Type a city. Days and weeks begin and end by its clock.",
        }
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autofocus": True, "autocomplete": "organization"}),
            "currency": forms.TextInput(attrs={"list": "currencies", "autocomplete": "off"}),
            "timezone": forms.TextInput(attrs={"list": "timezones", "autocomplete": "off"}),
        }

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()
