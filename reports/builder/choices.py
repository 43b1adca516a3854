"""What a workspace can choose from when it puts a report together; each is looked up when it is first asked for."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from accounts.models import Workspace
from analyses.asking import active_goals
from analyses.choices import segment_choices
from attribution.cube.kept_models import models_of, usual_model
from attribution.forms import AttributionForm
from marketing.models import Campaign
from weightings.models import Scenario
from weightings.outcomes import outcomes_with_data, usual_outcome

Choice = tuple[str, str]
Group = tuple[str, Sequence[Choice]]
MOST_IN_A_LIST = 200  # campaigns, beyond which a name is typed
MOST_SUGGESTED = 1_000


class BlockChoices:
    """Models, goals, outcomes, segments, scenarios and campaigns of a workspace, as forms offer them."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @cached_property
    def _attribution(self) -> AttributionForm:
        return AttributionForm(workspace=self.workspace)

    @property
    def models(self) -> Sequence[Group]:
        """The attribution models by family, those that the plan lacks among them."""
        return self._attribution.families

    @property
    def locked(self) -> str:
        """Why data-driven models cannot be chosen; "" where they can."""
        return self._attribution.locked

    @property
    def metrics(self) -> Sequence[Choice]:
        choices: Sequence[Choice] = self._attribution.fields["metric"].choices  # type: ignore[attr-defined]
        return choices

    @cached_property
    def daily_models(self) -> Sequence[Group]:
        """The models that the dashboard can show, by family, after the workspace's own default."""
        models = models_of(self.workspace)
        usual = models.newest(usual_model(workspace=self.workspace, models=models))
        default = f"Usual one: {models.label(usual)}" if usual else "Usual one"
        return [("", [("", default)]), *models.by_family()]

    @cached_property
    def goals(self) -> Sequence[Choice]:
        goals = active_goals(self.workspace)
        usual = next((goal.name for goal in goals if goal.is_default), "")
        return [("", f"Usual one: {usual}" if usual else "Usual one"), *((goal.name, goal.name) for goal in goals)]

    @cached_property
    def outcomes(self) -> Sequence[Choice]:
        outcomes = outcomes_with_data(self.workspace)
        usual = usual_outcome(outcomes)
        default = f"Usual one: {usual.name}" if usual else "Usual one"
        return [("", default), *((outcome.name, outcome.name) for outcome in outcomes)]

    @cached_property
    def segments(self) -> Sequence[Choice]:
        return segment_choices(self.workspace, None)

    @cached_property
    def scenarios(self) -> Sequence[Choice]:
        saved = Scenario.objects.filter(workspace=self.workspace).order_by("name", "pk")
        return [(str(pk), name) for pk, name in saved.values_list("pk", "name")]

    @cached_property
    def campaigns(self) -> Sequence[str]:
        """The names of the campaigns, as many as can be suggested."""
        named = Campaign.objects.filter(workspace=self.workspace).exclude(name="").order_by("name")
        return list(named.values_list("name", flat=True)[:MOST_SUGGESTED])


def with_asked(choices: Sequence[Any], asked: str) -> list[Any]:
    """Return choices, plain or in groups, with one that is there no longer: it stays until somebody takes another."""
    names = {
        str(name)
        for value, label in choices
        for name in ([value] if isinstance(label, str) else [one for one, _label in label])
    }
    return list(choices) if not asked or asked in names else [*choices, (asked, f"{asked[:60]} (no longer there)")]
