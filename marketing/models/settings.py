"""What a workspace has decided about its data: how traffic is grouped, which customers it looks at, what is healthy."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.models import User, Workspace


class ChannelGrouping(models.Model):
    """The workspace's own ordered rules from traffic to channels; they count while its grouping is Custom.

    `rules`: a list of objects as `marketing.grouping_rules` describes them; the first that fits holds.
    """

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="custom_grouping")
    rules = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{len(self.rules)} grouping rules"


class SavedSegment(models.Model):
    """Customers to look at, by what is known of them and what they did; `definition` as `marketing.segments` says."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="saved_segments")
    name = models.CharField(max_length=100)
    definition = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="saved_segment_name_unique")]

    def __str__(self) -> str:
        return self.name


class HealthReport(models.Model):
    """What the last look at the workspace's data found, for the data version and the day that it was made for."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, related_name="health_report")
    data_version = models.CharField(max_length=64)
    day = models.DateField(help_text="The workspace's day on which it was made.")
    report = models.JSONField(default=dict)
    computed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"health on {self.day}"
