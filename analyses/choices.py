"""What forms offer for the parameters that several kinds of questions of journeys take."""

from typing import Any

from django import forms

from accounts.defaults import LONGEST_WINDOW_DAYS, WINDOW_DAYS
from accounts.models import Workspace
from analyses.asking import CONFIDENCE_LEVELS, EXCLUDE, INCLUDE
from analyses.errors import InvalidParams
from analyses.segments import ALL_CUSTOMERS, clean_segment, in_address, segment_name
from marketing.models import SavedSegment
from marketing.periods import PRESET_DAYS

CUSTOM = "custom"
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


def segment_problem(workspace: Workspace, query: Any) -> str:
    """Return why the segment that an address names cannot be used; "" if it can, or none is named."""
    try:
        clean_segment(workspace, query.get("segment"))
    except InvalidParams as refusal:
        return refusal.detail
    return ""
