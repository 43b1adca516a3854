"""What rows refer to by name: channels, campaigns, traffic sources, customers, goals, outcomes and controls."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower

from accounts.models import Workspace


class Channel(models.Model):
    """A way of reaching people, such as Email; `colour_slot` fixes its colour for good."""

    class Type(models.TextChoices):
        PAID = "paid"
        ORGANIC = "organic"
        OWNED = "owned"
        OFFLINE = "offline"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="channels")
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.PAID)
    colour_slot = models.PositiveSmallIntegerField()
    # Rows keep the channel that they came with; readers count them for the one that it was merged into.
    merged_into = models.ForeignKey("self", models.RESTRICT, null=True, blank=True, related_name="merged")

    class Meta:
        ordering: ClassVar = ["colour_slot"]
        constraints: ClassVar = [
            models.UniqueConstraint("workspace", Lower("name"), name="channel_name_unique"),
            models.UniqueConstraint(fields=["workspace", "colour_slot"], name="channel_colour_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class ChannelAlias(models.Model):
    """Another name of a channel, such as the one it had before it was renamed: imports that say it mean the channel."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="channel_aliases")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="channel_alias_unique")]

    def __str__(self) -> str:
        return f"{self.name} is {self.channel}"


class Campaign(models.Model):
    """A named campaign; it may run on several channels."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "name"], name="campaign_name_unique")]

    def __str__(self) -> str:
        return self.name


class TrafficSource(models.Model):
    """Where a touch came from, as its row said it: an explicit channel, or source and medium to be grouped; a campaign.

    The channel that counts is looked up beside the touches (`marketing.sources.source_lookup`), so a change of the
    channel grouping rewrites no touch.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="traffic_sources")
    channel = models.ForeignKey(Channel, models.RESTRICT, null=True, blank=True, related_name="traffic_sources")
    source = models.CharField(max_length=200, blank=True)
    medium = models.CharField(max_length=200, blank=True)
    campaign = models.ForeignKey(Campaign, models.RESTRICT, null=True, blank=True, related_name="traffic_sources")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "workspace",
                Coalesce("channel", 0),
                "source",
                "medium",
                Coalesce("campaign", 0),
                name="traffic_source_unique",
            )
        ]

    def __str__(self) -> str:
        return " / ".join(str(part or "(not set)") for part in (self.channel, self.source, self.medium, self.campaign))


class Segment(models.Model):
    """A kind of customer, as the data names it (New, Loyal ...)."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="segments")
    name = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "name"], name="segment_name_unique")]

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """A person as the workspace's data knows them. The key itself is never stored: the id *is* its keyed hash.

    `marketing.importing.customers.customer_ids` computes it, so that loading a touch needs no look-up (docs/adr).
    """

    id = models.BigIntegerField(primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="customers", db_constraint=False)

    def __str__(self) -> str:
        return f"customer {self.pk}"


class Goal(models.Model):
    """Something a customer does that counts: a purchase, a lead, a sign-up."""

    class Kind(models.TextChoices):
        SALE = "sale"
        LEAD = "lead"
        OTHER = "other"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="goals")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OTHER)
    is_default = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)  # kept with its conversions, but not offered any more

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("workspace", Lower("name"), name="goal_name_unique"),
            models.UniqueConstraint(fields=["workspace"], condition=Q(is_default=True), name="goal_one_default"),
        ]

    def __str__(self) -> str:
        return self.name


class Outcome(models.Model):
    """A business outcome measured over time, such as Sales or Brand awareness."""

    class Kind(models.TextChoices):
        SALES = "sales", "Sales"
        BRAND_AWARENESS = "brand_awareness", "Brand awareness"
        WEBSITE_TRAFFIC = "website_traffic", "Website traffic"
        APP_INSTALLS = "app_installs", "App installs"
        CUSTOM = "custom", "Custom"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="outcomes")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.CUSTOM)
    is_money = models.BooleanField("in the workspace's currency", default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="outcome_name_unique")]

    def __str__(self) -> str:
        return self.name


class Control(models.Model):
    """Something besides media that moves outcomes, such as price or promotion."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="controls")
    name = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="control_name_unique")]

    def __str__(self) -> str:
        return self.name
