"""Scenarios in the API: keep a plan, read what it would bring, rename it, remove it."""

from typing import Any, ClassVar

from django.urls import reverse
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import access
from accounts.models import User
from accounts.permissions import Permission
from accounts.scopes import Scope
from api.serializers import KnownFieldsOnly
from mmm_project.problems import Invalid, NotFound
from weightings.models import Scenario
from weightings.planner import scenarios
from weightings.planner.finding import get_run

MOST_SPEND = 1e12
READ, WRITE = (Scope.WEIGHTINGS_READ,), (Scope.WEIGHTINGS_WRITE,)


class NewScenario(KnownFieldsOnly):
    """A plan to keep: spend by channel over the period that the run reports, or over its last `horizon` periods."""

    run = serializers.UUIDField()
    name = serializers.CharField(max_length=scenarios.LONGEST_NAME)
    spend = serializers.DictField(child=serializers.FloatField(min_value=0, max_value=MOST_SPEND), allow_empty=False)
    horizon = serializers.IntegerField(required=False, allow_null=True, default=None)


class NewName(KnownFieldsOnly):
    """What can be changed of a scenario."""

    name = serializers.CharField(max_length=scenarios.LONGEST_NAME)


class NewestFirst(CursorPagination):
    """Pages that stay put while new scenarios arrive."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class ScenarioList(APIView):
    """The workspace's scenarios, and keeping another."""

    scopes: ClassVar = {"GET": READ, "POST": WRITE}

    def get(self, request: Request) -> Response:
        """List scenarios without what they would bring, the newest first."""
        known = scenarios.known(access.get_api_workspace(request)).order_by("-pk")
        paginator = NewestFirst()
        page = paginator.paginate_queryset(known, request, view=self) or []
        return paginator.get_paginated_response([_in_short(scenario) for scenario in page])

    def post(self, request: Request) -> Response:
        """Keep a plan under a name: 201, with what it would bring."""
        # Here, not above: it brings SciPy, which the start of the web server must not wait for.
        from weightings.planner.pages import plan_of_spend

        workspace = access.get_api_workspace(request)
        access.require(request, Permission.SCENARIOS)
        asked = NewScenario(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        try:
            run = get_run(workspace, data["run"])
        except NotFound as refusal:  # named in the body: as if it had never been
            raise Invalid(refusal.detail, errors={"run": [refusal.detail]}) from refusal
        plan = plan_of_spend(run, data["spend"], data["horizon"])
        kept = scenarios.create(run=run, name=data["name"], plan=plan, by=_user(request))
        return Response(_in_full(kept), status=201, headers={"Location": _url(kept)})


class ScenarioDetail(APIView):
    """One scenario."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}

    def get(self, request: Request, scenario_id: int) -> Response:
        """Return the plan, and what it would bring beside the current one."""
        return Response(_in_full(_get(request, scenario_id)))

    def patch(self, request: Request, scenario_id: int) -> Response:
        """Rename it."""
        scenario = _get(request, scenario_id)
        access.require(request, Permission.SCENARIOS)
        asked = NewName(data=request.data)
        asked.is_valid(raise_exception=True)
        scenarios.rename(scenario=scenario, name=asked.validated_data["name"], by=_user(request))
        return Response(_in_short(scenario))

    def delete(self, request: Request, scenario_id: int) -> Response:
        """Remove it: 204."""
        scenario = _get(request, scenario_id)
        access.require(request, Permission.SCENARIOS)
        scenarios.delete(scenario=scenario, by=_user(request))
        return Response(status=204)


def _get(request: Request, scenario_id: int) -> Scenario:
    """Return a scenario of a workspace that the caller may enter; all others do not exist for them."""
    scenario = Scenario.objects.filter(pk=scenario_id).select_related("workspace").first()
    try:
        workspace = access.get_workspace(request, scenario.workspace.slug if scenario else "")
    except NotFound:
        raise NotFound("There is no such scenario.") from None
    return scenarios.get(workspace=workspace, scenario_id=scenario_id)


def _in_short(scenario: Scenario) -> dict[str, Any]:
    return {
        "id": scenario.pk,
        "url": _url(scenario),
        "name": scenario.name,
        "workspace": scenario.workspace.slug,
        "run": str(scenario.run_id),
        "created_at": scenario.created_at.isoformat(),
        "updated_at": scenario.updated_at.isoformat(),
        "plan": scenario.plan,
    }


def _in_full(scenario: Scenario) -> dict[str, Any]:
    from weightings.planner.pages import scenario_json

    return scenario_json(scenario)


def _url(scenario: Scenario) -> str:
    return reverse("weightings:api_scenario", kwargs={"scenario_id": scenario.pk})


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (the API lets nobody else in)
    return request.user
