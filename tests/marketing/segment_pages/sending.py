"""What is sent to the pages of segments, and segments that are there already."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from marketing.models import SavedSegment
from marketing.segments.definition import parse
from marketing.segments.saved import create_segment

LIST = "/w/acme/data/segments/"
NEW = f"{LIST}new/"
NEWNESS = {"type": "customer", "is": "new"}
HTMX = {"HX-Request": "true"}
FIRST_CHANNEL = {"what": "first_channel", "relation": "any", "names": ["Email", "Search"]}
TOUCHES = {"what": "touches", "relation": "in", "low": "2", "high": ""}
VALUE = {"what": "value", "relation": "out", "low": "10.50", "high": "99"}


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
