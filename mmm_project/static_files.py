"""Static files of a production installation."""

import re
from collections.abc import Callable
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # WhiteNoise has no types
    """Compressed files named by their content, ES modules too: a browser never mixes those of two releases."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, *arguments: Any, **options: Any) -> Callable[[re.Match[str]], str]:
        """Return what rewrites the addresses in a file; those of htmx's extensions are left alone.

        They import nothing, but a comment in one of them reads like an import of a file that is not there.
        """
        if name.startswith("django_htmx/ext/"):
            return lambda match: match[0]
        converter: Callable[[re.Match[str]], str] = super().url_converter(name, *arguments, **options)
        return converter
