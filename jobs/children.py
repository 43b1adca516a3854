"""Long computations, and all on JAX, run in a child process: this side starts it, watches it and takes its answer."""

import errno
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt
from django.conf import settings

from jobs import child_side
from jobs.child_side import Arrays, Ending
from jobs.child_slots import children_directory, try_lock
from jobs.execution import OUT_OF_MEMORY
from jobs.handlers import JobFailed
from jobs.models import Job
from jobs.progress import Progress
from jobs.worker_memory import resident_bytes

logger = logging.getLogger(__name__)

# More often than Progress writes, once a second, so that each of its seconds is met.
SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_TO_STOP = 5
SECONDS_LEFTOVERS_ARE_KEPT = 86_400
LAST_WORDS_BYTES = 8_000
FIT_KILLED = (
    "The computation was stopped from outside, most likely because the server ran out of memory. "
    "Try again, or choose a shorter period or a coarser granularity."
)
TOOK_TOO_LONG = (
    "The computation was stopped because it took longer than {minutes} minutes. "
    "Try a shorter period or a coarser granularity."
)
ANSWER_DAMAGED = "The computation ended, but its answer could not be read. Run it again."
# Nothing else of our environment, which holds secrets, is a computation's business.
_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
# By these a process ends itself, for a fault of its own that somebody has to look into.
_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one computation may take; what is not given is as the settings say. `memory_bytes` is resident memory.

    `seconds` is time on the wall, from the start of the child.
    """

    memory_bytes: int = field(default_factory=lambda: settings.JOB_CHILD_MEMORY_MB * 2**20)
    seconds: float = field(default_factory=lambda: settings.JOB_CHILD_SECONDS)


@dataclass(frozen=True)
class ChildAnswer:
    """What a program returned: a result that JSON can hold, and arrays by name."""

    result: dict[str, Any]
    arrays: Arrays


def compute_in_child(
    *,
    program: str,
    question: Mapping[str, Any],
    arrays: Mapping[str, npt.NDArray[Any]],
    progress: Progress,
    limits: Limits | None = None,
) -> ChildAnswer:
    """Have a child process compute `program` ("module:function", see `child_side.Program`) and return its answer.

    `question` is what JSON can hold; neither way are arrays of Python objects let through. How many compute at once is
    decided where jobs are taken: those of the queue of fits hold a slot of the machine. Reports what the child reports,
    and raises JobCancelled and LeaseLost as `progress` does. Raises JobFailed when the program raises
    `child_side.Failed`, when the child goes beyond its limits, is killed, or leaves a damaged answer; RuntimeError with
    the child's traceback when it fails otherwise; OSError when storage is full. However it ends, the child has ended
    and its files are gone.
    """
    limits = limits or Limits()
    with _directory(progress.job) as directory:
        child_side.write_arrays(directory / child_side.QUESTION_ARRAYS, arrays)
        child_side.write_json(directory / child_side.QUESTION, question)
        with _started(program, directory, limits) as process:
            _attend(process, progress, limits)
        _require_answered(program, process.returncode, directory)
        return _answer(directory)


def sweep_leftovers() -> None:
    """Remove the directories, older than a day, of computations whose process has died without doing so."""
    oldest = time.time() - SECONDS_LEFTOVERS_ARE_KEPT
    for directory in children_directory().glob("*.*.*"):
        with suppress(FileNotFoundError):  # its process has just removed it
            if directory.stat().st_mtime < oldest and (lock := try_lock(directory / "lock")) is not None:
                shutil.rmtree(directory, ignore_errors=True)
                os.close(lock)


@contextmanager
def _directory(job: Job) -> Iterator[Path]:
    """Make the private directory <job>.<fence>.<random> of one computation, and remove it in the end.

    It is locked so that the sweep leaves it alone: a lock, unlike a process id, is never mistaken for another's.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"{job.pk}.{job.fence}.", dir=children_directory()))
    lock = try_lock(directory / "lock")
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextmanager
def _started(program: str, directory: Path, limits: Limits) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child; it has ended, by itself or by force, when the block is over.

    The kernel kills a child with the *thread* that started it. The worker runs jobs in threads, and that is right here:
    the same thread waits for the child, so neither outlives the other. What the child has to set up it does itself:
    `preexec_fn` would run Python between fork and exec, which is not safe beside other threads.
    """
    command = [sys.executable, "-m", "jobs.child_side", program, str(directory), str(os.getpid())]
    with (
        _stderr(directory).open("wb") as stderr,
        subprocess.Popen(  # noqa: S603 (a program of ours)
            [*command, str(limits.memory_bytes)],
            cwd=settings.BASE_DIR,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    cache = Path(settings.DATA_DIR) / "jax-cache"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        **{name: os.environ[name] for name in _HANDED_ON if name in os.environ},
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        # As many children as slots compute at once; threads of each beside XLA's would only get in each other's way.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the child, and what it may have started, should it still run."""
    if process.poll() is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        pass
    finally:  # also when Ctrl-C is pressed once more
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _attend(process: subprocess.Popen[bytes], progress: Progress, limits: Limits) -> None:
    """Pass on what the child reports until it ends. Raises JobFailed once it goes beyond its limits."""
    reports = _Reports(process)
    deadline = time.monotonic() + limits.seconds
    while process.poll() is None:
        progress(reports.phase, reports.fraction)
        reports.listen(SECONDS_BETWEEN_LOOKS)
        if time.monotonic() > deadline:
            raise JobFailed(TOOK_TOO_LONG.format(minutes=f"{limits.seconds / 60:.3g}"), code="took_too_long")
        if resident_bytes(process.pid) > limits.memory_bytes:
            raise JobFailed(OUT_OF_MEMORY, code="out_of_memory")


class _Reports:
    """The newest report of a child, from the lines of JSON that it writes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 (it was started with a pipe)
        self.phase, self.fraction = "Starting", 0.0
        self._process = process
        self._pipe = process.stdout.fileno()
        self._readable = select.poll()
        self._readable.register(self._pipe, select.POLLIN)
        self._closed = False
        self._rest = b""

    def listen(self, seconds: float) -> None:
        """Return once something was reported, the child has ended, or after `seconds`."""
        if self._closed:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        elif self._readable.poll(seconds * 1000):
            said = os.read(self._pipe, 65_536)
            self._closed = not said
            *lines, self._rest = (self._rest + said).split(b"\n")
            if lines:
                report = json.loads(lines[-1])
                self.phase, self.fraction = report["phase"], report["fraction"]


def _require_answered(program: str, exit_code: int, directory: Path) -> None:
    """Raise what stands for the way in which the child ended, unless it has answered."""
    if exit_code == Ending.ANSWERED:
        return
    if exit_code == Ending.FAILED:
        raise JobFailed(**json.loads((directory / child_side.FAILURE).read_bytes()))
    if exit_code == Ending.STORAGE_FULL:
        raise OSError(errno.ENOSPC, "No room for the answer of a child")
    last_words = _last_words(directory)
    if exit_code == Ending.OUT_OF_MEMORY or "std::bad_alloc" in last_words:
        logger.warning("%s was refused memory:\n%s", program, last_words)
        raise JobFailed(OUT_OF_MEMORY, code="out_of_memory")
    if exit_code < 0 and -exit_code not in _CRASHES:
        logger.warning("%s was killed by signal %s; it had said:\n%s", program, -exit_code, last_words)
        raise JobFailed(FIT_KILLED, code="fit_killed")
    # Logged, with an id that the page shows, where the job is executed.
    raise RuntimeError(f"{program} ended with exit code {exit_code} in its child process:\n{last_words}")


def _last_words(directory: Path) -> str:
    """The end of what the child wrote to stderr."""
    with _stderr(directory).open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - LAST_WORDS_BYTES, 0))
        return file.read().decode(errors="replace")


def _stderr(directory: Path) -> Path:
    return directory / "stderr.txt"


def _answer(directory: Path) -> ChildAnswer:
    try:
        return ChildAnswer(
            result=json.loads((directory / child_side.ANSWER).read_bytes()),
            arrays=child_side.read_arrays(directory / child_side.ANSWER_ARRAYS),
        )
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        logger.exception("A child left a damaged answer")
        raise JobFailed(ANSWER_DAMAGED, code="answer_damaged") from error
