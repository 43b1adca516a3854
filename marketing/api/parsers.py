"""Batches of rows as the API reads them: JSON, or one JSON object a line.

Numbers are kept as they were written ("0.1", "12345678901234567.89"): a float would change some of them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from mmm_project.problems import TooLarge

# What JSON allows between values: other blanks that Python strips, such as U+00A0, are a mistake in the data.
BLANK = " \t\r"


class RowsParser(BaseParser):
    """`[{...}, ...]` or `{"rows": [...]}` in UTF-8. Gives whatever JSON there is; its shape is checked elsewhere."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raise TooLarge (413), and ParseError (400) for what is no JSON."""
        del media_type, parser_context
        return _decode(_text(stream), where="The body")


class LinesParser(BaseParser):
    """NDJSON: a row on each line; blank lines are passed over."""

    media_type = "application/x-ndjson"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raise TooLarge (413), and ParseError (400) naming the first line that is no JSON."""
        del media_type, parser_context
        return list(_lines(_text(stream)))


def _lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(BLANK):
            yield _decode(line, where=f"Line {number}")


def _text(stream: IO[Any]) -> str:
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"The body is not UTF-8: byte {error.start + 1:,} is none of it.") from error


def _decode(text: str, *, where: str) -> Any:
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ParseError("This JSON is nested too deeply.") from error
    except ValueError as error:
        raise ParseError(f"{where} is not JSON: {_reason(error)}.") from error


def _reason(error: ValueError) -> str:
    return re.sub(r" \(char \d+\)$", "", str(error))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant)
