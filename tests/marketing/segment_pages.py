"""What tests of the pages of segments share: a furnished shop, segments in it, and what their form sends."""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import Workspace
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, Import, SavedSegment, Segment
from marketing.receivers import create_default_goals
from marketing.segments.definition import parse
from marketing.segments.saved import create_segment
from marketing.selectors import load_touches_and_conversions

ImportRows = Callable[..., Import]
LIST = "/w/acme/data/segments/"
NEW = f"{LIST}new/"
NEWNESS = {"type": "customer", "is": "new"}
HTMX = {"HX-Request": "true"}
FIRST_CHANNEL = {"what": "first_channel", "relation": "any", "names": ["Email", "Search"]}
TOUCHES = {"what": "touches", "relation": "in", "low": "2", "high": ""}
VALUE = {"what": "value", "relation": "out", "low": "10.50", "high": "99"}


def furnish(workspace: Workspace) -> None:
    """Give a workspace the goals that a new one has, three channels and an attribute."""
    create_default_goals(workspace=workspace)
    for name in ("Email", "Search", "Display"):
        create_channel(workspace=workspace, name=name, type=Channel.Type.OWNED)
    Segment.objects.create(workspace=workspace, name="Loyal")


def bring_some_data(workspace: Workspace, import_rows: ImportRows) -> None:
    """Import three conversions of March 2026, all there is to count, and prepare a snapshot of them."""
    import_rows("touchpoints", "customer,occurred_at,channel\nanna,2026-03-01T10:00Z,Email\n")
    rows = ("anna,2026-03-02T12:00Z,100", "anna,2026-03-20T12:00Z,50", "ben,2026-03-03T12:00Z,30")
    import_rows("conversions", "\n".join(["customer,occurred_at,value", *rows, ""]))
    workspace.period_days = 3650
    workspace.save(update_fields=["period_days"])
    load_touches_and_conversions(workspace=workspace)


def keep(workspace: Workspace, name: str, *conditions: Mapping[str, Any], match: str = "all") -> SavedSegment:
    definition = parse({"match": match, "conditions": list(conditions)})
    return create_segment(workspace=workspace, name=name, definition=definition, by=None)


def sent(*conditions: Mapping[str, Any], action: str = "save", **head: str) -> dict[str, Any]:
    """What the form sends: each condition as {"what": ..., and its fields}."""
    data: dict[str, Any] = {"name": "Mine", "match": "all", "action": action, **head}
    data["condition"] = [str(place) for place in range(len(conditions))]
    for place, condition in enumerate(conditions):
        data |= {f"c{place}-{name}": value for name, value in condition.items()}
    return data
