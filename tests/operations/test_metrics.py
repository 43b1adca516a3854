"""What Prometheus reads: who may, what is in it, and that its labels are few."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.models import Job
from marketing.models import Dataset, Import
from operations.metrics import service
from operations.models import Heartbeat
from operations.status import work
from reports.models import Delivery
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from webhooks.models import Delivery as HookDelivery
from webhooks.models import Endpoint, Message

pytestmark = pytest.mark.django_db
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
TOKEN = "a token of the metrics"


@pytest.fixture(autouse=True)
def _its_own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = settings.MEDIA_ROOT = tmp_path


def samples(text: str) -> Samples:
    """Return (name, labels in order of their names) -> value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def looked_up() -> Samples:
    """The service as a look that nothing is kept from finds it."""
    registry = CollectorRegistry()
    registry.register(service.Service())
    return samples(generate_latest(registry).decode())


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def names(found: Samples) -> set[str]:
    return {name for name, _ in found}


def test_without_a_token_programs_of_this_machine_may_read(client: Client) -> None:
    response = client.get("/metrics")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert response.headers["Content-Type"].startswith("text/plain")
    found = samples(response.text)
    assert value(found, "mmm_database_up") == 1
    assert {"mmm_build_info", "mmm_jobs_oldest_queued_seconds", "mmm_disk_free_bytes"} <= names(found)


@pytest.mark.parametrize(
    "asked",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"X-Forwarded-Proto": "https"}},
        {"headers": {"Forwarded": "for=10.0.0.7"}},
        {"headers": {"Host": "rebound.example.com"}},
    ],
)
def test_without_a_token_nobody_else_learns_that_there_is_something(client: Client, asked: dict[str, object]) -> None:
    response = client.get("/metrics", **asked)  # type: ignore[arg-type]
    assert response.status_code in (400, 404)
    assert "mmm_" not in response.text


def test_behind_a_proxy_nothing_counts_as_this_machine(client: Client, settings: Settings) -> None:
    settings.BEHIND_PROXY = True
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ü"]
)
def test_with_a_token_only_the_token_counts(client: Client, settings: Settings, sent: str | None) -> None:
    settings.METRICS_TOKEN = TOKEN
    headers = {} if sent is None else {"Authorization": sent}
    assert client.get("/metrics", headers=headers).status_code == 404


def test_with_the_token_everybody_may_read_over_plain_http_and_by_address(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN, settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = TOKEN, True, ["mmm.example.com"]
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "10.0.0.8", "X-Forwarded-For": "10.0.0.7"}
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7", headers=headers).status_code == 200
    assert client.post("/metrics", headers=headers).status_code != 200


def test_requests_are_counted_by_the_name_of_their_route(
    client: Client, client_for: Callable[[User | None], Client], owner: User
) -> None:
    before = samples(client.get("/metrics").text)
    page = client_for(owner).get("/w/acme/settings/team/")
    client.get("/nowhere/1/")
    client.get("/nowhere/2/")
    client.generic("BREW", "/nowhere/3/")
    found = samples(client.get("/metrics").text)

    def more(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return found[key] - before.get(key, 0)

    route = page.resolver_match.view_name
    assert more("mmm_http_requests_total", route=route, method="GET", status="2xx") == 1
    assert more("mmm_http_request_seconds_count", route=route, method="GET") == 1
    assert more("mmm_http_request_seconds_bucket", route=route, method="GET", le="+Inf") == 1
    assert more("mmm_http_requests_total", route="unknown", method="GET", status="4xx") == 2
    assert more("mmm_http_requests_total", route="unknown", method="other", status="4xx") == 1
    assert "acme" not in "".join(str(key) for key in found)


def test_jobs_are_counted_by_queue_kind_and_end(workspace: Workspace) -> None:
    now = timezone.now()
    ago = {n: now - dt.timedelta(seconds=n) for n in (10, 40, 100, 4000)}

    def add(kind: str, status: Job.Status, **fields: object) -> None:
        created_at = fields.pop("created_at")
        job = Job.objects.create(workspace=workspace, kind=kind, status=status, **fields)
        Job.objects.filter(pk=job.pk).update(created_at=created_at)

    add("import", Job.Status.QUEUED, created_at=ago[40])
    add("import", Job.Status.QUEUED, created_at=ago[100])
    add("analyses.run", Job.Status.RUNNING, queue=Job.Queue.FITS, created_at=ago[40], lease_until=ago[4000])
    done = {"created_at": ago[100], "started_at": ago[40], "finished_at": ago[10]}
    add("import", Job.Status.DONE, **done)
    add("import", Job.Status.DONE, **done | {"started_at": ago[100]})
    add("import", Job.Status.FAILED, **done, error_code="worker_lost")
    add("import", Job.Status.CANCELLED, created_at=ago[100], finished_at=ago[10])
    add("import", Job.Status.DONE, **done | {"finished_at": ago[4000]})  # too long ago
    found = looked_up()
    assert value(found, "mmm_jobs_queued", queue="default", kind="import") == 2
    assert value(found, "mmm_jobs_running", queue="fits", kind="analyses.run") == 1
    assert value(found, "mmm_jobs_oldest_queued_seconds", queue="default") == pytest.approx(100, abs=5)
    assert value(found, "mmm_jobs_oldest_queued_seconds", queue="fits") == 0
    assert value(found, "mmm_jobs_expired_leases") == 1
    ended = {"kind": "import", "status": "done"}
    assert value(found, "mmm_jobs_ended_last_hour", **ended) == 2
    assert value(found, "mmm_jobs_ended_last_hour", kind="import", status="cancelled") == 1
    assert value(found, "mmm_jobs_waited_seconds_mean_last_hour", **ended) == pytest.approx(30, abs=0.1)
    assert value(found, "mmm_jobs_waited_seconds_max_last_hour", **ended) == pytest.approx(60, abs=0.1)
    assert value(found, "mmm_jobs_run_seconds_mean_last_hour", **ended) == pytest.approx(60, abs=0.1)
    assert value(found, "mmm_jobs_run_seconds_max_last_hour", **ended) == pytest.approx(90, abs=0.1)
    assert value(found, "mmm_jobs_failed_last_hour", code="worker_lost") == 1
    assert value(found, "mmm_jobs_failed_last_hour", code="storage_full") == 0


def test_mails_webhooks_imports_and_processes_are_counted(workspace: Workspace) -> None:
    now = timezone.now()
    fields = {"workspace": workspace, "purpose": "notice", "email": "ann@example.com", "subject": "Hello"}
    long_ago = now - dt.timedelta(hours=2)
    for status, due in (("waiting", long_ago), ("waiting", now), ("sent", None), ("failed", None)):
        Delivery.objects.create(**fields, status=status, next_try_at=due)
    Delivery.objects.filter(status="failed").update(created_at=long_ago)
    endpoint = Endpoint.objects.create(workspace=workspace, url="https://example.com/hook")
    for status, created_at in (("pending", now), ("delivered", now), ("delivered", long_ago)):
        message = Message.objects.create(workspace=workspace, type="run.finished", body="{}", created_at=created_at)
        HookDelivery.objects.create(endpoint=endpoint, message=message, status=status, created_at=created_at)
    batch = add_import(workspace, Dataset.SPEND)
    Import.objects.filter(pk=batch.pk).update(accepted=70, rejected=3, duplicates=2)
    Job.objects.filter(pk=batch.job_id).update(finished_at=now)
    Heartbeat.objects.create(name="a", kind="worker", queues="fits,ticks", started_at=now, seen_at=now)
    Heartbeat.objects.create(name="b", kind="worker", queues="default", started_at=now, seen_at=long_ago)
    Heartbeat.objects.create(name="c", kind="scheduler", started_at=now, seen_at=now)
    found = looked_up()
    assert (value(found, "mmm_mails", status="waiting"), value(found, "mmm_mails", status="sending")) == (2, 0)
    assert value(found, "mmm_mails_overdue") == 1
    assert value(found, "mmm_mails_last_hour", status="sent") == 1
    assert value(found, "mmm_mails_last_hour", status="failed") == 0
    assert value(found, "mmm_webhooks", status="pending") == 1
    assert value(found, "mmm_webhooks_last_hour", status="delivered") == 1
    rows = {
        outcome: value(found, "mmm_import_rows_last_hour", dataset="spend", outcome=outcome)
        for outcome in ("accepted", "rejected", "duplicate")
    }
    assert rows == {"accepted": 70, "rejected": 3, "duplicate": 2}
    workers = {queue: value(found, "mmm_workers", queue=queue) for queue in ("ticks", "default", "fits")}
    assert workers == {"ticks": 1, "default": 0, "fits": 1}
    assert value(found, "mmm_schedulers") == 1
    assert (
        0
        < value(found, "mmm_disk_free_bytes", folder="MEDIA_ROOT")
        < value(found, "mmm_disk_total_bytes", folder="MEDIA_ROOT")
    )


def test_more_workspaces_make_neither_more_metrics_nor_more_queries(workspace: Workspace) -> None:
    def look() -> tuple[Samples, int]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            return looked_up(), len(queries)

    Job.objects.create(workspace=workspace, kind="import")
    before, few = look()
    for other in WorkspaceFactory.create_batch(10):
        Job.objects.create(workspace=other, kind="import")
    after, many = look()
    assert (before.keys(), few) == (after.keys(), many)


def test_without_a_database_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_now: dt.datetime) -> None:
        raise OperationalError

    monkeypatch.setattr(service, "_ended_jobs", away)
    found = looked_up()
    assert value(found, "mmm_database_up") == 0
    assert "mmm_disk_free_bytes" in names(found)
    assert "mmm_jobs_queued" not in names(found)


def test_redis_is_told_of_in_production_also_when_it_is_away(settings: Settings) -> None:
    assert "mmm_redis_up" not in names(looked_up())
    settings.EMBEDDED, settings.REDIS_URL = False, "redis://127.0.0.1:1/0"
    found = looked_up()
    assert value(found, "mmm_redis_up") == 0
    assert "mmm_broker_messages" not in names(found)


def test_a_look_is_kept_for_a_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("operations.metrics.service.time.monotonic", lambda: now)
    kept = service.Service()
    with CaptureQueriesContext(connection) as queries:
        kept.collect()
        asked = len(queries)
        kept.collect()
        assert len(queries) == asked > 0
        now += service.SECONDS_KEPT
        kept.collect()
        assert len(queries) == 2 * asked


def test_the_example_alerts_ask_for_metrics_that_there_are(client: Client, settings: Settings) -> None:
    settings.EMBEDDED, settings.REDIS_URL = False, "redis://127.0.0.1:1/0"
    rules = yaml.safe_load((Path(settings.BASE_DIR) / "deploy/prometheus-rules.yaml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 10
    client.get("/accounts/login/")
    there = names(looked_up()) | names(samples(client.get("/metrics").text))
    asked = {name for rule in alerts for name in re.findall(r"\bmmm_\w+", rule["expr"])}
    assert asked <= there


def test_the_example_alerts_name_the_failures_that_are_the_services_own(settings: Settings) -> None:
    text = (Path(settings.BASE_DIR) / "deploy/prometheus-rules.yaml").read_text()
    (codes,) = re.findall(r'code=~"([^"]+)"', text)
    assert set(codes.split("|")) == work.OURS


def test_the_manual_describes_every_metric_and_no_other(settings: Settings) -> None:
    manual = (Path(settings.BASE_DIR) / "docs/operations.md").read_text()
    told = {made for name in re.findall(r"`(mmm_[\w{},]+)`", manual) for made in _spelt_out(name)}
    settings.EMBEDDED, settings.REDIS_URL = False, "redis://127.0.0.1:1/0"
    with_redis_away = {family.name for family in service.Service().collect()}
    of_requests = {"mmm_http_requests_total", "mmm_http_request_seconds"}
    assert told == with_redis_away | of_requests | {"mmm_broker_messages"}


def _spelt_out(name: str) -> list[str]:
    """Return what `mmm_x_{mean,max}` stands for."""
    found = re.fullmatch(r"(\w+)\{(\w+),(\w+)\}(\w+)", name)
    return [f"{found[1]}{way}{found[4]}" for way in (found[2], found[3])] if found else [name]
