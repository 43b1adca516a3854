"""What a model would learn from: the days and periods of its outcome, and how much of outcome and media they hold."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import FloatField, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from analyses.asking import period_of
from marketing.channel_index import channel_index
from marketing.models import ChannelSpend, Import, Outcome, OutcomeValue
from marketing.periods import Period
from mmm_project import formats
from weightings.outcomes import known_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What the model learns from, in a sentence, and, where that is too little or cannot be had, why."""

    sentence: str
    problem: str = ""
    is_blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What there is in `days`: `outcome` in all, `spend` by channel, where there is some, and other media's names."""

    days: Period
    outcome: float
    spend: Mapping[str, float]
    organic: tuple[str, ...]


def learning(outcome: Outcome, params: Mapping[str, Any]) -> Learning:
    """Say what a model with these canonical params learns from."""
    from marketing.panel_building.outcome import FEWEST_PERIODS, LENGTHS, too_short

    granularity, period = params["granularity"], period_of(params)
    known = known_days(outcome)
    found = None if known is None else known.whole(granularity, until=period.end)
    if known is None or found is None:
        return Learning(
            sentence=f"There is no whole {granularity} of “{outcome.name}” up to {_day(period.end)}.",
            problem="Choose a period that ends later.",
            is_blocked=True,
        )
    days, count = found
    # Its first day: what is not whole at either end tells nothing.
    sentence = (
        f"The model learns from all data up to {_day(days.end)} (from {_day(days.start)}), "
        f"{formats.count(count, granularity)}; the period only sets what is reported."
    )
    if known.step not in ("day", granularity):
        problem = f"“{outcome.name}” has one value a {known.step}. Choose {known.step}s, or import it by day."
        return Learning(sentence=sentence, problem=problem, is_blocked=True)
    state = too_short(granularity, count)
    if state is None:
        return Learning(sentence=sentence)
    needed, wished = LENGTHS[granularity]
    can_be_allowed, is_allowed = count >= FEWEST_PERIODS, bool(params.get("short_allowed"))
    if state == "warn" or (can_be_allowed and is_allowed):
        problem = (
            f"That is a little short: with {formats.count(wished, granularity)} or more, a model tells media from the "
            "time of year better."
        )
        return Learning(sentence=sentence, problem=problem)
    if is_allowed:
        least = formats.count(FEWEST_PERIODS, granularity)
        problem = f"A model needs {least}, even where fewer than {needed} are allowed. Import older data."
    else:
        more = ", or allow fewer under Technical" if can_be_allowed else ""
        problem = f"A model needs {formats.count(needed, granularity)}. Import older data{more}."
    return Learning(sentence=sentence, problem=problem, is_blocked=True)


def totals(
    workspace: Workspace, outcome: Outcome, params: Mapping[str, Any], *, without: Collection[str] = ()
) -> Totals | None:
    """Add up outcome and media of the whole periods that a model learns from; None where there is no outcome."""
    known = known_days(outcome)
    found = None if known is None else known.whole(params["granularity"], until=period_of(params).end)
    if found is None:
        return None
    days, _count = found
    within = {"batch__workspace": workspace, "batch__status": Import.Status.ACTIVE, "shadowed": False}
    within |= {"date__range": (days.start, days.end)}
    total = OutcomeValue.objects.filter(**within, outcome=outcome).aggregate(total=Sum("value"))["total"]
    index = channel_index(workspace=workspace)
    spend: dict[str, float] = {}
    sums = ChannelSpend.objects.filter(**within).order_by().values_list("channel")
    for channel, amount in sums.annotate(total=Sum(Cast("spend", FloatField()))):
        name = index.channels[index.counted_for(channel)].name
        spend[name] = spend.get(name, 0.0) + (amount or 0.0)
    kept = {name: amount for name, amount in spend.items() if name not in without}
    paid = dict(sorted(((name, amount) for name, amount in kept.items() if amount > 0), key=lambda one: -one[1]))
    return Totals(days=days, outcome=total or 0.0, spend=paid, organic=tuple(name for name in kept if name not in paid))


def _day(day: dt.date) -> str:
    return f"{day:%-d %b %Y}"
