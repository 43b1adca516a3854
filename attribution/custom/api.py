"""Custom models in the API: make one, save its versions, put it away, and try a definition."""

from typing import ClassVar

from django.db import transaction
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import access
from accounts.models import ApiKey, User
from accounts.permissions import Permission
from accounts.scopes import Scope
from attribution.custom import custom_models
from attribution.custom.examples import examples, weigh
from attribution.custom.serializers import (
    Changes,
    CustomModelSerializer,
    CustomModelWithVersionsSerializer,
    NewModel,
    NewVersion,
    PreviewQuestion,
    read_definition,
    weighed_json,
)
from attribution.methods.custom_definition import in_words
from attribution.models import CustomModel
from mmm_project.problems import Invalid, NotFound

READ, WRITE = (Scope.ATTRIBUTION_READ,), (Scope.ATTRIBUTION_WRITE,)
YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}


class NewestFirst(CursorPagination):
    """Pages that stay put while new models arrive."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class CustomModelList(APIView):
    """The workspace's custom models, and making another."""

    scopes: ClassVar = {"GET": READ, "POST": WRITE}

    def get(self, request: Request) -> Response:
        """List models by their newest versions, newest model first; `?archived=` narrows."""
        workspace = access.get_api_workspace(request)
        models = custom_models.known(workspace)
        if "archived" in request.query_params:
            models = models.filter(archived_at__isnull=not _archived(request))
        paginator = NewestFirst()
        page = paginator.paginate_queryset(models, request, view=self) or []
        return paginator.get_paginated_response(CustomModelSerializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        """Keep a definition as version 1 of a new model: 201."""
        # Who may not learns that before anything about the model.
        workspace = access.get_api_workspace(request)
        access.require(request, Permission.CUSTOM_MODELS)
        asked = NewModel(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        model = custom_models.create(
            workspace=workspace,
            name=data["name"],
            description=data["description"],
            definition=read_definition(data["definition"]),
            by=_user(request),
            api_key=_key(request),
        )
        body = _json(model)
        return Response(body, status=201, headers={"Location": str(body["url"])})


class CustomModelDetail(APIView):
    """One custom model."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE}

    def get(self, request: Request, model_id: int) -> Response:
        """Return the model with all its versions."""
        return Response(_json(_get_model(request, model_id)))

    def patch(self, request: Request, model_id: int) -> Response:
        """Rename the model, describe it, put it away or offer it again; all of that or nothing."""
        model = _get_model(request, model_id)
        access.require(request, Permission.CUSTOM_MODELS)
        asked = Changes(data=request.data)
        asked.is_valid(raise_exception=True)
        data, by, api_key = asked.validated_data, _user(request), _key(request)
        with transaction.atomic():
            custom_models.rename(
                model=model,
                name=data.get("name", model.name),
                description=data.get("description", model.description),
                by=by,
                api_key=api_key,
            )
            if "archived" in data:
                put_away_or_back = custom_models.archive if data["archived"] else custom_models.restore
                put_away_or_back(model=model, by=by, api_key=api_key)
        return Response(_json(model))


class CustomModelVersions(APIView):
    """Saving what a custom model is to mean from now on."""

    scopes: ClassVar = {"POST": WRITE}

    def post(self, request: Request, model_id: int) -> Response:
        """Save the next version: 201, or 200 if the newest one means that already."""
        model = _get_model(request, model_id)
        access.require(request, Permission.CUSTOM_MODELS)
        asked = NewVersion(data=request.data)
        asked.is_valid(raise_exception=True)
        before = custom_models.newest(model).number
        version = custom_models.save_version(
            model=model,
            definition=read_definition(asked.validated_data["definition"]),
            by=_user(request),
            api_key=_key(request),
        )
        return Response(_json(model), status=200 if version.number == before else 201)


class CustomModelPreview(APIView):
    """Trying a definition without saving it."""

    scopes: ClassVar = {"POST": WRITE}

    def post(self, request: Request) -> Response:
        """Return the definition in words and in its canonical form, and the share of each touch of some journeys."""
        workspace = access.get_api_workspace(request)
        access.require(request, Permission.CUSTOM_MODELS)
        asked = PreviewQuestion(data=request.data)
        asked.is_valid(raise_exception=True)
        definition = read_definition(asked.validated_data["definition"])
        journeys = asked.touches() or examples(workspace=workspace)
        weighed = weigh(workspace=workspace, definition=definition, journeys=journeys)
        return Response(
            {
                "definition": definition.as_json(),
                "meaning": list(in_words(definition)),
                "journeys": [weighed_json(journey) for journey in weighed],
            }
        )


def _json(model: CustomModel) -> dict[str, object]:
    """Return the model as it is stored now."""
    stored = custom_models.get(workspace=model.workspace, model_id=model.pk)
    return dict(CustomModelWithVersionsSerializer(stored).data)


def _get_model(request: Request, model_id: int) -> CustomModel:
    """Return a model of a workspace that the caller may enter; all others do not exist for them."""
    model = CustomModel.objects.filter(pk=min(model_id, 10**18)).select_related("workspace").first()
    if model is None:
        raise NotFound("There is no such custom model.")
    try:
        workspace = access.get_workspace(request, model.workspace.slug)
    except NotFound:
        raise NotFound("There is no such custom model.") from None
    return custom_models.get(workspace=workspace, model_id=model_id)


def _archived(request: Request) -> bool:
    asked = request.query_params["archived"].lower()
    if asked not in YES_OR_NO:
        raise Invalid("Say whether archived models are meant.", errors={"archived": ["Use true or false."]})
    return YES_OR_NO[asked]


def _key(request: Request) -> ApiKey | None:
    return request.auth if isinstance(request.auth, ApiKey) else None


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (the API lets nobody else in)
    return request.user
