import json
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Workspace
from analyses.errors import AnalysisError
from analyses.models import Run
from jobs import actions
from jobs.execution import execute
from jobs.progress import Progress
from tests.analyses.conftest import Ask, Sums


def run_command(*arguments: str) -> str:
    out = StringIO()
    call_command("analyse", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.usefixtures("workspace")
def test_the_result_is_printed_as_json_in_full_precision(sums: Sums) -> None:
    assert json.loads(run_command("sums", "--workspace", "acme", "--param", "terms=0.1,0.2")) == {"sum": 0.1 + 0.2}
    run = Run.objects.get()
    assert (run.trigger, run.requested_by) == ("cli", None)


@pytest.mark.usefixtures("workspace")
def test_the_result_is_printed_as_csv_or_as_a_table(sums: Sums) -> None:
    sums.rows = [("name", "sum", "count"), ("=a", 1234.567, 12345), ("long name\x1b[31m", 0.5, None)]
    assert run_command("sums", "--workspace", "acme", "--format", "csv").splitlines() == [
        "name,sum,count",
        "'=a,1234.567,12345",
        "long name\x1b[31m,0.5,",
    ]
    assert run_command("sums", "--workspace", "acme", "--format", "table").splitlines() == [
        "name                sum   count",
        "=a             1,234.57  12,345",
        "long name[31m      0.50",
    ]


def test_an_answer_that_exists_is_not_computed_again(ask: Ask, sums: Sums) -> None:
    execute(job_id=ask(terms=[1]).job_id)
    run_command("sums", "--workspace", "acme", "--param", "terms=1")
    assert len(sums.computed) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sums", "--workspace", "nowhere"], "There is no workspace “nowhere”."),
        (["sorcery", "--workspace", "acme"], "There is no kind of analysis called “sorcery”. Known: sums."),
        (["sums", "--workspace", "acme", "--param", "terms=one"], "Give numbers."),
        (["sums", "--workspace", "acme", "--param", "terms"], "“terms” is not of the form name=value."),
        (["sums", "--workspace", "acme", "--param", "terms=1", "--param", "terms=2"], "--param terms is given twice"),
        (["sums", "--workspace", "acme", "--param", "premium=1"], "Predictive modelling is part of the Professional"),
        (["sums", "--workspace", "acme", "--format", "xml"], "There is no format “xml”. Use one of: json, csv, table."),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(
    workspace: Workspace, sums: Sums, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as refusal:
        run_command(*arguments)
    assert "\n" not in str(refusal.value)
    assert not Run.objects.exists()


@pytest.mark.usefixtures("workspace")
def test_a_run_that_fails_fails_the_command_with_its_sentence(sums: Sums) -> None:
    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions in June.")

    sums.work = fail
    with pytest.raises(CommandError, match=r"^No conversions in June\.$"):
        run_command("sums", "--workspace", "acme")


@pytest.mark.usefixtures("workspace")
def test_ctrl_c_cancels_the_run(sums: Sums) -> None:
    def interrupt(_progress: Progress) -> None:
        raise KeyboardInterrupt

    sums.work = interrupt
    with pytest.raises(CommandError, match="Stopped"):
        run_command("sums", "--workspace", "acme")
    assert Run.objects.get().job.status == "cancelled"


def test_a_run_that_a_worker_has_claimed_is_waited_for(ask: Ask, sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ask(terms=[1])
    claimed = actions.claim(job_id=run.job_id)
    assert claimed is not None
    looks: list[Any] = []

    def let_the_worker_finish(_seconds: float) -> None:
        looks.append(run.job_id)
        if len(looks) == 3:
            Progress(claimed).complete(lambda: None)
            Run.objects.filter(pk=run.pk).update(result={"sum": 1.0})

    monkeypatch.setattr(time, "sleep", let_the_worker_finish)
    assert json.loads(run_command("sums", "--workspace", "acme", "--param", "terms=1")) == {"sum": 1.0}
    assert sums.computed == []


def test_a_run_whose_worker_died_is_taken_over(ask: Ask, sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ask(terms=[1])
    with_lease_run_out = actions.claim(job_id=run.job_id)
    assert with_lease_run_out is not None
    type(with_lease_run_out).objects.update(lease_until="2020-01-01T00:00Z")
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert json.loads(run_command("sums", "--workspace", "acme", "--param", "terms=1")) == {"sum": 1.0}
    assert len(sums.computed) == 1
