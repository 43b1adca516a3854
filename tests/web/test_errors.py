"""What people and programs see when something is refused or goes wrong."""

import logging
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.faulty_urls")]


@pytest.fixture
def calm(client: Client) -> Client:
    """A browser that shows the error page instead of raising the error in the test."""
    client.raise_request_exception = False
    return client


def _problem(client: Client, path: str, status: int) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"] == f"urn:mixed-media-modeling:problem:{body['code']}"
    assert body["title"]
    return body


@pytest.mark.parametrize(
    ("fault", "status", "code", "detail"),
    [
        ("missing", 404, "not_found", "There is nothing at this address."),
        ("denied", 403, "permission_denied", "You may not do this."),
        ("not-permitted", 403, "permission_denied", "As a viewer you may not run analyses."),
        ("conflict", 409, "conflict", "This run has already ended."),
        ("throttled", 429, "rate_limited", "Request was throttled. Expected available in 30 seconds."),
    ],
)
def test_the_api_says_why_in_a_problem(client: Client, fault: str, status: int, code: str, detail: str) -> None:
    body = _problem(client, f"/api/fail/{fault}/", status)
    assert (body["code"], body["detail"]) == (code, detail)


def test_a_throttled_caller_is_told_when_to_come_back(client: Client) -> None:
    assert client.get("/api/fail/throttled/").headers["Retry-After"] == "30"


def test_a_plan_problem_names_feature_and_plan(client: Client) -> None:
    body = _problem(client, "/api/fail/plan/", 403)
    assert (body["code"], body["feature"], body["plan"]) == ("plan_required", "forecast", "professional")


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        ("invalid", {"window_days": ["Use 1 to 365."]}),
        ("django-validation", {"spend": ["Spend cannot be negative."]}),
        ("validation", {"params.window_days": ["Use 1 to 365."], "kinds.1.name": ["Unknown."], "": ["No."]}),
    ],
)
def test_validation_problems_carry_their_errors_by_field(
    client: Client, fault: str, errors: dict[str, list[str]]
) -> None:
    body = _problem(client, f"/api/fail/{fault}/", 400)
    assert (body["code"], body["errors"]) == ("invalid", errors)


def test_an_address_that_does_not_exist_is_a_problem_under_api(client: Client) -> None:
    assert _problem(client, "/api/v1/nowhere/", 404)["code"] == "not_found"


def test_a_method_that_does_not_exist_is_a_problem(client: Client) -> None:
    response = client.delete("/api/fail/missing/")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "parse_error"),
        ("[" * 200_000, "application/json", 400, "parse_error"),
        ("a,b", "text/csv", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    client: Client, body: str, content_type: str, status: int, code: str
) -> None:
    response = client.post("/api/fail/x/", body, content_type=content_type)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_body_over_the_limit_is_too_large(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
    body = f'"{"x" * (2 * 2**20 - 2)}"'
    assert client.post("/api/fail/x/", body, content_type="application/json").status_code == 200
    response = client.post("/api/fail/x/", f" {body}", content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.json()["detail"] == "This is more than 2 MB. Send less at once."


def test_a_form_over_the_limit_is_too_large(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
    form = f"login={'x' * (2 * 2**20)}"
    response = client.post("/accounts/login/", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 413
    assert "This is more than 2 MB. Send less at once." in response.content.decode()


def test_a_fault_under_api_is_a_problem_with_an_id_and_no_reason(
    calm: Client, caplog: pytest.LogCaptureFixture
) -> None:
    body = _problem(calm, "/api/fail/fault/", 500)
    assert body["code"] == "internal_error"
    assert "secret" not in str(body)
    assert f"Error {body['error_id']} at GET /api/fail/fault/" in caplog.text


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("bad-request", 400, "This request cannot be understood."),
        ("denied", 403, "You may not do this."),
        ("not-permitted", 403, "As a viewer you may not run analyses."),
        ("plan", 403, "Predictive modelling is part of the Professional plan."),
        ("missing", 404, "There is nothing at this address."),
        ("conflict", 409, "This run has already ended."),
    ],
)
def test_a_page_says_why(client: Client, fault: str, status: int, text: str) -> None:
    response = client.get(f"/fail/{fault}/")
    assert response.status_code == status
    assert text in response.content.decode()
    assert "secret" not in response.content.decode()


def test_a_faulty_page_shows_the_id_under_which_the_fault_was_logged(
    calm: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = calm.get("/fail/fault/")
    assert response.status_code == 500
    match = re.search(r"<code>(\w{8})</code>", response.content.decode())
    assert match is not None
    record = next(record for record in caplog.records if record.name == "mmm_project.errors")
    assert record.levelno == logging.ERROR
    assert match[1] in record.getMessage()
    assert record.exc_info is not None


def test_the_page_of_a_fault_needs_no_database(calm: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert calm.get("/fail/fault/").status_code == 500


def test_a_form_without_its_token_is_refused_with_advice() -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    assert response.status_code == 403
    assert "reload the page and send it again" in response.content.decode()


def test_an_unknown_host_is_a_bad_request(client: Client) -> None:
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "cannot be understood" in response.content.decode()


def test_error_pages_are_not_for_debugging(settings: Settings) -> None:
    assert settings.DEBUG is False
