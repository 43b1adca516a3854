"""Take imports back: their rows stop counting at once and are then deleted; what they had shadowed counts again.

An undo leaves what there would be had the imports never come. The rows that come to hold are looked for first, a
stretch at a time and without a lock; one short transaction then changes everything that counts, if no import of the
workspace has begun or ended meanwhile. Deleting the rows (`removal`) can wait: nothing sees them any more.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Max, Min, QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import User, Workspace
from jobs.handlers import JobDeferred
from marketing.importing.actions import move_version
from marketing.importing.announcing import announce_import
from marketing.importing.bulk import tell_planner
from marketing.importing.settle import IDS_AT_ONCE, same_key, take_measures_from_what_remains
from marketing.importing.versions import datasets_touched
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Dataset,
    Event,
    Experiment,
    Import,
    ImportedRow,
    OutcomeValue,
    PathCount,
    Touchpoint,
)
from webhooks.event_types import EventType

Heirs: TypeAlias = dict[type[ImportedRow], Collection[int]]
OnProgress = Callable[[float], None]

# For each undone touch that holds, the first of the remaining ones that say the same. The key is `settle`'s.
HEIRS_OF_TOUCHES = """
SELECT held.id, MIN(heir.id) FROM marketing_touchpoint held
JOIN marketing_touchpoint heir ON heir.customer_id = held.customer_id AND heir.occurred_at = held.occurred_at
    AND heir.interaction = held.interaction
JOIN marketing_import batch ON batch.id = heir.batch_id
JOIN marketing_trafficsource a ON a.id = held.traffic_source_id
JOIN marketing_trafficsource b ON b.id = heir.traffic_source_id
WHERE held.batch_id = %s AND held.id BETWEEN %s AND %s AND NOT held.shadowed
    AND heir.shadowed AND batch.status = 'active' AND batch.id NOT IN ({undone})
    AND COALESCE(a.campaign_id, 0) = COALESCE(b.campaign_id, 0)
    AND COALESCE(a.channel_id, 0) = COALESCE(b.channel_id, 0)
    AND (a.channel_id IS NOT NULL OR (a.source = b.source AND a.medium = b.medium))
GROUP BY held.id
"""
# Conversions are looked for from the other side: only the rows that hold are indexed by their order ids.
HEIRS_AMONG_CONVERSIONS = """
SELECT held.id, MIN(heir.id) FROM marketing_conversion heir
JOIN marketing_conversion held ON held.goal_id = heir.goal_id AND held.order_id = heir.order_id
    AND held.order_id IS NOT NULL AND NOT held.shadowed
WHERE heir.batch_id = %s AND heir.id BETWEEN %s AND %s AND heir.shadowed AND held.batch_id IN ({undone})
GROUP BY held.id
UNION ALL
SELECT held.id, MIN(heir.id) FROM marketing_conversion heir
JOIN marketing_conversion held ON held.customer_id = heir.customer_id AND held.occurred_at = heir.occurred_at
    AND held.goal_id = heir.goal_id AND held.value = heir.value AND held.converted = heir.converted
    AND held.order_id IS NULL AND NOT held.shadowed
WHERE heir.batch_id = %s AND heir.id BETWEEN %s AND %s AND heir.shadowed AND heir.order_id IS NULL
    AND held.batch_id IN ({undone})
GROUP BY held.id
"""
HEIRS_AMONG_FIGURES = """
SELECT held.id, MAX(new.id) FROM {table} new
JOIN marketing_import batch ON batch.id = new.batch_id
JOIN {table} held ON {same_key} AND NOT held.shadowed
WHERE batch.workspace_id = %s AND batch.status = 'active' AND batch.id NOT IN ({undone})
    AND new.shadowed AND held.batch_id IN ({undone})
GROUP BY held.id
"""
FIGURES: dict[str, type[ImportedRow]] = {
    Dataset.SPEND: ChannelSpend,
    Dataset.OUTCOMES: OutcomeValue,
    Dataset.CONTROLS: ControlValue,
    Dataset.EXPERIMENTS: Experiment,
    Dataset.EVENTS: Event,
    Dataset.PATHS: PathCount,
}
COUNTED_AS_DUPLICATES = (Touchpoint, Conversion)  # a figure that was restated is no duplicate
ROWS_AT_ONCE = 20_000  # SQLite takes no more than 32,766 parameters


def undo_imports(
    *, workspace: Workspace, imports: Collection[Import], by: User | None, on_progress: OnProgress = lambda _done: None
) -> None:
    """Let those of the imports that are active count no longer; safe to repeat.

    `on_progress` gets a fraction while rows are looked for, and may raise to stop it. Raises JobDeferred while another
    import of the workspace is loading, or if one has ended meanwhile: try again.
    """
    active = _active(workspace)
    undone = {batch.pk for batch in imports} & active.keys()
    if not undone:
        return
    heirs = _find_heirs(workspace, undone, on_progress)
    with transaction.atomic():
        _take_import_lock(locked := min(undone))
        if _active(workspace) | {locked: active[locked]} != active:
            raise JobDeferred
        _let_go(undone)
        for model, ids in heirs.items():
            _let_hold_again(model, ids)
        batches = list(Import.objects.filter(pk__in=undone).order_by("pk"))
        Import.objects.filter(pk__in=undone).update(status=Import.Status.UNDONE, undone_at=timezone.now(), undone_by=by)
        touched = {dataset for batch in batches for dataset in datasets_touched(batch)}
        if Dataset.SPEND in touched:
            take_measures_from_what_remains(workspace)
        for batch in batches:
            for dataset in datasets_touched(batch):
                move_version(batch=batch, dataset=dataset)
            record(
                workspace=workspace, actor=by, action="import.undone", target=batch.file_name, accepted=batch.accepted
            )
            announce_import(batch, EventType.IMPORT_UNDONE, Import.Status.UNDONE)


def _active(workspace: Workspace) -> dict[int, int]:
    """The revision of each active import: while these are the same, so are the rows that count."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
    return dict(active.order_by().values_list("pk", "revision"))


def _take_import_lock(import_id: int) -> None:
    """Hold the workspace's one place for an import at work, as this import, until the transaction ends."""
    try:
        with transaction.atomic():
            active = Import.objects.filter(pk=import_id, status=Import.Status.ACTIVE)
            if not active.update(status=Import.Status.LOADING):
                raise JobDeferred  # somebody else has just undone it
    except IntegrityError as error:
        raise JobDeferred from error


def _find_heirs(workspace: Workspace, undone: Collection[int], on_progress: OnProgress) -> Heirs:
    """The shadowed rows of other imports, by table, that hold once these imports do not count."""
    touched = {
        dataset
        for batch in Import.objects.filter(pk__in=undone).only("dataset", "mapping")
        for dataset in datasets_touched(batch)
    }
    others = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE).exclude(pk__in=undone)
    with_duplicates = set(others.filter(duplicates__gt=0).values_list("dataset", flat=True).distinct())
    heirs: Heirs = {}
    if Dataset.TOUCHPOINTS in touched & with_duplicates:
        heirs[Touchpoint] = _first_touches(undone, on_progress)
    if Dataset.CONVERSIONS in touched & with_duplicates:
        heirs[Conversion] = _first_conversions(undone, others.filter(dataset=Dataset.CONVERSIONS), on_progress)
    for dataset in touched & FIGURES.keys():
        heirs[FIGURES[dataset]] = _newest_figures(FIGURES[dataset], workspace, undone)
    return heirs


def _first_touches(undone: Collection[int], on_progress: OnProgress) -> list[int]:
    found: list[int] = []
    query = HEIRS_OF_TOUCHES.format(undone=_listed(undone))
    for stretch in _stretches(Touchpoint, undone, on_progress):
        found += [heir for _held, heir in _fetch(query, stretch)]
    return found


def _first_conversions(undone: Collection[int], others: QuerySet[Import], on_progress: OnProgress) -> list[int]:
    """Look through the imports that have duplicates; where several have one of the same row, the first is taken."""
    first: dict[int, int] = {}
    query = HEIRS_AMONG_CONVERSIONS.format(undone=_listed(undone))
    duplicated = others.filter(duplicates__gt=0).order_by().values_list("pk", flat=True)
    for stretch in _stretches(Conversion, list(duplicated), on_progress):
        for held, heir in _fetch(query, [*stretch, *stretch]):
            first[held] = min(heir, first.get(held, heir))
    return list(first.values())


def _newest_figures(model: type[ImportedRow], workspace: Workspace, undone: Collection[int]) -> "array[int]":
    table, listed = model._meta.db_table, _listed(undone)
    query = HEIRS_AMONG_FIGURES.format(table=table, same_key=same_key(model), undone=listed)
    tell_planner(model)
    found = array("q")  # of a million paths, all may have an heir
    with connection.cursor() as cursor:
        cursor.execute(query, [workspace.pk])
        found.extend(heir for _held, heir in cursor)
    return found


def _stretches(
    model: type[ImportedRow], imports: Collection[int], on_progress: OnProgress
) -> Iterator[tuple[int, int, int]]:
    """Yield import, first and last id of stretches that together hold the imports' rows."""
    rows = model._default_manager.filter(batch__in=imports).order_by()
    spans = list(rows.values_list("batch").annotate(low=Min("pk"), high=Max("pk")))
    stretches = [(batch, first) for batch, low, high in spans for first in range(low, high + 1, IDS_AT_ONCE)]
    for place, (batch, first) in enumerate(stretches):
        on_progress(place / len(stretches))
        yield batch, first, first + IDS_AT_ONCE - 1


def _fetch(query: str, parameters: Collection[int]) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(parameters))
        rows: list[tuple[int, int]] = cursor.fetchall()
    return rows


def _listed(ids: Collection[int]) -> str:
    return ",".join(map(str, sorted(ids)))


def _let_go(undone: Collection[int]) -> None:
    """Shadow the undone rows where, of equal ones, the database lets one hold: imports to come may say them again."""
    uniquely_held: tuple[type[ImportedRow], ...] = (Conversion, *FIGURES.values())
    for model in uniquely_held:
        model._default_manager.filter(batch__in=undone, shadowed=False).update(shadowed=True)


def _let_hold_again(model: type[ImportedRow], ids: Collection[int]) -> None:
    """Let these rows of active imports hold, and have the imports' counts and revisions tell of it."""
    ordered = sorted(ids)
    held_by: Counter[int] = Counter()
    for first in range(0, len(ordered), ROWS_AT_ONCE):
        rows = model._default_manager.filter(pk__in=ordered[first : first + ROWS_AT_ONCE]).order_by()
        held_by.update(dict(rows.values_list("batch").annotate(Count("pk"))))
        rows.update(shadowed=False)
    for batch, count in held_by.items():
        duplicates = count if model in COUNTED_AS_DUPLICATES else 0
        Import.objects.filter(pk=batch).update(
            revision=F("revision") + 1,
            accepted=F("accepted") + duplicates,
            duplicates=F("duplicates") - duplicates,
        )
