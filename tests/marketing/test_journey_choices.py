"""Journeys without views, and with the leads before them."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from accounts.models import Workspace
from marketing import selectors
from marketing.frames import NO_LEAD, Journeys
from marketing.models import Conversion, Dataset, Goal, Interaction, Touchpoint
from marketing.segments.definition import parse
from tests.marketing.batches import NOON, add_customer, add_goal, add_import, add_source, conversion_import
from tests.marketing.snapshot_world import microseconds

DAY = dt.timedelta(days=1)
CLICK, VIEW, VISIT = Interaction.CLICK, Interaction.IMPRESSION, Interaction.VISIT
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def touched(workspace: Workspace, *touches: tuple[int, dt.datetime, Interaction]) -> None:
    """Import touches of (customer, time, how)."""
    batch, source = add_import(workspace, Dataset.TOUCHPOINTS), add_source(workspace)
    for customer_id, at, interaction in touches:
        Touchpoint.objects.create(
            batch=batch,
            customer=add_customer(workspace, customer_id),
            occurred_at=at,
            traffic_source=source,
            interaction=interaction,
        )


def reached(workspace: Workspace, goal: Goal, *conversions: tuple[int, dt.datetime]) -> None:
    batch = add_import(workspace, Dataset.CONVERSIONS)
    for customer_id, at in conversions:
        Conversion.objects.create(
            batch=batch, customer=add_customer(workspace, customer_id), occurred_at=at, goal=goal, value=0
        )


def load(
    workspace: Workspace, *, views: bool = True, lead_goal: Goal | None = None, segment: str = ""
) -> selectors.JourneyData:
    conditions = [{"type": "interactions", "any_of": [segment]}] if segment else []
    return selectors.load_journeys(
        workspace=workspace,
        goal=add_goal(workspace),
        start=NOON.date(),
        end=NOON.date() + 9 * DAY,
        window_days=30,
        views=views,
        lead_goal=lead_goal,
        segment=parse({"conditions": conditions}) if segment else None,
    )


def paths(journeys: Journeys) -> list[tuple[bool, list[int]]]:
    """Whether each journey converted, and how its touches came about."""
    interaction = journeys.touches.interaction
    return [
        (bool(converted), interaction[start:stop].tolist())
        for start, stop, converted in zip(journeys.start, journeys.stop, journeys.converted, strict=True)
    ]


def test_without_views_no_path_holds_one(workspace: Workspace) -> None:
    touched(workspace, (1, NOON, CLICK), (1, NOON + DAY, VIEW), (1, NOON + 2 * DAY, VISIT), (2, NOON, VIEW))
    touched(workspace, (2, NOON + DAY, CLICK), (3, NOON, VIEW), (4, NOON, VIEW))
    conversion_import(workspace, [(1, NOON + 3 * DAY, "5"), (4, NOON + DAY, "6")])

    assert paths(load(workspace).journeys) == [
        (True, [CLICK, VIEW, VISIT]),
        (True, [VIEW]),
        (False, [VIEW, CLICK]),
        (False, [VIEW]),
    ]
    without = load(workspace, views=False).journeys
    assert paths(without) == [(True, [CLICK, VISIT]), (True, []), (False, [CLICK])]
    assert without.value.tolist() == [5, 6, 0]


def test_without_views_a_null_path_ends_at_the_last_touch_that_is_left(workspace: Workspace) -> None:
    touched(workspace, (1, NOON, CLICK), (1, NOON + DAY, VIEW))

    assert load(workspace, views=False).journeys.anchor_at.tolist() == [microseconds(NOON)]


def test_without_views_customers_are_the_same_clusters(workspace: Workspace) -> None:
    touched(workspace, (1, NOON, VIEW), (7, NOON, CLICK))
    conversion_import(workspace, [(1, NOON + DAY, "5"), (7, NOON + DAY, "6")])

    with_views, without = (load(workspace, views=views).journeys for views in (True, False))
    assert with_views.customer_ids().tolist() == without.customer_ids().tolist() == [1, 7]
    assert np.array_equal(with_views.customer, without.customer)


def test_without_views_a_segment_does_not_see_them(workspace: Workspace) -> None:
    touched(workspace, (1, NOON, CLICK), (1, NOON, VIEW), (2, NOON, CLICK))
    conversion_import(workspace, [(1, NOON + DAY, "5"), (2, NOON + DAY, "6")])

    assert load(workspace, segment="impression").journeys.value.tolist() == [5]
    assert load(workspace, segment="impression", views=False).journeys.value.tolist() == []
    assert load(workspace, segment="click", views=False).journeys.value.tolist() == [5, 6]


def test_journeys_know_the_lead_before_them_also_those_that_a_segment_holds(workspace: Workspace) -> None:
    touched(workspace, (1, NOON, CLICK), (2, NOON, VISIT))
    conversion_import(workspace, [(1, NOON + 3 * DAY, "5"), (2, NOON + 3 * DAY, "6")])
    lead = add_goal(workspace, "Lead")
    reached(workspace, lead, (1, NOON - DAY), (1, NOON + DAY), (1, NOON + 4 * DAY), (2, NOON - 40 * DAY))

    found = load(workspace, lead_goal=lead).journeys.lead_at
    assert found is not None
    assert found.tolist() == [microseconds(NOON + DAY), NO_LEAD]
    chosen = load(workspace, lead_goal=lead, segment="visit").journeys.lead_at
    assert chosen is not None
    assert chosen.tolist() == [NO_LEAD]
    assert load(workspace).journeys.lead_at is None
