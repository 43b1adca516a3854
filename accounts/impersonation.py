"""Viewing as somebody: a site admin sees the product as one of its people does, for a while, and changes nothing.

The session stays the site admin's, and says whom they view as. `accounts.impersonation_middleware` makes it so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone as clock

from accounts.audit import record
from accounts.models import User, Workspace
from mmm_project.problems import Conflict, Invalid, NotPermitted

LONGEST = timedelta(minutes=30)
LONGEST_REASON = 500
IN_SESSION = "viewing_as"


@dataclass(frozen=True)
class Viewing:
    """As whom a session views. `workspaces`: ids of those that know. `landing`: a slug. `until`: seconds since 1970."""

    person: int
    workspaces: list[int]
    landing: str
    until: float

    @property
    def until_time(self) -> datetime:
        return datetime.fromtimestamp(self.until, UTC)


@transaction.atomic
def start(*, session: SessionBase, person: User, reason: str, by: User, workspace: Workspace | None = None) -> Viewing:
    """View as `person` from this session's next request on, beginning with `workspace` or the one they joined first.

    Every workspace of theirs gets the trace, with the reason. Raises NotPermitted unless a superuser asks and the
    person is neither one nor a site admin, Conflict for who cannot sign in and where the session views as somebody
    already, and Invalid without a reason.
    """
    _require_superuser(by)
    if sentence := why_not(person):
        raise Conflict(sentence)
    if current(session) is not None:
        raise Conflict("You are viewing as somebody already. Stop that first.")
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid("Say why.", errors={"reason": [f"Say why, in at most {LONGEST_REASON} characters."]})
    joined = Workspace.objects.filter(memberships__user=person).order_by("memberships__created_at", "pk")
    homes = list(joined)
    known_to: list[Workspace | None] = [*homes] or [None]
    landing = workspace or (homes[0] if homes else None)
    viewing = Viewing(
        person=person.pk,
        workspaces=[home.pk for home in homes],
        landing=landing.slug if landing else "",
        until=(clock.now() + LONGEST).timestamp(),
    )
    until = viewing.until_time.isoformat(timespec="seconds")
    for home in known_to:
        record(
            workspace=home, action="impersonation.started", target=person.email, actor=by, reason=reason, until=until
        )
    session[IN_SESSION] = asdict(viewing)
    return viewing


@transaction.atomic
def stop(*, session: SessionBase, by: User | None, because: str) -> User | None:
    """View as nobody any more, and return whom it was; None where it was nobody, or somebody who is gone.

    What knows of the beginning gets to know of the end, and so does a workspace that the person has joined meanwhile.
    """
    viewing = current(session)
    session.pop(IN_SESSION, None)
    if viewing is None:
        return None
    person = User.objects.filter(pk=viewing.person).first()
    homes = Workspace.objects.filter(pk__in=viewing.workspaces)
    if person is not None:
        homes |= Workspace.objects.filter(memberships__user=person)
    target = person.email if person else f"user {viewing.person}"
    known_to: list[Workspace | None] = [*homes.distinct().order_by("pk")] or [None]
    for home in known_to:
        record(workspace=home, action="impersonation.ended", target=target, actor=by, because=because)
    return person


def current(session: SessionBase) -> Viewing | None:
    """Return as whom this session views."""
    kept: Mapping[str, Any] | None = session.get(IN_SESSION)
    return Viewing(**kept) if kept else None


def why_not(person: User) -> str:
    """Why nobody may view as this person; "" where a superuser may."""
    if person.is_staff or person.is_superuser:
        return f"{person.email} is a site admin. Nobody views as one."
    if not person.is_active:
        return f"{person.email} cannot sign in, so there is nothing that they see."
    return ""


def over_because(viewing: Viewing, *, by: User, person: User | None) -> str:
    """Why a session may go on no more; "" where it may. `by`: whose session it is."""
    if clock.now() >= viewing.until_time:
        return "the time was over"
    if not by.is_superuser:
        return "the site admin is no superuser any more"
    if person is None or why_not(person):
        return "the person cannot be viewed as any more"
    return ""


def _require_superuser(by: User) -> None:
    if not (by.is_active and by.is_superuser):
        raise NotPermitted("Only a superuser may view as somebody else.")


@receiver(user_logged_out)
def _note_the_end(request: HttpRequest | None, user: User | None, **_signal: object) -> None:
    """Leave the trace of the end also where the site admin's session ends, by itself or by their word."""
    if request is not None and user is not None and current(request.session) is not None:
        stop(session=request.session, by=user, because="the site admin was signed out")
