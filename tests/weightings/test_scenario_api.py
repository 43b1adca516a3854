"""Scenarios in the API: the same numbers as the page, the same refusals, and nothing of other workspaces."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses import artifacts
from analyses.models import Run
from tests.factories import WorkspaceFactory
from tests.weightings.stored_runs import a_stored_run
from weightings.models import Scenario
from weightings.planner.horizon import Horizon
from weightings.planner.plan import Plan
from weightings.planner.scenarios import create
from weightings.stored import StoredModel

ADDRESS = "/api/v1/scenarios/"


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


@pytest.fixture
def program(workspace: Workspace, owner: User) -> Callable[..., Client]:
    def make(*scopes: str) -> Client:
        _key, text = create_api_key(workspace=workspace, created_by=owner, name="A program", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make


def post(client: Client, body: object, address: str = ADDRESS) -> Any:
    return client.post(address, body, content_type="application/json")


def test_a_plan_is_kept_read_renamed_and_removed(run: Run, program: Callable[..., Client]) -> None:
    client = program("weightings:read", "weightings:write")
    made = post(client, {"run": str(run.pk), "name": "More TV", "spend": {"TV": 2000, "Search": 1500}, "horizon": 13})
    assert made.status_code == 201
    horizon = Horizon(StoredModel(run), 13)
    spend = Plan(spend={"TV": 2000.0, "Search": 1500.0}).amounts(horizon.channels)
    body = client.get(made["Location"]).json()
    assert body == made.json()
    for end in ("median", "mean", "low", "high"):
        assert body["planned"]["outcome"][end] == horizon.scenario(spend).outcome[end]
        assert body["current"]["outcome"][end] == horizon.scenario(horizon.spend).outcome[end]
    assert [each["spend"] for each in body["planned"]["channels"]] == [2000.0, 1500.0]
    assert client.get(ADDRESS).json()["results"][0]["name"] == "More TV"
    renamed = client.patch(made["Location"], {"name": "Spring"}, content_type="application/json")
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Spring")
    assert client.delete(made["Location"]).status_code == 204
    assert client.get(made["Location"]).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"spend": {"TV": 1}}, "spend", "No spend is planned for Search."),
        ({"spend": {"TV": 1, "Search": 1, "Radio": 1}}, "spend", "no channel “Radio” with spend. It has TV, Search."),
        ({"spend": {"TV": -1, "Search": 1}}, "spend.TV", "greater than or equal to 0"),
        ({"spend": {"TV": 1e9, "Search": 1}}, "spend", "is known up to a spend of"),
        ({"horizon": 7}, "horizon", "The horizon is one of 4, 8, 13, 26, 52, or left out."),
        ({"name": "taken"}, "name", "There is a scenario “taken” already."),
        ({"name": " "}, "name", ""),
        ({"run": "00000000-0000-0000-0000-000000000000"}, "run", "There is no such finished run"),
        ({"budget": 5}, "budget", "There is no such field."),
    ],
)
def test_what_is_no_plan_is_refused_by_its_field(
    run: Run, program: Callable[..., Client], body: dict[str, Any], field: str, sentence: str
) -> None:
    create(run=run, name="Taken", plan=Plan(spend={"TV": 1.0, "Search": 1.0}), by=None)
    whole = {"run": str(run.pk), "name": "Another", "spend": {"TV": 1.0, "Search": 1.0}} | body
    refused = post(program("weightings:write"), whole)
    assert refused.status_code == 400
    assert field in refused.json()["errors"]
    assert sentence in str(refused.json())
    assert Scenario.objects.count() == 1


def test_who_may_not_read_is_not_told_what_the_plan_would_bring(run: Run, program: Callable[..., Client]) -> None:
    body = {"run": str(run.pk), "name": "More TV", "spend": {"TV": 2000, "Search": 1500}}
    made = post(program("weightings:write"), body)
    assert (made.status_code, made.json()["plan"]["spend"]) == (201, body["spend"])
    assert not {"horizon", "confidence", "doubts", "current", "planned"} & set(made.json())
    kept = Scenario.objects.get()
    assert (kept.name, made["Location"]) == ("More TV", f"{ADDRESS}{kept.pk}/")
    assert program("weightings:write").get(made["Location"]).status_code == 403


def test_fields_choose_members(run: Run, program: Callable[..., Client]) -> None:
    kept = create(run=run, name="Ours", plan=Plan(spend={"TV": 1.0, "Search": 1.0}), by=None)
    client = program("weightings:read")
    assert client.get(f"{ADDRESS}{kept.pk}/?fields=name,doubts").json() == {"name": "Ours", "doubts": ""}
    refused = client.get(f"{ADDRESS}{kept.pk}/?fields=bogus")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["fields"])


def test_without_the_models_file_nothing_is_computed_and_nothing_kept(run: Run, program: Callable[..., Client]) -> None:
    client = program("weightings:read", "weightings:write")
    body = {"run": str(run.pk), "name": "More TV", "spend": {"TV": 2000, "Search": 1500}}
    address = post(client, body)["Location"]
    artifacts.remove(run.artifact)
    for refused in (client.get(address), post(client, body | {"name": "Another"})):
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "errors" not in refused.json()
    assert Scenario.objects.count() == 1


def test_scopes_and_roles_and_workspaces_are_kept_apart(
    run: Run, program: Callable[..., Client], client_for: Callable[[User | None], Client], viewer: User, outsider: User
) -> None:
    kept = create(run=run, name="Ours", plan=Plan(spend={"TV": 1.0, "Search": 1.0}), by=None)
    body = {"run": str(run.pk), "name": "Another", "spend": {"TV": 1.0, "Search": 1.0}}
    assert post(program("weightings:read"), body).status_code == 403
    assert program("attribution:read").get(ADDRESS).status_code == 403
    elsewhere = a_stored_run(WorkspaceFactory.create(slug="other"))
    theirs = create(run=elsewhere, name="Theirs", plan=Plan(spend={"TV": 1.0, "Search": 1.0}), by=None)
    client = program("weightings:read", "weightings:write")
    for method in (client.get, client.delete):
        assert method(f"{ADDRESS}{theirs.pk}/").status_code == 404
    assert post(client, body | {"run": str(elsewhere.pk)}).status_code == 400
    assert [each["name"] for each in client.get(ADDRESS).json()["results"]] == ["Ours"]
    browser = client_for(viewer)
    assert browser.get(f"{ADDRESS}{kept.pk}/").status_code == 200
    assert post(browser, body, f"{ADDRESS}?workspace=acme").status_code == 403
    assert browser.delete(f"{ADDRESS}{kept.pk}/").status_code == 403
    assert client_for(outsider).get(f"{ADDRESS}{kept.pk}/").status_code == 404
    assert Scenario.objects.count() == 2
