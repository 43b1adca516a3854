"""Deliveries in the API: who got what and when, and what can be done where it did not work."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Workspace
from accounts.permissions import Permission
from api import filters
from api.renderers import CSV
from api.views import JSON_OR_CSV, RowView
from reports.api.base import READ, WRITE, OfReports, accepted
from reports.api.delivery_serializers import DeliverySerializer, csv_rows
from reports.api.recipient_serializers import RecipientSerializer
from reports.deliveries import log, outbox
from reports.models import Delivery, Recipient

MAY = Permission.SCHEDULE_OWN
RELATED = ("workspace", "occurrence__schedule", "alert_event__alert", "recipient", "requested_by")
READ_AT_ONCE = 500


class DeliveryFilter(filters.Filters):
    """Which deliveries to list."""

    status = filters.ChoiceFilter(choices=Delivery.Status.choices)
    purpose = filters.ChoiceFilter(choices=Delivery.Purpose.choices)
    schedule = filters.UUIDFilter("occurrence__schedule_id", help_text="Those of this schedule.")
    alert = filters.UUIDFilter("alert_event__alert_id", help_text="Those of this alert.")
    edition = filters.UUIDFilter("edition_id", help_text="Those that bring this edition.")
    recipient = filters.CharFilter("email", "iexact", help_text="Those to this address, in capitals or not.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte", help_text="Put into the outbox then or later.")
    created_before = filters.IsoDateTimeFilter("created_at", "lt", help_text="Put into the outbox before this time.")


class DeliveryList(OfReports):
    """The log of mails."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}
    filterset_class = DeliveryFilter
    ordering = ("-created_at", "-id")
    queryset = Delivery.objects.none()
    renderer_classes = JSON_OR_CSV

    @extend_schema(operation_id="listDeliveries", responses={200: DeliverySerializer, (200, CSV): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponseBase:
        """List deliveries, newest first: of reports, of alerts, and notices. With `Accept: text/csv`, all of them."""
        mails = _deliveries().filter(workspace=self.workspace)
        if not self.wants_csv:
            return self.paged(mails, DeliverySerializer)
        chosen = self.filter_queryset(mails).order_by(*self.ordering)
        return self.csv(csv_rows(chosen.iterator(READ_AT_ONCE)), name=f"deliveries-{self.workspace.slug}")


class OfADelivery(OfReports, RowView[Delivery]):
    """One delivery."""

    missing = "There is no such delivery."
    lookup_url_kwarg = "delivery_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Delivery]:
        return _deliveries()


class DeliveryDetail(OfADelivery):
    """What became of a mail."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}

    @extend_schema(operation_id="getDelivery", responses=DeliverySerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return what became of a mail."""
        return Response(self.represent(self.row, DeliverySerializer))


class DeliveryResend(OfADelivery):
    """Sending a mail once more."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}

    @extend_schema(operation_id="resendDelivery", responses={202: DeliverySerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Send a mail once more: 202 with the new delivery.

        409 for one that is on its way, was sent again within the last minute, or whose recipient gets no more mails.
        Those of your own schedules and alerts, or, as an owner or admin, everybody's.
        """
        log.require_change(self.row, self.membership)
        again = outbox.resend(delivery=self.row, by=self.user, api_key=self.key)
        return accepted(self.represent(_deliveries().get(pk=again.pk), DeliverySerializer))


class RecipientEnable(OfReports, RowView[Recipient]):
    """Mailing an address again that was rejected."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}
    missing = "There is no such recipient."
    lookup_url_kwarg = "recipient_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Recipient]:
        return Recipient.objects.select_related("schedule__workspace", "alert__workspace").filter(removed_at=None)

    def workspace_of(self, row: Recipient) -> Workspace:
        return outbox.subscription_of(row).workspace

    @extend_schema(operation_id="enableRecipient", responses=RecipientSerializer)
    def post(self, request: Request, **_: object) -> Response:
        """Let mails go to an address again that a mail server has rejected; nothing changes if they do already.

        Who has unsubscribed stays so: that is theirs to change, by the link in a mail.
        """
        log.require_change_of_recipient(self.row, self.membership)
        outbox.enable(recipient=self.row, by=self.user, api_key=self.key)
        self.row.refresh_from_db()
        return Response(self.represent(self.row, RecipientSerializer))


def _deliveries() -> QuerySet[Delivery]:
    return Delivery.objects.select_related(*RELATED).defer("body")
