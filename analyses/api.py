"""Runs in the API: ask a question, follow it, read the answer, stop it."""

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access
from accounts.models import Workspace
from accounts.permissions import Permission
from accounts.scopes import READING, WRITING
from analyses import registry
from analyses.models import Run
from analyses.permissions import cancel_permission
from analyses.registry import Params
from analyses.runs import request_run
from analyses.serializers import (
    AgainSerializer,
    KindSerializer,
    Question,
    RunSerializer,
    RunWithResultSerializer,
)
from api import filters
from api.serializers import ProblemSerializer
from api.views import JSON_OR_CSV, ApiView, RowView
from jobs import actions as job_actions
from jobs.models import Job
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted

QUESTIONS = [
    OpenApiExample(
        "Attribution by two models over the last 90 days",
        {"kind": "attribution", "params": {"model": ["last", "linear"], "period": "last_90"}},
        request_only=True,
    ),
    OpenApiExample(
        "A media mix model of sales",
        {"kind": "weightings", "params": {"outcome": "Sales"}},
        request_only=True,
    ),
    OpenApiExample(
        "A forecast with a fifth more TV",
        {"kind": "forecast", "params": {"periods": 26, "multiples": {"TV": 1.2}}},
        request_only=True,
    ),
]


class RunFilter(filters.Filters):
    """Which runs to list."""

    kind = filters.CharFilter(help_text="Such as `attribution`; see the kinds.")
    status = filters.ChoiceFilter("job__status", choices=Job.Status.choices)
    trigger = filters.ChoiceFilter(choices=Run.Trigger.choices)
    created_after = filters.IsoDateTimeFilter("created_at", "gte", help_text="Asked at this time or later.")
    created_before = filters.IsoDateTimeFilter("created_at", "lt", help_text="Asked before this time.")


class OfRuns(ApiView):
    """What the views of runs have in common: each kind has scopes of its own, and `runs` covers all."""

    tag = "Runs"
    answers_kept = (202,)  # a result, which may be large, is kept with its run

    def require_scope(self, kind: str, action: str) -> None:
        """Raise NotPermitted unless the key may `read` or `write` runs of this kind."""
        if not self.in_scope(kind, action):
            scope = registry.scope_of(kind)
            raise NotPermitted(f"This API key lacks the scope {scope}:{action} (or runs:{action}).")

    def in_scope(self, kind: str, action: str) -> bool:
        """Whether the key's scopes allow this; a signed-in browser has none to check."""
        scopes = {f"{registry.scope_of(kind)}:{action}", f"runs:{action}"}
        return self.key is None or not scopes.isdisjoint(self.key.scopes)

    def asked(self, kind: str, params: Params) -> Response:
        """Ask the question: 200 with the run where it has been answered, else 202. Writing does not include reading."""
        run = request_run(
            workspace=self.workspace,
            kind=kind,
            params=params,
            by=self.user,
            trigger=Run.Trigger.API,
            api_key=self.key,
        )
        address = reverse("analyses:api_run", kwargs={"run_id": run.pk})
        if not self.in_scope(kind, "read"):
            run.result = None
        body = self.represent(run, RunWithResultSerializer)
        return Response(body, status=200 if run.job.finished else 202, headers={"Location": address})


class KindList(ApiView):
    """The kinds of question."""

    tag = "Runs"
    scopes: ClassVar = {"GET": READING}

    @extend_schema(operation_id="listKinds", responses=KindSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the kinds of question that can be asked, which are few: all at once."""
        kinds = [registry.get(name) for name in registry.names(internal=False)]
        return Response(self.represent(kinds, KindSerializer, many=True))


class RunList(OfRuns):
    """The workspace's runs, and asking for another."""

    scopes: ClassVar = {"GET": READING, "POST": WRITING}
    needs: ClassVar = {"POST": Permission.RUN}
    filterset_class = RunFilter
    ordering = ("-created_at", "-id")
    queryset = Run.objects.none()

    def enter(self) -> Workspace:
        """Enter the workspace that the body names, else the one that the call is about."""
        data = self.request.data if self.request.method == "POST" else None
        if not isinstance(data, Mapping) or "workspace" not in data:
            return super().enter()
        slug = data["workspace"]
        if not isinstance(slug, str):
            raise Invalid("The workspace is not a slug.", errors={"workspace": ["Give the workspace's slug, as text."]})
        try:
            return access.get_workspace(self.request, slug)
        except NotFound as refusal:
            raise Invalid(refusal.detail, errors={"workspace": [refusal.detail]}) from refusal

    @extend_schema(operation_id="listRuns", responses=RunSerializer)
    def get(self, request: Request) -> Response:
        """List runs of the kinds that the caller may read, newest first and without results."""
        kinds = [kind for kind in registry.names(internal=False) if self.in_scope(kind, "read")]
        return self.paged(_runs().filter(workspace=self.workspace, kind__in=kinds).defer("result"), RunSerializer)

    @extend_schema(
        operation_id="createRun",
        request=Question,
        responses={202: RunWithResultSerializer, 200: RunWithResultSerializer},
        examples=QUESTIONS,
    )
    def post(self, request: Request) -> Response:
        """Ask a question: 202 while it is being answered, 200 with the result when it has been already.

        For keys that may not read runs of this kind, the result is null.
        """
        asked = self.read(Question)
        self.require_scope(asked["kind"], "write")
        return self.asked(asked["kind"], asked["params"])


class OfARun(OfRuns, RowView[Run]):
    """One run."""

    missing = "There is no such run."
    lookup_url_kwarg = "run_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Run]:
        runs = _runs().filter(kind__in=registry.names(internal=False))
        return runs if self.wants("result") else runs.defer("result")


class RunDetail(OfARun):
    """One run and its result."""

    scopes: ClassVar = {"GET": READING}
    renderer_classes = JSON_OR_CSV

    @extend_schema(
        operation_id="getRun",
        responses={
            (200, "application/json"): RunWithResultSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            409: OpenApiResponse(ProblemSerializer, "There is no table of a run that is not done."),
        },
    )
    def get(self, request: Request, **_: object) -> HttpResponseBase:
        """Return the run's state and, when it is done, its result. With `Accept: text/csv`, the result as a table.

        `fields=status,progress` leaves the result out: enough to see whether it is done.
        """
        self.require_scope(self.row.kind, "read")
        if not self.wants_csv:
            return Response(self.represent(self.row, RunWithResultSerializer))
        if self.row.job.status != Job.Status.DONE:
            raise Conflict("This run has no result to make a table of: it is not done.")
        return self.csv(registry.get(self.row.kind).rows(self.row), name=f"{self.row.kind}-{self.row.pk}")


class RunRetry(OfARun):
    """Asking a run's question once more."""

    scopes: ClassVar = {"POST": WRITING}
    needs: ClassVar = {"POST": Permission.RUN}

    @extend_schema(
        operation_id="retryRun",
        request=AgainSerializer,
        responses={202: RunWithResultSerializer, 200: RunWithResultSerializer},
    )
    def post(self, request: Request, **_: object) -> Response:
        """Ask the same question of the newest data: 202 with the new run, or 200 where it has been answered already.

        With `renew`, its period moves to end with the newest day that there is.
        """
        kind = registry.get(self.row.kind)
        self.require_scope(kind.name, "write")
        renewed = kind.renewed(self.workspace, self.row.params) if self.read(AgainSerializer)["renew"] else None
        return self.asked(kind.name, self.row.params if renewed is None else renewed)


class RunCancel(OfARun):
    """Stopping a run."""

    scopes: ClassVar = {"POST": WRITING}
    takes_body: ClassVar = False

    @extend_schema(operation_id="cancelRun", responses={202: RunSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Ask the run to stop: 202, as a worker takes a moment. 409 when it has ended already."""
        self.require_scope(self.row.kind, "write")
        access.require(self.request, cancel_permission(self.row, self.user))
        if not job_actions.request_cancel(job=self.row.job, by=self.user, api_key=self.key):
            raise Conflict("This run has already ended.")
        return Response(self.represent(self.row, RunSerializer), status=202)


def _runs() -> QuerySet[Run]:
    return Run.objects.select_related("workspace", "job", "requested_by")
