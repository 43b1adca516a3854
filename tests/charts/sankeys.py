"""Sankey diagrams for tests: of journeys that are given, and of any that hypothesis thinks of."""

from collections.abc import Mapping

from hypothesis import strategies as st

from charts import SankeySpec
from charts.example_flows import Place, flows_of
from charts.sankey import CONVERSION, DROP_OFF, OTHER_CHANNELS

NAMES = ("Search", "Social", "Email", "Video", OTHER_CHANNELS)
ENDS = ("Signup", CONVERSION, DROP_OFF)


def sankey(flows: Mapping[tuple[Place, Place], float], *, steps: int) -> SankeySpec:
    return flows_of("flows", flows, steps=steps, title="Journeys", summary="How journeys go.", subtitle="")


def two_steps() -> SankeySpec:
    """Two channels, of which one is met again: 30 + 20 journeys, of which 12 + 5 convert."""
    flows = {
        ((1, "Search"), (2, "Email")): 10,
        ((1, "Search"), (3, CONVERSION)): 12,
        ((1, "Search"), (3, DROP_OFF)): 8,
        ((1, "Email"), (2, "Email")): 20,
        ((2, "Email"), (3, CONVERSION)): 5,
        ((2, "Email"), (3, DROP_OFF)): 25,
    }
    return sankey(flows, steps=2)


@st.composite
def sankeys(draw: st.DrawFn) -> SankeySpec:
    """Journeys of up to four steps, five channels and three ends, counted or, as credit is, in fractions."""
    steps, unit = draw(st.integers(1, 4)), draw(st.sampled_from((1.0, 0.1, 1e-6, 1e6)))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=len(NAMES), unique=True))
    present = {name: draw(st.integers(1, 500)) for name in names}
    flows: dict[tuple[Place, Place], float] = {}
    for step in range(1, steps + 1):
        following: dict[str, int] = {}
        ways: list[Place] = [(steps + 1, end) for end in ENDS]
        ways += [(step + 1, name) for name in draw(st.permutations(names))] if step < steps else []
        for name, count in present.items():
            edges = sorted(draw(st.lists(st.integers(0, count), min_size=len(ways) - 1, max_size=len(ways) - 1)))
            parts = [after - before for before, after in zip([0, *edges], [*edges, count], strict=True)]
            for way, part in zip(ways, parts, strict=True):
                if part:
                    flows[(step, name), way] = part * unit
                    if way[0] <= steps:
                        following[way[1]] = following.get(way[1], 0) + part
        present = following
    return sankey(flows, steps=steps)
