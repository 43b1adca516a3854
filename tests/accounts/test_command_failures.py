"""Commands say what failed in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError

from accounts.commands import DataCommand

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["analyse", "attribution", "--workspace", "acme"], 1, "The database cannot be used: no such table"),
        (["import_data", __file__, "--workspace", "acme", "--dataset", "spend"], 1, "The database cannot be used"),
        (["load_demo", "--workspace", "acme"], 1, "A new one needs “manage.py migrate”."),
        (["create_workspace", "Acme", "--slug", "acme", "--owner", "a@example.com"], 1, "no such table"),
        (["create_api_key", "a@example.com", "--workspace", "acme", "--scopes", "runs:read"], 1, "no such table"),
        (["import_data", __file__], 2, "The following arguments are required: --workspace"),
        (["import_data", __file__, "--workspace", "acme", "--dataset", "foo"], 2, "invalid choice: 'foo'"),
    ],
)
def test_a_failure_is_one_line_and_a_status(tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    environment = os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == status
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
    assert not done.stdout


def test_a_connection_that_was_lost_is_said_in_one_line() -> None:
    class Losing(DataCommand):
        requires_system_checks = ()

        def handle(self, **_options: object) -> None:
            raise InterfaceError("connection\nalready closed")

    with pytest.raises(CommandError, match=r"^The database cannot be used: connection already closed\."):
        call_command(Losing())
