"""Segments over a year's journeys: choosing them for an analysis, and counting what one holds while somebody waits."""

import datetime as dt
import time
from typing import Any

from benchmarks.harness import PEAK, Database, Measurement, run_step, scratch, serve_step
from benchmarks.snapshot import DAYS, FIRST_DAY

WINDOW_DAYS = 30
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"type": "customer", "is": "new"},
    {"type": "acquired_by", "any_of": ["Channel 1", "Channel 2"]},
    {"type": "first_channel", "any_of": ["Channel 3", "Channel 4"]},
    {"type": "channels", "any_of": ["Channel 5"]},
    {"type": "channels", "all_of": ["Channel 6", "Channel 7", "Channel 8"]},
    {"type": "interactions", "any_of": ["click"]},
    {"type": "touches", "at_least": 2},
    {"type": "value", "at_least": 50},
    {"type": "attribute", "any_of": ["Loyal"]},
)


def run(database: Database) -> list[Measurement]:
    with scratch(database) as environment:
        run_step("benchmarks.snapshot", "generate", environment)
        run_step("benchmarks.snapshot", "build", environment)
        chosen = run_step("benchmarks.segments", "choose", environment)
        counted = run_step("benchmarks.segments", "count", environment)
    return [
        Measurement("a year's journeys, null paths among them", chosen["journeys"], ""),
        Measurement("  loaded and cut, all customers", chosen["whole_s"], "s"),
        Measurement(
            f"  and those of a segment of {len(CONDITIONS)} conditions chosen", chosen["extra_s"], "s", at_most=1
        ),
        Measurement("  peak memory, memory-mapped pages included", chosen[PEAK], "MiB", at_most=2048),
        Measurement("a preview counted for the first time", counted["first_s"], "s", at_most=1),
        Measurement("  another one", counted["next_s"], "s", at_most=1),
        Measurement("  the same again, remembered", counted["again_s"], "s"),
        Measurement("  share of the customers that it looks at", counted["sampled"], ""),
        Measurement("  peak memory of the web process", counted[PEAK], "MiB", at_most=1024),
    ]


def choose() -> dict[str, float]:
    """Load the journeys as an analysis does, of all customers and of a segment; the best of three each."""
    from accounts.models import Workspace
    from marketing import selectors
    from marketing.models import Goal, Segment
    from marketing.segments.definition import Definition, parse

    workspace = Workspace.objects.get(slug="benchmark")
    goal = Goal.objects.get(workspace=workspace, is_default=True)
    Segment.objects.create(workspace=workspace, name="Loyal")

    def load(segment: Definition | None) -> selectors.JourneyData:
        return selectors.load_journeys(
            workspace=workspace,
            goal=goal,
            start=FIRST_DAY,
            end=FIRST_DAY + dt.timedelta(DAYS - 1),
            window_days=WINDOW_DAYS,
            segment=segment,
        )

    segment = parse({"match": "any", "conditions": list(CONDITIONS)})
    journeys = len(load(None).whole.start)
    whole, part = (min(_seconds(lambda asked=asked: load(asked)) for _ in range(3)) for asked in (None, segment))
    return {"journeys": journeys, "whole_s": whole, "extra_s": part - whole}


def count() -> dict[str, float]:
    """Count what segments hold, as the page of one does, in a process that has counted nothing before."""
    from accounts.models import Workspace
    from marketing.models import Goal
    from marketing.periods import Period
    from marketing.segments import preview
    from marketing.segments.definition import Definition, parse

    workspace = Workspace.objects.get(slug="benchmark")
    period = Period(FIRST_DAY + dt.timedelta(DAYS - 90), FIRST_DAY + dt.timedelta(DAYS - 1))
    goal = Goal.objects.get(workspace=workspace, is_default=True)
    scope = preview.Scope(goal=goal, period=period, window_days=WINDOW_DAYS)
    sampled = 0.0

    def counted(definition: Definition) -> None:
        nonlocal sampled
        figures = preview.count(workspace=workspace, scope=scope, definitions=[definition])
        if figures is None:
            raise RuntimeError("The snapshot is not built.")
        sampled = figures[0].sampled

    several = parse({"conditions": list(CONDITIONS)})
    other = parse({"conditions": list(CONDITIONS[:3])})
    first, following, again = (_seconds(lambda asked=asked: counted(asked)) for asked in (several, other, other))
    return {"first_s": first, "next_s": following, "again_s": again, "sampled": sampled}


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    serve_step({"choose": choose, "count": count})
