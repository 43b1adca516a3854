"""How the documents of a workspace look: its logo, its accent colour and its paper."""

import re
from dataclasses import dataclass

from reports.palette import TEXT, Swatch

ACCENT, WHITE = "#032389", "#ffffff"
A4, LETTER = "a4", "letter"
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Look:
    """`logo`: a PNG. `colour`: as "#032389", "" for the product's own. `paper`: "a4" or "letter".

    Raises ValueError for what is no colour, as it becomes part of a style sheet, and for another paper.
    """

    logo: bytes | None = None
    colour: str = ""
    paper: str = A4

    def __post_init__(self) -> None:
        if self.colour and not _COLOUR.fullmatch(self.colour):
            raise ValueError(f"“{self.colour[:20]}” is no colour.")
        if self.paper not in (A4, LETTER):
            raise ValueError(f"There is no paper “{self.paper[:20]}”.")

    @property
    def accent(self) -> str:
        """The colour that headings are written in: the product's own where people could not read the chosen one."""
        return self.colour if self.colour and is_readable(self.colour) else ACCENT


PLAIN = Look()


def contrast(colour: str) -> float:
    """How well a colour stands out from white paper: from 1 (not at all) to 21 (black)."""
    return Swatch(colour, WHITE).contrast


def is_readable(colour: str) -> bool:
    """Whether text in this colour can be read on white paper (WCAG 2.2, 1.4.3)."""
    return contrast(colour) >= TEXT
