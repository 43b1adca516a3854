"""The web server, the workers and the scheduler as children of one process: they start, live and stop together."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType

from django.conf import settings

SECONDS_TO_ANSWER = 60
SECONDS_TO_STOP = 10
SECONDS_BETWEEN_LOOKS = 0.5
LONGEST_BACKOFF = 60
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServiceError(Exception):
    """The services cannot start; the sentence says why."""


@dataclass
class _Service:
    """One child, and when to start it again should it have died."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    deaths: int = 0
    restart_at: float | None = None

    def start(self) -> None:
        """Start the child in a session of its own, so that Ctrl-C reaches only us and we stop it in order."""
        self.process = subprocess.Popen(  # noqa: S603 (one of the fixed commands below)
            self.command,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()),
        )
        self.started_at = time.monotonic()
        self.restart_at = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def restart_if_due(self) -> None:
        """Start a child that has died again, at once the first time and later and later if it keeps dying."""
        now = time.monotonic()
        if self.alive:
            return
        if self.restart_at is None:
            self.deaths = 1 if now - self.started_at > LONGEST_BACKOFF else self.deaths + 1
            self.restart_at = now + min(2.0 ** (self.deaths - 1) - 1, LONGEST_BACKOFF)
        if now >= self.restart_at:
            self.start()

    def signal(self, number: signal.Signals) -> None:
        """Signal the child and its own children."""
        if self.process is not None and self.alive:
            os.killpg(self.process.pid, number)


class Services:
    """Runs the product on `bind`:`port` for the length of a `with` block.

    `commands`: the processes by name, the web server first; without it, few of them as suits one machine.
    `with Services(port=8000) as services:` returns once the page answers; `wait` then keeps the children alive until
    SIGINT or SIGTERM. Inside the block SIGTERM raises KeyboardInterrupt as SIGINT does, so either stops all children in
    order. Use it from the main thread: the kernel ends the children with the *thread* that started them.
    """

    def __init__(
        self, *, port: int, bind: str = "127.0.0.1", commands: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.port = port
        self.bind = bind
        commands = commands or {
            "web server": _web_command(bind, port),
            "worker": _worker_command(("default",), threads=settings.JOBS_AT_ONCE),
            # What is due must not wait for what people asked for; of fits, this only watches the child process.
            "worker of ticks": _worker_command(("ticks", "fits"), threads=settings.JOB_CHILD_SLOTS + 2),
            "scheduler": _BEAT_COMMAND,
        }
        self._services = [_Service(name, command) for name, command in commands.items()]
        self._sigterm_before: Callable[[int, FrameType | None], object] | int | None = None

    @property
    def url(self) -> str:
        """The address to open in a browser on this machine."""
        return f"http://{_reachable(self.bind)}:{self.port}/"

    def __enter__(self) -> "Services":
        self._sigterm_before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def wait(self) -> None:
        """Restart children that die, until SIGINT or SIGTERM."""
        try:
            while True:
                time.sleep(SECONDS_BETWEEN_LOOKS)
                for service in self._services:
                    service.restart_if_due()
        except KeyboardInterrupt:
            return

    def _start(self) -> None:
        """Start all children and return once the page answers. Raises ServiceError."""
        _require_free(self.bind, self.port)
        for service in self._services:
            service.start()
        self._wait_for_page()

    def _stop(self) -> None:
        """Stop all children: a worker may finish within ten seconds; what it does not, another one does later."""
        for service in self._services:
            service.signal(signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP
        for service in self._services:
            if service.process is None:
                continue
            try:
                service.process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                service.signal(signal.SIGKILL)
                service.process.wait()
        signal.signal(signal.SIGTERM, self._sigterm_before)

    def _wait_for_page(self) -> None:
        web = self._services[0]
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while not _answers(self.bind, self.port):
            if not web.alive:
                raise ServiceError("The web server stopped while it was starting; its messages are above.")
            if time.monotonic() > deadline:
                raise ServiceError(f"The page did not answer within {SECONDS_TO_ANSWER} seconds.")
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _web_command(bind: str, port: int) -> Sequence[str]:
    return (
        *(sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "mmm_project.wsgi:application"),
        *("--bind", address_of(bind, port), "--graceful-timeout", "5"),
    )


# Whoever tries the product in a container is root, and need not be told on every start.
_QUIET_ROOT = ("-W", "ignore:You're running the worker with superuser") if settings.EMBEDDED else ()
_CELERY = (sys.executable, *_QUIET_ROOT, "-m", "celery", "--app", "mmm_project", "--quiet")


def _worker_command(queues: Sequence[str], *, threads: int) -> Sequence[str]:
    # Threads, not processes: the worker is then one process that dies as a whole, and no child of a killed pool goes on
    # unseen; pandas and numba are loaded once. The kernels release the GIL, so heartbeats keep their time.
    return (
        *(*_CELERY, "worker", "--queues", ",".join(queues), "--pool", "threads", "--concurrency", str(threads)),
        *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


_BEAT_COMMAND = (*_CELERY, "beat", "--loglevel", "WARNING", "--pidfile", "")


def _die_with_parent(parent: int) -> Callable[[], None]:
    """Return what the child does before it becomes another program: have the kernel kill it when its parent dies."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return prepare


def _require_free(bind: str, port: int) -> None:
    """Raise ServiceError if something else listens there: it would answer in our place."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise ServiceError(
                f"Cannot listen on {bind}, port {port}: {error.strerror}. Choose another port with --port."
            ) from error


def _answers(bind: str, port: int) -> bool:
    """Whether a page comes back, be it a redirect to signing in."""
    connection = http.client.HTTPConnection(_reachable(bind), port, timeout=5)
    try:
        connection.request("HEAD", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def address_of(bind: str, port: int) -> str:
    """Where a server listens, as gunicorn has it."""
    return f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"


def _reachable(bind: str) -> str:
    """The address at which this machine reaches a server that listens on `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 (recognised, not bound to)
