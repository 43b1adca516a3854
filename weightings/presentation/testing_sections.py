"""Which channel a lift test would tell most about, for the budget, and how precise such a test has to be."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from analyses.documents import DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats
from weightings import standing
from weightings.methods.experiments.precision import required_error
from weightings.methods.summaries import summary
from weightings.presentation.results import Result, category, listed

if TYPE_CHECKING:
    from weightings.methods.quantities import Quantities  # SciPy, which only what reads draws brings

FloatArray: TypeAlias = npt.NDArray[np.float64]

TITLE, PRECISION = "What to test next", "How precise the test has to be"
MOST_MARKS = 15
NEGLIGIBLE = 0.001  # of the spend: knowledge worth less is worth nothing
LENGTHS = {"day": (14, 28, 56), "week": (2, 4, 8), "month": (1, 2, 3)}  # of tests, in periods
NOT_KEPT = "This run was made by an earlier version, which did not say what to test next. Run it again to be told."
NO_TEST = "Knowing more about any one channel would not change the recommended budget, so no test is needed for it."
MEANING = (
    "Worth is how much more the best budget would bring on average if what the channel adds at its current spend was "
    "known for certain (the expected value of partial perfect information). A real test only narrows it, so it is "
    "worth less."
)


def worth_testing(result: Result) -> tuple[Section, ...]:
    """What to test next; where a result must not be acted on, why. Nothing of runs that were never asked."""
    if "worth_testing" not in result.data:
        return ()
    if why := withheld(result):
        return (Section(title=TITLE, sentences=(why,)),)
    ranked = result.data["worth_testing"]
    if not _worth_something(result, ranked):
        return (Section(title=TITLE, sentences=(NO_TEST, MEANING), tables=(_table(result, ranked),)),)
    sentences = (*_findings(result, ranked), MEANING)
    return (
        Section(title=TITLE, sentences=sentences, charts=(_chart(result, ranked),), tables=(_table(result, ranked),)),
    )


def withheld(result: Result) -> str:
    """Why a run does not say what to test: a sentence, or "" where it does."""
    if doubts := standing.doubts(result.data):
        return doubts.replace("no budget is recommended", "no test is recommended")
    if "worth_testing" not in result.data:
        return NOT_KEPT
    if not result.data["worth_testing"]:
        return result.data.get("budget_problem") or NOT_KEPT
    return ""


def first_to_test(result: Result) -> Mapping[str, Any] | None:
    """The channel that is worth most to test, if any is worth testing."""
    if withheld(result):
        return None
    ranked = result.data["worth_testing"]
    return ranked[0] if _worth_something(result, ranked) else None


def _worth_something(result: Result, ranked: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the first of all moves the budget, for more than the least that anybody would look at."""
    least = NEGLIGIBLE * sum(each["spend"] for each in ranked) if result.is_money else 0.0
    return bool(ranked[0]["moves"] > 0 and ranked[0]["value"] > least)


def _findings(result: Result, ranked: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    first = ranked[0]
    low, high, now = (formats.short_money(first[key], result.currency) for key in ("spend_low", "spend_high", "spend"))
    yield (
        f"Knowing what {first['channel']} adds would be worth about {_worth(result, first['value'])} over these "
        f"{formats.count(result.data['period']['periods'], result.granularity)} ({result.period.label}): its "
        f"recommended budget would move between {low} and {high}. Not knowing, it is {now}."
    )
    others = [each["channel"] for each in ranked[1:] if each["value"] > first["value"] / 2]
    if others:
        yield f"{listed(others)} {'is' if len(others) == 1 else 'are'} worth more than half as much."
    unmoved = [each["channel"] for each in ranked if not each["moves"] > 0]
    if unmoved:
        yield f"Whatever a test of {_one_of(unmoved)} said, its recommended budget would stay."


def _one_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _worth(result: Result, value: float) -> str:
    unit = "" if result.is_money else f" of {result.outcome}"
    return f"{result.rounded(result.factor * value)}{unit}"


def _chart(result: Result, ranked: Sequence[Mapping[str, Any]]) -> ChartSpec:
    shown = ranked[:MOST_MARKS]
    marks = tuple(
        Mark(
            value=result.factor * each["value"],
            text=result.rounded(result.factor * each["value"]),
            detail=(f"Its budget would move by {formats.short_money(each['moves'], result.currency)} on average",),
            href=result.href(each["channel"]),
            colour=result.colour(each["channel"]),
        )
        for each in shown
    )
    title = f"{ranked[0]['channel']} is what a test would tell most about"
    return ChartSpec(
        id="worth-testing",
        kind=Kind.BARS,
        horizontal=True,
        title=title,
        subtitle=f"Worth of knowing what a channel adds, {_unit(result)}, over {result.period.label}",
        summary=f"What it would be worth to know each channel's effect, in {_unit(result)}. {title}.",
        category_title="Channel",
        categories=tuple(category(each["channel"]) for each in shown),
        series=(Series(name="Worth of knowing", colour=Colour.ACCENT, marks=marks),),
        axis=axis([0.0, *(mark.value for mark in marks)], title=f"Worth, {_unit(result)}", text=result.tick),
    )


def _unit(result: Result) -> str:
    return result.currency if result.is_money else result.outcome


def _table(result: Result, ranked: Sequence[Mapping[str, Any]]) -> DataTable:
    returns = {channel["channel"]: channel[result.return_key] for channel in result.paid}
    return DataTable(
        title="Worth of knowing by channel",
        columns=("Channel", "Worth of knowing", "Recommended spend", "Moves on average", result.return_words),
        rows=tuple(
            Row(
                label=each["channel"],
                cells=(
                    _amount(result, each["value"]),
                    _budgets(result, each),
                    result.money(each["moves"]),
                    result.returns(returns.get(each["channel"], {})),
                ),
                href=result.href(each["channel"]),
            )
            for each in ranked
        ),
        note=f"Over {result.period.label}, its total spend fixed. Recommended spend: not knowing more, and from the "
        "least to the most that it would be if the channel's effect was known, in up to ten equally probable cases. "
        f"{result.return_words}: median with {result.interval_words}.",
    )


def _budgets(result: Result, each: Mapping[str, Any]) -> Figure:
    spend, low, high = each["spend"], each["spend_low"], each["spend_high"]
    text, low_text, high_text = (formats.short_money(amount, result.currency) for amount in (spend, low, high))
    return Figure(text, formats.money(spend, result.currency), spend, low, high, low_text, high_text)


@dataclass(frozen=True, slots=True)
class _Test:
    """A test of so many periods on the usual `spend`: the standard error that it needs, what the model expects of its
    lift, and the least that the outcome deviates from the model over as long."""

    periods: int
    spend: float
    needed: float
    expected: Mapping[str, float | None]
    noise: float


def precision_needed(result: Result, found: "Quantities") -> tuple[Section, ...]:
    """How precise a test of the first channel has to be to halve what is uncertain about its return, by its length.

    `found`: the run's quantities per draw. Nothing where there is no channel to test, or it has no return.
    """
    first = first_to_test(result)
    if first is None or first["channel"] not in found.media:
        return ()
    place = found.media.index(first["channel"])
    returns, spend = found.return_on_spend[:, place], float(found.spend[place])
    if not spend > 0 or not np.ptp(returns) > 0:
        return ()
    by_period = spend / found.window.periods
    tests = [_test(result, returns, periods * by_period, periods) for periods in LENGTHS[result.granularity]]
    table = DataTable(
        title=f"A test of {first['channel']} by its length",
        columns=(
            *("Length", "Spend in the test", "Lift that the model expects", "Standard error needed"),
            f"Noise of {result.outcome}",
        ),
        rows=tuple(
            Row(
                label=_length(result, test),
                cells=(
                    result.money(test.spend),
                    result.amounts(test.expected),
                    _amount(result, test.needed),
                    _amount(result, test.noise),
                ),
            )
            for test in tests
        ),
        note=f"At the channel's average spend over {result.period.label}, which is taken to return in the test what "
        f"it did then, carry-over included. Lifts are medians with {result.interval_words}s. The standard error that "
        "halves the standard deviation of the return is spend × that deviation ÷ √3. Noise is what "
        f"{result.outcome} deviates from the model over as long, at least.",
    )
    return (Section(title=PRECISION, sentences=tuple(_how_precise(result, first["channel"], tests)), tables=(table,)),)


def _test(result: Result, returns: FloatArray, spend: float, periods: int) -> _Test:
    return _Test(
        periods=periods,
        spend=spend,
        needed=required_error(returns, spend),
        expected=summary(spend * returns, result.data["confidence"] / 100),
        noise=result.data["fit"]["rmse"] * math.sqrt(periods),
    )


def _length(result: Result, test: _Test) -> str:
    return formats.count(test.periods, result.granularity)


def _amount(result: Result, value: float) -> Figure:
    scaled = result.factor * value
    return Figure(result.rounded(scaled), result.in_full(scaled), scaled)


def _how_precise(result: Result, name: str, tests: Sequence[_Test]) -> Iterator[str]:
    usual = tests[len(tests) // 2]
    expected = usual.expected["median"] or 0.0
    share = f", {formats.percent(usual.needed / expected)} of the lift that the model expects" if expected > 0 else ""
    yield (
        f"To halve what is uncertain about the return of {name}, a test of {_length(result, usual)} at its usual spend "
        f"has to know its lift to a standard error of {_amount(result, usual.needed).text} or less{share}."
    )
    quiet = next((test for test in tests if test.noise <= test.needed), None)
    if quiet is None:
        yield (
            f"{result.outcome} varies by more than that, so switching {name} off everywhere for as long cannot tell. "
            "Hold it back from a part of the people or geos, chosen at random."
        )
    else:
        yield (
            f"Over {_length(result, quiet)} {result.outcome} varies by less than what is needed, so even switching "
            f"{name} off everywhere might tell. A part of the people or geos, chosen at random, tells more surely."
        )
