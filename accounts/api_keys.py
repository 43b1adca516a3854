"""The text of an API key, `mmm_<8-character lookup>_<43-character secret>`, and the hash that is kept of it."""

import hmac
import re
import secrets
import string

from django.conf import settings

_LOOKUP_ALPHABET = string.ascii_lowercase + string.digits
_FORMAT = re.compile(r"mmm_(?P<lookup>[a-z0-9]{8})_[A-Za-z0-9_-]{43}")
# Also of a key that is cut off.
_SECRET = re.compile(r"(mmm_[a-z0-9]{8})_[A-Za-z0-9_-]+")


def generate() -> tuple[str, str]:
    """Return a new key's lookup and its whole text, with 256 random bits behind the lookup."""
    lookup = "".join(secrets.choice(_LOOKUP_ALPHABET) for _ in range(8))
    return lookup, f"mmm_{lookup}_{secrets.token_urlsafe(32)}"


def lookup_of(text: str) -> str | None:
    """Return the part that finds the key's row, or None if `text` is not in the form of a key."""
    match = _FORMAT.fullmatch(text)
    return match["lookup"] if match else None


def digest_of(text: str) -> bytes:
    """Return the HMAC-SHA256 of the key under the installation's pepper.

    The secret is random and long, so a slow password hash would add nothing but load.
    """
    return hmac.digest(settings.API_KEY_PEPPER.encode(), text.encode(), "sha256")


def holds_key(text: str) -> bool:
    """Whether there is a whole key anywhere in `text`."""
    return _FORMAT.search(text) is not None


def mask(text: str) -> str:
    """Return `text` without the secrets of the keys in it: "mmm_abcd1234_[secret]"."""
    return _SECRET.sub(r"\1_[secret]", text)
