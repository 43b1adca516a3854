"""One thing breaks at a time: what was asked for comes to an end that says what happened, and nothing is half there."""

import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.installation import Installation
from tests.faults.people import Program, Said
from tests.faults.test_storm import load_journeys
from tests.smtp_server import MailServer
from tests.stack.stacks import wait_for

pytestmark = pytest.mark.faults
FITTING = ("Compiling", "Warming up", "Drawing", "Trying it on periods held back")
FITTED_SECONDS = 300
CSV = "customer,occurred_at,channel\n" + "".join(f"c{number},2026-01-05T10:00Z,TV\n" for number in range(20_000))


@pytest.fixture(scope="module")
def key(installation: Installation) -> str:
    """The API key of a workspace with a market and with journeys."""
    keys: dict[str, str] = installation.ask("people", workspaces=0, questions="one-by-one")
    program = Program(installation.port, keys["one-by-one"], Said())
    load_journeys(program)
    installation.ask("market", slug="one-by-one")
    return keys["one-by-one"]


@pytest.fixture
def api(installation: Installation, key: str) -> Program:
    return Program(installation.port, key, Said())


@pytest.fixture
def visitor(installation: Installation, key: str) -> Iterator[httpx.Client]:
    """Somebody who is signed in."""
    cookies = installation.ask("sign_in", slug="one-by-one")
    with httpx.Client(base_url=installation.url, cookies=cookies, timeout=60, follow_redirects=True) as visitor:
        yield visitor


@pytest.fixture
def full_disk(installation: Installation) -> Iterator[None]:
    """MEDIA_ROOT has no room left for the test, which has to be able to mount it for itself."""
    media = Path(installation.env["MEDIA_ROOT"])
    if not os.path.ismount(media):
        pytest.skip("MEDIA_ROOT is no file system of its own: these tests do not run as root.")
    filler = media / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(2**16))
                file.flush()
        except OSError:
            pass
    yield
    filler.unlink()


def attribution(window_days: int, **params: object) -> dict[str, Any]:
    of_data = {"start": "2026-01-01", "end": "2026-03-31"}
    return {
        "kind": "attribution",
        "params": {"model": "linear", "window_days": window_days, "replicates": 100, **of_data, **params},
    }


def fit(seed: int) -> dict[str, Any]:
    return {"kind": "weightings", "params": {"seed": seed, "folds": 6, "short_allowed": "yes"}}


def ask(api: Program, question: dict[str, Any], key: str) -> str:
    """Ask, and return the run's address."""
    return str(api.post("/api/v1/runs/", question, idempotency_key=key)["url"])


def ended(api: Program, url: str, *, seconds: float = 120) -> dict[str, Any]:
    """Return the run once it has come to an end."""

    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = api.get(url)
        return run if run["status"] in ("done", "failed", "cancelled") else None

    run = wait_for(f"{url} ends", look, seconds=seconds)
    assert run is not None
    return run


def job_of(installation: Installation, url: str) -> tuple[Any, ...]:
    """Status, phase, attempt and error of the job of the run at this address."""
    run_id = re.search(r"[0-9a-f-]{36}|\d+", url.rstrip("/").rpartition("/")[2])
    assert run_id is not None
    ((found),) = installation.rows(
        "SELECT job.status, job.phase, job.attempt, job.error_code FROM jobs_job job "
        f"JOIN analyses_run run ON run.job_id = job.id WHERE run.id::text = '{run_id[0]}'"
    )
    return tuple(found)


def children(installation: Installation) -> list[Path]:
    return list(installation.directory.glob("children/*.*.*"))


def test_a_worker_killed_in_the_middle_of_a_fit(installation: Installation, api: Program) -> None:
    url = ask(api, fit(1), "fit-1")
    wait_for("it fits", lambda: job_of(installation, url)[1] in FITTING, seconds=FITTED_SECONDS)
    installation.kill("fits")
    run = ended(api, url, seconds=FITTED_SECONDS)
    assert run["status"] == "done"
    assert job_of(installation, url)[2] == 2
    again = ended(api, ask(api, fit(1), "fit-1-again"))
    assert again["id"] == run["id"]


def test_the_web_server_killed_in_the_middle_of_an_upload(installation: Installation, visitor: httpx.Client) -> None:
    page = visitor.get("/w/one-by-one/data/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    request = visitor.build_request(
        "POST",
        "/w/one-by-one/data/",
        data={"csrfmiddlewaretoken": token[1]},
        files={"file": ("touches.csv", CSV.encode(), "text/csv")},
        headers={"Referer": str(page.url)},
    )
    content = request.read()
    before = kept(installation)
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=10)
    connection.putrequest("POST", request.url.path, skip_host=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(content[: len(content) // 2])
    installation.kill("web")
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()
    connection.close()
    installation.wait_until_it_answers()
    assert kept(installation) == before
    done = visitor.send(visitor.build_request(request.method, request.url, content=content, headers=request.headers))
    assert done.status_code == 200
    assert "touches.csv" in done.text
    assert kept(installation) == (before[0] + 1, before[1] + 1)


def kept(installation: Installation) -> tuple[int, int]:
    """How many uploads are on record, and how many files are kept."""
    ((uploads,),) = installation.rows("SELECT count(*) FROM marketing_upload")
    files = [path for path in Path(installation.env["MEDIA_ROOT"]).glob("imports/**/*") if path.is_file()]
    return int(uploads), len([path for path in files if path.suffix == ".csv"])


def test_redis_away_while_a_run_is_asked_for(installation: Installation, api: Program) -> None:
    with installation.redis.away():
        url = ask(api, attribution(11), "redis-away")
        assert api.get(url)["status"] == "queued"
    assert ended(api, url)["status"] == "done"


def test_redis_flushed_while_runs_wait(installation: Installation, api: Program) -> None:
    with installation.frozen("default", 0), installation.frozen("default", 1):
        urls = [ask(api, attribution(20 + number), f"flushed-{number}") for number in range(4)]
        installation.redis.flush()
    assert [ended(api, url)["status"] for url in urls] == ["done"] * 4


def test_postgresql_restarted_while_a_fit_runs(installation: Installation, api: Program, visitor: httpx.Client) -> None:
    url = ask(api, fit(2), "fit-2")
    wait_for("it fits", lambda: job_of(installation, url)[1] in FITTING, seconds=FITTED_SECONDS)
    with installation.postgres.away():
        page = visitor.get("/w/one-by-one/runs/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "The database cannot be reached at the moment" in page.text
        assert visitor.get("/healthz/").status_code == 503
        assert visitor.get("/healthz/live/").status_code == 200
    assert ended(api, url, seconds=FITTED_SECONDS)["status"] == "done"
    assert visitor.get("/healthz/").status_code == 200


def test_no_room_for_what_a_fit_has_found(installation: Installation, api: Program, full_disk: None) -> None:
    run = ended(api, ask(api, fit(3), "fit-3"), seconds=FITTED_SECONDS)
    assert (run["status"], run["error"]["code"]) == ("failed", "storage_full")
    assert run["error"]["detail"].startswith("The server's storage is full.")
    assert not list(Path(installation.env["MEDIA_ROOT"]).glob("runs/**/*.draft"))


def test_no_room_for_a_batch_of_rows(installation: Installation, key: str, full_disk: None) -> None:
    before = installation.rows("SELECT count(*) FROM marketing_import")
    answer = httpx.post(
        f"{installation.url}/api/v1/touchpoints/",
        headers={"Authorization": f"Bearer {key}"},
        json={"rows": [{"customer": "late", "occurred_at": "2026-01-07T10:00Z", "channel": "TV"}] * 5000},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert installation.rows("SELECT count(*) FROM marketing_import") == before


def test_with_room_again_the_same_is_taken(installation: Installation, api: Program) -> None:
    rows = {"rows": [{"customer": "late", "occurred_at": "2026-01-07T10:00Z", "channel": "TV"}]}
    batch = api.post("/api/v1/touchpoints/", rows, idempotency_key="room-again")
    wait_for("it is in", lambda: api.get(batch["url"])["status"] == "active")


def test_the_file_of_a_result_is_gone(installation: Installation, api: Program, visitor: httpx.Client) -> None:
    url = ask(api, fit(4), "fit-4")
    run = ended(api, url, seconds=FITTED_SECONDS)
    assert run["status"] == "done"
    for path in Path(installation.env["MEDIA_ROOT"]).glob(f"runs/*/{run['id']}.*"):
        path.unlink()
    page = visitor.get(f"/w/one-by-one/runs/{run['id']}/")
    assert page.status_code == 200
    again = ended(api, ask(api, fit(4), "fit-4-again"), seconds=FITTED_SECONDS)
    assert again["status"] == "done"
    assert again["id"] != run["id"]


def test_a_damaged_snapshot_is_built_again(installation: Installation, api: Program) -> None:
    before = ended(api, ask(api, attribution(30), "snapshot-before"))
    columns = [*Path(installation.env["MEDIA_ROOT"]).glob("snapshots/**/*.npy")]
    assert columns
    for column in columns:
        content = bytearray(column.read_bytes())
        content[-4] ^= 0xFF
        column.write_bytes(content)
    # The same question with another seed for the intervals: what each channel brought does not depend on it.
    after = ended(api, ask(api, attribution(30, seed=99), "snapshot-after"))
    assert after["status"] == "done"
    assert after["id"] != before["id"]
    assert credit_of(after) == credit_of(before)


def credit_of(run: dict[str, Any]) -> dict[str, float]:
    return {row["channel"]: row["conversions"] for row in run["result"]["models"]["linear"]["channels"]}


def test_a_mail_server_that_stalls_keeps_nothing_else_waiting(
    installation: Installation, api: Program, mail: MailServer
) -> None:
    mail.stalls_at_recipient = True
    try:
        installation.ask(
            "schedules", number=2, recipients=3, first_in_seconds=0, apart_seconds=0, slug="one-by-one", name="Stalled"
        )
        trying = "SELECT count(*) FROM jobs_job WHERE kind LIKE '%deliver%' AND status = 'running'"
        wait_for("a mail is being sent", lambda: installation.rows(trying) != [(0,)])
        urls = [ask(api, attribution(40 + number), f"stalled-{number}") for number in range(3)]
        assert [ended(api, url, seconds=60)["status"] for url in urls] == ["done"] * 3
    finally:
        mail.stalls_at_recipient = False
    undecided = "SELECT count(*) FROM reports_delivery WHERE status NOT IN ('sent', 'unknown', 'failed', 'waiting')"
    wait_for("each mail has a state", lambda: installation.rows(undecided) == [(0,)])


def test_nothing_is_left_behind(installation: Installation) -> None:
    """After all of the above: every job has ended, with a sentence where it failed, and no child is left.

    The folder of a computation whose worker was killed stays for a day, in which somebody may look into it.
    """
    unfinished = "SELECT count(*) FROM jobs_job WHERE status IN ('queued', 'running') AND kind NOT LIKE '%deliver%'"
    wait_for("every job has ended", lambda: installation.rows(unfinished) == [(0,)])
    assert installation.rows("SELECT count(*) FROM jobs_job WHERE status = 'failed' AND error = ''") == [(0,)]
    assert installation.rows("SELECT kind FROM jobs_job WHERE error_code = 'internal_error'") == []
    for directory in children(installation):
        os.utime(directory, (1e9, 1e9))
    wait_for("folders of the dead are swept", lambda: not children(installation))
    assert (
        shutil.which("pgrep") is None
        or not subprocess.run(
            ["pgrep", "--full", f"jobs.child_side.*{installation.directory}"], stdout=subprocess.PIPE, check=False
        ).stdout
    )
