"""Runs in the API: ask a question, follow it, read the answer, stop it."""

import uuid
from collections.abc import Mapping
from typing import ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import access
from accounts.models import ApiKey, User, Workspace
from accounts.permissions import Permission
from accounts.scopes import READING, WRITING
from analyses import registry
from analyses.models import Run
from analyses.permissions import cancel_permission
from analyses.runs import request_run
from analyses.serializers import Question, RunSerializer, RunWithResultSerializer
from jobs import actions as job_actions
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted


class NewestFirst(CursorPagination):
    """Pages that stay put while new runs arrive."""

    ordering = "-created_at"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class RunList(APIView):
    """The workspace's runs, and asking for another."""

    scopes: ClassVar = {"GET": READING, "POST": WRITING}

    def get(self, request: Request) -> Response:
        """List runs of the kinds that the caller may read, newest first and without results."""
        workspace = access.get_api_workspace(request)
        kinds = [kind for kind in registry.names(internal=False) if _in_scope(request, kind, "read")]
        if not kinds:
            raise NotPermitted("This API key lacks a scope to read runs, such as runs:read.")
        runs = _runs().filter(workspace=workspace, kind__in=kinds).defer("result")
        paginator = NewestFirst()
        page = paginator.paginate_queryset(runs, request, view=self) or []
        return paginator.get_paginated_response(RunSerializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        """Ask a question: 202 while it is being answered, 200 with the result when it has been already."""
        # Who may not ask learns that before anything about the question.
        workspace = _workspace_asked(request)
        access.require(request, Permission.RUN)
        question = Question(data=request.data)
        question.is_valid(raise_exception=True)
        asked = question.validated_data
        _require_scope(request, asked["kind"], "write")
        key = _key(request)
        run = request_run(
            workspace=workspace,
            kind=asked["kind"],
            params=asked["params"],
            by=_user(request),
            trigger=Run.Trigger.API,
            api_key=key,
        )
        address = reverse("analyses:api_run", kwargs={"run_id": run.pk})
        return Response(
            RunWithResultSerializer(run).data, status=200 if run.job.finished else 202, headers={"Location": address}
        )


class RunDetail(APIView):
    """One run."""

    scopes: ClassVar = {"GET": READING}

    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Return the run's state and, when it is done, its result."""
        run = _get_run(request, run_id)
        _require_scope(request, run.kind, "read")
        return Response(RunWithResultSerializer(run).data)


class RunCancel(APIView):
    """Stopping a run."""

    scopes: ClassVar = {"POST": WRITING}

    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Ask the run to stop: 202, as a worker takes a moment. 409 when it has ended already."""
        run = _get_run(request, run_id)
        _require_scope(request, run.kind, "write")
        access.require(request, cancel_permission(run, _user(request)))
        if not job_actions.request_cancel(job=run.job, by=_user(request), api_key=_key(request)):
            raise Conflict("This run has already ended.")
        return Response(RunSerializer(run).data, status=202)


def _runs() -> QuerySet[Run]:
    return Run.objects.select_related("workspace", "job", "requested_by")


def _get_run(request: Request, run_id: uuid.UUID) -> Run:
    """Return a run of a workspace that the caller may enter; all others do not exist for them."""
    run = _runs().filter(pk=run_id, kind__in=registry.names(internal=False)).first()
    try:
        access.get_workspace(request, run.workspace.slug if run else "")
    except NotFound:
        run = None
    if run is None:
        raise NotFound("There is no such run.")
    return run


def _workspace_asked(request: Request) -> Workspace:
    """Return the workspace that the body names, else the one that the API call is about."""
    if not isinstance(request.data, Mapping) or "workspace" not in request.data:
        return access.get_api_workspace(request)
    slug = request.data["workspace"]
    if not isinstance(slug, str):
        raise Invalid("The workspace is not a slug.", errors={"workspace": ["Give the workspace's slug, as text."]})
    try:
        return access.get_workspace(request, slug)
    except NotFound as refusal:
        raise Invalid(refusal.detail, errors={"workspace": [refusal.detail]}) from refusal


def _require_scope(request: Request, kind: str, action: str) -> None:
    if not _in_scope(request, kind, action):
        scope = registry.scope_of(kind)
        raise NotPermitted(f"This API key lacks the scope {scope}:{action} (or runs:{action}).")


def _in_scope(request: Request, kind: str, action: str) -> bool:
    """Whether the key's scopes allow this; a signed-in browser has none to check."""
    key = _key(request)
    scope = registry.scope_of(kind)
    return key is None or f"{scope}:{action}" in key.scopes or f"runs:{action}" in key.scopes


def _key(request: Request) -> ApiKey | None:
    return request.auth if isinstance(request.auth, ApiKey) else None


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (the API lets nobody else in)
    return request.user
