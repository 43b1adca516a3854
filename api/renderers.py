"""What the API answers in: JSON, and CSV where a view streams it."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer

CSV = "text/csv"


class CsvRenderer(JSONRenderer):
    """Stands for CSV where `Accept` is looked at. Views stream CSV themselves; what else they say, such as why not,
    is JSON all the same.
    """

    media_type = CSV
    format = "csv"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        del accepted_media_type, renderer_context
        rendered: bytes = super().render(data)
        return rendered
