"""The form of a segment: a name, how its conditions combine, and a small form for each of them.

It works without a script: the buttons that add and remove conditions send the form, which comes back with one more or
one less. What was typed so far is kept as it is, and judged only when it is to be saved or counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import Workspace
from marketing.channel_index import ChannelIndex, channel_index
from marketing.models import SavedSegment
from marketing.segments import names
from marketing.segments.definition import (
    BOUNDS,
    HAVE_SEVERAL,
    INTERACTIONS,
    LONGEST_NAME,
    MOST_CONDITIONS,
    NAMED,
    Bounded,
    Condition,
    Definition,
    InvalidDefinition,
    Named,
    What,
    parse,
)
from marketing.segments.saved import LONGEST_NAME as LONGEST_SEGMENT_NAME
from marketing.segments.saved import definition_of
from marketing.segments.words import LABELS, interaction_label

SAVE, PREVIEW, ADD, REMOVE = "save", "preview", "add", "remove"
MOST_BOXES = 120  # beyond, names are written down instead of ticked
HELP = {
    What.ATTRIBUTE: "As last known when the journey ends.",
    What.CUSTOMER: "New: no earlier conversion to the same goal, however long ago.",
    What.ACQUIRED_BY: "The channel of the first touch of all that the customer made, whatever the lookback window.",
    What.FIRST_CHANNEL: "The channel of the first touch in the lookback window.",
    What.CHANNELS: "All channels touched in the lookback window.",
    What.INTERACTIONS: "All kinds of touch in the lookback window.",
    What.TOUCHES: "In the lookback window.",
    What.VALUE: "What the conversion is worth. A path without conversion is in no band.",
}


@dataclass(frozen=True)
class Choices:
    """The names that conditions can choose from."""

    channels: ChannelIndex
    attributes: tuple[str, ...]
    saved: Definition

    @classmethod
    def of(cls, workspace: Workspace, saved: Definition) -> "Choices":
        return cls(channel_index(workspace=workspace), tuple(names.attribute_names(workspace=workspace)), saved)

    def for_(self, what: What) -> list[tuple[str, str]]:
        """Return value and label of each name, those that are saved but no longer in the data last."""
        if what == What.INTERACTIONS:
            return [(code, interaction_label(code)) for code in INTERACTIONS]
        known = self.attributes if what == What.ATTRIBUTE else [one.name for one in self.channels.standing()]
        folded = {name.casefold() for name in known}
        saved = (one for one in self.saved.conditions if isinstance(one, Named) and one.what == what)
        gone = {name for one in saved for name in self.present(one) if name.casefold() not in folded}
        return [*((name, name) for name in known), *((name, f"{name} (no longer there)") for name in sorted(gone))]

    def present(self, condition: Named) -> list[str]:
        """Return the names of a saved condition as they are now: channels may have been renamed or merged since."""
        if condition.what in (What.ATTRIBUTE, What.INTERACTIONS):
            return list(condition.names)
        found = ((name, self.channels.named(name)) for name in condition.names)
        return list(dict.fromkeys(channel.name if channel else name for name, channel in found))


class _Names(forms.CharField):
    """Names, one on each line, for when there are too many to tick."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class ConditionForm(forms.Form):
    """What all conditions have in common: what they are about, and their place."""

    what: What

    @property
    def title(self) -> str:
        return LABELS[self.what]

    @property
    def explanation(self) -> str:
        return HELP[self.what]

    @property
    def place(self) -> str:
        """Which condition it is in what the form sends."""
        return str(self.prefix or "").removeprefix("c")

    @property
    def number(self) -> int:
        """Which condition it is for people, who count from 1."""
        return int(self.place) + 1

    def raw(self) -> dict[str, Any]:
        """Return the condition as JSON that is still to be checked."""
        raise NotImplementedError

    def field_of(self, key: str) -> str | None:
        """Return the field that a member of the JSON comes from."""
        raise NotImplementedError


class NamedForm(ConditionForm):
    """Names, and how they relate to the journey."""

    relation = forms.ChoiceField(label="Relation")
    names: forms.Field

    def __init__(self, *args: Any, what: What, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.what = what
        self._known = {value.casefold(): value for value, _ in choices}
        relations = [("any", "is one of"), ("not_any", "is not one of")]
        if what in HAVE_SEVERAL:
            relations = [
                ("any", "include any of"),
                ("all", "include all of"),
                ("not_any", "include none of"),
                ("not_all", "do not include all of"),
            ]
        self.fields["relation"].choices = relations  # type: ignore[attr-defined]
        if len(choices) <= MOST_BOXES:
            boxes = forms.CheckboxSelectMultiple
            self.fields["names"] = forms.MultipleChoiceField(label=LABELS[what], choices=choices, widget=boxes)
        else:
            self.fields["names"] = _Names(label=LABELS[what], help_text="One name on each line.")
            self.fields["names"].widget.attrs["rows"] = 5

    def clean_names(self) -> list[str]:
        """Refuse names that nothing has: the condition would hold for nobody, and nobody would see why."""
        chosen: list[str] = self.cleaned_data["names"]
        if unknown := [name for name in chosen if name.casefold() not in self._known]:
            raise forms.ValidationError(f"There is no “{unknown[0][:LONGEST_NAME]}” in the data of this workspace.")
        return [self._known[name.casefold()] for name in chosen]

    def raw(self) -> dict[str, Any]:
        relation = self.cleaned_data["relation"]
        key = "all_of" if relation.endswith("all") else "any_of"
        return {
            "type": str(self.what),
            key: self.cleaned_data["names"],
            "not": relation.startswith("not_"),
        }

    def field_of(self, key: str) -> str | None:
        return "names" if key in ("any_of", "all_of") else None


class NewnessForm(ConditionForm):
    """New customers, or returning ones."""

    what = What.CUSTOMER
    kind = forms.ChoiceField(
        label="Customers", choices=[("new", "New"), ("returning", "Returning")], widget=forms.RadioSelect
    )

    def raw(self) -> dict[str, Any]:
        return {"type": str(self.what), "is": self.cleaned_data["kind"]}

    def field_of(self, key: str) -> str | None:
        return "kind" if key == "is" else None


class BoundedForm(ConditionForm):
    """Bounds of a number, of which one may be left open."""

    relation = forms.ChoiceField(label="Relation", choices=[("in", "is between"), ("out", "is not between")])
    low = forms.FloatField(label="At least", required=False)
    high = forms.FloatField(label="At most", required=False)

    def __init__(self, *args: Any, what: What, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.what = what
        is_value = what == What.VALUE
        self.fields["high"].label = "Below" if is_value else "At most"
        self.unit = currency if is_value else "touches"
        for name in ("low", "high"):
            self.fields[name].widget.attrs |= {"min": 0, "step": "any" if is_value else 1, "inputmode": "decimal"}

    def raw(self) -> dict[str, Any]:
        low, high = BOUNDS[self.what]
        bounds = {low: self.cleaned_data["low"], high: self.cleaned_data["high"]}
        return {"type": str(self.what), **bounds, "not": self.cleaned_data["relation"] == "out"}

    def field_of(self, key: str) -> str | None:
        return dict(zip(BOUNDS[self.what], ("low", "high"), strict=True)).get(key)


class HeadForm(forms.Form):
    """What a segment is called, and how its conditions combine."""

    name = forms.CharField(label="Name", max_length=LONGEST_SEGMENT_NAME)
    match = forms.ChoiceField(
        label="A journey belongs to it if",
        choices=[("all", "all conditions hold"), ("any", "any condition holds")],
        widget=forms.RadioSelect,
        initial="all",
    )


class SegmentForm:
    """The whole of it: `head`, and `conditions`, each a form. `definition` is set once `is_valid` has said yes."""

    def __init__(self, *, workspace: Workspace, segment: SavedSegment | None = None, data: QueryDict | None = None):
        self._workspace, self._data = workspace, data
        self.definition = definition_of(segment) if segment else Definition()
        self._choices = Choices.of(workspace, self.definition)
        self.errors: list[str] = []
        self.new_place = ""
        self._judged: list[ConditionForm] = []
        self.action, _, self._argument = (data.get("action", SAVE) if data is not None else "").partition(":")
        if data is None:
            self.head = HeadForm(initial={"name": segment.name if segment else "", "match": str(self.definition.match)})
            self.conditions = [
                self._form(one.what, place, initial=self._initial(one))
                for place, one in enumerate(self.definition.conditions)
            ]
            return
        sent = [pair for pair in _sent(data) if self.action != REMOVE or str(pair[0]) != self._argument]
        self._judged = [self._form(what, place, data=data) for place, what in sent]
        if self.action in (ADD, REMOVE):
            self.head = HeadForm(initial={name: data.get(name, "") for name in HeadForm.base_fields})
            self.conditions = self._redrafted([(what, _draft(data, place)) for place, what in sent])
        else:
            self.head = HeadForm(data)
            self.conditions = self._judged

    @property
    def name(self) -> str:
        return str(self.head.cleaned_data["name"])

    @property
    def addable(self) -> list[tuple[str, str]]:
        """The conditions that can be added: those whose names the data has."""
        if len(self.conditions) >= MOST_CONDITIONS:
            return []
        return [(str(what), label) for what, label in LABELS.items() if what not in NAMED or self._choices.for_(what)]

    @property
    def is_full(self) -> bool:
        return len(self.conditions) >= MOST_CONDITIONS

    @property
    def has_attributes(self) -> bool:
        return bool(self._choices.for_(What.ATTRIBUTE))

    def is_valid(self) -> bool:
        """Whether it can be saved; if not, the forms and `errors` say why."""
        return all([self.head.is_valid(), self.is_countable()])

    def is_countable(self) -> bool:
        """Whether its conditions are right, whatever it is called."""
        if self._data is None:  # as it is saved
            return True
        right = [condition.is_valid() for condition in self._judged]  # of all: each is to say what is wrong with it
        if self.new_place or not all(right):  # what has just been added is not complete
            return False
        conditions = [condition.raw() for condition in self._judged]
        raw = {"match": self._data.get("match", "all"), "conditions": conditions}
        try:
            self.definition = parse(raw)
        except InvalidDefinition as refusal:
            self._blame(refusal.errors)
            return False
        return True

    def refuse(self, errors: Mapping[str, Any], detail: str) -> None:
        """Show why what was valid could not be saved all the same."""
        if "name" in errors:
            self.head.add_error("name", list(errors["name"]))
        else:
            self.errors.append(detail)

    def _blame(self, errors: Mapping[str, str]) -> None:
        """Show each mistake beside the field that it was made in."""
        for path, sentence in errors.items():
            start, _, rest = path.partition("].")
            place = start.removeprefix("conditions[").rstrip("]")
            if path.startswith("conditions[") and place.isdigit():
                condition = self._judged[int(place)]
                condition.add_error(condition.field_of(rest), sentence)
            else:
                self.errors.append(sentence)

    def _redrafted(self, drafts: list[tuple[What, dict[str, Any]]]) -> list[ConditionForm]:
        """The conditions as they were sent, with the one more that may have been asked for."""
        if self.action == ADD and self._argument in list(What) and len(drafts) < MOST_CONDITIONS:
            drafts.append((What(self._argument), {}))
            self.new_place = str(len(drafts) - 1)
        return [self._form(what, place, initial=initial) for place, (what, initial) in enumerate(drafts)]

    def _initial(self, condition: Condition) -> dict[str, Any]:
        """What the form of a saved condition starts with."""
        match condition:
            case Named():
                relation = f"{'not_' if condition.negated else ''}{'all' if condition.every else 'any'}"
                return {"relation": relation, "names": self._choices.present(condition)}
            case Bounded():
                low, high = (None if bound is None else f"{bound:.15g}" for bound in (condition.low, condition.high))
                return {"relation": "out" if condition.negated else "in", "low": low, "high": high}
        return {"kind": "returning" if condition.negated else "new"}

    def _form(self, what: What, place: int, **kwargs: Any) -> ConditionForm:
        kwargs["prefix"] = f"c{place}"
        if what in NAMED:
            return NamedForm(what=what, choices=self._choices.for_(what), **kwargs)
        if what in BOUNDS:
            return BoundedForm(what=what, currency=self._workspace.currency, **kwargs)
        return NewnessForm(**kwargs)


def _sent(data: QueryDict) -> list[tuple[int, What]]:
    """The places of the conditions that were sent, and what each is about; no more than there may be."""
    places = dict.fromkeys(place for place in data.getlist("condition") if place.isascii() and place.isdigit())
    found = [(int(place[:4]), data.get(f"c{place}-what", "")) for place in places]
    return [(place, What(what)) for place, what in found if what in list(What)][:MOST_CONDITIONS]


def _draft(data: QueryDict, place: int) -> dict[str, Any]:
    """What was chosen and typed in a condition, unjudged."""
    prefix = f"c{place}-"
    sent = {key.removeprefix(prefix): data.getlist(key) for key in data if key.startswith(prefix)}
    return {name: values if name == "names" else values[-1] for name, values in sent.items() if values}
