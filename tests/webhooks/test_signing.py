"""Signatures as Standard Webhooks has them, by hand and by others; secrets that are stored only encrypted."""

import base64
import datetime as dt
import hashlib
import hmac
import re
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks.signing import SecretUnreadable, new_secret, seal, signed_headers, unseal

# The example of the specification's reference implementations.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = dt.datetime.fromtimestamp(1614265330, tz=dt.UTC)
BODY = '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def by_hand(secret: str, message_id: str, timestamp: str, body: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def test_the_example_of_the_specification() -> None:
    assert signed_headers(message_id=MESSAGE_ID, body=BODY, at=AT, secrets=[SECRET]) == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


@given(st.text(alphabet='aü€😀"\\ .{}\n', max_size=40), st.floats(0, 4e9))
def test_a_signature_is_the_hmac_of_id_time_and_body(body: str, second: float) -> None:
    secret, at = new_secret(), dt.datetime.fromtimestamp(second, tz=dt.UTC)
    headers = signed_headers(message_id=MESSAGE_ID, body=body, at=at, secrets=[secret])
    assert headers["webhook-signature"] == by_hand(secret, MESSAGE_ID, headers["webhook-timestamp"], body)


def test_the_clock_of_another_zone_is_the_same_instant() -> None:
    there = AT.astimezone(ZoneInfo("Asia/Tokyo"))
    assert signed_headers(message_id=MESSAGE_ID, body=BODY, at=there, secrets=[SECRET]) == signed_headers(
        message_id=MESSAGE_ID, body=BODY, at=AT, secrets=[SECRET]
    )


def test_receivers_verify_by_the_library_with_either_of_two_secrets() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers(message_id=MESSAGE_ID, body=BODY, at=timezone.now(), secrets=[new, old])
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY + " ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY, headers | {"webhook-id": "msg_another"})


def test_what_was_signed_minutes_ago_is_too_old() -> None:
    with time_machine.travel(AT, tick=False):
        headers = signed_headers(message_id=MESSAGE_ID, body=BODY, at=timezone.now(), secrets=[SECRET])
        assert Webhook(SECRET).verify(BODY, headers)
    with time_machine.travel(AT + dt.timedelta(minutes=6), tick=False), pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers)


def test_a_secret_is_32_random_bytes() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    for secret in (one, other):
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


def test_a_stored_secret_is_read_only_under_the_key_of_the_installation(settings: Settings) -> None:
    secret = new_secret()
    sealed = seal(secret)
    assert secret.removeprefix("whsec_")[:8] not in sealed
    assert seal(secret) != sealed
    assert unseal(sealed) == secret
    settings.WEBHOOK_SECRETS_KEY = "another"
    with pytest.raises(SecretUnreadable):
        unseal(sealed)


def test_the_key_is_neither_the_secret_key_nor_that_of_api_keys(settings: Settings) -> None:
    assert len({settings.SECRET_KEY, settings.API_KEY_PEPPER, settings.WEBHOOK_SECRETS_KEY}) == 3
