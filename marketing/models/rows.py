"""Imported rows.

They are immutable but for `shadowed`: rows that say the same thing (one *natural key*) are active once. For
touchpoints and conversions the first active row holds and later ones are shadowed; for spend, outcomes, controls,
experiments, events and paths the newest import holds (a restatement). `marketing.importing.settle` keeps that true.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from accounts.models import Workspace
from marketing.models.imports import Import
from marketing.models.names import Campaign, Channel, Control, Customer, Goal, Outcome, Segment, TrafficSource


class ImportedRow(models.Model):
    """A row that an import brought in."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="+", db_index=False)
    shadowed = models.BooleanField(default=False)

    class Meta:
        abstract = True
        # The rows of an import, and where in it one goes on reading: lists of any length are read by it.
        indexes: ClassVar = [models.Index(fields=["batch", "id"], name="%(class)s_of_import")]


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

    batch = models.ForeignKey(Import, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
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
        indexes: ClassVar = [
            *ImportedRow.Meta.indexes,
            models.Index(fields=["customer", "occurred_at"], name="touchpoint_natural_key"),
        ]

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
        indexes: ClassVar = [
            *ImportedRow.Meta.indexes,
            models.Index(fields=["customer", "occurred_at"], name="conversion_customer_time"),
        ]
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
        # PostgreSQL looks for the rows of each channel and campaign that is removed.
        indexes: ClassVar = [
            *ImportedRow.Meta.indexes,
            models.Index(fields=["channel"], name="spend_channel"),
            models.Index(fields=["campaign"], condition=Q(campaign__isnull=False), name="spend_campaign"),
        ]
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


class OutcomeValue(ImportedRow):
    """An outcome's value on a day (in a geo)."""

    outcome = models.ForeignKey(Outcome, models.CASCADE, related_name="values", db_index=False)
    date = models.DateField()
    geo = models.CharField(max_length=100, blank=True)
    value = models.FloatField()

    class Meta(ImportedRow.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["outcome", "date", "geo"], condition=Q(shadowed=False), name="outcome_value_unique"
            )
        ]

    def __str__(self) -> str:
        return f"outcome {self.outcome_id} on {self.date}"


class ControlValue(ImportedRow):
    """A control's value on a day (in a geo)."""

    control = models.ForeignKey(Control, models.CASCADE, related_name="values", db_index=False)
    date = models.DateField()
    geo = models.CharField(max_length=100, blank=True)
    value = models.FloatField()

    class Meta(ImportedRow.Meta):
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

    class Meta(ImportedRow.Meta):
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


class Event(ImportedRow):
    """A holiday, a promotion, a strike: something on certain days that may move outcomes."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="events")
    name = models.CharField(max_length=100)
    start = models.DateField()
    end = models.DateField()
    geo = models.CharField(max_length=100, blank=True)

    class Meta(ImportedRow.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "name", "start", "geo"], condition=Q(shadowed=False), name="event_unique"
            ),
            models.CheckConstraint(condition=Q(end__gte=models.F("start")), name="event_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.start}"


class PathCount(ImportedRow):
    """How often a path of channels was taken, within a period or at any time, and how it ended. Nobody is named.

    Rows of one file for one path and day are added up when it is imported, so that one row has each `digest`.
    """

    CHANNEL_DTYPE: ClassVar = "<u4"  # how NumPy writes one of `channels`

    date = models.DateField(null=True, help_text="The first day of what is counted; null: no day is known.")
    # Like all rows, it keeps the channels that it came with; `PathChannel` says so to the database (docs/adr).
    channels = models.BinaryField(help_text="Their ids, oldest first: unsigned 32-bit integers, the lowest byte first.")
    digest = models.UUIDField(help_text="Of the day and the channels: too long, some of them, for an index.")
    conversions = models.FloatField(help_text="Journeys along the path that converted.")
    value = models.DecimalField("value in the workspace's currency", max_digits=24, decimal_places=6, default=0)
    nulls = models.FloatField(default=0, help_text="Journeys along the path that did not convert.")
    file_rows = models.PositiveIntegerField(default=1, help_text="How many rows of the file it adds up.")

    class Meta(ImportedRow.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest"], condition=Q(shadowed=False), name="path_unique"),
            models.CheckConstraint(
                condition=Q(conversions__gte=0, value__gte=0, nulls__gte=0), name="path_counts_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"path {self.digest}"


class PathChannel(models.Model):
    """A channel that some path of an import names: what a foreign key would say if a path were not one field."""

    batch = models.ForeignKey(Import, models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, models.RESTRICT, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "channel"], name="path_channel_unique")]

    def __str__(self) -> str:
        return f"channel {self.channel_id} in import {self.batch_id}"
