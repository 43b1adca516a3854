"""Telling the owners of a workspace, once, that its newest model of a question has become old.

Each reminder is a row with its run, which is unique: whoever inserts it sends the mail, and nobody else does. Where the
mail server refuses the message the row is taken away again, and a sweep after an hour's pause tries anew. Where the
process dies between the two, nobody knows whether the mail went out: the row stays, and no second one is sent. A
reminder that may be missing is the smaller evil, as pages and exports say the same.
"""

import datetime as dt
import json
import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.audit import record
from accounts.models import Membership, Role
from analyses import registry
from analyses.models import Run
from analyses.similar import PERIOD
from marketing.models import Import
from weightings.finished import KIND, finished_runs, only_converged
from weightings.models import StaleReminder
from weightings.refresh.staleness import STALE_AFTER

logger = logging.getLogger(__name__)

Question: TypeAlias = tuple[int, str]  # a workspace, and what was asked besides the period

# Longer ago it is no news: an installation that has just learnt to remind does not tell of all that there ever was.
REMIND_WITHIN = dt.timedelta(days=30)
MAILS_A_SWEEP = 5
PAUSE_SECONDS = 3600  # after a mail that could not be sent
PAUSED = "weightings.reminders.paused"


def remind_of_stale_models() -> None:
    """Mail the owners of each workspace whose newest converged model of a question has become stale of late.

    Not for workspaces that hold nothing but demo data, and not without a mail server. Two queries, and one more for
    each run that nobody has looked at before, beside what there is to send.
    """
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend") or cache.get(PAUSED):
        return
    for run_id in _due()[:MAILS_A_SWEEP]:
        if not _remind(Run.objects.select_related("workspace").defer("result").get(pk=run_id)):
            return


def forgo_what_is_due() -> int:
    """Note every reminder that is due as sent; return how many there were.

    For a database that was restored: nobody knows what has been sent since it was written.
    """
    return len(StaleReminder.objects.bulk_create([StaleReminder(run_id=run_id) for run_id in _due()]))


def _due() -> list[Any]:
    """The runs to remind of, the oldest first."""
    now = timezone.now()
    own = Import.objects.filter(workspace=OuterRef("workspace"), status=Import.Status.ACTIVE).exclude(
        origin=Import.Origin.DEMO
    )
    aged = finished_runs().filter(
        created_at__lt=now - STALE_AFTER, created_at__gte=now - STALE_AFTER - REMIND_WITHIN, stale_reminder=None
    )
    candidates = list(aged.filter(Exists(own)).order_by("created_at").values("pk", "workspace", "params", "created_at"))
    if not candidates:
        return []
    asked: dict[Question, list[Any]] = {}
    known = finished_runs().filter(
        workspace__in={each["workspace"] for each in candidates}, created_at__gte=candidates[0]["created_at"]
    )
    for pk, workspace, params in known.values_list("pk", "workspace", "params"):
        asked.setdefault(_question(workspace, params), []).append(pk)
    newest = {question: _newest_converged(runs) for question, runs in asked.items()}
    return [each["pk"] for each in candidates if newest[_question(each["workspace"], each["params"])] == each["pk"]]


def _question(workspace: int, params: Mapping[str, Any]) -> Question:
    return workspace, json.dumps({name: value for name, value in params.items() if name not in PERIOD}, sort_keys=True)


def _newest_converged(newest_first: Iterable[Any]) -> Any:
    return next((run_id for run_id in newest_first if _has_converged(run_id)), None)


@lru_cache(maxsize=4096)
def _has_converged(run_id: Any) -> bool:
    """Whether a finished run's model has converged, which never changes."""
    return only_converged(finished_runs().filter(pk=run_id)).exists()


def _remind(run: Run) -> bool:
    """Send the mail unless somebody else has; return whether mails go out at all."""
    owners = Membership.objects.filter(workspace=run.workspace, role=Role.OWNER, user__is_active=True)
    addresses = list(owners.order_by("pk").values_list("user__email", flat=True))
    if not addresses:
        return True
    try:
        with transaction.atomic():
            reminder = StaleReminder.objects.create(run=run)
    except IntegrityError:
        return True
    try:
        _mail(run, addresses).send()
    except (OSError, UnicodeError):  # smtplib's errors are OSErrors
        logger.warning("The reminder of the run %s could not be mailed", run.pk, exc_info=True)
        cache.set(PAUSED, True, PAUSE_SECONDS)  # first, so that nobody tries again at once
        reminder.delete()
        return False
    record(workspace=run.workspace, action="reminder.sent", target=str(run.pk), recipients=len(addresses))
    return True


def _mail(run: Run, addresses: list[str]) -> EmailMessage:
    # A name may hold line breaks: no header may, and in the text they would pass for words of ours.
    name = " ".join(run.workspace.name.split())
    page = reverse("analyses:run", kwargs={"slug": run.workspace.slug, "run_id": run.pk})
    context = {
        "name": name,
        "question": " ".join(registry.get(KIND).describe(run.params).split()),
        "made": run.created_at.astimezone(run.workspace.zone),
        "days": STALE_AFTER.days,
        "link": f"{settings.SITE_URL}{page}",
    }
    return EmailMessage(
        subject=f"A media mix model of {name} is more than {STALE_AFTER.days} days old",
        body=render_to_string("weightings/mail/stale_model.txt", context),
        to=addresses,
    )
