"""What is doubtful about a lift test, held against itself and against the data: units, currencies, days, groups.

None of it is wrong for certain, so each is a sentence that says what and what to do, and the test can be saved all the
same. What cannot be is refused by the form.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from marketing.periods import Period
from mmm_project import formats
from weightings.lift_tests.entries import LiftTest
from weightings.lift_tests.recorded import Recorded
from weightings.methods.experiments.group_sizes import Group
from weightings.methods.experiments.lifts import LEAST_RELATIVE_ERROR, MOST_OF_SPEND

MOST_PER_SPEND = 100  # times the spend a lift may be
LEAST_PER_SPEND = 0.01  # of the spend the upper end of a lift may be: less looks like another unit
ERRORS_ABOVE = 2  # standard errors to that end
MOST_ERRORS_OF_LIFT = 3  # times the lift its standard error may be, if it is above the spend as well
LEAST_OF_SPEND = 0.05  # of what the data have in the days may be spent on the test
FEWEST_DAYS, MOST_DAYS = 7, 366
LEAST_GROUP = 0.01  # of all people
FEWEST_CONVERSIONS = 10
MOST_TIMES_AS_OFTEN = 3
MIDDLE = (0.4, 0.6)  # of an interval, where the lift should be
ONLY_A_BELIEF = "Saved like this, it counts as a belief about the channel's return, not as a measurement of these days"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that does not look right; `code` names the check."""

    code: str
    sentence: str


def doubts(test: LiftTest, found: Recorded, *, currency: str) -> list[Doubt]:
    """Everything doubtful about a test, the gravest first."""
    return [
        *_of_amounts(test, found, currency),
        *_of_error(test, currency),
        *_of_spend(test, found, currency),
        *_of_days(test, found),
        *(_of_groups(*test.groups) if test.groups else ()),
    ]


def _of_amounts(test: LiftTest, found: Recorded, currency: str) -> Iterator[Doubt]:
    lift, spend = (formats.short_money(amount, currency) for amount in (test.lift, test.spend))
    if found.amount > 0 and abs(test.lift) > found.amount:
        whole = formats.short_money(found.amount, currency)
        yield Doubt(
            "lift_above_outcome",
            f"The lift, {lift}, is more than all of {found.outcome} in these days, {whole}. Check that it is in "
            f"{currency} and of these days.",
        )
    if abs(test.lift) > MOST_PER_SPEND * test.spend:
        times = formats.count(round(abs(test.lift) / test.spend))
        yield Doubt(
            "lift_above_spend",
            f"The lift, {lift}, is {times} times the spend of the test, {spend}. Check that both are in {currency}, "
            "and that the spend is all that the lift is due to.",
        )
    if abs(test.lift) + ERRORS_ABOVE * test.standard_error < LEAST_PER_SPEND * test.spend:
        yield Doubt(
            "lift_in_another_unit",
            f"The lift, {lift}, is below 1% of the spend, {spend}, even at its upper end. Check that it is in "
            f"{currency}: not in conversions, and not in thousands.",
        )


def _of_error(test: LiftTest, currency: str) -> Iterator[Doubt]:
    error = formats.short_money(test.standard_error, currency)
    if test.standard_error < LEAST_RELATIVE_ERROR * abs(test.lift):
        yield Doubt(
            "error_small",
            f"The standard error, {error}, is below {LEAST_RELATIVE_ERROR:.0%} of the lift. Hardly any lift is known "
            f"better: models take it to be {LEAST_RELATIVE_ERROR:.0%}. Check that it is of the lift, not of a rate.",
        )
    if test.standard_error > MOST_ERRORS_OF_LIFT * abs(test.lift) and test.standard_error > test.spend:
        yield Doubt(
            "error_large",
            f"The standard error, {error}, is far above the lift and above the spend, so the test says next to "
            f"nothing. Check that it is in {currency}, and no variance.",
        )
    if not MIDDLE[0] <= test.middle <= MIDDLE[1]:
        yield Doubt(
            "not_in_the_middle",
            "The lift is not in the middle of its interval, as one with a normal error is. Check all three; if they "
            "are right, the standard error that is taken from the interval's width is rough.",
        )


def _of_spend(test: LiftTest, found: Recorded, currency: str) -> Iterator[Doubt]:
    spend, recorded = (formats.short_money(amount, currency) for amount in (test.spend, found.spend))
    said = f"{spend} were spent on the test, and the data have {recorded} of {test.channel} in these days."
    if not found.spend > 0:
        yield Doubt(
            "no_spend",
            f"The data have no spend of {test.channel} in these days. Check the channel and the days, or import its "
            f"spend. {ONLY_A_BELIEF}.",
        )
    elif test.spend > MOST_OF_SPEND * found.spend:
        yield Doubt("spend_above_data", f"{said} Check the amount, its currency and the days. {ONLY_A_BELIEF}.")
    elif test.spend < LEAST_OF_SPEND * found.spend:
        yield Doubt(
            "spend_below_data",
            f"{said} That is right for a test in a small part of the market. If it ran everywhere, check the amount, "
            "its currency and the days.",
        )


def _of_days(test: LiftTest, found: Recorded) -> Iterator[Doubt]:
    days = test.period.days
    if found.days is not None and not _within(test.period, found.days):
        yield Doubt(
            "outside_data",
            f"{found.outcome} is known for {found.days.label}, which does not hold all days of the test. Check them, "
            f"or import the missing days. {ONLY_A_BELIEF}.",
        )
    if days < FEWEST_DAYS:
        yield Doubt(
            "short",
            f"The test lasted {formats.count(days, 'day')} only. Few effects show so fast, and one week is not like "
            "another: check its first and its last day.",
        )
    if days > MOST_DAYS:
        yield Doubt("long", f"The test lasted {formats.count(days)} days, over a year. Check the year of both days.")
    for other in found.tests:
        if (
            other.period != test.period
            and other.period.start <= test.period.end
            and test.period.start <= other.period.end
        ):
            yield Doubt(
                "overlap",
                f"There is a test of {test.channel} of {other.period.label} already, and models take tests to be "
                "independent. If this is the same one with other days, undo the import of that one first.",
            )


def _of_groups(test: Group, control: Group) -> Iterator[Doubt]:
    people = test.size + control.size
    smaller, name = min((test.size, "test"), (control.size, "control"))
    if smaller < LEAST_GROUP * people:
        yield Doubt(
            "small_group",
            f"The {name} group is only {smaller / people:.2%} of all {formats.count(people)} people. Check both sizes: "
            "they are of all who were assigned to a group, whether reached or not.",
        )
    if test.conversions + control.conversions < FEWEST_CONVERSIONS:
        yield Doubt(
            "few_conversions",
            f"There are {formats.count(test.conversions + control.conversions, 'conversion')} in both groups together: "
            "too few for a normal interval to be more than rough. Wait for more, or count an earlier step, such as "
            "baskets.",
        )
    rates = sorted((test.rate, control.rate))
    if test.conversions + control.conversions >= FEWEST_CONVERSIONS and rates[1] > MOST_TIMES_AS_OFTEN * rates[0]:
        yield Doubt(
            "rates_apart",
            f"{test.rate:.3%} of the test group converted and {control.rate:.3%} of the control group. Groups that are "
            "alike but for the media are hardly ever so far apart: check that sizes and conversions belong together, "
            "and are of the same days.",
        )


def _within(period: Period, days: Period) -> bool:
    return days.start <= period.start and period.end <= days.end
