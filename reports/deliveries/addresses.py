"""Who gets the mails: addresses as people type or paste them, cleaned one by one."""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError

from accounts.invitations import clean_address
from mmm_project.problems import Invalid

MOST = 50
# A lone carriage return is no line: it stays in its address, which is then refused.
_LINES = re.compile(r"\r\n|\n")
_BETWEEN = re.compile(r"[,;]")
_LONGEST_SHOWN = 60


def clean_lines(text: str) -> list[str]:
    """Return the addresses of a text, one a line or separated by commas, each once, in the form to compare them.

    Raises ValidationError with a sentence for each that cannot be used, which names its line.
    """
    found: list[str] = []
    errors: list[str] = []
    for number, line in enumerate(_LINES.split(text), start=1):
        for asked in filter(None, (part.strip(" \t") for part in _BETWEEN.split(line))):
            try:
                found.append(clean_address(asked))
            except ValidationError as refusal:
                errors.append(f"Line {number}, “{_shown(asked)}”: {' '.join(refusal.messages)}")
    if errors:
        raise ValidationError(errors)
    return _each_once(found)


def clean_addresses(addresses: Iterable[str]) -> list[str]:
    """Return the addresses of a list, each once. Raises Invalid for one that cannot be used, none, or too many."""
    found, errors = list[str](), list[str]()
    for asked in addresses:
        try:
            found.append(clean_address(asked))
        except ValidationError as refusal:
            errors.append(f"“{_shown(asked)}”: {' '.join(refusal.messages)}")
    if errors:
        raise Invalid(" ".join(errors), errors={"recipients": errors})
    try:
        return _each_once(found)
    except ValidationError as refusal:
        raise Invalid(" ".join(refusal.messages), errors={"recipients": refusal.messages}) from None


def _each_once(addresses: Iterable[str]) -> list[str]:
    once = list(dict.fromkeys(addresses))
    if not once:
        raise ValidationError("Enter one address at least.")
    if len(once) > MOST:
        raise ValidationError(f"{MOST} recipients at most; these are {len(once)}. A mailing list counts as one.")
    return once


def _shown(asked: str) -> str:
    """What was typed, without what is no character, and not too much of it."""
    plain = "".join(character if character.isprintable() else " " for character in asked)
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"
