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
from analyses.artifacts import ArtifactMissing
from analyses.serializers import KnownFieldsOnly
from mmm_project.problems import Conflict, Invalid, NotFound
from weightings.methods.planning.plans import CannotBePlanned
from weightings.models import Scenario
from weightings.planner import scenarios
from weightings.planner.document import horizon_of, scenario_data
from weightings.planner.horizon import Horizon, offered_horizons
from weightings.planner.plan import LARGEST, Plan
from weightings.planner.views import get_run
from weightings.stored import StoredModel

READ, WRITE = (Scope.WEIGHTINGS_READ,), (Scope.WEIGHTINGS_WRITE,)


class NewScenario(KnownFieldsOnly):
    """A plan to keep: spend by channel over the period that the run reports, or over its last `horizon` periods."""

    run = serializers.UUIDField()
    name = serializers.CharField(max_length=scenarios.LONGEST_NAME)
    spend = serializers.DictField(child=serializers.FloatField(min_value=0, max_value=LARGEST), allow_empty=False)
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
        workspace = access.get_api_workspace(request)
        access.require(request, Permission.SCENARIOS)
        asked = NewScenario(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        try:
            run = get_run(workspace, data["run"])
        except NotFound as refusal:  # named in the body: as if it had never been
            raise Invalid(refusal.detail, errors={"run": [refusal.detail]}) from refusal
        horizon = _horizon(StoredModel(run), data["horizon"])
        plan = _plan(horizon, data["spend"])
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


def _horizon(model: StoredModel, asked: int | None) -> Horizon:
    if asked is None:
        return Horizon(model)
    offered = offered_horizons(model)
    if asked not in offered:
        sentence = f"The horizon is one of {', '.join(map(str, offered)) or 'none'}, or left out."
        raise Invalid(sentence, errors={"horizon": [sentence]})
    return Horizon(model, asked)


def _plan(horizon: Horizon, spend: dict[str, float]) -> Plan:
    """The plan, which must name every channel and be within what responses are known for."""
    for name in spend:
        if name not in horizon.channels:
            sentence = f"The model has no channel “{name}” with spend. It has {', '.join(horizon.channels)}."
            raise Invalid(sentence, errors={"spend": [sentence]})
    if missing := [name for name in horizon.channels if name not in spend]:
        sentence = f"No spend is planned for {', '.join(missing)}. Say 0 where there is to be none."
        raise Invalid(sentence, errors={"spend": [sentence]})
    plan = Plan(periods=horizon.periods, spend={name: round(spend[name], 6) for name in horizon.channels})
    try:
        horizon.scenario(plan.amounts(horizon.channels))
    except (CannotBePlanned, ArtifactMissing) as problem:
        raise Invalid(str(problem), errors={"spend": [str(problem)]}) from problem
    return plan


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
    try:
        horizon, plan = horizon_of(scenario)
        return {"url": _url(scenario), **scenario_data(scenario, horizon, plan)}
    except (CannotBePlanned, ArtifactMissing) as problem:
        raise Conflict(str(problem)) from problem


def _url(scenario: Scenario) -> str:
    return reverse("weightings:api_scenario", kwargs={"scenario_id": scenario.pk})


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (the API lets nobody else in)
    return request.user
