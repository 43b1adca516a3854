"""A cross-channel question in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from analyses.asking import EXCLUDE, period_of
from analyses.segments import segment_name, segment_settings
from crosschannel.labels import CONVERTING_LABELS, PATH_FILTERS
from crosschannel.params import path_in_words
from mmm_project import formats


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Purchase · 1-30 Jun 2026 · 30-day window · path contains Email"."""
    parts = [params["goal"], period_of(params).label, f"{params['window_days']}-day window"]
    if "grouping" in params:
        parts.append(f"{params['grouping']} grouping")
    if params.get("view_through") == EXCLUDE:
        parts.append("without view-through")
    parts += filters_in_words(params)
    if "segment" in params:
        parts.append(f"Segment: {segment_name(params)}")
    return " · ".join(parts)


def filters_in_words(params: Mapping[str, Any]) -> list[str]:
    """Return which journeys the flows and paths are of: nothing for all."""
    found = [
        f"{label.lower()} {path_in_words(name, params[name])}" for name, label in PATH_FILTERS.items() if name in params
    ]
    if "converting" in params:
        found.append(CONVERTING_LABELS[params["converting"]].lower())
    if "min_journeys" in params:
        found.append(f"paths of {formats.count(params['min_journeys'], 'journey')} or more")
    return found


def settings(params: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return the question as a list of settings."""
    filters = "; ".join(filters_in_words(params))
    return [
        ("Goal", params["goal"]),
        ("Period", period_of(params).label),
        ("Attribution window", formats.count(params["window_days"], "day")),
        ("Channel grouping", str(params.get("grouping", "the workspace's"))),
        ("View-through", "excluded" if params.get("view_through") == EXCLUDE else "included"),
        *segment_settings(params),
        ("Flows and paths of", filters[:1].upper() + filters[1:] if filters else "all journeys"),
        ("Channels told apart in flows", str(params["top"])),
        ("Touches shown in flows", str(params["steps"])),
        ("Confidence level", f"{params['confidence']}%"),
    ]
