"""What forms offer for the parameters that several kinds of questions take."""

from typing import Any

from accounts.defaults import WINDOW_DAYS
from accounts.models import Workspace
from analyses.asking import EXCLUDE, INCLUDE
from analyses.errors import InvalidParams
from analyses.segments import ALL_CUSTOMERS, clean_segment, in_address, segment_name
from marketing.models import SavedSegment
from marketing.periods import PRESET_DAYS

CUSTOM = "custom"
PERIODS = [*((name, f"Last {days} days") for name, days in PRESET_DAYS.items()), (CUSTOM, "Custom")]
WINDOWS = [*((str(days), f"{days} days") for days in WINDOW_DAYS), (CUSTOM, "Custom")]
VIEW_THROUGH = [(INCLUDE, "Included"), (EXCLUDE, "Excluded")]


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
