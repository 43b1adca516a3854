"""The planner: what a plan in its address brings, and what is recommended."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import numpy as np
import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import User, Workspace
from analyses import artifacts
from analyses.models import Run
from tests.factories import WorkspaceFactory
from tests.weightings.stored_runs import a_run_of, a_stored_run
from weightings import stored
from weightings.methods.planning.budget import recommend
from weightings.planner.horizon import Horizon
from weightings.planner.pages import PlannerPage, present_planner
from weightings.planner.plan import Plan, current_plan
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


def address(run: Run, **query: object) -> str:
    path = f"/w/{run.workspace.slug}/weightings/runs/{run.pk}/plan/"
    return f"{path}?{urlencode(query)}" if query else path


def page_of(run: Run, **query: object) -> PlannerPage:
    return present_planner(run, {name: str(value) for name, value in query.items()})


def planned(page: PlannerPage) -> dict[str, float]:
    assert page.plan is not None
    assert not page.problems, page.problems
    return dict(page.plan.spend)


def test_an_empty_address_is_the_current_plan(run: Run) -> None:
    page = page_of(run)
    assert page.presented is not None
    assert page.presented.finding == "The plan is the current one."
    assert page.presented.warnings == ()
    spent = {channel["channel"]: channel["spend"] for channel in run.result["channels"] if channel["kind"] == "paid"}
    assert planned(page) == {name: round(spend, 2) for name, spend in spent.items()}


def test_what_channels_add_in_the_current_plan_is_what_the_run_reports(run: Run) -> None:
    found = Horizon(StoredModel(run)).scenario(current_plan(Horizon(StoredModel(run))).amounts(("TV", "Search")))
    assert run.result is not None
    reported = {channel["channel"]: channel for channel in run.result["channels"]}
    for channel in found.channels:
        for end in ("median", "mean", "low", "high"):
            assert channel.added[end] == pytest.approx(reported[channel.channel]["incremental"][end], rel=1e-9)
            assert channel.per_spend[end] == pytest.approx(reported[channel.channel]["roi"][end], rel=1e-9)


def test_a_channel_is_raised_and_the_others_make_up_for_it(run: Run) -> None:
    now = planned(page_of(run))
    page = page_of(run, s0=1.2 * now["TV"], s1=now["Search"], changed=0, amount=sum(now.values()))
    after = planned(page)
    assert after["TV"] == pytest.approx(1.2 * now["TV"], abs=0.01)
    assert sum(after.values()) == pytest.approx(sum(now.values()), abs=0.005)
    assert page.presented is not None
    assert "Beyond history" in page.presented.warnings[0]
    assert "TV" in page.presented.warnings[0]


def test_a_free_total_follows_the_channels(run: Run) -> None:
    now = planned(page_of(run))
    after = planned(page_of(run, s0=1.2 * now["TV"], s1=now["Search"], changed=0, total="free", amount=1))
    assert after["Search"] == now["Search"]
    assert sum(after.values()) == pytest.approx(sum(now.values()) + 0.2 * now["TV"], abs=0.02)


def test_limits_and_locks_are_kept(run: Run) -> None:
    now = planned(page_of(run))
    raised = {"s0": 1.4 * now["TV"], "s1": now["Search"], "changed": 0, "amount": sum(now.values())}
    after = planned(page_of(run, **raised, max0=1.1 * now["TV"]))
    assert after["TV"] == pytest.approx(1.1 * now["TV"], abs=0.01)
    locked = page_of(run, **raised, lock1="on")
    assert planned(locked)["Search"] == now["Search"]
    assert planned(locked)["TV"] == pytest.approx(now["TV"], abs=0.02)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"s0": "a"}, "Spend on TV: Enter a number."),
        ({"s0": "-1"}, "Spend on TV: Ensure this value is greater than or equal to 0."),
        ({"s0": "nan"}, "Spend on TV: Enter a number."),
        ({"s0": "1e400"}, "Spend on TV: Enter a number."),
        ({"s0": "1e13"}, "Spend on TV: Ensure this value is less than or equal to"),
        ({"min0": "5", "max0": "4"}, "Most for TV: The most for TV must not be less than its least."),
        ({"amount": "1e9"}, "The total cannot be 1,000,000,000.00"),
        ({"changed": "7"}, "There is no such channel in this plan."),
        ({"lock0": "on", "lock1": "on", "amount": "1"}, "Every channel is locked"),
        ({"goal": "return", "action": "recommend"}, "needs a number"),
        ({"objective": "magic"}, "Aim at: Select a valid choice."),
    ],
)
def test_an_address_that_is_no_plan_says_why(
    run: Run, query: dict[str, str], sentence: str, client_for: ClientFor, viewer: User
) -> None:
    page = present_planner(run, query)
    assert any(sentence in problem for problem in page.problems), page.problems
    assert page.presented is None
    response = client_for(viewer).get(address(run, **query))
    assert response.status_code == 200
    assert escape(sentence) in response.text


def test_a_recommendation_is_what_the_search_finds_within_locks_and_limits(run: Run) -> None:
    page = page_of(run, action="recommend")
    horizon = Horizon(StoredModel(run))
    best = recommend(horizon.surface)
    # In cents, of which one may be added so that the total is kept.
    np.testing.assert_allclose(list(planned(page).values()), best.recommended, atol=0.011)
    assert page.why is not None
    assert any("TV" in sentence for sentence in page.why.sentences)
    now = current_plan(horizon).spend
    within = planned(page_of(run, action="recommend", min0=0.9 * now["TV"], max0=1.05 * now["TV"]))
    assert 0.9 * now["TV"] - 0.01 <= within["TV"] <= 1.05 * now["TV"] + 0.01


def test_the_fields_hold_the_plan_and_not_what_the_address_said(run: Run, client_for: ClientFor, viewer: User) -> None:
    """Without scripts nothing else would move them."""
    page = page_of(run, action="recommend")
    text = client_for(viewer).get(address(run, action="recommend")).text
    for name, amount in planned(page).items():
        assert re.search(rf'value="{amount:.2f}"><label[^>]*>Spend on {name}<', text), name
    assert f'name="amount" min="0" step="any" inputmode="decimal" value="{sum(planned(page).values()):.2f}"' in text


def test_a_mistake_leaves_what_was_typed(run: Run, client_for: ClientFor, viewer: User) -> None:
    client, wrong = client_for(viewer), address(run, s0="6000", s1="7000", amount="13000", min0="9", max0="8")
    part = client.get(wrong, headers=HTMX).text
    assert "must not be less than its least" in part
    assert "data-values" not in part
    assert "data-total" not in part
    assert "data-values" in client.get(address(run), headers=HTMX).text
    whole = client.get(wrong).text
    for name, amount in (("TV", "6000"), ("Search", "7000")):
        assert re.search(rf'value="{amount}"><label[^>]*>Spend on {name}<', whole), name
        assert re.search(rf'type="range"[^>]* value="{amount}"', whole), name
    assert re.search(r'name="amount"[^>]* value="13000"', whole)


def test_a_channel_may_have_all_that_is_known_of_it_to_the_cent(run: Run) -> None:
    wide = {"max0": 1e6, "max1": 1e6, "goal": "marginal_return", "target": "0.0001"}
    most = Horizon(StoredModel(run)).most
    assert round(most[0], 2) > most[0]
    page = page_of(run, action="recommend", **wide)
    assert planned(page)["TV"] == pytest.approx(most[0], abs=0.006)
    assert page.presented is not None
    again = page_of(run, s0=page.rows[0].value, s1=page.rows[1].value, lock0="on", action="recommend", **wide)
    assert planned(again)["TV"] == pytest.approx(most[0], abs=0.006)


def test_what_is_recommended_adds_up_to_the_total_asked_for(workspace: Workspace) -> None:
    run = a_run_of(workspace, "TV", "Search", "Radio")
    for total in (8623.0, 8621.0, 8620.0, 8619.0):
        page = page_of(run, amount=total, action="recommend")
        assert sum(planned(page).values()) == pytest.approx(total, abs=1e-6)


def test_a_cautious_aim_and_a_target_are_kept_to(run: Run) -> None:
    cautious = page_of(run, action="recommend", objective="cvar")
    assert cautious.why is not None
    assert "over the worst 10.0% of cases" in cautious.why.sentences[1]
    target = page_of(run, action="recommend", goal="return", target="0.2")
    assert target.why is not None
    assert "while it returns at least 0.20 per €1" in target.why.sentences[1]
    too_much = page_of(run, action="recommend", goal="return", target="1000")
    assert "No budget within the limits returns 1,000.00" in too_much.problems[0]


def test_a_model_that_fails_recommends_only_if_that_is_asked_for(workspace: Workspace) -> None:
    run = a_stored_run(workspace, converged=False)
    assert run.result is not None
    assert run.result["budget"] is None
    page = page_of(run, action="recommend")
    assert "not converged" in page.doubts
    assert page.why is None
    assert "say so under “Recommend a budget all the same”" in page.problems[0]
    assert page_of(run, action="recommend", override="on").why is not None


def test_other_horizons_are_the_last_periods(run: Run) -> None:
    page = page_of(run, horizon=13)
    model = StoredModel(run)
    spent = model.panel.spend[-13:].sum(axis=0)
    np.testing.assert_allclose(list(planned(page).values()), spent, atol=0.006)
    assert "13 weeks" in Horizon(model, 13).label
    offered = [value for value, _label in page.horizons]
    assert offered == ["", "4", "8", "13", "26", "52"]
    assert page_of(run, horizon=60).horizon_value == ""  # not offered: the period reported


def test_an_outcome_with_bounds_is_planned_for_but_not_searched(workspace: Workspace) -> None:
    run = a_stored_run(workspace, bounded=True)
    now = planned(page_of(run))
    page = page_of(run, s0=1.3 * now["TV"], s1=now["Search"], total="free")
    assert page.presented is not None
    assert page.presented.finding.startswith("The plan would bring")
    assert "Compare plans as scenarios instead" in page.cannot_recommend


def test_the_address_says_the_whole_plan(run: Run) -> None:
    now = planned(page_of(run, horizon=13))
    query = {"horizon": 13, "s0": 0.5 * now["TV"], "s1": now["Search"], "lock1": "on", "min0": 1, "max0": 1e4}
    page = page_of(run, **query, total="free", objective="cvar", goal="marginal_return", target=1.5, override="on")
    assert page.plan is not None
    again = present_planner(run, dict(re.findall(r"([^&=]+)=([^&]*)", page.state)))
    assert again.plan == page.plan
    assert Plan.from_json(page.plan.as_json()) == page.plan


def test_htmx_gets_the_plan_alone_and_the_address_to_show(run: Run, client_for: ClientFor, analyst: User) -> None:
    response = client_for(analyst).get(address(run, s0=10, changed=0), headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert 'id="plan"' in response.text
    assert response["HX-Replace-Url"].startswith(f"{address(run)}?s0=10&s1=")


def test_viewers_try_plans_but_neither_save_nor_have_any_recommended(
    run: Run, client_for: ClientFor, viewer: User, analyst: User
) -> None:
    seen = client_for(viewer).get(address(run)).text
    assert "What the plan brings" in seen
    assert "Save scenario" not in seen
    assert 'value="recommend"' not in seen
    assert "Budget report" not in seen
    assert "Save scenario" in client_for(analyst).get(address(run)).text


def test_nobody_plans_with_a_run_of_another_workspace(
    run: Run, client_for: ClientFor, outsider: User, viewer: User
) -> None:
    assert client_for(outsider).get(address(run)).status_code == 404
    elsewhere = a_stored_run(WorkspaceFactory.create(slug="other"))
    assert client_for(viewer).get(f"/w/acme/weightings/runs/{elsewhere.pk}/plan/").status_code == 404


def test_a_run_whose_figures_are_gone_says_so(run: Run, client_for: ClientFor, viewer: User) -> None:
    artifacts.remove(run.artifact)
    stored._surface.cache_clear()
    response = client_for(viewer).get(address(run))
    assert response.status_code == 200
    assert "The figures of this run are no longer on disk. Run it again." in response.text


def test_an_unfinished_run_cannot_be_planned_with(run: Run, client_for: ClientFor, viewer: User) -> None:
    run.job.status = "running"
    run.job.save()
    assert client_for(viewer).get(address(run)).status_code == 404


def test_a_newer_model_of_the_same_question_is_offered(workspace: Workspace, run: Run) -> None:
    assert page_of(run).newer is None
    newer = a_stored_run(workspace)
    a_stored_run(workspace, model="delayed")
    assert page_of(run).newer == newer
    assert page_of(newer).newer is None
