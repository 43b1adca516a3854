"""What a site admin can see of custom models. Only `attribution.custom.custom_models` writes them."""

from typing import ClassVar

from django.contrib import admin

from attribution.models import CustomModel, CustomModelVersion
from mmm_project.admin_links import by_chosen, by_workspace, link_to
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(CustomModel)
class CustomModelAdmin(ReadOnlyAdmin):
    list_display = ("name", link_to("workspace"), "created_by", "created_at", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), by_workspace)
    search_fields = ("name", "workspace__slug", "workspace__name", "created_by__email")
    list_select_related: ClassVar = ["workspace", "created_by"]
    date_hierarchy = "created_at"


@admin.register(CustomModelVersion)
class CustomModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", link_to("model"), "number", "created_by", "created_at")
    list_filter = (by_chosen("model"), by_chosen("model__workspace"))
    search_fields = ("model__name", "model__workspace__slug", "model__workspace__name")
    list_select_related: ClassVar = ["model", "created_by"]
    date_hierarchy = "created_at"
