"""The colours of the style sheet in both themes, and how well they stand out from what they lie on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
TEXT, GRAPHIC = 4.5, 3.0  # the contrast that WCAG 2.2 asks for: 1.4.3 and 1.4.11

# What is drawn or written in a colour, and on what.
PAIRS = (
    ("ink", "paper", TEXT),
    ("ink", "raised", TEXT),
    ("muted", "paper", TEXT),
    ("muted", "raised", TEXT),
    ("accent", "paper", TEXT),
    ("accent", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("good", "surface", TEXT),
    ("good", "good-soft", TEXT),
    ("bad", "surface", TEXT),
    ("bad", "bad-soft", TEXT),
    ("warn", "surface", TEXT),
    ("warn", "warn-soft", TEXT),
    ("line-strong", "surface", GRAPHIC),
    *((f"channel-{slot}", "surface", GRAPHIC) for slot in (*range(1, 9), "other")),
)


@dataclass(frozen=True, slots=True)
class Swatch:
    """A colour on its ground in one theme; the colours as "#032389"."""

    colour: str
    ground: str

    @property
    def contrast(self) -> float:
        """From 1 (the same) to 21 (black on white)."""
        dark, light = sorted((relative_luminance(self.colour), relative_luminance(self.ground)))
        return (light + 0.05) / (dark + 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A colour and its ground by their names in the style sheet, in both themes."""

    name: str
    ground: str
    required: float
    light: Swatch
    dark: Swatch

    @property
    def themes(self) -> tuple[Swatch, Swatch]:
        return (self.light, self.dark)

    @property
    def is_text(self) -> bool:
        return self.required == TEXT


def relative_luminance(colour: str) -> float:
    """Return the luminance of an sRGB colour, from 0 (black) to 1 (white). Source: WCAG 2.2, relative luminance."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def palette(style_sheet: str) -> Iterator[Pair]:
    """Yield `PAIRS` with the colours that the text of the style sheet gives. Raises KeyError for one that it lacks."""
    tokens = {name: (light, dark) for name, light, dark in _TOKEN.findall(style_sheet)}
    for name, ground, required in PAIRS:
        light, dark = (Swatch(*colours) for colours in zip(tokens[name], tokens[ground], strict=True))
        yield Pair(name=name, ground=ground, required=required, light=light, dark=dark)
