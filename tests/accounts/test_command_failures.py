"""Commands say what failed in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import InterfaceError, OperationalError, connection

from accounts.commands import DataCommand

ROOT = Path(__file__).resolve().parents[2]


QUESTIONS = (
    ["analyse", "attribution", "--workspace", "acme"],
    ["import_data", __file__, "--workspace", "acme", "--dataset", "spend"],
    ["load_demo", "--workspace", "acme"],
    ["create_workspace", "Acme", "--slug", "acme", "--owner", "a@example.com"],
    ["create_api_key", "a@example.com", "--workspace", "acme", "--scopes", "runs:read"],
)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (QUESTIONS[0], 1, "The database cannot be used: no such table"),
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


@pytest.mark.parametrize("arguments", QUESTIONS, ids=lambda arguments: arguments[0])
def test_every_command_says_that_tables_are_missing(db: None, arguments: list[str]) -> None:
    def without_tables(*_statement: object) -> None:
        raise OperationalError("no such table: accounts_workspace")

    says = r"^The database cannot be used: no such table: accounts_workspace\. A new one needs “manage\.py migrate”\.$"
    with connection.execute_wrapper(without_tables), pytest.raises(CommandError, match=says):
        call_command(*arguments)


def test_what_is_left_out_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        load_command_class("marketing", "import_data").run_from_argv(["manage.py", "import_data", __file__])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == "The following arguments are required: --workspace. Try --help.\n"


def test_a_connection_that_was_lost_is_said_in_one_line() -> None:
    class Losing(DataCommand):
        requires_system_checks = ()

        def handle(self, **_options: object) -> None:
            raise InterfaceError("connection\nalready closed")

    with pytest.raises(CommandError, match=r"^The database cannot be used: connection already closed\."):
        call_command(Losing())
