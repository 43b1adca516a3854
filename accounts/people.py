"""What a site admin does for a person, or about one. Each leaves a trace in the person's workspaces."""

import logging

from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone as clock

from accounts.audit import Changes
from accounts.models import Membership, Role, User, Workspace
from accounts.site_admins import record_about
from mmm_project.problems import Conflict, NotPermitted

logger = logging.getLogger(__name__)

SESSIONS_AT_ONCE = 500


@transaction.atomic
def deactivate(*, person: User, by: User) -> bool:
    """Let somebody sign in no more, end their sessions, and let their API keys be refused; False if so already.

    Raises Conflict for oneself. As all that follows, NotPermitted about other site admins, unless by a superuser.
    """
    _require_standing(by, person)
    if person.pk == by.pk:
        raise Conflict("You cannot deactivate yourself. Ask another site admin.")
    if not User.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
        return False
    _delete_sessions(person)
    record_about(person, action="user.deactivated", by=by)
    return True


@transaction.atomic
def reactivate(*, person: User, by: User) -> bool:
    """Let somebody sign in again; False if they can."""
    _require_standing(by, person)
    if not User.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
        return False
    record_about(person, action="user.reactivated", by=by)
    return True


def left_without_owner(person: User) -> list[Workspace]:
    """Return the workspaces that nobody but this person can sign in to as an owner."""
    owned = Workspace.objects.filter(memberships__user=person, memberships__role=Role.OWNER)
    others = Membership.objects.filter(role=Role.OWNER, user__is_active=True).exclude(user=person)
    return list(owned.exclude(pk__in=others.values("workspace")).order_by("name"))


@transaction.atomic
def end_sessions(*, person: User, by: User) -> int:
    """Sign somebody out everywhere; return in how many browsers they were signed in."""
    _require_standing(by, person)
    ended = _delete_sessions(person)
    record_about(person, action="user.sessions_ended", by=by, sessions=ended)
    return ended


@transaction.atomic
def reset_second_factor(*, person: User, by: User) -> bool:
    """Forget somebody's authenticator app and recovery codes, so that their password lets them in; tell them by mail.

    For somebody who has lost both: make sure first that it is they who ask. False if they have none.
    """
    _require_standing(by, person)
    factors = Authenticator.objects.filter(user=person)
    kinds = sorted(factors.values_list("type", flat=True))
    if not kinds:
        return False
    factors.delete()
    record_about(person, action="user.second_factor_reset", by=by, factors=kinds)
    transaction.on_commit(lambda: _tell_of_reset(person))
    return True


def send_password_reset(*, person: User, by: User, request: HttpRequest) -> None:
    """Mail somebody a link by which they choose a new password. Raises Conflict where that leads nowhere.

    `request`: the link leads to the host that it came to.
    """
    _require_standing(by, person)
    form = ResetPasswordForm({"email": person.email})
    if not person.is_active or not form.is_valid() or person not in form.users:
        raise Conflict(f"{person.email} cannot sign in, so a new password would help nobody. Reactivate them first.")
    try:
        form.save(request)
    except OSError as error:  # smtplib's errors are OSErrors
        logger.warning("A link for a new password could not be mailed", exc_info=True)
        raise Conflict("The mail server did not take the message. The status page says how mail stands.") from error
    record_about(person, action="user.password_reset_sent", by=by)


@transaction.atomic
def confirm_address(*, address: EmailAddress, by: User) -> bool:
    """Take an address for confirmed without the mail that asks for it; False if it is. Raises Conflict if it is taken.

    For where mails do not arrive: make sure first that the address is theirs.
    """
    _require_standing(by, address.user)
    if address.verified:
        return False
    if not address.set_verified():
        raise Conflict(f"Somebody else has confirmed {address.email} as theirs.")
    record_about(address.user, action="user.address_confirmed", by=by, address=address.email)
    return True


def note_edit(*, person: User, changes: Changes, is_new: bool, by: User) -> None:
    """Leave the trace of a form of the admin, in the transaction that saves it.

    With a new address in the old one's place, the old one signs nobody in any more.
    """
    if is_new:
        record_about(person, action="user.created", by=by, changes=changes)
        return
    if "email" in changes:
        EmailAddress.objects.filter(user=person, email__iexact=changes["email"]["before"]).delete()
    record_about(person, action="user.edited", by=by, changes=changes)


def _require_standing(by: User, person: User) -> None:
    """Raise NotPermitted unless `by` may decide about this person: about site admins only superusers do."""
    if person.is_staff and person.pk != by.pk and not by.is_superuser:
        raise NotPermitted(f"{person.email} is a site admin, about whom only a superuser decides.")


def _tell_of_reset(person: User) -> None:
    """Mail the person, who may know nothing of it. A failure is logged: the trace stands in the audit log."""
    mail = EmailMessage(
        subject="Your second factor was reset",
        body=render_to_string("accounts/mail/second_factor_reset.txt", {"person": person}),
        to=[EmailAddress.objects.get_primary_email(person) or person.email],
    )
    try:
        mail.send()
    except (OSError, UnicodeError):
        logger.warning("A mail about a second factor could not be sent", exc_info=True)


def _delete_sessions(person: User) -> int:
    """Delete the sessions that are somebody's: they say whose they are only inside."""
    theirs = [
        session.pk
        for session in Session.objects.filter(expire_date__gt=clock.now()).iterator(SESSIONS_AT_ONCE)
        if session.get_decoded().get(SESSION_KEY) == str(person.pk)
    ]
    for start in range(0, len(theirs), SESSIONS_AT_ONCE):
        Session.objects.filter(pk__in=theirs[start : start + SESSIONS_AT_ONCE]).delete()
    return len(theirs)
