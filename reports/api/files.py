"""Files in the API: what they are in, and how they are described."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.serializers import ProblemSerializer
from mmm_project.problems import Conflict
from reports.exports import FORMATS, NO_CACHE, format_of, safe_name
from reports.models import Branding

FORM = OpenApiParameter(
    "form", {"type": "string", "enum": list(FORMATS)}, OpenApiParameter.PATH, description="The format."
)
PAPER = OpenApiParameter(
    "paper",
    {"type": "string", "enum": list(Branding.Paper.values)},
    description="Of a PDF or a workbook, where it is not to be the workspace's own.",
)
CONFLICT = 409


class TakesLong(Conflict):
    """The file would keep its caller waiting: it has to be prepared."""

    code = "export_takes_long"
    title = "This file takes a while"


class WhateverIsAccepted(DefaultContentNegotiation):
    """The address says what a file is in, whatever `Accept` says; refusals are JSON."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


def file_of(path: Path, *, name: str, form: str) -> FileResponse:
    """Return a file in a format of FORMATS, which no cache keeps."""
    headers, content_type = {"Cache-Control": NO_CACHE}, format_of(form).content_type
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=safe_name(name), content_type=content_type, headers=headers
    )


def described(conflict: str) -> dict[Any, Any]:
    """Return the answers of an address with a file in any format; `conflict`: when there is a 409."""
    types = {form: kind.content_type.partition(";")[0] for form, kind in FORMATS.items()}
    answers: dict[Any, Any] = {(200, type_): OpenApiTypes.BINARY for type_ in types.values()}
    answers |= {(200, types["csv"]): OpenApiTypes.STR, (200, types["json"]): OpenApiTypes.OBJECT}
    return answers | {CONFLICT: OpenApiResponse(ProblemSerializer, conflict)}
