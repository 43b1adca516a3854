"""Segments in the API: the journeys of some customers, kept under a name."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Permission
from accounts.scopes import Scope
from api import filters
from api.serializers import KnownFieldsOnly, printable
from api.views import ApiView, RowView, created
from marketing.api.fields import LineField
from marketing.api.segment_schema import DEFINITION, EXAMPLE, KEPT_DEFINITION
from marketing.models import SavedSegment
from marketing.segments import saved
from marketing.segments.definition import Definition, InvalidDefinition, parse
from marketing.segments.preview import count, scope_of
from marketing.segments.words import in_words
from mmm_project.problems import Invalid

READ, WRITE = (Scope.DATA_READ,), (Scope.DATA_WRITE,)
EDITING = Permission.SEGMENTS


@extend_schema_field(DEFINITION)
class DefinitionField(serializers.JSONField):
    """What a segment holds; `marketing.segments.definition` says what may be in it."""


@extend_schema_field(KEPT_DEFINITION)
class KeptDefinitionField(DefinitionField):
    """What a segment that is kept holds: it has a condition at least."""


class SegmentSerializer(serializers.ModelSerializer[SavedSegment]):
    """A segment. `meaning` is its definition in words; an archived one is not offered any more."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    definition = DefinitionField(read_only=True)
    meaning = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.email", default=None, allow_null=True)

    class Meta:
        model = SavedSegment
        fields = (
            "id",
            "url",
            "workspace",
            "name",
            "definition",
            "meaning",
            "created_by",
            "created_at",
            "archived_at",
        )

    def get_url(self, segment: SavedSegment) -> str:
        return reverse("marketing:api_segment", kwargs={"segment_id": segment.pk})

    def get_meaning(self, segment: SavedSegment) -> str:
        return in_words(saved.definition_of(segment))


class NewSegment(KnownFieldsOnly):
    """A segment to be kept."""

    name = LineField(max_length=saved.LONGEST_NAME)
    definition = KeptDefinitionField()


class SegmentChanges(KnownFieldsOnly):
    """What is to be changed of a segment; what is left out stays."""

    name = LineField(required=False, max_length=saved.LONGEST_NAME)
    definition = KeptDefinitionField(required=False)


class SegmentQuestion(KnownFieldsOnly):
    """A definition to be tried."""

    definition = DefinitionField()


class SizeSerializer(serializers.Serializer[Any]):
    """How much a segment holds. `sampled`: the share of customers looked at; below 1, the numbers are estimates."""

    conversions = serializers.FloatField()
    value = serializers.FloatField()
    null_paths = serializers.FloatField(help_text="Paths without conversion.")
    all_conversions = serializers.FloatField(help_text="Those of all customers; likewise the next two.")
    all_value = serializers.FloatField()
    all_null_paths = serializers.FloatField()
    sampled = serializers.FloatField()


class SegmentPreviewSerializer(serializers.Serializer[Any]):
    """What a definition would hold of the default goal's journeys, in the default period and window."""

    definition = DefinitionField(help_text="In its canonical form.")
    meaning = serializers.CharField()
    goal = serializers.CharField(allow_null=True, help_text="Null: the workspace has no goal.")
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    window_days = serializers.IntegerField(allow_null=True)
    size = SizeSerializer(allow_null=True, help_text="Null while the newest data are being prepared, and without goal.")


class SegmentFilter(filters.Filters):
    """Which segments to list."""

    archived = filters.BooleanFilter(
        "archived_at", "isnull", exclude=True, help_text="true: only archived segments; false: only those on offer."
    )


class SegmentList(ApiView):
    """The workspace's segments, and keeping another."""

    tag = "Data"
    scopes: ClassVar = {"GET": READ, "POST": WRITE}
    needs: ClassVar = {"POST": EDITING}
    filterset_class = SegmentFilter
    ordering = "-id"
    queryset = SavedSegment.objects.none()

    @extend_schema(operation_id="listSegments", responses=SegmentSerializer)
    def get(self, request: Request) -> Response:
        """List segments, the newest first."""
        return self.paged(_segments().filter(workspace=self.workspace), SegmentSerializer)

    @extend_schema(
        operation_id="createSegment",
        request=NewSegment,
        responses={201: SegmentSerializer},
        examples=[OpenApiExample("New customers", {"name": "New by Email", "definition": EXAMPLE}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Keep a definition under a name that no other segment has. Runs are asked of it by `segment`.

        A mistake is said by its place in `errors`, such as `definition.conditions[1].at_most`: bounds are apart, names
        are not blank, and a definition that is kept has a condition.
        """
        asked = self.read(NewSegment)
        segment = saved.create_segment(
            workspace=self.workspace,
            name=asked["name"],
            definition=_read_to_keep(asked["definition"]),
            by=self.user,
            api_key=self.key,
        )
        return created(self.represent(segment, SegmentSerializer))


class OfASegment(RowView[SavedSegment]):
    """One segment."""

    tag = "Data"
    missing = "There is no such segment."
    lookup_url_kwarg = "segment_id"
    lookup_field = "pk"

    def rows(self) -> QuerySet[SavedSegment]:
        return _segments()

    def carry_out(self, deed: Callable[..., object]) -> Response:
        """Do something about the segment, and return it as it is stored then."""
        deed(segment=self.row, by=self.user, api_key=self.key)
        return Response(self.represent(_segments().get(pk=self.row.pk), SegmentSerializer))


class SegmentDetail(OfASegment):
    """A segment, and changing what it holds."""

    scopes: ClassVar = {"GET": READ, "PATCH": WRITE}
    needs: ClassVar = {"PATCH": EDITING}

    @extend_schema(operation_id="getSegment", responses=SegmentSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Return the segment."""
        return Response(self.represent(self.row, SegmentSerializer))

    @extend_schema(operation_id="changeSegment", request=SegmentChanges, responses=SegmentSerializer)
    def patch(self, request: Request, **_: object) -> Response:
        """Give the segment another name or definition. Runs that used it keep the meaning that it had."""
        asked, segment = self.read(SegmentChanges), self.row
        saved.change_segment(
            segment=segment,
            name=asked.get("name", segment.name),
            definition=_read_to_keep(asked["definition"]) if "definition" in asked else saved.definition_of(segment),
            by=self.user,
            api_key=self.key,
        )
        return Response(self.represent(segment, SegmentSerializer))


class SegmentSize(OfASegment):
    """How much a segment holds."""

    scopes: ClassVar = {"GET": READ}

    @extend_schema(operation_id="getSegmentPreview", responses=SegmentPreviewSerializer)
    def get(self, request: Request, **_: object) -> Response:
        """Count what the segment holds of the default goal's journeys, in the default period and window."""
        return Response(self.represent(_preview(self, saved.definition_of(self.row)), SegmentPreviewSerializer))


class PreviewSegment(ApiView):
    """Trying a definition."""

    tag = "Data"
    scopes: ClassVar = {"POST": READ}
    needs: ClassVar = {"POST": EDITING}
    is_idempotent_itself = True

    @extend_schema(
        operation_id="previewSegment",
        request=SegmentQuestion,
        responses={200: SegmentPreviewSerializer},
        examples=[OpenApiExample("New customers", {"definition": EXAMPLE}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Count what a definition would hold. Nothing is saved."""
        definition = _read(self.read(SegmentQuestion)["definition"])
        return Response(self.represent(_preview(self, definition), SegmentPreviewSerializer))


class DuplicateSegment(OfASegment):
    """Copying a segment."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": EDITING}

    @extend_schema(operation_id="duplicateSegment", responses={201: SegmentSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Copy the segment under a name that is still free."""
        copy = saved.duplicate_segment(segment=self.row, by=self.user, api_key=self.key)
        return created(self.represent(copy, SegmentSerializer))


class ArchiveSegment(OfASegment):
    """Putting a segment away."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": EDITING}

    @extend_schema(operation_id="archiveSegment", responses={200: SegmentSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Offer the segment no more; runs that used it stay readable."""
        return self.carry_out(saved.archive_segment)


class RestoreSegment(OfASegment):
    """Taking a segment out again."""

    scopes: ClassVar = {"POST": WRITE}
    takes_body: ClassVar = False
    needs: ClassVar = {"POST": EDITING}

    @extend_schema(operation_id="restoreSegment", responses={200: SegmentSerializer})
    def post(self, request: Request, **_: object) -> Response:
        """Offer an archived segment again."""
        return self.carry_out(saved.restore_segment)


def _segments() -> QuerySet[SavedSegment]:
    return SavedSegment.objects.select_related("workspace", "created_by")


def _read(raw: object) -> Definition:
    """Return what a definition means. Raises Invalid, naming the place of each mistake."""
    try:
        return parse(raw)
    except InvalidDefinition as refusal:
        errors = {
            printable(f"definition.{path}".rstrip(".")): [printable(sentence)]
            for path, sentence in refusal.errors.items()
        }
        raise Invalid("The definition cannot be used.", errors=errors) from refusal


def _read_to_keep(raw: object) -> Definition:
    """Return what a definition means that is to be kept. Raises Invalid, also for one without conditions."""
    definition = _read(raw)
    if not definition.conditions:
        sentence = "Add at least one condition: without any, the segment would be all customers."
        raise Invalid(sentence, errors={"definition.conditions": [sentence]})
    return definition


def _preview(view: ApiView, definition: Definition) -> dict[str, Any]:
    scope = scope_of(view.workspace)
    counted = count(workspace=view.workspace, scope=scope, definitions=[definition]) if scope else None
    return {
        "definition": definition.as_json(),
        "meaning": in_words(definition),
        "goal": scope and scope.goal.name,
        "start": scope and scope.period.start,
        "end": scope and scope.period.end,
        "window_days": scope and scope.window_days,
        "size": asdict(counted[0]) if counted else None,
    }
