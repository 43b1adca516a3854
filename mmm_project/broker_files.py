"""The message broker of the embedded default: kombu's in files, whose files nobody finds half written.

Kombu's own writes a message where a worker may find it before its content, and the worker then fails on an empty file.
Here each file appears whole, under its name, by renaming.
"""

import fcntl
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

_MESSAGE = ".msg"


class Channel(filesystem.Channel):
    """Puts and takes messages, and binds queues, each in one step of the file system."""

    data_folder_in: str
    data_folder_out: str
    control_folder: Path

    def _put(self, queue: str, payload: dict[str, Any], **_kwargs: Any) -> None:  # type: ignore[override]
        # (The stubs of the class above and of the one above that contradict each other.)
        # Names sort by the time they were put, so that messages are taken in their order.
        name = f"{time.monotonic_ns():020}_{uuid.uuid4()}.{queue}{_MESSAGE}"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 (as kombu declares it)
        folder = Path(self.data_folder_in)
        for message in sorted(folder.iterdir()):
            if message.name.partition(".")[2] != f"{queue}{_MESSAGE}":
                continue
            taken = message.with_name(f"{message.name}.taken")
            try:
                message.rename(taken)
            except FileNotFoundError:
                continue  # another worker took it
            content = taken.read_text()
            taken.unlink()
            return loads(content)
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        file = self.control_folder / f"{exchange}.exchange"
        with (self.control_folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
            table = self.get_table(exchange)
            if bound not in table:
                _write_whole(file, dumps([bound, *table]))


class Transport(filesystem.Transport):
    """As kombu's, with these channels."""

    Channel = Channel


def _write_whole(path: Path, content: str) -> None:
    draft = path.with_name(f"{path.name}.{uuid.uuid4()}.draft")
    draft.write_text(content)
    draft.replace(path)
