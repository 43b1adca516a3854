"""`manage.py import_data` that is interrupted or killed in the middle, where no server runs to clear up after it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.stack.stacks import Embedded, wait_for

ROWS = 100_000
MORE_ROWS = 600_000  # than can be loaded before a busy machine comes to press Ctrl-C
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("commands")]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Embedded]:
    """A database with a workspace, and nothing that runs."""
    embedded = Embedded(tmp_path)
    embedded.prepare_database()
    yield embedded
    embedded.close_client()


@pytest.fixture
def loading(installation: Embedded, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """An import that is in the middle of a long file."""
    rows = (f"c{number},2026-01-01T10:00Z,TV" for number in range(getattr(request, "param", ROWS)))
    process = start_import(installation, tmp_path / "long.csv", *rows)
    wait_for("the import loads", lambda: ("loading",) in installation.rows("SELECT status FROM marketing_import"))
    yield process
    process.kill()
    process.communicate()


def start_import(installation: Embedded, path: Path, *rows: str) -> subprocess.Popen[str]:
    path.write_text("\n".join(["customer,occurred_at,channel", *rows, ""]))
    options = ("--workspace", "stack", "--dataset", "touchpoints")
    return subprocess.Popen(
        # Tests that run side by side ignore Ctrl-C, and a process that they start would, too.
        ["env", "--default-signal=INT", sys.executable, "manage.py", "import_data", str(path), *options],
        cwd=settings.BASE_DIR,
        env=installation.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def import_one_row(installation: Embedded, tmp_path: Path) -> tuple[int, str, str]:
    """Return how the import of another file ends, and what it says on stdout and stderr."""
    process = start_import(installation, tmp_path / "short.csv", "ann,2026-01-02T10:00Z,TV")
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, out, err


def statuses(installation: Embedded) -> list[str]:
    return [status for (status,) in installation.rows("SELECT status FROM marketing_import ORDER BY id")]


@pytest.mark.parametrize("loading", [MORE_ROWS], indirect=True)
def test_ctrl_c_ends_the_import_and_the_next_one_finds_the_way_free(
    installation: Embedded, loading: subprocess.Popen[str], tmp_path: Path
) -> None:
    loading.send_signal(signal.SIGINT)
    _out, err = loading.communicate(timeout=60)
    assert (loading.returncode, err.strip().splitlines()) == (1, ["CommandError: Cancelled."])
    assert statuses(installation) == ["failed"]
    status, out, err = import_one_row(installation, tmp_path)
    assert (status, err) == (0, "")
    assert "1 accepted" in out
    assert statuses(installation) == ["failed", "active"]


def test_an_import_that_was_killed_is_carried_on_by_the_next_which_says_that_it_waits(
    installation: Embedded, loading: subprocess.Popen[str], tmp_path: Path
) -> None:
    os.kill(loading.pid, signal.SIGKILL)
    loading.wait()
    assert statuses(installation) == ["loading"]
    status, out, err = import_one_row(installation, tmp_path)
    assert status == 0, err
    assert "Waiting for another process to finish." in err
    assert "1 accepted" in out
    assert installation.rows("SELECT status, accepted FROM marketing_import ORDER BY id") == [
        ("active", ROWS),
        ("active", 1),
    ]
