"""Plans in the admin, what they include, and what owners ask for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import plan_requests
from accounts.models import Feature, Plan, PlanRequest
from accounts.plans import entitlements, record_plan_change, record_plan_deletion
from accounts.site_admins import acting
from mmm_project.admin_links import by_workspace, link_to, links, list_of
from mmm_project.admin_rows import RowsAdmin, answer, row_action
from mmm_project.read_only_admin import ReadOnlyAdmin


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a plan is called and includes; its features are ticked."""

    features = forms.MultipleChoiceField(choices=Feature.choices, widget=forms.CheckboxSelectMultiple, required=False)

    class Meta:
        model = Plan
        fields = (
            *("name", "code", "rank", "features", "concurrent_fits", "max_rows", "max_members", "runs_a_month"),
            "api_calls_a_minute",
        )


@admin.register(Plan)
class PlanAdmin(RowsAdmin):
    """Plans and what they include; an edit holds at once for every workspace that is on the plan."""

    form = PlanForm
    fields = (*PlanForm.Meta.fields, "workspaces")
    list_display = (
        *("name", "code", "rank", "included", "concurrent_fits", "max_rows", "max_members", "runs_a_month"),
        *("api_calls_a_minute", "workspaces"),
    )
    search_fields = ("name", "code")
    ordering = ("rank",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        rows: QuerySet[Plan] = super().get_queryset(request)
        return rows.annotate(workspaces_total=Count("subscriptions"))

    def get_readonly_fields(self, _request: HttpRequest, plan: Plan | None = None) -> tuple[str, ...]:
        """A plan keeps its code, by which commands, the API and the audit log name it."""
        return ("workspaces", *(("code",) if plan else ()))

    def get_deleted_objects(self, plans: Any, request: HttpRequest) -> Any:
        """As ever; nor is the last plan deleted, as every workspace is on one."""
        deleted, counts, missing, in_the_way = super().get_deleted_objects(plans, request)
        if not Plan.objects.exclude(pk__in=[plan.pk for plan in plans]).exists():
            in_the_way = [*in_the_way, "No plan would be left for new workspaces. Add another plan first."]
        return deleted, counts, missing, in_the_way

    @admin.display(description="features")
    def included(self, plan: Plan) -> str:
        return ", ".join(feature.label for feature in Feature if feature in plan.features)

    @admin.display(description="workspaces on it", ordering="workspaces_total")
    def workspaces(self, plan: Any) -> str:
        if plan.pk is None:
            return ""
        address = list_of("accounts.workspace", subscription__plan__id__exact=plan.pk)
        return links((f"{plan.workspaces_total:,}", address))

    def save_model(self, request: HttpRequest, plan: Plan, form: Any, change: bool) -> None:
        before = entitlements(Plan.objects.get(pk=plan.pk)) if change else None
        super().save_model(request, plan, form, change)
        record_plan_change(plan=plan, before=before, by=acting(request))

    @transaction.atomic
    def delete_model(self, request: HttpRequest, plan: Plan) -> None:
        record_plan_deletion(plan=plan, by=acting(request))
        super().delete_model(request, plan)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, plans: QuerySet[Plan]) -> None:
        for plan in plans:
            record_plan_deletion(plan=plan, by=acting(request))
        super().delete_queryset(request, plans)


class AnswerForm(forms.Form):
    """Asks for what the owners of the workspace read."""

    answer = forms.CharField(
        required=False,
        max_length=plan_requests.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Shown to the workspace's owners, and mailed to whoever asked.",
    )


@admin.register(PlanRequest)
class PlanRequestAdmin(ReadOnlyAdmin):
    """What owners ask for; granting one changes the workspace's plan."""

    list_display = ("created_at", link_to("workspace"), link_to("plan"), "status", "requested_by", "decided_by")
    list_filter = ("status", "plan", by_workspace)
    search_fields = ("workspace__name", "workspace__slug", "requested_by__email", "message")
    list_select_related = ("workspace", "plan", "requested_by", "decided_by")
    date_hierarchy = "created_at"
    actions = ("grant", "decline")

    @row_action("Grant…", applies=lambda request: request.status == PlanRequest.Status.OPEN)
    def grant(self, request: HttpRequest, asked: QuerySet[PlanRequest]) -> HttpResponse | None:
        form = answer(AnswerForm, request)
        if not form.is_valid():
            sentence = "The workspaces change to the plans that they asked for, at once. Invoices are yours to write."
            return self.ask(request, asked, form=form, title="Grant requests", sentence=sentence, button="Grant")
        said = {"by": acting(request), "answer": form.cleaned_data["answer"]}
        self.carry_out(request, asked, lambda one: plan_requests.grant(request=one, **said), done="Granted")
        return None

    @row_action("Decline…", applies=lambda request: request.status == PlanRequest.Status.OPEN)
    def decline(self, request: HttpRequest, asked: QuerySet[PlanRequest]) -> HttpResponse | None:
        form = answer(AnswerForm, request)
        if not form.is_valid():
            sentence = "The workspaces stay on the plans that they have."
            return self.ask(request, asked, form=form, title="Decline requests", sentence=sentence, button="Decline")
        said = {"by": acting(request), "answer": form.cleaned_data["answer"]}
        self.carry_out(request, asked, lambda one: plan_requests.decline(request=one, **said), done="Declined")
        return None
