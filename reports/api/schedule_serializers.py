"""Schedules in JSON, and what requests about them say."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone as clock
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers import KnownFieldsOnly
from reports.api.fields import Addresses, Choice, ClockTime, Id, Params, Text, Whole, Zone
from reports.api.recipient_serializers import WithRecipients
from reports.blocks.relative_periods import PERIODS
from reports.exports import FORMATS
from reports.models import Occurrence, Schedule
from reports.schedules.actions import LONGEST_NAME, recurrence_of
from reports.schedules.calendar import upcoming
from reports.schedules.contents import ANALYSES, period_at
from reports.schedules.outcomes import Ending, outcome_of

NEXT_SHOWN = 3
WHAT = ("report", "kind", "run")


class ScheduleChanges(KnownFieldsOnly):
    """What is to be changed of a schedule. What goes out is one of `report`, `kind` (with `params`) and `run`."""

    name = Text(
        required=False,
        allow_blank=True,
        max_length=LONGEST_NAME,
        help_text="The subject of its mails. Empty: by what they bring.",
    )
    report = Id(required=False, help_text="A report, with all its blocks.")
    kind = Choice(choices=list(ANALYSES), required=False, help_text="A single analysis.")
    params = Params(required=False, help_text="Its settings; none of the period, which is another one each time.")
    run = serializers.UUIDField(required=False, help_text="An analysis with the settings of this finished run.")
    period = Choice(choices=list(PERIODS), required=False, help_text="Seen from the day on which it goes out.")
    formats = serializers.ListField(child=Choice(choices=list(FORMATS)), required=False, min_length=1, max_length=5)
    frequency = Choice(choices=Schedule.Frequency.choices, required=False)
    weekday = Whole(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=6,
        help_text="Of weekly ones, and no other: 0 is Monday.",
    )
    month_day = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=31,
        help_text="Of monthly ones, and no other; on the last day of months that are shorter.",
    )
    time = ClockTime(required=False, help_text="By the clock of the zone.")
    zone = Zone(required=False, help_text="Such as Europe/Berlin.")
    recipients = Addresses(required=False, help_text="All of the list. Who has unsubscribed stays so.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if len([name for name in WHAT if name in attrs]) > 1:
            raise serializers.ValidationError({"report": ["Give one of report, kind and run."]})
        if "params" in attrs and {"report", "run"} & attrs.keys():
            raise serializers.ValidationError({"params": ["Settings go with a kind."]})
        return attrs


class NewSchedule(ScheduleChanges):
    """Something that is to go out again and again: one of `report`, `kind` (perhaps with `params`) and `run`."""

    period = Choice(choices=list(PERIODS), help_text="Seen from the day on which it goes out.")
    formats = serializers.ListField(child=Choice(choices=list(FORMATS)), min_length=1, max_length=5)
    frequency = Choice(choices=Schedule.Frequency.choices)
    time = ClockTime(help_text="By the clock of the zone.")
    zone = Zone(required=False, help_text="Such as Europe/Berlin; the workspace's if absent.")
    recipients = Addresses()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if not any(name in attrs for name in WHAT):
            raise serializers.ValidationError({"report": ["Say what is to go out: a report, a kind or a run."]})
        return attrs


class OccurrenceSerializer(serializers.ModelSerializer[Occurrence]):
    """A time at which a schedule was due, and what came of it, for programs in `status` and in words in `outcome`.

    `missed`: earlier times that it stands for; `manual`: somebody sent it at once.
    """

    status = serializers.SerializerMethodField()
    outcome = serializers.SerializerMethodField()
    formats = serializers.ListField(child=serializers.CharField())
    edition = serializers.UUIDField(source="edition_id", allow_null=True)
    edition_url = serializers.SerializerMethodField()

    class Meta:
        model = Occurrence
        fields = (
            "due_at",
            "claimed_at",
            "late",
            "missed",
            "manual",
            "name",
            "formats",
            "status",
            "outcome",
            "problem",
            "edition",
            "edition_url",
        )

    @extend_schema_field(serializers.ChoiceField([str(each) for each in Ending]))
    def get_status(self, occurrence: Occurrence) -> str:
        return str(outcome_of(occurrence).ending)

    def get_outcome(self, occurrence: Occurrence) -> str:
        return outcome_of(occurrence).words

    def get_edition_url(self, occurrence: Occurrence) -> str | None:
        edition = occurrence.edition_id
        return reverse("reports:api_edition", kwargs={"edition_id": edition}) if edition else None


class NextTimeSerializer(serializers.Serializer[Any]):
    """A time at which it goes out, and the days that it will cover."""

    at = serializers.DateTimeField()
    start = serializers.DateField()
    end = serializers.DateField()


class ScheduleSerializer(WithRecipients, serializers.ModelSerializer[Schedule]):
    """A schedule: what goes out, when, to whom, and what came of it last.

    `paused_because`: why the product has paused it; empty where somebody did. `next_runs`: none while paused.
    """

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    report = serializers.IntegerField(source="report_id", allow_null=True)
    kind = serializers.SerializerMethodField(help_text="Of a single analysis; null where a report goes out.")
    params = serializers.DictField()
    period = serializers.ChoiceField(list(PERIODS))
    formats = serializers.ListField(child=serializers.ChoiceField(list(FORMATS)))
    weekday = serializers.IntegerField(allow_null=True, min_value=0, max_value=6)
    month_day = serializers.IntegerField(allow_null=True, min_value=1, max_value=31)
    time = serializers.SerializerMethodField()
    next_runs = serializers.SerializerMethodField()
    last_occurrence = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = Schedule
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "name",
            "report",
            "kind",
            "params",
            "period",
            "formats",
            "frequency",
            "weekday",
            "month_day",
            "time",
            "zone",
            "recipients",
            "unreached",
            "next_run_at",
            "next_runs",
            "last_occurrence",
            "paused_at",
            "paused_because",
            "created_by",
            "created_at",
            "updated_at",
        )

    def get_url(self, schedule: Schedule) -> str:
        return reverse("reports:api_schedule", kwargs={"schedule_id": schedule.pk})

    @extend_schema_field(serializers.ChoiceField(list(ANALYSES), allow_null=True))
    def get_kind(self, schedule: Schedule) -> str | None:
        return schedule.kind or None

    @extend_schema_field(ClockTime())
    def get_time(self, schedule: Schedule) -> str:
        return f"{schedule.time:%H:%M}"

    @extend_schema_field(NextTimeSerializer(many=True))
    def get_next_runs(self, schedule: Schedule) -> list[Any]:
        return [] if schedule.paused_at else next_times(schedule, NEXT_SHOWN, now=clock.now())

    @extend_schema_field(OccurrenceSerializer(allow_null=True))
    def get_last_occurrence(self, schedule: Schedule) -> Mapping[str, Any] | None:
        newest: list[Occurrence] = schedule.newest  # type: ignore[attr-defined]  # fetched by `schedules_with_all`
        return OccurrenceSerializer(newest[0]).data if newest else None


class UpcomingSerializer(serializers.Serializer[Any]):
    """When a schedule goes out: in words, what to know about it, and the next times, as if it were not paused."""

    paused = serializers.BooleanField()
    when = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField())
    results = NextTimeSerializer(many=True)


def next_times(schedule: Schedule, number: int, *, now: dt.datetime) -> list[Any]:
    """The next times of a schedule in JSON, each with the days of its period."""
    times = upcoming(recurrence_of(schedule), now, number)
    periods = [period_at(schedule.workspace, schedule.period, at) for at in times]
    rows = [{"at": at, "start": period.start, "end": period.end} for at, period in zip(times, periods, strict=True)]
    return list(NextTimeSerializer(rows, many=True).data)
