"""The form of a custom model: a name, and a small form for each part of what it means.

It works without a script: the buttons that add and remove rules send the form, which comes back with one more or one
less. What was typed so far is kept as it is, and judged only when it is to be saved or previewed.
"""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from accounts.models import Workspace
from attribution.custom import custom_models
from attribution.custom.part_forms import (
    CONTAINS,
    MOST_BOXES,
    ChannelsForm,
    HeadForm,
    PartForm,
    PositionForm,
    RuleForm,
    TimeForm,
    TypesForm,
    names_in,
)
from attribution.methods.custom_definition import MOST_RULES, CustomDefinition, InvalidDefinition, parse
from attribution.models import CustomModel
from marketing.channel_index import channel_index

SAVE, RUN, PREVIEW, ADD, REMOVE = "save", "run", "preview", "add", "remove"
NEW_MODEL = parse({"position": {"first": 40, "middle": 20, "last": 40}})  # what the form of a new one starts with


class CustomModelForm:
    """The whole of it. `definition` is set once `is_countable` or `is_valid` has said yes."""

    def __init__(self, *, workspace: Workspace, model: CustomModel | None = None, data: QueryDict | None = None):
        self._data = data
        self.definition = custom_models.definition_of(custom_models.newest(model)) if model else NEW_MODEL
        self.errors: list[str] = []
        self.new_place = ""
        self.action, _, self._argument = (data.get("action", SAVE) if data is not None else "").partition(":")
        self._names = _channel_names(workspace, self.definition)
        if data is None:
            self._fill(model)
        else:
            self._read(data)

    def _fill(self, model: CustomModel | None) -> None:
        """Start with what is saved."""
        definition = self.definition
        said = {"name": model.name, "description": model.description} if model else {}
        self.head = HeadForm(initial=said)
        shown = {"first": "40", "middle": "20", "last": "40", "nth": "3, 2, 1", "rest": "1", "side": "start"}
        self.position = PositionForm(initial=shown | PositionForm.initial_of(definition))
        self.time = TimeForm(initial=TimeForm.initial_of(definition))
        self.types = TypesForm(initial=TypesForm.initial_of(definition))
        self.channels = ChannelsForm(names=self._names, initial=ChannelsForm.initial_of(definition, self._names))
        as_lines = len(self._names) > MOST_BOXES
        initials = [RuleForm.initial_of(rule, as_lines=as_lines) for rule in definition.rules]
        self.rules = self._drafted(initials)
        self._judged: list[RuleForm] = []

    def _read(self, data: QueryDict) -> None:
        """Take what was sent; with one rule more or less where that was asked for."""
        places = [place for place in _places(data) if self.action != REMOVE or str(place) != self._argument]
        self._judged = [RuleForm(data, names=self._names, prefix=f"r{place}") for place in places]
        self.position, self.time, self.types = PositionForm(data), TimeForm(data), TypesForm(data)
        self.channels = ChannelsForm(data, names=self._names)
        if self.action in (SAVE, RUN):
            self.head = HeadForm(data)
        else:  # its name is still to come
            self.head = HeadForm(initial={name: data.get(name, "") for name in HeadForm.base_fields})
        self.rules = self._judged
        if self.action in (ADD, REMOVE):
            drafts = [_draft(data, place, self.has_boxes) for place in places]
            if self.action == ADD and len(drafts) < MOST_RULES:
                drafts.append({"campaign_relation": CONTAINS})
                self.new_place = str(len(drafts) - 1)
            self.rules = self._drafted(drafts)

    @property
    def name(self) -> str:
        return str(self.head.cleaned_data["name"])

    @property
    def description(self) -> str:
        return str(self.head.cleaned_data["description"])

    @property
    def is_full(self) -> bool:
        return len(self.rules) >= MOST_RULES

    @property
    def has_boxes(self) -> bool:
        return len(self._names) <= MOST_BOXES

    @property
    def has_factors_of_channels(self) -> bool:
        """Whether any channel's multiplier is shown as other than 1: then they are shown unfolded."""
        if self.channels.as_lines:
            return bool(self.channels["lines"].value())
        return any(field.errors or field.value() not in ("1", "", None) for _, field in self.channels.rows)

    def is_valid(self) -> bool:
        """Whether it can be saved; if not, the forms and `errors` say why."""
        return all([self.head.is_valid(), self.is_countable()])

    def is_countable(self) -> bool:
        """Whether what it means is right, whatever it is called."""
        if self._data is None:  # as it is saved
            return True
        right = [form.is_valid() for form in self._parts()]  # of all: each is to say what is wrong with it
        if self.new_place or not all(right):  # what has just been added is not complete
            return False
        try:
            self.definition = parse(self._raw())
        except InvalidDefinition as refusal:
            self._blame(refusal.errors)
            return False
        return True

    def refuse(self, errors: Mapping[str, Any], detail: str) -> None:
        """Show why what was valid could not be saved all the same."""
        named = {name: sentences for name, sentences in errors.items() if name in self.head.fields}
        for name, sentences in named.items():
            self.head.add_error(name, list(sentences))
        if not named:
            self.errors.append(detail)

    def problems(self) -> list[str]:
        """Everything that is wrong with what it means, as sentences, with the fields that they are about."""
        found = list(self.errors)
        for form in self._parts():
            rule = f"Rule {form.number}: " if isinstance(form, RuleForm) else ""
            for name, sentences in form.errors.items():
                label = f"{form.fields[name].label}: " if name in form.fields else ""
                found += [f"{rule}{label}{sentence}" for sentence in sentences]
        return found

    def _parts(self) -> list[PartForm]:
        return [self.position, self.time, self.types, self.channels, *self._judged]

    def _raw(self) -> dict[str, Any]:
        return {
            "position": self.position.raw(),
            "half_life_days": self.time.raw(),
            "channels": self.channels.raw(),
            "channel_types": self.types.raw(),
            "rules": [rule.raw() for rule in self._judged],
        }

    def _blame(self, errors: Mapping[str, str]) -> None:
        """Show each mistake beside the field that it was made in."""
        parts: dict[str, PartForm] = {
            "position": self.position,
            "half_life_days": self.time,
            "channel_types": self.types,
            "channels": self.channels,
        } | {f"rules[{place}]": rule for place, rule in enumerate(self._judged)}
        for path, sentence in errors.items():
            form = parts.get(path.partition(".")[0])
            if form is None:
                self.errors.append(sentence)
            else:
                form.add_error(form.field_of(path), sentence)

    def _drafted(self, initials: list[dict[str, Any]]) -> list[RuleForm]:
        return [
            RuleForm(names=self._names, prefix=f"r{place}", initial=initial) for place, initial in enumerate(initials)
        ]


def _channel_names(workspace: Workspace, definition: CustomDefinition) -> list[str]:
    """The workspace's channels in the order of their colours, then those that only the definition names."""
    known = [channel.name for channel in channel_index(workspace=workspace).standing()]
    folded = {name.casefold() for name in known}
    return [*known, *(name for name in names_in(definition) if name.casefold() not in folded)]


def _places(data: QueryDict) -> list[int]:
    """The places of the rules that were sent; no more than there may be."""
    found = dict.fromkeys(place for place in data.getlist("rule") if place.isascii() and place.isdigit())
    return [int(place[:4]) for place in found][:MOST_RULES]


def _draft(data: QueryDict, place: int, has_boxes: bool) -> dict[str, Any]:
    """What was chosen and typed in a rule, unjudged."""
    several = {"channel_type", "interaction", "position", *(("channel",) if has_boxes else ())}
    prefix = f"r{place}-"
    sent = {key.removeprefix(prefix): data.getlist(key) for key in data if key.startswith(prefix)}
    return {name: values if name in several else values[-1] for name, values in sent.items() if values}
