"""A question about a budget in words."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from marketing.day_labels import span_label
from weightings.labels import GOALS, OBJECTIVES, TOTAL


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Sales · Most on average · 13 last periods"."""
    horizon = f"the last {params['horizon']} periods" if "horizon" in params else "the period reported"
    flighting = ["with flighting"] if "flighting" in params else []
    return " · ".join([params["outcome"], OBJECTIVES[params["objective"]], horizon, *flighting])


def days_of(params: Mapping[str, Any]) -> str:
    """Return the days whose spend is planned again."""
    return span_label(dt.date.fromisoformat(params["start"]), dt.date.fromisoformat(params["end"]))


def settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the question as a list of settings."""
    limits, locks = params.get("limits", {}), params.get("locks", {})
    goal = GOALS[params["goal"]] + (f" {params['target']:g}" if "target" in params else "")
    return [
        ("Outcome", params["outcome"]),
        ("As in", days_of(params)),
        *((("Total asked for", f"{params['total']:,.2f}"),) if params["goal"] == TOTAL else ()),
        ("Aims at", OBJECTIVES[params["objective"]]),
        ("Within", goal),
        (
            "Limits",
            "; ".join(f"{name} {low:,.2f} to {high:,.2f}" for name, (low, high) in limits.items()) or "the usual",
        ),
        ("Locked", "; ".join(f"{name} {amount:,.2f}" for name, amount in locks.items()) or "none"),
        ("Flighting", "optimised" if "flighting" in params else "kept"),
        *((("Recommended all the same", "yes"),) if "override" in params else ()),
    ]
