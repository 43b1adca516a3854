"""Imports and their rows straight into the database, for tests of what reads them."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from accounts.models import Workspace
from jobs.models import Job
from marketing.importing.reading import Reading
from marketing.models import Conversion, Customer, Dataset, Goal, Import, Touchpoint, TrafficSource, Upload

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def add_import(workspace: Workspace, dataset: Dataset, *, status: str = Import.Status.ACTIVE) -> Import:
    job = Job.objects.create(workspace=workspace, kind="import", status=Job.Status.DONE)
    return Import.objects.create(
        workspace=workspace, job=job, dataset=dataset, status=status, origin=Import.Origin.CLI, file_name="rows.csv"
    )


def add_upload(workspace: Workspace, *, file_name: str = "rows.csv", batch: Import | None = None) -> Upload:
    """An upload of a file of spend that is not there any more."""
    found = {"header": ["date", "channel", "spend"], "sample": [["2026-03-01", "TV", "5"]], "preamble": []}
    return Upload.objects.create(
        workspace=workspace,
        file_name=file_name,
        stored_file="imports/gone.csv",
        size=40,
        dataset=Dataset.SPEND,
        reading=Reading().as_json(),
        mapping={name: name for name in ("date", "channel", "spend")},
        findings={"chosen": {}, "file": found | {"sheets": [], "questions": [], "warnings": []}},
        batch=batch,
    )


def add_customer(workspace: Workspace, customer_id: int) -> Customer:
    return Customer.objects.get_or_create(id=customer_id, defaults={"workspace": workspace})[0]


def add_source(workspace: Workspace, name: str = "newsletter") -> TrafficSource:
    return TrafficSource.objects.get_or_create(workspace=workspace, source=name)[0]


def add_goal(workspace: Workspace, name: str = "Order") -> Goal:
    return Goal.objects.get_or_create(workspace=workspace, name=name)[0]


def add_touches(batch: Import, touches: Sequence[tuple[int, dt.datetime]]) -> list[Touchpoint]:
    """Add a touch for each (customer, time), in this order."""
    source = add_source(batch.workspace)
    for customer_id in {customer_id for customer_id, _ in touches}:
        add_customer(batch.workspace, customer_id)
    return Touchpoint.objects.bulk_create(
        Touchpoint(batch=batch, customer_id=customer_id, occurred_at=at, traffic_source=source, interaction=n % 8)
        for n, (customer_id, at) in enumerate(touches)
    )


def add_conversions(batch: Import, conversions: Sequence[tuple[int, dt.datetime, str]]) -> list[Conversion]:
    """Add a conversion for each (customer, time, value), in this order."""
    goal = add_goal(batch.workspace)
    for customer_id in {customer_id for customer_id, _, _ in conversions}:
        add_customer(batch.workspace, customer_id)
    return Conversion.objects.bulk_create(
        Conversion(batch=batch, customer_id=customer_id, occurred_at=at, goal=goal, value=Decimal(value))
        for customer_id, at, value in conversions
    )


def touch_import(workspace: Workspace, touches: Sequence[tuple[int, dt.datetime]]) -> Import:
    batch = add_import(workspace, Dataset.TOUCHPOINTS)
    add_touches(batch, touches)
    return batch


def conversion_import(workspace: Workspace, conversions: Sequence[tuple[int, dt.datetime, str]]) -> Import:
    batch = add_import(workspace, Dataset.CONVERSIONS)
    add_conversions(batch, conversions)
    return batch
