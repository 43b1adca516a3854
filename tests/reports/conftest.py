"""A small shop whose every figure can be worked out by hand, and its cube."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator

import pytest
import time_machine

from accounts.models import Workspace
from analyses.models import Run
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from tests.conftest import ImportRows

Refresh = Callable[[], Run]
Complaints = Callable[[], list[str]]
NOW = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def refresh(shop: Workspace) -> Refresh:
    """Compute the cube of the present data, as a worker does."""

    def refresh() -> Run:
        run = refresh_cube(workspace=shop, ring=False)
        execute(job_id=run.job_id)
        return Run.objects.select_related("job").get(pk=run.pk)

    return refresh


@pytest.fixture
def figures(import_rows: ImportRows, refresh: Refresh) -> None:
    """March and February 2026, by hand.

    March: Email and Search share 300 (last touch: Search), Email alone has 100, nobody is seen before 50.
    February: Search 200. Spend in March: Search 100 (campaign Brand 60, Generic 40), TV 80; in February: Search 50.
    """
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,campaign",
        "anna,2026-03-09T10:00Z,Email,Spring",
        "anna,2026-03-10T10:00Z,Search,Brand",
        "bert,2026-03-20T10:00Z,Email,Spring",
        "dora,2026-02-10T10:00Z,Search,Generic",
    )
    import_rows(
        "conversions",
        "customer,occurred_at,value,goal",
        "anna,2026-03-10T12:00Z,300,Purchase",
        "bert,2026-03-20T12:00Z,100,Purchase",
        "carl,2026-03-25T12:00Z,50,Purchase",
        "dora,2026-02-10T12:00Z,200,Purchase",
        "anna,2026-03-09T12:00Z,0,Lead",
    )
    import_rows(
        "spend",
        "date,channel,campaign,spend",
        "2026-03-01,Search,Brand,60",
        "2026-03-31,Search,Generic,40",
        "2026-03-15,TV,,80",
        "2026-02-10,Search,Generic,50",
    )
    import_rows(
        "experiments",
        "channel,start,end,lift,standard_error,spend",
        "Search,2026-01-01,2026-01-31,50,10,100",
        "Search,2026-02-01,2026-02-28,40,10,100",
    )
    refresh()


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Complaints:
    """What WeasyPrint complains of: a style sheet, font or picture that it could not use, a property unknown to it."""
    caplog.set_level(logging.WARNING, logger="weasyprint")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "weasyprint"]
