"""The product's addresses, and some where things go wrong, for test_errors.py."""

from typing import NoReturn

from allauth.core.ratelimit import respond_429
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Feature, Plan
from accounts.plans import PlanRequired
from mmm_project import urls
from mmm_project.problems import Conflict, Invalid, NotPermitted

FAULTS: dict[str, Exception] = {
    "bad-request": BadRequest("secret reason"),
    "conflict": Conflict("This run has already ended."),
    "denied": PermissionDenied(),
    "django-validation": ValidationError({"spend": ["Spend cannot be negative."]}),
    "fault": RuntimeError("secret reason"),
    "invalid": Invalid("Some of the input cannot be used.", errors={"window_days": ["Use 1 to 365."]}),
    "missing": Http404("secret reason"),
    "not-permitted": NotPermitted("As a viewer you may not run analyses."),
    "plan": PlanRequired(feature=Feature.FORECAST, plan=Plan(code="professional", name="Professional")),
    "too-large": RequestDataTooBig("secret reason"),
    "throttled": exceptions.Throttled(wait=30),
    "validation": exceptions.ValidationError(
        {
            "params": {"window_days": ["Use 1 to 365."]},
            "kinds": [{}, {"name": ["Unknown."]}],
            "non_field_errors": ["No."],
        }
    ),
}


@login_not_required
def fail(_request: HttpRequest, fault: str) -> NoReturn:
    raise FAULTS[fault]


@login_not_required
def too_often(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = respond_429(request)
    return response


class Fail(APIView):
    permission_classes = (AllowAny,)

    def get(self, _request: Request, fault: str) -> NoReturn:
        raise FAULTS[fault]

    def post(self, request: Request, fault: str) -> Response:  # noqa: ARG002
        return Response(request.data)


urlpatterns: list[URLPattern | URLResolver] = [
    *urls.urlpatterns,
    path("fail/too-often/", too_often),
    path("fail/<slug:fault>/", fail),
    path("api/fail/<slug:fault>/", Fail.as_view()),
]
handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
