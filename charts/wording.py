"""Text of a chart as the SVG, PowerPoint and Excel renderers write it: valid in XML, and readable on its ground."""

import re

from charts.spec import Mark

INK = "#14181f"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """Return `text` in one line, with a replacement character for each that XML 1.0 does not allow.

    Names of channels and campaigns come from files: they hold what their author's program wrote.
    """
    return " ".join(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text).split())


def with_interval(mark: Mark) -> str:
    """Return a mark as people read it, such as "2.4 (1.9–3.1)"."""
    return printable(mark.with_interval)


def readable_on(colour: str) -> str:
    """White or ink, whichever stands out more from `colour` (WCAG 2.2's relative luminance)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if luminance < 0.18 else INK
