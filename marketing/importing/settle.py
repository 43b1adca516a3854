"""Decide which of several rows with one natural key holds.

Touchpoints and conversions: the first active row holds, later ones are shadowed. Spend, outcomes, controls and
experiments: the newest import holds. Every function here runs under the workspace's import lock (`actions.run_import`).
"""

from collections.abc import Callable, Iterator

from django.db import connection, models, transaction

from marketing.models import ChannelSpend, ControlValue, Conversion, Experiment, Import, OutcomeValue, Touchpoint

IDS_AT_ONCE = 50_000  # a transaction's worth: about half a second of write lock on SQLite

# The same touch: customer, time, interaction, campaign, and channel (or what stands for it: source and medium).
SHADOW_TOUCHES = """
UPDATE marketing_touchpoint AS later SET shadowed = TRUE
WHERE later.batch_id = %s AND later.id BETWEEN %s AND %s AND EXISTS (
    SELECT 1 FROM marketing_touchpoint earlier
    JOIN marketing_import batch ON batch.id = earlier.batch_id
    JOIN marketing_trafficsource a ON a.id = earlier.traffic_source_id
    JOIN marketing_trafficsource b ON b.id = later.traffic_source_id
    WHERE earlier.customer_id = later.customer_id AND earlier.occurred_at = later.occurred_at
      AND earlier.interaction = later.interaction AND earlier.id < later.id
      AND (earlier.batch_id = later.batch_id OR batch.status = 'active')
      AND COALESCE(a.campaign_id, 0) = COALESCE(b.campaign_id, 0)
      AND COALESCE(a.channel_id, 0) = COALESCE(b.channel_id, 0)
      AND (a.channel_id IS NOT NULL OR (a.source = b.source AND a.medium = b.medium))
)
"""
FIRST_CONVERSIONS = """
SELECT MIN(id) FROM marketing_conversion WHERE batch_id = %s AND order_id IS NOT NULL GROUP BY goal_id, order_id
UNION ALL
SELECT MIN(id) FROM marketing_conversion WHERE batch_id = %s AND order_id IS NULL
GROUP BY customer_id, occurred_at, goal_id, value, converted
ORDER BY 1
"""
ADMIT_CONVERSIONS = """
UPDATE marketing_conversion AS new SET shadowed = FALSE
WHERE new.id IN ({ids}) AND NOT EXISTS (
    SELECT 1 FROM marketing_conversion held
    WHERE held.goal_id = new.goal_id AND held.order_id = new.order_id AND held.order_id IS NOT NULL
      AND NOT held.shadowed
) AND NOT EXISTS (
    SELECT 1 FROM marketing_conversion held
    WHERE new.order_id IS NULL AND held.order_id IS NULL AND NOT held.shadowed AND held.customer_id = new.customer_id
      AND held.occurred_at = new.occurred_at AND held.goal_id = new.goal_id AND held.value = new.value
      AND held.converted = new.converted
)
"""
RESTATED_KEYS: dict[type[models.Model], tuple[str, ...]] = {
    ChannelSpend: ("channel_id", "date", "COALESCE({row}.campaign_id, 0)", "geo"),
    OutcomeValue: ("outcome_id", "date", "geo"),
    ControlValue: ("control_id", "date", "geo"),
    Experiment: ("channel_id", "start", "end", "geo"),
}


def shadow_repeated_touches(batch: Import, *, after_each: Callable[[float], None]) -> int:
    """Shadow the import's touches that an earlier active row already says; return how many there are."""
    ids = Touchpoint.objects.filter(batch=batch).aggregate(low=models.Min("id"), high=models.Max("id"))
    if ids["low"] is None:
        return 0
    shadowed = 0
    for low in range(ids["low"], ids["high"] + 1, IDS_AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SHADOW_TOUCHES, [batch.pk, low, low + IDS_AT_ONCE - 1])
            shadowed += cursor.rowcount
        after_each((low - ids["low"]) / (ids["high"] + 1 - ids["low"]))
    return shadowed


def admit_new_conversions(batch: Import, *, after_each: Callable[[float], None]) -> int:
    """Let the import's conversions that nobody has said yet hold; return how many stay shadowed as duplicates."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_CONVERSIONS, [batch.pk, batch.pk])
        first = [row[0] for row in cursor.fetchall()]
    admitted = 0
    for done, ids in _slices(first):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ADMIT_CONVERSIONS.format(ids=",".join(map(str, ids))))
            admitted += cursor.rowcount
        after_each(done)
    return Conversion.objects.filter(batch=batch).count() - admitted


def restate(batch: Import) -> None:
    """Let the import's figures take the place of earlier ones. Call it in the transaction that activates the import."""
    for model, key in RESTATED_KEYS.items():
        table = model._meta.db_table
        same = " AND ".join(_column(part, "held") + " = " + _column(part, "new") for part in key)
        with connection.cursor() as cursor:
            # Each new row finds the one that it replaces through the unique index of rows that hold.
            cursor.execute(
                f"UPDATE {table} SET shadowed = TRUE WHERE id IN (SELECT held.id FROM {table} new "  # noqa: S608
                f"JOIN {table} held ON {same} AND NOT held.shadowed WHERE new.batch_id = %s)",
                [batch.pk],
            )
        model.objects.filter(batch=batch).update(shadowed=False)  # type: ignore[attr-defined]


def _column(part: str, row: str) -> str:
    return part.format(row=row) if "{row}" in part else f'{row}."{part}"'


def _slices(ids: list[int]) -> Iterator[tuple[float, list[int]]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield start / len(ids), ids[start : start + IDS_AT_ONCE]
