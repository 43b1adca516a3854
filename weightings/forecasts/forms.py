"""The form that asks for a forecast."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from accounts.models import Workspace
from analyses.asking import CONFIDENCE_LEVELS, LARGEST_SEED
from analyses.errors import InvalidParams
from analyses.presenters import asked_at
from weightings.forecasts.model_runs import OfferedRun
from weightings.forecasts.params import (
    HOW_TO_SAY,
    KNOWN,
    LONGEST_NAME,
    MULTIPLES,
    PER_PERIOD,
    PLAN,
    SCENARIO,
    by_channel_as_text,
    clean,
    find_scenario,
)
from weightings.forecasts.plan_tables import PlanRefused, read_file
from weightings.forecasts.plan_values import plan_as_text
from weightings.models import Scenario
from weightings.params import NO, YES
from weightings.presentation.words import describe

AS_BEFORE = "before"
SPEND_AS = [
    (AS_BEFORE, "As in the last periods"),
    (PER_PERIOD, "An amount for each channel"),
    (SCENARIO, "A saved scenario"),
    (PLAN, "A plan by period, as a table"),
]
LONGEST_PLAN = 200_000  # characters that are typed or pasted
MORE_SETTINGS = ("confidence", "seed", "override")
OF_SPEND = {AS_BEFORE: (MULTIPLES,), PER_PERIOD: (PER_PERIOD,), SCENARIO: (SCENARIO,), PLAN: ("plan_file", PLAN)}


class ForecastForm(forms.Form):
    """A model, how many periods, and what is spent in them; `params` are canonical once it is valid."""

    model_run = forms.ChoiceField(
        label="Model", help_text="A finished run of Weightings. The forecast begins after its data."
    )
    periods = forms.IntegerField(
        label="Periods to come",
        required=False,
        min_value=1,
        max_value=364,
        help_text="In the model's granularity: 4 to 52 weeks, 28 to 364 days, or 1 to 12 months.",
    )
    spend_as = forms.ChoiceField(label="Spend in these periods", choices=SPEND_AS)
    multiples = forms.CharField(
        label="Times as much as then",
        required=False,
        max_length=4000,
        help_text=f"A number for all channels, such as 1.2, or by channel: {HOW_TO_SAY}. Others stay as they were.",
    )
    spend_per_period = forms.CharField(
        label="Spend per period, by channel",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Such as TV: 12000; Search: 5000. It is spread over time as spend was in the last periods.",
    )
    scenario = forms.ChoiceField(
        label="Scenario",
        required=False,
        help_text="Its spend per period, spread over time as spend was. Later changes of it change no forecast.",
    )
    plan_file = forms.FileField(
        label="Plan as a file",
        required=False,
        widget=forms.FileInput(attrs={"aria-describedby": "id_plan_file_helptext"}),
        error_messages={"empty": "The file is empty."},
        help_text="CSV or Excel: a row for each period, its first day first, and a column for each channel. Columns of "
        "controls, organic media, events (0 to 1) and holidays (days) may follow. It says itself how many periods.",
    )
    plan = forms.CharField(
        label="Or pasted",
        required=False,
        max_length=LONGEST_PLAN,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono"}),
    )
    confidence = forms.ChoiceField(
        label="Confidence level", choices=[(level, f"{level}%") for level in CONFIDENCE_LEVELS], required=False
    )
    seed = forms.IntegerField(label="Seed", required=False, min_value=0, max_value=LARGEST_SEED)
    override = forms.ChoiceField(
        label="A model that has not converged or fails checks",
        choices=[(NO[0], "Refuse"), (YES[0], "Use all the same")],
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        workspace: Workspace,
        offered: Sequence[OfferedRun],
        scenarios: Sequence[Scenario],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        self.params: dict[str, Any] = {}
        runs = [(str(each.run.pk), _run_label(each)) for each in offered]
        self.fields["model_run"].choices = runs  # type: ignore[attr-defined]
        kept = [(str(scenario.pk), scenario.name) for scenario in scenarios]
        self.fields["scenario"].choices = [("", "Choose one"), *kept]  # type: ignore[attr-defined]
        if not kept:
            self.fields["spend_as"].choices = [each for each in SPEND_AS if each[0] != SCENARIO]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Run the parameters through the one definition of what is allowed, which the API and command line share."""
        data = super().clean() or {}
        if self.errors:
            return data
        asked = {name: data[name] for name in ("model_run", *MORE_SETTINGS)}
        spend_as = data["spend_as"]
        try:
            asked |= self._spend(spend_as, data)
            self.params = clean(self.workspace, asked)
        except PlanRefused as refusal:
            self.add_error("plan_file", str(refusal))
        except InvalidParams as refusal:
            for name, sentences in refusal.errors.items():
                field = "plan_file" if name == PLAN and data["plan_file"] else name
                self.add_error(field if field in self.fields else None, list(sentences))
        return data

    def _spend(self, spend_as: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if spend_as != PLAN:
            (name,) = OF_SPEND[spend_as]
            if not data[name] and name != MULTIPLES:
                raise InvalidParams({name: "Say here what is spent, or choose another way to say it."})
            return {"periods": data["periods"], name: data[name]}
        file = data["plan_file"]
        if file:
            table = read_file(file, file_name=file.name, workspace=self.workspace)
            return {PLAN: table, "plan_name": file.name[-LONGEST_NAME:]}
        if not data[PLAN].strip():
            raise InvalidParams({"plan_file": "Choose a file, or paste a table below."})
        return {PLAN: data[PLAN]}


def _run_label(offered: OfferedRun) -> str:
    doubt = ", not to be relied on" if offered.is_doubtful else ""
    return f"{describe(offered.run.params)} (run of {asked_at(offered.run)}{doubt})"


def initial(workspace: Workspace, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form starts with: the page's address where it says something usable, else the usual.

    Raises PlanRequired.
    """
    given = {name: query[name] for name in KNOWN if query.get(name)}
    params: dict[str, Any] = {}
    while not params:
        try:
            # What a model is worth is said beside it; here the rest of the question is looked at.
            params = clean(workspace, given | {"override": YES[0]})
        except InvalidParams as refusal:
            usable = {name: value for name, value in given.items() if name not in refusal.errors}
            if not given:  # there is no model that could be relied on
                return {}
            given = usable if len(usable) < len(given) else {}
    return {
        "model_run": params["model_run"],
        "periods": params["periods"],
        "confidence": params["confidence"],
        "seed": params["seed"] or None,
        "override": given.get("override", NO[0]),
        MULTIPLES: "1",
        **_initial_spend(workspace, params, given),
    }


def _initial_spend(workspace: Workspace, params: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    scenario = find_scenario(workspace, given[SCENARIO]) if SCENARIO in given else None
    if scenario is not None:
        return {"spend_as": SCENARIO, SCENARIO: str(scenario.pk)}
    if PLAN in params:
        return {"spend_as": PLAN, PLAN: plan_as_text(params[PLAN])}
    if PER_PERIOD in params:
        return {"spend_as": PER_PERIOD, PER_PERIOD: by_channel_as_text(params[PER_PERIOD])}
    same = set(params[MULTIPLES].values())
    if len(same) > 1:
        return {"spend_as": AS_BEFORE, MULTIPLES: by_channel_as_text(params[MULTIPLES])}
    return {"spend_as": AS_BEFORE, **({MULTIPLES: f"{same.pop():.12g}"} if same else {})}
