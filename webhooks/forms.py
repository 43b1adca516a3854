"""The form of an endpoint, and the filter of its log."""

from typing import Any

from django import forms

from mmm_project.problems import Invalid
from webhooks.event_types import SUBSCRIBABLE, EventType
from webhooks.models import LONGEST_DESCRIPTION, Endpoint


class EndpointForm(forms.Form):
    """Where to send what; whether it may be sent there is for `webhooks.endpoints` to say."""

    url = forms.CharField(
        label="URL",
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://example.com/webhooks"}),
        help_text="Of your own program, on the public internet. Events are sent to it by POST.",
    )
    description = forms.CharField(
        max_length=LONGEST_DESCRIPTION,
        required=False,
        help_text="What it is for, for those who look after it.",
    )
    events = forms.MultipleChoiceField(
        choices=[(event.value, f"{event.label} ({event.value})") for event in SUBSCRIBABLE],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one event."},
    )

    def refuse(self, refusal: Invalid) -> None:
        """Say beside its field what the action refused."""
        if not refusal.errors:
            self.add_error(None, refusal.detail)
        for field, sentences in refusal.errors.items():
            self.add_error(field, list(sentences))


def first_choices() -> dict[str, Any]:
    """What the form of a new endpoint begins with."""
    return {"events": [EventType.RUN_FINISHED.value, EventType.IMPORT_FINISHED.value]}


def choices_of(endpoint: Endpoint) -> dict[str, Any]:
    """What the form of an endpoint shows before anything is changed."""
    return {"url": endpoint.url, "description": endpoint.description, "events": endpoint.events}
