"""The mail that tells owners of an old model: who gets it, for which model, once, and again where it did not go out."""

import datetime as dt
import smtplib
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import IntegrityError
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent, Membership, Role, User, Workspace
from analyses.models import Run
from jobs import handlers
from jobs.models import Job
from marketing.models import Dataset, Import
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.results import a_result, finished
from weightings.models import StaleReminder
from weightings.refresh import reminders
from weightings.refresh.reminders import MAILS_A_SWEEP, REMIND_WITHIN, remind_of_stale_models
from weightings.refresh.staleness import STALE_AFTER

OLD = STALE_AFTER + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _with_a_site(settings: Settings, tmp_path: Path) -> None:
    settings.SITE_URL = "https://mmm.example.com"
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def shop(workspace: Workspace, owner: User) -> Workspace:
    """A workspace with an owner and data of its own."""
    add_import(workspace, Dataset.SPEND)
    return workspace


def a_run(workspace: Workspace, age: dt.timedelta = OLD, *, converged: bool = True, **params: Any) -> Run:
    """A finished run of so long ago."""
    run = finished(workspace, converged=converged, **params)
    run.job = Job.objects.create(workspace=workspace, kind="analyses.run", status=Job.Status.DONE)
    run.result = a_result(converged=converged)
    run.fingerprint = f"{run.job.pk:064}"
    run.save()
    run.created_at = timezone.now() - age
    run.save(update_fields=["created_at"])
    return run


def reminded() -> list[Any]:
    return list(StaleReminder.objects.order_by("pk").values_list("run", flat=True))


# Whom, of what


def test_owners_are_told_of_an_old_model(shop: Workspace, owner: User, analyst: User) -> None:
    second = MembershipFactory.create(workspace=shop, role=Role.OWNER).user
    run = a_run(shop)
    remind_of_stale_models()
    (sent,) = mail.outbox
    assert sorted(sent.to) == sorted([owner.email, second.email])
    assert sent.subject == "A media mix model of Acme is more than 90 days old"
    made = run.created_at.astimezone(shop.zone)
    assert f"was made on {made:%-d %B %Y}, more than 90 days ago" in sent.body
    assert "Sales · Hill curve · by week · 1 Jan – 31 Mar 2026" in sent.body
    assert f"\nhttps://mmm.example.com/w/acme/runs/{run.pk}/\n" in sent.body
    assert reminded() == [run.pk]
    event = AuditEvent.objects.get(action="reminder.sent")
    assert (event.workspace, event.target, event.detail) == (shop, str(run.pk), {"recipients": 2})


def test_each_model_is_told_of_once(shop: Workspace) -> None:
    a_run(shop)
    for _ in range(3):
        remind_of_stale_models()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "age",
    [STALE_AFTER - dt.timedelta(hours=1), STALE_AFTER + REMIND_WITHIN + dt.timedelta(hours=1)],
    ids=["new", "long"],
)
def test_what_is_not_old_yet_or_has_long_been_is_not_told(shop: Workspace, age: dt.timedelta) -> None:
    a_run(shop, age)
    remind_of_stale_models()
    assert (mail.outbox, reminded()) == ([], [])


def test_a_model_with_a_newer_one_of_its_question_is_not_told_of(shop: Workspace) -> None:
    a_run(shop, OLD + dt.timedelta(days=2), start="2025-10-01", end="2025-12-31")
    newer = a_run(shop, OLD)
    remind_of_stale_models()
    assert reminded() == [newer.pk], "of two old ones the newer"
    other = a_run(shop, OLD, model="delayed")
    a_run(shop, dt.timedelta(days=3), model="delayed", end="2026-06-30")
    remind_of_stale_models()
    assert other.pk not in reminded(), "refreshed three days ago"
    alone = a_run(shop, OLD, granularity="month")
    remind_of_stale_models()
    assert reminded() == [newer.pk, alone.pk]


def test_a_newer_run_that_has_not_converged_or_has_no_result_replaces_nothing(shop: Workspace) -> None:
    run = a_run(shop)
    a_run(shop, dt.timedelta(days=1), converged=False)
    Job.objects.filter(run=a_run(shop, dt.timedelta(days=2))).update(status=Job.Status.FAILED)
    Run.objects.filter(pk=a_run(shop, dt.timedelta(days=3)).pk).update(void=True)
    remind_of_stale_models()
    assert reminded() == [run.pk]


def test_a_model_that_has_not_converged_is_not_told_of(shop: Workspace) -> None:
    a_run(shop, converged=False)
    remind_of_stale_models()
    assert reminded() == []


def test_a_workspace_with_demo_data_only_is_left_alone(shop: Workspace) -> None:
    Import.objects.update(origin=Import.Origin.DEMO)
    run = a_run(shop)
    remind_of_stale_models()
    assert reminded() == []
    add_import(shop, Dataset.OUTCOMES, status=Import.Status.UNDONE)
    remind_of_stale_models()
    assert reminded() == []
    add_import(shop, Dataset.OUTCOMES)
    remind_of_stale_models()
    assert reminded() == [run.pk]


def test_workspaces_do_not_mix(shop: Workspace) -> None:
    other = WorkspaceFactory.create(slug="elsewhere", name="Else\nwhere")
    add_import(other, Dataset.SPEND)
    theirs = MembershipFactory.create(workspace=other, role=Role.OWNER).user
    ours, their_run = a_run(shop), a_run(other, OLD - dt.timedelta(hours=1))
    a_run(other, dt.timedelta(days=1), model="delayed")
    remind_of_stale_models()
    assert reminded() == [ours.pk, their_run.pk]
    assert mail.outbox[1].to == [theirs.email]
    assert mail.outbox[1].subject == "A media mix model of Else where is more than 90 days old"


def test_without_an_active_owner_nobody_is_told_until_there_is_one(shop: Workspace, owner: User) -> None:
    run = a_run(shop)
    owner.is_active = False
    owner.save()
    remind_of_stale_models()
    assert (mail.outbox, reminded()) == ([], [])
    Membership.objects.create(workspace=shop, user=User.objects.create_user("new@example.com"), role=Role.OWNER)
    remind_of_stale_models()
    assert (mail.outbox[0].to, reminded()) == (["new@example.com"], [run.pk])


def test_without_a_mail_server_nothing_counts_as_told(shop: Workspace, settings: Settings) -> None:
    a_run(shop)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    remind_of_stale_models()
    assert reminded() == []


def test_a_sweep_sends_a_few_mails_only(shop: Workspace) -> None:
    for days in range(MAILS_A_SWEEP + 2):
        a_run(shop, OLD + dt.timedelta(days=days), granularity=f"g{days}")
    remind_of_stale_models()
    assert len(mail.outbox) == MAILS_A_SWEEP
    remind_of_stale_models()
    assert len(mail.outbox) == MAILS_A_SWEEP + 2


# Failures and races


class MailServer:
    """What stands between us and the outbox. `failure`: what is raised instead of taking a message, if anything is."""

    failure: BaseException | None = None
    tried = 0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> MailServer:
    server, send = MailServer(), EmailMessage.send

    def take(message: EmailMessage, *args: Any, **kwargs: Any) -> int:
        server.tried += 1
        if server.failure:
            raise server.failure
        return send(message, *args, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", take)
    return server


@pytest.mark.parametrize("failure", [smtplib.SMTPServerDisconnected(), TimeoutError()], ids=["refused", "stalled"])
def test_a_mail_that_did_not_go_out_is_sent_an_hour_later(
    shop: Workspace, server: MailServer, failure: Exception
) -> None:
    runs = [a_run(shop), a_run(shop, OLD - dt.timedelta(hours=1), model="delayed")]
    server.failure = failure
    remind_of_stale_models()
    assert (server.tried, reminded(), mail.outbox) == (1, [], []), "one is enough to see that none goes out"
    assert not AuditEvent.objects.filter(action="reminder.sent").exists()
    server.failure = None
    remind_of_stale_models()
    assert server.tried == 1, "not again at once"
    cache.clear()  # as it is after an hour
    remind_of_stale_models()
    assert reminded() == [run.pk for run in runs]
    assert len(mail.outbox) == 2


def test_after_a_crash_while_sending_nobody_gets_a_second_mail(shop: Workspace, server: MailServer) -> None:
    run = a_run(shop)
    server.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        remind_of_stale_models()
    server.failure = None
    remind_of_stale_models()
    assert (server.tried, reminded()) == (1, [run.pk]), "it may have gone out"


def test_of_two_sweeps_that_see_the_same_model_one_sends(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(shop)
    monkeypatch.setattr(reminders, "_due", lambda: [run.pk])  # both looked before either wrote
    remind_of_stale_models()
    remind_of_stale_models()
    assert len(mail.outbox) == 1
    with pytest.raises(IntegrityError):
        StaleReminder.objects.create(run=run)


def test_a_sweep_while_another_one_sends_sends_nothing(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(shop)
    send = EmailMessage.send
    nested: list[bool] = []

    def send_slowly(message: EmailMessage, *args: Any, **kwargs: Any) -> int:
        if not nested:
            nested.append(True)
            remind_of_stale_models()
        return send(message, *args, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", send_slowly)
    remind_of_stale_models()
    assert len(mail.outbox) == 1


def test_every_sweep_looks_with_as_many_queries(shop: Workspace, django_assert_num_queries: Any) -> None:
    a_run(shop)
    remind_of_stale_models()
    with django_assert_num_queries(1):
        remind_of_stale_models()  # nothing is left to look at
    for days in range(4):
        a_run(shop, OLD + dt.timedelta(days=days), granularity="month")
    a_run(shop, dt.timedelta(days=1), granularity="month")
    remind_of_stale_models()
    with django_assert_num_queries(2):
        remind_of_stale_models()


def test_sweeps_remind(shop: Workspace) -> None:
    assert remind_of_stale_models in handlers.sweepers()


def test_the_rule_follows_the_clock(shop: Workspace) -> None:
    run = a_run(shop, dt.timedelta(days=1))
    remind_of_stale_models()
    assert reminded() == []
    with time_machine.travel(timezone.now() + STALE_AFTER):
        remind_of_stale_models()
    assert reminded() == [run.pk]
