"""Places in a workspace, offered by mail: made, sent again, taken back, and accepted with the token of the mail."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone as clock
from django.utils.encoding import punycode

from accounts import actions, team
from accounts.audit import record
from accounts.models import AuditEvent, Invitation, Membership, Role, User, Workspace
from accounts.seats import require_free_seat
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted

logger = logging.getLogger(__name__)

LIFETIME = timedelta(days=7)
OPEN_AT_ONCE = 50
# Mails to strangers are a thing to be abused: this many leave a workspace a day, those that are sent again included.
SENT_A_DAY = 100
SENT = "invitation.sent"
TOKEN_BYTES = 32
IN_SESSION = "invitation"  # the token of the invitation that a visitor has come by


class Standing(Enum):
    """What has become of an invitation."""

    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Offer:
    """An invitation together with its token, which exists nowhere else and cannot be shown again."""

    invitation: Invitation
    token: str


def clean_address(text: str) -> str:
    """Return one address in the form in which addresses are compared: lower case, its domain in ASCII.

    Raises ValidationError for anything else, several addresses and such with line breaks among it.
    """
    address = text.strip(" ")
    if any(character in address for character in ",;") or address.count("@") > 1:
        raise ValidationError("Enter one address at a time.")
    if not address.isprintable() or " " in address:
        raise ValidationError("An address has neither spaces nor line breaks.")
    validate_email(address)
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{punycode(domain)}".lower()
    except UnicodeError:
        raise ValidationError("This domain does not exist.") from None


@transaction.atomic
def invite(*, workspace: Workspace, email: str, role: Role, by: Membership) -> Offer:
    """Offer a place in the workspace to whoever reads the mail of this address.

    Raises ValidationError for an unusable address, NotPermitted for a role above one's own, Conflict if the person is
    a member or has an invitation, QuotaExceeded if the plan has no seat left, and Invalid if too many are open.
    """
    address = clean_address(email)
    team.require_authority(by=by, over=[role])
    _refuse_member(workspace, address)
    standing = open_invitations(workspace)
    if standing.filter(email__iexact=address, expires_at__gt=clock.now()).exists():
        raise Conflict(f"{address} has been invited already. You can send the invitation again.")
    for expired in standing.filter(email__iexact=address):
        actions.revoke_invitation(invitation=expired, by=by.user)
    if standing.filter(expires_at__gt=clock.now()).count() >= OPEN_AT_ONCE:
        raise Invalid(f"{OPEN_AT_ONCE} invitations are open at most. Revoke one that is no longer needed.")
    require_free_seat(workspace)
    token = _new_token()
    invitation = Invitation.objects.create(
        workspace=workspace,
        email=address,
        role=role,
        digest=_digest(token),
        invited_by=by.user,
        expires_at=clock.now() + LIFETIME,
    )
    _note_sending(invitation, by)
    return Offer(invitation, token)


@transaction.atomic
def renew(*, invitation: Invitation, by: Membership) -> Offer:
    """Give an invitation that nobody has accepted a new token and a new week; the link of before ends.

    Raises Conflict if it has been accepted or revoked, NotPermitted for a role above one's own, and QuotaExceeded if it
    has expired and the plan has no seat left for it.
    """
    team.require_authority(by=by, over=[invitation.role])
    _refuse_member(invitation.workspace, invitation.email)
    if standing_of(invitation) is Standing.EXPIRED:
        require_free_seat(invitation.workspace)
    token, expires_at = _new_token(), clock.now() + LIFETIME
    fields = {"digest": _digest(token), "expires_at": expires_at, "invited_by": by.user}
    if not open_invitations(invitation.workspace).filter(pk=invitation.pk).update(**fields):
        raise Conflict("This invitation has been accepted or revoked in the meantime.")
    invitation.refresh_from_db()
    _note_sending(invitation, by)
    return Offer(invitation, token)


def send(*, offer: Offer, link: str) -> bool:
    """Mail the invitation and return whether a mail server took it; without one, or where it fails, it did not."""
    invitation = offer.invitation
    # A name may hold line breaks: no header may, and in the text they would pass for words of ours.
    name = " ".join(invitation.workspace.name.split())
    context = {"invitation": invitation, "name": name, "link": link, "role": invitation.get_role_display().lower()}
    mail = EmailMessage(
        subject=f"Invitation to {name}",
        body=render_to_string("accounts/mail/invitation.txt", context),
        to=[invitation.email],
    )
    try:
        mail.send()
    except (OSError, UnicodeError):  # smtplib's errors are OSErrors
        logger.warning("The invitation %s could not be mailed", invitation.pk, exc_info=True)
        return False
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def open_invitations(workspace: Workspace) -> QuerySet[Invitation]:
    """Return those that nobody has accepted or revoked, also the expired ones, newest first."""
    return Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None).order_by("-created_at")


def find(*, token: str) -> Invitation | None:
    """Return the invitation that this is the token of."""
    known = Invitation.objects.select_related("workspace", "invited_by")
    return known.filter(digest=_digest(token)).first()


def find_open(*, workspace: Workspace, invitation_id: int) -> Invitation:
    """Return an invitation of the workspace that can be sent again or revoked. Raises NotFound."""
    found = open_invitations(workspace).select_related("workspace").filter(pk=invitation_id)
    invitation = found.first() if invitation_id < 2**63 else None
    if invitation is None:
        raise NotFound("There is no such invitation in this workspace, or it has been accepted or revoked.")
    return invitation


def standing_of(invitation: Invitation) -> Standing:
    if invitation.accepted_at is not None:
        return Standing.ACCEPTED
    if invitation.revoked_at is not None:
        return Standing.REVOKED
    return Standing.OPEN if invitation.expires_at > clock.now() else Standing.EXPIRED


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the invitation went to the address that the user signs in with, or to another that they have verified."""
    verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return any(_same(invitation.email, address) for address in [user.email, *verified])


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership:
    """Make the user a member.

    Raises NotPermitted for another person's invitation, Conflict for one that ended, and QuotaExceeded where the plan
    has become smaller since.
    """
    if not is_for(invitation, user):
        raise NotPermitted(f"This invitation is for {invitation.email}, and you are signed in as {user.email}.")
    # As everywhere, the workspace is locked before what is in it.
    Workspace.objects.select_for_update(no_key=True).get(pk=invitation.workspace_id)
    usable = open_invitations(invitation.workspace).filter(pk=invitation.pk, expires_at__gt=clock.now())
    if not usable.update(accepted_at=clock.now()):
        raise Conflict("This invitation has expired, or has been accepted or revoked. Ask for a new one.")
    record(workspace=invitation.workspace, action="invitation.accepted", target=invitation.email, actor=user)
    role = Role(invitation.role)
    return actions.add_member(
        workspace=invitation.workspace, user=user, role=role, by=invitation.invited_by, is_invited=True
    )


def _refuse_member(workspace: Workspace, address: str) -> None:
    members = workspace.members.values_list("email", flat=True)
    if any(_same(address, member) for member in members):
        raise Conflict(f"{address} is already a member of {workspace.name}.")


def _same(address: str, other: str) -> bool:
    try:
        return clean_address(address) == clean_address(other)
    except ValidationError:
        return address.lower() == other.lower()


def _note_sending(invitation: Invitation, by: Membership) -> None:
    """Note that a mail goes out. Raises Invalid if it would be one too many today."""
    since = clock.now() - timedelta(days=1)
    if AuditEvent.objects.filter(workspace=invitation.workspace, action=SENT, at__gt=since).count() >= SENT_A_DAY:
        raise Invalid(f"This workspace has sent {SENT_A_DAY} invitations within a day. Go on tomorrow.")
    record(
        workspace=invitation.workspace,
        action=SENT,
        target=invitation.email,
        actor=by.user,
        role=invitation.role,
        expires_at=invitation.expires_at.isoformat(),
    )


def _new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def _digest(token: str) -> str:
    """The token is as long as a key, so that a plain hash of it gives nothing away."""
    return hashlib.sha256(token.encode()).hexdigest()
