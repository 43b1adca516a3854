"""Reports that people have put together."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.models import User, Workspace
from marketing.models import Campaign


class Report(models.Model):
    """An ordered list of blocks with their settings. Only `reports.builder.actions` writes it.

    `period`: a name of `reports.blocks.relative_periods`. `comparison`: of the dashboard's figures, as
    `marketing.period_choice.Comparison` has it. `campaign`: what is about one campaign only is about this one.
    `blocks`: as `reports.blocks.definition` has them in JSON.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="reports")
    name = models.CharField(max_length=100)
    template = models.CharField(max_length=40, blank=True)
    period = models.CharField(max_length=30)
    comparison = models.CharField(max_length=10, default="previous")
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="+")
    blocks: Any = models.JSONField(default=list)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="report_name_unique")]

    def __str__(self) -> str:
        return self.name
