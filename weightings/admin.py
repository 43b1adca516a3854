"""What a site admin can see of scenarios. Only `weightings.planner.scenarios` writes them."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from mmm_project.admin_links import by_workspace, link_to
from mmm_project.read_only_admin import ReadOnlyAdmin
from weightings.models import Scenario


@admin.register(Scenario)
class ScenarioAdmin(ReadOnlyAdmin):
    list_display = ("name", link_to("workspace"), link_to("run"), "created_by", "created_at", "updated_at")
    list_filter = (by_workspace,)
    search_fields = ("name", "workspace__slug", "workspace__name", "created_by__email")
    list_select_related: ClassVar = ["workspace", "run", "created_by"]
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scenario]:
        rows: QuerySet[Scenario] = super().get_queryset(request)
        return rows.defer("run__result")
