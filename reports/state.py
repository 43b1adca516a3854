"""What a dashboard page shows, as its address says it: period and comparison, attribution model, goal.

The whole state is in the address: Back, a reload and a shared link restore it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from accounts.models import Workspace
from attribution.labels import MODEL_LABELS
from attribution.params import LAST_RESORT
from marketing.models import Goal
from marketing.period_choice import PeriodChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardState:
    """`goals`: the workspace's, the default one first. `errors`: what in the address made no sense, as sentences."""

    choice: PeriodChoice
    model: str
    goal: Goal
    goals: Sequence[Goal]
    default_model: str
    errors: tuple[str, ...] = ()

    def query(self) -> str:
        """The state as the query of an address."""
        return urlencode(self.choice.query() | self.other_than_period())

    def other_than_period(self) -> dict[str, str]:
        """What the address says besides the period; what is the workspace's default is left out."""
        query = {}
        if self.model != self.default_model:
            query["model"] = self.model
        if self.goal != self.goals[0]:
            query["goal"] = self.goal.name
        return query

    def with_choice(self, choice: PeriodChoice) -> "DashboardState":
        return replace(self, choice=choice)


def dashboard_state(query: Mapping[str, str], *, workspace: Workspace, now: dt.datetime) -> DashboardState | None:
    """Read the state from an address; None for a workspace that has no goal to show."""
    offered = Goal.objects.filter(workspace=workspace, archived_at=None)
    goals = sorted(offered, key=lambda goal: (not goal.is_default, goal.pk))
    if not goals:
        return None
    choice = PeriodChoice.from_query(query, workspace=workspace, now=now)
    errors = list(choice.errors)
    default = workspace.default_attribution_model
    default = default if default in MODEL_LABELS else LAST_RESORT
    model = query.get("model") or default
    if model not in MODEL_LABELS:
        errors.append(f"There is no attribution model “{model[:60]}”. Shown is {MODEL_LABELS[default]}.")
        model = default
    asked = query.get("goal") or goals[0].name
    goal = next((goal for goal in goals if goal.name.casefold() == asked.casefold()), None)
    if goal is None:
        errors.append(f"There is no goal “{asked[:60]}”. Shown is {goals[0].name}.")
        goal = goals[0]
    return DashboardState(
        choice=choice, model=model, goal=goal, goals=goals, default_model=default, errors=tuple(errors)
    )
