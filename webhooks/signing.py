"""Secrets of endpoints, encrypted at rest, and the signatures that are made with them (Standard Webhooks)."""

import base64
import datetime as dt
import secrets
from collections.abc import Sequence
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32


class SecretUnreadable(Exception):
    """The secret was encrypted under another key than the installation has now."""


def new_secret() -> str:
    """Return `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    """Return the secret as it may be stored: a signature needs it whole, so a hash would not do."""
    return _cipher(settings.WEBHOOK_SECRETS_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the secret that `seal` was given. Raises SecretUnreadable."""
    try:
        return _cipher(settings.WEBHOOK_SECRETS_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def signed_headers(*, message_id: str, body: str, at: dt.datetime, secrets: Sequence[str]) -> dict[str, str]:
    """Return the three headers by which a receiver verifies a message: signed at `at`, by each of the secrets."""
    at = at.astimezone(dt.UTC)  # the library takes the clock's reading for UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, body) for secret in secrets),
    }


@cache
def _cipher(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"secrets of webhooks").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
