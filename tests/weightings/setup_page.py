"""The page on which a model is set up: a shop with something of everything to choose, and answers to its form."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.test import Client

from accounts.models import User, Workspace
from analyses.models import Run
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Control, ControlValue, Dataset, Event, Experiment
from tests.marketing.batches import add_import
from tests.weightings.markets import add_outcome, add_spend, market_weeks

PAGE = "/w/acme/weightings/"
ANSWERS = {"outcome": "Sales", "period": "all", "granularity": "week", "model": "hill"}
HTMX = {"HX-Request": "true"}
ClientFor = Callable[[User | None], Client]
NOW = dt.datetime(2023, 3, 1, 9, tzinfo=dt.UTC)  # three days after the shop's last week


def shop_to_set_up(workspace: Workspace) -> Workspace:
    """Sixty weeks of sales and spend on TV and Search, clicks on a blog, a control, an event and a lift test."""
    add_outcome(workspace)
    add_spend(workspace)
    (blog,) = ensure_channels(workspace=workspace, names=["Blog"])
    batch = add_import(workspace, Dataset.SPEND)
    ChannelSpend.objects.bulk_create(
        ChannelSpend(batch=batch, channel=blog, date=week, clicks=5 + place % 9)
        for place, week in enumerate(market_weeks())
    )
    price = Control.objects.create(workspace=workspace, name="Price")
    Control.objects.create(workspace=workspace, name="Never imported")
    ControlValue.objects.create(
        batch=add_import(workspace, Dataset.CONTROLS), control=price, date=market_weeks()[0], value=3
    )
    start = market_weeks()[10]
    Event.objects.create(
        workspace=workspace, batch=add_import(workspace, Dataset.EVENTS), name="Strike", start=start, end=start
    )
    (tv,) = ensure_channels(workspace=workspace, names=["TV"])
    Experiment.objects.create(
        batch=add_import(workspace, Dataset.EXPERIMENTS),
        channel=tv,
        start=start,
        end=start + dt.timedelta(27),
        lift=900,
        standard_error=90,
        spend=500,
    )
    return workspace


def ticked(offered: list[str], kept: list[str], field: str) -> dict[str, list[str]]:
    return {f"{field}_offered": offered, f"{field}_kept": kept}


def asked_for(client: Client, **answers: Any) -> dict[str, Any]:
    response = client.post(PAGE, ANSWERS | answers)
    assert response.status_code == 302, response.context["form"].errors
    return dict(Run.objects.get().params)


def preview(client: Client, **answers: Any) -> Any:
    response = client.post(PAGE, ANSWERS | {"action": "preview"} | answers, headers=HTMX)
    assert response.status_code == 200
    return response
