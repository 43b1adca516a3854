"""Reports to begin with: which blocks, which period, for which purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.blocks.definition import BRIEF, FULL, KINDS, Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a new report begins with. `for_campaign`: it is about one campaign, which is to be chosen."""

    label: str
    purpose: str
    period: str
    comparison: str
    blocks: tuple[Block, ...]
    for_campaign: bool = False


def _block(kind: str, title: str = "", *, extent: str = BRIEF, **params: Any) -> Block:
    return {"kind": kind, "title": title or KINDS[kind].label, "extent": extent, "params": params}


TEMPLATES: Mapping[str, Template] = {
    "weekly_performance": Template(
        label="Weekly performance",
        purpose="How the last week went against the one before: figures, channels, campaigns.",
        period="previous_week",
        comparison="previous",
        blocks=(_block("dashboard", "The week in figures"), _block("attribution", "Credit by channel")),
    ),
    "monthly_review": Template(
        label="Monthly marketing review",
        purpose="The last month for those who decide: figures, what models credit, how channels work together, what "
        "media really added.",
        period="previous_month",
        comparison="previous",
        blocks=(
            _block("text", "Summary of the team"),
            _block("dashboard", "The month in figures"),
            _block("attribution", "Credit by channel"),
            _block("crosschannel", "How channels work together"),
            _block("weightings", "What media added"),
        ),
    ),
    "mid_campaign": Template(
        label="Mid-campaign check",
        purpose="A running campaign so far: is it worth going on as planned?",
        period="last_30",
        comparison="previous",
        blocks=(
            _block("dashboard", "The campaign so far"),
            _block("attribution", "Credit by campaign", dimension="campaign"),
        ),
        for_campaign=True,
    ),
    "post_campaign": Template(
        label="Post-campaign review",
        purpose="A campaign that is over: what it brought, and what to learn from it.",
        period="last_90",
        comparison="previous",
        blocks=(
            _block("text", "What the campaign was to achieve"),
            _block("dashboard", "What the campaign brought"),
            _block("attribution", "Credit by campaign", dimension="campaign"),
            _block("crosschannel", "The journeys around it"),
        ),
        for_campaign=True,
    ),
    "budget_planning": Template(
        label="Budget and annual planning",
        purpose="What each channel returned over a year, and where the next euro should go.",
        period="last_365",
        comparison="year",
        blocks=(
            _block("dashboard", "The year in figures"),
            _block("weightings", "What media added, and the recommended budget", extent=FULL),
            _block("attribution", "Credit by channel"),
            _block("text", "Plan for the coming year"),
        ),
    ),
}
