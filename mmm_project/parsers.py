"""What the API reads."""

import io
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from mmm_project.problems import TooLarge


class BoundedJsonParser(JSONParser):
    """JSON of at most `DATA_UPLOAD_MAX_MEMORY_SIZE`, which Django holds forms to but not what REST framework reads.

    Raises TooLarge (413), and ParseError (400) for what is no JSON or is nested deeper than Python can follow.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except ParseError as error:
            raise ParseError(f"The body is not JSON: {_reason(error)}.") from error
        except RecursionError as error:
            raise ParseError("This JSON is nested too deeply.") from error


def _reason(error: ParseError) -> str:
    """Return where reading stopped, and why, without the library's own words around it."""
    return re.sub(r" \(char \d+\)$", "", str(error).removeprefix("JSON parse error - ")).rstrip(".")
