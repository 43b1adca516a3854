"""What the tests of child processes have them compute. Each program first says which process it is, in its phase."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from jobs import child_side
from jobs.child_side import Arrays, Failed, Report

Answer = tuple[dict[str, Any], Arrays]


def repeat(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    print("a library that prints does not disturb the reports")  # noqa: T201
    report(f"pid {os.getpid()}", 0.0)
    return question, arrays


def describe_surroundings(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    return {"environment": dict(os.environ), "modules": modules, "niceness": os.nice(0)}, {}


def half_way(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Report 0.5 and wait for the file `gate`."""
    for _step in range(10_000):
        report("Half way", 0.5)
    while not Path(question["gate"]).exists():
        time.sleep(0.02)
    return {}, {}


def write_diary(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Write into the file `diary` when this begins, which may be a moment before another one ends, and when it ends."""
    with Path(question["diary"]).open("a") as diary:
        print("begin", file=diary, flush=True)
        time.sleep(0.3)
        print("end", file=diary, flush=True)
    return {}, {}


def sleep(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    report(f"pid {os.getpid()}", 0.1)
    time.sleep(600)
    return {}, {}


def sleep_deaf_to_sigterm(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return sleep(question, arrays, report)


def sleep_beside_a_process_of_its_own(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    report(f"pid {subprocess.Popen(['sleep', '600']).pid}", 0.1)
    time.sleep(600)
    return {}, {}


def factorise(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """One call into NumPy that takes minutes, and holds off Python's signal handlers as long."""
    matrix = np.random.default_rng(1).normal(size=(4_000, 4_000))
    report(f"pid {os.getpid()}", 0.1)
    np.linalg.svd(matrix)
    return {}, {}


def compile_with_jax(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Have XLA compile something large."""
    import jax
    import jax.numpy as jnp

    def long_chain(x: Any) -> Any:
        for step in range(1_000):
            x = jnp.sin(x * step) @ x
        return x

    traced = jax.jit(long_chain).lower(np.ones((3, 3)))
    report(f"pid {os.getpid()}", 0.1)
    traced.compile()
    return {}, {}


def compute_with_jax_and_ask_for_too_much(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Report a sum of squares and where compiled code is kept; then go on to a vector of `size` numbers."""
    import jax
    import jax.numpy as jnp

    sum_of_squares = jax.jit(lambda x: (x * x).sum())
    cache = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    report(f"{sum_of_squares(jnp.ones(1_000)):.0f} {cache}", 0.5)
    return {"total": float(sum_of_squares(jnp.ones(question["size"])))}, {}


def occupy_memory(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Fill more and more memory, bit by bit, up to `bytes`, and keep it."""
    kept = [np.ones(2**20) for _block in range(question["bytes"] // 2**23)]
    time.sleep(600)
    return {"blocks": len(kept)}, {}


def ask_for_memory(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    return {"size": np.empty(question["bytes"], np.uint8).size}, {}


def kill_itself(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    os.kill(os.getpid(), question["signal"])
    return {}, {}


def fail(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    raise Failed("The chains did not mix. Ask for more draws.", "not_converged")


def divide_by_zero(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    return {"never": 1 // 0}, {}


def exit_early(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    sys.exit(0)


def find_no_room(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    raise OSError(errno.ENOSPC, "No space left on device")


def return_objects(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    return {}, {"objects": np.array([{}], dtype=object)}


def leave_pickled_objects(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Write an answer as no child should, and end at once."""
    child_side.write_json(_own_directory() / child_side.ANSWER, {})
    np.savez(_own_directory() / child_side.ANSWER_ARRAYS, objects=np.array([{}], dtype=object))
    os._exit(0)


def leave_truncated_arrays(question: dict[str, Any], arrays: Arrays, report: Report) -> Answer:
    """Answer with a file of arrays of which the last part is missing."""
    path = _own_directory() / child_side.ANSWER_ARRAYS
    child_side.write_json(_own_directory() / child_side.ANSWER, {})
    child_side.write_arrays(path, {"x": np.arange(1_000)})
    os.truncate(path, path.stat().st_size // 2)
    os._exit(0)


def _own_directory() -> Path:
    return Path(sys.argv[2])
