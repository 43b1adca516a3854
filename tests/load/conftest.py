import os
from collections.abc import Iterator

import pytest

from benchmarks.harness import ROWS, run_step
from tests.faults.installation import Installation
from tests.faults.services import Postgres, Redis
from tests.smtp_server import MailServer, running_mail_server
from tests.stack.stacks import wait_for

# As in production: leases, sweeps and ticks of the usual length, and the static files under their lasting names.
SETTINGS = {"DJANGO_SETTINGS_MODULE": "mmm_project.settings", "LOG_LEVEL": "WARNING"}


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Installation]:
    """A production installation with a workspace of `BENCH_ROWS` touchpoints, its cube computed."""
    postgres, redis = Postgres(), Redis()
    directory = tmp_path_factory.mktemp("installation")
    installation = Installation(directory, postgres=postgres, redis=redis, mail_port=mail.port, disk_mb=None)
    installation.env |= SETTINGS | {"BENCH_ROWS": str(ROWS), "WEB_PROCESSES": os.environ.get("WEB_PROCESSES", "2")}
    try:
        postgres.start()
        redis.start()
        installation.run("manage.py", "migrate", "--verbosity", "0")
        installation.run("manage.py", "collectstatic", "--no-input", "--verbosity", "0")
        for module, step in (("snapshot", "generate"), ("dashboard", "generate")):
            run_step(f"benchmarks.{module}", step, installation.env)
        installation.ask("enrich", slug="benchmark")
        installation.start(migrated=True)
        done = (
            "SELECT count(*) FROM analyses_run run JOIN jobs_job job ON job.id = run.job_id WHERE job.status = 'done'"
        )
        kinds = "SELECT count(DISTINCT kind) FROM analyses_run"
        wait_for(
            "all there is to look at is computed",
            lambda: installation.rows(done)[0][0] >= installation.rows(kinds)[0][0] > 0,
            seconds=1800,
        )
        yield installation
    finally:
        installation.stop()
        redis.stop()
        postgres.stop()
