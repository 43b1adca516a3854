"""Reports in JSON, and what requests about them say."""

import re
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers import KnownFieldsOnly, printable
from marketing.period_choice import Comparison
from reports.api.fields import Choice, Id, Params, Part, Text
from reports.blocks.definition import BRIEF, EXTENTS, KINDS, LONGEST_TITLE, MOST_BLOCKS, PERIOD_PARAMS
from reports.blocks.relative_periods import PERIODS
from reports.blocks.templates import TEMPLATES
from reports.builder.actions import LONGEST_NAME
from reports.models import Report

COMPARISONS = [str(each) for each in Comparison]
BLOCK_ID = "^[a-z][a-z0-9]{0,11}$"
# Of the blocks that are no analysis, which would otherwise judge its own settings.
KNOWN_PARAMS: Mapping[str, frozenset[str]] = {
    "dashboard": frozenset({"model", "goal"}),
    "scenarios": frozenset({"scenarios"}),
    "text": frozenset({"text"}),
}
PARAMS_HELP = (
    "Of `text`: `text`. Of `dashboard`: `model`, `goal`. Of `scenarios`: `scenarios`, a list of ids. Of `attribution`, "
    "`weightings` and `crosschannel`: what a run of the kind takes, without its period, which is the report's."
)


class BlockSerializer(serializers.Serializer[Any]):
    """A part of a report."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(list(KINDS))
    title = serializers.CharField()
    extent = serializers.ChoiceField(list(EXTENTS), default=BRIEF)
    params = serializers.DictField(help_text=PARAMS_HELP)


@extend_schema_field({"type": "string", "pattern": BLOCK_ID})
class BlockId(Text):
    """By which a block is told from the others of its report: a letter, and up to eleven letters and digits."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(BLOCK_ID, text):
            raise serializers.ValidationError("Write a small letter, and up to eleven small letters and digits.")
        return text


class NewBlock(Part):
    """A part of a report. `id`: of a block that there is already; `extent`: its key results, or everything."""

    id = BlockId(required=False, help_text="One is made if absent.")
    kind = Choice(choices=list(KINDS))
    title = Text(required=False, allow_blank=True, max_length=LONGEST_TITLE, help_text="The kind's name if absent.")
    extent = Choice(choices=list(EXTENTS), default=BRIEF)
    params = Params(required=False, help_text=PARAMS_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse settings that would not be used: without them, it would be another block than was meant."""
        given = set(attrs.get("params", {}))
        known = KNOWN_PARAMS.get(attrs["kind"])
        unused = given - known if known is not None else given.intersection(PERIOD_PARAMS)
        if unused:
            sentence = "There is no such setting." if known is not None else "The period is the report's."
            raise serializers.ValidationError({"params": {printable(name): [sentence] for name in sorted(unused)}})
        return attrs


class ReportChanges(KnownFieldsOnly):
    """What is to be changed of a report; `blocks` are all of them, in their order."""

    name = Text(required=False, max_length=LONGEST_NAME)
    period = Choice(choices=list(PERIODS), required=False, help_text="Seen from the day on which it is made.")
    comparison = Choice(choices=COMPARISONS, required=False, help_text="Of dashboards.")
    campaign = Id(required=False, allow_null=True, help_text="The campaign that the report is about.")
    blocks = serializers.ListField(child=NewBlock(), required=False, max_length=MOST_BLOCKS)


class NewReport(ReportChanges):
    """A report that begins with a template, with blocks, or with nothing."""

    name = Text(max_length=LONGEST_NAME)
    template = Choice(choices=list(TEMPLATES), required=False, help_text="Which brings its own blocks.")


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A report: what is shown of which period. `campaign`: what is about one campaign only is about this one."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    template = serializers.SerializerMethodField(help_text="What it began with; null: with nothing.")
    period = serializers.ChoiceField(list(PERIODS))
    comparison = serializers.ChoiceField(COMPARISONS)
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    campaign_name = serializers.CharField(source="campaign.name", default=None, allow_null=True)
    blocks = BlockSerializer(many=True)
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = Report
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "name",
            "template",
            "period",
            "comparison",
            "campaign",
            "campaign_name",
            "blocks",
            "created_by",
            "created_at",
            "updated_at",
        )

    def get_url(self, report: Report) -> str:
        return reverse("reports:api_report", kwargs={"report_id": report.pk})

    @extend_schema_field(serializers.ChoiceField(list(TEMPLATES), allow_null=True))
    def get_template(self, report: Report) -> str | None:
        return report.template or None
