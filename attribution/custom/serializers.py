"""A custom model in JSON, and what requests about one may say."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers import KnownFieldsOnly, printable
from attribution.custom import custom_models
from attribution.custom.compiling import INTERACTION_CODES
from attribution.custom.examples import Touch, Weighed
from attribution.methods.custom_definition import CustomDefinition, InvalidDefinition, in_words, parse
from attribution.models import CustomModel, CustomModelVersion
from mmm_project.problems import Invalid

MOST_JOURNEYS, MOST_TOUCHES = 50, 100
OLDEST_DAYS = 3650
OBJECT = {"type": "object", "additionalProperties": True}


class VersionSerializer(serializers.Serializer[Any]):
    """A version of a model, which never changes. `model` is what runs are asked for it by."""

    version = serializers.IntegerField(source="number")
    model = serializers.CharField(source="key")
    definition = serializers.DictField()
    meaning = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)
    created_at = serializers.DateTimeField()

    def get_meaning(self, version: CustomModelVersion) -> list[str]:
        return list(in_words(custom_models.definition_of(version)))


class CustomModelSerializer(serializers.ModelSerializer[CustomModel]):
    """A model by its newest version. `model` is what runs are asked for it by; `meaning` the definition in words."""

    url = serializers.SerializerMethodField()
    model = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    version = serializers.SerializerMethodField()
    definition = serializers.SerializerMethodField(help_text="In its canonical form.")
    meaning = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = CustomModel
        fields: tuple[str, ...] = (
            "id",
            "url",
            "model",
            "workspace",
            "name",
            "description",
            "version",
            "definition",
            "meaning",
            "created_by",
            "created_at",
            "archived_at",
        )

    def get_url(self, model: CustomModel) -> str:
        return reverse("attribution:api_custom_model", kwargs={"model_id": model.pk})

    def get_model(self, model: CustomModel) -> str:
        return f"{custom_models.PREFIX}{model.pk}"

    def get_version(self, model: CustomModel) -> int:
        return custom_models.newest(model).number

    @extend_schema_field(OBJECT)
    def get_definition(self, model: CustomModel) -> Mapping[str, Any]:
        definition: Mapping[str, Any] = custom_models.newest(model).definition
        return definition

    def get_meaning(self, model: CustomModel) -> list[str]:
        return list(in_words(custom_models.definition_of(custom_models.newest(model))))


class CustomModelWithVersionsSerializer(CustomModelSerializer):
    """A model with all its versions, newest first."""

    versions = serializers.SerializerMethodField()

    class Meta(CustomModelSerializer.Meta):
        fields = (*CustomModelSerializer.Meta.fields, "versions")

    @extend_schema_field(VersionSerializer(many=True))
    def get_versions(self, model: CustomModel) -> list[dict[str, Any]]:
        newest_first = sorted(model.versions.all(), key=lambda each: -each.number)
        return list(VersionSerializer(newest_first, many=True).data)


@extend_schema_field(OBJECT)
class DefinitionField(serializers.JSONField):
    """What a custom model weighs; `attribution.methods.custom_parsing` says what may be in it."""


class NewModel(KnownFieldsOnly):
    """A model to be made. What names may be is for `custom_models` to say."""

    name = serializers.CharField(max_length=custom_models.LONGEST_NAME)
    description = serializers.CharField(
        default="", allow_blank=True, max_length=custom_models.LONGEST_DESCRIPTION, help_text="One line."
    )
    definition = DefinitionField()


class Changes(KnownFieldsOnly):
    """What is to be changed of a model; a definition is changed by a new version."""

    name = serializers.CharField(required=False, max_length=custom_models.LONGEST_NAME)
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=custom_models.LONGEST_DESCRIPTION, help_text="One line."
    )
    archived = serializers.BooleanField(required=False)


class NewVersion(KnownFieldsOnly):
    """The next version of a model."""

    definition = DefinitionField()


class TouchSerializer(serializers.Serializer[Any]):
    """A touch of a journey that is to be weighed."""

    channel = serializers.CharField(max_length=200)
    days_before = serializers.FloatField(min_value=0, max_value=OLDEST_DAYS)
    interaction = serializers.ChoiceField(choices=list(INTERACTION_CODES), default="unspecified")
    campaign = serializers.CharField(max_length=200, default="", allow_blank=True)


class PreviewQuestion(KnownFieldsOnly):
    """A definition, and the journeys to try it on: examples in the workspace's channels unless some are given."""

    definition = DefinitionField()
    journeys = serializers.ListField(
        child=serializers.ListField(child=TouchSerializer(), min_length=1, max_length=MOST_TOUCHES),
        required=False,
        min_length=1,
        max_length=MOST_JOURNEYS,
    )

    def touches(self) -> list[list[Touch]]:
        return [[Touch(**touch) for touch in journey] for journey in self.validated_data.get("journeys", ())]


class WeighedTouchSerializer(TouchSerializer):
    """A touch and its share of the journey's conversion."""

    share = serializers.FloatField()


class WeighedSerializer(serializers.Serializer[Any]):
    """A journey, oldest touch first. `credited_to_none`: no touch has any weight."""

    touches = WeighedTouchSerializer(many=True)
    credited_to_none = serializers.BooleanField()


class PreviewAnswer(serializers.Serializer[Any]):
    """A definition in its canonical form and in words, and what it makes of journeys."""

    definition = DefinitionField()
    meaning = serializers.ListField(child=serializers.CharField())
    journeys = WeighedSerializer(many=True)


def read_definition(raw: object) -> CustomDefinition:
    """Return the definition. Raises Invalid with a sentence for each mistake, by its path in the body."""
    try:
        return parse(raw)
    except InvalidDefinition as refusal:
        errors = {
            f"definition.{printable(path)}" if path else "definition": [printable(said)]
            for path, said in refusal.errors.items()
        }
        raise Invalid(" ".join(said for (said,) in errors.values()), errors=errors) from None


def weighed_json(weighed: Weighed) -> dict[str, Any]:
    """Return a journey with the share of each touch in full precision, oldest first."""
    touches = zip(weighed.touches, weighed.shares, strict=True)
    return {
        "touches": [
            {
                "channel": touch.channel,
                "days_before": touch.days_before,
                "interaction": touch.interaction,
                "campaign": touch.campaign,
                "share": share,
            }
            for touch, share in touches
        ],
        "credited_to_none": weighed.leaves_nothing,
    }
