"""Budgets as runs: asked by the API, the page and the command line, with flighting, within limits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from jobs.execution import execute
from tests.factories import WorkspaceFactory
from tests.weightings.budgets import budget
from tests.weightings.stored_runs import a_stored_run
from weightings.budgets.document import document, rows
from weightings.budgets.params import clean
from weightings.budgets.words import settings
from weightings.methods.planning.budget import recommend
from weightings.methods.planning.plans import planned_amounts, with_media
from weightings.methods.quantities import response_grid
from weightings.planner.horizon import Horizon
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]


@pytest.fixture
def model(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


def test_without_wishes_it_is_the_budget_that_the_run_recommends(workspace: Workspace, model: Run) -> None:
    run = budget(workspace)
    assert run.params["model_run"] == str(model.pk)
    assert model.result is not None
    assert run.result is not None
    assert run.result["budget"] == model.result["budget"]
    assert run.result["flighting"] is None


def test_wishes_are_kept_to(workspace: Workspace, model: Run) -> None:
    now = dict(zip(("TV", "Search"), Horizon(StoredModel(model), 13).spend.tolist(), strict=True))
    total = 1.1 * sum(now.values())
    run = budget(
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
    assert budget(workspace).pk == budget(workspace, model_run=str(model.pk), goal="total", flighting="no").pk


def test_what_follows_from_the_model_may_be_said_again(workspace: Workspace, model: Run) -> None:
    run = budget(workspace, model_run=str(model.pk), horizon=13)
    assert budget(workspace, **run.params).pk == run.pk


def test_flighting_spends_the_budget_and_brings_no_less(workspace: Workspace, model: Run) -> None:
    run = budget(workspace, horizon=13, flighting="yes")
    assert run.result is not None
    flighting, found = run.result["flighting"], run.result["budget"]
    assert flighting is not None
    stored = StoredModel(model)
    horizon = Horizon(stored, 13)
    for each, of in zip(flighting["channels"], found["channels"], strict=True):
        assert sum(each["best"]) == pytest.approx(of["spend_recommended"])
        assert len(each["best"]) == 13
        ever = stored.panel.spend[:, horizon.channels.index(each["channel"])].max()
        assert max(each["best"]) <= 1.35 * max(ever, sum(each["best"]) / 13)
    kept = recommend(horizon.surface)
    assert found["added_recommended"]["mean"] >= kept.added_recommended.mean() * (1 - 1e-9)
    # What the flighted budget adds is what the model says of these amounts, channel by channel.
    price = horizon.spend / planned_amounts(stored.posterior, horizon.window)[:2].sum(axis=1)
    amounts = planned_amounts(stored.posterior, horizon.window).copy()
    amounts[:2] = np.array([each["best"] for each in flighting["channels"]]) / price[:, None]
    added = response_grid(with_media(stored.posterior, horizon.window, amounts), horizon.window, (1.0,))
    for place, of in enumerate(found["channels"]):
        assert of["added_recommended"]["mean"] == pytest.approx(added[:, place].sum(axis=(1, 2)).mean(), rel=1e-6)


def test_flighting_is_held_against_the_same_budget_spread_as_it_was(workspace: Workspace, model: Run) -> None:
    run = budget(workspace, horizon=13, flighting="yes")
    assert run.result is not None
    flighting, found = run.result["flighting"], run.result["budget"]
    stored = StoredModel(model)
    window, spend = Horizon(stored, 13).window, Horizon(stored, 13).spend
    amounts = planned_amounts(stored.posterior, window)
    price = spend / amounts[:2].sum(axis=1)
    added = {}
    for name in ("as_now", "best"):
        changed = amounts.copy()
        changed[:2] = np.array([each[name] for each in flighting["channels"]]) / price[:, None]
        grid = response_grid(with_media(stored.posterior, window, changed), window, (1.0,))
        added[name] = grid[:, :2].sum(axis=(2, 3))
    gain = added["best"] - added["as_now"]
    inside = slice(stored.panel.history + window.start, stored.panel.history + window.stop)
    for place, (each, of) in enumerate(zip(flighting["channels"], found["channels"], strict=True)):
        assert sum(each["as_now"]) == pytest.approx(of["spend_recommended"])
        assert each["current"] == pytest.approx(stored.panel.spend[inside, place])
        assert each["gain"]["mean"] == pytest.approx(gain[:, place].mean(), rel=1e-6)
    assert flighting["gain"]["median"] == pytest.approx(np.median(gain.sum(axis=1)), rel=1e-6)


def test_spend_by_period_adds_up_to_both_budgets(workspace: Workspace, model: Run) -> None:
    run = budget(workspace, horizon=13, flighting="yes")
    header, *body = rows(run)
    table: list[dict[Any, Any]] = [dict(zip(header, row, strict=True)) for row in body]
    for name in ("TV", "Search"):
        whole, *periods = [row for row in table if row["channel"] == name]
        assert len(periods) == 13
        for spend in ("spend_current", "spend_recommended"):
            assert sum(row[spend] for row in periods) == pytest.approx(whole[spend])
    assert table[3]["spend_current"] == pytest.approx(StoredModel(model).panel.spend[-13, 0])


@pytest.mark.usefixtures("model")
def test_runs_of_before_do_not_say_what_was_spent_by_period(workspace: Workspace) -> None:
    run = budget(workspace, horizon=8, flighting="yes")
    assert run.result is not None
    for each in run.result["flighting"]["channels"]:
        del each["current"]
    header, *body = rows(run)
    by_period: list[dict[Any, Any]] = [dict(zip(header, row, strict=True)) for row in body if row[1]]
    assert {row["spend_current"] for row in by_period} == {None}
    assert any(section.title == "When to spend, by week" for section in document(run).sections)


NOT_FLIGHTED = "models “hill”, “delayed” and “logistic” of one market only"


@pytest.mark.parametrize("changed", [{"posterior": None}, {"panel": {"geos": ["North", "South"]}}])
def test_flighting_is_not_offered_where_no_model_knows_it(
    changed: dict[str, Any],
    workspace: Workspace,
    model: Run,
    client_for: ClientFor,
    analyst: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Runs of the LightweightMMM package keep no posterior of ours; those of several geos say which."""
    planner = f"/w/acme/weightings/runs/{model.pk}/plan/"
    box = 'name="flighting" value="yes" checked'
    assert box in client_for(analyst).get(planner).text
    monkeypatch.setattr(StoredModel, "panel", StoredModel(model).panel)
    assert model.result is not None
    stored = model.result["stored"]
    stored |= {name: stored[name] | value if value else value for name, value in changed.items()}
    model.save(update_fields=["result"])
    with pytest.raises(InvalidParams) as refusal:
        clean(workspace, {"flighting": "yes"})
    assert NOT_FLIGHTED in refusal.value.errors["flighting"][0]
    assert "flighting" not in clean(workspace, {"flighting": "no"})
    asked = {"run": str(model.pk), "state": "", "flighting": "yes"}
    assert NOT_FLIGHTED in client_for(analyst).post("/w/acme/weightings/budget/", asked, follow=True).text
    page = client_for(analyst).get(planner).text
    assert "Budget report" in page
    assert box not in page


@pytest.mark.usefixtures("model")
def test_a_total_is_shown_only_where_it_is_kept_to(workspace: Workspace) -> None:
    free = clean(workspace, {"goal": "marginal_return", "target": 0.3, "total": 12345})
    assert "Total asked for" not in dict(settings(free))
    assert dict(settings(clean(workspace, {})))["Total asked for"]


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
        ({"outcome": "Signups"}, "outcome", "“outcome” follows from the model and the horizon: it is Sales."),
        ({"start": "2020-01-01"}, "start", "“start” follows from the model and the horizon: it is 2022-02-14."),
        ({"end": "2020-02-01"}, "end", "“end” follows from the model and the horizon: it is 2023-04-09."),
    ],
)
def test_wrong_wishes_are_refused_with_a_sentence(
    workspace: Workspace, model: Run, params: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidParams) as refusal:
        budget(workspace, **params)
    assert list(refusal.value.errors) == [field]
    assert sentence in " ".join(refusal.value.errors[field])
    assert Run.objects.get() == model


def test_without_a_model_there_is_nothing_to_ask(workspace: Workspace) -> None:
    with pytest.raises(InvalidParams) as refusal:
        budget(workspace)
    assert "Calculate weightings first" in refusal.value.errors["model_run"][0]


def test_a_model_that_fails_needs_the_word(workspace: Workspace) -> None:
    a_stored_run(workspace, converged=False)
    with pytest.raises(InvalidParams) as refusal:
        budget(workspace)
    assert "set “override” to yes" in refusal.value.errors["override"][0]
    run = budget(workspace, override="yes")
    assert run.result is not None
    assert "not converged" in run.result["doubts"]
    assert any("This one was asked for all the same." in note for note in document(run).notes)


@pytest.mark.usefixtures("model")
def test_another_workspaces_model_does_not_exist(workspace: Workspace) -> None:
    elsewhere = a_stored_run(WorkspaceFactory.create(slug="other"))
    with pytest.raises(InvalidParams) as refusal:
        budget(workspace, model_run=str(elsewhere.pk))
    with pytest.raises(InvalidParams) as unknown:
        budget(workspace, model_run="00000000-0000-0000-0000-000000000000")
    assert refusal.value.errors == unknown.value.errors


@pytest.mark.usefixtures("model")
def test_its_document_and_rows_carry_the_result(workspace: Workspace) -> None:
    run = budget(workspace, horizon=8, flighting="yes")
    assert run.result is not None
    found, asked = document(run), run.result["budget"]
    titles = [table.title for section in found.sections for table in section.tables]
    assert "Current and recommended budget" in titles
    assert "Spend by week" in titles
    assert "spread anew over time" in found.headline
    said = [sentence for section in found.sections for sentence in section.sentences]
    assert "spread over them as “When to spend” says" in said[1], "it is not spread as it was"
    kept = document(budget(workspace, horizon=8))
    assert "spread anew" not in kept.headline
    assert "spent over time as in" in kept.sections[0].sentences[1]
    table = list(rows(run))
    assert {len(row) for row in table} == {len(table[0])}
    of = {(row[0], row[1]): dict(zip(table[0], row, strict=True)) for row in table[1:]}
    for each in asked["channels"]:
        assert of[each["channel"], ""]["spend_recommended"] == each["spend_recommended"]
        assert of[each["channel"], ""]["difference_low"] == each["difference"]["low"]
    assert of["(all channels)", ""]["difference"] == asked["gain"]["median"]


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
    status, unread = post("weightings:write")
    assert (status, unread["id"], unread["result"]) == (200, accepted["id"], None)
    status, answered = post("weightings:write", "weightings:read")
    assert status == 200
    assert model.result is not None
    assert answered["id"] == accepted["id"]
    assert answered["result"]["budget"]["gain"] == pytest.approx(model.result["budget"]["gain"])
