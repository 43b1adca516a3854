"""Reports that are due while schedulers and workers come and go: everybody gets one mail, and never a second."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.smtp_server import MailServer, running_mail_server
from tests.stack.conftest import DATABASE_URL, REDIS_URL, require_services
from tests.stack.stacks import Production, kill_group, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("installations")]
DUE_IN_SECONDS = 2.0
PEOPLE = ["anna@example.com", "bert@example.com", "carla@example.com"]


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Production]:
    require_services()
    directory = tmp_path_factory.mktemp("schedules")
    stack = Production(directory, database_url=DATABASE_URL, redis_url=REDIS_URL, name="schedules")
    stack.env |= {"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}"}
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def occurrences(stack: Production, schedule: str) -> int:
    ((count,),) = stack.rows(f"SELECT count(*) FROM reports_occurrence WHERE schedule_id = '{schedule}'")
    return int(count)


def states(stack: Production, schedule: str) -> Counter[str]:
    """How many mails of the schedule are in each state."""
    rows = stack.rows(
        "SELECT delivery.status, count(*) FROM reports_delivery delivery JOIN reports_occurrence occurrence "
        f"ON occurrence.id = delivery.occurrence_id WHERE occurrence.schedule_id = '{schedule}' "
        "AND delivery.purpose = 'report' GROUP BY delivery.status"
    )
    return Counter({str(status): int(count) for status, count in rows})


def wait_until_sent(stack: Production, schedule: str) -> None:
    wait_for("everybody's mail is sent", lambda: states(stack, schedule) == Counter(sent=len(PEOPLE)))


def mails(mail: MailServer, name: str) -> Counter[str]:
    """How many mails about the report each person got."""
    return Counter(one.recipient for one in mail.received if str(one.message["Subject"]).startswith(f"{name}: "))


def assert_everybody_got_one(stack: Production, mail: MailServer, name: str) -> None:
    """After another report has gone out by the same way, behind which no mail of the first can still be waiting."""
    later = stack.client("schedule", f"After {name}", PEOPLE, 0)
    wait_until_sent(stack, later)
    assert mails(mail, name) == Counter(PEOPLE)
    assert mails(mail, f"After {name}") == Counter(PEOPLE)
    identities = [str(one.message["Message-ID"]) for one in mail.received]
    assert len(set(identities)) == len(identities)


def test_of_two_schedulers_at_once_one_sends(stack: Production, mail: MailServer) -> None:
    second = stack.start_beat()
    try:
        schedule = stack.client("schedule", "Two schedulers", PEOPLE, DUE_IN_SECONDS)
        wait_until_sent(stack, schedule)
        assert occurrences(stack, schedule) == 1
        assert_everybody_got_one(stack, mail, "Two schedulers")
    finally:
        kill_group(second)
    (received,) = [one for one in mail.to(PEOPLE[0]) if str(one.message["Subject"]).startswith("Two schedulers: ")]
    (file,) = [part for part in received.message.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert file.get_content().startswith(b"%PDF-")
    assert "Attached: two-schedulers-stack-" in received.text()


def test_killed_at_the_due_moment_and_started_again_sends_once(stack: Production, mail: MailServer) -> None:
    schedule = stack.client("schedule", "Killed when due", PEOPLE, DUE_IN_SECONDS)
    wait_for("it is claimed", lambda: occurrences(stack, schedule) == 1)
    kill_group(stack.beat)
    stack.kill_worker()
    stack.beat = stack.start_beat()
    wait_until_sent(stack, schedule)
    assert occurrences(stack, schedule) == 1
    assert_everybody_got_one(stack, mail, "Killed when due")


def test_due_while_nothing_runs_is_sent_once_when_something_does(stack: Production, mail: MailServer) -> None:
    kill_group(stack.beat)
    kill_group(stack.worker)
    schedule = stack.client("schedule", "While away", PEOPLE, 0)
    stack.worker, stack.beat = stack.start_worker(), stack.start_beat()
    wait_until_sent(stack, schedule)
    assert occurrences(stack, schedule) == 1
    assert_everybody_got_one(stack, mail, "While away")


def test_a_worker_killed_while_the_server_has_the_mail_sends_no_second_one(stack: Production, mail: MailServer) -> None:
    mail.stalls_after_data = True
    schedule = stack.client("schedule", "Killed while sending", PEOPLE, 0)
    wait_for("the server has a mail", lambda: mails(mail, "Killed while sending"))
    kill_group(stack.worker)
    mail.stalls_after_data = False
    stack.worker = stack.start_worker()
    wait_for(
        "every mail is sent or doubtful",
        lambda: states(stack, schedule) in [Counter(unknown=doubtful, sent=3 - doubtful) for doubtful in (1, 2, 3)],
    )
    had = mails(mail, "Killed while sending")
    assert max(had.values()) == 1
    # Who got none was about to: that, too, is doubtful, as it is not known how far the worker came.
    assert len(PEOPLE) - len(had) < states(stack, schedule)["unknown"]
