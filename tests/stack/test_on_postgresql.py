"""Tests of what databases do in their own ways, once more on PostgreSQL: the snapshot, selectors, paths, results."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STACK_DATABASE_URL = os.environ.get("STACK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
TESTS = (
    "marketing/test_store.py",
    "marketing/test_store_concurrency.py",
    "marketing/test_selectors.py",
    "marketing/test_import_paths.py",
    "analyses/test_runs.py",
    "attribution/test_analysis.py",
    "attribution/test_document.py",
    "attribution/test_imported_paths.py",
    "attribution/test_every_model.py",
    "reports/test_data_driven_evidence.py",
)


@pytest.mark.stack
def test_promises_are_kept_on_postgresql(tmp_path: Path) -> None:
    url = urlsplit(STACK_DATABASE_URL)
    own_database = urlunsplit(url._replace(path=f"{url.path}_store"))  # its test database is another one than ours
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/{name}" for name in TESTS)],
        env=os.environ | {"DATABASE_URL": own_database, "DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=300,  # a build that waits for itself never ends
    )

    assert done.returncode == 0, done.stdout
