"""The rows of every dataset of a workspace, for its export: a bounded number of them in memory at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from django.db.models import Max, Min, Model, QuerySet

from accounts.models import Workspace
from marketing.models import (
    Campaign,
    Channel,
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
    PathCount,
    Segment,
    Touchpoint,
    TrafficSource,
)
from mmm_project.tables import Cell

IDS_AT_ONCE = 20_000
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
        Rows(
            Dataset.PATHS,
            PathCount,
            ("date", "path", "conversions", "value", "null"),
            ("date", "channels", "conversions", "value", "nulls"),
            _paths,
        ),
    )


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


def _paths(workspace: Workspace) -> Callable[[Row], Row]:
    names = _names(Channel, workspace)

    def present(row: Any) -> Row:
        date, channels, conversions, value, nulls = row
        path = " > ".join(names[channel] for channel in np.frombuffer(channels, PathCount.CHANNEL_DTYPE).tolist())
        return (str(date) if date else "", path, conversions, _amount(value), nulls)

    return present


def _amount(value: Any) -> str:
    """Return an amount without the zeros that only its column brought, and never in scientific notation."""
    return "" if value is None else f"{value.normalize():f}"
