"""The colours of charts: one fixed slot for each channel, and a few that mean something else.

The hexadecimal values are those of the light theme, for SVG, PowerPoint and Excel; in the browser the style sheet's
custom property of the same name (`--channel-1` ...) follows the theme.
"""

from enum import StrEnum


class Colour(StrEnum):
    """A colour by its name in the style sheet."""

    CHANNEL_1 = "channel-1"
    CHANNEL_2 = "channel-2"
    CHANNEL_3 = "channel-3"
    CHANNEL_4 = "channel-4"
    CHANNEL_5 = "channel-5"
    CHANNEL_6 = "channel-6"
    CHANNEL_7 = "channel-7"
    CHANNEL_8 = "channel-8"
    OTHER = "channel-other"  # what has no slot, the baseline, and what a value is compared with
    ACCENT = "accent"

    @property
    def hex(self) -> str:
        """The colour on a light ground, such as "#032389"."""
        return _LIGHT[self]


_LIGHT = {
    Colour.CHANNEL_1: "#f75e1c",
    Colour.CHANNEL_2: "#032389",
    Colour.CHANNEL_3: "#9a380e",
    Colour.CHANNEL_4: "#bf6aee",
    Colour.CHANNEL_5: "#076874",
    Colour.CHANNEL_6: "#831fce",
    Colour.CHANNEL_7: "#559f8d",
    Colour.CHANNEL_8: "#522038",
    Colour.OTHER: "#7d8694",
    Colour.ACCENT: "#032389",
}
CHANNEL_COLOURS = tuple(Colour)[:8]


def channel_colour(slot: int | None) -> Colour:
    """The colour of the channel with this slot, counted from 0; grey past the eighth and for what is no channel."""
    return CHANNEL_COLOURS[slot] if slot is not None and 0 <= slot < len(CHANNEL_COLOURS) else Colour.OTHER
