"""An alert that watches something else than before begins a history of its own."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from accounts.models import Membership
from reports.alerts import checking
from reports.alerts.actions import Settings, change_alert
from reports.models import Alert, AlertEvent, Delivery
from tests.reports.alerts.conftest import Figures, Watch

Look = Callable[..., int]
YESTERDAY = "2026-03-31"


def test_an_alert_that_is_changed_has_a_history_of_its_own(
    figures_of: Figures, watch: Watch, look: Look, analyst_there: Membership
) -> None:
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    look()
    other = Settings(
        name="Revenue", metric="revenue", condition="below", threshold=Decimal(150), recipients=["ceo@example.com"]
    )
    change_alert(alert=alert, settings=other, by=analyst_there)
    assert look() == 1
    first, second = alert.events.order_by("revision")
    assert (str(first.day), str(second.day)) == (YESTERDAY, YESTERDAY)
    assert second.sentence == "Revenue on 31 Mar 2026 was €100.00, below €150.00."
    assert Delivery.objects.count() == 2
    assert look(1) == 1
    assert alert.events.count() == 2
    assert alert.events.get(revision=1).taken_back_at is None  # what it was about is not looked at any more


def test_a_look_of_before_a_change_writes_nothing(
    figures_of: Figures, watch: Watch, look: Look, analyst_there: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is changed while it is looked at for the first time, on the day on which it was made."""
    figures_of(spend={YESTERDAY: 900})
    alert = watch("spend")
    Alert.objects.update(watched_from=dt.date(2026, 3, 31))
    noticed = checking._noticed

    def change_meanwhile(*args: object) -> object:
        found = noticed(*args)  # type: ignore[arg-type]
        other = Settings(name="Other", metric="revenue", condition="anomaly", recipients=["ceo@example.com"])
        change_alert(alert=Alert.objects.get(pk=alert.pk), settings=other, by=analyst_there)
        return found

    monkeypatch.setattr(checking, "_noticed", change_meanwhile)
    assert look() == 0
    assert not AlertEvent.objects.exists()
