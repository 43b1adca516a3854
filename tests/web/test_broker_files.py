"""The message broker of the embedded default: nothing is lost, doubled or found half written."""

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from mmm_project.broker_files import Channel, Transport
from mmm_project.celery import app


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    (tmp_path / "c").mkdir()
    return Connection("filesystem://localhost", transport_options=options)


def a_channel(connection: Connection) -> Channel:
    channel = connection.channel()
    assert isinstance(channel, Channel)
    return channel


def test_celery_speaks_to_it() -> None:
    with app.connection() as connection:
        assert type(connection.transport) is Transport


def test_messages_arrive_in_their_order_and_once(connection: Connection, tmp_path: Path) -> None:
    channel = a_channel(connection)
    for number in range(20):
        channel._put("fits", {"number": number})
    channel._put("ticks", {"number": 99})
    assert [channel._get("fits")["number"] for _ in range(20)] == list(range(20))
    with pytest.raises(Empty):
        channel._get("fits")
    assert channel._get("ticks") == {"number": 99}
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_of_many_readers_and_writers_at_once_each_message_reaches_one(connection: Connection) -> None:
    """With kombu's own channel readers find empty files within a second of this."""
    each, sides = 400, 3
    got: list[list[int]] = [[] for _ in range(sides)]
    failures: list[BaseException] = []

    def write(side: int) -> None:
        channel = a_channel(connection.clone())
        for number in range(each):
            channel._put("default", {"number": side * each + number})

    def read(side: int) -> None:
        channel = a_channel(connection.clone())
        while sum(map(len, got)) < each * sides and not failures:
            try:
                got[side].append(channel._get("default")["number"])
            except Empty:
                continue
            except BaseException as failure:
                failures.append(failure)
                raise

    sides_of = [threading.Thread(target=work, args=(side,)) for work in (read, write) for side in range(sides)]
    for thread in sides_of:
        thread.start()
    for thread in sides_of:
        thread.join(timeout=60)
    assert failures == []
    assert sorted(number for numbers in got for number in numbers) == list(range(each * sides))


def test_queues_that_are_bound_at_once_are_all_known(connection: Connection) -> None:
    def bind(number: int) -> None:
        Queue(f"q{number}", Exchange("shared", "direct"), routing_key=f"key{number}")(
            a_channel(connection.clone())
        ).declare()

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    table: list[Any] = a_channel(connection).get_table("shared")
    assert sorted(row.queue for row in table) == [f"q{number}" for number in range(8)]
