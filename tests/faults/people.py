"""What programs do while things break: they send, are refused or cut off, and send again under the same key."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

TRY_AGAIN = {409, 429, 500, 502, 503, 504}
MOST_TRIES = 600
SECONDS_BETWEEN_TRIES = 0.5


@dataclass
class Said:
    """What the API answered, all in all: how often each status came, and how often the connection broke."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0


class Program:
    """A program with an API key that does not give up: each request is sent until it is answered for good."""

    def __init__(self, port: int, key: str, said: Said) -> None:
        self._port, self._key, self._said = port, key, said

    def post(self, path: str, body: object, *, idempotency_key: str) -> Any:
        return self._send("POST", path, json.dumps(body), {"Idempotency-Key": idempotency_key})

    def get(self, path: str) -> Any:
        return self._send("GET", path, None, {})

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", **headers}
        for _try in range(MOST_TRIES):
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
                    connection.request(method, path, body, headers)
                    response = connection.getresponse()
                    content = response.read()
            except (OSError, http.client.HTTPException):
                self._said.broken += 1
            else:
                self._said.statuses[response.status] += 1
                if response.status in (200, 201, 202):
                    return json.loads(content)
                assert response.status in TRY_AGAIN, (response.status, content)
            time.sleep(SECONDS_BETWEEN_TRIES)
        raise AssertionError(f"{method} {path} was not answered in {MOST_TRIES} tries.")


class Crowd:
    """Threads that do things one after another, each once, until all are done."""

    def __init__(self, things: Iterable[Callable[[Program], None]], programs: list[Program]) -> None:
        self.failures: list[BaseException] = []
        self._waiting: SimpleQueue[Callable[[Program], None]] = SimpleQueue()
        for thing in things:
            self._waiting.put(thing)
        self._threads = [threading.Thread(target=self._work, args=(one,), daemon=True) for one in programs]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    def _work(self, program: Program) -> None:
        try:
            while not self.failures:
                self._waiting.get_nowait()(program)
        except Empty:
            return
        except BaseException as failure:  # noqa: BLE001 (the test raises it)
            self.failures.append(failure)
