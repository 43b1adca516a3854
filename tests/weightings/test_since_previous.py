"""A model beside the one before it: which that is, what is kept of the two, and that nothing of it costs the result."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses import artifacts
from analyses.models import Run
from jobs.models import Job
from marketing.channels import rename_channel
from marketing.importing.dimensions import ensure_channels
from tests.factories import WorkspaceFactory
from tests.weightings.refits import EARLIER, KNOWN, LATER, WEEKS, earlier_run, later_run
from weightings.methods.forecasting.since import since
from weightings.methods.stability import moved_share, returns_of, stability
from weightings.refresh import changes
from weightings.refresh.changes import since_previous
from weightings.refresh.previous import previous_run
from weightings.stored import StoredModel

NAMES = {name: name for name in ("TV", "Search", "Blog")}


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path, db: None) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


def found_by(run: Run) -> dict[str, Any]:
    """What is kept of a finished run and the one before it."""
    found = since_previous(run.workspace, run.params, StoredModel(run))
    assert found is not None
    return found


# Which model is the one before


def test_the_first_model_has_none_before_it(workspace: Workspace) -> None:
    run = later_run(workspace)
    assert since_previous(workspace, run.params, StoredModel(run)) is None


def test_the_one_before_is_the_newest_about_an_earlier_end(workspace: Workspace) -> None:
    earlier_run(workspace)
    newest = earlier_run(workspace, window=(10, KNOWN))
    assert previous_run(workspace, later_run(workspace).params) == newest


def test_of_the_same_days_only_other_data_make_another_model(workspace: Workspace) -> None:
    run = later_run(workspace)
    assert previous_run(workspace, run.params) is None, "the same question of the same data"
    Run.objects.filter(pk=run.pk).update(data_version="e" * 64)
    assert previous_run(workspace, run.params) == run


@pytest.mark.parametrize(
    "other",
    [
        {"granularity": "day"},
        {"model": "delayed"},
        {"outcome": "Visits"},
        {"confidence": 80},
        {"holidays": ["DE"]},
        {"knots": 7},
    ],
    ids=str,
)
def test_a_model_of_another_question_is_not_the_one_before(workspace: Workspace, other: dict[str, Any]) -> None:
    run = earlier_run(workspace)
    Run.objects.filter(pk=run.pk).update(params=run.params | other)
    assert previous_run(workspace, later_run(workspace).params) is None


def test_nor_is_one_that_is_no_answer(workspace: Workspace) -> None:
    asked = later_run(workspace).params
    earlier_run(workspace, converged=False)
    earlier_run(WorkspaceFactory.create(slug="elsewhere"))
    for status in (Job.Status.FAILED, Job.Status.RUNNING):
        Job.objects.filter(run=earlier_run(workspace)).update(status=status)
    Run.objects.filter(pk=earlier_run(workspace).pk).update(void=True)
    assert previous_run(workspace, asked) is None


def test_nor_is_one_that_knows_more(workspace: Workspace) -> None:
    """Who asks about last year once more does not ask what has come since this year's model."""
    asked = earlier_run(workspace).params | {"end": "2022-06-30"}
    assert previous_run(workspace, asked) is None


# What is kept of the two


def test_what_is_kept_is_what_the_methods_say(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    found, models = found_by(run), (StoredModel(before), StoredModel(run))
    assert (found["run"], found["asked_at"]) == (str(before.pk), before.created_at.isoformat())
    assert found["estimation"]["periods"] == KNOWN
    assert [found[f"{part}_problem"] for part in ("data", "stability", "budget", "backtest")] == [""] * 4
    assert (found["data"]["common"], found["data"]["added_after"]) == (KNOWN, WEEKS - KNOWN)
    expected = stability(*(returns_of(model.quantities, NAMES) for model in models))
    assert expected is not None
    assert found["stability"]["score"] == pytest.approx(expected.score)
    assert 0 < expected.score < 100
    assert [each["channel"] for each in found["stability"]["channels"]] == list(expected.channels)
    assert found["stability"]["same_period"] is False
    for result, side in ((before.result, "before"), (run.result, "after")):
        assert result is not None
        by_name = {channel["channel"]: channel["roi"] for channel in result["channels"]}
        for each in found["stability"]["channels"]:
            assert each[side] == pytest.approx(by_name[each["channel"]])
    tried = since(EARLIER, models[0].posterior, LATER, names=NAMES, knots=6)
    kept = found["backtest"]
    assert kept["observed"] == LATER.outcome[KNOWN:].tolist()
    assert (kept["low"], kept["high"]) == (tried.low.tolist(), tried.high.tolist())
    assert (kept["inside"], kept["wmape"], kept["verdict"]) == (tried.inside, tried.wmape, tried.verdict)


def test_recommendations_are_compared_as_shares(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert before.result is not None
    assert run.result is not None
    plans = [
        {each["channel"]: each["spend_recommended"] for each in of["budget"]["channels"]}
        for of in (before.result, run.result)
    ]
    found = found_by(run)["budget"]
    assert found["moved"] == pytest.approx(moved_share(*plans))
    for each in found["channels"]:
        assert each["recommended_before"] == pytest.approx(plans[0][each["channel"]] / sum(plans[0].values()))
    for plan in ("current_before", "current_after", "recommended_before", "recommended_after"):
        assert sum(each[plan] for each in found["channels"]) == pytest.approx(1.0)


def test_channels_are_known_by_the_names_that_they_have_now(workspace: Workspace, owner: User) -> None:
    tv, _search = ensure_channels(workspace=workspace, names=["TV", "Search"])
    earlier_run(workspace)
    rename_channel(channel=tv, name="Television", by=owner)
    run = later_run(workspace, replace(LATER, channels=("Television", "Search")))
    found = found_by(run)
    assert {each["channel"] for each in found["stability"]["channels"]} == {"Television", "Search"}
    assert (found["data"]["appeared"], found["data"]["left"]) == ((), ())
    assert {each["channel"] for each in found["budget"]["channels"]} == {"Television", "Search"}
    assert found["backtest"]["new"] == []


# What cannot be had


def test_without_the_figures_of_the_one_before_its_recommendation_is_still_compared(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    artifacts.remove(before.artifact)
    found = found_by(run)
    for part in ("data", "stability", "backtest"):
        assert found[part] is None
        assert found[f"{part}_problem"] == "The figures of this run are no longer on disk. Run it again."
    assert found["budget"] is not None


def test_a_model_of_the_lightweight_package_is_compared_but_not_continued(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert before.result is not None
    before.result["stored"]["posterior"] = None
    before.save(update_fields=["result"])
    found = found_by(run)
    assert found["stability"]["score"] > 0
    assert found["backtest"] is None
    assert found["backtest_problem"].startswith("This needs one of the models")


def test_a_posterior_of_a_later_version_is_not_continued(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert before.result is not None
    before.result["stored"]["posterior"]["format"] = 99
    before.save(update_fields=["result"])
    assert "stored in format 99" in found_by(run)["backtest_problem"]


def test_a_posterior_that_does_not_fit_its_data_any_more_is_not_continued(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    before.params["knots"] = 9
    before.save(update_fields=["params"])
    found = since_previous(workspace, run.params | {"knots": 9}, StoredModel(run))
    assert found is not None
    assert found["backtest_problem"] == changes.NOT_CONTINUED


def test_a_model_without_a_recommendation_says_why(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert before.result is not None
    before.result |= {"budget": None, "budget_problem": "Nothing was spent."}
    before.save(update_fields=["result"])
    found = found_by(run)
    assert found["budget"] is None
    assert found["budget_problem"].endswith("so there is none to compare. Nothing was spent.")


def test_a_run_that_keeps_its_model_otherwise_is_a_sentence(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert before.result is not None
    before.result["stored"] = {}
    before.save(update_fields=["result"])
    found = found_by(run)
    assert found.keys() == {"problem"}
    assert "in a form that this version does not read" in found["problem"]


def test_a_mistake_of_ours_costs_no_result_and_is_logged(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    earlier_run(workspace)
    run = later_run(workspace)

    def fail(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(changes, "stability", fail)
    with caplog.at_level(logging.ERROR):
        found = found_by(run)
    assert (found["stability"], found["stability_problem"]) == (None, changes.UNEXPECTED)
    assert found["backtest"] is not None, "no other part is lost"
    assert "could not be compared" in caplog.text
    monkeypatch.setattr(changes, "previous_run", fail)
    assert found_by(run) == {"problem": changes.UNEXPECTED}
