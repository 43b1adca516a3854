"""What names and cells look like: the marks by which columns are told before anything is read."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from marketing.importing.numbers import NUMBER_TEXT

Looks = Callable[[str], bool]

BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
DATE_LIKE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})")
COMPACT_DATE = re.compile(r"20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
EPOCH_LIKE = re.compile(r"\d{10}|\d{13}|\d{16}")
PERSON_LIKE = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,64}|\d{8,10}\.\d{10}", re.IGNORECASE
)
BLANK_CELLS = ("", "-", "--", "na", "n/a", "nan", "null", "none", "(not set)")


def folded(name: str) -> str:
    """Return a column's name as words without case, accents, punctuation, and units such as “(EUR)”."""
    plain = unicodedata.normalize("NFKD", BRACKETS.sub(" ", name)).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)  # visitorId
    return " ".join(re.sub(r"[^0-9a-z%]+", " ", spaced.lower()).split())


def mostly(cells: Sequence[str], looks: Looks) -> bool:
    """Whether at least four of five cells that say something look like that. True if none says anything."""
    said = [cell.strip() for cell in cells if not is_blank(cell)]
    return sum(map(looks, said)) * 5 >= len(said) * 4


def says_only(cells: Sequence[str], looks: Looks) -> bool:
    """Whether some of the cells say something, and at least four of five of those look like that."""
    return any(not is_blank(cell) for cell in cells) and mostly(cells, looks)


def is_blank(cell: str) -> bool:
    """Whether a cell says nothing, in one of the ways that exports have of saying so."""
    return cell.strip().lower() in BLANK_CELLS


def like_date(cell: str) -> bool:
    """Whether a cell begins like a day, in whatever order."""
    return bool(DATE_LIKE.match(cell) or COMPACT_DATE.fullmatch(cell))


def like_moment(cell: str) -> bool:
    """Whether a cell begins like a day, or is an epoch."""
    return like_date(cell) or bool(EPOCH_LIKE.fullmatch(cell))


def like_number(cell: str) -> bool:
    """Whether a cell is a number, with whatever signs for decimals, thousands and currency."""
    return bool(NUMBER_TEXT.match(cell))


def like_name(cell: str) -> bool:
    """Whether a cell is neither a number nor a day."""
    return not like_number(cell) and not like_date(cell)


def like_path(cell: str) -> bool:
    """Whether a cell may be channels in a row; an address of a page is none."""
    return like_name(cell) and not cell.lower().startswith(("/", "http://", "https://"))


def like_person(cell: str) -> bool:
    """Whether a cell is an e-mail address or an identifier that no two people share."""
    return bool(PERSON_LIKE.fullmatch(cell))


def like_answer(cell: str) -> bool:
    """Whether a cell says yes or no."""
    return cell.lower() in ("true", "false", "yes", "no", "0", "1", "t", "f", "y", "n")
