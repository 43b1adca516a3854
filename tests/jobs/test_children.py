import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from jobs import actions, children, handlers
from jobs.children import ChildAnswer, Limits, compute_in_child, sweep_leftovers
from jobs.execution import OUT_OF_MEMORY, execute
from jobs.handlers import JobCancelled, JobFailed
from jobs.models import Job
from jobs.progress import Progress
from tests.jobs.conftest import Trade

MIB = 2**20
Heard = list[tuple[str, float]]
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells, or ends a child with its parent")


class Listening(Progress):
    """Progress that writes nothing, so that tests need no database; `on_report` may raise."""

    def __init__(self, on_report: Callable[[str, float], None] | None = None) -> None:
        super().__init__(Job(pk=7, fence=3))
        self.heard: Heard = []
        self._on_report = on_report

    def __call__(self, phase: str, fraction: float) -> None:
        if (phase, fraction) not in self.heard:
            self.heard.append((phase, fraction))
        if self._on_report:
            self._on_report(phase, fraction)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Settings) -> Path:
    """An empty DATA_DIR."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def _nothing_is_left(data: Path) -> Iterator[None]:
    """However a computation ends, its files are gone."""
    yield
    assert list((data / "children").glob("*.*")) == []


def compute(
    program: str,
    question: Mapping[str, Any] | None = None,
    *,
    arrays: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ChildAnswer:
    return compute_in_child(
        program=f"tests.jobs.child_programs:{program}",
        question=question or {},
        arrays=arrays or {},
        progress=progress or Listening(),
        limits=limits,
    )


def failure(program: str, question: Mapping[str, Any] | None = None, *, limits: Limits | None = None) -> JobFailed:
    with pytest.raises(JobFailed) as raised:
        compute(program, question, limits=limits)
    assert raised.value.sentence.endswith(".")
    return raised.value


def is_gone(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True


def wait_for(what: str, look: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"After {seconds} seconds still not: {what}"
        time.sleep(0.02)


def test_answers_come_back_bit_for_bit() -> None:
    arrays = {
        "signed zero and payloads of NaN": np.array([0x8000000000000000, 0x7FF800000000BEEF], np.uint64).view("f8"),
        "rows": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "days": np.array(["2024-02-29", "NaT"], "datetime64[D]"),
        "names": np.array(["Zürich", ""]),
        "one": np.array(True),
        "none": np.empty((0, 4), np.int16),
        "file": np.arange(3)[::-1],
    }
    question = {"channels": ["tv", "Zürich"], "share": 0.1, "none": None}
    answer = compute("repeat", question, arrays=arrays)
    assert answer.result == question
    assert list(answer.arrays) == list(arrays)
    for name, array in arrays.items():
        assert (answer.arrays[name].dtype, answer.arrays[name].shape) == (array.dtype, array.shape)
        assert answer.arrays[name].tobytes() == array.tobytes()


def test_progress_is_passed_on_and_repeated_while_the_child_is_silent(tmp_path: Path) -> None:
    gate, reports = tmp_path / "gate", []

    def listen(phase: str, fraction: float) -> None:
        reports.append((phase, fraction))
        if reports.count(("Half way", 0.5)) == 5:  # it was reported in the first moment, and never again
            gate.touch()

    compute("half_way", {"gate": str(gate)}, progress=Listening(listen))
    assert reports[0] == ("Starting", 0.0)
    assert set(reports) == {("Starting", 0.0), ("Half way", 0.5)}


def test_a_child_knows_no_secrets_and_no_django(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "CUSTOMER_HASH_KEY", "WHATEVER_COMES"):
        monkeypatch.setenv(name, "secret")
    found = compute("describe_surroundings").result
    assert set(found["environment"]) <= {
        *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH"),
        *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"),
        *("JAX_COMPILATION_CACHE_DIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    }
    assert "secret" not in found["environment"].values()
    assert not {"django", "celery", "accounts", "mmm_project"} & set(found["modules"])


def test_a_child_gives_way_to_the_pages() -> None:
    assert compute("describe_surroundings").result["niceness"] >= min(os.nice(0) + 10, 19)


def test_what_a_child_reads_is_for_nobody_else(data: Path) -> None:
    modes: set[int] = set()

    def look(_phase: str, _fraction: float) -> None:
        (directory,) = (data / "children").glob("7.3.*")
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in (directory, data / "children", data / "jax-cache"))

    compute("repeat", progress=Listening(look))
    assert modes == {0o700}


@on_linux
@pytest.mark.parametrize(
    "program",
    [
        "sleep",
        "sleep_deaf_to_sigterm",
        "sleep_beside_a_process_of_its_own",
        "factorise",
        pytest.param("compile_with_jax", marks=needs_jax),
    ],
)
def test_cancelling_stops_the_child_within_10_seconds_and_stores_nothing(
    job: Job, trade: Trade, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(children, "SECONDS_TO_STOP", 0.5)
    monkeypatch.setattr("jobs.progress.SECONDS_BETWEEN_WRITES", 0.1)
    stored: list[ChildAnswer] = []
    cancelled_at: list[float] = []
    pids: list[int] = []

    def work(_job: Job, progress: Progress) -> None:
        answer = compute(program, progress=progress)
        progress.complete(lambda: stored.append(answer))

    def listen(phase: str, _fraction: float) -> None:
        if phase.startswith("pid"):
            pids.append(int(phase.split()[1]))
            cancelled_at.append(time.monotonic())
            actions.request_cancel(job=job, by=None)

    trade.work = work
    execute(job_id=job.pk, on_progress=listen)
    assert time.monotonic() - cancelled_at[0] < 10
    wait_for("the process is gone", lambda: is_gone(pids[0]))
    job.refresh_from_db()
    assert (job.status, stored) == ("cancelled", [])


@pytest.mark.parametrize("stop", [JobCancelled, KeyboardInterrupt, SystemExit])
def test_whatever_stops_the_parent_stops_the_child(stop: type[BaseException]) -> None:
    pids = []

    def listen(phase: str, _fraction: float) -> None:
        if phase.startswith("pid"):
            pids.append(int(phase.split()[1]))
            raise stop

    with pytest.raises(stop):
        compute("sleep", progress=Listening(listen))
    with pytest.raises(ProcessLookupError):  # it was reaped as well
        os.kill(pids[0], 0)


@on_linux
def test_a_child_does_not_outlive_a_parent_that_was_killed(data: Path) -> None:
    command = [sys.executable, "-m", "tests.jobs.child_keeper"]
    environment = {**os.environ, "DATA_DIR": str(data)}
    with subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        phase = next(line for line in keeper.stdout if line.startswith(b"pid"))
        keeper.kill()
    wait_for("the child is gone", lambda: is_gone(int(phase.split()[1])), seconds=5)
    a_day_and_a_bit_ago = time.time() - 90_000
    (left,) = (data / "children").glob("1.1.*")
    os.utime(left, (a_day_and_a_bit_ago, a_day_and_a_bit_ago))
    sweep_leftovers()
    assert not left.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_child_fails_with_a_sentence(number: int) -> None:
    failed = failure("kill_itself", {"signal": number})
    assert failed.code == "fit_killed"
    assert failed.sentence.startswith("The computation was stopped from outside")


def test_a_child_that_fails_as_expected_fails_the_job_with_its_sentence() -> None:
    failed = failure("fail")
    assert (failed.code, failed.sentence) == ("not_converged", "The chains did not mix. Ask for more draws.")


def test_a_fault_in_a_child_is_logged_with_its_traceback_and_shown_by_its_id(
    job: Job, trade: Trade, caplog: pytest.LogCaptureFixture
) -> None:
    def work(_job: Job, progress: Progress) -> None:
        compute("divide_by_zero", progress=progress)

    trade.work = work
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "internal_error")
    assert "ZeroDivisionError" not in job.error
    assert "ZeroDivisionError" in caplog.text
    assert job.error.rstrip(".").split()[-1] in caplog.text


def test_a_child_that_crashes_is_a_fault_and_says_where() -> None:
    with pytest.raises(RuntimeError, match="in kill_itself"):
        compute("kill_itself", {"signal": signal.SIGSEGV})


@pytest.mark.parametrize("program", ["exit_early", "return_objects", "no_such_program"])
def test_a_program_that_does_not_answer_as_agreed_is_a_fault(program: str) -> None:
    with pytest.raises(RuntimeError, match=f"{program} ended with exit code 1"):
        compute(program)


def test_a_full_disk_in_the_child_is_a_full_disk_in_the_parent() -> None:
    with pytest.raises(OSError, match="No room"):
        compute("find_no_room")


@pytest.mark.parametrize("program", ["leave_pickled_objects", "leave_truncated_arrays"])
def test_an_answer_that_is_damaged_or_pickled_fails_with_a_sentence(
    program: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert failure(program).code == "answer_damaged"
    assert "damaged answer" in caplog.text


@on_linux
def test_a_child_that_fills_more_memory_than_it_may_is_stopped() -> None:
    failed = failure("occupy_memory", {"bytes": 400 * MIB}, limits=Limits(memory_bytes=200 * MIB))
    assert (failed.code, failed.sentence) == ("out_of_memory", OUT_OF_MEMORY)


@on_linux
def test_a_child_that_asks_for_far_too_much_memory_is_refused_it() -> None:
    failed = failure("ask_for_memory", {"bytes": 2**40}, limits=Limits(memory_bytes=200 * MIB))
    assert (failed.code, failed.sentence) == ("out_of_memory", OUT_OF_MEMORY)


@on_linux
@needs_jax
def test_jax_computes_within_its_limit_and_is_refused_what_goes_far_beyond(data: Path) -> None:
    progress = Listening()
    program, limits = "compute_with_jax_and_ask_for_too_much", Limits(memory_bytes=500 * MIB)
    with pytest.raises(JobFailed) as raised:
        compute(program, {"size": 2**34}, progress=progress, limits=limits)
    assert raised.value.code == "out_of_memory"
    assert (f"1000 {data / 'jax-cache'}"[:100], 0.5) in progress.heard


def test_a_child_that_takes_too_long_is_stopped() -> None:
    failed = failure("sleep", limits=Limits(seconds=0.6))
    assert failed.code == "took_too_long"
    assert "longer than 0.01 minutes" in failed.sentence


def test_limits_are_as_the_settings_say(settings: Settings) -> None:
    settings.JOB_CHILD_MEMORY_MB, settings.JOB_CHILD_SECONDS = 100, 60
    assert Limits() == Limits(memory_bytes=100 * MIB, seconds=60)


def test_what_a_crash_left_behind_is_swept_and_what_is_in_use_is_not(data: Path) -> None:
    assert sweep_leftovers in handlers.sweepers()
    (data / "children").mkdir()
    old, young = (data / "children" / name for name in ("5.1.old", "5.2.young"))
    for left in (old, young):
        left.mkdir()
        (left / "answer.npz").touch()

    def age_and_sweep(_phase: str, _fraction: float) -> None:
        for directory in (old, *(data / "children").glob("7.3.*")):
            if directory.exists():
                os.utime(directory, (1e9, 1e9))
        sweep_leftovers()

    compute("repeat", progress=Listening(age_and_sweep))
    assert not old.exists()
    assert young.exists()
    os.utime(young, (1e9, 1e9))
    sweep_leftovers()
