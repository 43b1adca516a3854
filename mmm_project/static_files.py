"""Static files of a production installation."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # WhiteNoise has no types
    """Compressed files named by their content, ES modules too: a browser never mixes those of two releases."""

    support_js_module_import_aggregation = True
