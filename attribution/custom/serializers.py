"""A custom model in JSON, and what requests about one may say."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
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


class CustomModelSerializer(serializers.ModelSerializer[CustomModel]):
    """A model by its newest version. `model` is what runs are asked for it by; `meaning` the definition in words."""

    url = serializers.SerializerMethodField()
    model = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    version = serializers.SerializerMethodField()
    definition = serializers.SerializerMethodField()
    meaning = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.email", default=None)

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

    def get_versions(self, model: CustomModel) -> list[dict[str, Any]]:
        return [_version(version) for version in sorted(model.versions.all(), key=lambda each: -each.number)]


class NewModel(KnownFieldsOnly):
    """A model to be made. What names may be is for `custom_models` to say."""

    name = serializers.CharField()
    description = serializers.CharField(default="", allow_blank=True)
    definition = serializers.JSONField()


class Changes(KnownFieldsOnly):
    """What is to be changed of a model; a definition is changed by a new version."""

    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    archived = serializers.BooleanField(required=False)


class NewVersion(KnownFieldsOnly):
    """The next version of a model."""

    definition = serializers.JSONField()


class TouchSerializer(serializers.Serializer[Any]):
    """A touch of a journey that is to be weighed."""

    channel = serializers.CharField(max_length=200)
    days_before = serializers.FloatField(min_value=0, max_value=OLDEST_DAYS)
    interaction = serializers.ChoiceField(choices=list(INTERACTION_CODES), default="unspecified")
    campaign = serializers.CharField(max_length=200, default="", allow_blank=True)


class PreviewQuestion(KnownFieldsOnly):
    """A definition, and the journeys to try it on: examples in the workspace's channels unless some are given."""

    definition = serializers.JSONField()
    journeys = serializers.ListField(
        child=serializers.ListField(child=TouchSerializer(), min_length=1, max_length=MOST_TOUCHES),
        required=False,
        min_length=1,
        max_length=MOST_JOURNEYS,
    )

    def touches(self) -> list[list[Touch]]:
        return [[Touch(**touch) for touch in journey] for journey in self.validated_data.get("journeys", ())]


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


def _version(version: CustomModelVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "model": version.key,
        "definition": version.definition,
        "meaning": list(in_words(custom_models.definition_of(version))),
        "created_by": version.created_by.email if version.created_by else None,
        "created_at": version.created_at,
    }
