"""Where the marks and labels of a drawn chart go, and how they are told apart."""

import itertools
from collections.abc import Iterator, Sequence

from charts.canvas import Point, shortened, text_width_px
from charts.spec import Mark


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
