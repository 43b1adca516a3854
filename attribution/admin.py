"""What a site admin can see of custom models. Only `attribution.custom.custom_models` writes them."""

from typing import ClassVar

from django.contrib import admin

from attribution.models import CustomModel, CustomModelVersion
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(CustomModel)
class CustomModelAdmin(ReadOnlyAdmin):
    list_display = ("id", "workspace", "name", "created_by", "created_at", "archived_at")
    list_filter = ("workspace",)
    search_fields = ("name",)
    list_select_related: ClassVar = ["workspace", "created_by"]


@admin.register(CustomModelVersion)
class CustomModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("id", "model", "number", "created_by", "created_at")
    search_fields = ("model__name",)
    list_select_related: ClassVar = ["model", "created_by"]
