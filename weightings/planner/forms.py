"""The planner's form: an amount, a lock and limits for each channel, and what the plan is to keep to."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField

from weightings.labels import GOALS, OBJECTIVES, TOTAL
from weightings.methods.planning.plans import CannotBePlanned
from weightings.planner.horizon import Horizon
from weightings.planner.plan import FIXED, FREE, LARGEST, Plan, balanced, current_plan

RECOMMEND = "recommend"
HELP_OF_OBJECTIVES = {
    "mean": "Most on average: what the plan would bring if it was carried out again and again.",
    "cvar": "Most if it goes badly: the average over the worst tenth of what the model takes for possible.",
    "quantile": "Most in a bad case: what nine of ten of the model's possibilities exceed.",
}


class AmountInput(forms.NumberInput):
    """A field of a number, which is left empty where an address says none: browsers complain of what is no number."""

    def format_value(self, value: Any) -> str | None:
        try:
            float(str(value))
        except ValueError:
            return None
        return str(value)


class PlannerForm(forms.Form):
    """Bound to an address. `plan` once it is valid: its total is held, and its channels are those of the horizon."""

    total = forms.ChoiceField(
        label="When a channel changes",
        choices=[(FIXED, "Keep the total: others make up for it"), (FREE, "Let the total change")],
        widget=forms.RadioSelect,
        required=False,
        initial=FIXED,
    )
    amount = forms.FloatField(label="Total spend", min_value=0, max_value=LARGEST, required=False)
    objective = forms.ChoiceField(label="Aim at", choices=list(OBJECTIVES.items()), required=False)
    goal = forms.ChoiceField(label="Within", choices=list(GOALS.items()), required=False)
    target = forms.FloatField(
        label="Target", min_value=0, max_value=LARGEST, required=False, widget=AmountInput(attrs={"step": "any"})
    )
    override = forms.BooleanField(label="Recommend a budget all the same", required=False)
    changed = forms.IntegerField(min_value=-1, required=False, widget=forms.HiddenInput)

    def __init__(self, horizon: Horizon, data: Mapping[str, Any]) -> None:
        self.horizon = horizon
        self.plan = current_plan(horizon)
        self.asked_total: float | None = None
        given = {**self._filled_in(), **{name: data[name] for name in data}}
        super().__init__(given, auto_id="plan-%s")
        for place, name in enumerate(horizon.channels):
            self.fields[f"s{place}"] = _amount(f"Spend on {name}")
            self.fields[f"lock{place}"] = forms.BooleanField(label=f"Lock {name}", required=False)
            self.fields[f"min{place}"] = _amount(f"Least for {name}", required=False)
            self.fields[f"max{place}"] = _amount(f"Most for {name}", required=False)

    def _filled_in(self) -> dict[str, Any]:
        """What an address that says nothing means: the current plan."""
        spend = {f"s{place}": self.plan.spend[name] for place, name in enumerate(self.horizon.channels)}
        return {"total": FIXED, "objective": "mean", "goal": TOTAL, **spend}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        limits: dict[str, tuple[float, float]] = {}
        for place, name in enumerate(self.horizon.channels):
            low, high = data[f"min{place}"], data[f"max{place}"]
            if low is None and high is None:
                continue
            limits[name] = (low or 0.0, float(self.horizon.most[place]) if high is None else high)
            if limits[name][0] > limits[name][1]:
                self.add_error(f"max{place}", f"The most for {name} must not be less than its least.")
        if self.errors:
            return data
        plan = Plan(
            periods=self.horizon.periods,
            spend={name: data[f"s{place}"] for place, name in enumerate(self.horizon.channels)},
            locks=frozenset(name for place, name in enumerate(self.horizon.channels) if data[f"lock{place}"]),
            limits=limits,
            is_fixed=(data["total"] or FIXED) == FIXED,
            objective=data["objective"] or "mean",
            goal=data["goal"] or TOTAL,
            target=data["target"],
            override=data["override"],
        )
        self.asked_total = data["amount"]
        changed = data["changed"] if data["changed"] is not None and data["changed"] >= 0 else None
        if changed is not None and changed >= len(self.horizon.channels):
            self.add_error(None, "There is no such channel in this plan.")
            return data
        try:
            self.plan = balanced(self.horizon, plan, total=self.asked_total, changed=changed)
        except CannotBePlanned as problem:
            self.add_error(None, str(problem))
        return data

    def problems(self) -> list[str]:
        """Every error as a sentence."""
        found = []
        for name, errors in self.errors.items():
            label = "" if name == "__all__" else f"{self.fields[name].label}: "
            found += [f"{label}{error}" for error in errors]
        return found

    def channels(self) -> Iterator[tuple[str, BoundField, BoundField, BoundField, BoundField]]:
        """By channel its name and the fields of its spend, lock, least and most."""
        for place, name in enumerate(self.horizon.channels):
            yield name, self[f"s{place}"], self[f"lock{place}"], self[f"min{place}"], self[f"max{place}"]


def _amount(label: str, *, required: bool = True) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        min_value=0,
        max_value=LARGEST,
        required=required,
        widget=AmountInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
