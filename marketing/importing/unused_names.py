"""Take away the names that came with imports which failed or were undone, unless something else needs them.

While an import loads, it keeps the ids of the names that it creates (`Import.created_names`). Once its rows are gone,
those go that no other import says and about which nobody has decided anything. Customers, who are many, stay.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from django.db.models import Model, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.models import AuditEvent, Workspace
from marketing.importing.dimensions import ids_in, spans_of
from marketing.models import (
    Campaign,
    Channel,
    ChannelGrouping,
    ChannelSpend,
    Control,
    ControlValue,
    Conversion,
    Dataset,
    Experiment,
    Goal,
    Import,
    ImportedRow,
    Outcome,
    OutcomeValue,
    PathChannel,
    SavedSegment,
    Segment,
    Touchpoint,
    TrafficSource,
)

Ids: TypeAlias = set[int]
MOST_ROWS_READ = 1_000_000  # of later touches or conversions, to see what they say: of more, all names may be said
IDS_AT_ONCE = 20_000  # SQLite takes no more than 32,766 parameters
# In an order in which nothing that is left refers to what is gone.
KINDS: tuple[type[Model], ...] = (TrafficSource, Segment, Campaign, Channel, Outcome, Control, Goal)


def remove_unused_names(workspace: Workspace, ended: QuerySet[Import]) -> None:
    """Remove the names that the imports created and nothing else needs.

    `ended`: imports of the workspace that do not count and have no rows left. Call it in a transaction in which no
    import of the workspace can begin or end, and nobody can change its channels and goals.
    """
    batches = list(ended.exclude(created_names={}).only("created_names", "created_at"))
    if not batches:
        return
    # What counted before the first of them was asked for cannot say a name that one of them created.
    since = min(batch.created_at for batch in batches)
    later = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE, activated_at__gte=since)
    kept = {}
    for kind in KINDS:
        key = str(kind._meta.model_name)
        kept[key] = _keep_used(kind, workspace, later, {pk for batch in batches for pk in created(batch, key)})
    for batch in batches:
        left = {key: spans_of(pk for pk in created(batch, key) if pk in kept[key]) for key in kept}
        batch.created_names = {key: spans for key, spans in left.items() if spans}
        batch.save(update_fields=["created_names"])


def created(batch: Import, key: str) -> Iterator[int]:
    """Yield the ids of the names of a kind that the import created."""
    return ids_in(batch.created_names.get(key, []))


def _keep_used(kind: type[Model], workspace: Workspace, later: QuerySet[Import], ids: Ids) -> Ids:
    """Remove those of the names that nothing needs, and return the others."""
    ids = ids and ids & set(kind._default_manager.filter(workspace=workspace).order_by().values_list("pk", flat=True))
    if not ids:
        return ids
    used = USED[kind](workspace, later)
    if used is None:
        return ids
    unused = sorted(ids - used - _decided(kind, workspace))
    for first in range(0, len(unused), IDS_AT_ONCE):
        gone = kind._default_manager.filter(pk__in=unused[first : first + IDS_AT_ONCE])
        # Looking for rows that refer to them, as a deletion by RESTRICT does, would read the rows of all workspaces.
        gone._raw_delete(gone.db)  # noqa: SLF001
    return ids - set(unused)


def _said(model: type[ImportedRow] | type[PathChannel], name: str, imports: QuerySet[Import]) -> Ids:
    rows = model._default_manager.filter(batch__in=imports.order_by().values("pk"), **{f"{name}__isnull": False})
    return set(rows.order_by().values_list(name, flat=True).distinct())


def _said_by_some(model: type[ImportedRow], name: str, imports: QuerySet[Import]) -> Ids | None:
    """Return what the rows say; None if they are too many to be read."""
    rows: int = imports.aggregate(rows=Coalesce(Sum("accepted") + Sum("duplicates"), 0))["rows"]
    return None if rows > MOST_ROWS_READ else _said(model, name, imports)


def _used_sources(_workspace: Workspace, later: QuerySet[Import]) -> Ids | None:
    return _said_by_some(Touchpoint, "traffic_source", later.filter(dataset=Dataset.TOUCHPOINTS))


def _used_segments(_workspace: Workspace, later: QuerySet[Import]) -> Ids | None:
    return _said_by_some(Touchpoint, "segment", later.filter(dataset=Dataset.TOUCHPOINTS))


def _used_campaigns(workspace: Workspace, later: QuerySet[Import]) -> Ids:
    return _of_sources(workspace, "campaign") | _said(ChannelSpend, "campaign", later)


def _used_channels(workspace: Workspace, later: QuerySet[Import]) -> Ids:
    """Those that rows say, and those that traffic is grouped into."""
    from marketing.sources import grouping_of  # NumPy and snapshots: only where there is something to remove

    used = _of_sources(workspace, "channel") | _said(ChannelSpend, "channel", later)
    used |= _said(Experiment, "channel", later) | _said(PathChannel, "channel", later)
    grouping = grouping_of(workspace=workspace)
    grouped = TrafficSource.objects.filter(workspace=workspace, channel=None)
    named = grouped.values_list("source", "medium", "campaign__name")
    groups = {grouping(source, medium, campaign or "").lower() for source, medium, campaign in named.iterator()}
    names = Channel.objects.filter(workspace=workspace).values_list("pk", "name")
    return used | {pk for pk, name in names if name.lower() in groups}


def _used_outcomes(_workspace: Workspace, later: QuerySet[Import]) -> Ids:
    return _said(OutcomeValue, "outcome", later)


def _used_controls(_workspace: Workspace, later: QuerySet[Import]) -> Ids:
    return _said(ControlValue, "control", later)


def _used_goals(_workspace: Workspace, later: QuerySet[Import]) -> Ids | None:
    return _said_by_some(Conversion, "goal", later.filter(dataset=Dataset.CONVERSIONS))


USED = {
    TrafficSource: _used_sources,
    Segment: _used_segments,
    Campaign: _used_campaigns,
    Channel: _used_channels,
    Outcome: _used_outcomes,
    Control: _used_controls,
    Goal: _used_goals,
}


def _of_sources(workspace: Workspace, name: str) -> Ids:
    sources = TrafficSource.objects.filter(workspace=workspace, **{f"{name}__isnull": False})
    return set(sources.values_list(name, flat=True).distinct())


def _decided(kind: type[Model], workspace: Workspace) -> Ids:
    """The names that somebody has changed, as the audit log has it, or uses in a saved segment or a grouping's rule."""
    if kind is TrafficSource:
        return set()
    definitions = SavedSegment.objects.filter(workspace=workspace).values_list("definition", flat=True)
    rules = ChannelGrouping.objects.filter(workspace=workspace).values_list("rules", flat=True)
    said = {text.lower() for text in _texts([*definitions, *rules])}
    changes = AuditEvent.objects.filter(workspace=workspace, action__startswith=f"{kind._meta.model_name}.")
    said |= {text.lower() for text in _texts(list(changes.values_list("target", "detail")))}
    names = kind._default_manager.filter(workspace=workspace).order_by().values_list("pk", "name")
    return {pk for pk, name in names if name.lower() in said}


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in what was JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
