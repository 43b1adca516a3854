"""A market in the database: weekly sales and spend of two channels, as `questions.market` has them."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from accounts.models import Workspace
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Dataset, Outcome, OutcomeValue
from marketing.periods import EPOCH
from tests.marketing.batches import add_import
from tests.weightings.questions import market


def add_outcome(
    workspace: Workspace,
    *,
    name: str = "Sales",
    is_money: bool = True,
    weeks: int = 60,
    constant: bool = False,
    without: Collection[int] = (),
) -> Outcome:
    """Weekly values, those of the market unless they are `constant`; none in the weeks `without`, from 0."""
    kind = Outcome.Kind.SALES if name == "Sales" else Outcome.Kind.CUSTOM
    outcome = Outcome.objects.create(workspace=workspace, name=name, kind=kind, is_money=is_money)
    batch = add_import(workspace, Dataset.OUTCOMES)
    values = list(zip(market_weeks(), market().outcome.tolist(), strict=True))[:weeks]
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, date=week, value=500.0 if constant else value)
        for place, (week, value) in enumerate(values)
        if place not in without
    )
    return outcome


def add_spend(workspace: Workspace) -> None:
    panel = market()
    add_channels(workspace, dict(zip(panel.channels, panel.spend.T.tolist(), strict=True)))


def add_channels(workspace: Workspace, spend: Mapping[str, Sequence[float]]) -> None:
    """Spend of channels by name, in each of the market's weeks or in the first of them."""
    batch = add_import(workspace, Dataset.SPEND)
    channels = ensure_channels(workspace=workspace, names=list(spend))
    ChannelSpend.objects.bulk_create(
        ChannelSpend(batch=batch, channel=channel, date=week, spend=round(amount, 2))
        for channel, amounts in zip(channels, spend.values(), strict=True)
        for week, amount in zip(market_weeks(), amounts, strict=False)
    )


def market_weeks() -> list[dt.date]:
    """The Mondays on which the market's weeks begin."""
    return [EPOCH.date() + dt.timedelta(day) for day in market().period_start.tolist()]
