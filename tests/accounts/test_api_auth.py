"""`Authorization: Bearer mmm_...`: which keys open which doors."""

import base64
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import pytest
import time_machine
from django.utils import timezone as clock
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts import access
from accounts.actions import change_role, remove_member
from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.models import ApiKey, Membership, Role, User, Workspace
from accounts.permissions import Permission
from accounts.scopes import Scope
from tests.factories import MembershipFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db
Call = Callable[..., Response]


class Doors(APIView):
    """GET takes a scope, POST a scope and a role, PUT names no scope, DELETE does not exist."""

    scopes: ClassVar = {"GET": (Scope.RUNS_READ, Scope.ATTRIBUTION_READ), "POST": (Scope.RUNS_WRITE,)}

    def get(self, request: Request) -> Response:
        return Response({"workspace": access.get_api_workspace(request).slug})

    def post(self, request: Request) -> Response:
        access.get_api_workspace(request)
        access.require(request, Permission.RUN)
        return Response(status=202)

    def put(self, _request: Request) -> Response:
        return Response()


@pytest.fixture
def call() -> Call:
    def send(text: str | None, method: str = "get", path: str = "/") -> Response:
        headers = {} if text is None else {"Authorization": text if " " in text else f"Bearer {text}"}
        request = getattr(APIRequestFactory(), method)(path, headers=headers)
        response: Response = Doors.as_view()(request).render()
        return response

    return send


@pytest.fixture
def key(workspace: Workspace, owner: User) -> tuple[ApiKey, str]:
    scopes = ["runs:read", "runs:write"]
    in_a_week = clock.now() + timedelta(days=7)
    return create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=scopes, expires_at=in_a_week)


def test_a_valid_key_opens_its_workspace(call: Call, key: tuple[ApiKey, str]) -> None:
    response = call(key[1])
    assert (response.status_code, response.data) == (200, {"workspace": "acme"})


def test_no_key_is_asked_for_one(call: Call) -> None:
    response = call(None)
    assert (response.status_code, response.data["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text", ["Bearer", "Bearer a b", "not-a-key", "mmm_abcdefgh_" + "x" * 43, "mmm_ABCDEFGH_" + "x" * 43, "mmm_é_x"]
)
def test_what_is_no_key_is_refused(call: Call, text: str) -> None:
    response = call(text)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    [
        "Token {}",
        "{}",
        "Basic {}",
        "Basic {base64}",
        "Api-Key {}",
        "bearer:{} x",
        "Basic dXNlcjpwYXNzd29yZA==,Bearer {}",  # several headers, as servers join them
    ],
)
def test_a_key_under_another_scheme_is_told_which_one_it_takes(
    call: Call, key: tuple[ApiKey, str], header: str
) -> None:
    encoded = base64.b64encode(f"{key[1]}:".encode()).decode()
    response = call(header.format(key[1], base64=encoded) if header != "{}" else f"{key[1]} ")
    assert response.status_code == 401
    assert response.data["detail"] == (
        "This API key is not where it is looked for. Send the API key in one header, “Authorization: Bearer mmm_...”."
    )
    assert key[1] not in str(response.data)


@pytest.mark.parametrize("header", ["Bearer {},Bearer {}", "Bearer {}, Basic dXNlcjpwYXNzd29yZA==", "Bearer {} {}"])
def test_several_authorizations_are_refused_even_if_each_is_valid(
    call: Call, key: tuple[ApiKey, str], header: str
) -> None:
    response = call(header.format(key[1], key[1]))
    assert response.status_code == 401
    assert response.data["detail"] == "Send the API key in one header, “Authorization: Bearer mmm_...”."


def test_a_key_in_a_header_of_its_own_is_told_which_one_it_takes(key: tuple[ApiKey, str]) -> None:
    request = APIRequestFactory().get("/", headers={"X-Api-Key": key[1]})
    assert Doors.as_view()(request).status_code == 401


@pytest.mark.parametrize("query", ["api_key={}", "access_token={}", "workspace=acme&{}", "x=Bearer+{}"])
@pytest.mark.parametrize("has_header", [True, False])
def test_a_key_in_the_address_is_never_accepted(
    call: Call, key: tuple[ApiKey, str], query: str, has_header: bool
) -> None:
    response = call(key[1] if has_header else None, path=f"/?{query.format(key[1])}")
    assert response.status_code == 401
    assert response.data["detail"].startswith("API keys are not taken from the address, which logs and histories keep.")
    assert key[1] not in str(response.data)


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [("/", None, 200), ("/?api_key={}", None, 401), ("/", "Token {}", 401), ("/", "Basic dXNlcjpwYXNzd29yZA==", 200)],
)
def test_a_session_does_not_make_up_for_a_key_in_the_wrong_place(
    key: tuple[ApiKey, str], owner: User, path: str, header: str | None, status: int
) -> None:
    headers = {"Authorization": header.format(key[1])} if header else {}
    request = APIRequestFactory().get(path.format(key[1]), headers=headers)
    request.user = owner  # as the session's middleware sets it
    assert Doors.as_view()(request).status_code == status


def test_a_right_lookup_with_a_wrong_secret_is_refused(call: Call, key: tuple[ApiKey, str]) -> None:
    text = key[1]
    forged = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert call(forged).status_code == 401


def test_an_unknown_key_is_compared_like_a_known_one(
    call: Call, key: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    compare_digest = hmac.compare_digest

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((len(left), len(right)))
        return compare_digest(left, right)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    unknown, malformed, known = call("mmm_zzzzzzzz_" + "x" * 43), call("nonsense"), call(key[1])
    assert [unknown.status_code, malformed.status_code, known.status_code] == [401, 401, 200]
    assert unknown.data == malformed.data
    assert compared == [(32, 32)] * 3


def test_a_revoked_key_is_refused(call: Call, key: tuple[ApiKey, str]) -> None:
    revoke_api_key(key=key[0], by=None)
    response = call(key[1])
    assert (response.status_code, response.data["detail"]) == (401, "This API key was revoked. Use another one.")


def test_a_key_ends_when_it_expires(call: Call, key: tuple[ApiKey, str]) -> None:
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        response = call(key[1])
    assert (response.status_code, response.data["detail"]) == (401, "This API key has expired. Create a new one.")


def test_a_key_ends_with_its_creators_membership(
    call: Call, key: tuple[ApiKey, str], workspace: Workspace, owner: User
) -> None:
    MembershipFactory.create(workspace=workspace, role=Role.OWNER)
    remove_member(membership=workspace.memberships.get(user=owner), by=None)
    assert call(key[1]).status_code == 401


def test_a_key_ends_with_its_creators_account(call: Call, key: tuple[ApiKey, str], owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert call(key[1]).status_code == 401


@pytest.mark.parametrize(("role", "reads"), [(Role.ANALYST, 200), (Role.VIEWER, 403)])
def test_a_key_does_no_more_than_its_creators_role_from_the_moment_that_it_changes(
    call: Call, key: tuple[ApiKey, str], workspace: Workspace, owner: User, role: Role, reads: int
) -> None:
    MembershipFactory.create(workspace=workspace, role=Role.OWNER)
    membership = workspace.memberships.get(user=owner)
    assert call(key[1], "post").status_code == 202
    change_role(membership=membership, role=role, by=None)
    response = call(key[1], "post")
    assert (response.status_code, response.data["code"]) == (403, "permission_denied")
    assert response.data["detail"] == (
        "POST takes runs:write here. This API key has it, but the role of the person who created it does not allow "
        "that to a key any more."
    )
    assert call(key[1]).status_code == reads
    change_role(membership=membership, role=Role.ADMIN, by=None)
    assert call(key[1], "post").status_code == 202
    assert ApiKey.objects.get().scopes == ["runs:read", "runs:write"]


def test_a_key_does_no_more_than_the_views_permission(
    call: Call, key: tuple[ApiKey, str], owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.api_auth.usable", lambda scopes, _role: scopes)
    Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    response = call(key[1], "post")
    assert (response.status_code, response.data["code"]) == (403, "permission_denied")
    assert response.data["detail"].startswith("As a viewer you may not run analyses.")


def test_both_keys_work_until_the_old_one_ends(call: Call, key: tuple[ApiKey, str], owner: User) -> None:
    start = clock.now()
    with time_machine.travel(start, tick=False):
        _, new = rotate_api_key(key=key[0], overlap=timedelta(hours=24), by=owner)
    for hours, old_status in ((0, 200), (23.99, 200), (24, 401)):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert [call(key[1]).status_code, call(new).status_code] == [old_status, 200]


def test_a_key_without_the_scope_is_told_which_it_takes(call: Call, workspace: Workspace, owner: User) -> None:
    _, text = create_api_key(workspace=workspace, created_by=owner, name="k", scopes=["attribution:read"])
    assert call(text).status_code == 200
    response = call(text, "post")
    assert (response.status_code, response.data["code"]) == (403, "permission_denied")
    assert response.data["detail"] == "This API key lacks the scope for POST here; it takes runs:write."


def test_a_method_that_names_no_scope_is_open_to_no_key(call: Call, key: tuple[ApiKey, str]) -> None:
    assert call(key[1], "put").status_code == 403


def test_a_method_that_does_not_exist_is_405_for_keys_too(call: Call, key: tuple[ApiKey, str]) -> None:
    response = call(key[1], "delete")
    assert (response.status_code, response.data["code"]) == (405, "method_not_allowed")


def test_a_key_does_not_open_its_creators_other_workspaces(
    key: tuple[ApiKey, str], owner: User, call: Call, workspace: Workspace
) -> None:
    other = WorkspaceFactory.create(slug="other")
    MembershipFactory.create(workspace=other, user=owner, role=Role.OWNER)
    assert call(key[1]).data == call(key[1], path="/?workspace=acme").data == {"workspace": "acme"}
    assert call(key[1], path="/?workspace=other").status_code == 404


def test_a_key_notes_its_use_at_most_once_a_minute(call: Call, key: tuple[ApiKey, str]) -> None:
    start = clock.now().replace(microsecond=0)
    noted = []
    for seconds in (0, 59, 61):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            call(key[1])
        last_used_at = ApiKey.objects.get().last_used_at
        assert last_used_at is not None
        noted.append((last_used_at - start).total_seconds())
    assert noted == [0, 0, 61]
