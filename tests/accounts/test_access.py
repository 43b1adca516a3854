"""From a request to a workspace."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request
from rest_framework.test import force_authenticate

from accounts.access import AuthedRequest, can, get_api_workspace, get_workspace, require
from accounts.models import Role, User, Workspace
from accounts.permissions import Permission
from mmm_project.problems import Invalid, NotFound, NotPermitted
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
RequestBy = Callable[[User], AuthedRequest]


@pytest.fixture
def request_by() -> RequestBy:
    def make(user: User) -> AuthedRequest:
        request = RequestFactory().get("/")
        request.user = user
        request.session = SessionStore()
        return request  # type: ignore[return-value]

    return make


def _api(request: AuthedRequest) -> Request:
    force_authenticate(request, request.user)
    return Request(request)


def test_a_member_gets_the_workspace_and_it_is_remembered(
    request_by: RequestBy, workspace: Workspace, viewer: User
) -> None:
    request = request_by(viewer)
    assert get_workspace(request, "acme") == workspace
    assert request.membership.role == Role.VIEWER
    assert request.session["last_workspace"] == "acme"


@pytest.mark.parametrize("slug", ["acme", "no-such-workspace"])
def test_other_workspaces_and_none_look_the_same(
    request_by: RequestBy, workspace: Workspace, outsider: User, slug: str
) -> None:
    with pytest.raises(NotFound, match="no such workspace, or you are not a member"):
        get_workspace(request_by(outsider), slug)


def test_a_text_that_can_be_no_slug_never_reaches_the_database(
    request_by: RequestBy, viewer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = request_by(viewer)
    with django_assert_num_queries(0), pytest.raises(NotFound, match="no such workspace"):
        get_workspace(request, "\0")


def test_a_role_is_asked_before_the_deed(request_by: RequestBy, workspace: Workspace, analyst: User) -> None:
    request = request_by(analyst)
    get_workspace(request, "acme")
    require(request, Permission.RUN)
    assert not can(request, Permission.MANAGE_MEMBERS)
    with pytest.raises(NotPermitted, match="As an analyst you may not manage members and roles"):
        require(request, Permission.MANAGE_MEMBERS)


def test_a_browser_with_one_workspace_need_not_name_it(
    request_by: RequestBy, workspace: Workspace, viewer: User
) -> None:
    assert get_api_workspace(_api(request_by(viewer))) == workspace


def test_a_browser_with_two_workspaces_has_to_name_one(
    request_by: RequestBy, workspace: Workspace, viewer: User
) -> None:
    MembershipFactory.create(user=viewer)
    with pytest.raises(Invalid) as refusal:
        get_api_workspace(_api(request_by(viewer)))
    assert list(refusal.value.errors) == ["workspace"]
