"""Importing the same CSV by page: a browser's requests to a real web server, and the worker's check and import."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from benchmarks.harness import PEAK, ROOT, Database, Measurement, run_step, scratch, serve_step
from benchmarks.imports import EMAIL, IMPORTED_ROWS, MOST_MEMORY_MIB, PASSWORD, RATES, SLUG, _file
from benchmarks.imports import MODULE as IMPORTS

MODULE = "benchmarks.uploads"
SENT_AT_ONCE = 2**20


def run(database: Database) -> list[Measurement]:
    with scratch(database) as environment:
        run_step(IMPORTS, "prepare", environment)
        page = run_step(MODULE, "upload", environment)
        check = run_step(MODULE, "work", environment)
        page |= run_step(MODULE, "confirm", environment)
        load = run_step(MODULE, "work", environment)
    whole = page["upload_s"] + check["seconds"] + load["seconds"]
    rows = f"{IMPORTED_ROWS:,} rows"
    return [
        Measurement(f"{rows} uploaded to the page and looked into", page["upload_s"], "s"),
        Measurement("  peak memory of the web process", page["web_mib"], "MiB", at_most=MOST_MEMORY_MIB),
        Measurement(f"{rows} checked", IMPORTED_ROWS / check["seconds"], "rows/s"),
        Measurement("  peak memory", check[PEAK], "MiB", at_most=MOST_MEMORY_MIB),
        Measurement(f"{rows} imported", IMPORTED_ROWS / load["seconds"], "rows/s", at_least=RATES[database][0]),
        Measurement("  peak memory", load[PEAK], "MiB", at_most=MOST_MEMORY_MIB),
        Measurement("upload, check and import together", whole, "s", at_most=60 * IMPORTED_ROWS / 1_000_000),
    ]


def upload() -> dict[str, float]:
    """Sign in, send the file, and ask for the check with the columns as they were guessed."""
    with _web_server() as (url, process):
        browser = _Browser(url)
        browser.sign_in()
        started = time.perf_counter()
        browser.send_file(f"/w/{SLUG}/data/", _file())
        seconds = time.perf_counter() - started
        browser.submit("Check")
        return {"upload_s": seconds, "web_mib": _peak_mib(process)}


def confirm() -> dict[str, float]:
    """Open the check that has ended, and import the valid rows."""
    from marketing.models import Upload

    with _web_server() as (url, process):
        browser = _Browser(url)
        browser.sign_in()
        browser.open(f"/w/{SLUG}/data/uploads/{Upload.objects.get().pk}/check/")
        browser.submit("Import")
        return {"web_mib": _peak_mib(process)}


def work() -> dict[str, float]:
    """Carry out the one job that waits, as the worker does."""
    from jobs.execution import execute
    from jobs.models import Job

    job = Job.objects.get(status=Job.Status.QUEUED, kind__in=["marketing.check", "marketing.import"])
    started = time.perf_counter()
    execute(job_id=job.pk)
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    if job.status != Job.Status.DONE:
        raise RuntimeError(f"{job.kind} ended as {job.status}: {job.error}")
    return {"seconds": seconds}


@contextlib.contextmanager
def _web_server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "mmm_project.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    with subprocess.Popen([*command, "--timeout", "300", "--log-level", "warning"], cwd=ROOT) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _try in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError("The web server does not answer.")


def _peak_mib(master: subprocess.Popen[bytes]) -> float:
    """The highest memory, so far, of the process that answers: the only child of gunicorn's master."""
    (child,) = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()
    status = Path(f"/proc/{child}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class _Browser:
    """As much of a browser as it takes: cookies, redirects, and forms sent as they were filled in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._page: Any = None

    def open(self, path: str, data: Any = None, headers: dict[str, str] | None = None) -> None:
        """Go to an address; the page that answers is the one that `submit` looks at."""
        from lxml import html

        request = urllib.request.Request(urllib.parse.urljoin(self._url, path), data, headers or {})
        answer = self._opener.open(request, timeout=300)
        self._page = html.document_fromstring(answer.read(), base_url=answer.url)

    def sign_in(self) -> None:
        self.open("/accounts/login/")
        self.submit("Sign in", login=EMAIL, password=PASSWORD)

    def submit(self, button: str, **answers: str) -> None:
        """Press the button whose text begins like this, its form filled in as it stands but for these answers."""
        form = next(
            form
            for form in self._page.forms
            if any(found.text_content().strip().startswith(button) for found in form.iterfind(".//button"))
        )
        values = dict(form.form_values()) | answers
        self.open(form.action or self._page.base_url, urllib.parse.urlencode(values).encode(), self._referrer())

    def send_file(self, path: str, file: Path) -> None:
        """Send the file to the form at the address, as multipart, without holding it in memory."""
        self.open(path)
        token = self._page.xpath("//input[@name='csrfmiddlewaretoken']/@value")[0]
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + file.stat().st_size + len(tail)),
        }
        self.open(path, _pieces(head, file, tail), headers | self._referrer())

    def _referrer(self) -> dict[str, str]:
        return {"Referer": self._page.base_url}


def _pieces(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with file.open("rb") as content:
        while piece := content.read(SENT_AT_ONCE):
            yield piece
    yield tail


if __name__ == "__main__":
    serve_step({"upload": upload, "confirm": confirm, "work": work})
