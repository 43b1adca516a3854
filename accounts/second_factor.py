"""Second factors at rest: encrypted, so that a dump of the database gives nobody the codes of others."""

import base64
import secrets
from functools import cache

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MARK = "sealed:"  # in front of what is encrypted: what was stored before there was a key is read as it is


class SealingAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """django-allauth's way to store the secrets of authenticator apps and the seeds of recovery codes."""

    def encrypt(self, text: str) -> str:
        """Return `text` as it may be stored, under `SECOND_FACTOR_KEY`."""
        return MARK + _cipher(settings.SECOND_FACTOR_KEY).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return what `encrypt` was given; under another key a random secret, which no code fits."""
        if not encrypted_text.startswith(MARK):
            return encrypted_text
        try:
            return _cipher(settings.SECOND_FACTOR_KEY).decrypt(encrypted_text.removeprefix(MARK)).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()


@cache
def _cipher(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"second factors").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
