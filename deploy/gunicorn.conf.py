"""The web server's configuration, which gunicorn's main process reads.

Environment: WEB_BIND (127.0.0.1:8000), WEB_PROCESSES (1 without REDIS_URL, else 2), WEB_THREADS (8).
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmm_project.settings")
# The processes share what they count; prometheus_client looks for this when it is first imported.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="mmm-metrics-")

from django.conf import settings

bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
# Without Redis, guesses at passwords are counted in the process's memory, so there is one process.
workers = 1 if settings.EMBEDDED else int(os.environ.get("WEB_PROCESSES", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60  # of a process that does not answer its main process; a slow request does not count
graceful_timeout = 30
keepalive = 75  # longer than a proxy keeps its own end open, so that it never writes to a closed connection
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (a disk could hold up the sign of life)
control_socket_disable = True  # systemd and containers send signals; several web servers would share its path
# Requests are logged by the product, which knows routes and people; addresses hold tokens.
accesslog = None
logconfig_dict: dict[str, Any] = settings.LOGGING


def child_exit(_server: object, worker: Any) -> None:
    """Take the gauges of a process that has ended out of what is counted."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: object) -> None:
    """Remove what the processes have counted."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
