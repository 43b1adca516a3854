"""Tell from a text file's bytes and first rows how it is read: encoding, separator, header row, decimal sign, dates."""

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from marketing.importing.appearance import like_person
from marketing.importing.errors import FileRejected
from marketing.importing.files import NO_HEADER
from marketing.importing.numbers import APOSTROPHES, BLANKS, NUMBER_TEXT, DecimalSign
from marketing.importing.reading import DateOrder, Format
from marketing.importing.text_files import open_bytes

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
ENCODINGS = {  # that can be chosen, with what people call them
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16 (“Unicode text”)",
    "cp1252": "Windows, Western European (1252)",
    "cp1250": "Windows, Central European (1250)",
    "cp1251": "Windows, Cyrillic (1251)",
    "iso8859-15": "ISO 8859-15",
    "mac-roman": "Mac Roman",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}
DELIMITERS = {"\t": "Tab", ";": "Semicolon", "|": "Pipe", ",": "Comma"}  # the likelier one first where two would do
READ_AT_ONCE = 2**20
HEADER_WITHIN = 100  # rows from the start of the file
NAME_AND_VALUE = 2  # cells of a row such as “Period, May 2026” above a table
LONGEST_VALUE = 40  # characters of what may be a number or a day
MONTHS = 12
DAY_LIKE = re.compile(r"^[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}(?:[ T].*)?$")
ORDERED_DAY = re.compile(r"^([0-9]{1,2})([-./])([0-9]{1,2})\2[0-9]{4}(?:[ T].*)?$")
TWO_READINGS = re.compile(r"^[1-9][0-9]{0,2}([.,])[0-9]{3}$")  # 1,234 and 1.234: a thousand and more, or one and a bit
POINT_DECIMALS = re.compile(r"^(?:[0-9]{0,18}\.[0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?)$")
COMMA_DECIMALS = re.compile(r"^(?:[0-9]{0,18},[0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?)$")
DECIMAL_FORMS: dict[DecimalSign, re.Pattern[str]] = {".": POINT_DECIMALS, ",": COMMA_DECIMALS}
GROUPING_BLANKS = str.maketrans("", "", BLANKS + APOSTROPHES)
SUFFIX_OF_NAME = re.compile(r"\.([A-Za-z0-9]{1,10})$")
OTHER_FORMATS = {
    re.compile(rb"%PDF"): "This is a PDF. Upload the table that it was made from, as CSV or Excel.",
    re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|html|head|body|table|meta|style)\b", re.IGNORECASE): (
        "This is a web page or XML, whatever its name says. Open it in Excel, save it as “Excel workbook (.xlsx)”, and "
        "upload that."
    ),
    re.compile(
        rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*\""
    ): "This is JSON. Save the table as CSV, or send the rows to the API.",
}
OLD_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how `surrogateescape` shows such bytes
BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")


def sniff_format(path: Path, *, file_name: str = "") -> tuple[Format, bool]:
    """Return the format, and whether the file is gzip; by content, never by name. Raises FileRejected for others."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip() or start.strip() in BYTE_ORDER_MARKS:
        raise FileRejected("The file is empty.")
    if start.startswith(b"PAR1"):
        return "parquet", False
    if start.startswith(b"PK"):
        return "xlsx", False
    if start.startswith(OLD_CONTAINER):
        raise FileRejected(_ole(path))
    for pattern, advice in OTHER_FORMATS.items():
        if pattern.match(start):
            raise FileRejected(advice)
    gzipped = start.startswith(b"\x1f\x8b")
    if gzipped:
        with open_bytes(path, gzipped=True) as unpacked:
            start = unpacked.read(4096)
        if not start.strip():
            raise FileRejected("The file is empty.")
        if start.startswith((b"PAR1", b"PK", b"\x1f\x8b")):
            raise FileRejected("The gzip file holds no text. Unpack it, and upload what it holds.")
    if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in start:
        fewer, more = sorted((start[::2].count(0), start[1::2].count(0)))
        if fewer == 0 and more > len(start) // 4:
            raise FileRejected("This seems to be UTF-16 without a byte order mark. Save it as “CSV UTF-8”.")
        suffix = SUFFIX_OF_NAME.search(file_name)
        named = f" named .{suffix[1].lower()}" if suffix else ""
        raise FileRejected(f"This is a binary file{named}. Upload CSV, Excel (.xlsx) or Parquet.")
    return "csv", gzipped


def _ole(path: Path) -> str:
    """Say which of the two kinds of old container it is; their directories name their streams in UTF-16."""
    with path.open("rb") as file:
        content = file.read(16 * READ_AT_ONCE)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "The workbook is encrypted. Save it without a password, and upload that."
    return "This is an old Excel file (.xls). Save it as “Excel workbook (.xlsx)”, and upload that."


def sniff_encoding(path: Path, *, gzipped: bool) -> str:
    """Return the encoding of the whole file: by its mark, UTF-8, or Windows-1252.

    Raises FileRejected if it is none of them, or UTF-8 in one place and something else in another.
    """
    with open_bytes(path, gzipped=gzipped) as file:
        start = file.read(4)
    if marked := next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), None):
        return marked
    first_wrong, has_letters = _look_for_utf8(path, gzipped=gzipped)
    if first_wrong is None:
        return "utf-8"
    if has_letters:
        raise FileRejected(
            f"The file mixes encodings: it is UTF-8 in some places, but not at byte {first_wrong + 1:,}. Save it anew "
            "as “CSV UTF-8”."
        )
    _require_cp1252(path, gzipped=gzipped)
    return "cp1252"


def _look_for_utf8(path: Path, *, gzipped: bool) -> tuple[int | None, bool]:
    """Return where the first byte is that is not UTF-8, and whether any letter beyond ASCII is UTF-8 all the same."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    first_wrong: int | None = None
    has_letters, position = False, 0
    with open_bytes(path, gzipped=gzipped) as file:
        while block := file.read(READ_AT_ONCE):
            text = decoder.decode(block, final=len(block) < READ_AT_ONCE)
            if not text.isascii():
                has_letters = has_letters or BEYOND_ASCII.search(text) is not None
                if first_wrong is None and (wrong := NOT_UTF8.search(text)):
                    first_wrong = position + len(text[: wrong.start()].encode())
                if first_wrong is not None and has_letters:
                    break
            position += len(text.encode("utf-8", "surrogateescape"))
    return first_wrong, has_letters


def _require_cp1252(path: Path, *, gzipped: bool) -> None:
    position = 0
    with open_bytes(path, gzipped=gzipped) as file:
        while block := file.read(READ_AT_ONCE):
            try:
                block.decode("cp1252")
            except UnicodeDecodeError as error:
                raise FileRejected(
                    f"The file is neither UTF-8 nor Windows-1252 text: byte {position + error.start + 1:,} is in "
                    "neither. Save it as “CSV UTF-8”, or choose its encoding by hand."
                ) from error
            position += len(block)


def sniff_delimiter(text: str) -> str:
    """Return the separator that cuts the text's rows into equally many cells, from a header on.

    Of two that do, the one whose header comes first: the other takes a row of values for it.
    """
    best, best_score = ",", (False, 0.0, 0, 1)
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        except csv.Error:
            continue
        width = _usual_width(rows)
        if width == 1:
            continue
        share = sum(len(row) == width for row in rows) / len(rows)
        header = _header_of_width(rows, width)
        score = (header is not None, round(share, 1), -(header or 0), width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _header_of_width(rows: Sequence[Sequence[str]], width: int) -> int | None:
    for position, row in enumerate(rows[:HEADER_WITHIN]):
        below = rows[position + 1 : position + 4]
        if len(row) == width and _all_words(row) and (not below or any(len(other) == width for other in below)):
            return position
    return None


def find_header(rows: Sequence[Sequence[str]], *, ragged: bool) -> int:
    """Return the position of the row with the column names: the first as wide as the body that holds mostly words.

    Above it only rows that are much emptier are passed over, such as titles. `ragged`: rows end with their last cell,
    as those of a sheet do. Raises FileRejected if there is none.
    """
    filled = [(position, row) for position, row in enumerate(rows) if _count(row)]
    if not filled:
        raise FileRejected(NO_HEADER)
    width = max(len(row) for _, row in filled) if ragged else _usual_width([row for _, row in filled])
    for n, (position, row) in enumerate(filled[:HEADER_WITHIN]):
        wide_enough = len(row) == width or (ragged and _count(row) > width // 2)
        title = _is_title([below for _, below in filled[n:]])
        if wide_enough and _count(row) > width // 3 and _names_columns(row) and not title:
            return position
        if _count(row) > max(2, width // 2):
            break
    first, row = filled[0]
    if not _names_columns(row):
        if sum(bool(DAY_LIKE.match(cell.strip())) for cell in row) > 1:
            raise FileRejected("The days stand side by side in the first row. Give each a row of its own.")
        raise FileRejected(f"{NO_HEADER} Its first row holds values.")
    return first


def _is_title(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of these filled rows is a title, or a name and its value, above the column names.

    Such as “Client, ACME” is where the next row of more than two cells holds words, and the one below it does not.
    """
    count = _count(rows[0])
    if count == 1:
        return len(rows) > 1 and _count(rows[1]) > 1 and _all_words(rows[1])
    wider = next((n for n, row in enumerate(rows) if _count(row) > NAME_AND_VALUE), len(rows))
    return (
        count == NAME_AND_VALUE
        and wider + 1 < len(rows)
        and _all_words(rows[wider])
        and not _all_words(rows[wider + 1])
    )


def two_row_header(rows: Sequence[Sequence[str]], header: int) -> bool:
    """Return whether the row above the header, or the header itself over the next row, names groups of columns."""
    above = rows[header - 1] if header else []
    if _names_groups(above):
        return True
    below = rows[header + 1] if len(rows) > header + 1 else []
    body = [row for row in rows[header + 2 : header + 22] if any(row)]
    typed = [n for n in range(len(below)) if body and all(n < len(row) and is_value(row[n]) for row in body)]
    return _names_groups(rows[header]) and len(typed) > 1 and not any(is_value(below[n]) for n in typed)


def _names_groups(row: Sequence[str]) -> bool:
    """Return whether names stand apart in the row, as “TV, , Radio, ” do over two columns each."""
    filled = [n for n, cell in enumerate(row) if cell.strip()]
    return len(filled) > 1 and filled[-1] - filled[0] >= len(filled) and _names_columns(row)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells most rows have, rows of one cell aside, which may be titles."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(widths, key=lambda width: (widths[width], width), default=1)


def _count(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _names_columns(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell.strip()]
    words = sum(not is_value(cell) for cell in filled)
    return 0 < len(filled) <= words * 2


def _all_words(row: Sequence[str]) -> bool:
    return not any(is_value(cell) for cell in row)


def is_value(cell: str) -> bool:
    """Return whether the cell may be a number or a day rather than a word."""
    cell = cell.strip()
    return len(cell) <= LONGEST_VALUE and bool(NUMBER_TEXT.match(cell) or DAY_LIKE.match(cell))


def half_look_like(pattern: re.Pattern[str], cells: Iterable[str]) -> bool:
    """Return whether at least half of the cells that are not blank match."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and sum(len(c) <= LONGEST_VALUE and bool(pattern.match(c)) for c in filled) * 2 >= len(filled)


@dataclass(frozen=True, slots=True)
class DateEvidence:
    """What the days in a file tell of their order. `order`: None if they do not tell; `example`: one that does not."""

    order: DateOrder | None
    example: str = ""


def sniff_date_order(columns: Iterable[Sequence[str]]) -> DateEvidence:
    """Tell by a number above 12, or by dots, which nobody writes between month and day. Without such days: "ymd"."""
    day_first = month_first = False
    example = ""
    for cells in columns:
        for found in filter(None, map(ORDERED_DAY.match, (cell.strip() for cell in dict.fromkeys(cells)))):
            first, second = int(found[1]), int(found[3])
            example = example or found[0]
            day_first = day_first or first > MONTHS or found[2] == "."
            month_first = month_first or second > MONTHS
    if day_first != month_first:
        return DateEvidence("dmy" if day_first else "mdy")
    return DateEvidence(None, example) if example else DateEvidence("ymd")


@dataclass(frozen=True, slots=True)
class DecimalEvidence:
    """What the numbers in a file tell of their decimal sign: "." or ",", or "" with an example that does not tell."""

    sign: DecimalSign | Literal[""]
    example: str = ""


def sniff_decimal(columns: Iterable[Sequence[str]], *, commas_part_cells: bool) -> DecimalEvidence:
    """Tell by numbers that have one reading only, such as 12.5 or 1.234,56; 1,234 alone has two."""
    signs: set[DecimalSign] = set()
    examples: dict[str, str] = {}
    for cell in dict.fromkeys(itertools.chain.from_iterable(columns)):
        found = NUMBER_TEXT.match(cell.strip()) if len(cell) <= LONGEST_VALUE else None
        if found is None or DAY_LIKE.match(cell.strip()) or like_person(cell.strip()):
            continue
        digits = found[1].translate(GROUPING_BLANKS)
        if two := TWO_READINGS.match(digits):
            examples.setdefault(two[1], cell.strip())
        elif "." in digits or "," in digits:
            signs |= {sign for sign, form in DECIMAL_FORMS.items() if form.match(digits)}
            examples.setdefault("any", cell.strip())
    if len(signs) == 1:
        return DecimalEvidence(signs.pop())
    if signs:
        return DecimalEvidence("", examples["any"])
    # Who parts cells by commas writes decimals with the point.
    doubtful = examples.get(",") or (None if commas_part_cells else examples.get("."))
    return DecimalEvidence("", doubtful) if doubtful else DecimalEvidence(".")
