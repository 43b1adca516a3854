"""The keys that a backup needs, told by fingerprints: slow to guess, and salted anew in each backup."""

import hashlib
import secrets
from collections.abc import Mapping

from django.conf import settings

NAMES = ("SECRET_KEY", "CUSTOMER_HASH_KEY", "API_KEY_PEPPER", "WEBHOOK_SECRETS_KEY", "SECOND_FACTOR_KEY")
SALT = "salt"


def fingerprints() -> dict[str, str]:
    """Return a new salt and, under it, the fingerprint of each key of this installation, in hexadecimal."""
    salt = secrets.token_hex(16)
    return {SALT: salt} | {name: _fingerprint(name, salt) for name in NAMES}


def others(kept: Mapping[str, str]) -> list[str]:
    """Return the names of the keys that are not those of the installation whose fingerprints these are."""
    salt = kept.get(SALT, "")
    return [name for name in NAMES if kept.get(name) != _fingerprint(name, salt)]


def _fingerprint(name: str, salt: str) -> str:
    value = f"{name}={getattr(settings, name)}"
    return hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()
