"""API keys in every state in which a page shows them."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from accounts.actions import add_member, change_role
from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.models import ApiKey, Role, User, Workspace
from accounts.scopes import Scope

DAY = dt.timedelta(days=1)


def api_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Give the shop keys that work, that take over from another one, and that have ended; return one as `key_id`."""

    def create(name: str, *scopes: str, days: int = 0) -> ApiKey:
        expires_at = timezone.now() + days * DAY if days else None
        return create_api_key(workspace=shop, created_by=owner, name=name, scopes=scopes, expires_at=expires_at)[0]

    key = create("Warehouse", "data:read", "touchpoints:write", "spend:write", days=90)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    everything = create("Everything that there is, done by a program whose name is long", *Scope.values, days=365)
    rotate_api_key(key=everything, overlap=DAY, by=owner)
    revoke_api_key(key=create("Of last year", "runs:read"), by=owner)
    expired = create("A trial", "runs:read", "runs:write", days=30)
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - DAY)
    return {"key_id": key.pk}


def api_cases(shop: Workspace, owner: User) -> dict[str, Mapping[str, object]]:
    """Add a key of somebody whose role does not allow it all any more."""
    planner = User.objects.create_user("planner@example.com")
    membership = add_member(workspace=shop, user=planner, role=Role.ADMIN, by=owner)
    scopes = ["runs:read", "runs:write"]
    key, _text = create_api_key(workspace=shop, created_by=planner, name="Planning", scopes=scopes)
    change_role(membership=membership, role=Role.ANALYST, by=owner)
    return {"of somebody else": {"slug": shop.slug, "key_id": key.pk}}
