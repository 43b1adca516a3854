"""Send a few rows, ask for an attribution run, wait for it, print its table, and fetch it as a PDF.

    MMM_URL=https://mmm.example.com MMM_API_KEY=mmm_... python quickstart.py

It needs Python 3.11 and nothing else. Create the key under Settings > API access, with the scopes data:read,
data:write, attribution:read and attribution:write.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

ATTEMPTS = 5
TRY_AGAIN = (429, 503)


class Api:
    """The API of one installation, with one key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key

    def call(self, path: str, body: object = None, **headers: str) -> Any:
        """Return the JSON that a GET answers with, or with a `body` a POST."""
        return json.loads(self.send(path, body, **headers)[0])

    def send(self, path: str, body: object = None, **headers: str) -> tuple[bytes, Message]:
        """Return the body and the headers of an answer; ends the program, with the reason, where there is none."""
        request = urllib.request.Request(
            self._base_url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", **headers},
        )
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return response.read(), response.headers
            except urllib.error.HTTPError as refusal:
                if refusal.code not in TRY_AGAIN or not attempts_left:
                    sys.exit(f"{refusal.code}: {json.load(refusal)['detail']}")
                time.sleep(seconds_to_wait(refusal.headers))
        raise AssertionError("The last attempt has returned or exited.")

    def finished(self, path: str, under_way: tuple[str, ...]) -> Any:
        """Return the thing at `path` once its status is none of `under_way`."""
        while True:
            body, headers = self.send(path)
            thing = json.loads(body)
            if thing["status"] not in under_way:
                return thing
            time.sleep(seconds_to_wait(headers))


def seconds_to_wait(headers: Message) -> int:
    """Return how long the API asks to wait, or a second where it does not say."""
    return int(headers.get("Retry-After", "1"))


def send_rows(api: Api, dataset: str, rows: list[dict[str, str]]) -> None:
    """Send rows and wait until they are in. Sent again under the same key, they would still be one import."""
    batch = api.call(f"/api/v1/{dataset}/", {"rows": rows}, **{"Idempotency-Key": str(uuid.uuid4())})
    for error in batch["errors"]:
        print("Row {row}, {field}: {reason}".format(**error))
    batch = api.finished(batch["url"], under_way=("pending", "loading"))
    print(f"{dataset}: {batch['accepted']} rows accepted, {batch['rejected']} rejected, {batch['status']}")


def ask(api: Api, params: dict[str, str]) -> Any:
    """Ask for an attribution run and return it once it is done."""
    run = api.call("/api/v1/runs/", {"kind": "attribution", "params": params})
    run = api.finished(run["url"], under_way=("queued", "running"))
    if run["status"] != "done":
        sys.exit(f"The run has {run['status']}: {run['error']}")
    return run


def print_table(result: Any) -> None:
    """Print the conversions that each model gives each channel."""
    models = list(result["models"])
    print(f"\n{'Channel':<20}" + "".join(f"{model:>12}" for model in models))
    for rows in zip(*(sorted(result["models"][model]["channels"], key=channel_of) for model in models), strict=True):
        print(f"{channel_of(rows[0]):<20}" + "".join(f"{row['conversions']:>12.2f}" for row in rows))


def channel_of(row: Any) -> str:
    return str(row["channel"])


def some_rows(now: datetime) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return touchpoints and conversions of three customers in the last days."""

    def days_ago(days: int) -> str:
        return (now - timedelta(days=days)).isoformat(timespec="seconds")

    touchpoints = [
        {"customer": "ann", "occurred_at": days_ago(9), "channel": "Paid Social"},
        {"customer": "ann", "occurred_at": days_ago(5), "source": "google", "medium": "cpc"},
        {"customer": "bob", "occurred_at": days_ago(4), "channel": "Email"},
        {"customer": "eve", "occurred_at": days_ago(3), "channel": "Paid Social"},
    ]
    conversions = [
        {"customer": "ann", "occurred_at": days_ago(2), "value": "120.00", "order_id": "quickstart-1"},
        {"customer": "bob", "occurred_at": days_ago(2), "value": "49.90", "order_id": "quickstart-2"},
    ]
    return touchpoints, conversions


def main() -> None:
    api = Api(os.environ.get("MMM_URL", "http://localhost:8000"), os.environ["MMM_API_KEY"])
    touchpoints, conversions = some_rows(datetime.now(UTC))
    send_rows(api, "touchpoints", touchpoints)
    send_rows(api, "conversions", conversions)
    run = ask(api, {"model": "linear,last", "period": "last_30", "metric": "conversions"})
    print_table(run["result"])
    pdf, _headers = api.send(f"{run['url']}exports/pdf/")
    file = Path("attribution.pdf")
    file.write_bytes(pdf)
    print(f"\n{file}: {len(pdf):,} bytes")


if __name__ == "__main__":
    main()
