"""A plan beside the current one, for the planner, scenarios and exports: cards, sentences, charts, a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyses.documents import NO_FIGURE, Card, DataTable, Figure, RawCell, Row, Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats
from weightings.methods.planning.scenario import ChannelScenario, Scenario
from weightings.methods.summaries import NOTHING
from weightings.planner.horizon import Horizon
from weightings.planner.plan import Plan
from weightings.presentation.budget_sections import change_figure, spend_mark
from weightings.presentation.results import Result, category, extent, listed, mark

MOST_MARKS = 15
ROUGHLY = 0.005  # money: less is no difference


@dataclass(frozen=True, kw_only=True)
class PresentedPlan:
    """What a plan brings. `warnings`: what has to be known before it is acted on. `finding`: in a sentence."""

    finding: str
    warnings: tuple[str, ...]
    cards: tuple[Card, ...]
    charts: tuple[ChartSpec, ...]
    table: DataTable

    @property
    def sections(self) -> tuple[Section, ...]:
        return (Section(title="The plan", sentences=self.warnings, charts=self.charts, tables=(self.table,)),)


def present_plan(result: Result, horizon: Horizon, plan: Plan) -> PresentedPlan:
    """Compute what a plan brings beside the current one. Raises CannotBePlanned beyond what responses are known for."""
    spend = plan.amounts(horizon.channels)
    found, now = horizon.scenario(spend), horizon.scenario(horizon.spend)
    return PresentedPlan(
        finding=_finding(result, found),
        warnings=tuple(_warnings(result, horizon, found)),
        cards=_cards(result, found, now),
        charts=(_spend_chart(result, horizon, found), _added_chart(result, found, now)),
        table=_table(result, horizon, found, now),
    )


def _finding(result: Result, found: Scenario) -> str:
    difference = result.amounts(found.difference)
    median = found.difference["median"] or 0.0
    of = "" if result.is_money else f" of {result.outcome}"
    amount = result.rounded(abs(result.factor * median))
    if _is_current(found):
        return "The plan is the current one."
    way = "more" if median >= 0 else "less"
    return (
        f"The plan would bring {amount} {way}{of} than the current one ({result.interval_words} "
        f"{difference.interval}); it is better with a probability of {formats.percent(found.probability_better)}."
    )


def _is_current(found: Scenario) -> bool:
    return found.difference["low"] == found.difference["high"] == 0


def _warnings(result: Result, horizon: Horizon, found: Scenario) -> Iterator[str]:
    beyond = [each for each in found.channels if each.extrapolated]
    if beyond:
        names = listed([each.channel for each in beyond])
        yield (
            f"Beyond history: in its busiest {result.granularity}, {names} would have more than was ever seen. What "
            "that adds is the model's shape, not the data."
        )
    reach = dict(zip(horizon.channels, horizon.spend.tolist(), strict=True))
    idle = [each.channel for each in found.channels if each.spend == 0 < reach[each.channel]]
    if idle:
        yield (
            f"{listed(idle)} would have no spend at all: what it brought is missing, and after some time the model "
            "will know less of it."
        )


def _cards(result: Result, found: Scenario, now: Scenario) -> tuple[Card, ...]:
    outcome, difference = result.amounts(found.outcome), result.amounts(found.difference)
    change = formats.change(found.spend / now.spend - 1) if now.spend > 0 else NO_FIGURE
    better = formats.percent(found.probability_better)
    held = abs(found.spend - now.spend) < ROUGHLY
    return (
        Card(
            label=result.outcome,
            unit=result.interval_words,
            figure=outcome,
            change=outcome.interval,
            change_tone="quiet",
        ),
        Card(
            label="Against the current plan",
            unit=result.interval_words,
            figure=_signed(difference),
            change=difference.interval if _is_current(found) else f"{difference.interval} · {better} likely better",
            change_tone="quiet",
        ),
        Card(
            label="Spend",
            figure=result.money(found.spend),
            change="As in the current plan" if held else f"{change} against {now_words(result, now)}",
            change_tone="quiet",
        ),
        Card(
            label=result.return_words,
            unit="all paid media",
            figure=result.returns(found.per_spend),
            change=result.returns(found.per_spend).interval,
            change_tone="quiet",
        ),
    )


def now_words(result: Result, now: Scenario) -> str:
    return formats.short_money(now.spend, result.currency)


def _signed(of: Figure) -> Figure:
    if of.value is None or not of.value > 0:
        return of
    return Figure(f"+{of.text}", f"+{of.full}", of.value, of.low, of.high, of.low_text, of.high_text)


def _spend_chart(result: Result, horizon: Horizon, found: Scenario) -> ChartSpec:
    """Current and planned spend by channel."""
    shown = found.channels[:MOST_MARKS]
    spent = dict(zip(horizon.channels, horizon.spend.tolist(), strict=True))
    current = tuple(spend_mark(result, each.channel, spent[each.channel]) for each in shown)
    planned = tuple(
        spend_mark(result, each.channel, each.spend, detail=_against(each.spend, spent[each.channel])) for each in shown
    )
    title = _moved(found, spent)
    return ChartSpec(
        id="planned-spend",
        kind=Kind.BARS,
        horizontal=True,
        title=title,
        subtitle=f"Spend by channel, {result.currency}, over {horizon.label}",
        summary=f"Current and planned spend by channel. {title}.",
        category_title="Channel",
        categories=tuple(category(each.channel) for each in shown),
        series=(
            Series(name="Current", colour=Colour.OTHER, marks=current),
            Series(name="Plan", colour=Colour.ACCENT, marks=planned),
        ),
        axis=axis(
            [0.0, *(one.value for one in (*current, *planned))],
            title=f"Spend, {result.currency}",
            text=lambda value: formats.short_money(value, result.currency),
        ),
    )


def _against(planned: float, current: float) -> tuple[str, ...]:
    return (f"{formats.change(planned / current - 1)} against the current plan",) if current > 0 else ()


def _moved(found: Scenario, spent: dict[str, float]) -> str:
    """Which channels change most."""
    moves = {each.channel: each.spend - spent[each.channel] for each in found.channels}
    up, down = max(moves, key=lambda name: moves[name]), min(moves, key=lambda name: moves[name])
    ups = f"more for {up}" if moves[up] > ROUGHLY else ""
    downs = f"less for {down}" if moves[down] < -ROUGHLY else ""
    words = ", ".join(filter(None, (ups, downs)))
    return f"{words[0].upper()}{words[1:]}" if words else "The plan is the current one"


def _added_chart(result: Result, found: Scenario, now: Scenario) -> ChartSpec:
    """What channels add, in the current plan and in this one."""
    shown = found.channels[:MOST_MARKS]
    before = tuple(_added_mark(result, each) for each in now.channels[:MOST_MARKS])
    after = tuple(_added_mark(result, each) for each in shown)
    best = max(shown, key=lambda each: each.added["median"] or 0.0).channel
    title = f"{best} would add most"
    per = f"Incremental {result.outcome}, {result.unit}"
    return ChartSpec(
        id="planned-increment",
        kind=Kind.DOTS,
        title=title,
        subtitle=f"{per}, by channel, {result.interval_words}",
        summary=f"{per}, by channel in the current plan and in this one. {title}.",
        category_title="Channel",
        categories=tuple(category(each.channel) for each in shown),
        series=(
            Series(name="Current", colour=Colour.OTHER, marks=before),
            Series(name="Plan", colour=Colour.ACCENT, marks=after),
        ),
        axis=axis(extent([*before, *after]), title=per, text=result.tick),
        interval=result.interval_words,
    )


def _added_mark(result: Result, channel: ChannelScenario) -> Mark | None:
    return mark(result.amounts(channel.added), href=result.href(channel.channel))


def _table(result: Result, horizon: Horizon, found: Scenario, now: Scenario) -> DataTable:
    rows = [
        Row(
            label=each.channel,
            cells=(
                result.money(before.spend),
                result.money(each.spend),
                change_figure(before.spend, each.spend),
                result.amounts(before.added),
                result.amounts(each.added),
                result.returns(each.per_spend),
            ),
            href=result.href(each.channel),
        )
        for each, before in zip(found.channels, now.channels, strict=True)
    ]
    total = Row(
        label="All channels",
        cells=(
            result.money(now.spend),
            result.money(found.spend),
            change_figure(now.spend, found.spend),
            result.amounts(now.added),
            result.amounts(found.added),
            result.returns(found.per_spend),
        ),
        is_total=True,
    )
    return DataTable(
        title="The plan by channel",
        columns=(
            "Channel",
            "Current spend",
            "Planned spend",
            "Change",
            f"Adds now, {result.outcome}",
            f"Would add, {result.outcome}",
            "ROI" if result.is_money else f"Per {result.spend_words}",
        ),
        rows=(*rows, total),
        note=f"Over {horizon.label}. Medians with {result.interval_words}s, carry-over after the period included; "
        "medians of channels do not add up to that of all together.",
    )


def plan_rows(horizon: Horizon, plan: Plan) -> list[Sequence[RawCell]]:
    """The plan as one table in full precision, header first."""
    found, now = horizon.scenario(plan.amounts(horizon.channels)), horizon.scenario(horizon.spend)
    ends = ("", "_low", "_high")
    measures = ("incremental_now", "incremental", "incremental_per_spend")
    header = ("channel", "spend_now", "spend", *(f"{name}{end}" for name in measures for end in ends), "extrapolated")

    def numbers(*summaries: object) -> Iterator[RawCell]:
        for each in summaries:
            assert isinstance(each, dict)  # noqa: S101 - summaries are
            yield from (each[end] for end in ("median", "low", "high"))

    rows: list[Sequence[RawCell]] = [header]
    for each, before in zip(found.channels, now.channels, strict=True):
        rows.append(
            (
                each.channel,
                before.spend,
                each.spend,
                *numbers(before.added, each.added, each.per_spend),
                int(each.extrapolated),
            )
        )
    rows.append(("(all channels)", now.spend, found.spend, *numbers(now.added, found.added, found.per_spend), None))
    outcomes = (("(outcome)", now.outcome, found.outcome), ("(outcome, difference)", NOTHING, found.difference))
    for label, before_it, of in outcomes:
        rows.append((label, None, None, *numbers(before_it, of), *(None,) * 4))
    return rows
