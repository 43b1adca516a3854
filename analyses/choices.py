"""What forms offer for the parameters that several kinds of questions of journeys take."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms

from accounts.defaults import LONGEST_WINDOW_DAYS, WINDOW_DAYS
from accounts.models import Workspace
from analyses.asking import CONFIDENCE_LEVELS, EXCLUDE, INCLUDE
from analyses.errors import InvalidParams
from analyses.segments import ALL_CUSTOMERS, clean_segment, in_address, segment_name
from marketing.models import SavedSegment
from marketing.periods import PRESET_DAYS

CUSTOM = "custom"
DAYS = ("start", "end")  # of a custom period
PERIODS = [*((name, f"Last {days} days") for name, days in PRESET_DAYS.items()), (CUSTOM, "Custom")]
WINDOWS = [*((str(days), f"{days} days") for days in WINDOW_DAYS), (CUSTOM, "Custom")]
VIEW_THROUGH = [(INCLUDE, "Included"), (EXCLUDE, "Excluded")]


class JourneysForm(forms.Form):
    """What every question of journeys is asked with; `params` are the canonical parameters once it is valid."""

    period = forms.ChoiceField(label="Time period", choices=PERIODS)
    start = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    window = forms.ChoiceField(
        label="Attribution window", choices=WINDOWS, help_text="How long before a conversion a touch still counts."
    )
    window_days = forms.IntegerField(label="Days", min_value=1, max_value=LONGEST_WINDOW_DAYS, required=False)
    segment = forms.ChoiceField(label="Segment", required=False)
    grouping = forms.ChoiceField(label="Channel grouping", choices=Workspace.Grouping.choices, required=False)
    view_through = forms.ChoiceField(label="View-through", choices=VIEW_THROUGH, required=False)
    confidence = forms.ChoiceField(
        label="Confidence level", choices=[(level, f"{level}%") for level in CONFIDENCE_LEVELS], required=False
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        self.params: dict[str, Any] = {}
        asked = self.data.get("segment") if self.is_bound else self.initial.get("segment")
        self.fields["segment"].choices = segment_choices(workspace, asked)  # type: ignore[attr-defined]

    def period_asked(self) -> dict[str, Any]:
        """Return the period by its name or by its days; says beside its fields what is missing of these."""
        names = ("start", "end") if self.cleaned_data["period"] == CUSTOM else ("period",)
        asked = {name: self.cleaned_data[name] for name in names}
        for name, given in asked.items():
            if not given:
                self.add_error(name, "A custom period needs both a start and an end.")
        return asked

    def window_asked(self) -> Any:
        """Return the lookback window in days; says beside its field where it is missing."""
        is_custom = self.cleaned_data["window"] == CUSTOM
        days = self.cleaned_data["window_days" if is_custom else "window"]
        if not days:
            self.add_error("window_days", "A custom window needs its number of days.")
        return days


def segment_choices(workspace: Workspace, asked: str | None) -> list[tuple[str, str]]:
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


def segment_choice(workspace: Workspace, params: dict[str, Any]) -> str:
    """Return the choice of the segment field that stands for canonical params."""
    if "segment" not in params:
        return ""
    asked = params["segment"]
    saved = SavedSegment.objects.filter(workspace=workspace, archived_at=None, pk=asked.get("id")).first()
    if saved is not None and clean_segment(workspace, saved.name)["segment"] == asked:
        return saved.name
    return str(in_address(params)["segment"])


class Usable(NamedTuple):
    """The question that an address stands for: its canonical params.

    `given`: what of the address they come from. `left_out`: what of it cannot be used, parameter by parameter, and the
    sentence that says why.
    """

    params: dict[str, Any]
    given: dict[str, Any]
    left_out: Sequence[tuple[str, str]]


def usable(
    workspace: Workspace, given: Mapping[str, Any], clean: Callable[[Workspace, Mapping[str, Any]], dict[str, Any]]
) -> Usable:
    """Return what an address asks for where that can be used; the defaults stand for the rest.

    `clean`: as `AnalysisKind.clean`. Raises InvalidParams where the defaults cannot be used either.
    """
    kept, left_out = dict(given), list[tuple[str, str]]()
    while True:
        try:
            return Usable(clean(workspace, kept), kept, left_out)
        except InvalidParams as refusal:
            if not kept:
                raise
            refused = [(where.partition(".")[0], " ".join(said)) for where, said in refusal.errors.items()]
            useless = {name for name, _sentence in refused}
            useless |= set(DAYS) if useless & set(DAYS) else set()  # one means nothing without the other
            left = {name: value for name, value in kept.items() if name not in useless}
            left_out += [one for one in refused if one not in left_out]
            kept = left if len(left) < len(kept) else {}


def as_form_says(form: type[forms.Form], left_out: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what of an address cannot be used under the names that a form has for it, or else its own as words."""
    fields = {"window_days": "window", **dict.fromkeys(DAYS, "period")}
    found = [(form.base_fields.get(fields.get(name, name)), name, sentence) for name, sentence in left_out]
    return [
        (str(field.label) if field and field.label else name.replace("_", " ").capitalize(), sentence)
        for field, name, sentence in found
    ]
