"""The form that asks for a media mix model."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.models import Workspace
from analyses.errors import InvalidParams
from marketing.models import Outcome
from marketing.periods import PRESET_DAYS, preset_name
from weightings.labels import EXPERIMENT_USES, GRANULARITIES, LIFT_COUNTS, MODEL_LABELS
from weightings.outcomes import outcomes_with_data
from weightings.params import (
    ALL,
    CONFIDENCE_LEVELS,
    DRAWS,
    EFFECTS,
    FOLDS,
    GEO_FOLDS,
    HOW_TO_SAY_ROI,
    KNOWN,
    LARGEST_SEED,
    LIGHTWEIGHT_DRAWS,
    MEASURED_IN,
    MOST_DRAWS,
    MOST_FOLDS,
    MOST_KNOTS,
    NO,
    YES,
    clean,
    is_lightweight,
    roi_as_text,
)

CUSTOM = "custom"
PERIODS = [
    (ALL, "All data"),
    *((name, f"Last {days} days") for name, days in PRESET_DAYS.items()),
    (CUSTOM, "Custom"),
]
EXPOSURE_CHOICES = [("auto", "Impressions, else spend"), ("spend", "Spend"), ("impressions", "Impressions")]
MORE_SETTINGS = (
    *("confidence", "exposure", "holidays", "roi", "bounds", "knots", "folds", "draws", "seed", "short_allowed"),
    *("experiments", "lifts", "by_geo"),
)


class WeightingsForm(forms.Form):
    """Outcome, period, granularity and model, and what else can be set; `params` are canonical once it is valid."""

    outcome = forms.ChoiceField(label="Business outcome")
    period = forms.ChoiceField(
        label="Time period",
        choices=PERIODS,
        help_text="What is reported. The model learns from all data up to its end.",
    )
    start = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    granularity = forms.ChoiceField(
        label="Granularity", choices=[(name, f"By {name}") for name in GRANULARITIES], initial="week"
    )
    model = forms.ChoiceField(label="Model", choices=list(MODEL_LABELS.items()))
    confidence = forms.ChoiceField(
        label="Confidence level", choices=[(level, f"{level}%") for level in CONFIDENCE_LEVELS], required=False
    )
    exposure = forms.ChoiceField(label="What acts on people", choices=EXPOSURE_CHOICES, required=False)
    holidays = forms.CharField(
        label="Public holidays of", required=False, max_length=200, help_text="Countries by two letters, such as DE,AT."
    )
    bounds = forms.CharField(
        label="Bounds of the outcome",
        required=False,
        max_length=60,
        help_text="If it does not add up over time: 0,100. Brand awareness has its own.",
    )
    knots = forms.IntegerField(
        label="Knots of the trend", required=False, min_value=0, max_value=MOST_KNOTS, help_text="Empty: by the data."
    )
    folds = forms.IntegerField(
        label="Times to hold periods back",
        required=False,
        min_value=0,
        max_value=MOST_FOLDS,
        help_text=f"Empty: {FOLDS}, by geo {GEO_FOLDS}, of LightweightMMM's models none.",
    )
    draws = forms.IntegerField(label="Draws per chain at most", required=False, min_value=1, max_value=MOST_DRAWS)
    seed = forms.IntegerField(label="Seed", required=False, min_value=0, max_value=LARGEST_SEED)
    short_allowed = forms.ChoiceField(
        label="Fewer data than a model needs", choices=[(NO[0], "Refuse"), (YES[0], "Allow")], required=False
    )
    roi = forms.CharField(
        label="Expected returns",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"Median and 90% range of a channel's ROI, such as {HOW_TO_SAY_ROI}. Others take the usual ones.",
    )
    experiments = forms.ChoiceField(
        label="Experiments",
        choices=[(name, f"{words[0].upper()}{words[1:]}") for name, words in EXPERIMENT_USES.items()],
        required=False,
        help_text="Lifts that were imported. The model is fitted without them as well, which takes twice as long.",
    )
    lifts = forms.ChoiceField(
        label="What lifts count",
        choices=[(name, f"{words[0].upper()}{words[1:]}") for name, words in LIFT_COUNTS.items()],
        required=False,
        help_text="The second if experiments stopped counting on their last day, and left out what came later.",
    )

    by_geo = forms.ChoiceField(
        label="Geos",
        choices=[(NO[0], "All together, as one market"), (YES[0], "Side by side")],
        required=False,
        help_text="Side by side they tell more of each channel. It takes minutes, and needs an outcome by geo.",
    )

    def __init__(self, *args: Any, workspace: Workspace, outcomes: list[Outcome], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        self.params: dict[str, Any] = {}
        self.fields["outcome"].choices = [(outcome.name, outcome.name) for outcome in outcomes]  # type: ignore[attr-defined]

    @property
    def has_outcomes(self) -> bool:
        """Whether there is any outcome to ask about."""
        return bool(self.fields["outcome"].choices)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Run the parameters through the one definition of what is allowed, which the API and command line share."""
        data = super().clean() or {}
        if self.errors:
            return data
        period = ("start", "end") if data["period"] == CUSTOM else ("period",)
        for name in period:
            if not data[name]:
                self.add_error(name, "A custom period needs both a start and an end.")
        if self.errors:
            return data
        asked = {name: data[name] for name in ("outcome", "granularity", "model", *period, *MORE_SETTINGS)}
        try:
            self.params = clean(self.workspace, asked)
        except InvalidParams as refusal:
            for name, sentences in refusal.errors.items():
                self.add_error(name if name in self.fields else None, list(sentences))
        return data


def initial(workspace: Workspace, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form starts with: the page's address where it says something usable, else the defaults."""
    given = {name: query.get(name) for name in KNOWN}
    while True:
        try:
            params = clean(workspace, given)
        except InvalidParams as refusal:
            if not given:  # there is no outcome with values
                return {}
            usable = {name: value for name, value in given.items() if name not in refusal.errors}
            given = usable if len(usable) < len(given) else {}
        else:
            break
    period = preset_name(given.get("period") or ALL)
    dates = {name: params.pop(name) for name in ("start", "end")}
    custom = bool(given.get("start")) or period not in dict(PERIODS)
    effects = params.pop(EFFECTS, None)
    params.pop(MEASURED_IN)
    usual_draws, usual_folds = (LIGHTWEIGHT_DRAWS, 0) if is_lightweight(params) else (DRAWS, FOLDS)
    return {
        **params,
        **dates,
        "period": CUSTOM if custom else period,
        # These defaults depend on the model, which may be chosen anew.
        "draws": None if params["draws"] == usual_draws else params["draws"],
        "folds": None if params["folds"] == usual_folds else params["folds"],
        "holidays": ",".join(params.get("holidays", ())),
        "bounds": ",".join(f"{bound:g}" for bound in params.get("bounds", ())),
        "roi": roi_as_text(effects) if effects else "",
    }


def form_for(workspace: Workspace, **kwargs: Any) -> WeightingsForm:
    """Return the form with the outcomes that the workspace can ask about."""
    return WeightingsForm(workspace=workspace, outcomes=outcomes_with_data(workspace), **kwargs)
