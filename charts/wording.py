"""Text of a chart as XML may hold it, for the SVG, PowerPoint and Excel renderers."""

import re

from charts.spec import Mark

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """Return `text` in one line, with a replacement character for each that XML 1.0 does not allow.

    Names of channels and campaigns come from files: they hold what their author's program wrote.
    """
    return " ".join(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text).split())


def with_interval(mark: Mark) -> str:
    """Return a mark as people read it, such as "2.4 (1.9–3.1)"."""
    if mark.low is None:
        return printable(mark.text)
    return printable(f"{mark.text} ({mark.low_text}–{mark.high_text})")
