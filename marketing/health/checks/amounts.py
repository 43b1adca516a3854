"""Amounts that cannot be, or that ought to be looked at: changes of level, single days, wrong units."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from marketing.frames import Float64Column
from marketing.health.checks.coverage import CONVERSIONS, OUTCOMES, SPEND, TOUCHPOINTS
from marketing.health.checks.findings import Finding, Severity, amount_of, counted, day_of, factor, share, span, whose
from marketing.health.checks.gaps import Cadence, cadence_of
from marketing.health.checks.levels import Outlier, Shift, moves_along, outliers, shifts
from marketing.health.checks.observations import Observations

# Cents for euros, or thousands for units: such a factor is hardly ever marketing. On a log scale, 1.4 times either way.
UNIT_FACTORS = (100.0, 1000.0)
UNIT_TOLERANCE = np.log(1.4)
FEWEST_CLICKS = 10  # of a day whose price per click says anything
ORDER_RATIO = 30.0  # times the median order
ORDER_SPREADS = 8.0
FEWEST_ORDERS = 50
FEW_ORDERS = 0.01  # share of all orders; more than that are another price, such as a year's subscription
SAME_DAYS = 3  # two changes of one channel within so many days are one
SAME_DAYS_AS_ALL = 7  # a channel finds its new level some days after the whole does
RECENT_DAYS = 90
EMPTY_VALUES = 0.2  # share of sales without a value
FEWEST_DAYS_COMPARED = 28
WEEK = 7
MAD_TO_SD = 1.4826


class _Measure(NamedTuple):
    """A daily series: what is measured in whose data, and how a sentence says that it changed.

    `cause`: what it follows, if that is known: spend follows what was bought, touches follow spend. A change of both
    is a decision of somebody, and no fault of the data. `cause_words`: what the cause is called. `witness`: another
    dataset's account of the same business, and what it is called: days that stand out in both were such days. `parts`:
    of a sum its parts, (C, D); what changes in a few of them only is told of those.
    """

    dataset: str
    channel: str
    series: str
    values: Float64Column
    of: str  # "Paid Search’s spend"
    is_count: bool = False
    is_money: bool = False
    cause: Float64Column | None = None
    cause_words: str = ""
    witness: Float64Column | None = None
    witness_words: str = ""
    parts: Float64Column | None = None


def unusual_amounts(seen: Observations) -> Iterator[Finding]:
    """Yield changes of level and outlying days: of spend and its price, touches, conversions, values and outcomes."""
    for group in (_spend(seen), _touches(seen), _conversions(seen), _outcomes(seen)):
        told: list[tuple[str, int]] = []
        for measure in group:
            for change in _changes(measure):
                decided = measure.dataset == TOUCHPOINTS and _follows(measure, change)
                partial = measure.parts is not None and not _is_of_most(measure.parts, change)
                if not (decided or partial or _is_told(told, measure, change)):
                    told.append((measure.channel or measure.series, change.first))
                    yield _finding(seen, measure, change)


def _changes(measure: _Measure) -> Iterator[Shift | Outlier]:
    """Yield what changes in a series; of weekly rows from week to week, each standing for its seven days."""
    known = np.flatnonzero(np.isfinite(measure.values))
    by_week = not measure.is_count and cadence_of(np.isfinite(measure.values)) == Cadence.WEEKLY
    values = measure.values[known] if by_week else measure.values
    found: list[Shift | Outlier] = list(shifts(values, is_count=measure.is_count, by_week=by_week))
    found += outliers(values, is_count=measure.is_count, by_week=by_week)
    for change in found:
        if by_week:
            last = min(int(known[change.last]) + WEEK - 1, len(measure.values) - 1)
            yield change._replace(first=int(known[change.first]), last=last)
        else:
            yield change


def _follows(measure: _Measure, change: Shift | Outlier) -> bool:
    """Whether the cause of a series changed likewise."""
    return measure.cause is not None and moves_along(measure.cause, change)


def _is_witnessed(measure: _Measure, change: Shift | Outlier) -> bool:
    """Whether another dataset stands out on the same days. A lasting change of both may be a tag that broke."""
    return measure.witness is not None and isinstance(change, Outlier) and moves_along(measure.witness, change)


def _is_of_most(parts: Float64Column, change: Shift | Outlier) -> bool:
    """Whether a change of a sum is one of most of its parts; a large one alone would move it, too."""
    active = [part for part in parts if np.any(part[max(change.first - WEEK, 0) : change.first] > 0)]
    return sum(moves_along(part, change) for part in active) > len(active) / 2


def _is_told(told: list[tuple[str, int]], measure: _Measure, change: Shift | Outlier) -> bool:
    """Whether it is the same again: the whole comes before its channels, and a channel's price before its spend."""
    return any(
        (told_of == (measure.channel or measure.series) and abs(first - change.first) <= SAME_DAYS)
        or (not told_of and abs(first - change.first) <= SAME_DAYS_AS_ALL)
        for told_of, first in told
    )


def _spend(seen: Observations) -> Iterator[_Measure]:
    bought = {"impressions": seen.spend_table(seen.spend.impressions), "clicks": seen.spend_table(seen.spend.clicks)}
    total, impressions = _sum(seen.spend_by_channel), _sum(bought["impressions"])
    yield _Measure(
        SPEND,
        "",
        "",
        total,
        "All spend",
        is_money=True,
        cause=impressions,
        cause_words="impressions",
        parts=seen.spend_by_channel[seen.spent_channels],
    )
    for channel in seen.spent_channels:
        name, spend = seen.channel_name(channel), seen.spend_by_channel[channel]
        for one, fewest in (("impression", 1.0), ("click", FEWEST_CLICKS)):
            counts = bought[f"{one}s"][channel]
            price = np.full(seen.days, np.nan)
            known = np.nan_to_num(counts) >= fewest
            price[known] = spend[known] / counts[known]
            yield _Measure(SPEND, name, "", price, f"{whose(name)} spend for each {one}", is_money=True)
        words = "impressions" if np.any(bought["impressions"][channel] > 0) else "clicks"
        cause = bought[words][channel]
        yield _Measure(SPEND, name, "", spend, f"{whose(name)} spend", is_money=True, cause=cause, cause_words=words)


def _touches(seen: Observations) -> Iterator[_Measure]:
    table = seen.touches_by_channel.astype(np.float64)
    whole, parts = table.sum(axis=0), table[seen.touched_channels]
    conversions = _all_conversions(seen)
    yield _Measure(
        TOUCHPOINTS,
        "",
        "",
        whole,
        "The number of touches",
        is_count=True,
        parts=parts,
        witness=conversions,
        witness_words="Conversions",
    )
    for channel in seen.touched_channels:
        name = seen.channel_name(channel)
        subject = f"{whose(name)} number of touches"
        yield _Measure(
            TOUCHPOINTS,
            name,
            "",
            table[channel],
            subject,
            is_count=True,
            cause=seen.spend_by_channel[channel],
            witness=conversions,
            witness_words="Conversions",
        )


def _sum(table: Float64Column) -> Float64Column:
    """(D,) the sum of all channels, NaN where none has a row."""
    return np.where(np.isfinite(table).any(axis=0), np.nansum(table, axis=0), np.nan)


def _conversions(seen: Observations) -> Iterator[_Measure]:
    for goal, counts in enumerate(seen.conversions_by_goal):
        if not counts.any():
            continue
        name = seen.goals[goal].name
        yield _Measure(
            CONVERSIONS,
            "",
            name,
            counts.astype(np.float64),
            f"The number of “{name}”",
            is_count=True,
            witness=seen.touches_by_channel.sum(axis=0).astype(np.float64),
            witness_words="Touches",
        )
        # A day's mean would follow a single order, which has a check of its own; its median does not.
        yield _Measure(CONVERSIONS, "", name, _median_value(seen, goal), f"The usual value of “{name}”", is_money=True)


def _all_conversions(seen: Observations) -> Float64Column:
    counts: Float64Column = seen.conversions_by_goal.sum(axis=0).astype(np.float64)
    return counts


def _median_value(seen: Observations, goal: int) -> Float64Column:
    rows = np.flatnonzero((seen.conversions.goal == goal) & (seen.conversions.value > 0))
    order = np.lexsort((seen.conversions.value[rows], seen.conversions.day[rows]))
    days, values = seen.conversions.day[rows][order], seen.conversions.value[rows][order]
    known, starts, counts = np.unique(days, return_index=True, return_counts=True)
    medians = np.full(seen.days, np.nan)
    medians[known - seen.first_day] = values[starts + (counts - 1) // 2]
    return medians


def _outcomes(seen: Observations) -> Iterator[_Measure]:
    for outcome in seen.outcomes:
        yield _Measure(
            OUTCOMES,
            "",
            outcome.name,
            seen.on_axis(outcome),
            f"“{outcome.name}”",
            is_money=outcome.is_money,
            witness=_all_conversions(seen),
            witness_words="Conversions",
        )


def unit_of(ratio: float) -> float | None:
    """The unit factor (100, 1000) that a ratio is near to, either way; None for none."""
    for unit in UNIT_FACTORS:
        if abs(abs(np.log(ratio)) - np.log(unit)) <= UNIT_TOLERANCE:
            return unit
    return None


def _finding(seen: Observations, measure: _Measure, change: Shift | Outlier) -> Finding:
    first, last = seen.first_day + change.first, seen.first_day + change.last
    is_shift = isinstance(change, Shift)
    is_lasting = is_shift or change.last > change.first
    unit = unit_of(change.ratio) if measure.is_money and is_lasting and not _follows(measure, change) else None
    code = "wrong_unit" if unit else "level_shift" if is_shift else "outlier"
    explained = "" if unit else _explanation(seen, measure, change)
    severity = Severity.PROBLEM if unit else Severity.NOTE if explained else Severity.WARNING
    return Finding(
        code=code,
        severity=severity,
        dataset=measure.dataset,
        channel=measure.channel,
        series=measure.series,
        first_day=day_of(first),
        last_day=day_of(last),
        count=change.last - change.first + 1,
        sentence=_what_happened(seen, measure, change, unit),
        advice=explained or _what_to_do(measure, code),
    )


def _explanation(seen: Observations, measure: _Measure, change: Shift | Outlier) -> str:
    """What makes a change no fault of the data, and what to do if it was not that; "" for nothing."""
    if event := _event_of(seen, change):
        return f"“{event}” was on then. If that does not explain it, check the export."
    if _follows(measure, change):
        return f"Its {measure.cause_words} moved along, so the budget was changed. If nobody did, check the export."
    if _is_witnessed(measure, change):
        return f"{measure.witness_words} rose, too, so something happened. Import it as an event, to know it by name."
    return ""


def _event_of(seen: Observations, change: Shift | Outlier) -> str:
    """The event that a change came with: on the first day of a new level, on any of a few days that stand out."""
    first = seen.first_day + change.first
    last = first if isinstance(change, Shift) else seen.first_day + change.last
    return next((event.name for event in seen.events if event.first_day <= last and event.last_day >= first), "")


def _what_happened(seen: Observations, measure: _Measure, change: Shift | Outlier, unit: float | None) -> str:
    first, last = seen.first_day + change.first, seen.first_day + change.last
    if isinstance(change, Shift):
        goes_on = change.last >= seen.days - 1 - SAME_DAYS
        when = f"From {span(first, first)} on" if goes_on else f"From {span(first, last)}"
        sentence = f"{when}, {_in_sentence(measure.of)} is {factor(change.ratio)} what it was in the weeks before."
    else:
        sentence = (
            f"On {span(first, last)}, {_in_sentence(measure.of)} is {factor(change.ratio)} that of the days around."
        )
    return f"{sentence} {_unit_words(unit, change.ratio)}" if unit else sentence


def _in_sentence(subject: str) -> str:
    """The subject as it stands inside a sentence: names keep their capital, “The” and “All” do not."""
    return subject[0].lower() + subject[1:] if subject.split()[0] in ("The", "All") else subject


def _unit_words(unit: float, ratio: float) -> str:
    if unit == UNIT_FACTORS[0]:
        return f"That is what amounts look like in {'cents' if ratio > 1 else 'whole units, before in cents'}."
    return "That is what a misread decimal or thousands sign looks like."


def _what_to_do(measure: _Measure, code: str) -> str:
    if code == "wrong_unit":
        return "Check unit and currency of that export, and import these days again: newer rows replace older ones."
    if code == "outlier":
        return "Check the row. If it is right, import the reason as an event; if not, import the day again."
    if measure.dataset == TOUCHPOINTS:
        return "If nothing was changed on purpose, check the tags, the consent banner and the export of that day."
    if measure.dataset == SPEND:
        return (
            "If the budget was not changed, check for two accounts in one export, gross for net, or another currency."
        )
    return "If nothing happened in the business, check the export: its filter, unit, currency and time zone."


def outlying_orders(seen: Observations) -> Iterator[Finding]:
    """Yield conversions whose value is far beyond that of all others with the same goal."""
    for goal, named in enumerate(seen.goals):
        rows = np.flatnonzero((seen.conversions.goal == goal) & (seen.conversions.value > 0))
        if len(rows) < FEWEST_ORDERS:
            continue
        logs = np.log(seen.conversions.value[rows])
        middle = float(np.median(logs))
        spread = MAD_TO_SD * float(np.median(np.abs(logs - middle)))
        limit = middle + max(np.log(ORDER_RATIO), ORDER_SPREADS * spread)
        far = rows[logs > limit]
        if not 0 < len(far) <= max(FEW_ORDERS * len(rows), 1):
            continue
        days = seen.conversions.day[far]
        value = float(seen.conversions.value[far].max())
        part = value / float(seen.conversions.value[rows].sum())
        yield Finding(
            code="outlying_order",
            severity=Severity.WARNING,
            dataset=CONVERSIONS,
            series=named.name,
            first_day=day_of(days.min()),
            last_day=day_of(days.max()),
            count=len(far),
            sentence=(
                f"{counted(len(far), 'conversion')} to “{named.name}” of {span(days.min(), days.max())} "
                f"{'is' if len(far) == 1 else 'are'} worth far more than all others: "
                f"{'' if len(far) == 1 else 'up to '}"
                f"{amount_of(value, seen.currency)}, {factor(value / np.exp(middle))} the usual value and "
                f"{share(part)} of all that this goal ever brought."
            ),
            advice="Look for a lost decimal sign or a test order, and import what is wrong again with its right value.",
        )


def sales_without_value(seen: Observations) -> Iterator[Finding]:
    """Yield the sales goals of which many conversions lately have no value."""
    recent = seen.conversions.day > seen.yesterday - RECENT_DAYS
    for goal, named in enumerate(seen.goals):
        rows = recent & (seen.conversions.goal == goal)
        total, empty = int(rows.sum()), int((rows & (seen.conversions.value <= 0)).sum())
        if named.is_sale and total >= FEWEST_ORDERS and empty >= EMPTY_VALUES * total:
            days = seen.conversions.day[rows & (seen.conversions.value <= 0)]
            yield Finding(
                code="sales_without_value",
                severity=Severity.WARNING,
                dataset=CONVERSIONS,
                series=named.name,
                first_day=day_of(days.min()),
                last_day=day_of(days.max()),
                count=empty,
                sentence=(
                    f"{share(empty / total)} of the conversions to “{named.name}” in the last "
                    f"{counted(RECENT_DAYS, 'day')} have no value, so their channels look worth less than they are."
                ),
                advice="Map the column of the order value when importing, or make the goal one that is only counted.",
            )


def amounts_disagree(seen: Observations) -> Iterator[Finding]:
    """Yield money outcomes that differ by a unit factor from what the sales of the same days add up to."""
    sale = np.array([goal.is_sale for goal in seen.goals], np.bool_)
    sold = seen.value_by_goal[sale].sum(axis=0) if sale.any() else np.zeros(seen.days)
    for outcome in seen.outcomes:
        if not outcome.is_money:
            continue
        values = np.nan_to_num(seen.on_axis(outcome))
        both = (values > 0) & (sold > 0)
        if both.sum() < FEWEST_DAYS_COMPARED:
            continue
        ratio = float(np.exp(np.median(np.log(values[both] / sold[both]))))
        if unit_of(ratio) is None:
            continue
        first, last = (seen.first_day + int(day) for day in np.flatnonzero(both)[[0, -1]])
        yield Finding(
            code="amounts_disagree",
            severity=Severity.PROBLEM,
            dataset=OUTCOMES,
            series=outcome.name,
            first_day=day_of(first),
            last_day=day_of(last),
            count=int(both.sum()),
            sentence=(
                f"“{outcome.name}” is {factor(ratio)} the value of the conversions of the same days, "
                f"{span(first, last)}. {_unit_words(unit_of(ratio) or 0, ratio)}"
            ),
            advice="Check the unit and the currency of both exports, and import the wrong one again.",
        )
