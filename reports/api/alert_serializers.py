"""Alerts in JSON, and what requests about them say."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers import KnownFieldsOnly
from reports.alerts.actions import LONGEST_NAME, SPANS
from reports.alerts.presenters import Standing, state_of
from reports.alerts.wording import watched_in_words
from reports.api.fields import Addresses, Amount, Choice, Id, Text
from reports.api.recipient_serializers import WithRecipients
from reports.models import Alert, AlertEvent

MOST_EVENTS = 100
THRESHOLD_HELP = (
    "For `above` and `below`: an amount in the workspace's currency, a number of conversions, or a ROAS. An `anomaly` "
    "has none."
)


class AlertChanges(KnownFieldsOnly):
    """What is to be changed of an alert."""

    name = Text(required=False, max_length=LONGEST_NAME, help_text="The subject of its mails.")
    metric = Choice(choices=Alert.Metric.choices, required=False)
    channel = Id(required=False, allow_null=True, help_text="The id of a channel; null: all together.")
    goal = Id(required=False, allow_null=True, help_text="The id of a goal; null: the default one. Spend has none.")
    condition = Choice(choices=Alert.Condition.choices, required=False)
    threshold = Amount(required=False, allow_null=True, help_text=THRESHOLD_HELP)
    days = Choice(choices=list(SPANS), required=False, help_text="Whose sum, or ratio, a threshold is compared with.")
    recipients = Addresses(required=False, help_text="All of the list. Who has unsubscribed stays so.")


class NewAlert(AlertChanges):
    """A metric of the daily figures that is to be watched."""

    name = Text(max_length=LONGEST_NAME, help_text="The subject of its mails.")
    metric = Choice(choices=Alert.Metric.choices)
    condition = Choice(choices=Alert.Condition.choices)
    recipients = Addresses()


class AlertEventSerializer(serializers.ModelSerializer[AlertEvent]):
    """Something that an alert noticed about a day. `low`, `high`: what was expected; null for thresholds.

    `is_current`: whether the alert still watches what it did then. `taken_back_at`: when later data took it back.
    `mailed`: false where the day had its two mails already.
    """

    is_current = serializers.SerializerMethodField()

    class Meta:
        model = AlertEvent
        fields = (
            "day",
            "value",
            "low",
            "high",
            "sentence",
            "is_current",
            "mailed",
            "taken_back_at",
            "created_at",
        )

    def get_is_current(self, event: AlertEvent) -> bool:
        return event.revision == event.alert.revision


class AlertStateSerializer(serializers.Serializer[Any]):
    """How an alert stands by the newest figures, for programs and in words."""

    status = serializers.ChoiceField([str(each) for each in Standing])
    sentence = serializers.CharField()


class AlertSerializer(WithRecipients, serializers.ModelSerializer[Alert]):
    """A metric that is watched, how it stands, and who is told.

    `when`: what it watches, in words. `watched_from`: the first day that can raise it.
    """

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    channel = serializers.IntegerField(source="channel_id", allow_null=True)
    channel_name = serializers.CharField(source="channel.name", default=None, allow_null=True)
    goal = serializers.IntegerField(source="goal_id", allow_null=True)
    goal_name = serializers.CharField(source="goal.name", default=None, allow_null=True)
    threshold = serializers.DecimalField(
        max_digits=18, decimal_places=4, allow_null=True, normalize_output=True, coerce_to_string=True
    )
    days = serializers.ChoiceField(list(SPANS))
    when = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = Alert
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "name",
            "metric",
            "channel",
            "channel_name",
            "goal",
            "goal_name",
            "condition",
            "threshold",
            "days",
            "when",
            "state",
            "recipients",
            "unreached",
            "watched_from",
            "paused_at",
            "created_by",
            "created_at",
        )

    def get_url(self, alert: Alert) -> str:
        return reverse("reports:api_alert", kwargs={"alert_id": alert.pk})

    def get_when(self, alert: Alert) -> str:
        return watched_in_words(alert)

    @extend_schema_field(AlertStateSerializer())
    def get_state(self, alert: Alert) -> Mapping[str, str]:
        state = state_of(alert, self.context["view"].figures)
        return {"status": str(state.standing), "sentence": state.sentence}


class AlertWithEventsSerializer(AlertSerializer):
    """An alert with the newest of what it noticed, of 100 days at most."""

    events = serializers.SerializerMethodField()

    class Meta(AlertSerializer.Meta):
        fields = (*AlertSerializer.Meta.fields, "events")

    @extend_schema_field(AlertEventSerializer(many=True))
    def get_events(self, alert: Alert) -> Sequence[Any]:
        newest = alert.events.select_related("alert")[:MOST_EVENTS]
        return list(AlertEventSerializer(newest, many=True).data)
