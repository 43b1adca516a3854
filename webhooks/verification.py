"""How a receiver verifies a message, as code to copy. Tests run both against messages that were really sent."""

WITH_THE_LIBRARY = """\
from standardwebhooks import Webhook  # pip install standardwebhooks


def event_of(body: bytes, headers: dict[str, str], secret: str) -> dict:
    \"\"\"Return the event; raise WebhookVerificationError if it is forged, or older than five minutes.\"\"\"
    return Webhook(secret).verify(body, headers)
"""

WITHOUT_A_LIBRARY = """\
import base64, hashlib, hmac, json, time


def event_of(body: bytes, headers: dict[str, str], secret: str) -> dict:
    \"\"\"Return the event; raise ValueError if it is forged, or older than five minutes.\"\"\"
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise ValueError("This message is too old.")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(mac.digest())
    signatures = headers["webhook-signature"].encode().split()  # two after a rotation
    if not any(hmac.compare_digest(expected, signature) for signature in signatures):
        raise ValueError("This message is not from where it says.")
    return json.loads(body)
"""
