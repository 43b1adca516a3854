"""A small form for each condition of a segment, and the names that it can choose from."""

from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import Workspace
from marketing.channel_index import ChannelIndex, channel_index
from marketing.segments import names
from marketing.segments.definition import (
    BOUNDS,
    HAVE_SEVERAL,
    INTERACTIONS,
    LONGEST_NAME,
    Definition,
    Named,
    What,
)
from marketing.segments.words import LABELS, interaction_label

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

    def clean(self) -> dict[str, Any]:
        """Say in the words of the form what `parse` would say in those of its JSON."""
        low, high = self.cleaned_data.get("low"), self.cleaned_data.get("high")
        names = [str(self.fields[name].label) for name in ("low", "high")]
        if not self.errors and low is None and high is None:
            raise forms.ValidationError(f"Fill in “{names[0]}”, “{names[1]}” or both.")
        if low is not None and high is not None and (low > high or (low == high and self.what == What.VALUE)):
            compared = "more" if self.what == What.VALUE else "no less"
            self.add_error("high", f"“{names[1]}” must be {compared} than “{names[0]}”.")
        return self.cleaned_data

    def raw(self) -> dict[str, Any]:
        low, high = BOUNDS[self.what]
        bounds = {low: self.cleaned_data["low"], high: self.cleaned_data["high"]}
        return {"type": str(self.what), **bounds, "not": self.cleaned_data["relation"] == "out"}

    def field_of(self, key: str) -> str | None:
        return dict(zip(BOUNDS[self.what], ("low", "high"), strict=True)).get(key)
