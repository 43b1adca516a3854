"""Which outcomes a workspace can ask about, and from which day to which their values speak."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Workspace
from marketing.models import Import, Outcome, OutcomeValue
from marketing.periods import EPOCH, Period, day_number

if TYPE_CHECKING:
    from marketing.frames import Granularity


def outcomes_with_data(workspace: Workspace) -> list[Outcome]:
    """Return the outcomes that have values, in the order in which they came to be known."""
    values = _visible().filter(outcome=OuterRef("pk"))
    return list(Outcome.objects.filter(Exists(values), workspace=workspace).order_by("pk"))


def usual_outcome(outcomes: list[Outcome]) -> Outcome | None:
    """Return the outcome that is meant where none is named: the first in money, else the first; None of none."""
    return next((outcome for outcome in outcomes if outcome.is_money), next(iter(outcomes), None))


def days_of_data(outcome: Outcome) -> Period | None:
    """Return the days that the outcome's values speak for: one of each week, say, speaks for all of it. None of none.

    Values that come in no single rhythm are taken to be of single days; loading them says what is wrong.
    """
    known = known_days(outcome)
    return None if known is None else known.days


@dataclass(frozen=True, slots=True)
class KnownDays:
    """The `days` that an outcome's values speak for, each of a `step` of them: a day, week or month."""

    days: Period
    step: str

    def whole(self, granularity: str, *, until: dt.date) -> tuple[Period, int] | None:
        """The days of the whole periods up to a day, and how many these are; None of none."""
        import numpy as np

        from marketing.panel_building.rhythm import Calendar, weekday

        first, last = day_number(self.days.start), day_number(min(self.days.end, until))
        starts_on = int(weekday(np.array(first))) if self.step == "week" else 0
        calendar = Calendar(cast("Granularity", granularity), starts_on)
        begins, ends = calendar.period_of(np.array([first - 1, last + 1])) + np.array([1, 0])
        if begins >= ends:
            return None
        start, after = calendar.first_day(np.array([begins, ends])).tolist()
        return Period(_date(start), _date(after - 1)), int(ends - begins)


def known_days(outcome: Outcome) -> KnownDays | None:
    """Return the days that the outcome is known of, and its rhythm. None of none."""
    import numpy as np

    from marketing.panel_building import DaySeries, PanelProblem
    from marketing.panel_building.rhythm import Calendar, step_of, weekday

    dates = _visible().filter(outcome=outcome).order_by().values_list("date", flat=True).distinct()
    days = np.array(sorted(map(day_number, dates)), np.int64)
    if not len(days):
        return None
    try:
        step = step_of(DaySeries(outcome.name, days, np.zeros(len(days))))
    except PanelProblem:
        step = "day"
    calendar = Calendar(step, int(weekday(days)[0]))
    periods = calendar.period_of(days[[0, -1]])
    first, after = calendar.first_day(periods + np.array([0, 1])).tolist()
    return KnownDays(Period(_date(first), _date(after - 1)), step)


def _date(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(day)


def _visible() -> QuerySet[OutcomeValue]:
    return OutcomeValue.objects.filter(batch__status=Import.Status.ACTIVE, shadowed=False)
