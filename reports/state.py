"""What a dashboard page shows, as its address says it: period and comparison, attribution model, goal.

The whole state is in the address: Back, a reload and a shared link restore it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from accounts.models import Workspace
from attribution.catalogue import LAST_RESORT
from attribution.cube.kept_models import Models, archived_default, choice_of, models_of, usual_model, why_not
from marketing.models import Goal
from marketing.period_choice import PeriodChoice
from mmm_project.problems import FieldErrors


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardState:
    """`model`: as the daily cube names it; of a custom model, this is its newest version.

    `chosen_model`: as addresses and settings name it, whatever its version; `default_model`: so, the workspace's.
    `models`: what can be chosen. `goals`: the workspace's, the default one first. `errors`: what in the address made no
    sense, or is not there yet, as sentences. `refused`: those about what makes no sense, by the name in the address.
    """

    choice: PeriodChoice
    model: str
    chosen_model: str
    default_model: str
    models: Models
    goal: Goal
    goals: Sequence[Goal]
    errors: tuple[str, ...] = ()
    refused: FieldErrors = field(default_factory=dict)

    def query(self) -> str:
        """The state as the query of an address."""
        return urlencode(self.choice.query() | self.other_than_period())

    def other_than_period(self) -> dict[str, str]:
        """What the address says besides the period; what is the workspace's default is left out."""
        query = {}
        if self.chosen_model != self.default_model:
            query["model"] = self.chosen_model
        if self.goal != self.goals[0]:
            query["goal"] = self.goal.name
        return query

    def with_choice(self, choice: PeriodChoice) -> "DashboardState":
        return replace(self, choice=choice)

    def as_far_as(self, computed: Sequence[str]) -> "DashboardState":
        """Return the state with a model that the cube holds, where the chosen one is still to be computed.

        `computed`: the models of the cube. An earlier version of the same model is shown rather than another one. What
        was chosen stays so, in the address, too.
        """
        if self.model in computed:
            return self
        earlier = [name for name in computed if choice_of(name) == self.chosen_model]
        usual = self.models.newest(self.default_model)
        shown = next(name for name in (*earlier, usual, LAST_RESORT, *computed) if name and name in computed)
        label = self.models.label
        sentence = f"{label(self.model)} is being computed. Shown meanwhile is {label(shown)}."
        return replace(self, model=shown, errors=(*self.errors, sentence))


def dashboard_state(query: Mapping[str, str], *, workspace: Workspace, now: dt.datetime) -> DashboardState | None:
    """Read the state from an address; None for a workspace that has no goal to show."""
    offered = Goal.objects.filter(workspace=workspace, archived_at=None)
    goals = sorted(offered, key=lambda goal: (not goal.is_default, goal.pk))
    if not goals:
        return None
    choice = PeriodChoice.from_query(query, workspace=workspace, now=now)
    errors, refused = list(choice.errors), {"period": list(choice.errors)}
    models = models_of(workspace)
    default = usual_model(workspace=workspace, models=models)
    asked = query.get("goal") or goals[0].name
    goal = next((goal for goal in goals if goal.name.casefold() == asked.casefold()), None)
    if goal is None:
        goal = goals[0]
        refused["goal"] = [f"There is no goal “{asked[:60]}”."]
        errors.append(f"{refused['goal'][0]} Shown is {goal.name}.")
    model, problem = _model(query.get("model", ""), workspace, models, default)
    if problem:
        errors.append(f"{problem} Shown is {models.label(model)}.")
        refused["model"] = [problem] if query.get("model") else []
    return DashboardState(
        choice=choice,
        model=model,
        chosen_model=choice_of(model),
        default_model=default,
        models=models,
        goal=goal,
        goals=goals,
        errors=tuple(errors),
        refused={name: sentences for name, sentences in refused.items() if sentences},
    )


def _model(asked: str, workspace: Workspace, models: Models, default: str) -> tuple[str, str]:
    """Return the model that is asked for, else the default one, and why it is not what was asked for, else ""."""
    if found := models.newest(asked or default):
        usual = archived_default(workspace) if not asked and default == LAST_RESORT else ""
        return found, f"The workspace's default model, “{usual}”, is archived." if usual else ""
    return models.newest(default) or LAST_RESORT, why_not(workspace=workspace, asked=asked)
