"""A small world that keeps changing, and what a snapshot of it must hold, said by the ORM."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import F

from accounts.models import Workspace
from marketing import store
from marketing.models import Conversion, Dataset, Import, Touchpoint
from marketing.store.tables import Columns
from tests.marketing.batches import NOON, add_conversions, add_import, add_touches

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
TABLES = {Dataset.TOUCHPOINTS: store.TOUCHES, Dataset.CONVERSIONS: store.CONVERSIONS}
CUSTOMER_IDS = [1, 2, 3, 7, 2**40, 2**63 - 1]


def load_all(workspace: Workspace, table: store.Table) -> Columns:
    """Every column of the table's snapshot."""
    return store.load(
        workspace=workspace,
        table=table,
        imports=store.active_imports(workspace=workspace)[table.dataset],
        names=[column.name for column in table.columns if column.name != "customer"],
    )


def rows_of(columns: Columns) -> list[tuple[Any, ...]]:
    """A snapshot's rows as tuples: customer, then the columns by name."""
    customer = np.repeat(columns["customer_ids"], np.diff(columns["offsets"]))
    names = sorted(columns.keys() - {"customer_ids", "offsets"})
    return list(zip(customer.tolist(), *(columns[name].tolist() for name in names), strict=True))


def visible_rows(workspace: Workspace, table: store.Table) -> list[tuple[Any, ...]]:
    """The same rows, read one by one through the ORM."""
    rows: list[tuple[Any, ...]] = []
    visible = {"batch__workspace": workspace, "batch__status": Import.Status.ACTIVE, "shadowed": False}
    order = ("customer_id", "occurred_at", "id")
    if table is store.TOUCHES:
        for touch in Touchpoint.objects.filter(**visible).order_by(*order):
            details = (touch.interaction, touch.segment_id or 0, touch.pk, touch.traffic_source_id)
            rows.append((touch.customer_id, microseconds(touch.occurred_at), *details))
        return rows
    for conversion in Conversion.objects.filter(**visible).order_by(*order):
        what = (conversion.converted, conversion.goal_id, conversion.pk, float(conversion.value))
        rows.append((conversion.customer_id, microseconds(conversion.occurred_at), *what))
    return rows


def microseconds(at: dt.datetime) -> int:
    return (at - EPOCH) // dt.timedelta(microseconds=1)


def change(workspace: Workspace, rng: random.Random) -> None:
    """Let one thing happen that an import, its undoing or the settling of duplicates may do."""
    dataset = rng.choice(list(TABLES))
    imports = list(Import.objects.filter(workspace=workspace, dataset=dataset).order_by("id"))
    what = rng.choice(["add", "add", "add", "toggle", "shadow"]) if imports else "add"
    if what == "add":
        _add(workspace, dataset, rng)
        return
    batch = rng.choice(imports)
    if what == "toggle":
        active = batch.status == Import.Status.ACTIVE
        batch.status = Import.Status.UNDONE if active else Import.Status.ACTIVE
        batch.save(update_fields=["status"])
        return
    model = TABLES[dataset].model
    ids = list(model.objects.filter(batch=batch).order_by("id").values_list("id", flat=True))
    flipped = model.objects.filter(id__in=rng.sample(ids, min(len(ids), 3)))
    hidden = list(flipped.filter(shadowed=True).values_list("id", flat=True))
    flipped.filter(shadowed=False).update(shadowed=True)
    model.objects.filter(id__in=hidden).update(shadowed=False)
    Import.objects.filter(pk=batch.pk).update(revision=F("revision") + 1)


def _add(workspace: Workspace, dataset: Dataset, rng: random.Random) -> None:
    batch = add_import(workspace, dataset)
    rows = rng.choice([0, 1, 5, 40])
    # Few moments, so that ties are common, some of them with a fraction of a second.
    at = [NOON + dt.timedelta(microseconds=rng.randrange(4) * 333_333) for _ in range(rows)]
    customers = [rng.choice(CUSTOMER_IDS) for _ in range(rows)]
    if dataset == Dataset.TOUCHPOINTS:
        add_touches(batch, list(zip(customers, at, strict=True)))
        return
    first = Conversion.objects.count()  # values differ: the same conversion twice is refused by the database
    values = [str(Decimal(first + n) / 100) for n in range(rows)]
    add_conversions(batch, list(zip(customers, at, values, strict=True)))
