"""Campaigns and traffic sources in the API: names that rows brought, to be read."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from api import filters
from api.views import ApiView, RowView
from marketing.api.rows.names import Names, Source
from marketing.models import Campaign, TrafficSource

READ = (Scope.DATA_READ, Scope.SETTINGS_READ)


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign; it may run on several channels."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")

    class Meta:
        model = Campaign
        fields = ("id", "url", "workspace", "name")

    def get_url(self, campaign: Campaign) -> str:
        return reverse("marketing:api_campaign", kwargs={"campaign_id": campaign.pk})


class CampaignFilter(filters.Filters):
    """Which campaigns to list."""

    name = filters.CharFilter(help_text="The whole name, letter for letter.")


class CampaignList(ApiView):
    """The workspace's campaigns."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    filterset_class = CampaignFilter
    ordering = ("name", "id")
    queryset = Campaign.objects.none()

    @extend_schema(operation_id="listCampaigns", responses=CampaignSerializer)
    def get(self, request: Request) -> Response:
        """List the campaigns that rows name, by name."""
        campaigns = Campaign.objects.filter(workspace=self.workspace).select_related("workspace")
        return self.paged(campaigns, CampaignSerializer)


class CampaignDetail(RowView[Campaign]):
    """One campaign."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    missing = "There is no such campaign."
    lookup_url_kwarg = "campaign_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Campaign]:
        return Campaign.objects.select_related("workspace")

    @extend_schema(operation_id="getCampaign", responses=CampaignSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the campaign."""
        return Response(self.represent(self.row, CampaignSerializer))


class TrafficSourceSerializer(serializers.Serializer[Any]):
    """Where touches came from, as their rows said it."""

    id = serializers.IntegerField()
    channel = serializers.CharField(help_text="What its touches count for: what they name, or by the grouping.")
    original_channel = serializers.CharField(
        allow_null=True, help_text="The channel that touches name, where it has been merged into `channel`."
    )
    names_channel = serializers.BooleanField(help_text="Whether touches name a channel: the grouping matters not then.")
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # DRF moves fields away
    medium = serializers.CharField(allow_null=True)
    campaign = serializers.CharField(allow_null=True)


class TrafficSourceFilter(filters.Filters):
    """Which traffic sources to list."""

    names_channel = filters.BooleanFilter(
        "channel", "isnull", exclude=True, help_text="false: only those whose channel is for the grouping to say."
    )


class TrafficSourceList(ApiView):
    """Where the workspace's touches came from."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    filterset_class = TrafficSourceFilter
    ordering = "id"
    queryset = TrafficSource.objects.none()

    @extend_schema(operation_id="listTrafficSources", responses=TrafficSourceSerializer)
    def get(self, request: Request) -> Response:
        """List the distinct traffic sources of touches, and the channel that each counts for at present."""
        sources = TrafficSource.objects.filter(workspace=self.workspace).select_related("campaign")
        page = self.paginate_queryset(self.filter_queryset(sources)) or []
        names = Names(self.workspace)
        said = [_said(source, names) for source in page]
        return self.get_paginated_response(self.represent(said, TrafficSourceSerializer, many=True))


def _said(row: TrafficSource, names: Names) -> dict[str, Any]:
    campaign = row.campaign.name if row.campaign else None
    source = Source(row.channel_id, row.source or None, row.medium or None, campaign)
    return {
        "id": row.pk,
        **names.channel_of(source),
        "names_channel": row.channel_id is not None,
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign,
    }
