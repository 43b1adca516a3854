"""The form that a lift test is entered by: its lift and standard error, its interval, or its groups."""

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Workspace
from analyses.asking import CONFIDENCE_LEVELS
from marketing.channel_index import channel_index
from marketing.experiments import VisibleExperiment
from marketing.periods import Period
from weightings.lift_tests.entries import LiftTest, reach
from weightings.lift_tests.number_fields import NumberField
from weightings.lift_tests.recorded import known_geos
from weightings.methods.experiments.group_sizes import Group, GroupLift, lift_of_groups

BY_ERROR, BY_INTERVAL, BY_GROUPS = "lift", "interval", "groups"
WAYS = [
    (BY_ERROR, "Lift and its standard error"),
    (BY_INTERVAL, "Lift and its interval"),
    (BY_GROUPS, "Sizes and conversions of both groups"),
]
NEEDED = {
    BY_ERROR: ("lift", "standard_error"),
    BY_INTERVAL: ("lift", "low", "high"),
    BY_GROUPS: ("test_size", "test_conversions", "control_size", "control_conversions", "value"),
}
EVERYWHERE = "The whole market"
EARLIEST = dt.date(2000, 1, 1)
A_TOKEN = re.compile(r"[0-9a-f]{32}")
AN_AMOUNT = "Enter an amount."


@dataclass(frozen=True, slots=True)
class Measured:
    """What the form says of the lift so far, whether or not the rest is there. `middle`: as `LiftTest` has it."""

    lift: float
    standard_error: float
    groups: tuple[Group, Group] | None = None
    of_groups: GroupLift | None = None
    middle: float = 0.5


class LiftTestForm(forms.Form):
    """A lift test; `test` once it is valid, `measured` as soon as its lift is known."""

    channel = forms.ChoiceField(
        label="Channel", error_messages={"invalid_choice": "There is no such channel. Choose one of the list."}
    )
    start = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    end = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    geo = forms.ChoiceField(label="Where", required=False)
    spend = NumberField(
        label="Spend of the test", above=0, help_text="On those who were tested: what the lift is due to."
    )
    way = forms.ChoiceField(label="What do you know?", choices=WAYS, widget=forms.RadioSelect)
    lift = NumberField(label="Lift", help_text="Money that came in because of the spend; negative if less came in.")
    standard_error = NumberField(label="Standard error of the lift", above=0)
    low = NumberField(label="From")
    high = NumberField(label="To")
    level = forms.TypedChoiceField(
        label="Level", coerce=int, choices=[(level, f"{level}%") for level in CONFIDENCE_LEVELS], required=False
    )
    test_size = NumberField(label="People in the test group", whole=True, at_least=1)
    test_conversions = NumberField(label="Converted in the test group", whole=True, at_least=0)
    control_size = NumberField(label="People in the control group", whole=True, at_least=1)
    control_conversions = NumberField(label="Converted in the control group", whole=True, at_least=0)
    value = NumberField(label="Value of a conversion", above=0)
    value_spread = NumberField(
        label="Standard deviation of that value",
        at_least=0,
        help_text="If conversions differ, as orders do. Left empty they are all worth the same, and the standard error "
        "may be too small.",
    )
    token = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        self.test: LiftTest | None = None
        self.measured: Measured | None = None
        for name in ("spend", "lift", "standard_error", "low", "high", "value", "value_spread"):
            self.fields[name].currency = workspace.currency  # type: ignore[attr-defined]
        self.channels = sorted(channel.name for channel in channel_index(workspace=workspace).standing())
        self._offer("channel", [("", "Choose a channel"), *((name, name) for name in self.channels)])
        geos = known_geos(workspace)
        self.has_geos = bool(geos)
        self._offer("geo", [("", EVERYWHERE), *((geo, geo) for geo in geos)])
        usual = {"way": BY_ERROR, "level": workspace.confidence, "token": uuid.uuid4().hex}
        self.initial = {**usual, **self.initial}

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        self.fields[name].choices = list(choices)  # type: ignore[attr-defined]

    @property
    def form_token(self) -> str:
        """What tells this form from others, so that what is sent twice counts once."""
        token = self.data.get("token", "")
        return token if A_TOKEN.fullmatch(token) else uuid.uuid4().hex

    def clean_end(self) -> dt.date:
        end: dt.date = self.cleaned_data["end"]
        if end > timezone.now().astimezone(self.workspace.zone).date():
            raise forms.ValidationError("The test ends in the future. Enter it once it has ended.")
        return end

    def clean_start(self) -> dt.date:
        start: dt.date = self.cleaned_data["start"]
        if start < EARLIEST:
            raise forms.ValidationError(f"This is before the year {EARLIEST.year}. Check the year.")
        return start

    def clean(self) -> dict[str, Any]:
        """Bring the ways to the one that models take, lift and standard error, and put the test together."""
        data = super().clean() or {}
        start, end = data.get("start"), data.get("end")
        if start and end and end < start:
            self.add_error("end", "The test ends before it starts. Swap the days, or correct them.")
        self._require("spend")
        way = data.get("way")
        if way in NEEDED:
            self._require(*NEEDED[way])
            self.measured = self._measured(way, data)
        if self.errors or self.measured is None:
            return data
        self.test = LiftTest(
            channel=data["channel"],
            period=Period(data["start"], data["end"]),
            geo=data["geo"],
            lift=self.measured.lift,
            standard_error=self.measured.standard_error,
            spend=data["spend"],
            groups=self.measured.groups,
            middle=self.measured.middle,
        )
        return data

    def _require(self, *names: str) -> None:
        for name in names:
            if self.cleaned_data.get(name) is None and name not in self.errors:
                whole = self.fields[name].whole  # type: ignore[attr-defined]
                self.add_error(name, forms.ValidationError("Enter a number." if whole else AN_AMOUNT, code="required"))

    def _measured(self, way: str, data: Mapping[str, Any]) -> Measured | None:
        if any(name in self.errors for name in NEEDED[way]):
            return None
        if way == BY_ERROR:
            return Measured(data["lift"], data["standard_error"])
        return self._of_interval(data) if way == BY_INTERVAL else self._of_groups(data)

    def _of_interval(self, data: Mapping[str, Any]) -> Measured | None:
        if "level" in self.errors:
            return None
        lift, low, high = data["lift"], data["low"], data["high"]
        if not low < high:
            self.add_error("high", "The interval must end above its start.")
            return None
        if not low <= lift <= high:
            self.add_error("lift", "The lift lies outside its interval. Check all three.")
            return None
        error = (high - low) / (2 * reach(1.0, data["level"] or self.workspace.confidence))
        return Measured(lift, error, middle=(lift - low) / (high - low))

    def _of_groups(self, data: Mapping[str, Any]) -> Measured | None:
        for group in ("test", "control"):
            if data[f"{group}_conversions"] > data[f"{group}_size"]:
                self.add_error(
                    f"{group}_conversions",
                    "More conversions than people. Count the people who converted, each once.",
                )
        if any(name in self.errors for name in (*NEEDED[BY_GROUPS], "value_spread")):
            return None
        groups = (
            Group(data["test_size"], data["test_conversions"]),
            Group(data["control_size"], data["control_conversions"]),
        )
        found = lift_of_groups(*groups, value=data["value"], spread=data["value_spread"] or 0.0)
        return Measured(found.lift, found.standard_error, groups, found)

    @property
    def problems(self) -> list[str]:
        """What is wrong with what has been entered so far, field by field; what is only missing is none of it."""
        return [
            f"{self.fields[name].label}: {error.messages[0]}" if name in self.fields else error.messages[0]
            for name, errors in self.errors.as_data().items()
            for error in errors
            if error.code != "required"
        ]


def initial_of(experiment: VisibleExperiment) -> dict[str, Any]:
    """What the form starts with where an experiment is to be corrected."""
    return {
        "channel": experiment.channel,
        "start": experiment.period.start,
        "end": experiment.period.end,
        "geo": experiment.geo,
        "spend": plain(experiment.spend),
        "lift": plain(experiment.lift),
        "standard_error": plain(experiment.standard_error),
    }


def plain(number: float) -> str:
    """A number as people type it."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
