"""What the workspace's data hold of a test's days, for its numbers to be held against."""

from dataclasses import dataclass

import numpy as np
from django.db.models import FloatField, QuerySet, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.experiments import VisibleExperiment, visible_experiments
from marketing.models import ChannelSpend, Experiment, Import, OutcomeValue
from marketing.panel_building import DaySeries, PanelProblem
from marketing.panel_building.rhythm import Calendar, step_of, weekday
from marketing.periods import Period, day_number
from weightings.outcomes import days_of_data, outcomes_with_data, usual_outcome

AROUND = 125  # days before and behind a test, whose rows say how many days each of them speaks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`spend`: of the channel in the test's days, account currency.

    `outcome`: the name of the outcome in money, "" where there is none, with the `days` that it is known of and its
    `amount` in the test's. `tests`: those of the channel in the same place that count already.
    """

    spend: float
    outcome: str
    days: Period | None
    amount: float
    tests: tuple[VisibleExperiment, ...]


def recorded(workspace: Workspace, *, channel: str, period: Period, geo: str) -> Recorded:
    """What is known of a channel's test; of a geo only where the data know it."""
    index = channel_index(workspace=workspace)
    found = index.named(channel)
    counting = [] if found is None else index.counting_for(found.pk)
    spend = ChannelSpend.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False, channel__in=counting
    )
    money = [outcome for outcome in outcomes_with_data(workspace) if outcome.is_money]
    outcome = usual_outcome(money)
    values = OutcomeValue.objects.filter(outcome=outcome, batch__status=Import.Status.ACTIVE, shadowed=False)
    return Recorded(
        spend=_sum(spend, "spend", period, geo),
        outcome="" if outcome is None else outcome.name,
        days=None if outcome is None else days_of_data(outcome),
        amount=0.0 if outcome is None else _sum(values, "value", period, geo),
        tests=tuple(test for test in visible_experiments(workspace) if (test.channel, test.geo) == (channel, geo)),
    )


def known_geos(workspace: Workspace) -> list[str]:
    """The geos that spend, an outcome or a test is known by."""
    visible = {"batch__workspace": workspace, "batch__status": Import.Status.ACTIVE, "shadowed": False}
    found: set[str] = set()
    for model in (ChannelSpend, OutcomeValue, Experiment):
        rows = model._default_manager.filter(**visible).exclude(geo="")
        found |= set(rows.order_by().values_list("geo", flat=True).distinct())
    return sorted(found)


def _sum(rows: QuerySet[ChannelSpend] | QuerySet[OutcomeValue], measure: str, period: Period, geo: str) -> float:
    """What rows come to in a period; one of a week or a month counts for the share of its days that lie in it."""
    near = rows.filter(date__range=(period.shifted(-AROUND).start, period.shifted(AROUND).end))
    near = near.filter(geo=geo) if geo and near.filter(geo=geo).exists() else near
    by_day = near.order_by("date").values_list("date").annotate(total=Sum(Cast(measure, FloatField())))
    found = [(day_number(date), total) for date, total in by_day if total is not None]
    if not found:
        return 0.0
    days, amounts = (np.array(column) for column in zip(*found, strict=True))
    try:
        step = step_of(DaySeries(measure, days, amounts))
    except PanelProblem:
        step = "day"
    calendar = Calendar(step, int(weekday(days[:1])[0]))
    first = calendar.first_day(calendar.period_of(days))
    length = calendar.days(calendar.period_of(days))
    start, end = day_number(period.start), day_number(period.end)
    inside = np.clip(np.minimum(first + length - 1, end) - np.maximum(first, start) + 1, 0, None)
    return float(amounts @ (inside / length))
