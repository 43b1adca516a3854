"""Where the marks and labels of a drawn chart go, and how they are told apart."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from charts.canvas import FONT_PX, Point, shortened, text_width_px
from charts.spec import Mark

_LINES_TRIED = 5  # below a point, and above it, before its name may meet another one


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a line of text stands: its left edge, its middle in height, and its width, in pixels from the top left.

    `is_before`: it ends at what it names, rather than begins there.
    """

    left: float
    y: float
    width: float
    is_before: bool = False

    @property
    def anchor(self) -> float:
        """Its end at what it names."""
        return self.left + self.width if self.is_before else self.left

    def meets(self, other: "Spot") -> bool:
        beside = self.left + self.width < other.left or other.left + other.width < self.left
        return not beside and abs(self.y - other.y) < FONT_PX + 2


def around_point(x: float, y: float, width: float, *, before: bool) -> Iterator[Spot]:
    """Where the name of a point may stand, the best first: below and to its right, or `before`, above and to its left;
    then further off.
    """
    line = FONT_PX + 3
    below = [Spot(x + 5, y + 12 + number * line, width) for number in range(_LINES_TRIED)]
    above = [Spot(x - 5 - width, y - 10 - number * line, width, is_before=True) for number in range(_LINES_TRIED)]
    yield from (*above[:1], *below, *above[1:]) if before else (*below, *above)
    yield from (Spot(x + 5, y - 10 - number * line, width) for number in range(_LINES_TRIED))


def runs(marks: Sequence[Mark | None]) -> Iterator[tuple[int, list[Mark]]]:
    """The unbroken stretches of marks, each with the place of its first."""
    run: list[Mark] = []
    for place, mark in enumerate([*marks, None]):
        if mark:
            run.append(mark)
        elif run:
            yield place - len(run), run
            run = []


def far_end(mark: Mark) -> float:
    """The end of a mark, with its whisker, that is further from zero."""
    numbers = (mark.value, mark.value if mark.low is None else mark.low, mark.value if mark.high is None else mark.high)
    return min(numbers) if mark.value < 0 else max(numbers)


def around(sides: Point, ends: Point) -> Iterator[Point]:
    """The corners of a bar, the base first."""
    yield from ((sides[0], ends[0]), (sides[0], ends[1]), (sides[1], ends[1]), (sides[1], ends[0]))


def apart(wanted: Sequence[float], *, least: float, most: float) -> list[float]:
    """Move places apart to `least` from each other, between 0 and `most` as long as there is room, in their order."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    places = list(wanted)
    for before, place in itertools.pairwise(order):
        places[place] = max(places[place], places[before] + least)
    edge = most
    for place in reversed(order):
        places[place] = min(places[place], edge)
        edge = places[place] - least
    return places


def broken(text: str, most_px: float) -> list[str]:
    """Break a text that is too wide into two lines, and cut what is still too wide."""
    words = text.split()
    if text_width_px(text) <= most_px or len(words) < 2:
        return [shortened(text, most_px)]
    first = next((end for end in range(len(words) - 1, 0, -1) if text_width_px(" ".join(words[:end])) <= most_px), 1)
    return [shortened(" ".join(part), most_px) for part in (words[:first], words[first:])]
