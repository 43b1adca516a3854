"""The forms of Settings > API access."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone as clock

from accounts.models import ApiKey
from accounts.scopes import Scope, why_not
from mmm_project.problems import Problem

NEVER, ON_A_DAY = "never", "custom"  # `<custom-choice>` shows the field of the day for the latter
LATEST_DAYS = 10 * 366
OVERLAPS = {
    "0": "At once",
    "1": "After 1 hour",
    "24": "After 24 hours",
    "168": "After 7 days",
}


class _KeyForm(forms.Form):
    """A form that makes a key, once: it names the id that the key will have."""

    key_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"key_id": uuid.uuid4(), **(initial or {})})

    def clean(self) -> dict[str, Any]:
        if "key_id" in self.errors:
            self.add_error(None, "Something is missing from this form. Open it anew.")
        return self.cleaned_data

    def refuse(self, refusal: Problem) -> None:
        """Say why there is no key, beside the field that it is about where there is one."""
        by_field = {name: sentences for name, sentences in refusal.errors.items() if name in self.fields}
        for name, sentences in by_field.items():
            self.add_error(name, list(sentences))
        if not by_field:
            self.add_error(None, refusal.detail)


class CreateForm(_KeyForm):
    """What a key is for, what it may do and how long; of scopes those that keys of the role `role` can have."""

    name = forms.CharField(
        max_length=ApiKey._meta.get_field("name").max_length,
        help_text="To recognise it by: what will use it, and where.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Nightly import of touchpoints"}),
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one thing that the key may do.",
            "invalid_choice": "Your role does not allow the scope %(value)s to a key, or there is none of this name.",
        },
    )
    expires = forms.ChoiceField(
        label="Works for",
        choices=[
            ("30", "30 days"),
            ("90", "90 days"),
            ("365", "A year"),
            (ON_A_DAY, "Until a day that you choose"),
            (NEVER, "Without an end"),
        ],
        initial="90",
    )
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        role: str,
        zone: ZoneInfo,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self._zone = zone
        self.expires_at: dt.datetime | None = None
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope.value, scope.label) for scope in Scope if not why_not(scope, role)]

    @property
    def chosen(self) -> Iterable[str]:
        """The scopes that are ticked, or were when the form was sent."""
        return self["scopes"].value() or ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        expires = cleaned.get("expires")
        if expires == ON_A_DAY:
            self.expires_at = self._end_of(cleaned.get("last_day"))
        elif expires and expires != NEVER:
            self.expires_at = clock.now() + dt.timedelta(days=int(expires))
        return cleaned

    def _end_of(self, day: dt.date | None) -> dt.datetime | None:
        """Return the end of `day` where the workspace is; None, with an error, for a day that it cannot be."""
        today = clock.now().astimezone(self._zone).date()
        if day is None:
            if "last_day" not in self.errors:
                self.add_error("last_day", "Choose the last day on which the key is to work.")
            return None
        if not today <= day <= today + dt.timedelta(days=LATEST_DAYS):
            self.add_error("last_day", "Choose a day from today on, within the next ten years.")
            return None
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), self._zone)


class RotateForm(_KeyForm):
    """How long the old key goes on beside the new one."""

    overlap = forms.ChoiceField(
        label="The old key stops working", choices=list(OVERLAPS.items()), initial="24", widget=forms.RadioSelect
    )

    @property
    def chosen_overlap(self) -> dt.timedelta:
        return dt.timedelta(hours=int(self.cleaned_data["overlap"]))
