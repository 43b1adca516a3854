import os
from collections.abc import Iterator

import psycopg
import pytest
import redis

from tests.browser.conftest import base_url, browser_type_launch_args
from tests.stack.stacks import Embedded, Production, Stack

__all__ = ["base_url", "browser_type_launch_args"]  # fixtures: the same browser

DATABASE_URL = os.environ.get("STACK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("STACK_REDIS_URL", "redis://127.0.0.1:6379/15")


@pytest.fixture(scope="session", params=["production", "embedded"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation of each sort, which the tests share: each asks questions of its own."""
    directory = tmp_path_factory.mktemp(request.param)
    stack: Stack
    if request.param == "production":
        require_services()
        stack = Production(directory, database_url=DATABASE_URL, redis_url=REDIS_URL)
    else:
        stack = Embedded(directory)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def require_services() -> None:
    """Fail with a sentence if PostgreSQL or Redis is not there."""
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        pytest.fail(f"These tests need PostgreSQL: start it or set STACK_DATABASE_URL. {error}", pytrace=False)
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=5) as broker:
            broker.ping()
    except redis.ConnectionError as error:
        pytest.fail(f"These tests need Redis: start it or set STACK_REDIS_URL. {error}", pytrace=False)
