"""Workspaces in the admin: their settings, plan and members, and the way to all that they hold."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch

from accounts.actions import add_member, change_role, change_settings, remove_member
from accounts.defaults import LONGEST_PERIOD_DAYS, LONGEST_WINDOW_DAYS, Choices, attribution_models, holds_amounts
from accounts.models import Membership, Plan, Role, Subscription, User, Workspace
from accounts.plan_requests import give_plan
from accounts.plans import plan_of
from accounts.site_admins import acting
from accounts.usage import Used, usage_of
from mmm_project.admin_links import link_to, links, list_of
from mmm_project.admin_rows import RowsAdmin, answer, row_action
from mmm_project.problems import Problem
from mmm_project.read_only_admin import ReadOnlyAdmin

# What a workspace holds: how its page calls it, and the model. What is not in the admin (yet) is left out.
HELD = (
    ("Members", "accounts.Membership"),
    ("Invitations", "accounts.Invitation"),
    ("API keys", "accounts.ApiKey"),
    ("Plan requests", "accounts.PlanRequest"),
    ("Runs", "analyses.Run"),
    ("Jobs", "jobs.Job"),
    ("Imports", "marketing.Import"),
    ("Uploads", "marketing.Upload"),
    ("Schedules", "reports.Schedule"),
    ("Editions", "reports.Edition"),
    ("Deliveries", "reports.Delivery"),
    ("Alerts", "reports.Alert"),
    ("Webhooks", "webhooks.Endpoint"),
    ("Audit events", "accounts.AuditEvent"),
)


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A workspace's settings, and its plan."""

    plan = forms.ModelChoiceField(Plan.objects.order_by("rank"), empty_label=None)
    period_days = forms.IntegerField(label="Time period, last N days", min_value=1, max_value=LONGEST_PERIOD_DAYS)
    window_days = forms.IntegerField(label="Lookback window in days", min_value=1, max_value=LONGEST_WINDOW_DAYS)
    default_attribution_model = forms.ChoiceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "plan" in self.fields:
            self.fields["plan"].initial = plan_of(self.instance)
        if model := cast("forms.ChoiceField | None", self.fields.get("default_attribution_model")):
            model.choices = _models_for(self.instance)


def _models_for(workspace: Workspace) -> Choices:
    """The models that the workspace may have as its default, by group, and the present one if that is among no more."""
    groups, present = attribution_models(workspace), workspace.default_attribution_model
    if any(name == present for _group, choices in groups for name, _label in choices):
        return groups
    return [*groups, ("No longer offered", [(present, present)])]


class MemberForm(forms.Form):
    """Asks whom to add to a workspace."""

    email = forms.EmailField(label="E-mail address", help_text="Of somebody who has an account.")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)

    def clean_email(self) -> User:
        person = User.objects.filter(email__iexact=self.cleaned_data["email"], is_active=True).first()
        if person is None:
            raise ValidationError("Nobody who can sign in has this address. Ask an owner to invite them.")
        return person


class MembersFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """A workspace keeps at least one owner."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.is_valid() and form not in self.deleted_forms]
        if not any(form.cleaned_data.get("role") == Role.OWNER for form in kept):
            raise ValidationError("A workspace needs an owner.")


class MembersInline(admin.TabularInline):  # type: ignore[type-arg]
    """A workspace's members: their roles, and who is to go. An action of the workspace adds one."""

    model = Membership
    formset = MembersFormSet
    fields = ("user", "role", "created_at")
    readonly_fields = ("user", "created_at")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("user", "workspace").order_by("user__email")

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False


@admin.register(Workspace)
class WorkspaceAdmin(RowsAdmin):
    """Made by the page or the command, which give them goals; deleted by a job (`operations.admin`)."""

    form = WorkspaceForm
    list_display = ("name", "slug", "plan_name", "member_count", "currency", "timezone", "created_at")
    list_filter = ("subscription__plan", "currency")
    search_fields = ("name", "slug", "members__email")
    readonly_fields: ClassVar = ("slug", "created_at", "holds", "usage")
    inlines = (MembersInline,)
    date_hierarchy = "created_at"
    actions: tuple[str, ...] = ("add_member",)
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "slug", "created_at", "holds")}),
        ("Plan", {"fields": ("plan", "usage")}),
        (
            "Settings",
            {
                "fields": (
                    *("currency", "timezone", "week_start", "period_days", "window_days", "confidence"),
                    *("channel_grouping", "default_attribution_model", "keep_files_days"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        rows: QuerySet[Workspace] = super().get_queryset(request)
        return rows.select_related("subscription__plan").annotate(members_total=Count("memberships", distinct=True))

    @admin.display(description="plan", ordering="subscription__plan__rank")
    def plan_name(self, workspace: Workspace) -> str:
        subscription: Subscription | None = getattr(workspace, "subscription", None)
        return subscription.plan.name if subscription else ""

    @admin.display(description="members", ordering="members_total")
    def member_count(self, workspace: Any) -> int:
        count: int = workspace.members_total
        return count

    @admin.display(description="what it holds")
    def holds(self, workspace: Workspace) -> str:
        found = []
        for name, model in HELD:
            try:
                found.append((name, list_of(model, workspace__id__exact=workspace.pk)))
            except NoReverseMatch:
                continue
        return links(*found)

    @admin.display(description="used of it")
    def usage(self, workspace: Workspace) -> str:
        found = usage_of(workspace)
        parts = {"rows": found.rows, "seats": found.seats, "runs this month": found.runs_this_month}
        told = [f"{name}: {_used(used)}" for name, used in parts.items()]
        return "; ".join([*told, f"API calls this month: {found.api_calls_this_month:,}"])

    def get_readonly_fields(self, request: HttpRequest, workspace: Workspace | None = None) -> tuple[str, ...]:
        """Amounts that have been imported would not be converted: see `accounts.actions.change_settings`."""
        fixed = ("currency",) if workspace and holds_amounts(workspace) else ()
        return (*self.readonly_fields, *fixed)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        """Not in one request, and not by one click: there may be millions of rows, and files beside them."""
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As ever; what accounts refuses is said, and nothing of the form is saved."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Problem as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return redirect(request.path)

    def save_model(self, request: HttpRequest, workspace: Workspace, form: Any, change: bool) -> None:
        by, changed = acting(request), {name: form.cleaned_data[name] for name in form.changed_data}
        change_settings(workspace=workspace, values=changed, by=by)
        if "plan" in changed:
            give_plan(workspace=workspace, plan=changed["plan"].code, by=by)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Carry out what the rows of members say: new owners first, so that there is one throughout."""
        by = acting(request)
        formset.save(commit=False)
        roles = [(membership, Role(membership.role)) for membership, _fields in formset.changed_objects]
        for membership, role in sorted(roles, key=lambda changed: changed[1] != Role.OWNER):
            change_role(membership=membership, role=role, by=by)
        for membership in formset.deleted_objects:
            remove_member(membership=membership, by=by)

    def has_add_member_permission(self, request: HttpRequest) -> bool:
        """Whoever is added sees all that the workspace holds, so the right to change its settings is not enough."""
        return self.has_operate_permission(request) and acting(request).has_perm("accounts.add_membership")

    @row_action("Add a member…", permission="add_member")
    def add_member(self, request: HttpRequest, workspaces: QuerySet[Workspace]) -> HttpResponse | None:
        form = answer(MemberForm, request)
        if not form.is_valid():
            sentence = "For a workspace whose owners cannot do it, as when the last one has left. They see who did."
            return self.ask(request, workspaces, title="Add a member", sentence=sentence, button="Add", form=form)
        person, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])

        def add(workspace: Workspace) -> None:
            add_member(workspace=workspace, user=person, role=role, by=acting(request))

        self.carry_out(request, workspaces, add, done=f"{person.email} was added")
        return None


def _used(used: Used) -> str:
    return f"{used.used:,} (no limit)" if used.limit is None else f"{used.used:,} of {used.limit:,}"


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Which workspace is on which plan; changed on the workspace's page."""

    list_display = ("__str__", link_to("workspace"), link_to("plan"), "started_at")
    list_filter = ("plan",)
    search_fields = ("workspace__name", "workspace__slug")
    list_select_related = ("workspace", "plan")
    date_hierarchy = "started_at"
