"""API keys in the admin, to look at and to revoke; never their text nor its hash."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone as clock

from accounts.api_key_actions import revoke_api_key
from accounts.models import ApiKey
from accounts.site_admins import acting
from mmm_project.admin_links import by_workspace, link_to
from mmm_project.admin_rows import row_action
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = (
        *("name", "key", link_to("workspace"), link_to("created_by"), "state", "created_at", "expires_at"),
        "last_used_at",
    )
    list_filter = (
        ("revoked_at", admin.EmptyFieldListFilter),
        ("last_used_at", admin.EmptyFieldListFilter),
        by_workspace,
    )
    search_fields = ("name", "lookup", "workspace__name", "workspace__slug", "created_by__email")
    list_select_related = ("workspace", "created_by")
    date_hierarchy = "created_at"
    fields = (
        *("name", "key", "workspace", "created_by", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at"),
        "rotated_from",
    )
    actions = ("revoke",)

    @admin.display(ordering="lookup")
    def key(self, key: ApiKey) -> str:
        return f"mmm_{key.lookup}...{key.last4}"

    @admin.display
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        return "expired" if key.expires_at and key.expires_at <= clock.now() else "valid"

    @row_action("Revoke", applies=lambda key: key.revoked_at is None)
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        by = acting(request)
        rows = keys.select_related("workspace")
        self.carry_out(request, rows, lambda key: revoke_api_key(key=key, by=by), done="Keys that no longer work")
