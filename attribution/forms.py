"""The form that asks for an attribution analysis."""

from typing import Any

from django import forms

from accounts.defaults import LONGEST_WINDOW_DAYS, WINDOW_DAYS
from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.segments import ALL_CUSTOMERS, clean_segment, in_address, segment_name
from attribution.labels import DIMENSION_LABELS, MODEL_LABELS
from attribution.params import CONVERSIONS, KNOWN, LEADS, REVENUE, clean, lead_goal
from marketing.models import Goal, SavedSegment
from marketing.periods import PRESET_DAYS, preset_name

CUSTOM = "custom"
GOAL = "goal:"  # before a goal's name as a choice of metric: a goal may well be called Revenue
PERIODS = [*((name, f"Last {days} days") for name, days in PRESET_DAYS.items()), (CUSTOM, "Custom")]
WINDOWS = [*((str(days), f"{days} days") for days in WINDOW_DAYS), (CUSTOM, "Custom")]
DATA_DRIVEN = ("data_driven", "Data-Driven (not available yet)")


class _ModelSelect(forms.Select):
    """The models, and below them one that is named but cannot be chosen."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        groups = super().optgroups(name, value, attrs)
        locked = self.create_option(name, *DATA_DRIVEN, selected=False, index=len(groups))
        locked["attrs"]["disabled"] = True
        return [*groups, (None, [locked], len(groups))]


class AttributionForm(forms.Form):
    """Model, metric, window, period and dimension; `params` are the canonical parameters once it is valid."""

    model = forms.ChoiceField(label="Attribution model", choices=list(MODEL_LABELS.items()), widget=_ModelSelect)
    compare = forms.MultipleChoiceField(
        label="Compare with",
        choices=list(MODEL_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    metric = forms.ChoiceField(label="Conversion metric")
    window = forms.ChoiceField(label="Lookback window", choices=WINDOWS)
    window_days = forms.IntegerField(label="Days", min_value=1, max_value=LONGEST_WINDOW_DAYS, required=False)
    period = forms.ChoiceField(label="Time period", choices=PERIODS)
    start = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    dimension = forms.ChoiceField(label="By", choices=list(DIMENSION_LABELS.items()))
    segment = forms.ChoiceField(label="Segment", required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        self.params: dict[str, Any] = {}
        self.fields["metric"].choices = _metrics(workspace)  # type: ignore[attr-defined]
        asked = self.data.get("segment") if self.is_bound else self.initial.get("segment")
        self.fields["segment"].choices = _segments(workspace, asked)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Run the parameters through the one definition of what is allowed, which the API and command line share."""
        data = super().clean() or {}
        if self.errors:
            return data
        period = ("start", "end") if data["period"] == CUSTOM else ("period",)
        for name in period:
            if not data[name]:
                self.add_error(name, "A custom period needs both a start and an end.")
        window_days = data["window_days"] if data["window"] == CUSTOM else data["window"]
        if not window_days:
            self.add_error("window_days", "A custom window needs its number of days.")
        if self.errors:
            return data
        asked = {
            "model": [data["model"], *data["compare"]],
            "window_days": window_days,
            "dimension": data["dimension"],
            "segment": data["segment"],
            **_metric_asked(data["metric"]),
            **{name: data[name] for name in period},
        }
        try:
            self.params = clean(self.workspace, asked)
        except InvalidParams as refusal:
            for name, sentences in refusal.errors.items():
                self.add_error(name if name in self.fields else None, list(sentences))
        return data


def initial(workspace: Workspace, query: Any) -> dict[str, Any]:
    """Return what the form starts with: the page's address where it says something usable, else the defaults."""
    given = {name: query.get(name) for name in KNOWN if name != "model"}
    given["model"] = query.getlist("model")
    if segment_problem(workspace, query):
        given["segment"] = None
    try:
        params = clean(workspace, given)
    except InvalidParams:
        given = {}
        params = clean(workspace, {})
    main, *others = params["model"]
    period = preset_name(given.get("period") or f"last_{workspace.period_days}")
    custom = given.get("start") or period not in PRESET_DAYS
    return params | {
        "model": main,
        "compare": others,
        "metric": _metric_choice(workspace, params),
        "window": str(params["window_days"]) if params["window_days"] in WINDOW_DAYS else CUSTOM,
        "period": CUSTOM if custom else period,
        "segment": _segment_choice(workspace, params),
    }


def segment_problem(workspace: Workspace, query: Any) -> str:
    """Return why the segment that an address names cannot be used; "" if it can, or none is named."""
    try:
        clean_segment(workspace, query.get("segment"))
    except InvalidParams as refusal:
        return refusal.detail
    return ""


def _segments(workspace: Workspace, asked: str | None) -> list[tuple[str, str]]:
    """All customers, the saved segments by name, and the definition that is asked for if it is none of them."""
    saved = SavedSegment.objects.filter(workspace=workspace, archived_at=None).values_list("name", flat=True)
    choices = [("", ALL_CUSTOMERS), *((name, name) for name in saved)]
    if not asked or asked in dict(choices):
        return choices
    try:
        params = clean_segment(workspace, asked)
    except InvalidParams:
        return choices
    return [*choices, (asked, f"{segment_name(params)} (as asked before)")]


def _segment_choice(workspace: Workspace, params: dict[str, Any]) -> str:
    """Return the choice of the segment field that stands for canonical params."""
    if "segment" not in params:
        return ""
    asked = params["segment"]
    saved = SavedSegment.objects.filter(workspace=workspace, archived_at=None, pk=asked.get("id")).first()
    if saved is not None and clean_segment(workspace, saved.name)["segment"] == asked:
        return saved.name
    return str(in_address(params)["segment"])


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
