"""The systems, and a running program of one of them: asked for fits, within a time."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.harness import ROOT

HERE = Path(__file__).resolve().parent
SHOWN_LINES = 30  # of what a program wrote before it failed
SECONDS_TO_END = 10.0


@dataclass(frozen=True)
class System:
    """A system that fits worlds. `program`: its file beside this one; `python`: the interpreter that runs it."""

    name: str
    title: str
    program: Path
    python: Path

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be measured, if so, and what to do."""
        if self.python.exists():
            return None
        return f"{self.title} is left out: there is no {self.python}. `make setup-peers` makes the peers' environments."


OURS = "ours"


def systems() -> list[System]:
    """This project and its peers, in the order in which they are measured and shown."""
    environments = ROOT / os.environ.get("PEERS", "var/peers")
    peers = (
        ("meridian", "Meridian", "fit_meridian.py"),
        ("pymc-marketing", "PyMC-Marketing", "fit_pymc_marketing.py"),
        ("lightweight-mmm", "LightweightMMM", "fit_lightweight.py"),
    )
    return [
        System(OURS, "ours", HERE / "fit_ours.py", Path(sys.executable)),
        *(System(name, title, HERE / file, environments / name / "bin" / "python") for name, title, file in peers),
    ]


class Program:
    """A process that fits worlds of one system, with caches of its own that are empty at first."""

    def __init__(self, system: System, folder: Path) -> None:
        """Start it. `folder`: where its caches and what it writes to standard error go; one for each process."""
        folder.mkdir()
        self.fits = 0
        self._system = system
        self._errors = folder / "stderr"
        command: list[str | Path] = [system.python, "-P", HERE / "serving.py", system.program]
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=_read, args=(self._output, self._lines), daemon=True)
        self._reader.start()

    def ask(self, question: Mapping[str, Any], *, seconds: float) -> dict[str, Any] | None:
        """The answer; None when it does not come in time, and the process is then killed.

        Ends the program with what the process has written last if it fails.
        """
        try:
            self._input.write(json.dumps(question) + "\n")
            self._input.flush()
            line = self._lines.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            self.kill()
            return None
        except BrokenPipeError:
            line = ""
        if not line:
            self._wait()
            written = "\n".join(self._errors.read_text(errors="replace").splitlines()[-SHOWN_LINES:])
            code = self._process.returncode
            raise SystemExit(f"The program of {self._system.title} ended with code {code}:\n{written}")
        self.fits += 1
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it: it has nothing left to do."""
        with suppress(BrokenPipeError):
            self._input.close()
        self._wait()

    def _wait(self) -> None:
        """Let it end by itself, for a while."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_END)
        self.kill()

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # whatever it has started, too
        self._process.wait()
        self._reader.join()
        self._output.close()
        with suppress(BrokenPipeError):
            self._input.close()

    @property
    def _input(self) -> IO[str]:
        assert self._process.stdin
        return self._process.stdin

    @property
    def _output(self) -> IO[str]:
        assert self._process.stdout
        return self._process.stdout


def _read(output: IO[str], lines: "queue.Queue[str]") -> None:
    """Hand over the lines as they come, and an empty one at the end."""
    for line in output:
        lines.put(line)
    lines.put("")


def _environment(folder: Path) -> dict[str, str]:
    """Of a process that finds nothing that was compiled before, and nothing of the project or of this environment."""
    foreign = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "XLA_FLAGS", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in foreign} | {
        "SIDE_BY_SIDE_STARTED": repr(time.time()),
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}",
    }
