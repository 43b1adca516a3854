"""What a site admin can see and mend of the data. Imported rows are immutable, so they are not edited here."""

from typing import ClassVar

from django.contrib import admin

from marketing.models import Campaign, Channel, Control, Experiment, Goal, Import, Outcome, Segment
from mmm_project.read_only_admin import ReadOnlyAdmin


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("name", "type", "colour_slot", "workspace")
    list_filter = ("type", "workspace")
    search_fields = ("name",)


@admin.register(Goal)
class GoalAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "kind", "is_default", "workspace")
    list_filter = ("kind", "is_default", "workspace")
    search_fields = ("name",)


@admin.register(Campaign, Segment, Outcome, Control)
class NamedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "workspace")
    list_filter = ("workspace",)
    search_fields = ("name",)


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = ("id", "workspace", "dataset", "status", "file_name", "accepted", "rejected", "duplicates", "origin")
    list_filter = ("status", "dataset", "origin", "workspace")
    search_fields = ("file_name", "checksum")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace"]


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    list_display = ("channel", "start", "end", "geo", "lift", "standard_error", "spend", "shadowed")
    list_filter = ("channel__workspace",)
    list_select_related: ClassVar = ["channel"]
