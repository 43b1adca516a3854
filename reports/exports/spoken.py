"""What a speaker reads: the terms that occur on a slide, each with what it means."""

import re
from collections.abc import Iterator, Sequence

from analyses.definitions import TERMS

_PLACE = re.compile(r"\\\{\w+\\\}")  # of a term whose text is filled in, such as "{confidence}% interval"
_SIGNS = [
    (re.compile(_PLACE.sub(".+", re.escape(definition.term))), definition.signs)
    for definition in TERMS.values()
    if definition.signs
]


def occurring(definitions: Sequence[tuple[str, str]], words: str) -> Iterator[tuple[str, str]]:
    """Yield the definitions whose term, or another sign of it, occurs in what is shown."""
    shown = words.casefold()
    for term, meaning in definitions:
        if any(re.search(rf"(?<!\w){re.escape(sign.casefold())}", shown) for sign in _signs(term)):
            yield term, meaning


def _signs(term: str) -> Sequence[str]:
    return next((signs for pattern, signs in _SIGNS if pattern.fullmatch(term)), (term,))
