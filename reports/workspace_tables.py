"""Everything that a workspace holds, table by table, for its export: a bounded number of rows in memory at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db.models import Max, Min, Model, QuerySet

from accounts.models import ApiKey, AuditEvent, Invitation, Membership, Workspace
from accounts.plans import plan_of
from analyses.models import Run
from analyses.registry import Cell
from marketing.models import (
    Campaign,
    Channel,
    ChannelAlias,
    ChannelGrouping,
    ChannelSpend,
    Control,
    ControlValue,
    Conversion,
    Dataset,
    Event,
    Experiment,
    Goal,
    Import,
    ImportedRow,
    Interaction,
    Outcome,
    OutcomeValue,
    SavedSegment,
    Segment,
    Touchpoint,
    TrafficSource,
)

IDS_AT_ONCE = 20_000
ROWS_AT_ONCE = 500
RESULTS_AT_ONCE = 20  # of runs, each of which may be large
Row: TypeAlias = tuple[Cell, ...]
Names: TypeAlias = Mapping[int | None, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a dataset that counting imports have brought in, under the names of the dataset's fields.

    `values`: the model's columns to read; `present` makes a row of them. `import` and `counts` come after.
    """

    dataset: Dataset
    model: type[ImportedRow]
    fields: tuple[str, ...]
    values: tuple[str, ...]
    prepare: Callable[[Workspace], Callable[[Row], Row]]

    @property
    def header(self) -> Row:
        return (*self.fields, "import", "counts")

    def read(self, workspace: Workspace) -> Iterator[Row]:
        """Yield the rows, import by import, in the order in which they came."""
        present = self.prepare(workspace)
        imports = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE).order_by("pk")
        for batch in list(imports.values_list("pk", flat=True)):
            rows = self.model._default_manager.filter(batch=batch)
            span = rows.aggregate(low=Min("pk"), high=Max("pk"))
            if span["low"] is None:
                continue
            for low in range(span["low"], span["high"] + 1, IDS_AT_ONCE):
                stretch = rows.filter(pk__gte=low, pk__lt=low + IDS_AT_ONCE).order_by("pk")
                for *values, shadowed in stretch.values_list(*self.values, "shadowed"):
                    yield (*present(tuple(values)), batch, "false" if shadowed else "true")


def workspace_rows() -> tuple[Rows, ...]:
    """Return the datasets in the order in which they stand in an export."""
    return (
        Rows(
            Dataset.TOUCHPOINTS,
            Touchpoint,
            ("customer", "occurred_at", "channel", "source", "medium", "campaign", "interaction", "segment"),
            ("customer_id", "occurred_at", "traffic_source_id", "interaction", "segment_id"),
            _touchpoints,
        ),
        Rows(
            Dataset.CONVERSIONS,
            Conversion,
            ("customer", "occurred_at", "goal", "value", "order_id", "converted"),
            ("customer_id", "occurred_at", "goal_id", "value", "order_id", "converted"),
            _conversions,
        ),
        Rows(
            Dataset.SPEND,
            ChannelSpend,
            ("date", "channel", "campaign", "geo", "spend", "impressions", "clicks"),
            ("date", "channel_id", "campaign_id", "geo", "spend", "impressions", "clicks"),
            _spend,
        ),
        Rows(
            Dataset.OUTCOMES,
            OutcomeValue,
            ("date", "outcome", "geo", "value"),
            ("date", "outcome_id", "geo", "value"),
            lambda workspace: _series(_names(Outcome, workspace)),
        ),
        Rows(
            Dataset.CONTROLS,
            ControlValue,
            ("date", "control", "geo", "value"),
            ("date", "control_id", "geo", "value"),
            lambda workspace: _series(_names(Control, workspace)),
        ),
        Rows(
            Dataset.EXPERIMENTS,
            Experiment,
            ("channel", "start", "end", "geo", "lift", "standard_error", "spend"),
            ("channel_id", "start", "end", "geo", "lift", "standard_error", "spend"),
            _experiments,
        ),
        Rows(
            Dataset.EVENTS,
            Event,
            ("name", "start", "end", "geo"),
            ("name", "start", "end", "geo"),
            lambda _workspace: lambda row: (row[0], str(row[1]), str(row[2]), row[3]),
        ),
    )


def settings_of(workspace: Workspace) -> dict[str, Any]:
    """Return the workspace's settings, its people, and every name and rule that it has made up. No secrets."""
    fields = [field.name for field in Workspace._meta.fields if field.name != "id"]
    return {
        "settings": {name: getattr(workspace, name) for name in fields},
        "plan": plan_of(workspace).code,
        "members": _all(Membership, workspace, email="user__email", role="role", since="created_at"),
        "invitations": _all(
            Invitation, workspace, email="email", role="role", sent_at="created_at", expires_at="expires_at",
            accepted_at="accepted_at", revoked_at="revoked_at",
        ),
        "api_keys": _all(
            ApiKey, workspace, name="name", lookup="lookup", scopes="scopes", created_by="created_by__email",
            created_at="created_at", expires_at="expires_at", revoked_at="revoked_at",
        ),
        "channels": _all(
            Channel, workspace, name="name", type="type", colour_slot="colour_slot", merged_into="merged_into__name"
        ),
        "channel_aliases": _all(ChannelAlias, workspace, name="name", channel="channel__name"),
        "channel_grouping": _all(ChannelGrouping, workspace, rules="rules", changed_at="changed_at"),
        "campaigns": _all(Campaign, workspace, name="name"),
        "goals": _all(Goal, workspace, name="name", kind="kind", is_default="is_default", archived_at="archived_at"),
        "outcomes": _all(Outcome, workspace, name="name", kind="kind", is_money="is_money"),
        "controls": _all(Control, workspace, name="name"),
        "segments_of_the_data": _all(Segment, workspace, name="name"),
        "segments": _all(
            SavedSegment, workspace, name="name", definition="definition", created_at="created_at",
            archived_at="archived_at",
        ),
    }  # fmt: skip


def imports_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield what is known of each import: file, counts, mapping, who and when."""
    left_out = {"workspace", "job", "stored_file", "rejects_file", "requested_by", "undone_by"}
    fields = [field.name for field in Import._meta.fields if field.name not in left_out]
    rows = Import.objects.filter(workspace=workspace).order_by("pk")
    yield from rows.values(*fields, "requested_by__email", "undone_by__email").iterator(chunk_size=ROWS_AT_ONCE)


def runs_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield each run: the question, the answer, who and when."""
    fields = ("id", "kind", "params", "trigger", "created_at", "data_version", "method_version", "result", "void")
    rows = Run.objects.filter(workspace=workspace).order_by("created_at")
    values = (*fields, "requested_by__email", "job__status", "job__error", "job__finished_at")
    yield from rows.values(*values).iterator(chunk_size=RESULTS_AT_ONCE)


def audit_of(workspace: Workspace) -> Iterator[Mapping[str, Any]]:
    """Yield the audit log, oldest first."""
    rows = AuditEvent.objects.filter(workspace=workspace).order_by("pk")
    values = rows.values("at", "action", "target", "actor__email", "api_key__name", "detail")
    yield from values.iterator(chunk_size=ROWS_AT_ONCE)


def _all(model: type[Model], workspace: Workspace, **columns: str) -> list[dict[str, Any]]:
    rows = model._default_manager.filter(workspace=workspace).order_by("pk").values_list(*columns.values())
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _names(model: type[Model], workspace: Workspace) -> Names:
    known: QuerySet[Any, Any] = model._default_manager.filter(workspace=workspace).values_list("pk", "name")
    return dict(known)


def _touchpoints(workspace: Workspace) -> Callable[[Row], Row]:
    segments, interactions = _names(Segment, workspace), {choice.value: choice.name.lower() for choice in Interaction}
    interactions[Interaction.UNSPECIFIED] = ""
    channels, campaigns = _names(Channel, workspace), _names(Campaign, workspace)
    rows = TrafficSource.objects.filter(workspace=workspace)
    sources = {
        pk: (channels.get(channel, ""), source, medium, campaigns.get(campaign, ""))
        for pk, channel, source, medium, campaign in rows.values_list(
            "pk", "channel_id", "source", "medium", "campaign_id"
        )
    }

    def present(row: Any) -> Row:
        customer, at, source, interaction, segment = row
        return (customer, at.isoformat(), *sources[source], interactions[interaction], segments.get(segment, ""))

    return present


def _conversions(workspace: Workspace) -> Callable[[Row], Row]:
    goals = _names(Goal, workspace)

    def present(row: Any) -> Row:
        customer, at, goal, value, order, converted = row
        return (customer, at.isoformat(), goals[goal], _amount(value), order or "", "true" if converted else "false")

    return present


def _spend(workspace: Workspace) -> Callable[[Row], Row]:
    channels, campaigns = _names(Channel, workspace), _names(Campaign, workspace)

    def present(row: Any) -> Row:
        date, channel, campaign, geo, spend, impressions, clicks = row
        return (str(date), channels[channel], campaigns.get(campaign, ""), geo, _amount(spend), impressions, clicks)

    return present


def _series(names: Names) -> Callable[[Row], Row]:
    def present(row: Any) -> Row:
        date, name, geo, value = row
        return (str(date), names[name], geo, value)

    return present


def _experiments(workspace: Workspace) -> Callable[[Row], Row]:
    channels = _names(Channel, workspace)

    def present(row: Any) -> Row:
        channel, start, end, geo, lift, error, spend = row
        return (channels[channel], str(start), str(end), geo, lift, error, _amount(spend))

    return present


def _amount(value: Any) -> str:
    """Return an amount without the zeros that only its column brought, and never in scientific notation."""
    return "" if value is None else f"{value.normalize():f}"
