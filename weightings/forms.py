"""The form that asks for a media mix model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from accounts.models import Workspace
from analyses.asking import CONFIDENCE_LEVELS, LARGEST_SEED
from analyses.choices import usable
from analyses.errors import InvalidParams
from marketing.experiments import VisibleExperiment
from marketing.models import Outcome
from marketing.periods import PRESET_DAYS, preset_name
from weightings import expected_returns
from weightings.expected_returns import HOW_TO_SAY_ROI, LARGEST_NUMBER, LEVEL, SURENESS
from weightings.labels import EXPERIMENT_USES, GRANULARITIES, LIFT_COUNTS, MODEL_LABELS
from weightings.leaving_out import experiment_name
from weightings.outcomes import known_days
from weightings.params import (
    ALL,
    DRAWS,
    EFFECTS,
    FOLDS,
    GEO_FOLDS,
    KNOWN,
    LEAVE_OUT,
    LIGHTWEIGHT_DRAWS,
    MEASURED_IN,
    MOST_DRAWS,
    MOST_FOLDS,
    MOST_KNOTS,
    NO,
    YES,
    clean,
    is_lightweight,
)
from weightings.setup.choices import Choices, countries, home_country
from weightings.setup.fields import CountriesField, LeaveOutField
from weightings.setup.preview import why_no_returns

CUSTOM = "custom"
PERIODS = [
    (ALL, "All data"),
    *((name, f"Last {days} days") for name, days in PRESET_DAYS.items()),
    (CUSTOM, "Custom"),
]
EXPOSURE_CHOICES = [("auto", "Impressions, else spend"), ("spend", "Spend"), ("impressions", "Impressions")]
# Settings that take the defaults unless somebody looks for them, by the part of the form that they stand in.
MORE = {
    "model": ("confidence", "exposure", "by_geo", "holidays"),
    "channels": ("leave_out_channels", "leave_out_controls"),
    "returns": ("roi",),
    "experiments": ("leave_out_experiments", "experiments", "lifts"),
    "technical": ("bounds", "knots", "folds", "draws", "seed", "short_allowed"),
}
MORE_SETTINGS = tuple(name for names in MORE.values() for name in names)
BOTH_ENDS = "Give both ends, or neither."


@dataclass(frozen=True)
class ReturnRow:
    """What is expected of a channel with spend: at least, at most, and how sure."""

    channel: str
    low: BoundField
    high: BoundField
    sure: BoundField

    @property
    def fields(self) -> tuple[BoundField, ...]:
        return self.low, self.high, self.sure

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in self.fields for error in field.errors]


class WeightingsForm(forms.Form):
    """Outcome, period, granularity and model, and what else can be set; `params` are canonical once it is valid."""

    left_out: Sequence[tuple[str, str]] = ()  # what of the page's address cannot be used, and why

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
    exposure = forms.ChoiceField(
        label="What acts on people", choices=EXPOSURE_CHOICES, required=False, initial=EXPOSURE_CHOICES[0][0]
    )
    holidays = CountriesField(
        label="Public holidays of", required=False, help_text="Countries by name or by two letters; empty for none."
    )
    leave_out_channels = LeaveOutField(
        label="Channels",
        required=False,
        help_text="Unticked, a channel is left out: what it brings counts as baseline.",
    )
    leave_out_controls = LeaveOutField(
        label="Controls and events",
        required=False,
        help_text="Untick what media themselves change, such as searches for the brand.",
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
    seed = forms.IntegerField(label="Seed", required=False, min_value=0, max_value=LARGEST_SEED, initial=0)
    short_allowed = forms.ChoiceField(
        label="Fewer data than a model needs",
        choices=[(NO[0], "Refuse"), (YES[0], "Allow")],
        required=False,
        initial=NO[0],
    )
    roi = forms.CharField(
        label="Expected returns as text",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For channels whose row is empty, where the median is not the middle of the range: median and "
        f"{LEVEL}% range, such as {HOW_TO_SAY_ROI}.",
    )
    leave_out_experiments = LeaveOutField(label="Experiments to use", required=False)
    experiments = forms.ChoiceField(
        label="How they are used",
        choices=[(name, f"{words[0].upper()}{words[1:]}") for name, words in EXPERIMENT_USES.items()],
        required=False,
        initial="auto",
        help_text="Lifts that were imported. The model is fitted without them as well, which takes twice as long.",
    )
    lifts = forms.ChoiceField(
        label="What lifts count",
        choices=[(name, f"{words[0].upper()}{words[1:]}") for name, words in LIFT_COUNTS.items()],
        required=False,
        initial="all",
        help_text="The second if experiments stopped counting on their last day, and left out what came later.",
    )
    # Sent where returns cannot be expected: what was said of them is only kept, and was not there to be changed.
    returns_kept = forms.BooleanField(required=False, widget=forms.HiddenInput)
    by_geo = forms.ChoiceField(
        label="Geos",
        choices=[(NO[0], "All together, as one market"), (YES[0], "Side by side")],
        required=False,
        initial=NO[0],
        help_text="Side by side they tell more of each channel. It takes minutes, and needs an outcome by geo.",
    )

    def __init__(
        self, *args: Any, workspace: Workspace, choices: Choices, params: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.workspace, self.choices = workspace, choices
        self.params: dict[str, Any] = dict(params or {})
        self.fields["confidence"].initial = str(workspace.confidence)
        self.fields["holidays"].initial = [home] if (home := home_country(workspace)) else []
        for name, offered in (
            ("outcome", {outcome.name: outcome.name for outcome in choices.outcomes}),
            ("leave_out_channels", {name: name for name in choices.media.names}),
            ("leave_out_controls", {name: name for name in choices.controls}),
            ("leave_out_experiments", dict(map(_test, choices.experiments))),
        ):
            self.fields[name].choices = list(offered.items())  # type: ignore[attr-defined]
        for channel in choices.media.paid:
            self.fields |= _return_fields(channel.pk, channel.name)

    @property
    def has_outcomes(self) -> bool:
        """Whether there is any outcome to ask about."""
        return bool(self.fields["outcome"].choices)  # type: ignore[attr-defined]

    @property
    def has_media(self) -> bool:
        """Whether there is any channel with spend, or only impressions or clicks, in the data."""
        return bool(self.choices.media.names)

    @property
    def chosen_outcome(self) -> Outcome | None:
        """The outcome that the form says, as far as it is one that there is."""
        said = self["outcome"].value() or self.params.get("outcome")
        return next((outcome for outcome in self.choices.outcomes if outcome.name == said), None)

    @property
    def why_no_returns(self) -> str:
        """Why no returns can be expected of the outcome, if so."""
        outcome = self.chosen_outcome
        return "" if outcome is None else why_no_returns(outcome, has_bounds=_is_filled(self["bounds"]))

    def return_rows(self) -> Iterator[ReturnRow]:
        """What is expected of each channel with spend."""
        for channel in self.choices.media.paid:
            yield ReturnRow(channel.name, *(self[name] for name in _return_fields(channel.pk, channel.name)))

    @property
    def said_of_returns(self) -> list[BoundField]:
        """What of the rows and the text is filled in."""
        rows = [row.fields for row in self.return_rows() if _is_filled(row.low) or _is_filled(row.high)]
        return [*chain.from_iterable(rows), *filter(_is_filled, [self["roi"]])]

    @property
    def open_parts(self) -> set[str]:
        """The parts of the form in which something is not as usual, or is wrong."""
        found = {part for part, names in MORE.items() if any(self._is_unusual(name) for name in names)}
        rows = [field for row in self.return_rows() for field in (row.low, row.high)]
        return found | {"returns"} if any(row.errors or row.value() for row in rows) else found

    def _is_unusual(self, name: str) -> bool:
        field = self.fields[name]
        return bool(self.errors.get(name)) or field.has_changed(field.initial, self[name].value())

    def clean(self) -> dict[str, Any]:
        """Run the parameters through the one definition of what is allowed, which the API and command line share."""
        data = super().clean() or {}
        if self.why_no_returns:
            for field in self.said_of_returns:
                self.errors.pop(field.name, None)
                data.setdefault(field.name, None)
        if self.errors:
            return data
        period = ("start", "end") if data["period"] == CUSTOM else ("period",)
        for name in period:
            if not data[name]:
                self.add_error(name, "A custom period needs both a start and an end.")
        roi = self._expected_returns(data)
        if self.errors:
            return data
        asked = {name: data[name] for name in ("outcome", "granularity", "model", *period, *MORE_SETTINGS)}
        try:
            self.params = clean(self.workspace, asked | {"roi": roi})
        except InvalidParams as refusal:
            for name, sentences in refusal.errors.items():
                self.add_error(name if name in self.fields else None, list(sentences))
        return data

    def _expected_returns(self, data: Mapping[str, Any]) -> Any:
        """What the rows and the text say together, as `params.clean` takes it; errors go to the row."""
        if self.why_no_returns:  # which `params.clean` says of anything that is said
            return "" if data["returns_kept"] else "; ".join(str(field.value()) for field in self.said_of_returns)
        rows: dict[str, Any] = {}
        for row in self.return_rows():
            low, high, sure = (data.get(field.name) for field in (row.low, row.high, row.sure))
            if low is None and high is None:
                continue
            if low is None or high is None:
                self.add_error(row.low.name if low is None else row.high.name, BOTH_ENDS)
            elif not 0 < low < high:
                self.add_error(row.high.name, f"The range must rise from above 0, not go from {low:g} to {high:g}.")
            else:
                rows[row.channel] = expected_returns.from_interval(low, high, int(sure or LEVEL))
        if not rows or not data["roi"]:
            return rows or data["roi"]
        try:
            text = dict(expected_returns.entries(data["roi"]))
        except ValueError as error:
            self.add_error("roi", str(error))
            return None
        if twice := [name for name in text if name in rows]:
            self.add_error("roi", f"What you expect of “{twice[0]}” is in its row already. Say it once.")
        return rows | text


def _is_filled(field: BoundField) -> bool:
    return bool(str(field.value() or "").strip())


def _test(one: VisibleExperiment) -> tuple[str, str]:
    """An experiment as params have it, and in words."""
    words = ", ".join(filter(None, (one.channel, one.period.label, one.geo)))
    return experiment_name(one.channel, one.period, one.geo), words


def _return_fields(pk: int, channel: str) -> dict[str, forms.Field]:
    """The fields of a channel's row, by names that its own name does not change."""
    number = {"step": "any", "inputmode": "decimal"}
    ends = {
        f"return_{end}_{pk}": forms.FloatField(
            label=f"{channel}: {words}",
            required=False,
            min_value=0,
            max_value=LARGEST_NUMBER,
            widget=forms.NumberInput(attrs=number),
        )
        for end, words in (("low", "at least"), ("high", "at most"))
    }
    levels = [(level, f"{level}%") for level in SURENESS]
    sure = forms.ChoiceField(label=f"{channel}: how sure", choices=levels, required=False, initial=LEVEL)
    return {**ends, f"return_sure_{pk}": sure}


def form_for(
    workspace: Workspace, *, data: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
) -> WeightingsForm:
    """Return the form with what the workspace can choose: as it was sent, or as the page's address has it."""
    choices = Choices(workspace)
    if data is not None:
        return WeightingsForm(workspace=workspace, choices=choices, data=data)
    params, values, left_out = _initial(workspace, choices, query or {})
    form = WeightingsForm(workspace=workspace, choices=choices, params=params, initial=values)
    form.left_out = left_out
    return form


def _initial(
    workspace: Workspace, choices: Choices, query: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], Sequence[tuple[str, str]]]:
    """The question of the page's address where it says something usable, else the default one: params, and values.

    And what of the address cannot be used, with the reason.
    """
    given = {name: value for name in KNOWN if (value := _said(query, name))}
    try:
        params, given, left_out = usable(workspace, given, clean)
    except InvalidParams:  # there is no outcome with values
        return {}, {}, ()
    if "granularity" not in given:
        params["granularity"] = _usual_granularity(choices, params["outcome"])
    period = preset_name(given.get("period") or ALL)
    custom = bool(given.get("start")) or period not in dict(PERIODS)
    of_geos = GEO_FOLDS if "by_geo" in params else FOLDS
    usual_draws, usual_folds = (LIGHTWEIGHT_DRAWS, 0) if is_lightweight(params) else (DRAWS, of_geos)
    names = {code: name for name, code in countries().items()}
    values = {name: value for name, value in params.items() if name not in (EFFECTS, MEASURED_IN)}
    values |= {
        "period": CUSTOM if custom else period,
        # These defaults depend on the model and on geos, which may be chosen anew.
        "draws": None if params["draws"] == usual_draws else params["draws"],
        "folds": None if params["folds"] == usual_folds else params["folds"],
        "holidays": [names.get(code, code) for code in params.get("holidays", ())],
        "bounds": ",".join(map(expected_returns.plain, params.get("bounds", ()))),
        **_returns_said(choices, params.get(EFFECTS, {})),
    }
    if not given:
        del values["holidays"]  # for those of the home country
    return params, values, left_out


def _usual_granularity(choices: Choices, outcome: str) -> str:
    """Weeks, unless the outcome has one value a month."""
    known = next((known_days(one) for one in choices.outcomes if one.name == outcome), None)
    return "month" if known is not None and known.step == "month" else "week"


def _said(query: Mapping[str, Any], name: str) -> Any:
    if name not in LEAVE_OUT:
        return query.get(name)
    texts = query.getlist(name) if hasattr(query, "getlist") else query.get(name, [])
    return texts[0] if len(texts) == 1 else texts


def _returns_said(choices: Choices, effects: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected as rows say it, and as text where they cannot."""
    rows: dict[str, Any] = {}
    rest = dict(effects)
    for channel in choices.media.paid:
        interval = expected_returns.as_interval(effects[channel.name]) if channel.name in effects else None
        if interval is not None:
            rows |= dict(zip(_return_fields(channel.pk, channel.name), interval, strict=True))
            del rest[channel.name]
    return {**rows, "roi": expected_returns.as_text(rest)}
