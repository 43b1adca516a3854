"""What the environment's variables do, read in a process of its own."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

PRODUCTION = {"REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "a secret of fifty characters for this test alone!!!"}
PRINT_SETTINGS = """
import json
from mmm_project import settings
print(json.dumps({name: value for name, value in vars(settings).items() if name.isupper()}, default=str))
"""
START = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.models import User
"""
SIGN_IN = f"""{START}
from django.test import Client
User.objects.create_user("ann@example.com", "correct horse battery")
form = {{"login": "ann@example.com", "password": "correct horse battery"}}
answer = Client().post("/accounts/login/", form, headers={{"host": "localhost"}})
print(answer.status_code, answer.headers["Location"])
"""
SUBMIT = f"""{START}
import time
from accounts.actions import create_workspace
from jobs.actions import submit
workspace = create_workspace(name="Acme", owner=User.objects.create_user("ann@example.com"))
before = time.monotonic()
job = submit(workspace=workspace, kind="any")
print(job.status, time.monotonic() - before)
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a piece of Python with these variables and no others of the product's."""

    def run(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BEHIND_PROXY", "HTTPS", "EMAIL_URL", "DEBUG"}
        env = {name: value for name, value in os.environ.items() if name not in ours}
        env |= {"DATA_DIR": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "mmm_project.settings", **variables}
        return subprocess.run(
            [sys.executable, "-c", code], env=env, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )

    return run


def _settings(run: Run, **variables: str) -> dict[str, Any]:
    process = run(PRINT_SETTINGS, **variables)
    assert process.returncode == 0, process.stderr
    values: dict[str, Any] = json.loads(process.stdout)
    return values


def test_without_redis_the_secret_is_generated_once(run: Run, tmp_path: Path) -> None:
    assert len(_settings(run)["SECRET_KEY"]) > 50
    assert _settings(run)["SECRET_KEY"] == (tmp_path / "data/secret_key").read_text()


def test_nobody_else_on_the_machine_reads_the_data(run: Run, tmp_path: Path) -> None:
    _settings(run)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_production_invents_no_secret(run: Run, tmp_path: Path) -> None:
    process = run(PRINT_SETTINGS, REDIS_URL=PRODUCTION["REDIS_URL"])
    assert "ImproperlyConfigured: Set SECRET_KEY" in process.stderr
    assert not (tmp_path / "data/secret_key").exists()


@pytest.mark.parametrize(("behind_proxy", "proxies"), [("true", 1), ("false", 0)])
def test_a_proxys_headers_are_believed_only_behind_one(run: Run, behind_proxy: str, proxies: int) -> None:
    values = _settings(run, **PRODUCTION, BEHIND_PROXY=behind_proxy)
    assert values["ALLAUTH_TRUSTED_PROXY_COUNT"] == proxies
    assert bool(values["SECURE_PROXY_SSL_HEADER"]) == bool(proxies)


def test_the_documented_mail_address_uses_tls(run: Run) -> None:
    values = _settings(run, EMAIL_URL="smtp+tls://user:password@mail.example.com:587")
    assert values["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (values["EMAIL_HOST"], values["EMAIL_PORT"], values["EMAIL_USE_TLS"]) == ("mail.example.com", 587, True)
    assert values["EMAIL_TIMEOUT"] == 10


@pytest.mark.parametrize("name", ["LEASE", "HEARTBEAT", "SWEEP", "RING_AGAIN"])
def test_the_times_of_jobs_can_be_set(run: Run, name: str) -> None:
    assert _settings(run, **{f"JOB_{name}_SECONDS": "7"})[f"JOB_{name}_SECONDS"] == 7


def test_with_redis_away_people_still_sign_in(run: Run) -> None:
    process = run(SIGN_IN, **PRODUCTION, HTTPS="false", ACCOUNT_EMAIL_VERIFICATION="none")
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == ["302", "/"]
    assert "The cache cannot be reached" in process.stderr


def test_with_redis_away_a_job_is_submitted_without_waiting_long(run: Run) -> None:
    process = run(SUBMIT, **PRODUCTION)
    assert process.returncode == 0, process.stderr
    status, seconds = process.stdout.split()
    assert status == "queued"
    assert float(seconds) < 5
    assert "Error calling ring_doorbell" in process.stderr


COLLECT = """
import django
django.setup()
from django.core.management import call_command
others = ["admin", "rest_framework", "redoc", "swagger-ui*.js", "*.js.map"]  # which are large
call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=others)
"""


def test_in_production_modules_import_each_other_by_what_they_contain(run: Run, tmp_path: Path) -> None:
    process = run(COLLECT, **PRODUCTION, STATIC_ROOT=str(tmp_path / "static"))
    assert process.returncode == 0, process.stderr
    (entry,) = (tmp_path / "static/js").glob("charts.*.js")
    assert re.search(r'from\s*"\./charts/line\.[0-9a-f]{12}\.js"', entry.read_text())
    assert list((tmp_path / "static/vendor/d3").glob("d3.min.*.js.gz"))
