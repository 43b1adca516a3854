"""A small form for each part of a custom model: positions, time, types of channel, channels, and a rule.

Each makes its piece of the JSON that `attribution.methods.custom_definition` checks (`raw`), says which of its fields a
path of that JSON comes from (`field_of`), and can be filled from a definition (`initial_of`).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from attribution.methods.custom_definition import (
    CHANNEL_TYPES,
    INTERACTIONS,
    LONGEST_NAME,
    MOST_NTH,
    AgeDays,
    Conditions,
    CustomDefinition,
    FirstMiddleLast,
    NthTouch,
    NthWeights,
    Role,
    Rule,
)

MOST_BOXES = 60  # beyond, names of channels are written down instead of ticked or filled in one by one
ENDS, EVEN, NTH = "ends", "even", "nth"
SHAPES = [(ENDS, "First, middle and last touch"), (EVEN, "All touches alike"), (NTH, "Touch by touch")]
ROLES = [
    (str(Role.FIRST), "First of several"),
    (str(Role.MIDDLE), "Between first and last"),
    (str(Role.LAST), "Last of several"),
    (str(Role.ONLY), "The only touch"),
]
IS, CONTAINS = "is", "contains"
_NUMBER = re.compile(r"\d{0,12}(?:\.\d{0,12})?", re.ASCII)


def plain(number: float | None) -> str:
    """Return a number as a field shows it: "50", "0.25"; "" for none."""
    return "" if number is None else f"{number:.10f}".rstrip("0").rstrip(".")


def _number_field(label: str, *, required: bool = True, step: str = "any", **options: Any) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"min": 0, "step": step, "inputmode": "decimal"})
    return forms.FloatField(label=label, required=required, widget=widget, **options)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class PartForm(forms.Form):
    """What the forms of all parts have in common."""

    def field_of(self, path: str) -> str | None:
        """Return the field that a path of the JSON comes from; None if it is none of them."""
        raise NotImplementedError


class HeadForm(forms.Form):
    """What a model is called."""

    name = forms.CharField(label="Name", max_length=100)
    description = forms.CharField(
        label="Description", max_length=500, required=False, help_text="What it is for. Optional."
    )


class PositionForm(PartForm):
    """What a touch weighs by its place on the way to the conversion. Only what belongs to the shape is looked at."""

    shape = forms.ChoiceField(label="Weights by", choices=SHAPES, widget=forms.RadioSelect)
    first = _number_field("First touch", required=False)
    middle = _number_field("Touches between", required=False)
    last = _number_field("Last touch", required=False)
    nth = forms.CharField(
        label="Weights of the first, second … touch",
        required=False,
        max_length=1000,
        help_text="Such as 3, 2, 1. Shares are made of them.",
    )
    rest = _number_field("Each other touch", required=False)
    side = forms.ChoiceField(
        label="Counted from",
        choices=[("start", "the first touch on"), ("end", "the last touch back")],
        required=False,
    )

    @staticmethod
    def initial_of(definition: CustomDefinition) -> dict[str, Any]:
        match definition.position:
            case FirstMiddleLast(first=first, middle=middle, last=last):
                return {"shape": ENDS, "first": plain(first), "middle": plain(middle), "last": plain(last)}
            case NthWeights(weights=weights, rest=rest, from_end=from_end):
                nth = ", ".join(map(plain, weights))
                return {"shape": NTH, "nth": nth, "rest": plain(rest), "side": "end" if from_end else "start"}
            case _:
                return {"shape": EVEN}

    def clean_nth(self) -> list[float]:
        parts = re.split(r"[\s,;]+", self.cleaned_data["nth"].strip(" ,;\t"))
        if self.data.get("shape") != NTH:
            return []
        if not all(part.strip(".") and _NUMBER.fullmatch(part) for part in parts):
            raise forms.ValidationError("Give numbers of zero or more with commas between, such as 3, 2, 1.")
        return [float(part) for part in parts]

    def clean(self) -> dict[str, Any]:
        """Say of the shape that is chosen what is missing."""
        data = self.cleaned_data
        needed = {ENDS: ("first", "middle", "last"), NTH: ("rest",)}.get(data.get("shape", ""), ())
        for name in needed:
            if name not in self.errors and data.get(name) is None:
                self.add_error(name, "Give a number; 0 is one, too.")
        return data

    def raw(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data["shape"] == ENDS:
            return {name: data[name] for name in ("first", "middle", "last")}
        if data["shape"] == NTH:
            return {"nth": data["nth"], "rest": data["rest"], "from": data["side"] or "start"}
        return {"even": True}

    def field_of(self, path: str) -> str | None:
        name = re.split(r"[.\[]", path.removeprefix("position").lstrip("."))[0]
        return {"from": "side"}.get(name, name) if name else None


class TimeForm(PartForm):
    """How fast a touch loses weight with its age."""

    half_life_days = _number_field(
        "Half-life",
        required=False,
        help_text="A touch that many days older weighs half as much. Leave it empty if age does not matter.",
    )

    @staticmethod
    def initial_of(definition: CustomDefinition) -> dict[str, Any]:
        return {"half_life_days": plain(definition.half_life_days)}

    def raw(self) -> float | None:
        days: float | None = self.cleaned_data["half_life_days"]
        return days

    def field_of(self, path: str) -> str | None:  # noqa: ARG002 (there is but one)
        return "half_life_days"


class TypesForm(PartForm):
    """What touches of each type of channel are multiplied by; nothing written is 1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in CHANNEL_TYPES:
            self.fields[name] = _number_field(name.capitalize(), required=False)

    @staticmethod
    def initial_of(definition: CustomDefinition) -> dict[str, Any]:
        return dict.fromkeys(CHANNEL_TYPES, "1") | {name: plain(factor) for name, factor in definition.channel_types}

    def raw(self) -> dict[str, float]:
        given = {name: self.cleaned_data[name] for name in CHANNEL_TYPES}
        return {name: factor for name, factor in given.items() if factor is not None and factor != 1}

    def field_of(self, path: str) -> str | None:
        name = path.removeprefix("channel_types").lstrip(".")
        return name if name in self.fields else None


class ChannelsForm(PartForm):
    """What touches of each channel are multiplied by: a field for each, or lines such as “Email = 1.5” if many.

    A name travels with its field, so that a channel which comes or goes meanwhile moves no number to another.
    """

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sent = self.data.getlist("channel") if isinstance(self.data, QueryDict) else []
        self.names = list(dict.fromkeys(sent or names))[: 2 * MOST_BOXES]
        self.as_lines = len(names) > MOST_BOXES
        if self.as_lines:
            self.names = []
            self.fields["lines"] = forms.CharField(
                label="Multipliers",
                required=False,
                help_text="One channel on each line, such as Email = 1.5. All others count as they are.",
                widget=forms.Textarea(attrs={"rows": 6}),
            )
        for place, name in enumerate(self.names):
            self.fields[f"channel_{place}"] = _number_field(name, required=False)

    @staticmethod
    def initial_of(definition: CustomDefinition, names: Sequence[str]) -> dict[str, Any]:
        factors = {name.casefold(): plain(factor) for name, factor in definition.channels}
        written = "\n".join(f"{name} = {plain(factor)}" for name, factor in definition.channels)
        return {"lines": written} | {
            f"channel_{place}": factors.get(name.casefold(), "1") for place, name in enumerate(names)
        }

    @property
    def rows(self) -> list[tuple[str, Any]]:
        """Each channel's name, and its field."""
        return [(name, self[f"channel_{place}"]) for place, name in enumerate(self.names)]

    def clean_lines(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for line in lines(self.cleaned_data["lines"]):
            name, _, factor = (part.strip() for part in line.rpartition("="))
            if not name or not factor.strip(".") or not _NUMBER.fullmatch(factor):
                raise forms.ValidationError(f"“{line[:LONGEST_NAME]}” is not a channel and a number: Email = 1.5.")
            if name.casefold() in {known.casefold() for known in found}:
                raise forms.ValidationError(f"“{name}” is given twice.")
            found[name] = float(factor)
        return found

    def raw(self) -> dict[str, float]:
        data = self.cleaned_data
        fields = ((name, data[f"channel_{place}"]) for place, name in enumerate(self.names))
        given = data["lines"].items() if self.as_lines else fields
        return {name: factor for name, factor in given if factor is not None and factor != 1}

    def field_of(self, path: str) -> str | None:
        name = path.removeprefix("channels").lstrip(".")
        if self.as_lines:
            return "lines"
        return f"channel_{self.names.index(name)}" if name in self.names else None


class RuleForm(PartForm):
    """What touches are multiplied by where all of these conditions hold; what is left open is not asked."""

    factor = _number_field("Weight times")
    channel_type = forms.MultipleChoiceField(
        label="Channel type",
        required=False,
        choices=[(name, name.capitalize()) for name in CHANNEL_TYPES],
        widget=forms.CheckboxSelectMultiple,
    )
    interaction = forms.MultipleChoiceField(
        label="Interaction",
        required=False,
        choices=[(name, name.replace("_", " ").capitalize()) for name in INTERACTIONS],
        widget=forms.CheckboxSelectMultiple,
    )
    position = forms.MultipleChoiceField(
        label="Position", required=False, choices=ROLES, widget=forms.CheckboxSelectMultiple
    )
    nth = forms.CharField(
        label="Or touch number",
        required=False,
        max_length=300,
        help_text="Such as 2, 3; −1 is the last, −2 the one before.",
    )
    campaign_relation = forms.ChoiceField(
        label="Campaign", required=False, choices=[(CONTAINS, "contains"), (IS, "is one of")]
    )
    campaign = forms.CharField(
        label="Text, or names",
        required=False,
        help_text="Several names: one on each line.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    at_least = _number_field("From", required=False)
    below = _number_field("To less than", required=False)

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(names) <= MOST_BOXES:
            choices = [(name, name) for name in names]
            boxes = forms.CheckboxSelectMultiple
            self.fields["channel"] = forms.MultipleChoiceField(
                label="Channel", required=False, choices=choices, widget=boxes
            )
        else:
            self.fields["channel"] = forms.CharField(
                label="Channel",
                required=False,
                help_text="One name on each line.",
                widget=forms.Textarea(attrs={"rows": 3}),
            )
        self.has_boxes = len(names) <= MOST_BOXES

    @staticmethod
    def initial_of(rule: Rule, *, as_lines: bool) -> dict[str, Any]:
        when = rule.when
        nth = [one for one in when.position if isinstance(one, NthTouch)]
        age = when.age_days or AgeDays(None, None)
        return {
            "factor": plain(rule.factor),
            "channel": "\n".join(when.channel) if as_lines else list(when.channel),
            "channel_type": list(when.channel_type),
            "interaction": list(when.interaction),
            "position": [str(one) for one in when.position if isinstance(one, Role)],
            "nth": ", ".join(str(-one.n if one.from_end else one.n) for one in nth),
            "campaign_relation": IS if when.campaign else CONTAINS,
            "campaign": when.campaign_contains or "\n".join(when.campaign),
            "at_least": plain(age.at_least),
            "below": plain(age.below),
        }

    @property
    def place(self) -> str:
        """Which rule it is in what the form sends."""
        return str(self.prefix or "").removeprefix("r")

    @property
    def number(self) -> int:
        """Which rule it is for people, who count from 1."""
        return int(self.place) + 1

    def clean_nth(self) -> list[dict[str, Any]]:
        text = self.cleaned_data["nth"].replace("\N{MINUS SIGN}", "-")
        found = []
        for part in filter(None, re.split(r"[\s,;]+", text)):
            if not re.fullmatch(r"-?[0-9]{1,4}", part) or not 1 <= abs(int(part)) <= MOST_NTH:
                raise forms.ValidationError(f"Give numbers of touches from 1 to {MOST_NTH}, such as 2, 3 or −1.")
            found.append({"nth": abs(int(part)), "from": "end" if part.startswith("-") else "start"})
        return found

    def clean(self) -> dict[str, Any]:
        """Say in the words of the form what `parse` would say in those of its JSON."""
        data = self.cleaned_data
        if not self.errors and not self._when():
            raise forms.ValidationError("Choose at least one condition, or the rule would hold for every touch.")
        low, high = data.get("at_least"), data.get("below")
        if low is not None and high is not None and high <= low:
            self.add_error("below", "This must be more than “From”.")
        return data

    def raw(self) -> dict[str, Any]:
        return {"when": self._when(), "factor": self.cleaned_data["factor"]}

    def field_of(self, path: str) -> str | None:
        names: Iterable[str] = re.split(r"[.\[\]]+", path)
        named = [name for name in names if name in self.fields]
        return named[0] if named else None

    def _when(self) -> dict[str, Any]:
        data = self.cleaned_data
        campaigns = lines(data["campaign"])
        contains = " ".join(campaigns)
        asked: dict[str, Any] = {
            "channel": data["channel"] if self.has_boxes else lines(data["channel"]),
            "channel_type": data["channel_type"],
            "campaign": campaigns if data["campaign_relation"] == IS else contains and {"contains": contains},
            "interaction": data["interaction"],
            "age_days": {name: data[name] for name in ("at_least", "below") if data[name] is not None},
            "position": [*data["position"], *data["nth"]],
        }
        return {field: condition for field, condition in asked.items() if condition}


def names_in(definition: CustomDefinition) -> list[str]:
    """Return the channels that a definition names, in the order in which it does."""
    conditions: list[Conditions] = [rule.when for rule in definition.rules]
    named: dict[str, str] = {}
    for name in [*(name for name, _ in definition.channels), *(name for when in conditions for name in when.channel)]:
        named.setdefault(name.casefold(), name)
    return list(named.values())
