"""The dashboard in JSON, as docs/api.md promises it, and what its address may say."""

from typing import Any

from rest_framework import serializers

from marketing.period_choice import EARLIEST_YEAR, LATEST_YEAR, Comparison
from marketing.periods import PRESET_DAYS

LONGEST_NAME = 200


class YesOrNo(serializers.BooleanField):
    """Yes or no in an address, said as `api.filters` has it."""

    TRUE_VALUES = {"true", "True", "1"}  # noqa: RUF012 (as DRF has them)
    FALSE_VALUES = {"false", "False", "0"}  # noqa: RUF012 (likewise)


class DashboardQuery(serializers.Serializer[Any]):
    """The state of the dashboard; what is absent is as the workspace has it."""

    period = serializers.ChoiceField(list(PRESET_DAYS), required=False, help_text="Or `start` and `end`.")
    start = serializers.DateField(
        required=False, help_text=f"The first day, of the years {EARLIEST_YEAR} to {LATEST_YEAR}."
    )
    end = serializers.DateField(required=False, help_text="The last day.")
    compare = serializers.ChoiceField(
        [str(each) for each in Comparison], required=False, help_text="With what; with the previous period if absent."
    )
    match_weekday = YesOrNo(
        required=False, help_text="Whether what is compared is moved by whole weeks, to the same weekdays."
    )
    model = serializers.CharField(
        required=False, max_length=LONGEST_NAME, help_text="An attribution model that is kept day by day."
    )
    goal = serializers.CharField(required=False, max_length=LONGEST_NAME, help_text="The name of a goal.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "period" in attrs and {"start", "end"} & attrs.keys():
            raise serializers.ValidationError({"period": ["Give a period by its name or by its days, not both."]})
        return attrs

    def state(self) -> dict[str, str]:
        """What it says once it is valid, as the address of the page has it."""
        said = dict(self.validated_data)
        if "match_weekday" in said:
            said["match_weekday"] = "1" if said["match_weekday"] else ""
        return {name: str(value) for name, value in said.items()}


class Days(serializers.Serializer[Any]):
    """The first and the last day of a period."""

    start = serializers.DateField()
    end = serializers.DateField()


class Measures(serializers.Serializer[Any]):
    """What was brought, and spent. `roas`: null without spend, and where no model credits it."""

    conversions = serializers.FloatField()
    revenue = serializers.FloatField()
    spend = serializers.FloatField()
    roas = serializers.FloatField(allow_null=True)


class DayMeasures(Measures):
    """The measures of one day."""

    day = serializers.DateField()


class GroupMeasures(Measures):
    """The measures of a channel or a campaign; `(none)` is what nothing is credited with."""

    name = serializers.CharField()
    compared = Measures(allow_null=True, help_text="In the compared period.")
    revenue_by_model = serializers.DictField(child=serializers.FloatField())


class MeasuredLift(Days):
    """What an experiment measured that a channel returns."""

    channel = serializers.CharField()
    roi = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class CreditedRoas(serializers.Serializer[Any]):
    """The ROAS of a channel by a data-driven model, with its interval."""

    channel = serializers.CharField()
    roas = serializers.FloatField()
    roas_low = serializers.FloatField(allow_null=True)
    roas_high = serializers.FloatField(allow_null=True)


class DataDrivenEvidence(serializers.Serializer[Any]):
    """What a run of a data-driven model credits channels with in the same period."""

    run = serializers.UUIDField()
    model = serializers.CharField()
    confidence = serializers.IntegerField()
    is_outdated = serializers.BooleanField()
    channels = CreditedRoas(many=True)


class ModelledRoi(serializers.Serializer[Any]):
    """The ROI of a channel by a media mix model, with its interval."""

    channel = serializers.CharField()
    roi = serializers.FloatField(allow_null=True)
    roi_low = serializers.FloatField(allow_null=True)
    roi_high = serializers.FloatField(allow_null=True)


class MediaMixEvidence(serializers.Serializer[Any]):
    """What the newest media mix model says, in its own period. `doubts`: why it is not to be acted on; "" if it is."""

    run = serializers.UUIDField()
    asked_at = serializers.DateTimeField()
    outcome = serializers.CharField()
    period = Days()
    confidence = serializers.IntegerField()
    doubts = serializers.CharField(allow_blank=True)
    is_stale = serializers.BooleanField()
    is_outdated = serializers.BooleanField()
    channels = ModelledRoi(many=True)


class DashboardSerializer(serializers.Serializer[Any]):
    """The figures of a period: in all, by channel, by campaign and by day. Channels add up to `total`."""

    title = serializers.CharField()
    workspace = serializers.CharField()
    currency = serializers.CharField()
    run = serializers.UUIDField(help_text="That computed the figures.")
    data_version = serializers.CharField()
    computed_at = serializers.DateTimeField()
    period = Days()
    compared_period = Days(allow_null=True)
    goal = serializers.CharField()
    model = serializers.CharField()
    window_days = serializers.IntegerField()
    total = Measures()
    compared_total = Measures(allow_null=True)
    revenue_by_model = serializers.DictField(child=serializers.FloatField())
    channels = GroupMeasures(many=True)
    campaigns = GroupMeasures(many=True)
    days = DayMeasures(many=True)
    experiments = MeasuredLift(many=True)
    data_driven = DataDrivenEvidence(allow_null=True)
    media_mix = MediaMixEvidence(allow_null=True)
