"""Scenarios: plans that are kept, renamed, copied, deleted, compared and taken away."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from openpyxl import load_workbook
from pptx import Presentation

from accounts.models import AuditEvent, User, Workspace
from analyses import artifacts
from analyses.models import Run
from mmm_project.problems import NotFound
from tests.factories import WorkspaceFactory
from tests.weightings.stored_runs import a_run_of, a_stored_run
from weightings import stored
from weightings.models import Scenario
from weightings.planner import scenarios
from weightings.planner.document import comparison, scenario_document
from weightings.planner.horizon import Horizon
from weightings.planner.pages import present_scenario
from weightings.planner.plan import Plan, current_plan
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]
LIST = "/w/acme/weightings/scenarios/"


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


def a_plan(run: Run, *, factor: float = 1.1, **changed: Any) -> Plan:
    """The current plan with another spend on TV."""
    now = current_plan(Horizon(StoredModel(run)))
    plan = Plan(spend={**now.spend, "TV": round(factor * now.spend["TV"], 2)}, is_fixed=False)
    return Plan(**{**plan.__dict__, **changed})


def keep(run: Run, name: str = "More TV", **changed: Any) -> Scenario:
    return scenarios.create(run=run, name=name, plan=a_plan(run, **changed), by=None)


def state_of(run: Run, plan: Plan) -> str:
    return plan.query(Horizon(StoredModel(run)).channels)


def test_a_plan_is_saved_from_the_planner_and_shown(run: Run, client_for: ClientFor, analyst: User) -> None:
    client, plan = client_for(analyst), a_plan(run)
    saved = client.post(LIST, {"run": str(run.pk), "state": state_of(run, plan), "name": "  More   TV "})
    kept = Scenario.objects.get()
    assert (kept.name, kept.run, kept.created_by) == ("More TV", run, analyst)
    assert Plan.from_json(kept.plan) == plan
    assert saved["Location"] == f"{LIST}{kept.pk}/"
    page = client.get(saved["Location"]).text
    assert scenario_document(kept).headline in page
    assert f"/w/acme/weightings/runs/{run.pk}/plan/?s0=" in page
    assert AuditEvent.objects.get(action="scenario.saved").target == "More TV"
    listed = client.get(LIST).text
    assert "More TV" in listed
    assert analyst.email in listed


def test_changes_are_saved_in_place(run: Run, client_for: ClientFor, analyst: User) -> None:
    kept, other = keep(run), a_plan(run, factor=0.7)
    client_for(analyst).post(
        LIST, {"run": str(run.pk), "state": state_of(run, other), "update": str(kept.pk), "name": ""}
    )
    kept.refresh_from_db()
    assert (Plan.from_json(kept.plan), kept.name, Scenario.objects.count()) == (other, "More TV", 1)


def test_a_scenario_takes_no_plan_of_another_model(
    run: Run, workspace: Workspace, client_for: ClientFor, analyst: User
) -> None:
    kept, other = keep(run), a_run_of(workspace, "Radio", "Posters")
    answer = client_for(analyst).post(LIST, {"run": str(other.pk), "state": "s0=100", "update": str(kept.pk)})
    assert answer.status_code == 404
    assert Scenario.objects.get().plan == kept.plan


def test_a_new_name_and_a_new_plan_at_once_are_both_kept(run: Run, workspace: Workspace) -> None:
    kept, other = keep(run), a_plan(run, factor=0.7)
    one = scenarios.get(workspace=workspace, scenario_id=kept.pk)
    another = scenarios.get(workspace=workspace, scenario_id=kept.pk)
    scenarios.change_plan(scenario=one, plan=other, by=None)
    scenarios.rename(scenario=another, name="Spring", by=None)
    found = Scenario.objects.get()
    assert (found.name, Plan.from_json(found.plan)) == ("Spring", other)
    assert found.updated_at > kept.updated_at


def test_one_that_was_deleted_meanwhile_does_not_come_back(run: Run, workspace: Workspace) -> None:
    kept = keep(run)
    scenarios.delete(scenario=scenarios.get(workspace=workspace, scenario_id=kept.pk), by=None)
    with pytest.raises(NotFound):
        scenarios.rename(scenario=kept, name="Ghost", by=None)
    with pytest.raises(NotFound):
        scenarios.change_plan(scenario=kept, plan=a_plan(run, factor=0.7), by=None)
    assert not Scenario.objects.exists()
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"scenario.saved", "scenario.deleted"}


def test_after_a_refused_name_the_scenario_is_still_the_one_to_change(
    run: Run, client_for: ClientFor, analyst: User
) -> None:
    kept, client, state = keep(run), client_for(analyst), state_of(run, a_plan(run, factor=0.8))
    form = client.get(f"/w/acme/weightings/runs/{run.pk}/plan/?{state}&scenario={kept.pk}").text
    save = form[form.index("planner-save") : form.index("Save scenario")]
    assert f'name="scenario" value="{kept.pk}"' in save
    asked = {"run": str(run.pk), "state": state, "scenario": str(kept.pk), "name": "more tv"}
    answer = client.post(LIST, asked, follow=True)
    assert answer.redirect_chain[-1][0].endswith(f"/plan/?{state}&scenario={kept.pk}")
    assert "Save changes to “More TV”" in answer.text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A scenario needs a name."),
        ("x" * 101, "A name has at most 100 characters"),
        ("more tv", "There is a scenario “more tv” already."),
        ("a\x00b", "A name has at most 100 characters, all of them readable."),
    ],
)
def test_a_name_that_will_not_do_loses_nothing(
    run: Run, client_for: ClientFor, analyst: User, name: str, sentence: str
) -> None:
    keep(run)
    client, state = client_for(analyst), state_of(run, a_plan(run, factor=0.8))
    answer = client.post(LIST, {"run": str(run.pk), "state": state, "name": name}, follow=True)
    assert sentence in answer.text
    assert answer.redirect_chain[-1][0].endswith(f"/plan/?{state}")
    assert Scenario.objects.count() == 1


def test_what_is_no_plan_is_not_saved(run: Run, client_for: ClientFor, analyst: User) -> None:
    answer = client_for(analyst).post(LIST, {"run": str(run.pk), "state": "s0=much", "name": "X"}, follow=True)
    assert "Spend on TV: Enter a number." in answer.text
    assert not Scenario.objects.exists()


def test_it_is_renamed_copied_and_deleted(run: Run, client_for: ClientFor, analyst: User) -> None:
    kept, client = keep(run), client_for(analyst)
    client.post(f"{LIST}{kept.pk}/rename/", {"name": "Spring"})
    kept.refresh_from_db()
    assert kept.name == "Spring"
    for _ in range(2):
        client.post(f"{LIST}{kept.pk}/duplicate/")
    assert set(Scenario.objects.values_list("name", flat=True)) == {"Spring", "Spring (copy)", "Spring (copy 2)"}
    assert len({json.dumps(one.plan) for one in Scenario.objects.all()}) == 1
    assert client.post(f"{LIST}{kept.pk}/delete/").status_code == 302
    assert not Scenario.objects.filter(pk=kept.pk).exists()
    assert Run.objects.filter(pk=run.pk).exists()
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["scenario.saved", "scenario.renamed", "scenario.saved", "scenario.saved", "scenario.deleted"]


def test_a_long_name_is_cut_where_it_is_copied(run: Run) -> None:
    copy = scenarios.duplicate(scenario=keep(run, "x" * 100), by=None)
    assert copy.name == f"{'x' * 93} (copy)"


def test_viewers_see_and_take_away_but_change_nothing(run: Run, client_for: ClientFor, viewer: User) -> None:
    kept, client = keep(run), client_for(viewer)
    seen = client.get(f"{LIST}{kept.pk}/")
    assert seen.status_code == 200
    assert "Rename" not in seen.text
    for deed in ("rename", "duplicate", "delete"):
        assert client.post(f"{LIST}{kept.pk}/{deed}/", {"name": "Mine"}).status_code == 403
    refused = client.post(LIST, {"run": str(run.pk), "state": state_of(run, a_plan(run)), "name": "Mine"})
    assert refused.status_code == 403
    assert client.get(f"{LIST}{kept.pk}/export.csv").status_code == 200
    kept.refresh_from_db()
    assert (kept.name, Scenario.objects.count()) == ("More TV", 1)


def test_another_workspaces_scenarios_and_runs_do_not_exist(
    run: Run, client_for: ClientFor, analyst: User, outsider: User
) -> None:
    elsewhere = keep(a_stored_run(WorkspaceFactory.create(slug="other")), "Secret plan")
    client = client_for(analyst)
    assert client.get(f"{LIST}{elsewhere.pk}/").status_code == 404
    assert client.get(f"{LIST}{elsewhere.pk}/export.csv").status_code == 404
    for deed in ("rename", "duplicate", "delete"):
        assert client.post(f"{LIST}{elsewhere.pk}/{deed}/", {"name": "Mine"}).status_code == 404
    assert "Secret plan" not in client.get(f"{LIST}?compare={elsewhere.pk}").text
    state = state_of(run, a_plan(run))
    assert client.post(LIST, {"run": str(elsewhere.run_id), "state": state, "name": "X"}).status_code == 404
    assert client.post(LIST, {"run": "nonsense", "state": state, "name": "X"}).status_code == 404
    taken = client.post(LIST, {"run": str(run.pk), "state": state, "update": str(elsewhere.pk)})
    assert taken.status_code == 404
    assert client_for(outsider).get(LIST).status_code == 404
    assert Scenario.objects.get().name == "Secret plan"


def test_any_number_stand_side_by_side(run: Run, client_for: ClientFor, viewer: User) -> None:
    kept = [keep(run, f"Plan {factor}", factor=factor) for factor in (0.5, 0.9, 1.5)]
    page = client_for(viewer).get(LIST, {"compare": [one.pk for one in kept]})
    assert "“Plan 1.5” brings most against the current plan" in page.text
    horizon = Horizon(StoredModel(run))
    for one in kept:
        spend = Plan.from_json(one.plan).amounts(horizon.channels)
        assert f'data-value="{horizon.scenario(spend).outcome["median"]!r}"' in page.text


def test_where_all_lose_the_best_one_loses_least(run: Run) -> None:
    less = [keep(run, f"Times {factor}", factor=factor) for factor in (0.5, 0.8)]
    section, _lost = comparison(less)
    assert section.charts[0].title == "“Times 0.8” loses least against the current plan"


def test_scenarios_of_different_outcomes_have_no_chart_in_common(run: Run, workspace: Workspace) -> None:
    of_points = a_stored_run(workspace, bounded=True)
    section, lost = comparison([keep(run), keep(of_points, "Points")])
    assert (section.charts, lost, len(section.tables)) == ((), [], 2)


def test_one_whose_figures_are_gone_is_named_and_the_others_are_shown(
    run: Run, workspace: Workspace, client_for: ClientFor, viewer: User
) -> None:
    kept, lost = keep(run), keep(a_stored_run(workspace, seed=7), "Lost")
    artifacts.remove(lost.run.artifact)
    stored._surface.cache_clear()
    page = client_for(viewer).get(LIST, {"compare": [kept.pk, lost.pk]}).text
    assert "“Lost” cannot be shown: The figures of this run are no longer on disk. Run it again." in page
    assert "“More TV” brings most" in page
    assert "Run it again" in client_for(viewer).get(f"{LIST}{lost.pk}/").text
    assert client_for(viewer).get(f"{LIST}{lost.pk}/export.csv").status_code == 404


def test_a_newer_model_is_offered_with_the_same_plan(
    run: Run, workspace: Workspace, client_for: ClientFor, viewer: User
) -> None:
    kept = keep(run)
    assert "There is a newer model" not in client_for(viewer).get(f"{LIST}{kept.pk}/").text
    newer = a_stored_run(workspace)
    page = client_for(viewer).get(f"{LIST}{kept.pk}/").text
    assert "There is a newer model of this question" in page
    assert f"/runs/{newer.pk}/plan/?s0={kept.plan['spend']['TV']:g}" in page


def test_a_newer_model_of_more_periods_gets_the_same_spend_for_each(workspace: Workspace) -> None:
    older = a_stored_run(workspace, window=(34, 47))
    now = current_plan(Horizon(StoredModel(older))).spend
    limits = {"TV": (100.0, 13000.0)}
    kept = scenarios.create(run=older, name="Now", plan=Plan(spend=now, limits=limits), by=None)
    of_four = scenarios.create(run=older, name="Four weeks", plan=Plan(periods=4, spend=now), by=None)
    a_stored_run(workspace, window=(8, 60))
    page = present_scenario(scenarios.get(workspace=workspace, scenario_id=kept.pk))
    query = address_of(page.newer_url)
    assert [float(query[name]) for name in ("s0", "s1")] == pytest.approx([4 * now["TV"], 4 * now["Search"]], abs=0.01)
    assert (query["min0"], query["max0"]) == ("400", "52000")
    assert page.newer_notes == ["The newer model reports 52 weeks, this plan is for 13: each week keeps its spend."]
    same = present_scenario(scenarios.get(workspace=workspace, scenario_id=of_four.pk))
    query = address_of(same.newer_url)
    assert (query["horizon"], float(query["s0"]), same.newer_notes) == ("4", now["TV"], [])


def test_channels_that_a_newer_model_does_not_have_are_named(
    workspace: Workspace, client_for: ClientFor, viewer: User
) -> None:
    older = a_run_of(workspace, "TV", "Search")
    kept = keep(older, locks=frozenset({"TV"}))
    a_run_of(workspace, "Television", "Search")
    page = client_for(viewer).get(f"{LIST}{kept.pk}/").text
    assert "The newer model does not have TV: what the plan spends there is left out." in page
    assert "The plan says nothing of Television: nothing is spent there." in page


def address_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(url.partition("?")[2]))


def test_every_format_carries_the_numbers_of_the_page(run: Run, client_for: ClientFor, viewer: User) -> None:
    kept, client = keep(run), client_for(viewer)
    horizon = Horizon(StoredModel(run))
    spend = Plan.from_json(kept.plan).amounts(horizon.channels)
    found = horizon.scenario(spend)

    def download(form: str) -> bytes:
        answer = client.get(f"{LIST}{kept.pk}/export.{form}")
        assert answer.status_code == 200
        return answer.getvalue()

    rows = {row["channel"]: row for row in csv.DictReader(io.StringIO(download("csv").decode("utf-8-sig")))}
    data = json.loads(download("json"))
    for channel, of in zip(found.channels, data["planned"]["channels"], strict=True):
        assert float(rows[channel.channel]["spend"]) == channel.spend == of["spend"]
        for end, key in (("median", ""), ("low", "_low"), ("high", "_high")):
            assert float(rows[channel.channel][f"incremental{key}"]) == channel.added[end] == of["added"][end]
    assert float(rows["(outcome)"]["incremental"]) == found.outcome["median"] == data["planned"]["outcome"]["median"]
    assert float(rows["(outcome, difference)"]["incremental"]) == found.difference["median"]
    assert rows["(outcome, difference)"]["incremental_now"] == ""
    page = client.get(f"{LIST}{kept.pk}/").text
    for channel in found.channels:
        assert f'data-value="{channel.added["median"]!r}"' in page
    book = load_workbook(io.BytesIO(download("xlsx")))
    cells = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, float)}
    assert {channel.added["median"] for channel in found.channels} <= cells
    deck = Presentation(io.BytesIO(download("pptx")))
    charts = [shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart]
    values = {value for chart in charts for plot in chart.plots for series in plot.series for value in series.values}
    assert {channel.spend for channel in found.channels} <= values
    assert download("pdf").startswith(b"%PDF")
