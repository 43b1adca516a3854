"""The looks of a page that tests see: the colour scheme that the system asks for, and the width of the window."""

from typing import Literal, TypeAlias

import pytest

Scheme: TypeAlias = Literal["light", "dark"]
Look: TypeAlias = tuple[Scheme, int]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (1440, 390)
LOOKS: list[Look] = [(scheme, width) for scheme in SCHEMES for width in WIDTHS]
OPPOSITES: list[Look] = [("light", 1440), ("dark", 390)]


def name(look: Look) -> str:
    return f"{look[0]}-{look[1]}"


# A test with the fixtures `look` or `page` is run in the first of these, or in those of its mark; the full tests run it
# in the second one, too. Every page is seen in both by every run, and judged in one of them.
ONE_THEN_THE_OPPOSITE = [OPPOSITES[0], pytest.param(OPPOSITES[1], marks=pytest.mark.full)]
one_look = pytest.mark.parametrize("look", [("light", 1440)], indirect=True, ids=name)
both_widths = pytest.mark.parametrize("look", [("light", width) for width in WIDTHS], indirect=True, ids=name)
# The narrow and dark one of the opposites finds more fault than the other; the full tests run it in all looks.
every_look = pytest.mark.parametrize(
    "look",
    [pytest.param(look, marks=() if look == OPPOSITES[1] else pytest.mark.full, id=name(look)) for look in LOOKS],
    indirect=True,
)


def _first(quick: Look) -> pytest.MarkDecorator:
    looks = [pytest.param(look, marks=() if look == quick else pytest.mark.full, id=name(look)) for look in OPPOSITES]
    return pytest.mark.parametrize("look", looks, indirect=True)


# A long journey is walked in one look; in the opposite one by the full tests.
wide_first, narrow_first = map(_first, OPPOSITES)
