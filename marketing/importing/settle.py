"""Decide which of several rows with one natural key holds.

Touchpoints and conversions: the first active row holds, later ones are shadowed. Spend, outcomes, controls,
experiments, events and paths: the newest import holds. Every function here runs under the workspace's import lock
(`actions.run_import`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from django.db import connection, models, transaction

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.importing.bulk import tell_planner
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Dataset,
    Event,
    Experiment,
    Import,
    OutcomeValue,
    PathCount,
    Touchpoint,
)

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
SPEND_MEASURES = ("spend", "impressions", "clicks")
# A measure for which a row's file has no column is that of the last equal row before it whose file has one.
TAKE_MEASURE = """
WITH unsaid (batch_id, channel_id) AS (VALUES {unsaid}),
counted AS (
    SELECT spend.id, spend.channel_id, spend.date, COALESCE(spend.campaign_id, 0) AS campaign, spend.geo,
        spend.{measure} AS measure, unsaid.batch_id IS NULL AS said, COUNT(CASE WHEN unsaid.batch_id IS NULL THEN 1 END)
        OVER (PARTITION BY spend.channel_id, spend.date, COALESCE(spend.campaign_id, 0), spend.geo ORDER BY spend.id)
        AS said_until_here
    FROM marketing_channelspend spend JOIN marketing_import batch ON batch.id = spend.batch_id
    LEFT JOIN unsaid ON unsaid.batch_id = spend.batch_id AND unsaid.channel_id = spend.channel_id
    WHERE batch.workspace_id = %s AND batch.status = 'active'
),
last_said AS (
    SELECT id, said, MAX(CASE WHEN said THEN measure END)
        OVER (PARTITION BY channel_id, date, campaign, geo, said_until_here) AS measure
    FROM counted
)
UPDATE marketing_channelspend AS spend SET {measure} = last_said.measure FROM last_said
WHERE last_said.id = spend.id AND NOT last_said.said AND spend.{measure} IS DISTINCT FROM last_said.measure
"""
# The first row of each path that a file has several rows of gets what they come to.
ADD_UP_PATHS = """
UPDATE marketing_pathcount AS first
SET conversions = whole.conversions, value = whole.value, nulls = whole.nulls, file_rows = whole.file_rows
FROM (
    SELECT MIN(id) AS id, SUM(conversions) AS conversions, ROUND(SUM(value), 6) AS value, SUM(nulls) AS nulls,
        SUM(file_rows) AS file_rows
    FROM marketing_pathcount WHERE batch_id = %s GROUP BY digest HAVING COUNT(*) > 1
) whole
WHERE first.id = whole.id
"""
# IN, as PostgreSQL compares each row with each of a NOT IN that is too long for its memory.
DROP_ADDED_PATHS = """
DELETE FROM marketing_pathcount WHERE id IN (
    SELECT id FROM (
        SELECT id, ROW_NUMBER() OVER (PARTITION BY digest ORDER BY id) AS place
        FROM marketing_pathcount WHERE batch_id = %s
    ) numbered
    WHERE place > 1
)
"""
RESTATED_KEYS: dict[type[models.Model], tuple[str, ...]] = {
    ChannelSpend: ("channel_id", "date", "COALESCE({row}.campaign_id, 0)", "geo"),
    OutcomeValue: ("outcome_id", "date", "geo"),
    ControlValue: ("control_id", "date", "geo"),
    Experiment: ("channel_id", "start", "end", "geo"),
    Event: ("workspace_id", "name", "start", "geo"),
    PathCount: ("digest",),
}

# What a row of each says beside its key.
MEASURES: dict[type[models.Model], tuple[str, ...]] = {
    ChannelSpend: SPEND_MEASURES,
    OutcomeValue: ("value",),
    ControlValue: ("value",),
    Experiment: ("lift", "standard_error", "spend"),
    Event: ("end",),
    PathCount: ("conversions", "value", "nulls"),
}
OF_WIDE_TABLES = {ChannelSpend: "date", OutcomeValue: "date", ControlValue: "date", Event: "start"}  # model -> its day


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


def add_up_paths(batch: Import) -> None:
    """Make one row of the import's rows for one path and day: counts are added up, as they are of different journeys.

    Within a chunk of the file that has been done; in other chunks the same path may have come again. Nobody sees the
    rows yet.
    """
    if batch.dataset != Dataset.PATHS:
        return
    tell_planner(PathCount)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ADD_UP_PATHS, [batch.pk])
        if cursor.rowcount:
            cursor.execute(DROP_ADDED_PATHS, [batch.pk])


def keep_measures_unsaid(batch: Import, *, fields: Collection[str]) -> None:
    """Let spend rows keep the measures of the rows that they restate for which the file has no column.

    `fields` are those that the file has. Call it before `restate`, in the same transaction.
    """
    table = ChannelSpend._meta.db_table
    channels = channel_index(workspace=batch.workspace).ids
    for measure in SPEND_MEASURES:
        if unsaid := _channels_without(measure, fields=fields, channels=channels):
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} AS new SET {measure} = held.{measure} FROM {table} held "  # noqa: S608
                    f"WHERE {same_key(ChannelSpend)} AND NOT held.shadowed AND held.{measure} IS NOT NULL "
                    f"AND new.batch_id = %s AND new.channel_id IN ({','.join(map(str, unsaid))})",
                    [batch.pk],
                )


def take_measures_from_what_remains(workspace: Workspace) -> None:
    """Have what spend rows keep for measures unsaid come from active imports only. Call it when one has been undone.

    What a file has columns for is read from `Import.mapping`, as `actions` completes it.
    """
    channels = channel_index(workspace=workspace).ids
    tables = Import.objects.filter(
        workspace=workspace, status=Import.Status.ACTIVE, dataset__in=[Dataset.SPEND, Dataset.MEDIA_TABLE]
    )
    fields_by_import = dict(tables.order_by("pk").values_list("pk", "mapping"))
    for measure in SPEND_MEASURES:
        unsaid = [
            (batch, channel)
            for batch, fields in fields_by_import.items()
            for channel in _channels_without(measure, fields=fields, channels=channels)
        ]
        if unsaid:
            pairs = ",".join(f"({batch},{channel})" for batch, channel in unsaid)
            with connection.cursor() as cursor:
                cursor.execute(TAKE_MEASURE.format(measure=measure, unsaid=pairs), [workspace.pk])


def _channels_without(measure: str, *, fields: Collection[str], channels: Mapping[str, int]) -> set[int]:
    """The channels whose rows, in a file with these fields, cannot say this measure."""
    if measure in fields:
        return set()
    if "channel" in fields:
        return set(channels.values())
    series = {tuple(name.lower().split(":", 1)) for name in fields if ":" in name}  # of a wide table: `spend:TV`
    told_of = {label for kind, label in series if kind in SPEND_MEASURES}
    return {channels[label] for label in told_of if label in channels and (measure, label) not in series}


def count_equal_figures(batch: Import) -> int:
    """Count the import's rows that say nothing but what holds already: the same key and the same measures.

    They restate as all others do, so that the newest import holds, but are told as duplicates. Of a wide table, a row
    of the file counts if all of its figures do. Call it between `keep_measures_unsaid` and `restate`.
    """
    if batch.dataset == Dataset.MEDIA_TABLE:
        figures = " UNION ALL ".join(
            f"SELECT new.{_quoted(day)} AS day, new.geo AS geo, {_said_already(model)} AS repeated "  # noqa: S608
            f"FROM {model._meta.db_table} new WHERE new.batch_id = %s"
            for model, day in OF_WIDE_TABLES.items()
        )
        query = (
            f"SELECT COUNT(*) FROM (SELECT 1 AS one FROM ({figures}) figures "  # noqa: S608
            "GROUP BY day, geo HAVING MIN(repeated) = 1) repeated_rows"
        )
        return _count(query, [batch.pk] * len(OF_WIDE_TABLES))
    return sum(
        _count(
            f"SELECT COALESCE(SUM({_said_already(model)} * {rows}), 0) FROM {model._meta.db_table} new "  # noqa: S608
            "WHERE new.batch_id = %s",
            [batch.pk],
        )
        for model in MEASURES
        for rows in ["new.file_rows" if model is PathCount else "1"]
    )


def _said_already(model: type[models.Model]) -> str:
    """The SQL expression, 1 or 0, whether a row that holds says the same as the row `new`."""
    measures = "".join(
        f" AND held.{_quoted(measure)} IS NOT DISTINCT FROM new.{_quoted(measure)}" for measure in MEASURES[model]
    )
    return (
        f"CASE WHEN EXISTS (SELECT 1 FROM {model._meta.db_table} held "  # noqa: S608
        f"WHERE {same_key(model)} AND NOT held.shadowed{measures}) THEN 1 ELSE 0 END"
    )


def _count(query: str, parameters: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return int(cursor.fetchone()[0])


def restate(batch: Import) -> None:
    """Let the import's figures take the place of earlier ones. Call it in the transaction that activates the import."""
    for model in RESTATED_KEYS:
        table = model._meta.db_table
        same = same_key(model)
        with connection.cursor() as cursor:
            # Each new row finds the one that it replaces through the unique index of rows that hold.
            cursor.execute(
                f"UPDATE {table} SET shadowed = TRUE WHERE id IN (SELECT held.id FROM {table} new "  # noqa: S608
                f"JOIN {table} held ON {same} AND NOT held.shadowed WHERE new.batch_id = %s)",
                [batch.pk],
            )
        model.objects.filter(batch=batch).update(shadowed=False)  # type: ignore[attr-defined]


def same_key(model: type[models.Model]) -> str:
    """The SQL condition that the rows `held` and `new` say the same thing."""
    return " AND ".join(_column(part, "held") + " = " + _column(part, "new") for part in RESTATED_KEYS[model])


def _quoted(column: str) -> str:
    return f'"{column}"'  # `end` is a word of SQL


def _column(part: str, row: str) -> str:
    return part.format(row=row) if "{row}" in part else f'{row}."{part}"'


def _slices(ids: list[int]) -> Iterator[tuple[float, list[int]]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield start / len(ids), ids[start : start + IDS_AT_ONCE]
