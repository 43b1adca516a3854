"""Tests of what databases do in their own ways, once more on PostgreSQL: COPY, its types, its planner, its JSON."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.stack.conftest import DATABASE_URL

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_S = 600  # a build that waits for itself never ends
TESTS = {  # files and folders below tests/
    "imports": (
        "marketing/test_import_settle",
        "marketing/test_import_actions",
        "marketing/test_import_customers",
        "marketing/test_import_data_command",
        "marketing/test_import_fuzz",
        "marketing/test_import_paths",
        "marketing/test_import_paths_read",
        "marketing/test_undo",
        "marketing/test_unused_names",
    ),
    "data": (
        "marketing/test_import_days",
        "marketing/test_demo_data",
        "marketing/test_ingest_api",
        "marketing/test_privacy",
        "marketing/test_uploads",
        "marketing/test_upload_pages",
        "marketing/test_import_pages",
        "marketing/test_retention",
        "marketing/test_channels",
        "marketing/test_goals",
        "marketing/test_segments_saved",
        "marketing/health/test_gathering",
        "marketing/health/test_reports",
    ),
    "analyses": (
        "marketing/test_store",
        "marketing/test_store_concurrency",
        "marketing/test_selectors",
        "marketing/test_media_panels",
        "marketing/test_geo_panel_loading",
        "analyses/test_runs",
        "attribution/test_analysis",
        "attribution/test_document",
        "attribution/test_imported_paths",
        "attribution/test_every_model",
        "reports/test_data_driven_evidence",
        "crosschannel/test_analysis",
        "crosschannel/test_other_runs",
        "crosschannel/test_pages",
        "crosschannel/test_pair_page",
    ),
    "reports": (
        "reports/deliveries/test_outbox",
        "reports/deliveries/test_sending",
        "reports/deliveries/test_interrupted",
        "reports/deliveries/test_log",
    ),
    "api": (
        "api/test_idempotency",
        "api/test_manners",
        "api/test_audit",
        "api/test_filters",
        "api/test_schemathesis",
        "marketing/api/test_rows",
        "marketing/api/test_customers",
        "accounts/test_audit_log",
        "accounts/test_usage",
        "webhooks",
    ),
}


def path_of(name: str) -> str:
    path = Path("tests", name)
    return str(path if Path(ROOT, path).is_dir() else path.with_suffix(".py"))


@pytest.mark.stack
@pytest.mark.parametrize("part", TESTS)
def test_promises_are_kept_on_postgresql(part: str, tmp_path: Path) -> None:
    run_on_postgresql(part, TESTS[part], {"DATA_DIR": str(tmp_path)}, limit_s=LIMIT_S)


@pytest.mark.stack
@pytest.mark.full
def test_thousands_of_calls_are_answered_as_described_on_postgresql(tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), "HYPOTHESIS_PROFILE": "full"}
    run_on_postgresql("calls", ("api/test_schemathesis",), environment, limit_s=10 * LIMIT_S)


def run_on_postgresql(part: str, names: Sequence[str], environment: Mapping[str, str], *, limit_s: float) -> None:
    url = urlsplit(DATABASE_URL)
    own_database = urlunsplit(url._replace(path=f"{url.path}_{part}"))  # its test database is another one than ours
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *map(path_of, names)],
        env={**os.environ, **environment, "DATABASE_URL": own_database},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=limit_s,
    )
    assert done.returncode == 0, done.stdout
