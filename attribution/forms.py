"""The form that asks for an attribution analysis."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts import plans
from accounts.defaults import WINDOW_DAYS
from accounts.models import Feature, Workspace
from analyses.asking import INCLUDE, lead_goal
from analyses.choices import (
    CUSTOM,
    JourneysForm,
    Usable,
    segment_choice,
    usable,
)
from analyses.errors import InvalidParams
from attribution.catalogue import (
    DATA_DRIVEN,
    DECIMALS,
    DEFAULT_HALF_LIFE_DAYS,
    DEFAULT_WEIGHTS,
    LONGEST_HALF_LIFE_DAYS,
    OFFERED,
    Family,
    half_life_days,
    position_weights,
    weights_problem,
)
from attribution.custom.custom_models import PREFIX, active
from attribution.labels import DIMENSION_LABELS
from attribution.params import CONVERSIONS, JOURNEYS, KNOWN, LEADS, PATHS, REVENUE, clean
from marketing.models import Goal
from marketing.periods import PRESET_DAYS, preset_name

MORE_SETTINGS = ("confidence", "grouping", "view_through", "source", "half_life_days", "first", "middle", "last")
GOAL = "goal:"  # before a goal's name as a choice of metric: a goal may well be called Revenue
DATA = [(JOURNEYS, "Customers' journeys"), (PATHS, "Aggregated paths")]


class _ModelSelect(forms.Select):
    """The models by family; `locked` ones are named but cannot be chosen."""

    locked: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.locked:
            option["attrs"]["disabled"] = True
        return option


class _ModelBoxes(forms.CheckboxSelectMultiple):
    """The same as boxes."""

    locked: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.locked:
            option["attrs"]["disabled"] = True
        return option


class AttributionForm(JourneysForm):
    """Model, metric, window, period and dimension; `params` are the canonical parameters once it is valid."""

    model = forms.ChoiceField(label="Attribution model", widget=_ModelSelect)
    compare = forms.MultipleChoiceField(label="Compare with", widget=_ModelBoxes, required=False)
    metric = forms.ChoiceField(label="Conversion metric")
    dimension = forms.ChoiceField(label="By", choices=list(DIMENSION_LABELS.items()))
    source = forms.ChoiceField(
        label="Data",
        choices=DATA,
        required=False,
        help_text="Aggregated paths are credited by channel, without goals, lookback window and segment.",
    )
    half_life_days = forms.FloatField(
        label="Half-life of Time Decay",
        help_text="A touch that is this much older weighs half as much.",
        min_value=0,
        max_value=LONGEST_HALF_LIFE_DAYS,
        required=False,
    )
    first = forms.FloatField(label="First touch", min_value=0, max_value=100, required=False)
    middle = forms.FloatField(label="Touches between", min_value=0, max_value=100, required=False)
    last = forms.FloatField(label="Last touch", min_value=0, max_value=100, required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, workspace=workspace, **kwargs)
        self.fields["metric"].choices = _metrics(workspace)  # type: ignore[attr-defined]
        self.families = _families(workspace)
        self.locked = locked_because(workspace)
        locked = frozenset(model.name for model in OFFERED.values() if model.is_data_driven and self.locked)
        for name in ("model", "compare"):
            self.fields[name].choices = self.families  # type: ignore[attr-defined]
            self.fields[name].widget.locked = locked

    def clean(self) -> dict[str, Any]:
        """Run the parameters through the one definition of what is allowed, which the API and command line share."""
        data = super().clean() or {}
        if self.errors:
            return data
        period, window_days = self.period_asked(), self.window_asked()
        self._check_settings({data["model"], *data["compare"]})
        if self.errors:
            return data
        asked: dict[str, Any] = {
            "model": [self._named(name) for name in (data["model"], *data["compare"])],
            **{name: data[name] for name in ("dimension", "confidence")},
            **period,
            "data": data["source"],
        }
        if data["source"] == PATHS:
            asked |= {"metric": data["metric"].removeprefix(GOAL), **self._not_of_paths()}
        else:
            asked |= {"window_days": window_days, **_metric_asked(data["metric"])}
            asked |= {name: data[name] for name in ("segment", "grouping", "view_through")}
        try:
            self.params = clean(self.workspace, asked)
        except InvalidParams as refusal:
            for name, sentences in refusal.errors.items():
                self.add_error(name if name in self.fields else None, list(sentences))
        return data

    def _check_settings(self, models: set[str]) -> None:
        """Say beside their fields what is wrong with the settings of the models that are asked for."""
        half_life, weights = self.cleaned_data.get("half_life_days"), self._weights()
        if "time_decay" in models and half_life is not None and not round(half_life, DECIMALS) > 0:
            self.add_error("half_life_days", "The half-life must be more than 0 days.")
        if "position" in models and weights is not None and (problem := weights_problem(*weights)):
            self.add_error("first", f"The three weights {problem}.")

    def _weights(self) -> tuple[float, float, float] | None:
        """Return the weights of Position Based; None if none is given."""
        first, middle, last = (self.cleaned_data.get(name) for name in ("first", "middle", "last"))
        return None if first is middle is last is None else (first or 0.0, middle or 0.0, last or 0.0)

    def _not_of_paths(self) -> dict[str, str]:
        """Return what was chosen and means nothing for aggregated paths: it is refused, not passed over in silence."""
        usual = {"segment": "", "grouping": self.workspace.channel_grouping, "view_through": INCLUDE}
        return {name: self.cleaned_data[name] for name in usual if self.cleaned_data[name] not in ("", usual[name])}

    def _named(self, choice: str) -> str:
        """Return the model that a choice stands for, with the settings that were typed for it."""
        data = self.cleaned_data
        if choice == "time_decay" and data.get("half_life_days") is not None:
            return f"time_decay:{data['half_life_days']}"
        weights = self._weights()
        if choice == "position" and weights is not None:
            return "position:" + "-".join(map(str, weights))
        return choice


def _families(workspace: Workspace) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the models that are offered, by family; those that the plan lacks among them."""
    own = [(f"{PREFIX}{version.model_id}", version.model.name) for version in active(workspace)]
    rules, data_driven = (
        [(model.name, model.label) for model in OFFERED.values() if model.family == family]
        for family in (Family.RULE, Family.DATA_DRIVEN)
    )
    groups = [("Rules", rules), ("Data-driven", data_driven), ("Your own", own)]
    return [(label, models) for label, models in groups if models]


def boxes_by_family(form: AttributionForm) -> list[tuple[str, list[Any]]]:
    """Return the boxes of the models to compare with, under the name of their family."""
    boxes = iter(form["compare"])
    return [(label, [next(boxes) for _model in models]) for label, models in form.families]


def locked_because(workspace: Workspace) -> str:
    """Say why the data-driven models are listed but cannot be chosen; "" where the plan has them."""
    try:
        plans.require_feature(workspace, Feature.DATA_DRIVEN)
    except plans.PlanRequired as refusal:
        return refusal.detail
    return ""


def asked_for(workspace: Workspace, query: Any, *, data: str = JOURNEYS) -> Usable:
    """Return what an address asks for. `data`: what the question is about where the address does not say."""

    def with_data(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
        return clean(workspace, {"data": data, **given})

    given = {name: value for name in KNOWN if name != "model" and (value := query.get(name))}
    if models := query.getlist("model"):
        given["model"] = models
    return usable(workspace, given, with_data)


def initial(workspace: Workspace, asked: Usable) -> dict[str, Any]:
    """Return what the form starts with: canonical params, with the period as the address names it."""
    params, given = asked.params, asked.given
    settings = {
        **dict(zip(("first", "middle", "last"), DEFAULT_WEIGHTS, strict=True)),
        "half_life_days": DEFAULT_HALF_LIFE_DAYS,
    }
    main, *others = [_choice_of(name, settings) for name in params["model"]]
    period = preset_name(given.get("period") or f"last_{workspace.period_days}")
    custom = given.get("start") or period not in PRESET_DAYS
    of_paths = params.get("data") == PATHS
    window_days = workspace.window_days if of_paths else params["window_days"]
    return params | {
        **{name: int(number) if number.is_integer() else number for name, number in settings.items()},
        "model": main,
        "compare": others,
        "metric": params["metric"] if of_paths else _metric_choice(workspace, params),
        "window": str(window_days) if window_days in WINDOW_DAYS else CUSTOM,
        "window_days": window_days,
        "source": params.get("data", JOURNEYS),
        "grouping": params.get("grouping", workspace.channel_grouping),
        "period": CUSTOM if custom else period,
        "segment": segment_choice(workspace, params),
    }


def _choice_of(name: str, settings: dict[str, float]) -> str:
    """Return the choice that stands for a model's name; put what the name sets into `settings`."""
    kind, _, setting = name.partition(":")
    if kind == "time_decay" and setting:
        settings["half_life_days"] = half_life_days(name)
        return kind
    if kind == "position" and setting:
        settings |= dict(zip(("first", "middle", "last"), position_weights(name), strict=True))
        return kind
    if name.startswith(PREFIX):  # the newest version, which a new question is about
        return name.partition("@")[0]
    return DATA_DRIVEN if name == "markov:1" else name


def _metrics(workspace: Workspace) -> list[tuple[str, str]]:
    """Revenue and conversions of the default goal, leads, then every other goal by name."""
    goals = list(Goal.objects.filter(workspace=workspace, archived_at=None).order_by("pk"))
    lead = lead_goal(goals)
    others = [(f"{GOAL}{goal.name}", goal.name) for goal in goals if not goal.is_default and goal != lead]
    return [(REVENUE, "Revenue"), (CONVERSIONS, "Conversions"), *([(LEADS, "Leads")] if lead else []), *others]


def _metric_asked(choice: str) -> dict[str, str]:
    """Return the parameters that a choice of the metric field stands for."""
    if choice.startswith(GOAL):
        return {"metric": CONVERSIONS, "goal": choice.removeprefix(GOAL)}
    return {"metric": choice}


def _metric_choice(workspace: Workspace, params: dict[str, Any]) -> str:
    """Return the choice of the metric field that stands for canonical params."""
    goals = list(Goal.objects.filter(workspace=workspace, archived_at=None).order_by("pk"))
    goal = next(goal for goal in goals if goal.name == params["goal"])
    if goal.is_default:
        return str(params["metric"])
    return LEADS if goal == lead_goal(goals) else f"{GOAL}{goal.name}"
