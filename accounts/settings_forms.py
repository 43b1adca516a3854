"""The form of Settings > General."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from accounts.defaults import (
    LONGEST_PERIOD_DAYS,
    LONGEST_WINDOW_DAYS,
    PERIOD_DAYS,
    WINDOW_DAYS,
    attribution_models,
    holds_amounts,
)
from accounts.models import Workspace, validate_currency, validate_timezone

CUSTOM = "custom"
NO_LONGER_OFFERED = "The model that was the default is no longer offered; it may be archived. {} stands in for it."
AMOUNTS_ARE_IN = "Amounts have been imported in {}, and they would not be converted. It can change once none are left."


def _usual(days: Sequence[int], label: str) -> list[tuple[str, str]]:
    return [*((str(number), label.format(number)) for number in days), (CUSTOM, "Custom")]


def _choices(name: str) -> list[tuple[Any, Any]]:
    """The choices of a field of the workspace."""
    field: Any = Workspace._meta.get_field(name)
    return list(field.choices)


class CurrencyField(forms.CharField):
    """An ISO 4217 code, which may be typed in lower case."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.upper() if isinstance(text, str) else text


class GeneralForm(forms.Form):
    """A workspace's name, its calendar and currency, and its defaults; `values` are the settings once it is valid."""

    name = forms.CharField(max_length=100, help_text="The address of the workspace stays as it is.")
    currency = CurrencyField(
        max_length=3,
        validators=[validate_currency],
        widget=forms.TextInput(attrs={"list": "currencies", "autocomplete": "off"}),
    )
    timezone = forms.CharField(
        label="Time zone",
        max_length=64,
        validators=[validate_timezone],
        widget=forms.TextInput(attrs={"list": "timezones", "autocomplete": "off"}),
        help_text="Days begin and end by its clock. Another zone sorts all rows into its own days, and the figures are "
        "computed again. The moments themselves stay, also of times in files that said no zone.",
    )
    week_start = forms.TypedChoiceField(
        label="Weeks start on",
        choices=Workspace.WeekStart.choices,
        coerce=int,
        help_text="The day by which calendars, such as that of gaps in the data, mark weeks.",
    )
    period = forms.ChoiceField(
        label="Time period",
        choices=_usual(PERIOD_DAYS, "Last {} days"),
        help_text="What a page shows unless its address says otherwise.",
    )
    period_days = forms.IntegerField(label="Last days", min_value=1, max_value=LONGEST_PERIOD_DAYS, required=False)
    window = forms.ChoiceField(
        label="Attribution window",
        choices=_usual(WINDOW_DAYS, "{} days"),
        help_text="How long before a conversion a touch still counts: the lookback window. It should be as long as "
        "your customers take to decide.",
    )
    window_days = forms.IntegerField(label="Days", min_value=1, max_value=LONGEST_WINDOW_DAYS, required=False)
    default_attribution_model = forms.ChoiceField(
        label="Attribution model", help_text="The dashboard credits channels by it unless its address says otherwise."
    )
    confidence = forms.TypedChoiceField(
        label="Confidence level",
        choices=_choices("confidence"),
        coerce=int,
        help_text="Of the intervals around estimates: the higher, the wider.",
    )
    channel_grouping = forms.ChoiceField(label="Channel grouping", choices=Workspace.Grouping.choices)
    keep_files_days = forms.TypedChoiceField(
        label="Keep uploaded files for",
        choices=_choices("keep_files_days"),
        coerce=int,
        help_text="Then the file itself is deleted. What was imported from it stays.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, workspace: Workspace) -> None:
        super().__init__(data, initial=_initial(workspace))
        self.values: dict[str, object] = {}
        self._offer_models(workspace)
        self.fields["channel_grouping"].help_text = _about_grouping(workspace)
        if holds_amounts(workspace):
            # A disabled field keeps its initial value, whatever is sent.
            self.fields["currency"].disabled = True
            self.fields["currency"].help_text = AMOUNTS_ARE_IN.format(workspace.currency)
        else:
            self.fields["currency"].help_text = "Of all amounts. It can change until the first ones are imported."

    def _offer_models(self, workspace: Workspace) -> None:
        models: Any = self.fields["default_attribution_model"]
        groups = attribution_models(workspace)
        # A lone group needs no name.
        models.choices = groups if len(groups) > 1 else [choice for _group, choices in groups for choice in choices]
        known = dict(_flat(groups))
        if workspace.default_attribution_model not in known and known:
            usual = Workspace._meta.get_field("default_attribution_model").default
            self.initial["default_attribution_model"] = usual if usual in known else next(iter(known))
            stands_in = known[self.initial["default_attribution_model"]]
            models.help_text = format_html("{} {}", models.help_text, NO_LONGER_OFFERED.format(stands_in))

    def clean(self) -> dict[str, Any]:
        """Make one number of days of each choice and what was typed for “Custom”."""
        data = super().clean() or {}
        for name in ("period", "window"):
            number = data.get(f"{name}_days") if data.get(name) == CUSTOM else data.get(name)
            if number is None and name in data and f"{name}_days" not in self.errors:
                self.add_error(f"{name}_days", "Say how many days.")
            elif number is not None:
                data[f"{name}_days"] = int(number)
        self.values = {name: value for name, value in data.items() if name not in ("period", "window")}
        return data

    def shown(self) -> list[tuple[object, object]]:
        """Return label and value of each setting, for those who may only read them."""
        shown: list[tuple[object, object]] = []
        for bound in self:
            choices = dict(_flat(getattr(bound.field, "choices", ())))
            if bound.name.endswith("_days") and bound.name != "keep_files_days":
                continue
            value = bound.initial
            if value == CUSTOM:
                unit = "Last {} days" if bound.name == "period" else "{} days"
                shown.append((bound.label, unit.format(self.initial[f"{bound.name}_days"])))
            else:
                shown.append((bound.label, choices.get(value, value)))
        return shown


def _flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    """The choices themselves, of groups or of none."""
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label


def _initial(workspace: Workspace) -> dict[str, Any]:
    initial = {name: getattr(workspace, name) for name in GeneralForm.base_fields if hasattr(workspace, name)}
    initial["period"] = str(workspace.period_days) if workspace.period_days in PERIOD_DAYS else CUSTOM
    initial["window"] = str(workspace.window_days) if workspace.window_days in WINDOW_DAYS else CUSTOM
    return initial


def _about_grouping(workspace: Workspace) -> str:
    """Say what the setting does, and lead to where its rules are."""
    text = "How traffic becomes channels."
    try:
        url = reverse("marketing:channels", kwargs={"slug": workspace.slug})
    except NoReverseMatch:
        return text
    return format_html('{} <a href="{}">See and change the rules</a>', text, url)
