"""What happened: channels, customers, touchpoints, conversions, spend, outcomes, and the imports that brought them in.

Imported rows are immutable but for `shadowed`: rows that say the same thing (one *natural key*) are active once. For
touchpoints and conversions the first active row holds and later ones are shadowed; for spend, outcomes and controls
the newest import holds (a restatement). `marketing.importing.settle` keeps that true.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower

from accounts.models import User, Workspace
from jobs.models import Job


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

    class Meta:
        ordering: ClassVar = ["colour_slot"]
        constraints: ClassVar = [
            models.UniqueConstraint("workspace", Lower("name"), name="channel_name_unique"),
            models.UniqueConstraint(fields=["workspace", "colour_slot"], name="channel_colour_unique"),
        ]

    def __str__(self) -> str:
        return self.name


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

    The channel that counts is looked up beside the touches (`marketing.selectors.source_lookup`), so a change of the
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

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("workspace", Lower("name"), name="goal_name_unique"),
            models.UniqueConstraint(fields=["workspace"], condition=Q(is_default=True), name="goal_one_default"),
        ]

    def __str__(self) -> str:
        return self.name


class Dataset(models.TextChoices):
    """The kinds of file that can be imported."""

    TOUCHPOINTS = "touchpoints"
    CONVERSIONS = "conversions"
    SPEND = "spend"
    OUTCOMES = "outcomes"
    CONTROLS = "controls"
    EXPERIMENTS = "experiments"
    MEDIA_TABLE = "media_table"


class Import(models.Model):
    """One batch of rows that came in together, becomes visible together, and can be taken back together."""

    class Status(models.TextChoices):
        PENDING = "pending"  # waits for its turn
        LOADING = "loading"  # holds the workspace's import lock; selectors do not see its rows
        ACTIVE = "active"
        FAILED = "failed"
        UNDONE = "undone"

    class Origin(models.TextChoices):
        PAGE = "page"
        API = "api"
        CLI = "cli"
        DEMO = "demo"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="imports")
    job = models.OneToOneField(Job, models.RESTRICT, related_name="batch")
    dataset = models.CharField(max_length=20, choices=Dataset.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    file_name = models.CharField(max_length=255)
    stored_file = models.CharField(max_length=500, help_text="Path below MEDIA_ROOT.")
    checksum = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict, help_text="Field name -> column name.")
    accepted = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    errors = models.JSONField(default=list, help_text="The first rejected cells: row, column, reason.")
    first_day = models.DateField(null=True, help_text="The first day that its rows speak of.")
    last_day = models.DateField(null=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True)
    # Grows when rows of this import change their `shadowed` flag after activation; part of a snapshot segment's name.
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["workspace", "checksum"], name="import_checksum")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(status="loading"), name="import_one_at_a_time_per_workspace"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} import {self.pk} ({self.status})"


class DatasetVersion(models.Model):
    """An order-independent digest of the active imports that touch a dataset (their XOR), so an undo restores it."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="dataset_versions")
    dataset = models.CharField(max_length=20, choices=Dataset.choices)
    digest = models.CharField(max_length=32, default="0" * 32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "dataset"], name="dataset_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} at {self.digest}"


class ImportedRow(models.Model):
    """A row that an import brought in."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="+")
    shadowed = models.BooleanField(default=False)

    class Meta:
        abstract = True


class Interaction(models.IntegerChoices):
    """How a customer met a channel."""

    UNSPECIFIED = 0
    CLICK = 1
    IMPRESSION = 2
    VISIT = 3
    OPEN = 4
    CALL = 5
    STORE_VISIT = 6
    OTHER = 7


class Touchpoint(ImportedRow):
    """A customer meets a channel. Ties in time are ordered by primary key, which is the order of the file.

    The foreign keys are not database constraints: checking four of them costs a row four times what storing it does,
    and only the loader writes this table, with ids that it has just looked up or inserted (docs/adr).
    """

    batch = models.ForeignKey(Import, models.CASCADE, related_name="+", db_constraint=False)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="touchpoints", db_index=False, db_constraint=False
    )
    occurred_at = models.DateTimeField()
    traffic_source = models.ForeignKey(
        TrafficSource, models.RESTRICT, related_name="+", db_index=False, db_constraint=False
    )
    interaction = models.PositiveSmallIntegerField(choices=Interaction.choices, default=Interaction.UNSPECIFIED)
    segment = models.ForeignKey(
        Segment, models.RESTRICT, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer", "occurred_at"], name="touchpoint_natural_key")]

    def __str__(self) -> str:
        return f"touch {self.pk} of {self.customer_id} at {self.occurred_at}"


class Conversion(ImportedRow):
    """A customer reaches a goal, or (`converted` false) is known at this time not to have converted."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="conversions", db_index=False)
    occurred_at = models.DateTimeField()
    goal = models.ForeignKey(Goal, models.RESTRICT, related_name="conversions", db_index=False)
    value = models.DecimalField("value in the workspace's currency", max_digits=18, decimal_places=6, default=0)
    order_id = models.CharField(max_length=100, null=True)  # noqa: DJ001 - absent is not the empty order id
    converted = models.BooleanField(default=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer", "occurred_at"], name="conversion_customer_time")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["goal", "order_id"],
                condition=Q(shadowed=False, order_id__isnull=False),
                name="conversion_order_unique",
            ),
            models.UniqueConstraint(
                fields=["customer", "occurred_at", "goal", "value", "converted"],
                condition=Q(shadowed=False, order_id__isnull=True),
                name="conversion_without_order_unique",
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="conversion_value_not_negative"),
        ]

    def __str__(self) -> str:
        return f"conversion {self.pk} of {self.customer_id} at {self.occurred_at}"


class ChannelSpend(ImportedRow):
    """What was spent on a channel (or one of its campaigns) on a day, and what it bought."""

    date = models.DateField()
    channel = models.ForeignKey(Channel, models.RESTRICT, related_name="spend", db_index=False)
    campaign = models.ForeignKey(Campaign, models.RESTRICT, null=True, related_name="spend", db_index=False)
    geo = models.CharField(max_length=100, blank=True)
    spend = models.DecimalField("spend in the workspace's currency", max_digits=18, decimal_places=6, null=True)
    impressions = models.FloatField(null=True)
    clicks = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "channel",
                "date",
                Coalesce("campaign", 0),
                "geo",
                condition=Q(shadowed=False),
                name="spend_unique",
            ),
            models.CheckConstraint(condition=Q(spend__gte=0), name="spend_not_negative"),
        ]

    def __str__(self) -> str:
        return f"spend on {self.channel_id} on {self.date}"


class Outcome(models.Model):
    """A business outcome measured over time, such as Sales or Brand awareness."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="outcomes")
    name = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="outcome_name_unique")]

    def __str__(self) -> str:
        return self.name


class OutcomeValue(ImportedRow):
    """An outcome's value on a day (in a geo)."""

    outcome = models.ForeignKey(Outcome, models.CASCADE, related_name="values", db_index=False)
    date = models.DateField()
    geo = models.CharField(max_length=100, blank=True)
    value = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["outcome", "date", "geo"], condition=Q(shadowed=False), name="outcome_value_unique"
            )
        ]

    def __str__(self) -> str:
        return f"outcome {self.outcome_id} on {self.date}"


class Control(models.Model):
    """Something besides media that moves outcomes, such as price or promotion."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="controls")
    name = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="control_name_unique")]

    def __str__(self) -> str:
        return self.name


class ControlValue(ImportedRow):
    """A control's value on a day (in a geo)."""

    control = models.ForeignKey(Control, models.CASCADE, related_name="values", db_index=False)
    date = models.DateField()
    geo = models.CharField(max_length=100, blank=True)
    value = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["control", "date", "geo"], condition=Q(shadowed=False), name="control_value_unique"
            )
        ]

    def __str__(self) -> str:
        return f"control {self.control_id} on {self.date}"


class Experiment(ImportedRow):
    """A measured lift: incremental outcome of a channel over a window, with its standard error and what was spent."""

    channel = models.ForeignKey(Channel, models.RESTRICT, related_name="experiments")
    start = models.DateField()
    end = models.DateField()
    geo = models.CharField(max_length=100, blank=True)
    lift = models.FloatField()
    standard_error = models.FloatField()
    spend = models.DecimalField("spend in the workspace's currency", max_digits=18, decimal_places=6)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["channel", "start", "end", "geo"], condition=Q(shadowed=False), name="experiment_unique"
            ),
            models.CheckConstraint(condition=Q(end__gte=models.F("start")), name="experiment_ends_after_start"),
            models.CheckConstraint(condition=Q(standard_error__gt=0), name="experiment_standard_error_positive"),
            models.CheckConstraint(condition=Q(spend__gte=0), name="experiment_spend_not_negative"),
        ]

    def __str__(self) -> str:
        return f"experiment on {self.channel_id} from {self.start}"
