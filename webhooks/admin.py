"""What a site admin can see of webhooks. Never a secret; and of a URL only the host, as the rest may hold one."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest

from mmm_project.admin_links import by_chosen, by_workspace, link_to, link_to_row, links, list_of
from mmm_project.read_only_admin import ReadOnlyAdmin
from webhooks.addresses import host_of
from webhooks.models import Attempt, Delivery, Endpoint


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Where workspaces have events sent."""

    list_display = (
        *("host", link_to("workspace"), "events", "disabled_at", "failing_since", "failures", "last_delivered_at"),
        "created_by",
    )
    list_filter = (
        ("disabled_at", admin.EmptyFieldListFilter),
        ("failing_since", admin.EmptyFieldListFilter),
        by_workspace,
    )
    search_fields = ("=id", "workspace__slug", "workspace__name", "description")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["workspace", "created_by"]
    fields = (
        *("id", "host", "workspace", "description", "events", "created_by", "created_at", "disabled_at"),
        *("disabled_because", "failing_since", "failures", "rests_until", "last_tried_at", "last_delivered_at"),
        *("previous_secret_until", "deliveries"),
    )
    readonly_fields = ("id", "host", "created_at", "deliveries")

    @admin.display(description="host")
    def host(self, endpoint: Endpoint) -> str:
        return host_of(endpoint.url)

    @admin.display
    def deliveries(self, endpoint: Endpoint) -> str:
        return links(("What it was told", list_of("webhooks.delivery", endpoint__id__exact=endpoint.pk)))


class AttemptInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """Each try of a delivery, without what the receiver answered, which is for the workspace."""

    model = Attempt
    fields = readonly_fields = ("number", "at", "response_status", "error", "duration_ms")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was told to whom, and what became of it."""

    list_display = (
        *("message_id", "event", "host", "workspace", "status", "attempts", "next_try_at", "response_status"),
        *("error", "created_at"),
    )
    list_filter = ("status", "message__type", by_chosen("endpoint"), by_chosen("endpoint__workspace"))
    search_fields = ("=message__id", "endpoint__workspace__slug")
    date_hierarchy = "created_at"
    list_select_related: ClassVar = ["message", "endpoint__workspace"]
    fields = (
        *("message_id", "event", "payload", "host", "workspace", "status", "attempts", "tries", "next_try_at"),
        *("claimed_until", "response_status", "error", "requested_by", "created_at", "delivered_at"),
    )
    readonly_fields = ("message_id", "event", "payload", "host", "workspace")
    inlines = (AttemptInline,)

    @admin.display(ordering="message__type")
    def event(self, delivery: Delivery) -> str:
        return delivery.message.type

    @admin.display
    def payload(self, delivery: Delivery) -> str:
        return delivery.message.body

    @admin.display
    def host(self, delivery: Delivery) -> str:
        return host_of(delivery.endpoint.url)

    @admin.display(ordering="endpoint__workspace__name")
    def workspace(self, delivery: Delivery) -> str:
        return link_to_row(delivery.endpoint.workspace)
