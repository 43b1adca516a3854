"""Custom models in the API: make one, save its versions, put it away, and try a definition."""

from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope
from api import filters
from api.views import ApiView, RowView, created
from attribution.custom import custom_models
from attribution.custom.examples import examples, weigh
from attribution.custom.serializers import (
    Changes,
    CustomModelSerializer,
    CustomModelWithVersionsSerializer,
    NewModel,
    NewVersion,
    PreviewAnswer,
    PreviewQuestion,
    read_definition,
    weighed_json,
)
from attribution.methods.custom_definition import in_words
from attribution.models import CustomModel

READ, WRITE = (Scope.ATTRIBUTION_READ,), (Scope.ATTRIBUTION_WRITE,)
MAY_EDIT = Permission.CUSTOM_MODELS
EXAMPLE = OpenApiExample(
    "Mostly by position, fading with time",
    {
        "name": "Ours",
        "definition": {"position": {"first": 50, "middle": 30, "last": 20}, "half_life_days": 14},
    },
    request_only=True,
)


class CustomModelFilter(filters.Filters):
    """Which models to list."""

    archived = filters.BooleanFilter(
        "archived_at", "isnull", exclude=True, help_text="true: only archived models; false: only those on offer."
    )


class CustomModelList(ApiView):
    """The workspace's custom models, and making another."""

    tag = "Attribution"
    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"POST": MAY_EDIT}
    filterset_class = CustomModelFilter
    ordering = "-id"
    queryset = CustomModel.objects.none()

    @extend_schema(operation_id="listCustomModels", responses=CustomModelSerializer)
    def get(self, request: Request) -> Response:
        """List models by their newest versions, newest model first."""
        return self.paged(custom_models.known(self.workspace), CustomModelSerializer)

    @extend_schema(
        operation_id="createCustomModel",
        request=NewModel,
        responses={201: CustomModelWithVersionsSerializer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Keep a definition as version 1 of a new model. What is wrong with it is said by its place in `errors`."""
        asked = self.read(NewModel)
        model = custom_models.create(
            workspace=self.workspace,
            name=asked["name"],
            description=asked["description"],
            definition=read_definition(asked["definition"]),
            by=self.user,
            api_key=self.key,
        )
        return created(self.represent(_stored(model), CustomModelWithVersionsSerializer))


class OfACustomModel(RowView[CustomModel]):
    """One custom model."""

    tag = "Attribution"
    missing = "There is no such custom model."
    lookup_url_kwarg = "model_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[CustomModel]:
        return CustomModel.objects.select_related("workspace")


class CustomModelDetail(OfACustomModel):
    """A custom model and its versions."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE}
    needs: ClassVar = {"PATCH": MAY_EDIT}

    @extend_schema(operation_id="getCustomModel", responses=CustomModelWithVersionsSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the model with all its versions."""
        return Response(self.represent(_stored(self.row), CustomModelWithVersionsSerializer))

    @extend_schema(operation_id="changeCustomModel", request=Changes, responses=CustomModelWithVersionsSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Rename the model, describe it, put it away or offer it again; all of that or nothing."""
        asked, model = self.read(Changes), self.row
        with transaction.atomic():
            custom_models.rename(
                model=model,
                name=asked.get("name", model.name),
                description=asked.get("description", model.description),
                by=self.user,
                api_key=self.key,
            )
            if "archived" in asked:
                put_away_or_back = custom_models.archive if asked["archived"] else custom_models.restore
                put_away_or_back(model=model, by=self.user, api_key=self.key)
        return Response(self.represent(_stored(model), CustomModelWithVersionsSerializer))


class CustomModelVersions(OfACustomModel):
    """Saving what a custom model is to mean from now on."""

    scopes: ClassVar = {"POST": WRITE}
    needs: ClassVar = {"POST": MAY_EDIT}

    @extend_schema(
        operation_id="createCustomModelVersion",
        request=NewVersion,
        responses={201: CustomModelWithVersionsSerializer, 200: CustomModelWithVersionsSerializer},
    )
    def post(self, request: Request, **_: object) -> Response:
        """Save the next version: 201, or 200 if the newest one means that already. Earlier versions stay."""
        asked = self.read(NewVersion)
        before = custom_models.newest(_stored(self.row)).number
        version = custom_models.save_version(
            model=self.row, definition=read_definition(asked["definition"]), by=self.user, api_key=self.key
        )
        body = self.represent(_stored(self.row), CustomModelWithVersionsSerializer)
        return Response(body, status=200 if version.number == before else 201)


class CustomModelPreview(ApiView):
    """Trying a definition without saving it."""

    tag = "Attribution"
    scopes: ClassVar = {"POST": READ}
    needs: ClassVar = {"POST": MAY_EDIT}
    is_idempotent_itself = True

    @extend_schema(operation_id="previewCustomModel", request=PreviewQuestion, responses={200: PreviewAnswer})
    def post(self, request: Request) -> Response:
        """Return the definition in words and in its canonical form, and the share of each touch of some journeys."""
        asked = PreviewQuestion(data=request.data)
        asked.is_valid(raise_exception=True)
        definition = read_definition(asked.validated_data["definition"])
        journeys = asked.touches() or examples(workspace=self.workspace)
        weighed = weigh(workspace=self.workspace, definition=definition, journeys=journeys)
        return Response(
            {
                "definition": definition.as_json(),
                "meaning": list(in_words(definition)),
                "journeys": [weighed_json(journey) for journey in weighed],
            }
        )


def _stored(model: CustomModel) -> CustomModel:
    """Return the model as it is stored now, with its versions."""
    return custom_models.get(workspace=model.workspace, model_id=model.pk)
