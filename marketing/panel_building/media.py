"""Media by period: which are paid and which organic, what acts on people, and what cannot be told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from marketing.frames import Float64Column, Granularity, Int64Column
from marketing.health.checks.findings import counted, listed, quoted
from marketing.panel_building.outcome import OutcomeByPeriod
from marketing.panel_building.rhythm import Calendar, added_up, require_step, step_of, varies, weekday
from marketing.panel_building.rows import MEASURES, DaySeries, Exposure, MediaRows, PanelProblem, PanelRemark, date_of

Unit: TypeAlias = Literal["spend", "impressions", "clicks"]

MOST_CHANNELS = 40
CORRELATED = 0.95
IDENTICAL = 1 - 1e-9
OUTLYING = 100  # times the median of what is not zero
LONGEST_DAYS: Mapping[Granularity, int] = {"day": 1, "week": 7, "month": 31}


@dataclass(frozen=True, slots=True, eq=False)
class Medium:
    """A channel by period, history first: (N,) float64 each. `unit`: what `exposure` counts. `history`: its periods.

    It is paid if there is spend in the outcome's periods, and organic if it only had some before.
    """

    name: str
    spend: Float64Column
    exposure: Float64Column
    unit: Unit
    history: int

    @property
    def is_paid(self) -> bool:
        return bool(self.spend[self.history :].any())

    @property
    def seen(self) -> Float64Column:
        """What acts in the outcome's periods: (N - history,)."""
        return self.exposure[self.history :]


def rows_in_reach(*, rows: MediaRows, outcome: DaySeries, granularity: Granularity, history_periods: int) -> MediaRows:
    """The rows that any period of the panel, its history included, may hold; some of them none does."""
    longest = LONGEST_DAYS[granularity]
    first = outcome.day.min() - (history_periods + 1) * longest
    return rows.where((rows.day >= first) & (rows.day < outcome.day.max() + longest))


def steps_of(*, rows: MediaRows, granularity: Granularity) -> dict[str, Granularity]:
    """How far apart the rows of each series are. Raises PanelProblem if they cannot be brought to periods."""
    steps: dict[str, Granularity] = {}
    for name, days in rows.days_of().items():
        steps[name] = step_of(DaySeries(name, days, days.astype(np.float64)))
        require_step(name=name, step=steps[name], granularity=granularity)
    return steps


def with_history(
    *,
    rows: MediaRows,
    near: MediaRows,
    steps: Mapping[str, Granularity],
    outcome: OutcomeByPeriod,
    calendar: Calendar,
    history_periods: int,
    remarks: list[PanelRemark],
) -> Int64Column:
    """The panel's periods: those of the outcome, and the whole ones before them that media are known of.

    (N,) int64, numbers of the calendar; at most `history_periods` come before the outcome. `near`: the rows in reach.
    Says so if media begin after the outcome, or end before it. Raises PanelProblem without any in reach.
    """
    begins, ends = int(outcome.period[0]), int(outcome.period[-1])
    spans = [_days_spoken_for(days, steps[name]) for name, days in near.days_of().items()]
    if not spans:
        raise PanelProblem(
            "no_media",
            f"There are no media in {calendar.label(begins, ends)}. Import spend, or choose another period.",
        )
    first = min(int(rows.day.min()), *(first for first, _ in spans))
    last = max(int(rows.day.max()), *(last for _, last in spans))
    whole = int(calendar.period_of(np.array([first - 1]))[0]) + 1  # the first period that begins then, or later
    if whole > begins:
        remarks.append(
            PanelRemark(
                "media_begin_late",
                f"Media are known from {date_of(first)} only, and taken for zero before. Import older ones, or "
                "choose a period that begins then.",
            )
        )
    if last < calendar.first_day(outcome.period[-1:] + 1)[0] - 1:
        remarks.append(
            PanelRemark(
                "media_end_early",
                f"Media are known up to {date_of(last)} only, and taken for zero after. Import newer ones, or "
                "choose a period that ends then.",
            )
        )
    return np.arange(begins - int(np.clip(begins - whole, 0, history_periods)), ends + 1)


def media_by_period(
    *,
    rows: MediaRows,
    period: Int64Column,
    history: int,
    calendar: Calendar,
    exposure: Exposure,
    remarks: list[PanelRemark],
) -> list[Medium]:
    """All channels, each with the sums of its rows and with what acts on people: see `PanelChoice.exposure`.

    `history`: how many of the periods come before the outcome.
    """
    number = calendar.period_of(rows.day)
    rows = rows.where((number >= period[0]) & (number <= period[-1]))
    shape = (len(rows.channels), len(period))
    group = rows.channel_of_series[rows.series] * shape[1] + calendar.period_of(rows.day) - period[0]
    sums = [
        added_up(group=group, value=getattr(rows, measure), groups=shape[0] * shape[1]).reshape(shape)
        for measure in MEASURES
    ]
    media = []
    for name, spend, impressions, clicks in zip(rows.channels, *sums, strict=True):
        if not spend.any():
            unit: Unit = "impressions" if impressions.any() else "clicks"
        elif exposure == "spend" or not impressions.any():
            unit = "spend"
        else:
            unit = _unit_of_both(name, spend, impressions, exposure, period, calendar, remarks)
        acting = {"spend": spend, "impressions": impressions, "clicks": clicks}[unit]
        media.append(Medium(name, spend, acting, unit, history))
    lacking = [medium.name for medium in media if medium.is_paid and medium.unit == "spend"]
    if exposure == "impressions" and lacking:
        remarks.append(
            PanelRemark(
                "no_impressions",
                f"{_named(lacking)} {_verb(lacking, 'has', 'have')} no impressions: spend is used instead.",
                tuple(lacking),
            )
        )
    return media


def telling_media(*, media: Sequence[Medium], period: str, remarks: list[PanelRemark]) -> list[Medium]:
    """The media that vary in the outcome's periods; of the others it is said that they are left out.

    `period`: the days of these, for a sentence.

    Raises PanelProblem if no paid one is left, or too many are.
    """
    zero = [medium.name for medium in media if not medium.seen.any()]
    varying = [medium for medium in media if medium.seen.any() and varies(medium.seen)]
    constant = [medium.name for medium in media if medium not in varying and medium.name not in zero]
    if zero:
        sentence = f"{_named(zero)} {_verb(zero, 'is', 'are')} left out: nothing was spent or shown in {period}."
        remarks.append(PanelRemark("zero_channel", sentence, tuple(zero)))
    if constant:
        remarks.append(
            PanelRemark(
                "constant_channel",
                f"{_named(constant)} {_verb(constant, 'is', 'are')} left out: what never changes cannot be told from "
                "the baseline.",
                tuple(constant),
            )
        )
    if not any(medium.is_paid for medium in varying):
        raise PanelProblem(
            "no_media",
            f"No channel has spend that changes in {period}, so nothing can be measured. Import spend, or choose "
            "another period.",
        )
    if len(varying) > MOST_CHANNELS:
        raise PanelProblem(
            "too_many_channels",
            f"There are media of {len(varying)} channels, but effects of more than {MOST_CHANNELS} cannot be told "
            "apart. Merge the channels that belong together, or group them by rules.",
        )
    return varying


def compare_media(*, media: Sequence[Medium], remarks: list[PanelRemark]) -> None:
    """Say so of media that nearly move together. Raises PanelProblem for those that do."""
    scaled = np.array([medium.exposure / medium.exposure.max() for medium in media])
    alike = np.triu(np.atleast_2d(np.corrcoef(scaled)), 1)
    identical = np.argwhere(alike > IDENTICAL).tolist()
    for one, other in identical[:1]:
        more = f" (and {counted(len(identical) - 1, 'more pair')})" if len(identical) > 1 else ""
        raise PanelProblem(
            "identical_channels",
            f"{_named([media[one].name, media[other].name])}{more} rise and fall as one, so their effects cannot be "
            "told apart. Merge them.",
        )
    for one, other in np.argwhere(alike > CORRELATED).tolist():
        names = (media[one].name, media[other].name)
        remarks.append(
            PanelRemark(
                "correlated_channels",
                f"{_named(names)} rise and fall nearly together (correlation {_cut(alike[one, other])}): their effects "
                "can hardly be told apart. Merge them, or run an experiment on one.",
                names,
            )
        )


def remark_on_outliers(
    *, media: Sequence[Medium], period: Int64Column, calendar: Calendar, remarks: list[PanelRemark]
) -> None:
    """Say so of each channel that has far more in some period than it usually has."""
    for medium in media:
        for unit, value in {"spend": medium.spend, medium.unit: medium.exposure}.items():
            if not value.any():  # organic media have no spend
                continue
            usual, most = float(np.median(value[value > 0])), float(value.max())
            if most <= OUTLYING * usual:
                continue
            when = calendar.label(int(period[value.argmax()]))
            said = (
                f"The {unit} of “{medium.name}” on {when}, {_amount(most)}, {'is' if unit == 'spend' else 'are'} over "
                f"{OUTLYING} times the usual {_amount(usual)}. Check that no digit is wrong."
            )
            remarks.append(PanelRemark("outlier", said, (medium.name,)))


def _unit_of_both(
    name: str,
    spend: Float64Column,
    impressions: Float64Column,
    exposure: Exposure,
    period: Int64Column,
    calendar: Calendar,
    remarks: list[PanelRemark],
) -> Unit:
    """What acts on people where there are spend and impressions; says so if impressions are missing now and then."""
    unseen = np.flatnonzero((spend > 0) & (impressions == 0))
    if not len(unseen):
        return "impressions"
    unit: Unit = "spend" if exposure == "auto" else "impressions"
    then = "so its spend is used for all" if unit == "spend" else "so it counts as not seen then"
    remarks.append(
        PanelRemark(
            "spend_without_impressions",
            f"“{name}” has spend without impressions in {counted(len(unseen), calendar.granularity)}, first in "
            f"{calendar.label(int(period[unseen[0]]))}, {then}.",
            (name,),
        )
    )
    return unit


def _days_spoken_for(days: Int64Column, step: Granularity) -> tuple[int, int]:
    """The first and the last day that rows say something about, their weeks and months included."""
    if step == "day":
        return int(days.min()), int(days.max())
    own = Calendar(step, int(weekday(days)[0]))
    periods = own.period_of(np.array([days.min(), days.max()]))
    return int(own.first_day(periods)[0]), int(own.first_day(periods + 1)[1]) - 1


def _named(names: Sequence[str]) -> str:
    return listed(quoted(list(names)))


def _verb(names: Sequence[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cut(correlation: float) -> str:
    """Two digits after the point, never rounded up to 1."""
    return f"{np.floor(correlation * 100) / 100:.2f}"
