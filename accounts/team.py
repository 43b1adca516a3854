"""Who belongs to a workspace, and what one member may do about another: never more than their own role allows."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from accounts import actions
from accounts.audit import record
from accounts.models import Membership, Role, User, Workspace
from accounts.permissions import Permission, allows, roles_up_to
from mmm_project.problems import NotFound, NotPermitted


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member as another one sees them; `roles` are those that the other may give them, none if they may not."""

    membership: Membership
    is_you: bool
    roles: list[tuple[str, str]]

    @property
    def email(self) -> str:
        return self.membership.user.email

    @property
    def may_be_removed(self) -> bool:
        return bool(self.roles) and not self.is_you


def members_seen_by(membership: Membership) -> list[Member]:
    """Return the members of the workspace, the mightiest first, and of each what `membership` may do; one query."""
    others = Membership.objects.filter(workspace=membership.workspace_id).select_related("user")
    order = list(Role)
    return [
        Member(
            membership=other,
            is_you=other.pk == membership.pk,
            roles=[(role.value, role.label) for role in _may_give(membership, to=other)],
        )
        for other in sorted(others, key=lambda other: (order.index(Role(other.role)), other.user.email))
    ]


def _may_give(by: Membership, *, to: Membership) -> list[Role]:
    """Return the roles that `by` may give; none to somebody whose role is above their own."""
    roles = roles_up_to(by.role)
    return roles if allows(by.role, Permission.MANAGE_MEMBERS) and to.role in roles else []


def find_member(*, workspace: Workspace, membership_id: int) -> Membership:
    """Return a member of the workspace. Raises NotFound."""
    found = Membership.objects.select_related("user", "workspace").filter(workspace=workspace, pk=membership_id)
    membership = found.first() if membership_id < 2**63 else None
    if membership is None:
        raise NotFound("This person is not a member of the workspace (any more).")
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Membership) -> None:
    """Give a member another role, up to one's own. Raises NotPermitted, and Conflict for the last owner."""
    require_authority(by=by, over=[role])
    _require_authority_over(membership, by)
    actions.change_role(membership=membership, role=role, by=by.user)


@transaction.atomic
def remove(*, membership: Membership, by: Membership) -> None:
    """End the membership of somebody whose role is not above one's own. Raises NotPermitted, and Conflict."""
    require_authority(by=by)
    _require_authority_over(membership, by)
    actions.remove_member(membership=membership, by=by.user)


def leave(*, membership: Membership) -> None:
    """End one's own membership. Raises Conflict for the last owner."""
    actions.remove_member(membership=membership, by=membership.user)


@transaction.atomic
def transfer(*, to: Membership, by: Membership) -> None:
    """Make another member an owner in one's own place; the owner of before becomes an admin. Raises NotPermitted."""
    actions.lock_and_reread(by)
    if not allows(by.role, Permission.TRANSFER):
        raise NotPermitted("Only an owner can transfer the workspace.")
    actions.change_role(membership=to, role=Role.OWNER, by=by.user)
    actions.change_role(membership=by, role=Role.ADMIN, by=by.user)
    record(workspace=by.workspace, action="workspace.transferred", target=to.user.email, actor=by.user)


def require_authority(*, by: Membership, over: Iterable[str] = ()) -> None:
    """Hold the workspace's members still until the transaction ends, and see what `by` may do now.

    Raises NotPermitted unless they manage members, and for a role in `over` that is above their own.
    """
    actions.lock_and_reread(by)
    if not allows(by.role, Permission.MANAGE_MEMBERS):
        raise NotPermitted("Only an owner or admin of the workspace can manage its members.")
    above = [Role(role) for role in over if role not in roles_up_to(by.role)]
    if above:
        raise NotPermitted(f"Your role does not allow you to decide about the role of {above[0].label.lower()}.")


def _require_authority_over(membership: Membership, by: Membership) -> None:
    """As `require_authority`, of the role that the member has now."""
    actions.lock_and_reread(membership)
    require_authority(by=by, over=[membership.role])


def memberships_to_transfer_to(workspace: Workspace, *, by: User) -> list[Membership]:
    """Return the members besides oneself, by address."""
    others = Membership.objects.filter(workspace=workspace).exclude(user=by).select_related("user")
    return list(others.order_by("user__email"))


def owners_of(workspace: Workspace) -> list[str]:
    """Return the addresses of the workspace's owners: whom others ask for what only owners may do."""
    owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER, user__is_active=True)
    return list(owners.order_by("user__email").values_list("user__email", flat=True))
