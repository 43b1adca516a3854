"""The child's side of a long computation: `python -m jobs.child_side PROGRAM DIRECTORY PARENT_PID MEMORY_BYTES`.

Nothing in here imports Django: a child has neither the settings nor their secrets. jobs/children.py is the other side.
"""

import ctypes
import errno
import faulthandler
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
Report = Callable[[str, float], None]
# A program takes (question, arrays, report) and returns (result, arrays). It imports JAX inside the function, having
# set XLA_FLAGS if need be.
Program = Callable[[dict[str, Any], Arrays, Report], tuple[dict[str, Any], Arrays]]

QUESTION, QUESTION_ARRAYS = "question.json", "arrays.npz"
ANSWER, ANSWER_ARRAYS = "answer.json", "answer.npz"
FAILURE = "failure.json"
SECONDS_BETWEEN_REPORTS = 0.2
_PR_SET_PDEATHSIG = 1
# RLIMIT_DATA counts what may be written to, touched or not. Beyond what is resident that is little, also with JAX,
# which reserves 1.5 GB of addresses on two cores: 40 MB, and stacks of 8 MB for the threads of further cores.
_UNTOUCHED_BYTES = 512 * 2**20
_UNTOUCHED_BYTES_PER_CORE = 64 * 2**20


class Failed(Exception):
    """An expected failure, raised by a program: ends the job with this sentence, as `JobFailed` does."""

    def __init__(self, sentence: str, code: str = "failed") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class Ending(IntEnum):
    """The exit codes by which a child says how it ended; those below 10 are Python's own."""

    ANSWERED = 0
    BROKEN = 1
    FAILED = 10
    OUT_OF_MEMORY = 11
    STORAGE_FULL = 12


def main() -> NoReturn:
    """Carry out the program that the command line names, and exit with an `Ending`."""
    program, directory, parent_pid, memory_bytes = sys.argv[1:]
    _die_with_parent(int(parent_pid))
    _become_killable()
    _give_way()
    _limit_memory(int(memory_bytes))
    report = _Reporter(_take_stdout())
    ending = _carry_out(program, Path(directory), report)
    sys.stdout.flush()
    sys.stderr.flush()
    # What there is to say is on disk. Taking JAX's threads down in order takes longer than this, and may yet crash.
    os._exit(ending)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content`; the file is whole, on disk and under its name when this returns, or not there at all."""
    _write_whole(path, lambda file: file.write(json.dumps(content).encode()))


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write the arrays as npz, as `write_json` does. Raises ValueError for an array of Python objects."""

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)

    _write_whole(path, write)


def read_arrays(path: Path) -> Arrays:
    """Return the arrays of an npz file.

    Raises OSError, ValueError (also for pickled objects, which are not loaded), EOFError or zipfile.BadZipFile.
    """
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
    return arrays


def _write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _carry_out(program: str, directory: Path, report: Report) -> Ending:
    """Answer the question in the directory, whatever it takes; anything unexpected is explained on stderr."""
    try:
        try:
            _answer(program, directory, report)
        except Failed as failure:
            write_json(directory / FAILURE, {"sentence": failure.sentence, "code": failure.code})
            return Ending.FAILED
    except BaseException as error:  # noqa: BLE001 (reported by the parent, which knows what it means for the job)
        traceback.print_exc()
        if _is_out_of_memory(error):
            return Ending.OUT_OF_MEMORY
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Ending.STORAGE_FULL if full else Ending.BROKEN
    return Ending.ANSWERED


def _answer(program: str, directory: Path, report: Report) -> None:
    module, _, name = program.partition(":")
    function: Program = getattr(importlib.import_module(module), name)
    question = json.loads((directory / QUESTION).read_bytes())
    result, arrays = function(question, read_arrays(directory / QUESTION_ARRAYS), report)
    write_arrays(directory / ANSWER_ARRAYS, arrays)
    write_json(directory / ANSWER, result)


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, NumPy or XLA (whose error type is not imported here) was refused memory."""
    return isinstance(error, MemoryError) or str(error).startswith("RESOURCE_EXHAUSTED")


def _die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process once the thread that started it is gone, however that came about."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the kernel knew
        os._exit(Ending.BROKEN)


def _become_killable() -> None:
    """Die at once when told to, also within compiled code, which would keep a Python handler waiting; crash aloud."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    faulthandler.enable()


def _give_way() -> None:
    """Let pages be served first; and should the machine run out of memory, be what the kernel takes first."""
    os.nice(10)
    with suppress(OSError):  # not on Linux
        Path("/proc/self/oom_score_adj").write_text("1000")


def _limit_memory(memory_bytes: int) -> None:
    """Refuse what would go far beyond the limit; what is resident is watched by the parent.

    RLIMIT_AS would not do: JAX's reserved addresses grow with the cores and say nothing about memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no image of people's data on disk
    if sys.platform == "linux":
        limit = memory_bytes + _UNTOUCHED_BYTES + _UNTOUCHED_BYTES_PER_CORE * (os.cpu_count() or 1)
        with suppress(ValueError):  # somebody has set a lower one already
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _take_stdout() -> int:
    """Return a descriptor of the pipe to the parent; whatever a library prints goes to stderr from now on."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    return pipe


class _Reporter:
    """Tells the parent how far the program is, in lines of JSON; cheap, so that programs may call it in a loop."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._phase: str | None = None
        self._reported_at = 0.0

    def __call__(self, phase: str, fraction: float) -> None:
        now = time.monotonic()
        if phase == self._phase and now - self._reported_at < SECONDS_BETWEEN_REPORTS:
            return
        self._phase, self._reported_at = phase, now
        line = json.dumps({"phase": phase[:100], "fraction": float(fraction)})
        os.write(self._pipe, f"{line}\n".encode())


if __name__ == "__main__":
    # Programs raise the `Failed` of the module `jobs.child_side`, not that of `__main__`, which is another class.
    from jobs import child_side

    child_side.main()
