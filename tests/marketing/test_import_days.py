"""The first and last day of an import are those of the workspace's present time zone."""

import datetime as dt
from collections.abc import Callable

import pytest

from accounts.actions import change_settings
from accounts.models import Workspace
from jobs.execution import execute
from marketing import privacy
from marketing.importing import actions
from marketing.models import Import
from tests.factories import WorkspaceFactory

Importer = Callable[..., Import]
MARCH_1, MARCH_2, MARCH_3, MARCH_4 = (dt.date(2026, 3, day) for day in (1, 2, 3, 4))
TOUCHES = "customer,occurred_at,channel\nann,2026-03-01T23:30Z,TV\nann,2026-03-02T10:00Z,TV\nbob,2026-03-03T15:30Z,TV\n"
CONVERSIONS = "customer,occurred_at\nann,2026-03-01T23:30Z\nbob,2026-03-03T15:30Z\n"


def days(batch: Import) -> tuple[dt.date | None, dt.date | None]:
    batch.refresh_from_db()
    return batch.first_day, batch.last_day


def move(workspace: Workspace, time_zone: str) -> None:
    change_settings(workspace=workspace, values={"timezone": time_zone}, by=None)


@pytest.mark.parametrize(("dataset", "content"), [("touchpoints", TOUCHES), ("conversions", CONVERSIONS)])
def test_the_days_of_moments_follow_the_time_zone(
    shop: Workspace, import_rows: Importer, dataset: str, content: str
) -> None:
    batch = import_rows(dataset, content)
    assert days(batch) == (MARCH_1, MARCH_3)
    move(shop, "Asia/Tokyo")
    assert days(batch) == (MARCH_2, MARCH_4)
    move(shop, "America/New_York")
    assert days(batch) == (MARCH_1, MARCH_3)


def test_days_that_were_said_as_days_stay(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("spend", "date,channel,spend\n2026-03-01,TV,5\n2026-03-03,TV,5\n")
    move(shop, "Asia/Tokyo")
    assert days(batch) == (MARCH_1, MARCH_3)


def test_a_change_in_the_admin_is_followed_too_and_other_workspaces_stay(
    shop: Workspace, import_rows: Importer
) -> None:
    batch, other = import_rows("touchpoints", TOUCHES), WorkspaceFactory.create()
    other.timezone = "Asia/Tokyo"
    other.save()
    assert days(batch) == (MARCH_1, MARCH_3)
    shop.timezone = "Asia/Tokyo"
    shop.save()
    assert days(batch) == (MARCH_2, MARCH_4)


def test_another_setting_writes_nothing_to_imports(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("touchpoints", TOUCHES)
    Import.objects.filter(pk=batch.pk).update(first_day=MARCH_4)
    change_settings(workspace=shop, values={"window_days": 7}, by=None)
    assert days(batch) == (MARCH_4, MARCH_3)


def test_an_import_that_is_loading_meanwhile_ends_with_the_days_of_the_new_zone(
    shop: Workspace, queue_import: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = queue_import("touchpoints", TOUCHES)

    def move_meanwhile(*_arguments: object, **_named: object) -> int:
        move(Workspace.objects.get(pk=shop.pk), "Asia/Tokyo")
        return 0

    monkeypatch.setattr(actions, "admit_new_conversions", move_meanwhile)
    execute(job_id=batch.job_id)
    assert days(batch) == (MARCH_2, MARCH_4)


def test_after_an_erasure_the_days_are_those_of_what_is_left(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("touchpoints", TOUCHES)
    ann = privacy.find_customer(workspace=shop, key="ann")
    execute(job_id=privacy.request_erasure(customer=ann, by=None, ring=False).pk)
    assert days(batch) == (MARCH_3, MARCH_3)
    move(shop, "Asia/Tokyo")
    assert days(batch) == (MARCH_4, MARCH_4)
