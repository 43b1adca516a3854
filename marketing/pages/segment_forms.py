"""The form of a segment: a name, how its conditions combine, and a small form for each of them.

It works without a script: the buttons that add and remove conditions send the form, which comes back with one more or
one less. What was typed so far is kept as it is, and judged only when it is to be saved or counted.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import Workspace
from marketing.models import SavedSegment
from marketing.pages.segment_condition_forms import BoundedForm, Choices, ConditionForm, NamedForm, NewnessForm
from marketing.segments.definition import (
    BOUNDS,
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
from marketing.segments.saved import LONGEST_NAME, definition_of
from marketing.segments.words import LABELS

SAVE, PREVIEW, ADD, REMOVE = "save", "preview", "add", "remove"


class HeadForm(forms.Form):
    """What a segment is called, and how its conditions combine."""

    name = forms.CharField(label="Name", max_length=LONGEST_NAME)
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
