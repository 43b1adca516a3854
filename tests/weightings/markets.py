"""A market in the database: weekly sales and spend of two channels, as `questions.market` has them."""

import datetime as dt

from accounts.models import Workspace
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Dataset, Outcome, OutcomeValue
from marketing.periods import EPOCH
from tests.marketing.batches import add_import
from tests.weightings.questions import market


def add_outcome(
    workspace: Workspace, *, name: str = "Sales", is_money: bool = True, weeks: int = 60, constant: bool = False
) -> Outcome:
    """Weekly values, those of the market unless they are `constant`."""
    kind = Outcome.Kind.SALES if name == "Sales" else Outcome.Kind.CUSTOM
    outcome = Outcome.objects.create(workspace=workspace, name=name, kind=kind, is_money=is_money)
    batch = add_import(workspace, Dataset.OUTCOMES)
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, date=week, value=500.0 if constant else value)
        for week, value in list(zip(_weeks(), market().outcome.tolist(), strict=True))[:weeks]
    )
    return outcome


def add_spend(workspace: Workspace) -> None:
    panel = market()
    batch = add_import(workspace, Dataset.SPEND)
    channels = ensure_channels(workspace=workspace, names=list(panel.channels))
    ChannelSpend.objects.bulk_create(
        ChannelSpend(batch=batch, channel=channel, date=week, spend=round(amount, 2))
        for place, channel in enumerate(channels)
        for week, amount in zip(_weeks(), panel.spend[:, place].tolist(), strict=True)
    )


def _weeks() -> list[dt.date]:
    return [EPOCH.date() + dt.timedelta(day) for day in market().period_start.tolist()]
