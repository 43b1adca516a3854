"""What a mail server's answer to a recipient's address is about: the address, its mailbox, or how we send."""

import enum
import re

from reports.deliveries.mime import one_line

SAID_LENGTH = 200
FULL, TOO_LARGE = 552, 552  # one code for a mailbox without room, and for a message that exceeds a limit
# Answers to our words, our password or the order of both (RFC 5321, RFC 4954): somebody may mend that meanwhile.
_ABOUT_OUR_WORDS = frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538})
# Enhanced codes (RFC 3463, 7505) by which nobody can be reached at the address.
_NOBODY = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_NO_ROOM = "5.2.2"
_TOO_LONG = frozenset({"5.2.3", "5.3.4"})
# Answers that name no enhanced code, but may be about the address: unless their words are about something else.
_MAY_BE_ABOUT_THE_ADDRESS = frozenset({550, 551, 553})
# At the start of a line, or as qmail has it: "(#5.1.1)". An address of the internet is none: "5.1.1.9".
_ENHANCED = re.compile(r"(?:^\s*|#)([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.MULTILINE)
_WITHOUT_ROOM = re.compile(r"quota|storage|(?:mailbox|inbox|account)\s+(?:is\s+)?(?:over)?full\b", re.IGNORECASE)
# Broad on purpose: an address that fails is tried with the next report, one that was rejected by mistake never again.
_ABOUT_US = re.compile(
    r"""relay | rcpthosts | block | black\s*-?list | \blist(?:ed|ing)\b | [dr]nsbl | \brbl\b | reputation | \bbann?ed
    | polic | prohibit | administrat | den(?:y|ied) | permission | permitted | not\s+authori | authenti
    | \bspf\b | dmarc | dkim | spam | junk | unsolicited | bulk | virus | content | message
    | sender | from\s+address | verif | \bhelo\b | \behlo\b | reverse | \bptr\b | client\s+host | \bip\b
    | quota | limit | rate\b | too\s+many | temporar | try\s+again | later""",
    re.IGNORECASE | re.VERBOSE,
)


class About(enum.Enum):
    """What an answer that is no yes is about. `US`: how this installation sends; `PASSING`: it may change soon."""

    ADDRESS = enum.auto()
    FULL_MAILBOX = enum.auto()
    SIZE = enum.auto()
    PASSING = enum.auto()
    US = enum.auto()


def of_recipient(code: int, answer: bytes, *, to: str) -> About:
    """What the answer to a recipient's address is about."""
    if not 500 <= code < 600 or code in _ABOUT_OUR_WORDS:
        return About.PASSING
    text = words(answer)
    enhanced = _enhanced(text)
    if enhanced in _TOO_LONG:
        return About.SIZE
    if code == FULL or enhanced == _NO_ROOM:
        return About.FULL_MAILBOX
    if enhanced:
        return About.ADDRESS if enhanced in _NOBODY else About.US
    if code not in _MAY_BE_ABOUT_THE_ADDRESS:
        return About.US
    plain = _without_names(text, to)
    if _WITHOUT_ROOM.search(plain):
        return About.FULL_MAILBOX
    return About.US if _ABOUT_US.search(plain) else About.ADDRESS


def is_full_mailbox(answer: bytes) -> bool:
    """Whether the answer to a message says that there is no room for any: most 552 are about this one's size."""
    return _enhanced(words(answer)) == _NO_ROOM


def quoted(code: int, answer: bytes) -> str:
    """A server's answer in quotes; it says what it likes, so no more than a line of it."""
    return f"“{one_line(f'{code} {words(answer)}', SAID_LENGTH).rstrip('.')}”"


def words(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")


def _enhanced(text: str) -> str:
    """The first enhanced code of the answer, or ""."""
    found = _ENHANCED.search(text)
    return found[1] if found else ""


def _without_names(text: str, to: str) -> str:
    """The answer without addresses, whose letters say nothing of why."""
    domain = to.rpartition("@")[2]
    return re.sub(r"\S+@\S+", "", text).replace(domain, "")
