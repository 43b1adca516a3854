"""JSON: what a program gets."""

import json

from rest_framework.utils.encoders import JSONEncoder

from analyses.documents import Document


def write(document: Document) -> bytes:
    """Return the document's data as JSON in UTF-8. Raises ValueError for a number that JSON does not have."""
    text = json.dumps(document.data, indent=2, ensure_ascii=False, allow_nan=False, cls=JSONEncoder)
    return f"{text}\n".encode()
