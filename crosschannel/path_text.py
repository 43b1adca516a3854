"""Names of channels as one text: those that hold what stands between names, or a quote, are in double quotes.

As in CSV, a quote inside of quotes is doubled: `"TV, radio" > "12"" screens" > Email`.
"""

import re
from collections.abc import Sequence

NEXT, AND = ">", ","
_NEEDS_QUOTES = re.compile(r'[,>"]')
# Possessive: without it, long texts that lack the other quote would be tried again and again.
_QUOTED = r'"((?:[^"]|"")*+)"'
_QUOTED_NAME = re.compile(rf"(^|[,>])\s*+{_QUOTED}")
_NAMES = {
    between: re.compile(rf'{between}\s*+(?:{_QUOTED}|((?!")[^{between}]*+))\s*+(?={between}|\Z)')
    for between in (NEXT, AND)
}


def write(names: Sequence[str], between: str) -> str:
    """Return the names as `read` reads them. `between`: NEXT or AND."""
    gap = f" {between} " if between == NEXT else f"{between} "
    return gap.join(_quoted(name) if _NEEDS_QUOTES.search(name) else name for name in names)


def read(text: str) -> list[str] | None:
    """Return the names in a text, "" for one that is missing. Where NEXT stands between names, AND is a part of them.

    None where a name begins with a quote and does not end with one.
    """
    between = NEXT if NEXT in _QUOTED_NAME.sub(r"\1", text) else AND
    text, place, found = between + text, 0, []
    while place < len(text):
        name = _NAMES[between].match(text, place)
        if name is None:
            return None
        quoted, plain = name.groups()
        found.append((plain if quoted is None else quoted.replace('""', '"')).strip())
        place = name.end()
    return found


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
