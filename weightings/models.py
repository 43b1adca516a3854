"""Plans of spend that people keep: scenarios, each on the run whose model they were made with."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.models import User, Workspace
from analyses.models import Run


class Scenario(models.Model):
    """A plan under a name. Only `weightings.planner.scenarios` writes them.

    `plan`: as `weightings.planner.plan.Plan` has it in JSON; its "spend" is by channel, account currency over the
    plan's horizon.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="scenarios")
    run = models.ForeignKey(Run, models.CASCADE, related_name="scenarios")
    name = models.CharField(max_length=100)
    plan: Any = models.JSONField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="scenario_name_unique")]

    def __str__(self) -> str:
        return self.name


class StaleReminder(models.Model):
    """That the owners were told that a run's model has become old: each run is told of once."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="stale_reminder")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"reminder of {self.run_id}"
