"""What can be done to rows in the admin: from their list or from a row's own page, asking first where that is wise."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from mmm_project.problems import Problem

ROWS_SHOWN = 20  # of those that an action is about
CONFIRMED = "confirmed"
FROM_ROW = "from_row"
Action = TypeVar("Action", bound=Callable[..., Any])


@dataclass(frozen=True)
class RowAction:
    """An action as a row's page offers it."""

    name: str
    description: str


def row_action(
    description: str, *, applies: Callable[[Any], bool] = lambda _row: True, permission: str = "operate"
) -> Callable[[Action], Action]:
    """Make a method of a `RowsAdmin` an action. `applies`: whether a row's page offers it for this row.

    `permission`: a `has_..._permission` of the admin; “operate” is for those who may change the model.
    """

    def mark(function: Action) -> Action:
        function.applies = applies  # type: ignore[attr-defined]
        return admin.action(description=description, permissions=[permission])(function)

    return mark


class RowsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """An admin whose actions stand on a row's own page as well."""

    change_form_template = "admin/row_page.html"
    list_per_page = 50

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may use actions: who may change the model, also where its form is for nobody."""
        return request.user.has_perm(f"{self.opts.app_label}.{get_permission_codename('change', self.opts)}")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if row := context.get("original"):
            offered = filter(None, (self.get_actions(request) or {}).values())
            context["row_actions"] = [
                RowAction(name, str(description))
                for function, name, description in offered
                if name != "delete_selected" and getattr(function, "applies", lambda _row: True)(row)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Carry out an action; one that came from a row's page leads back there."""
        response = super().response_action(request, queryset, *args, **kwargs)
        row = request.POST.get(FROM_ROW)
        if row and isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path():
            return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row]))
        return response

    def ask(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        title: str,
        sentence: str,
        button: str,
        form: forms.Form | None = None,
    ) -> TemplateResponse:
        """Return the page that asks before the action of this request is carried out; it posts the action again.

        `form`: what has to be said for it. See `confirmed`.
        """
        shown = list(rows[:ROWS_SHOWN])
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "sentence": sentence,
            "button": button,
            "form": form or forms.Form(),
            "opts": self.opts,
            "rows": shown,
            "more": rows.count() - len(shown),
            "action": request.POST["action"],
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "from_row": request.POST.get(FROM_ROW, ""),
            "media": self.media,
        }
        status = 422 if form is not None and form.is_bound else 200
        return TemplateResponse(request, "admin/ask_first.html", context, status=status)

    def carry_out(self, request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], object], *, done: str) -> None:
        """Call `act` with each row; say `done` of those that it took, and of each other one why not.

        `act` returns False for a row that needed nothing, and raises Problem for one that it refuses.
        """
        carried, needed_nothing = 0, 0
        for row in rows:
            try:
                if act(row) is False:
                    needed_nothing += 1
                else:
                    carried += 1
            except Problem as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
        if carried:
            self.message_user(request, f"{done}: {carried}.", messages.SUCCESS)
        if needed_nothing:
            self.message_user(request, f"Nothing to do: {needed_nothing}.", messages.INFO)


def confirmed(request: HttpRequest) -> bool:
    """Whether the page of `RowsAdmin.ask` has sent this request."""
    return CONFIRMED in request.POST


def answer(form: type[forms.Form], request: HttpRequest) -> forms.Form:
    """Return the form as the page of `RowsAdmin.ask` sent it, or an empty one to ask with."""
    return form(request.POST if confirmed(request) else None)
