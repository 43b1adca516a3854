"""The recommended budget beside the current one: where it moves, what that would bring, and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats
from weightings.presentation.results import Result, category, listed

TITLE = "Recommended budget"
MOST_MARKS = 15
UNMOVED = 0.005  # of a channel's spend: less is no move
Budget = Mapping[str, Any]

OBJECTIVES = {
    "mean": "the most {outcome} on average",
    "quantile": "the most {outcome} in the case that only one in {one_in} is worse than",
    "cvar": "the most {outcome} on average over the worst {share} of cases",
}


def recommended_budget(result: Result) -> Section:
    """The budget of the run itself, by the usual wishes; where there is none, why."""
    budget = result.data.get("budget")
    if budget is None:
        return Section(title=TITLE, sentences=(result.data.get("budget_problem") or NOT_KEPT,))
    return budget_section(result, budget)


NOT_KEPT = "This run was made by an earlier version, which recommended no budget. Run it again to get one."


def budget_section(result: Result, budget: Budget, *, period: str = "", is_flighted: bool = False) -> Section:
    """Any recommended budget. `period`: what it is for and how it is spread, that of the run unless given.

    `is_flighted`: whether it is spread over time otherwise than the current one, which is part of what it gains.
    """
    period = period or f"{result.period.label}, spread over time as it was"
    return Section(
        title=TITLE,
        sentences=(*_sentences(result, budget, period, is_flighted=is_flighted), *reasons(result, budget)),
        charts=(budget_chart(result, budget, period),),
        tables=(budget_table(result, budget, period),),
    )


def _sentences(result: Result, budget: Budget, period: str, *, is_flighted: bool) -> Iterator[str]:
    yield finding(result, budget, is_flighted=is_flighted)
    spend = formats.round_money(budget["spend_recommended"], result.currency)
    yield f"It is for {spend} over {period}, and aims at {objective_words(result, budget)}."
    at_bounds = [each["channel"] for each in budget["channels"] if each["bound"] in ("low", "high")]
    if at_bounds:
        yield (
            f"{listed(at_bounds)} {'is' if len(at_bounds) == 1 else 'are'} as far as the limits let "
            f"{'it' if len(at_bounds) == 1 else 'them'} go: wider limits would change more, on less evidence."
        )
    beyond = [each["channel"] for each in budget["channels"] if each["extrapolated"]]
    if beyond:
        yield f"For {listed(beyond)} it is more in a period than was ever seen: there the model's shape speaks."


def finding(result: Result, budget: Budget, *, is_flighted: bool = False) -> str:
    """What the budget would bring more, and how sure that is. `is_flighted`: as `budget_section` has it."""
    gain = result.amounts(budget["gain"])
    better = formats.percent(budget["probability_better"])
    moved = moved_share(budget)
    if moved < UNMOVED and not is_flighted:
        return f"The current budget is as good as any that the limits allow for {result.outcome}."
    unit = "" if result.is_money else f" of {result.outcome}"
    change = f"Moving {formats.percent(moved)} of the budget" if _same_total(budget) else "The recommended budget"
    if is_flighted:
        change = f"{change}, spread anew over time,"
    brings = f"{more_or_less(result, budget['gain'])}{unit} ({result.interval_words} {gain.interval})"
    return f"{change} would bring {brings}. It is better than the current one with a probability of {better}."


def more_or_less(result: Result, found: Mapping[str, Any]) -> str:
    """The median of a change of the outcome in words: "€1.2 k more", "€1.2 k less"."""
    median = found["median"] or 0.0
    return f"{result.rounded(abs(result.factor * median))} {'more' if median >= 0 else 'less'}"


def moved_share(budget: Budget) -> float:
    """The share of the larger of both budgets that is on other channels."""
    moved = sum(abs(each["spend_recommended"] - each["spend_current"]) for each in budget["channels"])
    added = abs(budget["spend_recommended"] - budget["spend_current"])
    larger = max(budget["spend_recommended"], budget["spend_current"])
    return (moved + added) / 2 / larger if larger > 0 else 0.0


def _same_total(budget: Budget) -> bool:
    return bool(abs(budget["spend_recommended"] - budget["spend_current"]) <= 1e-6 * max(budget["spend_current"], 1.0))


def objective_words(result: Result, budget: Budget) -> str:
    """What the budget makes as much of as it can, within what."""
    objective, goal = budget["objective"], budget["goal"]
    share = objective["share"]
    most = OBJECTIVES[objective["name"]].format(
        outcome=result.outcome, one_in=f"{1 / share:.0f}", share=formats.percent(share)
    )
    if goal["kind"] == "return":
        return f"{most} while it returns at least {_return(result, goal['at_least'])} per {result.spend_words}"
    if goal["kind"] == "marginal_return":
        least = _return(result, goal["at_least"])
        return f"{most}, up to where the next {result.spend_words} of spend would add less than {least}"
    return most


def reasons(result: Result, budget: Budget) -> Iterator[str]:
    """Why each channel moves, those that move most first."""
    by_move = sorted(budget["channels"], key=lambda each: -abs(each["spend_recommended"] - each["spend_current"]))
    usual = typical_return(budget)
    for channel in by_move:
        yield reason(result, channel, usual)


def typical_return(budget: Budget) -> float | None:
    """What the next unit of spend adds on channels that are free to move, in the recommended budget."""
    free = [
        each
        for each in budget["channels"]
        if each["bound"] is None and each["marginal_recommended"]["mean"] is not None
    ]
    spend = sum(each["spend_recommended"] for each in free)
    if not spend > 0:
        return None
    return float(sum(each["spend_recommended"] * each["marginal_recommended"]["mean"] for each in free) / spend)


def reason(result: Result, channel: Mapping[str, Any], usual: float | None) -> str:
    """Why one channel gets more, less or the same. `usual`: the next unit's return on channels free to move."""
    name, now, then = channel["channel"], channel["spend_current"], channel["spend_recommended"]
    if channel["bound"] == "locked":
        return f"{name} stays where it is held."
    if not now > 0:
        return f"{name} had no spend to go by."
    change = then / now - 1
    marginal = channel["marginal_current"]["mean"]
    if marginal is None:
        return f"{name} changes by {formats.change(change)}."
    next_one = f"the next {result.spend_words} there brings {_return(result, marginal)} on average"
    compared = "" if usual is None else f", against {_return(result, usual)} where budgets are free to move"
    if abs(change) < UNMOVED:
        return f"{name} stays: {next_one}{compared}."
    amount = formats.short_money(abs(then - now), result.currency)
    ends = {"high": "; its upper limit holds it back", "low": "; its lower limit keeps the rest"}.get(
        channel["bound"] or "", ""
    )
    verb = "gets" if change > 0 else "gives up"
    return f"{name} {verb} {amount} ({formats.change(change)}): {next_one}{compared}{ends}."


def _return(result: Result, value: float) -> str:
    return result.return_text(result.return_factor * value)


def budget_chart(result: Result, budget: Budget, period: str) -> ChartSpec:
    """Current and recommended spend by channel."""
    shown = sorted(
        budget["channels"], key=lambda each: (-max(each["spend_current"], each["spend_recommended"]), each["channel"])
    )[:MOST_MARKS]
    current = tuple(_spend_mark(result, each, "spend_current") for each in shown)
    recommended = tuple(_spend_mark(result, each, "spend_recommended") for each in shown)
    title = _where(budget)
    return ChartSpec(
        id="recommended-budget",
        kind=Kind.BARS,
        horizontal=True,
        title=title,
        subtitle=f"Spend by channel, {result.currency}, over {period}",
        summary=f"Current and recommended spend by channel. {title}.",
        category_title="Channel",
        categories=tuple(category(each["channel"]) for each in shown),
        series=(
            Series(name="Current", colour=Colour.OTHER, marks=current),
            Series(name="Recommended", colour=Colour.ACCENT, marks=recommended),
        ),
        axis=axis(
            [0.0, *(mark.value for mark in (*current, *recommended))],
            title=f"Spend, {result.currency}",
            text=lambda value: formats.short_money(value, result.currency),
        ),
    )


def _spend_mark(result: Result, channel: Mapping[str, Any], key: str) -> Mark:
    return spend_mark(result, channel["channel"], channel[key])


def spend_mark(result: Result, channel: str, spend: float, *, detail: Sequence[str] = ()) -> Mark:
    """An amount of spend as a mark that leads to its channel."""
    text = formats.round_money(spend, result.currency)
    return Mark(value=spend, text=text, detail=tuple(detail), href=result.href(channel))


def _where(budget: Budget) -> str:
    """From which channel most is taken and which gets most."""
    moves = {each["channel"]: each["spend_recommended"] - each["spend_current"] for each in budget["channels"]}
    up, down = max(moves, key=lambda name: moves[name]), min(moves, key=lambda name: moves[name])
    if moved_share(budget) < UNMOVED:
        return "The budget stays as it is"
    if moves[up] > 0 > moves[down]:
        return f"More for {up}, less for {down}"
    return f"More for {up}" if moves[up] > 0 else f"Less for {down}"


def budget_table(result: Result, budget: Budget, period: str) -> DataTable:
    """Every channel's spend, what it adds, and what the next unit of spend would."""
    of_next = "mROI" if result.is_money else f"Next {result.spend_words} adds"
    rows = [
        Row(label=each["channel"], cells=_cells(result, each), href=result.href(each["channel"]))
        for each in budget["channels"]
    ]
    total = (
        result.money(budget["spend_current"]),
        result.money(budget["spend_recommended"]),
        change_figure(budget["spend_current"], budget["spend_recommended"]),
        result.amounts(budget["gain"]),
        *(Figure(NO_FIGURE),) * 3,
    )
    return DataTable(
        title="Current and recommended budget",
        columns=(
            "Channel",
            "Spend, now",
            "Spend, then",
            "Change",
            f"Adds more {result.outcome}",
            f"{of_next}, now",
            f"{of_next}, then",
            "Limit",
        ),
        rows=(*rows, Row(label="Total", cells=total, is_total=True)),
        note=f"Over {period}. Now: the current budget; then: the recommended one. Medians with "
        f"{result.interval_words}s, of what is added in the period and after it by carry-over; "
        "medians of channels do not add up to that of the total.",
    )


LIMITS = {"low": "At its least", "high": "At its most", "locked": "Locked"}


def _cells(result: Result, channel: Mapping[str, Any]) -> tuple[Figure, ...]:
    low, high = (formats.round_money(channel[end], result.currency) for end in ("low", "high"))
    limit = LIMITS.get(channel["bound"] or "", "Free")
    return (
        result.money(channel["spend_current"]),
        result.money(channel["spend_recommended"]),
        change_figure(channel["spend_current"], channel["spend_recommended"]),
        result.amounts(channel["difference"]),
        result.returns(channel["marginal_current"]),
        result.returns(channel["marginal_recommended"]),
        Figure(limit, f"{limit}: from {low} to {high}"),
    )


def change_figure(before: float, after: float) -> Figure:
    """A change of spend as a share of what it was."""
    if not before > 0:
        return Figure(NO_FIGURE)
    change = after / before - 1
    return Figure(formats.change(change), f"{change:+.6%}", change)
