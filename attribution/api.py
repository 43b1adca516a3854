"""The attribution models in the API: what a run can be asked by."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Feature, Workspace
from accounts.plans import has_feature
from accounts.scopes import Scope
from api.views import ApiView
from attribution.catalogue import OFFERED, Family, Model
from attribution.custom import custom_models


class ModelSerializer(serializers.Serializer[Any]):
    """A model. `name` is what runs are asked for it by; `is_included`: whether the workspace's plan has it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF moves fields away from attributes
    description = serializers.CharField(source="sentence")
    family = serializers.ChoiceField([family.value for family in Family])
    adds_up = serializers.BooleanField(help_text="Whether the credit of all channels is the conversions there are.")
    is_included = serializers.SerializerMethodField()

    def get_is_included(self, model: Model) -> bool:
        return not model.is_data_driven or bool(self.context["has_data_driven"])


class ModelList(ApiView):
    """The models to choose from."""

    tag = "Attribution"
    scopes: ClassVar = {"GET": (Scope.ATTRIBUTION_READ,)}

    @extend_schema(operation_id="listAttributionModels", responses=ModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the models that runs can be asked by, with the workspace's own: all at once.

        `time_decay` and `position` take settings, such as `time_decay:14` or `position:30-40-30`.
        """
        return Response(self.represent([*OFFERED.values(), *_own(self.workspace)], ModelSerializer, many=True))

    def get_serializer_context(self) -> dict[str, Any]:
        has_data_driven = has_feature(self.workspace, Feature.DATA_DRIVEN)
        return {**super().get_serializer_context(), "has_data_driven": has_data_driven}


def _own(workspace: Workspace) -> list[Model]:
    versions = custom_models.active(workspace)
    return [
        Model(version.key, version.model.name, version.model.description or "The workspace's own model.", Family.CUSTOM)
        for version in versions
    ]
