"""The tests of the snapshot and the selectors, once more on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STACK_DATABASE_URL = os.environ.get("STACK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")


@pytest.mark.stack
def test_snapshot_and_selectors_keep_their_promises_on_postgresql(tmp_path: Path) -> None:
    url = urlsplit(STACK_DATABASE_URL)
    own_database = urlunsplit(url._replace(path=f"{url.path}_store"))  # its test database is another one than ours
    tests = ["test_store.py", "test_store_concurrency.py", "test_selectors.py"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/marketing/{name}" for name in tests)],
        env=os.environ | {"DATABASE_URL": own_database, "DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=300,  # a build that waits for itself never ends
    )

    assert done.returncode == 0, done.stdout
