"""Channels in the API: what they are called, of which type they are, and which count as one."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope
from api import filters
from api.serializers import KnownFieldsOnly
from api.views import MOST_ID, ApiView, RowView
from marketing import channels as actions
from marketing.api.fields import LineField
from marketing.models import Channel, ChannelAlias
from mmm_project.problems import Conflict, Invalid, NotFound

READ, WRITE = (Scope.DATA_READ, Scope.SETTINGS_READ), (Scope.SETTINGS_WRITE,)
CHANGING = Permission.SETTINGS


class FormerNameSerializer(serializers.ModelSerializer[ChannelAlias]):
    """A name that the channel had: rows that say it mean the channel."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = ChannelAlias
        fields = ("id", "url", "name")

    def get_url(self, alias: ChannelAlias) -> str:
        return reverse("marketing:api_channel_name", kwargs={"channel_id": alias.channel_id, "alias_id": alias.pk})


class OtherChannelSerializer(serializers.ModelSerializer[Channel]):
    """Another channel."""

    class Meta:
        model = Channel
        fields = ("id", "name")


class ChannelSerializer(serializers.ModelSerializer[Channel]):
    """A channel. `colour_slot` numbers its colour, which it keeps for good."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    merged_into = serializers.SerializerMethodField(help_text="What its rows count for; null: it stands on its own.")
    former_names = FormerNameSerializer(source="aliases", many=True)

    class Meta:
        model = Channel
        fields = ("id", "url", "workspace", "name", "type", "colour_slot", "merged_into", "former_names")

    def get_url(self, channel: Channel) -> str:
        return reverse("marketing:api_channel", kwargs={"channel_id": channel.pk})

    @extend_schema_field(OtherChannelSerializer(allow_null=True))
    def get_merged_into(self, channel: Channel) -> dict[str, Any] | None:
        return OtherChannelSerializer(channel.merged_into).data if channel.merged_into else None


class ChannelChanges(KnownFieldsOnly):
    """What is to be changed of a channel; what is left out stays."""

    name = LineField(required=False, max_length=actions.LONGEST_NAME)
    type = serializers.ChoiceField(Channel.Type.choices, required=False)


class ChannelMerge(KnownFieldsOnly):
    """Which channel to merge into."""

    into = serializers.IntegerField(min_value=1, max_value=MOST_ID, help_text="The id of the other channel.")


class ChannelFilter(filters.Filters):
    """Which channels to list."""

    type = filters.ChoiceFilter(choices=Channel.Type.choices)
    merged = filters.BooleanFilter(
        "merged_into", "isnull", exclude=True, help_text="true: only merged channels; false: only those that stand."
    )


class ChannelList(ApiView):
    """The workspace's channels."""

    tag = "Settings"
    scopes: ClassVar = {"GET": READ}
    filterset_class = ChannelFilter
    ordering = "colour_slot"  # unique in a workspace
    queryset = Channel.objects.none()

    @extend_schema(operation_id="listChannels", responses=ChannelSerializer)
    def get(self, request: Request) -> Response:
        """List channels, merged ones among them, in the order of their colours."""
        return self.paged(_channels().filter(workspace=self.workspace), ChannelSerializer)


class OfAChannel(RowView[Channel]):
    """One channel."""

    tag = "Settings"
    missing = "There is no such channel."
    lookup_url_kwarg = "channel_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[Channel]:
        return _channels()

    def answer(self) -> Response:
        """Return the channel as it is stored now."""
        return Response(self.represent(_channels().get(pk=self.row.pk), ChannelSerializer))


class ChannelDetail(OfAChannel):
    """A channel, and changing what it is called."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE}
    needs: ClassVar = {"PATCH": CHANGING}

    @extend_schema(operation_id="getChannel", responses=ChannelSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the channel."""
        return Response(self.represent(self.row, ChannelSerializer))

    @extend_schema(operation_id="changeChannel", request=ChannelChanges, responses=ChannelSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Give the channel another name or type. The name that it had stays known: rows that say it mean the channel.

        A name that is, or was, another channel's is refused: merge the two to count them as one.
        """
        asked = self.read(ChannelChanges)
        with transaction.atomic():
            if "name" in asked:
                actions.rename_channel(channel=self.row, name=asked["name"], by=self.user, api_key=self.key)
            if "type" in asked:
                actions.set_channel_type(channel=self.row, type=asked["type"], by=self.user, api_key=self.key)
        return self.answer()


class MergeChannel(OfAChannel):
    """Counting two channels as one."""

    scopes: ClassVar = {"POST": WRITE}
    needs: ClassVar = {"POST": CHANGING}

    @extend_schema(operation_id="mergeChannel", request=ChannelMerge, responses=ChannelSerializer)
    def post(self, request: Request, **_: object) -> Response:
        """Count all rows of the channel, and of what was merged into it, for another one from now on. No row changes.

        409 if either is merged already, or both are the same.
        """
        into = Channel.objects.filter(workspace=self.workspace, pk=self.read(ChannelMerge)["into"]).first()
        if into is None:
            sentence = "There is no such channel in this workspace."
            raise Invalid(sentence, errors={"into": [sentence]})
        actions.merge_channels(source=self.row, target=into, by=self.user, api_key=self.key)
        return self.answer()


class UnmergeChannel(OfAChannel):
    """Taking a merge back."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": CHANGING}

    @extend_schema(operation_id="unmergeChannel", responses={200: ChannelSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Let a merged channel stand on its own again, as if it had never been merged. 409 if it is not merged."""
        if self.row.merged_into_id is None:
            raise Conflict(f"{self.row.name} is not merged into another channel.")
        actions.unmerge_channel(channel=self.row, by=self.user, api_key=self.key)
        return self.answer()


class ChannelNameList(OfAChannel):
    """The former names of a channel."""

    scopes: ClassVar = {"GET": READ}
    ordering = "id"
    queryset = ChannelAlias.objects.none()

    @extend_schema(operation_id="listChannelNames", responses=FormerNameSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """List the names that the channel had, by which rows still find it."""
        return self.paged(self.row.aliases.all(), FormerNameSerializer)


class ChannelNameDetail(OfAChannel):
    """A former name of a channel."""

    scopes: ClassVar = {"DELETE": WRITE}
    needs: ClassVar = {"DELETE": CHANGING}

    @extend_schema(operation_id="forgetChannelName", responses={204: None})
    def delete(self, request: Request, alias_id: int, **_: object) -> Response:
        """Forget a former name: rows that say it from now on bring a channel of their own."""
        known = self.row.aliases.select_related("workspace", "channel__workspace")
        alias = known.filter(pk=alias_id).first() if alias_id <= MOST_ID else None
        if alias is None:
            raise NotFound("The channel has no such former name.")
        actions.forget_name(alias=alias, by=self.user, api_key=self.key)
        return Response(status=204)


def _channels() -> QuerySet[Channel]:
    return Channel.objects.select_related("workspace", "merged_into").prefetch_related("aliases")
