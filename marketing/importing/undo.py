"""Take imports back: their rows stop counting at once and are then deleted; what they had shadowed counts again."""

from collections.abc import Collection, Sequence

from django.db import IntegrityError, connection, models, transaction
from django.db.models import F

from accounts.audit import record
from accounts.models import User, Workspace
from jobs.handlers import JobDeferred
from marketing.importing.actions import DATASETS_TOUCHED, move_version
from marketing.importing.settle import RESTATED_KEYS, same_key
from marketing.models import (
    Campaign,
    Channel,
    Control,
    Conversion,
    Customer,
    Import,
    Outcome,
    Segment,
    Touchpoint,
    TrafficSource,
)

SAME_TOUCH = """
later.customer_id = earlier.customer_id AND later.occurred_at = earlier.occurred_at
AND later.interaction = earlier.interaction AND COALESCE(a.campaign_id, 0) = COALESCE(b.campaign_id, 0)
AND COALESCE(a.channel_id, 0) = COALESCE(b.channel_id, 0)
AND (a.channel_id IS NOT NULL OR (a.source = b.source AND a.medium = b.medium))
"""
SAME_CONVERSION = """
((later.order_id IS NOT NULL AND later.goal_id = earlier.goal_id AND later.order_id = earlier.order_id)
 OR (later.order_id IS NULL AND earlier.order_id IS NULL AND later.customer_id = earlier.customer_id
     AND later.occurred_at = earlier.occurred_at AND later.goal_id = earlier.goal_id AND later.value = earlier.value
     AND later.converted = earlier.converted))
"""
# Shadowed rows of the remaining imports before which no equal row remains: the first active row holds.
FIRST_TOUCHES = f"""
SELECT later.id, later.batch_id FROM marketing_touchpoint later
JOIN marketing_trafficsource b ON b.id = later.traffic_source_id
WHERE later.shadowed AND later.batch_id IN ({{remaining}}) AND NOT EXISTS (
    SELECT 1 FROM marketing_touchpoint earlier JOIN marketing_trafficsource a ON a.id = earlier.traffic_source_id
    WHERE {SAME_TOUCH} AND earlier.id < later.id AND earlier.batch_id IN ({{remaining}})
)
"""  # noqa: S608 - {remaining} are numbers
FIRST_CONVERSIONS = f"""
SELECT later.id, later.batch_id FROM marketing_conversion later
WHERE later.shadowed AND later.batch_id IN ({{remaining}}) AND NOT EXISTS (
    SELECT 1 FROM marketing_conversion earlier
    WHERE {SAME_CONVERSION} AND (earlier.id < later.id OR NOT earlier.shadowed) AND earlier.id <> later.id
      AND earlier.batch_id IN ({{remaining}})
)
"""  # noqa: S608
IDS_AT_ONCE = 20_000
GONE = (Import.Status.FAILED, Import.Status.UNDONE)
# In an order in which nothing that is left refers to what is gone.
NAMES: tuple[type[models.Model], ...] = (Customer, TrafficSource, Campaign, Segment, Channel, Outcome, Control)


def undo_imports(*, workspace: Workspace, imports: Sequence[Import], by: User | None) -> None:
    """Make active imports count no longer, in one transaction; deleting their rows is left to `removal`.

    Raises JobDeferred while another import of the workspace is loading: the two would not see each other's rows.
    """
    undone = [batch for batch in imports if batch.status == Import.Status.ACTIVE]
    if not undone:
        return
    with transaction.atomic():
        _take_import_lock(undone[0])
        ids = [batch.pk for batch in undone]
        active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE).exclude(pk__in=ids)
        remaining = list(active.values_list("pk", flat=True))
        _shadow_what_is_unique(ids)
        if remaining:
            _let_hold_again(Touchpoint, FIRST_TOUCHES, remaining)
            _let_hold_again(Conversion, FIRST_CONVERSIONS, remaining)
            for model in RESTATED_KEYS:
                _let_hold_again(model, _newest(model), remaining)
        Import.objects.filter(pk__in=ids).update(status=Import.Status.UNDONE)
        for batch in undone:
            for dataset in DATASETS_TOUCHED.get(batch.dataset, (batch.dataset,)):
                move_version(batch=batch, dataset=dataset)
            record(workspace=workspace, actor=by, action="import.undone", target=batch.file_name)


def remove_unused_names(workspace: Workspace) -> None:
    """Remove the customers, channels, campaigns and so on of a workspace that holds no data; its goals are settings."""
    if Import.objects.filter(workspace=workspace).exclude(status__in=GONE).exists():
        return
    with transaction.atomic():
        # Nothing refers to them: no import of the workspace has rows. (Looking for touches of each of them, as a
        # deletion of RESTRICT does, would read the touchpoints of everybody.)
        for model in NAMES:
            rows = model._default_manager.filter(workspace=workspace)
            rows._raw_delete(rows.db)  # noqa: SLF001


def _take_import_lock(batch: Import) -> None:
    """Hold the workspace's one place for an import at work until the transaction ends."""
    try:
        with transaction.atomic():
            Import.objects.filter(pk=batch.pk).update(status=Import.Status.LOADING)
    except IntegrityError as error:
        raise JobDeferred from error


def _shadow_what_is_unique(undone: Collection[int]) -> None:
    """Make room for rows that are to hold again: of equal ones, the database allows one that is not shadowed."""
    uniquely_held: tuple[type[models.Model], ...] = (Conversion, *RESTATED_KEYS)
    for model in uniquely_held:
        model._default_manager.filter(batch__in=undone, shadowed=False).update(shadowed=True)


def _let_hold_again(model: type[models.Model], query: str, remaining: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query.format(remaining=",".join(map(str, remaining))))
        found = cursor.fetchall()
    for first in range(0, len(found), IDS_AT_ONCE):
        ids = [row[0] for row in found[first : first + IDS_AT_ONCE]]
        model._default_manager.filter(pk__in=ids).update(shadowed=False)
    # Snapshots of these imports held other rows.
    Import.objects.filter(pk__in={row[1] for row in found}).update(revision=F("revision") + 1)


def _newest(model: type[models.Model]) -> str:
    """Shadowed rows of the remaining imports after which no equal row remains: the newest import holds."""
    table = model._meta.db_table
    return (
        f"SELECT held.id, held.batch_id FROM {table} held "  # noqa: S608
        "WHERE held.shadowed AND held.batch_id IN ({remaining}) AND NOT EXISTS ("
        f"SELECT 1 FROM {table} new WHERE {same_key(model)} AND new.id > held.id AND new.batch_id IN ({{remaining}}))"
    )
