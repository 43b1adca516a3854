"""The site admin's view of people, workspaces and plans. What must leave a trace goes through `accounts.actions`."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.actions import revoke_api_key, revoke_invitations_of_member, revoke_keys_of_member
from accounts.audit import record
from accounts.defaults import holds_amounts
from accounts.models import ApiKey, AuditEvent, Membership, Plan, Role, Subscription, User, Workspace
from mmm_project.read_only_admin import ReadOnlyAdmin


class MembershipFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # not generic at run time
    """A workspace keeps at least one owner."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and form not in self.deleted_forms]
        if not any(row.get("role") == Role.OWNER for row in kept):
            raise ValidationError("A workspace needs an owner.")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """A workspace's members."""

    model = Membership
    formset = MembershipFormSet
    autocomplete_fields = ("user",)
    extra = 0


class UserMembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Where a user is a member; changed on the workspace's page, which looks after the last owner."""

    model = Membership
    fields = readonly_fields = ("workspace", "role", "created_at")
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


class SubscriptionInline(admin.TabularInline):  # type: ignore[type-arg]
    """The workspace's plan."""

    model = Subscription
    readonly_fields = ("started_at",)
    can_delete = False
    min_num = extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """People; no user names anywhere."""

    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "memberships__role")
    search_fields = ("email", "first_name", "last_name", "memberships__workspace__name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        """People leave by `is_active`: deleting one would leave workspaces without an owner."""
        return False

    def get_inlines(self, _request: HttpRequest, user: User | None) -> tuple[type[UserMembershipInline], ...]:
        return (UserMembershipInline,) if user else ()


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Workspaces with their members and plan; made by the page or the command, which give them goals."""

    list_display = ("name", "slug", "plan", "member_count", "currency", "timezone", "created_at")
    list_filter = ("subscription__plan", "currency")
    search_fields = ("name", "slug", "members__email")
    readonly_fields = ("created_at",)
    inlines = (SubscriptionInline, MembershipInline)
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        rows: QuerySet[Workspace] = super().get_queryset(request)
        return rows.select_related("subscription__plan").annotate(members_total=Count("memberships", distinct=True))

    @admin.display(ordering="subscription__plan__rank")
    def plan(self, workspace: Workspace) -> str:
        subscription: Subscription | None = getattr(workspace, "subscription", None)
        return subscription.plan.name if subscription else ""

    @admin.display(description="members", ordering="members_total")
    def member_count(self, workspace: Any) -> int:
        count: int = workspace.members_total
        return count

    def get_readonly_fields(self, request: HttpRequest, workspace: Workspace | None = None) -> tuple[str, ...]:
        """Amounts that have been imported would not be converted: see `accounts.actions.change_settings`."""
        fixed = ("currency",) if workspace and holds_amounts(workspace) else ()
        return (*self.readonly_fields, *fixed)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name what goes without listing it: there may be millions of rows, and some of them only go together."""
        going = [f"{workspace} and everything in it" for workspace in objs]
        return going, {"workspaces": len(going)}, set(), []

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        by = request.user if isinstance(request.user, User) else None
        for membership in formset.deleted_objects:
            revoke_keys_of_member(membership=membership, by=by)
            revoke_invitations_of_member(membership=membership, by=by)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        changed = [*form.changed_data, *(formset.prefix for formset in formsets if formset.has_changed())]
        if changed:
            record(
                workspace=form.instance,
                action="workspace.changed_in_admin",
                target=form.instance.slug,
                actor=request.user if isinstance(request.user, User) else None,
                changed=changed,
            )


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Plans and their entitlements."""

    list_display = ("name", "code", "rank", "features", "concurrent_fits", "max_rows")
    search_fields = ("name", "code")
    ordering = ("rank",)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Keys, to look at and to revoke; never their secret nor its hash."""

    list_display = (
        "name",
        "prefix",
        "workspace",
        "created_by",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("revoked_at", "expires_at", "workspace")
    search_fields = ("name", "lookup", "workspace__name", "created_by__email")
    list_select_related = ("workspace", "created_by")
    readonly_fields = fields = (
        "name",
        "prefix",
        "workspace",
        "created_by",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    actions = ("revoke",)

    @admin.display(description="key")
    def prefix(self, key: ApiKey) -> str:
        return f"mmm_{key.lookup}...{key.last4}"

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            revoke_api_key(key=key, by=request.user if isinstance(request.user, User) else None)
        self.message_user(request, "The keys no longer work.")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit log, to read."""

    list_display = ("at", "workspace", "action", "target", "actor", "api_key")
    list_filter = ("action", "workspace")
    search_fields = ("action", "target", "actor__email", "workspace__name")
    list_select_related = ("workspace", "actor", "api_key")
    date_hierarchy = "at"
