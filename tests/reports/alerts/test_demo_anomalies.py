"""The demo: an anomaly that is planted raises exactly one event, and a demo without any raises none."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import celery
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import time_machine

from accounts.models import Membership, Workspace
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from marketing.demo import DemoWorld
from marketing.demo.faults import plant
from marketing.demo.world import TIME_ZONE
from marketing.models import Channel, Goal
from reports.alerts.actions import Settings, create_alert
from reports.alerts.checking import check_due
from reports.methods.anomalies import Direction, Verdict, judge
from reports.models import Alert, AlertEvent, Delivery
from tests.marketing.health.loading import load_world
from tests.marketing.health.worlds import YESTERDAY, clean_world

NOW = dt.datetime.combine(YESTERDAY + dt.timedelta(1), dt.time(9), tzinfo=dt.UTC)
DAYS_WATCHED = 60
QUIET_DAYS = 730 - 56
DAYS_LOADED = 240
CREDITED = ("revenue", "conversions", "roas")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The morning after the demo's last day; no worker hears a doorbell."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    with time_machine.travel(NOW, tick=False):
        yield


def load(shop: Workspace, world: DemoWorld, directory: Path) -> None:
    """Import the last eight months of the world, and compute its cube, as after an import."""
    since = pd.Timestamp(YESTERDAY - dt.timedelta(DAYS_LOADED))
    touches, conversions, spend = world.touchpoints, world.conversions, world.spend
    recent = replace(
        world,
        touchpoints=touches[touches["occurred_at"] >= since.tz_localize(TIME_ZONE)],
        conversions=conversions[conversions["occurred_at"] >= since.tz_localize(TIME_ZONE)],
        spend=spend[spend["date"] >= since],
    )
    load_world(shop, recent, directory)
    execute(job_id=refresh_cube(workspace=shop, ring=False).job_id)


def watch_everything(shop: Workspace, by: Membership, *, since: dt.date) -> None:
    """An anomaly alert on each metric of everything, of each goal, and of each channel."""
    watched: list[tuple[str, Channel | None, Goal | None]] = [("spend", None, None)]
    watched += [(metric, None, goal) for metric in CREDITED for goal in shop.goals.all()]
    watched += [(metric, channel, None) for metric in ("spend", *CREDITED) for channel in shop.channels.all()]
    for number, (metric, channel, goal) in enumerate(watched):
        alert = Alert(workspace=shop, name=f"{number}", metric=metric, channel=channel, goal=goal, condition="anomaly")
        alert.created_by, alert.watched_from = by.user, since
        alert.save()


def look_every_day(*, days: int, every: int = 1) -> None:
    """Look each morning of the last days, or each so many, and after the data's end."""
    for ago in [*range(days, 0, -every), 0, -1, -3]:
        now = NOW - dt.timedelta(ago)
        with time_machine.travel(now, tick=False):
            check_due(now)


@pytest.fixture
def by(shop: Workspace, analyst: object) -> Membership:
    return Membership.objects.get(workspace=shop)


def test_a_demo_without_faults_raises_nothing_in_its_last_60_days(
    shop: Workspace, by: Membership, tmp_path: Path
) -> None:
    load(shop, clean_world(), tmp_path)
    watch_everything(shop, by, since=YESTERDAY - dt.timedelta(DAYS_WATCHED - 1))
    look_every_day(days=DAYS_WATCHED, every=5)  # each look goes back a week
    assert Alert.objects.count() == 1 + 3 * shop.goals.count() + 4 * shop.channels.count()
    assert list(AlertEvent.objects.values_list("sentence", flat=True)) == []


@pytest.mark.parametrize(
    ("fault", "metric", "direction"),
    [
        ("spend_outlier", "spend", "more"),
        ("checkout_outage", "conversions", "less"),
        ("checkout_outage", "revenue", "less"),
    ],
)
def test_a_planted_anomaly_raises_exactly_one_event(
    fault: str, metric: str, direction: str, shop: Workspace, by: Membership, tmp_path: Path
) -> None:
    world, [planted] = plant(clean_world(), fault)
    load(shop, replace(world, touchpoints=world.touchpoints.tail(1000)), tmp_path)  # neither metric needs more
    assert planted.first_day
    with time_machine.travel(NOW - dt.timedelta(DAYS_WATCHED), tick=False):
        channel = shop.channels.get(name=planted.channel) if planted.channel else None
        settings = Settings(
            name="It",
            metric=metric,
            condition="anomaly",
            channel=channel,
            recipients=["a@example.com", "b@example.com"],
        )
        create_alert(workspace=shop, settings=settings, by=by)
    look_every_day(days=DAYS_WATCHED)
    (event,) = AlertEvent.objects.all()
    assert event.day == planted.first_day
    assert f": {direction} than the " in event.sentence
    assert event.created_at.date() == planted.first_day + dt.timedelta(1)  # the next morning
    assert Delivery.objects.count() == 2  # one to each


def test_the_anomaly_is_noticed_once_where_it_comes_with_one_import(
    shop: Workspace, by: Membership, tmp_path: Path
) -> None:
    """All at once, with the anomaly on the last day, and looked at for days."""
    world, [planted] = plant(clean_world(), "spend_outlier")
    assert planted.last_day
    until = pd.Timestamp(planted.last_day)
    load(
        shop,
        replace(world, spend=world.spend[world.spend["date"] <= until], touchpoints=world.touchpoints.tail(1000)),
        tmp_path,
    )
    display = shop.channels.get(name="Display")
    settings = Settings(name="It", metric="spend", condition="anomaly", channel=display, recipients=["a@example.com"])
    with time_machine.travel(dt.datetime.combine(planted.last_day, dt.time(9), tzinfo=dt.UTC), tick=False):
        alert = create_alert(workspace=shop, settings=settings, by=by)
    look_every_day(days=24)
    assert [event.day for event in alert.events.all()] == [planted.last_day]


# --- the rate of false alarms over the demo's two years ---


def daily_series(world: DemoWorld) -> dict[str, npt.NDArray[np.float64]]:
    """Purchases, their revenue, leads and the spend of each channel, by local day."""
    days = pd.date_range(world.spend["date"].min(), YESTERDAY)
    local = world.conversions["occurred_at"].dt.tz_convert(TIME_ZONE).dt.tz_localize(None).dt.normalize()
    conversions = world.conversions.assign(day=local)[world.conversions["converted"]]
    of_goal = {goal: conversions[conversions["goal"] == goal].groupby("day")["value"] for goal in ("Purchase", "Lead")}
    found = {
        "purchases": of_goal["Purchase"].size(),
        "revenue": of_goal["Purchase"].sum(),
        "leads": of_goal["Lead"].size(),
        "spend": world.spend.groupby("date")["spend"].sum(),
    }
    found |= {str(channel): rows.groupby("date")["spend"].sum() for channel, rows in world.spend.groupby("channel")}
    return {name: values.reindex(days, fill_value=0).to_numpy(np.float64) for name, values in found.items()}


@pytest.mark.parametrize(
    "seed", [7, pytest.param(11, marks=pytest.mark.full), pytest.param(23, marks=pytest.mark.full)]
)
def test_false_alarms_are_rare_over_two_years_of_the_demo(seed: int) -> None:
    """Over 12 series of each of six worlds, 0.21 events a year and series."""
    events = days = 0
    for values in daily_series(clean_world(seed)).values():
        before = Direction.WITHIN
        for judgement in judge(values=values, last=QUIET_DAYS):
            if isinstance(judgement, Verdict):
                events += judgement.direction not in (Direction.WITHIN, before)
                before = judgement.direction
                days += 1
    assert days > 5000
    assert events / days * 365 < 0.6
