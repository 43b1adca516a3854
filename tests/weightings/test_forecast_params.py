"""What may be asked of a forecast, and what it is kept as."""

import json
from typing import Any

import pytest

from accounts.models import Workspace
from accounts.plans import PlanRequired
from analyses.errors import InvalidParams
from jobs.models import Job
from tests.factories import WorkspaceFactory
from tests.weightings.premium import on_professional
from tests.weightings.results import a_check, finished
from tests.weightings.stored_runs import a_stored_run
from weightings.finished import newer_run
from weightings.forecasts.analysis import LEFT_OUT, in_address
from weightings.forecasts.model_runs import find_model, offered_runs
from weightings.forecasts.params import clean
from weightings.models import Scenario

FAILS = [a_check("VIF", 12.0, 5.0, "fail", "TV")]


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return on_professional(workspace)


def refused(workspace: Workspace, **params: Any) -> dict[str, str]:
    with pytest.raises(InvalidParams) as refusal:
        clean(workspace, params)
    return {name: " ".join(sentences) for name, sentences in refusal.value.errors.items()}


def a_scenario(run: Any, *, name: str = "More TV", periods: int | None = 13, **spend: float) -> Scenario:
    plan = {"periods": periods, "spend": spend or {"TV": 1300.0, "Search": 2600.0}}
    return Scenario.objects.create(workspace=run.workspace, run=run, name=name, plan=plan)


def test_without_a_word_it_is_a_quarter_of_the_newest_model_with_spend_as_before(shop: Workspace) -> None:
    a_stored_run(shop)
    run = a_stored_run(shop, seed=1)
    assert clean(shop, {}) == {
        "confidence": 95,
        "seed": 0,
        "model_run": str(run.pk),
        "outcome": "Sales",
        "granularity": "week",
        "start": "2023-04-10",
        "end": "2023-07-09",
        "periods": 13,
        "multiples": {"TV": 1.0, "Search": 1.0},
    }


def test_the_model_is_one_that_may_be_relied_on(shop: Workspace) -> None:
    good = a_stored_run(shop)
    a_stored_run(shop, converged=False, seed=1)
    a_stored_run(shop, checks=FAILS, seed=2)
    a_stored_run(shop, by_geo="yes", seed=3)
    assert clean(shop, {})["model_run"] == str(good.pk)


def test_runs_that_cannot_be_forecast_with_are_not_offered(shop: Workspace) -> None:
    assert offered_runs(shop) == []
    lightweight = finished(shop, model="lightweight:adstock")
    lightweight.job.save()
    lightweight.job = lightweight.job
    lightweight.save()
    geos = a_stored_run(shop, by_geo="yes")
    waiting = a_stored_run(shop, seed=1)
    Job.objects.filter(pk=waiting.job_id).update(status=Job.Status.RUNNING)
    lost = a_stored_run(shop, seed=2)
    lost.void = True
    lost.save(update_fields=["void"])
    a_stored_run(WorkspaceFactory.create())
    assert offered_runs(shop) == []
    assert "There is no finished model to forecast with." in refused(shop)["model_run"]
    assert "LightweightMMM" in refused(shop, model_run=str(lightweight.pk))["model_run"]
    assert "geos side by side" in refused(shop, model_run=str(geos.pk))["model_run"]
    doubtful = a_stored_run(shop, converged=False)
    assert [(offered.run, offered.is_doubtful) for offered in offered_runs(shop)] == [(doubtful, True)]
    assert "Every finished model has either not converged or fails checks." in refused(shop)["model_run"]


@pytest.mark.parametrize(
    ("how", "why"),
    [({"converged": False}, "This model has not converged"), ({"checks": FAILS}, "This model fails checks.")],
)
def test_a_model_that_should_not_be_used_needs_an_override(how: dict[str, Any], why: str, shop: Workspace) -> None:
    run = a_stored_run(shop, **how)
    asked = {"model_run": str(run.pk)}
    assert why in refused(shop, **asked)["override"]
    assert why in refused(shop, **asked, override="no")["override"]
    canonical = clean(shop, {**asked, "override": "on"})
    assert canonical["override"] == "yes"
    assert clean(shop, canonical) == canonical


def test_a_good_model_needs_none_and_the_question_is_the_same_with_it(shop: Workspace) -> None:
    a_stored_run(shop)
    assert clean(shop, {"override": "yes"}) == clean(shop, {})


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"periods": "26", "multiples": "1.25", "confidence": "80%", "seed": "7"},
        {"multiples": {"TV": 0}},
        {"spend_per_period": "tv: 100; SEARCH: 50.5"},
        {"spend_per_period": {"TV": 100, "Search": 0}, "plan_name": "Ours"},
        {"plan": "Week,TV,Search\n1,10,20\n2,11,21\n3,12,22\n4,13,23\n"},
        {"plan": {"Price": [20, 21, 22, 23]}, "multiples": 2},
        {"plan": {"spend": {"TV": [1, 2, 3, 4], "Search": [0, 0, 0, 0]}, "events": {"Sale": [0, 0.5, 1, 0]}}},
    ],
)
def test_canonical_params_are_json_that_stays_as_it_is(params: dict[str, Any], shop: Workspace) -> None:
    a_stored_run(shop)
    canonical = clean(shop, params)
    assert clean(shop, json.loads(json.dumps(canonical, allow_nan=False))) == canonical
    said = dict(in_address(canonical))
    again = clean(shop, said)
    assert again == canonical


def test_a_plan_too_long_for_an_address_is_left_out_and_that_is_said(shop: Workspace) -> None:
    a_stored_run(shop)
    rows = "\n".join(f"{place},{place * 1000.123456},{place * 77.654321}" for place in range(1, 53))
    wide = clean(shop, {"plan": f"Week,TV,Search\n{rows}\n"})
    assert LEFT_OUT not in in_address(wide)
    wide["plan"]["controls"] = {f"Control {place}": [1234.5678] * 52 for place in range(9)}
    assert "plan" not in in_address(wide)
    assert in_address(wide)[LEFT_OUT] == "1"


def test_text_numbers_and_mappings_ask_the_same(shop: Workspace) -> None:
    a_stored_run(shop)
    assert clean(shop, {"multiples": "1.5"}) == clean(shop, {"multiples": {"TV": 1.5, "Search": 1.5}})
    assert clean(shop, {"multiples": "TV: 2"}) == clean(shop, {"multiples": {"TV": 2, "Search": 1}})
    table = "Week;TV;Search\n2023-04-10;1.000,5;2\n2023-04-17;3;4\n2023-04-24;5,25;6\n2023-05-01;7;8\n"
    lists = {"TV": [1000.5, 3, 5.25, 7], "Search": [2, 4, 6, 8]}
    assert clean(shop, {"plan": table}) == clean(shop, {"plan": lists})


@pytest.mark.parametrize(
    ("params", "field", "sentence"),
    [
        ({"periods": 3}, "periods", "A forecast is of 4 to 52 weeks, not “3”."),
        ({"periods": 53}, "periods", "4 to 52 weeks"),
        ({"periods": "1e1"}, "periods", "4 to 52 weeks"),
        ({"multiples": "-1"}, "multiples", "A number from 0 to 1000"),
        ({"multiples": "nan"}, "multiples", "A number from 0 to 1000"),
        ({"multiples": True}, "multiples", "“True” is not a number"),
        ({"multiples": "a lot"}, "multiples", "“a lot” is not a number"),
        ({"multiples": "Radio: 1"}, "multiples", "The model has no channel “Radio”. It has “TV”, “Search”."),
        ({"multiples": "TV: 1; tv: 2"}, "multiples", "The channel “TV” is there twice."),
        ({"multiples": {"TV": 10**400}}, "multiples", "is not a number"),
        ({"spend_per_period": "TV: 5"}, "spend_per_period", "No spend is given for “Search”."),
        ({"spend_per_period": "5"}, "spend_per_period", "“5” is not of the form TV: 1.2; Search: 0.8."),
        ({"multiples": 1, "spend_per_period": "TV: 5; Search: 1"}, "spend_per_period", "Say in one way"),
        ({"multiples": 1, "plan": {"TV": [1] * 4, "Search": [1] * 4}}, "multiples", "The plan says by period"),
        ({"scenario": "Nothing"}, "scenario", "There is no scenario “Nothing”."),
        ({"confidence": 51}, "confidence", "The confidence level is one of 80, 90, 95, 99 percent"),
        ({"seed": -1}, "seed", "“seed” is a whole number"),
        ({"override": "perhaps"}, "override", "“override” is yes or no"),
        ({"start": "2023-04-11"}, "start", "from 2023-04-10 on"),
        ({"outcome": "Signups"}, "outcome", "The model that is used is of “Sales”, by week."),
        ({"granularity": "day"}, "granularity", "The model that is used is of “Sales”, by week."),
        ({"weeks": 4}, "weeks", "Unknown parameter."),
        ({"plan_name": "a" * 101}, "plan_name", "at most 100 characters"),
        ({"plan": []}, "plan", "A plan is a table as text"),
        ({"plan": {"TV": 5}}, "plan", "“TV” must be a list of numbers"),
        ({"plan": {"TV": [1, "2", 3, 4]}}, "plan", "“TV” must be a list of numbers"),
        ({"plan": {"TV": [10**400] * 4}}, "plan", "“TV” has a number that is too large"),
        ({"plan": {"TV": [1] * 4}}, "plan", "No spend is planned for “Search”. Write 0"),
        ({"plan": {"TV": [1] * 4, "Search": [1] * 5}}, "plan", "“TV” has 4 and “Search” 5."),
        ({"plan": {"TV": [1] * 4, "Search": [1, -1, 1, 1]}}, "plan", "“Search”, week 2: -1 cannot be."),
        ({"plan": {"TV": [1] * 3, "Search": [1] * 3}}, "plan", "4 to 52 weeks, and this plan is of 3."),
        ({"plan": {"TV": [1] * 4, "Search": [1] * 4}, "periods": 5}, "plan", "of 4 periods, but 5 are asked for"),
        ({"plan": {"Sale": [0, 2, 0, 0]}}, "plan", "“Sale”, week 2: 2 cannot be. An event is 1 in a period"),
        ({"plan": {"Easter": [0, 8, 0, 0]}}, "plan", "“Easter”, week 2: 8 cannot be. A holiday says how many of"),
        ({"plan": {"Weather": [0] * 4}}, "plan", "The model knows no “Weather”. It has “TV”, “Search”, “Blog”"),
        ({"plan": {"Price": [0] * 4, "price ": [0] * 4}}, "plan", "“Price” is there twice."),
    ],
)
def test_what_is_wrong_is_said_beside_its_name(
    params: dict[str, Any], field: str, sentence: str, shop: Workspace
) -> None:
    a_stored_run(shop)
    assert sentence in refused(shop, **params)[field]


def test_several_mistakes_are_told_at_once(shop: Workspace) -> None:
    assert refused(shop, seed="x", confidence=1, model_run="nothing").keys() == {"seed", "confidence", "model_run"}


@pytest.mark.parametrize("asked", ["9" * 30, "nonsense", "\0", "0b3f7a2e-6c3d-4a52-9c9c-1f35c0e1d001"])
def test_another_workspaces_run_is_as_one_that_does_not_exist(asked: str, shop: Workspace) -> None:
    theirs = str(a_stored_run(WorkspaceFactory.create()).pk)
    of_theirs, of_nobody = refused(shop, model_run=theirs), refused(shop, model_run=asked)
    assert of_theirs["model_run"].replace(theirs, "_") == of_nobody["model_run"].replace(asked, "_")


def test_another_workspaces_scenario_is_as_one_that_does_not_exist(shop: Workspace) -> None:
    a_stored_run(shop)
    theirs = a_scenario(a_stored_run(WorkspaceFactory.create()), name="Theirs")
    for asked in (theirs.pk, str(theirs.pk), "Theirs", 10**30, "\0"):
        assert refused(shop, scenario=asked) == {"scenario": f"There is no scenario “{str(asked)[:60]}”."}


def test_a_run_whose_figures_are_lost_is_refused(shop: Workspace) -> None:
    run = a_stored_run(shop)
    run.artifact = "runs/0/nothing.npz"
    run.save(update_fields=["artifact"])
    assert "no longer on disk" in refused(shop)["model_run"]


def test_a_scenario_becomes_numbers_that_its_later_changes_leave_alone(shop: Workspace) -> None:
    run = a_stored_run(shop)
    newer = a_stored_run(shop, seed=1)
    scenario = a_scenario(run)
    found = clean(shop, {"scenario": "more tv"})
    assert found["spend_per_period"] == {"TV": 100.0, "Search": 200.0}
    assert (found["model_run"], found["plan_name"]) == (str(run.pk), "More TV")
    assert clean(shop, {"scenario": scenario.pk}) == found
    with_newer = clean(shop, {"scenario": scenario.pk, "model_run": newer.pk})
    assert (with_newer["model_run"], with_newer["spend_per_period"]) == (str(newer.pk), found["spend_per_period"])
    scenario.plan = {"periods": 13, "spend": {"TV": 0.0, "Search": 0.0}}
    scenario.save()
    assert clean(shop, found) == found


def test_an_id_means_the_scenario_that_has_it_whatever_others_are_called(shop: Workspace) -> None:
    run = a_stored_run(shop)
    wanted = a_scenario(run)
    a_scenario(run, name=str(wanted.pk), TV=0.0, Search=0.0)
    year = a_scenario(run, name="2026000")
    for asked in (wanted.pk, str(wanted.pk)):
        assert clean(shop, {"scenario": asked})["plan_name"] == "More TV"
    assert clean(shop, {"scenario": "2026000"})["plan_name"] == year.name


def test_a_scenario_of_the_reported_period_is_spread_over_its_periods(shop: Workspace) -> None:
    run = a_stored_run(shop, window=(40, 60))
    a_scenario(run, periods=None, TV=2000.0, Search=100.0)
    assert clean(shop, {"scenario": "More TV"})["spend_per_period"] == {"TV": 100.0, "Search": 5.0}


def test_a_scenario_of_other_channels_is_refused(shop: Workspace) -> None:
    a_scenario(a_stored_run(shop), TV=1.0, Radio=2.0)
    assert "other channels than this model" in refused(shop, scenario="More TV")["scenario"]


def test_a_plan_without_the_feature_is_refused_before_anything_else(workspace: Workspace) -> None:
    for params in ({}, {"weeks": 3}, {"model_run": "nonsense"}):
        with pytest.raises(PlanRequired, match="Predictive modelling"):
            clean(workspace, params)


def test_the_newest_run_of_the_same_question_is_found(shop: Workspace) -> None:
    run = a_stored_run(shop)
    a_stored_run(shop, draws=1234)
    assert newer_run(run) is None
    newer = a_stored_run(shop, window=(20, 60))
    assert newer_run(run) == newer
    model = find_model(shop, run.pk)
    assert model is not None
    assert model.horizon(2).days() == (7, 7)
