"""The tests of imports, and of what reads them, once more on PostgreSQL: COPY, its own types and its own planner."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STACK_DATABASE_URL = os.environ.get("STACK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/mmm_stack")
TESTS = [  # below tests/marketing
    "test_import_settle",
    "test_import_actions",
    "test_import_customers",
    "test_import_data_command",
    "test_import_fuzz",
    "test_import_paths",
    "test_import_paths_read",
    "test_undo",
    "test_unused_names",
    "test_import_days",
    "test_demo_data",
    "test_ingest_api",
    "test_privacy",
    "test_uploads",
    "test_import_pages",
    "test_retention",
    "test_channels",
    "test_goals",
    "test_segments_saved",
    "health/test_gathering",
    "health/test_reports",
]


@pytest.mark.stack
def test_imports_keep_their_promises_on_postgresql(tmp_path: Path) -> None:
    url = urlsplit(STACK_DATABASE_URL)
    own_database = urlunsplit(url._replace(path=f"{url.path}_import"))  # its test database is another one than ours

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/marketing/{name}.py" for name in TESTS)],
        env=os.environ | {"DATABASE_URL": own_database, "DATA_DIR": str(tmp_path)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
