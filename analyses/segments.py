"""The `segment` parameter, which every kind of analysis of journeys takes in the same way.

Canonical params hold the definition itself, so that a later change of a saved segment changes no run that used it.
Without a segment they hold nothing: a question about all customers is the same as before there were segments.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Count

from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.registry import Params
from marketing.models import SavedSegment
from marketing.segments.definition import Definition, InvalidDefinition, parse
from marketing.segments.saved import LONGEST_NAME, find_segment
from marketing.segments.words import in_words

PARAM = "segment"
ALL_CUSTOMERS = "All customers"
UNSAVED = "Unsaved segment"
LONGEST_IN_ADDRESS = 1500
_LONGEST_TEXT = 100_000


def clean_segment(workspace: Workspace, asked: object) -> dict[str, Any]:
    """Return the canonical parameter: {} for all customers, else {"segment": {"id", "name", "match", "conditions"}}.

    `asked`: a saved segment's name or id, or a definition (an object, or its JSON as text) with a name or without;
    `id` is there if it is one of the workspace's saved segments. Raises InvalidParams.
    """
    if asked in (None, "", {}):
        return {}
    if isinstance(asked, str) and asked.lstrip().startswith("{"):
        asked = _read(asked)
    if isinstance(asked, Mapping):
        return _defined(workspace, asked)
    if isinstance(asked, bool) or not isinstance(asked, str | int):
        raise InvalidParams({PARAM: "A segment is the name or id of a saved one, or a definition."})
    text = str(asked)[:_LONGEST_TEXT] if isinstance(asked, str) or abs(asked) < 10**18 else "?"
    segment = find_segment(workspace=workspace, text=text)
    if segment is None:
        raise InvalidParams({PARAM: f"There is no segment “{text[:LONGEST_NAME]}” in this workspace."})
    if segment.archived_at is not None:
        raise InvalidParams({PARAM: f"The segment “{segment.name}” is archived. Restore it to use it again."})
    return {PARAM: {"id": segment.pk, "name": segment.name, **parse(segment.definition).as_json()}}


def segment_of(params: Params) -> Definition | None:
    """Return the definition in canonical params; None for all customers."""
    return parse(_definition(params[PARAM])) if PARAM in params else None


def segment_name(params: Params) -> str:
    """Return what the segment of canonical params is called."""
    return str(params[PARAM]["name"]) if PARAM in params else ALL_CUSTOMERS


def segment_settings(params: Params) -> list[tuple[str, str]]:
    """Return the segment of canonical params as settings in words: its name, and what it means."""
    definition = segment_of(params)
    name = ("Segment", segment_name(params))
    return [name] if definition is None else [name, ("Segment means", in_words(definition))]


def in_address(params: Params) -> dict[str, Any]:
    """Return canonical params as an address says them: the definition as JSON; its name where that is very long."""
    if PARAM not in params:
        return dict(params)
    text = json.dumps(params[PARAM], separators=(",", ":"), ensure_ascii=False)
    return {**params, PARAM: text if len(text) <= LONGEST_IN_ADDRESS else params[PARAM]["name"]}


def uses_of_segments(workspace: Workspace) -> dict[int, int]:
    """Return how many runs of the workspace used each saved segment, by its primary key."""
    used = Run.objects.filter(workspace=workspace, params__segment__id__isnull=False).order_by()
    return {int(pk): times for pk, times in used.values_list("params__segment__id").annotate(Count("pk"))}


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidParams({PARAM: "This definition of a segment is not JSON."}) from None


def _defined(workspace: Workspace, asked: Mapping[Any, Any]) -> dict[str, Any]:
    try:
        definition = parse(_definition(asked))
    except InvalidDefinition as refusal:
        errors = {f"{PARAM}.{path}" if path else PARAM: sentence for path, sentence in refusal.errors.items()}
        raise InvalidParams(errors) from None
    name = asked.get("name", UNSAVED)
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidParams({f"{PARAM}.name": f"A segment’s name has at most {LONGEST_NAME} printable characters."})
    if not definition.conditions:
        return {}
    saved = _saved_id(workspace, asked.get("id"))
    return {PARAM: ({"id": saved} if saved else {}) | {"name": name.strip(), **definition.as_json()}}


def _saved_id(workspace: Workspace, pk: object) -> int | None:
    """Return the id if it is that of a saved segment of the workspace; what a definition means is its own."""
    if isinstance(pk, bool) or not isinstance(pk, int) or not 0 < pk < 10**18:
        return None
    return pk if SavedSegment.objects.filter(workspace=workspace, pk=pk).exists() else None


def _definition(segment: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in segment.items() if key not in ("id", "name")}
