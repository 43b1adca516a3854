from collections.abc import Iterator

import pytest

from tests.faults.installation import Installation
from tests.faults.services import Postgres, Redis
from tests.smtp_server import MailServer, running_mail_server


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Installation]:
    """A production installation with a PostgreSQL and a Redis of its own."""
    postgres, redis = Postgres(), Redis()
    installation = Installation(
        tmp_path_factory.mktemp("installation"), postgres=postgres, redis=redis, mail_port=mail.port
    )
    try:
        postgres.start()
        redis.start()
        installation.start()
        yield installation
    finally:
        installation.stop()
        redis.stop()
        postgres.stop()
