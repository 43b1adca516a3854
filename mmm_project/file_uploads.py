"""Refuse files that are too large before they are read."""

from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

from mmm_project.problems import FileTooLarge

ROOM_FOR_FORM_BYTES = 2**20  # the other fields, and what multipart puts around them


class BoundedUploadHandler(FileUploadHandler):
    """Keeps nothing itself; it comes first and stops a request whose body is, or turns out to be, over the limit."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],  # noqa: N803 - Django's name
        content_length: int,
        *boundary_and_encoding: Any,
    ) -> tuple[Any, Any] | None:
        """Raise FileTooLarge for a body that says of itself that it is.

        Whoever has not signed in sends no files of data, to whatever page: to them the limit of forms applies, and
        RequestDataTooBig is raised.
        """
        del input_data, META, boundary_and_encoding
        user = getattr(self.request, "user", None)
        is_known = user is not None and user.is_authenticated
        if not is_known and content_length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        if content_length > settings.MAX_FILE_BYTES + ROOM_FOR_FORM_BYTES:
            raise FileTooLarge
        return None

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Raise FileTooLarge once a file is; else pass the piece on to the handlers that keep it."""
        if start + len(raw_data) > settings.MAX_FILE_BYTES:
            raise FileTooLarge
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handler that kept it."""
        del file_size
