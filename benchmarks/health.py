"""A look at all data: what a health report costs beside a year of touchpoints, in time and in memory."""

import time
from typing import Any

from benchmarks.harness import PEAK, Database, Measurement, run_step, scratch, serve_step


def run(database: Database) -> list[Measurement]:
    with scratch(database) as environment:
        run_step("benchmarks.snapshot", "generate", environment)
        run_step("benchmarks.snapshot", "build", environment)
        looked = run_step("benchmarks.health", "look", environment)
        read = run_step("benchmarks.health", "read", environment)
    return [
        Measurement("touchpoints looked at", looked["touches"], ""),
        Measurement("  gathered: tallied by source and day", looked["gathered_s"], "s", at_most=60),
        Measurement("  examined: every check", looked["examined_s"], "s", at_most=10),
        Measurement("  peak memory, memory-mapped pages included", looked[PEAK], "MiB", at_most=1536),
        Measurement("the kept report read, and whether it is out of date", read["read_s"], "s", at_most=0.1),
    ]


def look() -> dict[str, float]:
    """Make the report as the job does, and keep it."""
    from accounts.models import Workspace
    from marketing.health import reports
    from marketing.health.checks import examine
    from marketing.health.gathering import gather

    workspace = Workspace.objects.get(slug="benchmark")
    gathered_s, seen = _seconds(lambda: gather(workspace=workspace))
    examined_s, _ = _seconds(lambda: examine(seen))
    reports.present_report(workspace=workspace)
    return {"touches": float(seen.touches.count.sum()), "gathered_s": gathered_s, "examined_s": examined_s}


def read() -> dict[str, float]:
    """Read the report as a page does."""
    from accounts.models import Workspace
    from marketing.health.reports import kept_report

    workspace = Workspace.objects.get(slug="benchmark")
    return {"read_s": _seconds(lambda: kept_report(workspace=workspace))[0]}


def _seconds(work: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    serve_step({"look": look, "read": read})
