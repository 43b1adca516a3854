"""A shop with four months of days that are all alike but for those that a test changes, and alerts about them."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Membership, User, Workspace
from reports.alerts.actions import Settings, create_alert
from reports.alerts.checking import check_due
from reports.models import Alert
from tests.conftest import ImportRows
from tests.reports.conftest import NOW, Refresh

FIRST, LAST = dt.date(2025, 12, 1), dt.date(2026, 3, 31)
Days = Mapping[str, float]
Figures = Callable[..., None]
Watch = Callable[..., Alert]


@pytest.fixture
def figures_of(import_rows: ImportRows, refresh: Refresh) -> Figures:
    """Each day Search costs 100 and brings 60, TV costs 50, and 40 more come from nowhere; then the cube.

    `spend`, `revenue`: of Search on other days, by ISO date; 0 for none. `until`: the last day of all data.
    """

    def figures_of(*, spend: Days | None = None, revenue: Days | None = None, until: dt.date = LAST) -> None:
        days = [FIRST + dt.timedelta(day) for day in range((until - FIRST).days + 1)]
        spent = [f"{day},Search,{(spend or {}).get(str(day), 100)}" for day in days]
        import_rows("spend", "date,channel,spend", *spent, *(f"{day},TV,50" for day in days))
        touches = [f"s{day},{day}T10:00Z,Search" for day in days if (revenue or {}).get(str(day), 60)]
        import_rows("touchpoints", "customer,occurred_at,channel", *touches)
        orders = [f"s{day},{day}T12:00Z,{value}" for day in days if (value := (revenue or {}).get(str(day), 60))]
        import_rows("conversions", "customer,occurred_at,value", *orders, *(f"n{day},{day}T13:00Z,40" for day in days))
        with time_machine.travel(NOW - dt.timedelta(hours=1), tick=False):  # later figures are newer than these
            refresh()

    return figures_of


@pytest.fixture
def analyst_there(analyst: User, workspace: Workspace) -> Membership:
    """Who makes the alerts of these tests."""
    return Membership.objects.get(user=analyst, workspace=workspace)


@pytest.fixture
def watch(shop: Workspace, analyst_there: Membership) -> Watch:
    """`watch("spend", "below", 50, channel=search)` makes an alert that was there all month."""

    def watch(
        metric: str = "revenue", condition: str = "anomaly", threshold: float | None = None, **rest: object
    ) -> Alert:
        values: dict[str, object] = {
            "name": f"{metric} {condition} {Alert.objects.count()}",
            "recipients": ["ceo@example.com"],
            "threshold": None if threshold is None else Decimal(str(threshold)),
        }
        settings = Settings(metric=metric, condition=condition, **(values | rest))  # type: ignore[arg-type]
        alert = create_alert(workspace=shop, settings=settings, by=analyst_there)
        Alert.objects.filter(pk=alert.pk).update(watched_from=dt.date(2026, 3, 1))
        alert.refresh_from_db()
        return alert

    return watch


@pytest.fixture
def look() -> Callable[..., int]:
    """Look at what is due, as the tick does, now or `days` later."""
    return lambda days=0: check_due(NOW + dt.timedelta(days))
