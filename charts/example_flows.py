"""Sankey diagrams with invented but likely journeys, for the gallery of components and for tests."""

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from charts.colours import Colour, channel_colour
from charts.example_parts import counted, percent
from charts.sankey import CONVERSION, DROP_OFF, OTHER_CHANNELS, SankeyLink, SankeyNode, SankeySpec
from charts.spec import TableCell

Place: TypeAlias = tuple[int, str]  # a step and a name

# For each channel: how many journeys start there, how strongly it draws those that go on, and of what leaves it the
# shares that go on and, of the rest, convert.
_CHANNELS: Mapping[str, tuple[int, int, float, float]] = {
    "Paid search": (5200, 21, 0.44, 0.34),
    "Paid social": (4100, 9, 0.52, 0.16),
    "Organic search": (3300, 17, 0.40, 0.27),
    "Display": (2600, 5, 0.62, 0.09),
    "Video": (1900, 3, 0.60, 0.08),
    "Direct": (1500, 22, 0.34, 0.42),
    "Email": (900, 15, 0.48, 0.46),
    "Affiliates": (700, 6, 0.40, 0.33),
    OTHER_CHANNELS: (400, 2, 0.50, 0.20),
}
_RETURNS = 2.5  # how much more readily a journey goes on at the channel where it is
_TOUCHES = ("1st touch", "2nd touch", "3rd touch", "4th touch", "5th touch")


def _journeys(channels: Mapping[str, tuple[int, int, float, float]], *, steps: int) -> dict[tuple[Place, Place], int]:
    """Return how many journeys go from each place to each other."""
    flows: dict[tuple[Place, Place], int] = {}
    present = {name: first for name, (first, *_rest) in channels.items()}
    for step in range(1, steps + 1):
        following = dict.fromkeys(channels, 0)
        for name, count in present.items():
            _first, _pull, onward, converting = channels[name]
            going_on = round(count * onward) if step < steps else 0
            pulls = [channels[other][1] * (_RETURNS if other == name else 1.0) for other in channels]
            for other, part in zip(channels, _shared_out(going_on, pulls), strict=True):
                flows[(step, name), (step + 1, other)] = part
                following[other] += part
            converted = round((count - going_on) * converting)
            flows[(step, name), (steps + 1, CONVERSION)] = converted
            flows[(step, name), (steps + 1, DROP_OFF)] = count - going_on - converted
        present = following
    return {ends: count for ends, count in flows.items() if count}


def _shared_out(count: int, weights: Sequence[float]) -> list[int]:
    """Share `count` out in whole numbers, about in proportion to `weights`."""
    edges = [round(count * sum(weights[:place]) / sum(weights)) for place in range(len(weights) + 1)]
    return [after - before for before, after in itertools.pairwise(edges)]


def flows_of(
    name: str, flows: Mapping[tuple[Place, Place], float], *, steps: int, title: str, summary: str, subtitle: str
) -> SankeySpec:
    """Return a diagram of `flows`, with a colour for each channel in the order in which they come."""
    into: dict[Place, float] = {}
    out: dict[Place, float] = {}
    for (source, target), count in flows.items():
        out[source] = out.get(source, 0.0) + count
        into[target] = into.get(target, 0.0) + count
    places = sorted(out | into, key=lambda place: place[0])
    slots = {name: slot for slot, name in enumerate(dict.fromkeys(source[1] for source, _target in flows))}
    whole = sum(count for place, count in out.items() if place[0] == 1)
    values = {place: max(into.get(place, 0.0), out.get(place, 0.0)) for place in places}
    return SankeySpec(
        id=f"example-{name}",
        title=title,
        subtitle=subtitle,
        summary=summary,
        value_title="Journeys",
        step_titles=(*_TOUCHES[:steps], "End"),
        columns=("Share of where they come from",),
        nodes=tuple(
            SankeyNode(
                step=place[0],
                name=place[1],
                colour=_colour(place[1], slots),
                value=values[place],
                text=counted(values[place]),
                detail=(f"{percent(100 * values[place] / whole)} of all journeys",),
                href="#",
                is_end=place[0] > steps,
            )
            for place in places
        ),
        links=tuple(
            SankeyLink(
                source=places.index(source),
                target=places.index(target),
                value=count,
                text=counted(count),
                detail=(f"{percent(100 * count / out[source])} of {counted(out[source])} at {source[1]}",),
                href="#",
                cells=(TableCell(count / out[source], percent(100 * count / out[source])),),
            )
            for (source, target), count in flows.items()
        ),
    )


def _colour(name: str, slots: Mapping[str, int]) -> Colour:
    if name == CONVERSION:
        return Colour.ACCENT
    return Colour.OTHER if name in (DROP_OFF, OTHER_CHANNELS) else channel_colour(slots.get(name))


def _five_touches() -> SankeySpec:
    return flows_of(
        "journeys",
        _journeys(_CHANNELS, steps=5),
        steps=5,
        title="Three in four conversions come within two touches",
        subtitle="Journeys by the channel of each touchpoint, 1 April to 30 June 2025",
        summary=(
            "Of 20,600 journeys 6,078 convert, 2,800 of them at the first touch and 1,820 at the second; those that go "
            "on most often do so at paid search."
        ),
    )


def _one_touch() -> SankeySpec:
    return flows_of(
        "one-touch",
        _journeys(_CHANNELS, steps=1),
        steps=1,
        title="A quarter of journeys of one touch convert",
        subtitle="Journeys of one touchpoint by its channel, 1 April to 30 June 2025",
        summary="Of 20,600 journeys 5,056 convert: 46% of those by email, 42% of direct ones and 8% of those by video.",
    )


def _long_names() -> SankeySpec:
    names = (
        "International Paid Search Brand Exact Match",
        "Programmatic Display Retargeting Northern Europe",
        "Partner Newsletter",
        "Newsletter der Kaffeerösterei",
    )
    return flows_of(
        "long-names",
        _journeys(dict(zip(names, list(_CHANNELS.values())[:4], strict=True)), steps=3),
        steps=3,
        title="Half of all conversions come after the first touch",
        subtitle="Journeys by the channel of each touchpoint, 1 April to 30 June 2025",
        summary="Of 15,200 journeys 3,903 convert, 1,929 of them at the first touch.",
    )


def _rare_journey() -> SankeySpec:
    return flows_of(
        "rare-journey",
        {
            ((1, "Paid search"), (2, "Direct")): 18_250,
            ((1, "Paid search"), (2, "Email")): 1,
            ((1, "Paid search"), (3, DROP_OFF)): 21_400,
            ((1, "Email"), (2, "Direct")): 6_120,
            ((1, "Email"), (3, CONVERSION)): 3_875,
            ((2, "Direct"), (3, CONVERSION)): 7_940,
            ((2, "Direct"), (3, DROP_OFF)): 16_430,
            ((2, "Email"), (3, CONVERSION)): 1,
        },
        steps=2,
        title="One journey went from paid search to email, and it converted",
        subtitle="Journeys by the channel of each touchpoint, 1 April to 30 June 2025",
        summary="Of 49,646 journeys 11,816 convert, all but one of them at direct or at email as the first touch.",
    )


FLOWS: Mapping[str, SankeySpec] = MappingProxyType(
    {
        "journeys": _five_touches(),
        "journeys-of-one-touch": _one_touch(),
        "journeys-with-long-names": _long_names(),
        "journeys-of-which-one-is-rare": _rare_journey(),
    }
)
