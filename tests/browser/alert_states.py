"""Alerts in every state: raised and told, quiet with a threshold, without a verdict, paused."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.utils import timezone

from accounts.models import User, Workspace
from marketing.models import Channel
from reports.alerts.actions import Settings, create_alert, pause_alert
from reports.alerts.checking import check_due
from reports.models import Alert, AlertEvent, Delivery

RECIPIENTS = ("ann@example.com", "somebody.with.quite.a.long.name@a-company-of-some-length.example.com")


def alert_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Keep an alert that has been raised more often than it could mail; return what arguments of URLs stand for."""
    alert = _keep(
        shop, owner, "Revenue of a day whose name is long enough to be cut", "revenue", "above", Decimal("0.5")
    )
    Alert.objects.filter(pk=alert.pk).update(watched_from="2020-01-01")
    check_due(timezone.now())
    event = alert.events.first()
    assert event
    for days, mailed in ((1, True), (2, False)):
        day = event.day - dt.timedelta(days)
        AlertEvent.objects.create(
            alert=alert,
            day=day,
            value=event.value,
            sentence=event.sentence,
            mailed=mailed,
            taken_back_at=timezone.now() if mailed else None,
        )
    Delivery.objects.filter(alert_event=event, email=RECIPIENTS[1]).update(status=Delivery.Status.FAILED)
    alert.recipients.filter(email=RECIPIENTS[0]).update(unsubscribed_at=timezone.now())
    return {"alert_id": alert.pk}


def alert_cases(shop: Workspace, owner: User) -> dict[str, Mapping[str, object]]:
    """Keep alerts in the other states."""
    spent_on = Channel.objects.get(workspace=shop, name="Paid Search")
    unseen = Channel.objects.filter(workspace=shop, merged_into=None).latest("pk")
    paused = _keep(shop, owner, "Paused", "spend", "below", Decimal(50), days=30)
    pause_alert(alert=paused, by=shop.memberships.get(user=owner))
    of_anomalies = _keep(shop, owner, "Spend of Paid Search", "spend", "anomaly", channel=spent_on)
    without_figures = _keep(shop, owner, "Nothing of it", "roas", "anomaly", channel=unseen)
    cases = {"paused alert": paused, "anomalies": of_anomalies, "alert without figures": without_figures}
    return {name: {"slug": shop.slug, "alert_id": alert.pk} for name, alert in cases.items()}


def _keep(
    shop: Workspace,
    owner: User,
    name: str,
    metric: str,
    condition: str,
    threshold: Decimal | None = None,
    *,
    days: int = 1,
    channel: Channel | None = None,
) -> Alert:
    settings = Settings(
        name=name,
        metric=metric,
        condition=condition,
        threshold=threshold,
        days=days,
        channel=channel,
        recipients=RECIPIENTS,
    )
    return create_alert(workspace=shop, settings=settings, by=shop.memberships.get(user=owner))
