"""Experiments from the import to the fit: which of them a model is given, and how they are asked about."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from django.db.models import F
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from jobs.children import ChildAnswer
from jobs.execution import execute
from marketing.channels import merge_channels
from marketing.importing.actions import request_import
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel, Dataset, Experiment, Import, Outcome, OutcomeValue
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.markets import add_outcome, add_spend, market_weeks
from tests.weightings.questions import market
from weightings import computation
from weightings.analysis import in_address
from weightings.labels import EXPERIMENT_USES, LIFT_COUNTS
from weightings.methods.experiments import lifts
from weightings.params import clean

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/weightings/"


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    add_outcome(workspace)
    add_spend(workspace)
    return workspace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The question that the child process is given; it answers at once, and with nothing."""
    given: dict[str, Any] = {}

    def keep(*, question: dict[str, Any], **_rest: Any) -> ChildAnswer:
        given.update(question)
        return ChildAnswer({"timings": {"total_seconds": 0.0}}, {})

    monkeypatch.setattr(computation, "compute_in_child", keep)
    return given


def add_experiment(workspace: Workspace, channel: str, *, batch: Import | None = None, **changed: Any) -> Experiment:
    """Four weeks from the eleventh on."""
    (of,) = ensure_channels(workspace=workspace, names=[channel])
    start = market_weeks()[10]
    row = {"start": start, "end": start + dt.timedelta(27), "lift": 900.0, "standard_error": 90.0, "spend": 500}
    batch = batch or add_import(workspace, Dataset.EXPERIMENTS)
    return Experiment.objects.create(batch=batch, channel=of, **(row | changed))


def carried_out(workspace: Workspace, **params: Any) -> Run:
    run = request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )
    execute(job_id=run.job_id)
    return Run.objects.select_related("job", "workspace").get(pk=run.pk)


# Which experiments a model is given


def test_a_model_is_given_what_is_visible_of_its_own_workspace(shop: Workspace, asked: dict[str, Any]) -> None:
    add_experiment(shop, "TV", geo="North")
    add_experiment(shop, "Search", shadowed=True)
    add_experiment(shop, "Search", batch=add_import(shop, Dataset.EXPERIMENTS, status=Import.Status.UNDONE))
    elsewhere = WorkspaceFactory.create()
    add_experiment(elsewhere, "TV", lift=1.0)
    carried_out(shop)
    start = int(market().period_start[10])
    assert asked["experiments_as"] == "auto"
    assert asked["experiments"] == [
        {
            "channel": "TV",
            "start": start,
            "end": start + 27,
            "geo": "North",
            "lift": 900.0,
            "standard_error": 90.0,
            "spend": 500.0,
        }
    ]
    assert [lifts.Experiment(**given).days for given in asked["experiments"]] == [28]


def test_experiments_of_a_merged_channel_count_for_the_other(shop: Workspace, asked: dict[str, Any]) -> None:
    add_experiment(shop, "Television")
    merge_channels(
        source=Channel.objects.get(name="Television"), target=Channel.objects.get(workspace=shop, name="TV"), by=None
    )
    carried_out(shop)
    assert [given["channel"] for given in asked["experiments"]] == ["TV"]


def test_a_model_is_given_one_experiment_of_merged_channels_and_the_same_days(
    shop: Workspace, asked: dict[str, Any]
) -> None:
    add_experiment(shop, "TV")
    add_experiment(shop, "Television", lift=400.0)
    merge_channels(
        source=Channel.objects.get(name="Television"), target=Channel.objects.get(workspace=shop, name="TV"), by=None
    )
    carried_out(shop)
    assert [(given["channel"], given["lift"]) for given in asked["experiments"]] == [("TV", 400.0)]


def test_none_are_given_if_none_are_wanted(shop: Workspace, asked: dict[str, Any]) -> None:
    add_experiment(shop, "Radio")
    run = carried_out(shop, experiments="none")
    assert asked["experiments"] == []
    assert run.result is not None
    assert [remark["code"] for remark in run.result["remarks"]] == ["short"]


def test_a_model_is_told_what_lifts_count(shop: Workspace, asked: dict[str, Any]) -> None:
    carried_out(shop)
    assert asked["lifts_count"] == "all"
    carried_out(shop, lifts="within")
    assert asked["lifts_count"] == "within"


def test_a_standard_error_that_is_raised_is_remarked_on(shop: Workspace, asked: dict[str, Any]) -> None:
    add_experiment(shop, "TV", standard_error=0.5)
    run = carried_out(shop)
    assert run.result is not None
    (remark,) = (one for one in run.result["remarks"] if one["code"] == "experiments")
    assert remark["sentence"] == (
        "The standard error of the experiment on “TV” (14 Mar – 10 Apr 2022) is below 1% of its lift, and is taken to "
        "be 1% of it: hardly any lift is known better."
    )
    assert remark["names"] == ["TV"]
    assert [given["standard_error"] for given in asked["experiments"]] == [0.5]


def test_the_same_question_has_another_answer_when_an_experiment_is_imported(
    shop: Workspace, asked: dict[str, Any], tmp_path: Path
) -> None:
    first = carried_out(shop)
    assert carried_out(shop) == first
    path = tmp_path / "experiments.csv"
    path.write_text("channel,start,end,lift,standard_error,spend\nTV,2022-03-14,2022-04-10,900,90,500\n")
    batch = request_import(
        workspace=shop,
        dataset=Dataset.EXPERIMENTS,
        file=path,
        mapping={},
        by=None,
        origin=Import.Origin.CLI,
        ring=False,
    )
    execute(job_id=batch.job_id)
    assert carried_out(shop) != first
    assert [given["lift"] for given in asked["experiments"]] == [900.0]


def test_what_cannot_be_used_as_it_is_is_remarked_on(shop: Workspace, asked: dict[str, Any]) -> None:
    add_experiment(shop, "Radio")
    add_experiment(shop, "TV", start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 31))
    add_experiment(shop, "TV")
    run = carried_out(shop)
    assert run.result is not None
    found = [(one["sentence"], one["names"]) for one in run.result["remarks"] if one["code"] == "experiments"]
    (as_belief, of_tv), (unused, of_radio) = found
    assert as_belief == (
        "The experiment on “TV” (1–31 Jan 2020) counts as a belief about the channel's return, not as a measurement of "
        "these days: they are not all in the weeks that the model of “Sales” learns from."
    )
    assert unused == (
        "The experiment on “Radio” (14 Mar – 10 Apr 2022) is not used: the channel has no spend in these data that a "
        "model could learn from."
    )
    assert (of_tv, of_radio) == (["TV"], ["Radio"])


def test_other_outcomes_leave_experiments_alone_unless_asked_and_say_so_once(
    shop: Workspace, asked: dict[str, Any]
) -> None:
    add_experiment(shop, "TV")
    add_experiment(shop, "Search")
    Outcome.objects.update(is_money=False)
    run = carried_out(shop)
    assert run.result is not None
    (remark,) = (one for one in run.result["remarks"] if one["code"] == "experiments")
    assert remark["names"] == ["TV", "Search"]
    assert remark["sentence"].startswith(
        "Experiments are not used: lifts are taken to be in money, and “Sales” is not."
    )
    run = carried_out(shop, experiments="likelihood")
    assert run.result is not None
    assert [one["code"] for one in run.result["remarks"]] == ["short"]
    assert asked["experiments_as"] == "likelihood"


def test_an_outcome_with_bounds_leaves_experiments_alone(shop: Workspace, asked: dict[str, Any]) -> None:
    add_experiment(shop, "TV")
    OutcomeValue.objects.update(value=F("value") / 100_000)
    run = carried_out(shop, bounds="0,1", experiments="prior")
    assert run.result is not None
    (remark,) = (one for one in run.result["remarks"] if one["code"] == "experiments")
    assert remark["sentence"].startswith("Experiments are not used: “Sales” has bounds")


def test_lightweight_models_are_given_none_and_say_so(shop: Workspace, asked: dict[str, Any]) -> None:
    run = carried_out(shop, model="lightweight:adstock")
    assert run.result is not None
    assert [one["code"] for one in run.result["remarks"]] == ["short"]
    add_experiment(shop, "TV")
    run = carried_out(shop, model="lightweight:adstock", seed=2)
    assert run.result is not None
    (remark,) = (one for one in run.result["remarks"] if one["code"] == "experiments")
    assert "LightweightMMM's models know none" in remark["sentence"]
    assert asked["experiments"] == []


# The question


def test_the_usual_way_is_left_out_of_the_question_and_others_are_kept(shop: Workspace) -> None:
    assert clean(shop, {"experiments": "Auto"}) == clean(shop, {"experiments": ""}) == clean(shop, {})
    for use in ("likelihood", "prior", "adjusted_prior", "none"):
        canonical = clean(shop, {"experiments": f" {use.upper()}"})
        assert canonical == clean(shop, {}) | {"experiments": use}
        assert clean(shop, dict(in_address(canonical))) == canonical


def test_what_lifts_count_is_kept_where_it_makes_a_difference(shop: Workspace) -> None:
    usual = clean(shop, {})
    assert clean(shop, {"lifts": "All"}) == clean(shop, {"lifts": ""}) == usual
    within = clean(shop, {"lifts": " WITHIN"})
    assert within == usual | {"lifts": "within"}
    assert clean(shop, within) == clean(shop, dict(in_address(within))) == within
    for use in ("likelihood", "prior", "adjusted_prior"):
        assert clean(shop, {"lifts": "within", "experiments": use}) == within | {"experiments": use}
    assert clean(shop, {"lifts": "within", "experiments": "None"}) == clean(shop, {"experiments": "none"})
    lightweight = {"model": "lightweight:adstock"}
    assert clean(shop, {"lifts": "all", **lightweight}) == clean(shop, lightweight)
    assert clean(shop, {"lifts": "within", "experiments": "none", **lightweight}) == clean(
        shop, {"experiments": "none", **lightweight}
    )


def test_the_ways_that_people_read_are_those_that_models_know() -> None:
    assert EXPERIMENT_USES.keys() == {*get_args(lifts.Use), "none"}
    assert LIFT_COUNTS.keys() == set(get_args(lifts.Counts))


@pytest.mark.parametrize(
    ("params", "name", "sentence"),
    [
        (
            {"experiments": "maybe"},
            "experiments",
            "Experiments are used as auto, likelihood, prior, adjusted_prior, none, not “maybe”.",
        ),
        (
            {"experiments": "prior", "model": "lightweight:adstock"},
            "experiments",
            "LightweightMMM's models know no experiments: leave them out.",
        ),
        (
            {"lifts": "some", "experiments": "none"},
            "lifts",
            "What lifts count is all or within, not “some”.",
        ),
        (
            {"lifts": "within", "model": "lightweight:adstock"},
            "lifts",
            "LightweightMMM's models know no experiments: leave out what their lifts count.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(params: dict[str, str], name: str, sentence: str, shop: Workspace) -> None:
    with pytest.raises(InvalidParams) as refusal:
        clean(shop, params)
    assert refusal.value.errors == {name: [sentence]}


@pytest.mark.usefixtures("shop")
def test_the_page_asks_how_experiments_are_to_be_used(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    page = client.get(PAGE).text
    assert '<option value="none">Not used</option>' in page
    answers = {"outcome": "Sales", "period": "all", "granularity": "week", "model": "hill", "experiments": "none"}
    response = client.post(PAGE, answers)
    assert response.status_code == 302
    run = Run.objects.get()
    assert run.params["experiments"] == "none"
    form = client.get(f"{PAGE}?experiments=none").context["form"]
    assert form["experiments"].value() == "none"
    refused = client.post(PAGE, answers | {"model": "lightweight:adstock", "experiments": "prior"})
    assert refused.status_code == 422
    assert "LightweightMMM&#x27;s models know no experiments" in refused.text


@pytest.mark.usefixtures("shop")
def test_the_page_asks_what_lifts_count(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    page = client.get(PAGE).text
    assert '<option value="within">What it has brought within the test&#x27;s days</option>' in page
    answers = {"outcome": "Sales", "period": "all", "granularity": "week", "model": "hill", "experiments": "auto"}
    for counted in ("within", "all"):
        assert client.post(PAGE, answers | {"lifts": counted}).status_code == 302
    within, usual = sorted((run.params for run in Run.objects.all()), key=len, reverse=True)
    assert within == usual | {"lifts": "within"}
    assert "lifts" not in usual
    assert client.get(f"{PAGE}?lifts=within").context["form"]["lifts"].value() == "within"
    refused = client.post(PAGE, answers | {"model": "lightweight:adstock", "lifts": "within"})
    assert refused.status_code == 422
    assert "leave out what their lifts count" in refused.text
