"""Every change to workspaces, members and plans: atomic, audited, the same for pages, admin and commands."""

from collections.abc import Collection, Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone as clock
from django.utils.text import slugify

from accounts.api_key_actions import revoke_keys_of_member
from accounts.audit import record
from accounts.closing import require_open
from accounts.defaults import holds_amounts
from accounts.models import RESERVED_SLUGS, ApiKey, Invitation, Membership, Plan, Role, Subscription, User, Workspace
from accounts.permissions import Permission, allows, roles_up_to
from accounts.plans import cheapest_plan
from accounts.seats import require_free_seat
from accounts.signals import workspace_created
from mmm_project.problems import Conflict, Invalid, NotFound

SLUG_ATTEMPTS = 5
SETTINGS = (
    "name",
    "currency",
    "timezone",
    "week_start",
    "period_days",
    "window_days",
    "confidence",
    "channel_grouping",
    "default_attribution_model",
    "keep_files_days",
)


@transaction.atomic
def create_workspace(
    *,
    name: str,
    owner: User,
    slug: str | None = None,
    plan: str | None = None,
    currency: str = "EUR",
    timezone: str = "UTC",
) -> Workspace:
    """Create a workspace with its owner; without a slug, it gets a free one made from its name.

    `plan`: the code of one; the cheapest unless it is said.

    Raises ValidationError (by field) for a slug in use, an unknown currency or time zone, and Invalid for the plan.
    """
    workspace = Workspace(name=name, slug=slug or "", currency=currency, timezone=timezone)
    if slug is None:
        workspace.full_clean(exclude={"slug"})
        _insert_under_a_free_slug(workspace)
    else:
        workspace.full_clean()
        workspace.save(force_insert=True)
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    chosen = cheapest_plan() if plan is None else _find_plan(plan)
    Subscription.objects.create(workspace=workspace, plan=chosen)
    record(workspace=workspace, action="workspace.created", target=workspace.slug, actor=owner, plan=chosen.code)
    workspace_created.send(sender=Workspace, workspace=workspace)
    return workspace


def available_slug(name: str) -> str:
    """Return a free slug made from `name`: "Blue Fox GmbH" gives "blue-fox-gmbh", or "blue-fox-gmbh-2" if taken."""
    stem = slugify(name)[:50].strip("-") or "workspace"
    taken = set(Workspace.objects.filter(slug__startswith=stem).values_list("slug", flat=True)) | RESERVED_SLUGS
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


@transaction.atomic
def change_settings(
    *, workspace: Workspace, values: Mapping[str, object], by: User | None, api_key: ApiKey | None = None
) -> set[str]:
    """Give settings their new values and return the names of those that changed; the audit log keeps old and new.

    Raises ValidationError (by field) for a value that cannot be, and Invalid for another currency once there are
    amounts in the present one.
    """
    # No amount can come in meanwhile: the row of its import would refer to this one.
    stored = Workspace.objects.select_for_update().get(pk=workspace.pk)
    changes = {}
    for name in SETTINGS:
        before = getattr(stored, name)
        if name in values and values[name] != before:
            setattr(stored, name, values[name])
            changes[name] = {"before": before, "after": values[name]}
    if not changes:
        return set()
    stored.full_clean(exclude={field.name for field in Workspace._meta.fields} - changes.keys())
    if "currency" in changes and holds_amounts(stored):
        sentence = "Amounts have been imported in the present currency, and they would not be converted."
        raise Invalid("The currency cannot be changed any more.", errors={"currency": [sentence]})
    stored.save(update_fields=list(changes))
    workspace.refresh_from_db(fields=list(changes))
    record(
        workspace=workspace,
        action="settings.changed",
        target=workspace.slug,
        actor=by,
        api_key=api_key,
        changes=changes,
    )
    return set(changes)


@transaction.atomic
def add_member(
    *, workspace: Workspace, user: User, role: Role, by: User | None, is_invited: bool = False
) -> Membership:
    """Add `user`, for whom a seat is held if they are invited.

    Raises Conflict for a member and for a workspace that is being deleted, and QuotaExceeded.
    """
    require_open(Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk))
    if not Membership.objects.filter(workspace=workspace, user=user).exists():
        require_free_seat(workspace, is_invited=is_invited)
    membership, created = Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": role})
    if not created:
        raise Conflict(f"{user.email} is already a member of {workspace.name}.")
    record(workspace=workspace, action="member.added", target=user.email, actor=by, role=role)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: User | None) -> None:
    """Give a member another role. Raises Conflict rather than leave the workspace without an owner.

    Invitations that they could not send in their new role are revoked. Raises NotFound if the person is no longer a
    member.
    """
    lock_and_reread(membership)
    if role != Role.OWNER:
        _keep_an_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    record(
        workspace=membership.workspace,
        action="member.role_changed",
        target=membership.user.email,
        actor=by,
        changes={"role": {"before": before, "after": role}},
    )
    may_invite = roles_up_to(role) if allows(role, Permission.MANAGE_MEMBERS) else []
    revoke_invitations_of_member(membership=membership, by=by, but=may_invite)


@transaction.atomic
def remove_member(*, membership: Membership, by: User | None) -> None:
    """End a membership, and the keys and invitations that the member made. Raises Conflict for the last owner.

    Raises NotFound if the person is no longer a member.
    """
    lock_and_reread(membership)
    _keep_an_owner(membership)
    revoke_keys_of_member(membership=membership, by=by)
    revoke_invitations_of_member(membership=membership, by=by)
    membership.delete()
    record(
        workspace=membership.workspace,
        action="member.removed",
        target=membership.user.email,
        actor=by,
        role=membership.role,
    )


@transaction.atomic
def set_plan(*, workspace: Workspace, plan: str, by: User | None) -> None:
    """Put the workspace on the plan with this code. Raises Invalid for an unknown plan.

    Nothing is deleted where the new plan includes less: see `accounts.plans`.
    """
    chosen = _find_plan(plan)
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    standing = Subscription.objects.filter(workspace=workspace).select_related("plan").first()
    before = standing.plan.code if standing else None
    if before == chosen.code:
        return
    Subscription.objects.update_or_create(workspace=workspace, defaults={"plan": chosen})
    record(
        workspace=workspace,
        action="plan.changed",
        target=chosen.code,
        actor=by,
        changes={"plan": {"before": before, "after": chosen.code}},
    )


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User | None) -> bool:
    """Take an invitation back; one that has been accepted or taken back stays as it is. Returns whether it was open."""
    open_one = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    was_open = bool(open_one.update(revoked_at=clock.now()))
    if was_open:
        record(workspace=invitation.workspace, action="invitation.revoked", target=invitation.email, actor=by)
    return was_open


def revoke_invitations_of_member(*, membership: Membership, by: User | None, but: Collection[Role] = ()) -> None:
    """Take back every open invitation that the member sent, except for those to the roles in `but`."""
    sent = Invitation.objects.filter(workspace=membership.workspace_id, invited_by=membership.user_id)
    for invitation in sent.filter(accepted_at=None, revoked_at=None).exclude(role__in=but).select_related("workspace"):
        revoke_invitation(invitation=invitation, by=by)


def _insert_under_a_free_slug(workspace: Workspace) -> None:
    """Insert the workspace; another one of the same name may take the slug in the same moment, so try a few."""
    for attempts_left in reversed(range(SLUG_ATTEMPTS)):
        workspace.slug = available_slug(workspace.name)
        try:
            with transaction.atomic():
                workspace.save(force_insert=True)
        except IntegrityError:
            if not attempts_left:
                raise
        else:
            return


def _find_plan(code: str) -> Plan:
    plan = Plan.objects.filter(code=code).first()
    if plan is None:
        known = ", ".join(Plan.objects.values_list("code", flat=True))
        raise Invalid("No such plan.", errors={"plan": [f"“{code}” is not a plan. Choose one of: {known}."]})
    return plan


def lock_and_reread(membership: Membership) -> None:
    """Let one transaction at a time change the workspace's members, and see the member's role as it is now."""
    Workspace.objects.select_for_update(no_key=True).get(pk=membership.workspace_id)
    try:
        membership.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist as error:
        raise NotFound("This person is no longer a member of the workspace.") from error


def _keep_an_owner(membership: Membership) -> None:
    """Raise Conflict if the locked and re-read `membership` is the last owner's."""
    owners = Membership.objects.filter(workspace=membership.workspace_id, role=Role.OWNER)
    if membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise Conflict("A workspace needs an owner. Make another member an owner first.")
