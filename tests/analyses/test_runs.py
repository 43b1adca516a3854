import json

import pytest
from django.db.models import QuerySet

from accounts.models import Plan, Subscription, Workspace
from accounts.plans import PlanRequired
from analyses import registry, runs
from analyses.errors import AnalysisError, InvalidParams
from analyses.models import Run
from jobs import actions
from jobs.handlers import LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from marketing.store import DataChanged
from tests import factories
from tests.analyses.conftest import Ask, Sums, carry_out


def test_a_question_is_answered(ask: Ask) -> None:
    run = carry_out(ask(terms=[0.1, 0.2]))
    assert (run.job.status, run.result) == ("done", {"sum": 0.1 + 0.2})


def test_the_same_question_gets_the_same_run_and_is_computed_once(ask: Ask, sums: Sums) -> None:
    first = ask(terms=[1, 2])
    assert ask(terms="1,2").pk == first.pk
    carry_out(first)
    again = ask(terms=[1, 2])
    carry_out(again)
    assert again.pk == first.pk
    assert len(sums.computed) == 1


def test_another_question_gets_another_run(ask: Ask) -> None:
    assert ask(terms=[1, 2]).pk != ask(terms=[2, 1]).pk


def test_the_same_question_on_newer_data_gets_another_run(ask: Ask, sums: Sums) -> None:
    old = carry_out(ask())
    sums.version = "v2"
    assert runs.inputs_changed(old)
    new = ask()
    assert new.pk != old.pk
    sums.version = "v1"
    assert ask().pk == old.pk


def test_a_new_version_of_the_method_answers_anew(ask: Ask, sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    old = carry_out(ask())
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(method_version="2")})
    assert ask().pk != old.pk
    assert runs.inputs_changed(old)


def test_workspaces_do_not_share_answers(ask: Ask) -> None:
    elsewhere = factories.WorkspaceFactory.create()
    assert ask().pk != ask(workspace=elsewhere).pk


def test_a_question_whose_run_failed_may_be_asked_again(ask: Ask, sums: Sums) -> None:
    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions in June.", code="no_conversions")

    sums.work = fail
    failed = carry_out(ask())
    assert (failed.job.status, failed.job.error, failed.void) == ("failed", "No conversions in June.", True)
    assert ask().pk != failed.pk


def test_a_question_whose_run_was_cancelled_may_be_asked_again(ask: Ask) -> None:
    run = ask()
    actions.request_cancel(job=run.job, by=None)
    assert ask().pk != run.pk


def test_a_run_that_somebody_else_asks_for_at_the_same_moment_is_taken(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request commits between our look and our insert."""
    theirs: list[Run] = []
    look = QuerySet.first

    def look_too_early(_standing: QuerySet[Run]) -> None:
        monkeypatch.setattr(QuerySet, "first", look)
        theirs.append(ask())

    monkeypatch.setattr(QuerySet, "first", look_too_early)
    ours = ask()
    assert ours.pk == theirs[0].pk
    assert (Run.objects.count(), Job.objects.count()) == (1, 1)


def test_a_feature_that_the_plan_lacks_is_refused_before_anything_is_written(ask: Ask) -> None:
    with pytest.raises(PlanRequired):
        ask(premium=True)
    assert not Run.objects.exists()
    assert not Job.objects.exists()


def test_a_downgrade_between_asking_and_computing_is_noticed(ask: Ask, sums: Sums, workspace: Workspace) -> None:
    Subscription.objects.filter(workspace=workspace).update(plan=Plan.objects.get(code="professional"))
    run = ask(premium=True, workspace=Workspace.objects.get(pk=workspace.pk))
    Subscription.objects.filter(workspace=workspace).update(plan=Plan.objects.get(code="starter"))
    run = carry_out(run)
    assert (run.job.status, run.job.error_code) == ("failed", "plan_required")
    assert "Professional" in run.job.error
    assert sums.computed == []


def test_bad_params_and_unknown_kinds_write_nothing(ask: Ask, workspace: Workspace) -> None:
    with pytest.raises(InvalidParams) as refusal:
        ask(terms="one")
    assert refusal.value.errors == {"terms": ["Give numbers."]}
    with pytest.raises(InvalidParams, match=r"no kind of analysis called “sorcery”\. Known: sums"):
        runs.request_run(workspace=workspace, kind="sorcery", params={}, by=None, trigger=Run.Trigger.PAGE)
    assert not Job.objects.exists()


def test_a_run_is_pinned_to_the_data_of_the_moment_it_starts(ask: Ask, sums: Sums) -> None:
    run = ask()
    sums.version = "v2"
    run = carry_out(run)
    assert run.data_version == "v2"
    assert ask().pk == run.pk


def test_a_run_that_waited_while_others_asked_of_newer_data_makes_way(ask: Ask, sums: Sums) -> None:
    waiting = ask()
    sums.version = "v2"
    newer = ask()
    waiting = carry_out(waiting)
    assert (waiting.job.status, waiting.job.error_code) == ("failed", "superseded")
    assert carry_out(newer).job.status == "done"


def test_a_run_is_computed_again_when_its_data_changes_under_it(ask: Ask, sums: Sums) -> None:
    def import_once(_progress: Progress) -> None:
        sums.version = "v2"

    sums.work = import_once
    run = carry_out(ask())
    assert (run.job.status, run.data_version, len(sums.computed)) == ("done", "v2", 2)


def test_a_run_fails_when_its_data_never_stand_still(ask: Ask, sums: Sums) -> None:
    def keep_importing(_progress: Progress) -> None:
        raise DataChanged

    sums.work = keep_importing
    run = carry_out(ask())
    assert (run.job.error_code, len(sums.computed)) == ("data_changed", runs.TRIES_WHILE_DATA_CHANGES)


def test_a_result_that_is_not_finite_is_not_stored(ask: Ask) -> None:
    run = carry_out(ask(terms=[0.5, 1e308, 1e308]))
    assert (run.job.error_code, run.result) == ("numerical_error", None)


def test_a_result_is_read_as_it_was_written(ask: Ask) -> None:
    run = ask()
    result = {"linear": 1.0, "last": 0.1 + 0.2, "a": {"zz": None, "y": [1, "ü"]}}
    Run.objects.filter(pk=run.pk).update(result=result)
    run.refresh_from_db()
    assert json.dumps(run.result) == json.dumps(result), "keys in their order, numbers as they were"


def test_a_stale_worker_cannot_move_a_run_to_other_data(ask: Ask, sums: Sums) -> None:
    run = ask()
    stale = actions.claim(job_id=run.job_id)
    assert stale is not None
    actions.release(job=stale, counted=True)
    actions.claim(job_id=run.job_id)
    sums.version = "v2"
    with pytest.raises(LeaseLost):
        runs.execute(stale, Progress(stale))
    run.refresh_from_db()
    assert (run.data_version, run.result) == ("v1", None)
