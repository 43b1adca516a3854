"""People in the admin: who they are, where they belong, and what can be done for them."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html_join

from accounts import impersonation, people
from accounts.actions import revoke_invitation
from accounts.admin.edits import edits
from accounts.audit import record
from accounts.models import Invitation, Membership, User
from accounts.site_admins import acting
from mmm_project.admin_links import by_workspace, link_to, links, list_of
from mmm_project.admin_rows import RowsAdmin, answer, row_action
from mmm_project.problems import Problem
from mmm_project.read_only_admin import ReadOnlyAdmin

# Their forms show and change, without a trace, what lets people in: authenticators' secrets in the clear among it.
for model in (Authenticator, EmailAddress, Group):
    admin.site.unregister(model)


class ReasonForm(forms.Form):
    """Asks for the reason of looking at the product as somebody else."""

    reason = forms.CharField(
        label="Why?",
        max_length=impersonation.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The owners of the person's workspaces read it in their audit log.",
    )


class ViewsAs(RowsAdmin):
    """An admin from whose rows a superuser can look at the product as the person whom a row is about."""

    def has_impersonate_permission(self, request: HttpRequest) -> bool:
        return acting(request).is_superuser

    @row_action("View as…", permission="impersonate", applies=lambda row: not impersonation.why_not(_person(row)))
    def view_as(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        chosen = list(rows[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one person to view as.", messages.ERROR)
            return None
        person, workspace = _person(chosen[0]), getattr(chosen[0], "workspace", None)
        form = answer(ReasonForm, request)
        if not form.is_valid():
            return self.ask(
                request,
                rows,
                form=form,
                title=f"View as {person.email}",
                sentence="For 30 minutes you see the product as they do, and can change nothing. Every workspace of "
                "theirs keeps a record of it.",
                button="View as them",
            )
        try:
            impersonation.start(
                session=request.session,
                person=person,
                reason=form.cleaned_data["reason"],
                by=acting(request),
                workspace=workspace,
            )
        except Problem as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return None
        return redirect("home")


def _person(row: User | Membership) -> User:
    return row.user if isinstance(row, Membership) else row


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A person without their password, which is theirs alone."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "is_staff", "is_superuser", "groups", "user_permissions")

    def clean_email(self) -> str:
        return User.objects.normalize_email(self.cleaned_data["email"])


class MembershipsInline(admin.TabularInline):  # type: ignore[type-arg]
    """Where a person is a member; changed on the workspace's page, which looks after the last owner."""

    model = Membership
    fields = readonly_fields = ("workspace", "role", "created_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("workspace", "user").order_by("workspace__name")


@admin.register(User)
class UserAdmin(ViewsAs, DjangoUserAdmin):  # type: ignore[type-arg]
    """People; no user names anywhere, and nobody sets another one's password."""

    form = UserForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login", "workspace_count")
    list_filter = ("is_active", "is_staff", "is_superuser", "memberships__role")
    search_fields = ("email", "first_name", "last_name", "memberships__workspace__name")
    date_hierarchy = "date_joined"
    ordering = ("email",)
    readonly_fields: ClassVar = ("can_sign_in", "last_login", "date_joined", "second_factor", "addresses", "trail")
    fieldsets: ClassVar = (
        (None, {"fields": ("email", "first_name", "last_name", "trail")}),
        ("Signing in", {"fields": ("can_sign_in", "last_login", "date_joined", "addresses", "second_factor")}),
        ("Site administration", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)
    actions = (
        "deactivate",
        "reactivate",
        "send_password_reset",
        "end_sessions",
        "reset_second_factor",
        "view_as",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(workspaces_total=Count("memberships", distinct=True))

    @admin.display(ordering="first_name")
    def name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description="workspaces", ordering="workspaces_total")
    def workspace_count(self, person: Any) -> int:
        count: int = person.workspaces_total
        return count

    @admin.display(boolean=True)
    def can_sign_in(self, person: User) -> bool:
        return person.is_active

    @admin.display(description="second factor")
    def second_factor(self, person: User) -> str:
        factors = Authenticator.objects.filter(user=person).order_by("type").defer("data")
        return "; ".join(
            f"{factor.get_type_display()} since {factor.created_at:%-d %b %Y}, "
            + (f"last used {factor.last_used_at:%-d %b %Y}" if factor.last_used_at else "never used")
            for factor in factors
        )

    @admin.display(description="addresses")
    def addresses(self, person: User) -> str:
        known = EmailAddress.objects.filter(user=person).order_by("email")
        rows = [
            (list_of("account.emailaddress", q=one.email), one.email, "" if one.verified else " (unconfirmed)")
            for one in known
        ]
        return format_html_join(", ", '<a href="{}">{}</a>{}', rows)

    @admin.display(description="audit log")
    def trail(self, person: User) -> str:
        return links(
            ("What they did", list_of("accounts.auditevent", actor__id__exact=person.pk)),
            ("What was done about them", list_of("accounts.auditevent", q=person.email)),
        )

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        """People leave by being deactivated: deleting one would leave workspaces without an owner."""
        return False

    def get_inlines(self, _request: HttpRequest, person: User | None) -> tuple[type[MembershipsInline], ...]:
        return (MembershipsInline,) if person else ()

    def get_readonly_fields(self, request: HttpRequest, person: User | None = None) -> tuple[str, ...]:
        """Who administers the site is for superusers to say: others could make themselves one."""
        rights = ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *(() if acting(request).is_superuser else rights))

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    def has_change_permission(self, request: HttpRequest, person: User | None = None) -> bool:
        """About a site admin only superusers decide."""
        if person is not None and person.is_staff and not acting(request).is_superuser:
            return False
        return bool(super().has_change_permission(request, person))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "user_permissions":
            options["queryset"] = db_field.remote_field.model.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **options)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if changes := edits(form):
            people.note_edit(person=form.instance, changes=changes, is_new=not change, by=acting(request))

    @row_action("Deactivate…", applies=lambda person: person.is_active)
    def deactivate(self, request: HttpRequest, persons: QuerySet[User]) -> HttpResponse | None:
        form = answer(forms.Form, request)
        if not form.is_valid():
            alone = sorted({one.name for person in persons[:20] for one in people.left_without_owner(person)})
            nobody = f" Nobody else is an owner of {', '.join(alone)}." if alone else ""
            sentence = f"They are signed out and cannot sign in, and their API keys are refused.{nobody}"
            return self.ask(request, persons, title="Deactivate people", sentence=sentence, button="Deactivate")
        by = acting(request)
        self.carry_out(request, persons, lambda person: people.deactivate(person=person, by=by), done="Deactivated")
        return None

    @row_action("Reactivate", applies=lambda person: not person.is_active)
    def reactivate(self, request: HttpRequest, persons: QuerySet[User]) -> None:
        by = acting(request)
        self.carry_out(request, persons, lambda person: people.reactivate(person=person, by=by), done="Reactivated")

    @row_action("Mail a link for a new password", applies=lambda person: person.is_active)
    def send_password_reset(self, request: HttpRequest, persons: QuerySet[User]) -> None:
        def send(person: User) -> None:
            people.send_password_reset(person=person, by=acting(request), request=request)

        self.carry_out(request, persons, send, done="Links mailed")

    @row_action("End all sessions", applies=lambda person: person.is_active)
    def end_sessions(self, request: HttpRequest, persons: QuerySet[User]) -> None:
        def end(person: User) -> None:
            people.end_sessions(person=person, by=acting(request))

        self.carry_out(request, persons, end, done="Signed out everywhere")

    @row_action("Reset the second factor…")
    def reset_second_factor(self, request: HttpRequest, persons: QuerySet[User]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = (
                "Their authenticator app and recovery codes stop working, and their password alone signs them in. Make "
                "sure first that it is they who ask: call them, or ask an owner of theirs. They are told by mail."
            )
            return self.ask(request, persons, title="Reset second factors", sentence=sentence, button="Reset")
        by = acting(request)
        self.carry_out(request, persons, lambda one: people.reset_second_factor(person=one, by=by), done="Reset")
        return None


@admin.register(Membership)
class MembershipAdmin(ViewsAs, ReadOnlyAdmin):
    """Who belongs where; roles are changed on the workspace's page."""

    list_display = ("__str__", link_to("user"), link_to("workspace"), "role", "created_at")
    list_filter = ("role", by_workspace)
    search_fields = ("user__email", "workspace__name", "workspace__slug")
    list_select_related = ("user", "workspace")
    date_hierarchy = "created_at"
    actions = ("view_as",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Places that were offered by mail; never the digest of their link."""

    list_display = ("email", link_to("workspace"), "role", "invited_by", "created_at", "expires_at", "state")
    list_filter = ("role", by_workspace)
    search_fields = ("email", "workspace__name", "workspace__slug", "invited_by__email")
    list_select_related = ("workspace", "invited_by")
    date_hierarchy = "created_at"
    fields = ("workspace", "email", "role", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at")
    actions = ("revoke",)

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at:
            return "accepted"
        return "revoked" if invitation.revoked_at else "open"

    @row_action("Revoke", applies=lambda invitation: not (invitation.accepted_at or invitation.revoked_at))
    def revoke(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> None:
        by = acting(request)
        self.carry_out(request, invitations, lambda one: revoke_invitation(invitation=one, by=by), done="Revoked")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Addresses by which people sign in."""

    list_display = ("email", link_to("user"), "verified", "primary")
    list_filter = ("verified", "primary")
    search_fields = ("email", "user__email")
    list_select_related = ("user",)
    actions = ("confirm",)

    @row_action("Take for confirmed…", applies=lambda address: not address.verified)
    def confirm(self, request: HttpRequest, addresses: QuerySet[EmailAddress]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = "For where the mail that asks for it does not arrive. Make sure that the address is theirs."
            return self.ask(request, addresses, title="Confirm addresses", sentence=sentence, button="Confirm")
        by = acting(request)
        self.carry_out(request, addresses, lambda one: people.confirm_address(address=one, by=by), done="Confirmed")
        return None


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """What site admins who are no superusers may do, by group: for superusers to say, as with people's own rights."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return acting(request).is_superuser

    def has_change_permission(self, request: HttpRequest, _group: Group | None = None) -> bool:
        return acting(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, _group: Group | None = None) -> bool:
        return acting(request).is_superuser

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if changes := edits(form):
            by, name = acting(request), form.instance.name
            if change:
                record(workspace=None, action="group.edited", target=name, actor=by, changes=changes)
            else:
                record(workspace=None, action="group.created", target=name, actor=by, changes=changes)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, group: Group) -> None:
        record(workspace=None, action="group.deleted", target=group.name, actor=acting(request))
        super().delete_model(request, group)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, groups: QuerySet[Group]) -> None:
        for group in groups:
            record(workspace=None, action="group.deleted", target=group.name, actor=acting(request))
        super().delete_queryset(request, groups)
