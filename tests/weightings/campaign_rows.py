"""Spend by campaign in the database that is, week by week, what a stored run's model was fitted to."""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from accounts.models import Workspace
from analyses.models import Run
from marketing.importing.dimensions import ensure_channels
from marketing.models import Campaign, ChannelSpend, Dataset
from marketing.periods import EPOCH
from tests.marketing.batches import add_import
from weightings.stored import StoredModel

FloatArray = npt.NDArray[np.float64]
# Shares of TV's spend in sixty weeks: one from the start to the 40th, one from the 20th on, and what names none.
SPRING = np.repeat([1.0, 0.5, 0.0], [20, 20, 20])
ALWAYS = np.repeat([0.0, 0.4, 0.9], [20, 20, 20])
UNNAMED = 1 - SPRING - ALWAYS
TWO_CAMPAIGNS: Mapping[str, FloatArray] = {"Spring": SPRING, "Always on": ALWAYS, "": UNNAMED}


def add_campaigns(
    run: Run, shares: Mapping[str, FloatArray] = TWO_CAMPAIGNS, *, channel: str = "TV", named: str = ""
) -> None:
    """Keep the run's spend of a channel as that of campaigns; `shares`: by name, "" for none, (T,) of each week.

    `named`: what the channel is called in the database, as the run calls it unless given.
    """
    panel = StoredModel(run).panel
    spend = panel.spend[panel.history :, panel.channels.index(channel)]
    days = panel.period_start[panel.history :].tolist()
    workspace = run.workspace
    (known,) = ensure_channels(workspace=workspace, names=[named or channel])
    batch = add_import(workspace, Dataset.SPEND)
    rows = []
    for name, share in shares.items():
        campaign = Campaign.objects.get_or_create(workspace=workspace, name=name)[0] if name else None
        rows += [
            ChannelSpend(batch=batch, channel=known, campaign=campaign, date=date_of(day), spend=round(amount, 6))
            for day, amount in zip(days, share * spend, strict=True)
            if amount > 0
        ]
    ChannelSpend.objects.bulk_create(rows)


def date_of(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(day)


def spent(workspace: Workspace, campaign: str) -> float:
    rows = ChannelSpend.objects.filter(batch__workspace=workspace, campaign__name=campaign)
    return float(sum(row.spend or 0 for row in rows))
