"""Form fields of what is left out, and of countries."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from weightings.setup.choices import countries

OFFERED, KEPT = "offered", "kept"


class LeaveOutWidget(forms.CheckboxSelectMultiple):
    """Boxes of what stays in; its value is what does not.

    What was offered is sent along: what nobody was shown is not left out, and neither is anything where no boxes were.
    """

    def value_from_datadict(self, data: Mapping[str, Any], _files: Any, name: str) -> list[str]:
        kept = _sent(data, f"{name}_{KEPT}")
        unticked = [value for value in _sent(data, f"{name}_{OFFERED}") if value not in kept]
        return list(dict.fromkeys([*unticked, *_sent(data, name)]))

    def create_option(self, name: str, value: Any, label: Any, selected: bool, *args: Any, **kwargs: Any) -> Any:
        option = super().create_option(f"{name}_{KEPT}", value, label, not selected, *args, **kwargs)
        return option | {"offered_as": f"{name}_{OFFERED}"}


class LeaveOutField(forms.MultipleChoiceField):
    """What is left out of the choices, by name. Which names there are is for `weightings.params` to say."""

    widget = LeaveOutWidget

    def valid_value(self, _value: Any) -> bool:
        return True


class CountriesWidget(forms.Widget):
    """Fields to type countries into, one more than there are; the names that are known are suggested."""

    template_name = "weightings/countries.html"
    least = 2

    def format_value(self, value: Any) -> list[str]:
        return _split([value] if isinstance(value, str) else value or [])

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        given, attrs = context["widget"]["value"], context["widget"]["attrs"]
        return context | {
            "given": [*given, *[""] * max(self.least - len(given), 1)],
            "known": list(countries()),
            "is_invalid": "aria-invalid" in attrs,
            "described_by": attrs.get("aria-describedby", ""),
        }

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        # By the project's engine: the one of Django's forms knows the templates of apps only.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def value_from_datadict(self, data: Mapping[str, Any], _files: Any, name: str) -> list[str]:
        return _split(_sent(data, name))


class CountriesField(forms.Field):
    """Countries by name or by two letters, several of them; its value are the letters, and what else was typed."""

    widget = CountriesWidget

    def to_python(self, value: Any) -> list[str]:
        codes = {name.casefold(): code for name, code in countries().items()}
        return [codes.get(country.casefold(), country) for country in value or []]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


def _sent(data: Mapping[str, Any], name: str) -> list[str]:
    if isinstance(data, QueryDict):
        return [str(value) for value in data.getlist(name)]
    value = data.get(name, [])
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _split(texts: Iterable[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]
