"""`manage.py serve`: four services that start, live and die together. `Embedded.stop` sees that SIGTERM stops them."""

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.serving import ServiceError, Services
from tests.stack.stacks import Embedded, children_of, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("commands")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Embedded]:
    embedded = Embedded(tmp_path)
    embedded.start()
    yield embedded
    embedded.kill()


def test_services_that_die_are_started_again_and_die_with_serve(served: Embedded) -> None:
    before = set(children_of(served.serve.pid))
    assert len(before) == 4
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for("four others", lambda: len(set(children_of(served.serve.pid)) - before) == 4)
    wait_for("the page answers again", lambda: page_status(served.port) == 200)
    pids = [*children_of(served.serve.pid), *grandchildren_of(served.serve.pid)]
    assert len(pids) >= 5
    os.kill(served.serve.pid, signal.SIGKILL)
    served.serve.wait()
    wait_for("all have gone", lambda: not any(map(is_alive, pids)), seconds=15)


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = rf"Cannot listen on 127\.0\.0\.1, port {port}: Address already in use"
        with pytest.raises(ServiceError, match=sentence), Services(port=port):
            pass


def page_status(port: int) -> int | None:
    """The status of the home page, which leads to signing in; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            return int(page.status)
    except OSError:
        return None


def grandchildren_of(pid: int) -> list[int]:
    return [grandchild for child in children_of(pid) for grandchild in children_of(child)]


def is_alive(pid: int) -> bool:
    """Whether the process still runs; one that nobody has waited for yet is dead too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
