"""What a budget was asked for, as people type it, and as "Change the question" brings it back to the planner."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from tests.weightings.budgets import budget
from tests.weightings.stored_runs import a_run_of, a_stored_run
from weightings.budgets.params import clean

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/weightings/budget/"


@pytest.fixture
def model(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("name", "texts", "meant"),
    [
        ("locks", ("TV: 1000", " TV:1000 ; ", '{"TV": 1000}'), {"TV": 1000.0}),
        ("locks", ("TV: 1000; Search: 9e3",), {"TV": 1000.0, "Search": 9000.0}),
        ("limits", ("TV: 0 to 10000", '{"TV": [0, 10000]}'), {"TV": [0.0, 10000.0]}),
    ],
)
def test_text_asks_the_same_as_mappings(
    name: str, texts: tuple[str, ...], meant: dict[str, Any], workspace: Workspace
) -> None:
    wanted = clean(workspace, {"goal": "marginal_return", "target": 0.3, name: meant})
    assert wanted[name] == meant
    for text in texts:
        assert clean(workspace, {"goal": "marginal_return", "target": "0.3", name: text}) == wanted


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"locks": "TV"}, "“locks” says by channel the spend that it keeps, as TV: 1000; Search: 500."),
        ({"locks": "[1]"}, "“locks” says by channel"),
        ({"locks": "TV: 1; TV: 2"}, "The channel “TV” is there twice."),
        ({"locks": "TV: much"}, "“locks” takes numbers of 0 or more"),
        ({"limits": "TV: 1000"}, "The limits of “TV” are two numbers, the least and the most."),
        ({"limits": "Radio: 0 to 1"}, "no channel “Radio” with spend"),
    ],
)
def test_text_that_says_something_else_is_refused(params: dict[str, str], sentence: str, workspace: Workspace) -> None:
    with pytest.raises(InvalidParams) as refusal:
        clean(workspace, params)
    (name,) = params
    assert sentence in refusal.value.errors[name][0]


def test_changing_the_question_brings_its_wishes_back(
    workspace: Workspace, model: Run, client_for: ClientFor, analyst: User
) -> None:
    asked = {
        "horizon": 13,
        "total": 5000.0,
        "objective": "cvar",
        "locks": {"TV": 2000.0},
        "limits": {"Search": [2500.0, 4000.0]},
    }
    run = budget(workspace, **asked)
    client = client_for(analyst)
    client.post(PAGE, {"run": str(model.pk), "state": state_of(client, run)})
    again = Run.objects.filter(kind="budget").latest("created_at")
    assert again.params == run.params


def test_a_target_and_the_word_for_a_doubtful_model_come_back(
    workspace: Workspace, client_for: ClientFor, analyst: User
) -> None:
    a_stored_run(workspace, converged=False)
    run = budget(workspace, goal="marginal_return", target=0.31, override="yes")
    state = parse_qs(state_of(client_for(analyst), run))
    assert (state["goal"], state["target"], state["override"]) == (["marginal_return"], ["0.31"], ["on"])


def test_a_channel_whose_name_is_written_like_a_list_keeps_its_lock(
    workspace: Workspace, client_for: ClientFor, analyst: User
) -> None:
    a_run_of(workspace, "Radio; TV", "Search: brand")
    run = budget(workspace, locks={"Radio; TV": 3000.0})
    assert "lock0=on" in state_of(client_for(analyst), run)


@pytest.mark.parametrize("said", [{}, {"total": "much"}, {"total": "5000", "locks": "Radio: 5"}, {"total": "nan"}])
def test_an_address_without_wishes_that_can_be_kept_leads_to_the_current_plan(
    said: dict[str, str], model: Run, client_for: ClientFor, analyst: User
) -> None:
    query = urlencode({"model_run": str(model.pk), "horizon": "13", **said})
    answer = client_for(analyst).get(f"{PAGE}?{query}")
    assert answer["Location"] == f"/w/acme/weightings/runs/{model.pk}/plan/?horizon=13"


def state_of(client: Client, run: Run) -> str:
    """The plan on the page that "Change the question" leads to, as it is sent with what is asked next."""
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    asked = re.search(r'href="([^"]*)">Change the question', page)
    assert asked is not None
    answer = client.get(unescape(asked[1]), follow=True)
    assert urlsplit(answer.redirect_chain[-1][0]).path.endswith("/plan/")
    found = re.search(r'name="state" value="([^"]*)"', answer.text)
    assert found is not None
    return unescape(found[1])
