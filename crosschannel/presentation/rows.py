"""A cross-channel result as one table: links, paths and pairs below each other, each row with what it has."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmm_project.tables import Cell

if TYPE_CHECKING:
    from analyses.models import Run

FLOW, PATH, PAIR = "flow", "path", "pair"
STEP_SIGN = " > "
OF_FLOWS = ("step", "from", "to")
AMOUNTS = ("journeys", "conversions", "value", "median_days")
OF_PAIRS = ("a", "b", "journeys_both", "effect_per_1000", "low", "high", "p_value", "p_adjusted", "verdict")


def rows(run: "Run") -> Iterator[Sequence[Cell]]:
    """Yield the header and every link, path and pair of the result, in full precision."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    yield ("what", *OF_FLOWS, "path", *AMOUNTS, *OF_PAIRS)
    for flow in run.result["flows"]:
        yield _row(FLOW, flow)
    for path in run.result["paths"]:
        yield _row(PATH, path, path_text(path))
    for pair in run.result["pairs"]:
        yield _row(PAIR, pair)


def path_text(path: Mapping[str, Any], sign: str = STEP_SIGN) -> str:
    """The steps of a path in a line; of a very long one its middle as a number."""
    steps = [str(step) for step in path["steps"]]
    if path["left_out"]:
        half = len(steps) // 2
        steps = [*steps[:half], f"… {path['left_out']} more …", *steps[half:]]
    return sign.join(steps)


def _row(what: str, entry: Mapping[str, Any], path: str | None = None) -> Sequence[Cell]:
    flow, pair = (entry if what == kind else {} for kind in (FLOW, PAIR))
    return (
        what,
        *(flow.get(name) for name in OF_FLOWS),
        path,
        *(entry.get(name) for name in AMOUNTS),
        *(pair.get(name) for name in OF_PAIRS),
    )
