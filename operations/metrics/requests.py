"""HTTP requests, counted by every process of the web server."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds. Pages are meant to answer within 0.4 s, at the 95th percentile.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6)
_here = CollectorRegistry()
REQUESTS = Counter(
    "mmm_http_requests", "HTTP requests by the name of their route.", ["route", "method", "status"], registry=_here
)
SECONDS = Histogram(
    "mmm_http_request_seconds",
    "Seconds from a request to the beginning of its answer.",
    ["route", "method"],
    buckets=BUCKETS,
    registry=_here,
)


def observe(*, route: str, method: str, status: int, seconds: float) -> str:
    """Count one request and return what its method is counted as: visitors may invent methods."""
    method = method if method in METHODS else "other"
    REQUESTS.labels(route, method, f"{status // 100}xx").inc()
    SECONDS.labels(route, method).observe(seconds)
    return method


def exposition() -> bytes:
    """Return the counts of all processes of this web server in Prometheus's text format.

    The processes share them in the folder PROMETHEUS_MULTIPROC_DIR, which `deploy/gunicorn.conf.py` sets; without it,
    the counts are those of this process.
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_here)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
