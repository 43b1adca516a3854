"""Budgets as runs: asked by the API, the page and the command line, with flighting, within limits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.actions import create_api_key
from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from tests.factories import WorkspaceFactory
from tests.weightings.stored_runs import a_stored_run
from weightings.budgets.document import document, rows
from weightings.methods.planning.budget import recommend
from weightings.methods.planning.plans import planned_amounts, with_media
from weightings.methods.quantities import response_grid
from weightings.planner.horizon import Horizon
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]


@pytest.fixture
def model(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


def ask(workspace: Workspace, **params: Any) -> Run:
    run = request_run(workspace=workspace, kind="budget", params=params, by=None, trigger=Run.Trigger.CLI, ring=False)
    if run.result is None:
        execute(job_id=run.job_id)
        run = Run.objects.select_related("workspace", "job").get(pk=run.pk)
    assert run.job.status == "done", run.job.error
    return run


def test_without_wishes_it_is_the_budget_that_the_run_recommends(workspace: Workspace, model: Run) -> None:
    run = ask(workspace)
    assert run.params["model_run"] == str(model.pk)
    assert model.result is not None
    assert run.result is not None
    assert run.result["budget"] == model.result["budget"]
    assert run.result["flighting"] is None


def test_wishes_are_kept_to(workspace: Workspace, model: Run) -> None:
    now = dict(zip(("TV", "Search"), Horizon(StoredModel(model), 13).spend.tolist(), strict=True))
    total = 1.1 * sum(now.values())
    run = ask(
        workspace,
        horizon=13,
        total=total,
        objective="cvar",
        locks={"Search": now["Search"]},
        limits={"TV": [0, 3 * now["TV"]]},
    )
    assert run.result is not None
    found = {each["channel"]: each for each in run.result["budget"]["channels"]}
    assert found["Search"]["spend_recommended"] == pytest.approx(now["Search"])
    assert found["Search"]["bound"] == "locked"
    assert run.result["budget"]["spend_recommended"] == pytest.approx(total)
    assert run.result["horizon"]["periods"] == 13


def test_the_same_wishes_are_one_run(workspace: Workspace, model: Run) -> None:
    assert ask(workspace).pk == ask(workspace, model_run=str(model.pk), goal="total", flighting="no").pk


def test_flighting_spends_the_budget_and_brings_no_less(workspace: Workspace, model: Run) -> None:
    run = ask(workspace, horizon=13, flighting="yes")
    assert run.result is not None
    flighting, budget = run.result["flighting"], run.result["budget"]
    assert flighting is not None
    stored = StoredModel(model)
    horizon = Horizon(stored, 13)
    for each, of in zip(flighting["channels"], budget["channels"], strict=True):
        assert sum(each["best"]) == pytest.approx(of["spend_recommended"])
        assert len(each["best"]) == 13
        ever = stored.panel.spend[:, horizon.channels.index(each["channel"])].max()
        assert max(each["best"]) <= 1.35 * max(ever, sum(each["best"]) / 13)
    kept = recommend(horizon.surface)
    assert budget["added_recommended"]["mean"] >= kept.added_recommended.mean() * (1 - 1e-9)
    # What the flighted budget adds is what the model says of these amounts, channel by channel.
    price = horizon.spend / planned_amounts(stored.posterior, horizon.window)[:2].sum(axis=1)
    amounts = planned_amounts(stored.posterior, horizon.window).copy()
    amounts[:2] = np.array([each["best"] for each in flighting["channels"]]) / price[:, None]
    added = response_grid(with_media(stored.posterior, horizon.window, amounts), horizon.window, (1.0,))
    for place, of in enumerate(budget["channels"]):
        assert of["added_recommended"]["mean"] == pytest.approx(added[:, place].sum(axis=(1, 2)).mean(), rel=1e-6)


@pytest.mark.parametrize(
    ("params", "field", "sentence"),
    [
        ({"model_run": "nonsense"}, "model_run", "There is no such finished run"),
        ({"horizon": 7}, "horizon", "a number of the model's last weeks: 4, 8, 13, 26, 52"),
        ({"total": "much"}, "total", "takes numbers above 0"),
        ({"total": float("inf")}, "total", "takes numbers above 0"),
        ({"total": True}, "total", "takes numbers above 0"),
        ({"total": 1e9}, "limits", "what it would add is known up to"),
        ({"objective": "luck"}, "objective", "is one of mean, cvar, quantile"),
        ({"goal": "return"}, "target", "takes numbers above 0"),
        ({"limits": {"Radio": [0, 1]}}, "limits", "no channel “Radio” with spend. It has TV, Search."),
        ({"limits": {"TV": [2, 1]}}, "limits", "must not be more than the most"),
        ({"limits": {"TV": 5}}, "limits", "are two numbers"),
        ({"limits": "TV"}, "limits", "says by channel"),
        ({"locks": {"TV": -1}}, "locks", "takes numbers of 0 or more"),
        ({"flighting": "perhaps"}, "flighting", "is yes or no"),
        ({"budget": 5}, "budget", "Unknown parameter."),
    ],
)
def test_wrong_wishes_are_refused_with_a_sentence(
    workspace: Workspace, model: Run, params: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidParams) as refusal:
        ask(workspace, **params)
    assert list(refusal.value.errors) == [field]
    assert sentence in " ".join(refusal.value.errors[field])
    assert Run.objects.get() == model


def test_without_a_model_there_is_nothing_to_ask(workspace: Workspace) -> None:
    with pytest.raises(InvalidParams) as refusal:
        ask(workspace)
    assert "Calculate weightings first" in refusal.value.errors["model_run"][0]


def test_a_model_that_fails_needs_the_word(workspace: Workspace) -> None:
    a_stored_run(workspace, converged=False)
    with pytest.raises(InvalidParams) as refusal:
        ask(workspace)
    assert "set “override” to yes" in refusal.value.errors["override"][0]
    run = ask(workspace, override="yes")
    assert run.result is not None
    assert "not converged" in run.result["doubts"]
    assert any("This one was asked for all the same." in note for note in document(run).notes)


@pytest.mark.usefixtures("model")
def test_another_workspaces_model_does_not_exist(workspace: Workspace) -> None:
    elsewhere = a_stored_run(WorkspaceFactory.create(slug="other"))
    with pytest.raises(InvalidParams) as refusal:
        ask(workspace, model_run=str(elsewhere.pk))
    with pytest.raises(InvalidParams) as unknown:
        ask(workspace, model_run="00000000-0000-0000-0000-000000000000")
    assert refusal.value.errors == unknown.value.errors


@pytest.mark.usefixtures("model")
def test_its_document_and_rows_carry_the_result(workspace: Workspace) -> None:
    run = ask(workspace, horizon=8, flighting="yes")
    assert run.result is not None
    found, budget = document(run), run.result["budget"]
    titles = [table.title for section in found.sections for table in section.tables]
    assert "Current and recommended budget" in titles
    assert "Spend by week" in titles
    assert "spread anew over time" in found.headline
    said = [sentence for section in found.sections for sentence in section.sentences]
    assert "spread over them as “When to spend” says" in said[1], "it is not spread as it was"
    kept = document(ask(workspace, horizon=8))
    assert "spread anew" not in kept.headline
    assert "spent over time as in" in kept.sections[0].sentences[1]
    table = list(rows(run))
    assert {len(row) for row in table} == {len(table[0])}
    of = {(row[0], row[1]): dict(zip(table[0], row, strict=True)) for row in table[1:]}
    for each in budget["channels"]:
        assert of[each["channel"], ""]["spend_recommended"] == each["spend_recommended"]
        assert of[each["channel"], ""]["difference_low"] == each["difference"]["low"]
    assert of["(all channels)", ""]["difference"] == budget["gain"]["median"]


def test_the_planner_asks_for_it(
    workspace: Workspace, model: Run, client_for: ClientFor, analyst: User, viewer: User
) -> None:
    client = client_for(analyst)
    answer = client.post(
        "/w/acme/weightings/budget/", {"run": str(model.pk), "state": "horizon=13&objective=cvar", "flighting": "yes"}
    )
    run = Run.objects.get(kind="budget")
    assert answer["Location"] == f"/w/acme/runs/{run.pk}/"
    assert (run.params["horizon"], run.params["objective"], run.params["flighting"]) == (13, "cvar", "yes")
    refused = client.post(
        "/w/acme/weightings/budget/", {"run": str(model.pk), "state": "goal=return&target=900"}, follow=True
    )
    assert "No budget within the limits returns 900.00" in refused.text
    assert client_for(viewer).post("/w/acme/weightings/budget/", {"run": str(model.pk)}).status_code == 403
    assert client.post("/w/acme/weightings/budget/", {"run": "x"}).status_code == 404
    assert client.get("/w/acme/weightings/budget/")["Location"].startswith(f"/w/acme/weightings/runs/{model.pk}/plan/")


def test_a_key_for_weightings_asks_for_budgets(workspace: Workspace, model: Run, owner: User) -> None:
    def post(*scopes: str) -> tuple[int, dict[str, Any]]:
        _key, text = create_api_key(workspace=workspace, created_by=owner, name="A program", scopes=scopes)
        client = Client(headers={"Authorization": f"Bearer {text}"})
        body = {"kind": "budget", "params": {"model_run": str(model.pk)}}
        answer = client.post("/api/v1/runs/", body, content_type="application/json")
        return answer.status_code, answer.json()

    status, refused = post("attribution:write")
    assert status == 403
    assert "weightings:write" in refused["detail"]
    status, accepted = post("weightings:write")
    assert status == 202
    execute(job_id=Run.objects.get(kind="budget").job_id)
    status, answered = post("weightings:write")
    assert status == 200
    assert model.result is not None
    assert answered["id"] == accepted["id"]
    assert answered["result"]["budget"]["gain"] == pytest.approx(model.result["budget"]["gain"])
