"""Customers in the API: find one by key, hand over what is held, have it erased.

A key is only ever in the body of a request; addresses and the audit log have its keyed hash. For the same reason no
`Idempotency-Key` is taken here: a digest of the body would be kept with it.
"""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AuditEvent
from accounts.permissions import Permission
from accounts.scopes import Scope
from api.serializers import KnownFieldsOnly
from api.views import ApiView, RowView
from marketing import privacy
from marketing.models import Customer

READ, WRITE = (Scope.DATA_READ,), (Scope.DATA_WRITE,)
MAY = Permission.PRIVACY
LONGEST_KEY = 200


class KeySerializer(KnownFieldsOnly):
    """Whom to look for."""

    key = serializers.CharField(max_length=LONGEST_KEY, help_text="As rows name the customer, capitals included.")


class HeldSerializer(serializers.Serializer[Any]):
    """What one import holds of a customer."""

    id = serializers.IntegerField(source="batch.pk")
    url = serializers.SerializerMethodField()
    rows = serializers.IntegerField()
    has_file = serializers.BooleanField(help_text="Whether its file, which may have the key, is still kept.")

    def get_url(self, part: privacy.Part) -> str:
        return reverse("marketing:api_import", kwargs={"import_id": part.batch.pk})


class HoldingSerializer(serializers.Serializer[Any]):
    """What is held of a customer, whether it counts or not."""

    id = serializers.CharField(source="customer.pk", help_text="As rows have it.")
    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="customer.workspace.slug")
    touches = serializers.IntegerField()
    touches_counted = serializers.IntegerField(help_text="Without those that others repeat or whose import is undone.")
    conversions = serializers.IntegerField()
    conversions_counted = serializers.IntegerField()
    first_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)
    imports = HeldSerializer(source="parts", many=True)

    def get_url(self, holding: privacy.Holding) -> str:
        return reverse("marketing:api_customer", kwargs={"customer_id": holding.customer.pk})


class CustomerRequestSerializer(serializers.Serializer[Any]):
    """A request about a customer, and what has become of it."""

    id = serializers.IntegerField(source="event.pk")
    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="event.workspace.slug")
    customer = serializers.CharField(source="customer_id")
    status = serializers.ChoiceField(list(privacy.LABELS), source="state")
    error = serializers.SerializerMethodField(help_text="Why an erasure has failed; null unless it has.")
    requested_by = serializers.CharField(source="event.actor.email", default=None, allow_null=True)
    created_at = serializers.DateTimeField(source="event.at")

    def get_url(self, asked: privacy.Request) -> str:
        return reverse("marketing:api_customer_request", kwargs={"customer_request_id": asked.event.pk})

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_error(self, asked: privacy.Request) -> str | None:
        return asked.error or None


class CustomerLookup(ApiView):
    """Finding a customer."""

    tag = "Data"
    scopes: ClassVar = {"POST": READ}
    needs: ClassVar = {"POST": MAY}
    is_idempotent_itself = True

    @sensitive_variables("asked", "key")
    @extend_schema(operation_id="lookUpCustomer", request=KeySerializer, responses={200: HoldingSerializer})
    def post(self, request: Request) -> Response:
        """Find the customer that imports know by a key, and say what is held of them. 404 if nothing is."""
        asked = self.read(KeySerializer)
        found = privacy.find_customer(workspace=self.workspace, key=asked["key"])
        return Response(self.represent(privacy.holding_of(found), HoldingSerializer))


class OfACustomer(RowView[Customer]):
    """One customer, by the id that rows have."""

    tag = "Data"
    missing = privacy.NOTHING_HELD
    lookup_url_kwarg = "customer_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Customer]:
        return Customer.objects.select_related("workspace")


class CustomerDetail(OfACustomer):
    """What is held of a customer."""

    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}

    @extend_schema(operation_id="getCustomer", responses=HoldingSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Say what is held of the customer."""
        return Response(self.represent(privacy.holding_of(self.row), HoldingSerializer))


class CustomerExport(OfACustomer):
    """Handing over what is held of a customer."""

    scopes: ClassVar = {"POST": READ}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}
    is_idempotent_itself = True

    @extend_schema(
        operation_id="exportCustomer",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, **_: object) -> StreamingHttpResponse:
        """Return all that is held of the customer, as a JSON file of any length. The audit log notes it."""
        return StreamingHttpResponse(
            privacy.export_customer(customer=self.row, by=self.user, api_key=self.key),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="customer-{self.row.pk}.json"'},
        )


class CustomerErase(OfACustomer):
    """Erasing a customer."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": MAY}
    is_idempotent_itself = True

    @extend_schema(operation_id="eraseCustomer", responses={202: CustomerRequestSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Erase all that is held of the customer, for good: 202, as a worker does it once imports that are under way
        have finished. Asked again meanwhile, it is the same request.
        """
        job = privacy.request_erasure(customer=self.row, by=self.user, api_key=self.key)
        event = privacy.requests_in(self.workspace).get(action=privacy.ERASURE_REQUESTED, detail__job=job.pk)
        body = self.represent(privacy.Request(event=event, job=job), CustomerRequestSerializer)
        return Response(body, status=202, headers={"Location": body["url"]})


class CustomerRequestList(ApiView):
    """What was asked for about customers."""

    tag = "Data"
    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}
    ordering = "-id"
    queryset = AuditEvent.objects.none()

    @extend_schema(operation_id="listCustomerRequests", responses=CustomerRequestSerializer)
    def get(self, request: Request) -> Response:
        """List exports and erasures of customers, the newest first, with how far each erasure is."""
        page = self.paginate_queryset(privacy.requests_in(self.workspace)) or []
        said = self.represent(privacy.with_jobs(page), CustomerRequestSerializer, many=True)
        return self.get_paginated_response(said)


class CustomerRequestDetail(RowView[AuditEvent]):
    """A request about a customer."""

    tag = "Data"
    scopes: ClassVar = {"GET": READ}
    needs: ClassVar = {"GET": MAY}
    missing = "There is no such request."
    lookup_url_kwarg = "customer_request_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[AuditEvent]:
        asked = AuditEvent.objects.filter(action__in=privacy.REQUESTS, workspace__isnull=False)
        return asked.select_related("workspace", "actor")

    @extend_schema(operation_id="getCustomerRequest", responses=CustomerRequestSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the request and, of an erasure, how far it is."""
        (asked,) = privacy.with_jobs([self.row])
        return Response(self.represent(asked, CustomerRequestSerializer))
