"""The channel grouping in the API: how traffic that names no channel is made into channels, and trying other rules."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Workspace
from accounts.permissions import Permission
from accounts.scopes import Scope
from api.serializers import KnownFieldsOnly, printable
from api.views import ApiView
from marketing.channels import change_grouping
from marketing.grouping_rules import (
    FIELDS,
    LONGEST_CHANNEL,
    LONGEST_VALUE,
    MATCHES,
    MOST_CONDITIONS,
    MOST_RULES,
    MOST_VALUES,
    OPERATORS,
    OTHERWISE,
    TYPES,
    InvalidRulesError,
    Rules,
    parse_rules,
)
from marketing.models import ChannelGrouping
from marketing.sources import custom_rules
from marketing.traffic import preview
from mmm_project.problems import Invalid

READ, WRITE = (Scope.DATA_READ, Scope.SETTINGS_READ), (Scope.SETTINGS_WRITE,)
CHANGING = Permission.SETTINGS
VALUE = {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE, "format": "line"}


def _condition(operators: list[str], value: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "field": {"type": "string", "enum": list(FIELDS)},
            "operator": {"type": "string", "enum": operators},
            "value": value,
        },
        "required": ["field", "operator", *required],
        "additionalProperties": False,
    }


OF_A_LIST, OF_NOTHING = "one_of", "is_empty"
CONDITION = {
    "anyOf": [
        _condition([each for each in OPERATORS if each not in (OF_A_LIST, OF_NOTHING)], VALUE, required=["value"]),
        _condition(
            [OF_A_LIST],
            {"type": "array", "items": VALUE, "minItems": 1, "maxItems": MOST_VALUES},
            required=["value"],
        ),
        _condition([OF_NOTHING], {"type": "null"}, required=[]),
    ],
    "description": "Case does not matter.",
}
RULES = {
    "type": "array",
    "maxItems": MOST_RULES,
    "description": "In order: the first rule that fits holds.",
    "items": {
        "type": "object",
        "properties": {
            "channel": {"type": "string", "minLength": 1, "maxLength": LONGEST_CHANNEL, "format": "line"},
            "type": {
                "type": ["string", "null"],
                "enum": [*sorted(TYPES), None],
                "description": "Of a channel that the rule brings into being; null: by its name.",
            },
            "match": {"type": "string", "enum": list(MATCHES)},
            "conditions": {"type": "array", "items": CONDITION, "minItems": 1, "maxItems": MOST_CONDITIONS},
        },
        "required": ["channel", "conditions"],
        "additionalProperties": False,
    },
}
EXAMPLE = OpenApiExample(
    "Paid social by source",
    {
        "grouping": "custom",
        "rules": [
            {
                "channel": "Paid Social",
                "type": "paid",
                "match": "all",
                "conditions": [
                    {"field": "source", "operator": "one_of", "value": ["fb", "ig"]},
                    {"field": "medium", "operator": "starts_with", "value": "paid"},
                ],
            }
        ],
        "otherwise": "standard",
    },
    request_only=True,
)


@extend_schema_field(RULES)
class RulesField(serializers.JSONField):
    """Rules as `marketing.grouping_rules` has them, which says what is wrong with some."""


class GroupingSerializer(serializers.Serializer[Any]):
    """How traffic is grouped. `rules` are the workspace's own, which count while `grouping` is custom."""

    workspace = serializers.CharField()
    grouping = serializers.ChoiceField(Workspace.Grouping.choices)
    rules = RulesField()
    otherwise = serializers.ChoiceField(list(OTHERWISE), help_text="What becomes of traffic that no rule fits.")
    version = serializers.CharField(help_text="Of the rules: send it along, and changes of others are not lost.")
    changed_at = serializers.DateTimeField(allow_null=True, help_text="When the rules were changed last.")
    changed_by = serializers.CharField(allow_null=True)


class AskedGrouping(KnownFieldsOnly):
    """A grouping to try."""

    grouping = serializers.ChoiceField(Workspace.Grouping.choices)
    rules = RulesField()
    otherwise = serializers.ChoiceField(list(OTHERWISE), default="standard")


class NewGrouping(AskedGrouping):
    """A grouping to take the place of the present one."""

    version = serializers.RegexField(
        "^[0-9a-f]{64}$", required=False, help_text="Of the rules that these are to replace: 409 if there are others."
    )


class MovedSerializer(serializers.Serializer[Any]):
    """A traffic source, and its channel at present and under the other grouping."""

    source = serializers.CharField(  # type: ignore[assignment]  # DRF moves fields away from attributes
        source="traffic.source", allow_blank=True
    )
    medium = serializers.CharField(source="traffic.medium", allow_blank=True)
    campaign = serializers.CharField(source="traffic.campaign", allow_blank=True)
    touches = serializers.IntegerField(allow_null=True, help_text="Null while touches are being counted.")
    before = serializers.CharField()
    after = serializers.CharField()
    rule = serializers.IntegerField(allow_null=True, help_text="Which rule fits, counted from 1; null: none.")


class ChannelMovedSerializer(serializers.Serializer[Any]):
    """How much traffic a channel has at present and would have."""

    channel = serializers.CharField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class GroupingPreviewSerializer(serializers.Serializer[Any]):
    """What a grouping would make of the traffic that names no channel. Numbers are of touches, once those are counted;
    of traffic sources until then.
    """

    is_counted = serializers.BooleanField(help_text="Whether touches are counted.")
    touches = serializers.IntegerField(help_text="All that are grouped.")
    changed = serializers.IntegerField(help_text="Those that would change their channel.")
    unmatched = serializers.IntegerField(help_text="Those that no rule fits; without rules, those that are Unassigned.")
    named = serializers.IntegerField(help_text="Those that name their channel, whatever the grouping.")
    sources = serializers.IntegerField(help_text="How many traffic sources there are.")
    looked_at = serializers.IntegerField(help_text="Of those, how many of the largest there was time for.")
    too_many_groups = serializers.BooleanField(help_text="The rarest of more than 5,000 channels are one, Other.")
    channels = ChannelMovedSerializer(many=True)
    rows = MovedSerializer(many=True, help_text="What changes first, then the largest: 30 at most.")
    unmatched_rows = MovedSerializer(many=True, help_text="What no rule fits, the largest first: 15 at most.")


class GroupingDetail(ApiView):
    """How the workspace's traffic is grouped."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ, "PUT": WRITE}
    needs: ClassVar = {"PUT": CHANGING}

    @extend_schema(operation_id="getGrouping", responses=GroupingSerializer)
    def get(self, request: Request) -> Response:
        """Return how traffic that names no channel is grouped into channels, and the workspace's own rules."""
        return self._answer()

    @extend_schema(
        operation_id="replaceGrouping",
        request=NewGrouping,
        responses={200: GroupingSerializer},
        examples=[EXAMPLE],
    )
    def put(self, request: Request) -> Response:
        """Replace the grouping and the workspace's own rules. No row changes; figures are computed again.

        What is wrong with a rule is said by its place in `errors`, such as `rules.2.conditions.0.value`.
        """
        asked = self.read(NewGrouping)
        document = _document(asked)
        _parsed(document)
        change_grouping(
            workspace=self.workspace,
            grouping=asked["grouping"],
            rules=document,
            seen=asked.get("version"),
            by=self.user,
            api_key=self.key,
        )
        return self._answer()

    def _answer(self) -> Response:
        stored = ChannelGrouping.objects.filter(workspace=self.workspace).select_related("changed_by").first()
        document: list[dict[str, Any]] = stored.rules if stored else []
        rules = custom_rules(workspace=self.workspace)
        said = {
            "workspace": self.workspace.slug,
            "grouping": self.workspace.channel_grouping,
            "rules": [_rule(each) for each in document if "otherwise" not in each],
            "otherwise": rules.otherwise,
            "version": rules.digest,
            "changed_at": stored.changed_at if stored else None,
            "changed_by": stored.changed_by.email if stored and stored.changed_by else None,
        }
        return Response(self.represent(said, GroupingSerializer))


class GroupingPreview(ApiView):
    """Trying a grouping."""

    tag = "Settings"
    scopes: ClassVar = {"POST": (Scope.SETTINGS_READ,)}
    needs: ClassVar = {"POST": CHANGING}
    is_idempotent_itself = True

    @extend_schema(
        operation_id="previewGrouping",
        request=AskedGrouping,
        responses={200: GroupingPreviewSerializer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Return what a grouping would make of the workspace's own traffic. Nothing is saved."""
        asked = self.read(AskedGrouping)
        found = preview(workspace=self.workspace, grouping=asked["grouping"], rules=_parsed(_document(asked)))
        channels = [{"channel": channel, "before": before, "after": after} for channel, before, after in found.channels]
        said = {field.name: getattr(found, field.name) for field in fields(found)} | {"channels": channels}
        return Response(self.represent(said, GroupingPreviewSerializer))


def _document(asked: Mapping[str, Any]) -> Any:
    """Return the rules as they are stored; what is no list of objects is left for `parse_rules` to refuse.

    Raises Invalid for a rule that says what has a field of its own here.
    """
    rules, otherwise = asked["rules"], asked["otherwise"]
    if not isinstance(rules, list):
        return rules
    for place, rule in enumerate(rules):
        if isinstance(rule, dict) and "otherwise" in rule:
            sentence = "A rule has no “otherwise”: say it beside the rules."
            raise Invalid(sentence, errors={f"rules.{place}": [sentence]})
    stored = [_to_store(rule) for rule in rules]
    return stored if otherwise == "standard" else [*stored, {"otherwise": otherwise}]


def _to_store(rule: Any) -> Any:
    """Return a rule as the page keeps it: tidied, and without what is not said."""
    if not isinstance(rule, dict):
        return rule
    channel = rule.get("channel")
    stored = {"match": "all", **rule, "channel": channel.strip() if isinstance(channel, str) else channel}
    return {name: value for name, value in stored.items() if name != "type" or value is not None}


def _parsed(document: object) -> Rules:
    """Raises Invalid with everything that is wrong, by its place."""
    try:
        return parse_rules(document)
    except InvalidRulesError as refusal:
        errors = {
            printable(f"rules.{path}".rstrip(".")): [printable(sentence) for sentence in sentences]
            for path, sentences in refusal.errors.items()
        }
        raise Invalid("The rules cannot be used.", errors=errors) from refusal


def _rule(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored rule with all its members."""
    conditions = [{"value": None, **condition} for condition in stored["conditions"]]
    return {"type": None, "match": "all", **stored, "conditions": conditions}
