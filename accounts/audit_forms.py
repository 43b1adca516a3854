"""What the audit log is filtered by, as the page's address and the request for an export say it."""

from datetime import date
from typing import Any

from django import forms

from accounts import audit_log
from accounts.audit_log import THE_PRODUCT, Filters
from accounts.audit_words import NOUNS, NOUNS_OF_NO_WORKSPACE, OF_NO_WORKSPACE, actions_of, in_words
from accounts.models import ApiKey, User, Workspace

NO_CHOICE = {"invalid_choice": "This is not in the list, so it is left out."}
NO_DAY = {"invalid": "This is no day, so it is left out."}


class DayInput(forms.DateInput):
    """A browser's own date picker, which warns of a value that is no day: it gets none then."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")

    def format_value(self, value: Any) -> str | None:
        day = super().format_value(value)
        try:
            return date.fromisoformat(day).isoformat() if day else None
        except ValueError:
            return None


class AuditFilterForm(forms.Form):
    """All of it may be left out. What cannot be is an error, and filters nothing."""

    actor = forms.ChoiceField(label="Who", required=False, error_messages=NO_CHOICE)
    api_key = forms.ChoiceField(label="API key", required=False, error_messages=NO_CHOICE)
    action = forms.ChoiceField(label="What", required=False, error_messages=NO_CHOICE)
    target = forms.CharField(
        label="Object contains", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    start = forms.DateField(label="From", required=False, widget=DayInput(), error_messages=NO_DAY)
    end = forms.DateField(label="To", required=False, widget=DayInput(), error_messages=NO_DAY)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        self._actors = {str(user.pk): user for user in audit_log.actors(workspace)}
        self._keys = {str(key.pk): key for key in audit_log.keys(workspace)}
        people = [(pk, user.email) for pk, user in self._actors.items()]
        fields["actor"].choices = [("", "Anybody"), (THE_PRODUCT, "The product itself"), *people]
        fields["api_key"].choices = [("", "With or without"), *((pk, str(key)) for pk, key in self._keys.items())]
        fields["action"].choices = [("", "Anything"), *_actions()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("start") and data.get("end") and data["start"] > data["end"]:
            self.add_error("end", "This day is before the first one, so it is left out.")
        return data

    @property
    def filters(self) -> Filters:
        """What is asked for, as far as it can be."""
        self.is_valid()
        data = self.cleaned_data
        actor = self._actors.get(data.get("actor", ""))
        key: ApiKey | None = self._keys.get(data.get("api_key", ""))
        return Filters(
            actor=THE_PRODUCT if data.get("actor") == THE_PRODUCT else actor.pk if isinstance(actor, User) else None,
            api_key=key.pk if key else None,
            action=data.get("action", ""),
            target=data.get("target", ""),
            start=data.get("start"),
            end=data.get("end"),
        )

    @property
    def asked(self) -> dict[str, str]:
        """The filters that say something, as addresses and other forms carry them on."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    @property
    def problems(self) -> list[str]:
        """What was asked for and cannot be, in sentences."""
        return [f"{self.fields[name].label}: {sentence}" for name, said in self.errors.items() for sentence in said]


def _actions() -> list[tuple[str, list[tuple[str, str]]]]:
    """All actions that a workspace's log may hold, by what they are about; first everything about it at once."""
    groups = []
    for name, noun in NOUNS.items():
        actions = [action for action in actions_of(name) if action not in OF_NO_WORKSPACE]
        everything = [(name, f"All about {noun.label[0].lower()}{noun.label[1:]}")] if len(actions) > 1 else []
        if actions and name not in NOUNS_OF_NO_WORKSPACE:
            groups.append((noun.label, [*everything, *((action, in_words(action)) for action in actions)]))
    return groups
