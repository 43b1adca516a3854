"""Rows in JSON. What is in them is said by `kinds`; here is what it is."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from marketing.api.rows.kinds import INTERACTION_CODES
from marketing.models import Dataset


class RowSerializer(serializers.Serializer[Any]):
    """A row that counts, and the import that brought it."""

    id = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; one of them bears a name that no attribute can have."""
        fields = super().get_fields()
        batch = serializers.IntegerField(help_text="The id of the import that brought the row.")
        return {"id": fields.pop("id"), "import": batch, **fields}


def _text(help_text: str = "") -> serializers.CharField:
    return serializers.CharField(allow_null=True, help_text=help_text)


def _amount(*, digits: int = 18, allow_null: bool = False) -> serializers.DecimalField:
    return serializers.DecimalField(
        digits, 6, allow_null=allow_null, help_text="In the workspace's currency, exact to six decimals."
    )


class OfACustomer(RowSerializer):
    """What a customer did."""

    customer = serializers.CharField(help_text="The keyed hash of the customer's key, which itself is not kept.")
    occurred_at = serializers.DateTimeField()


class TouchpointSerializer(OfACustomer):
    """A customer met a channel."""

    channel = serializers.CharField(
        help_text="What it counts for: the channel that was sent, or what the workspace's grouping makes of source, "
        "medium and campaign. Of more than 5,000 channels that a grouping makes, analyses count the rarest as Other."
    )
    original_channel = _text("The channel that was sent, where it has been merged into `channel`.")
    source = _text()  # type: ignore[assignment]  # DRF moves fields away from attributes
    medium = _text()
    campaign = _text()
    interaction = serializers.ChoiceField(list(INTERACTION_CODES.values()))
    segment = _text("The kind of customer that was sent.")


class ConversionSerializer(OfACustomer):
    """A customer reached a goal or, if `converted` is false, is known not to have done so."""

    goal = serializers.CharField()
    value = _amount()
    order_id = _text()
    converted = serializers.BooleanField()


class OfAChannel(RowSerializer):
    """What was done on a channel."""

    channel = serializers.CharField(help_text="What it counts for.")
    original_channel = _text("The channel that was sent, where it has been merged into `channel`.")
    geo = _text("Null: of all geos together.")


class SpendSerializer(OfAChannel):
    """What was spent on a channel, or one of its campaigns, on a day, and what it bought."""

    date = serializers.DateField()
    campaign = _text()
    spend = _amount(allow_null=True)
    impressions = serializers.FloatField(allow_null=True)
    clicks = serializers.FloatField(allow_null=True)


class ExperimentSerializer(OfAChannel):
    """A lift test: what a channel's spend brought in a window, with its standard error."""

    start = serializers.DateField()
    end = serializers.DateField()
    lift = serializers.FloatField()
    standard_error = serializers.FloatField()
    spend = _amount()


class OutcomeSerializer(RowSerializer):
    """The value of an outcome on a day."""

    date = serializers.DateField()
    outcome = serializers.CharField()
    geo = _text("Null: of all geos together.")
    value = serializers.FloatField()


class ControlSerializer(RowSerializer):
    """The value of a control on a day."""

    date = serializers.DateField()
    control = serializers.CharField()
    geo = _text("Null: of all geos together.")
    value = serializers.FloatField()


class EventSerializer(RowSerializer):
    """Something that happened on certain days."""

    name = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField()
    geo = _text("Null: in all geos.")


class PathSerializer(RowSerializer):
    """How often a path of channels was taken, and how it ended."""

    date = serializers.DateField(allow_null=True, help_text="The first day of what is counted; null: no day is known.")
    path = serializers.CharField(help_text="The channels that it counts for, oldest first, joined by ` > `.")
    steps = serializers.ListField(child=serializers.CharField(), help_text="The same as a list; not in CSV.")
    conversions = serializers.FloatField()
    value = _amount(digits=24)
    null = serializers.FloatField(help_text="How many journeys did not convert.")


SERIALIZERS: Mapping[Dataset, type[RowSerializer]] = {
    Dataset.TOUCHPOINTS: TouchpointSerializer,
    Dataset.CONVERSIONS: ConversionSerializer,
    Dataset.SPEND: SpendSerializer,
    Dataset.OUTCOMES: OutcomeSerializer,
    Dataset.CONTROLS: ControlSerializer,
    Dataset.EXPERIMENTS: ExperimentSerializer,
    Dataset.EVENTS: EventSerializer,
    Dataset.PATHS: PathSerializer,
}
