"""What was counted of the journeys that hold two channels, as sections of the pair's report."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from analyses.asking import period_of
from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import Colour
from crosschannel.computation import GAP_EDGES_DAYS, months_of
from crosschannel.methods.lift import shrunk_lift
from crosschannel.methods.pairs import FEWEST_CUSTOMERS, OrderEffect, order_effect
from crosschannel.presentation import figures, pair_charts, words
from crosschannel.presentation.interaction_sections import signed
from crosschannel.presentation.pair_charts import Gap, Rate
from crosschannel.presentation.pairs import Pair
from crosschannel.presentation.path_sections import paths_table
from crosschannel.result import most_taken, path_row
from crosschannel.stored import Stored
from marketing.periods import Period
from mmm_project import formats

MOST_PATHS = 10


def sections(pair: Pair, stored: Stored) -> Iterator[Section]:
    """Yield everything that was counted of the pair."""
    yield _conversions(pair)
    if pair.both.journeys:
        yield _order(pair)
        yield _gaps(pair)
        yield _paths(pair, stored)
        yield _months(pair)
    yield _overlap(pair)


def _conversions(pair: Pair) -> Section:
    both, rest = pair.both, pair.rest
    kinds = [kind for kind in pair.kinds if kind.journeys]
    title = "; ".join(f"{kind.name}: {formats.percent(kind.value)}" for kind in kinds)
    if both.journeys and rest.journeys:
        title = (
            f"Journeys with both convert at {formats.percent(both.value)}, all others at {formats.percent(rest.value)}"
        )
    if (expected := pair.expected_rate) is not None:
        name, said = "Both, without joint effect", "By the model: what the two channels’ own effects come to"
        kinds.append(Rate(name, 1.0, expected, said=said))
    total = pair.total
    lines = [*zip(pair.kinds, pair.values, strict=True), (total, pair.details.total_value)]
    return Section(
        title="Conversions with and without them",
        sentences=tuple(_lift(pair)),
        charts=(
            pair_charts.rates_chart(
                kinds, title=title, subtitle=f"Conversion rate of journeys by what they hold of {pair.a} and {pair.b}"
            ),
        ),
        tables=(
            DataTable(
                title="Journeys by what they hold",
                columns=("Journeys with", "Journeys", "Conversions", "Conversion rate", "Value"),
                rows=tuple(
                    Row(
                        label=kind.name,
                        cells=(
                            figures.count(kind.journeys),
                            figures.count(kind.conversions),
                            _rate(kind),
                            figures.money(value, pair.currency),
                        ),
                        is_total=kind is total,
                    )
                    for kind, value in lines
                ),
                note="All journeys with a touch, whatever is asked of paths. The plain rates allow for nothing: longer "
                "journeys hold more channels and convert at another rate.",
            ),
        ),
    )


def _lift(pair: Pair) -> Iterator[str]:
    both, rest = pair.both, pair.rest
    found = shrunk_lift(
        journeys=both.journeys,
        conversions=both.conversions,
        other_journeys=rest.journeys,
        other_conversions=rest.conversions,
    )
    if found is not None and both.journeys:
        yield (
            f"As often as all others, journeys with both would have {formats.count(round(found.expected, 1))} "
            f"conversions; they have {formats.count(both.conversions)}. That is {formats.ratio(found.shrunk)} times as "
            "often, a figure drawn toward 1 where conversions are few: a description, not an effect."
        )


def _order(pair: Pair) -> Section:
    details, (a, b) = pair.details, (pair.a, pair.b)
    found = order_effect(details=details, a=pair.one, b=pair.other, confidence=pair.params["confidence"] / 100)
    rows = []
    for name, place in ((a, (pair.one, pair.other)), (b, (pair.other, pair.one))):
        rate = Rate(f"{name} first", float(details.first_journeys[place]), float(details.first_conversions[place]))
        rows.append(
            Row(
                label=rate.name,
                cells=(
                    figures.count(rate.journeys),
                    figures.percent(rate.journeys / pair.both.journeys),
                    figures.count(int(details.first_customers[place])),
                    figures.count(rate.conversions),
                    _rate(rate),
                ),
            )
        )
    return Section(
        title="Which comes first",
        sentences=(_order_finding(pair, found),),
        tables=(
            DataTable(
                title="Journeys with both by which comes first",
                columns=("Order", "Journeys", "Share", "Customers", "Conversions", "Conversion rate"),
                rows=tuple(rows),
                note="By the first touch of either channel in the journey.",
            ),
        ),
    )


def _order_finding(pair: Pair, found: OrderEffect | None) -> str:
    if found is None:
        first = pair.a if pair.details.first_journeys[pair.one, pair.other] else pair.b
        return f"{first} comes first in all of these journeys, so there is no other order to compare with."
    rates = (
        f"Journeys with {pair.a} first convert at {formats.percent(found.a_first_rate)}, those with {pair.b} first at "
        f"{formats.percent(found.b_first_rate)}"
    )
    if found.low is None or found.high is None:
        return (
            f"{rates}: too little to compare, as one of the orders is that of fewer than {FEWEST_CUSTOMERS} customers."
        )
    difference, low, high = (signed(100 * number) for number in (found.difference, found.low, found.high))
    judged = "which may be chance" if found.low <= 0 <= found.high else "more than chance explains"
    return (
        f"{rates}: a difference of {difference} points ({low} to {high}, {pair.level}), {judged}. It says where people "
        "stood when they met the two, not what another order would do."
    )


def _gaps(pair: Pair) -> Section:
    counted = pair.details.gap_journeys
    edges = (0.0, *GAP_EDGES_DAYS, None)
    bins = list(pairwise(edges))
    a_first, b_first = (
        [
            Gap(name, low or 0.0, high, int(journeys), colour)
            for (low, high), journeys in zip(bins, counted[place], strict=True)
        ]
        for name, place, colour in (
            (pair.a, (pair.one, pair.other), pair.colours[0]),
            (pair.b, (pair.other, pair.one), pair.colours[1]),
        )
    )
    last = max(place for place in range(len(bins)) if a_first[place].journeys + b_first[place].journeys)
    within = np.cumsum([one.journeys + other.journeys for one, other in zip(a_first, b_first, strict=True)])
    half = int(np.searchsorted(within, within[-1] / 2))
    share, until = formats.percent(within[half] / within[-1]), bins[half][1]
    apart = (
        f"{share} of journeys with both meet the two less than {formats.count(until, 'day')} apart"
        if until is not None
        else f"Most journeys with both meet the two {GAP_EDGES_DAYS[-1]:g} days apart or more"
    )
    first = formats.percent(sum(gap.journeys for gap in a_first) / pair.both.journeys)
    return Section(
        title="Days between their first touches",
        charts=(
            pair_charts.gaps_chart(
                [*reversed(b_first[: last + 1]), *a_first[: last + 1]],
                title=f"{apart}; {pair.a} comes first in {first}",
                sides=(pair.b, pair.a),
            ),
        ),
    )


def _paths(pair: Pair, stored: Stored) -> Section:
    """The most frequent paths that hold both; they are of the journeys that pass the filters of the question."""
    result: Mapping[str, Any] = stored.run.result or {}
    title, table = "Paths that hold both", stored.paths
    groups = [stored.group_named(name) for name in (pair.a, pair.b)]
    holds = np.logical_and.reduce(
        [np.logical_or.reduceat(table.steps == group, table.offsets[:-1]) for group in groups]
    )
    filters = "; ".join(words.filters_in_words(pair.params))
    among = f"Of journeys that pass the filters of the question ({filters})." if filters else ""
    if len(table) < result["distinct_paths"]:
        among += f" Of the {formats.count(len(table))} paths that most journeys took."
    if not holds.any():
        return Section(title=title, sentences=(f"{among} None of the paths holds both.".strip(),))
    ranked = most_taken(table, len(table))
    rows = [path_row(table, place, stored.labels) for place in ranked[holds[ranked]][:MOST_PATHS].tolist()]
    share = sum(row["journeys"] for row in rows) / float((table.conversions + table.nulls)[holds].sum())
    coverage = (
        f"{formats.count(int(holds.sum()), 'path')} {'holds' if holds.sum() == 1 else 'hold'} both; "
        f"{formats.percent(share)} of their journeys took one of the {len(rows)} shown."
    )
    return Section(
        title=title,
        sentences=tuple(filter(None, (among.strip(), coverage))),
        tables=(paths_table(rows, result, pair.currency, title="Most frequent paths with both channels"),),
    )


def _months(pair: Pair) -> Section:
    title, months = "Month by month", months_of(period_of(pair.params))
    if len(months) < 2:
        return Section(title=title, sentences=("The period lies within one month, so there is no trend to show.",))
    details, place = pair.details, (pair.one, pair.other)
    totals = details.total_journeys.tolist()
    both = [
        Rate("With both", float(journeys), float(conversions), Colour.ACCENT)
        for journeys, conversions in zip(
            details.month_journeys[:, *place], details.month_conversions[:, *place], strict=True
        )
    ]
    others = [
        Rate("All others", total - rate.journeys, conversions - rate.conversions)
        for rate, total, conversions in zip(both, totals, details.total_conversions.tolist(), strict=True)
    ]
    return Section(
        title=title,
        charts=(
            pair_charts.monthly_rates_chart(months, (both, others), title=_rate_trend(months, both, others)),
            pair_charts.monthly_journeys_chart(months, both, totals, title=_share_trend(months, both, totals)),
        ),
    )


def _rate_trend(months: Sequence[Period], both: Sequence[Rate], others: Sequence[Rate]) -> str:
    known = [place for place in range(len(months)) if both[place].journeys and others[place].journeys]
    above = sum(both[place].value > others[place].value for place in known)
    of_all = formats.count(len(known), "month")
    return f"In {above} of {of_all} journeys with both convert at a higher rate than all others"


def _share_trend(months: Sequence[Period], both: Sequence[Rate], totals: Sequence[int]) -> str:
    shares = [(rate.journeys / total, month) for rate, month, total in zip(both, months, totals, strict=True) if total]
    (first, start), (last, end) = shares[0], shares[-1]
    found = f"{formats.percent(last)} of journeys hold both in {pair_charts.month_label(end)}"
    return found if start == end else f"{found}, {formats.percent(first)} in {pair_charts.month_label(start)}"


def _overlap(pair: Pair) -> Section:
    _neither, only_a, only_b, both = (kind.journeys for kind in pair.kinds)
    either = only_a + only_b + both
    jaccard = both / either if either else 0.0
    return Section(
        title="Overlap",
        sentences=(f"{formats.percent(jaccard)} of the journeys that hold one of the two hold both (Jaccard index).",),
        tables=(
            DataTable(
                title="Journeys with either channel",
                columns=("Journeys with", "Journeys", "Also hold the other", "Share"),
                rows=tuple(
                    Row(
                        label=name,
                        cells=(
                            figures.count(alone + both),
                            figures.count(both),
                            figures.percent(both / (alone + both)) if alone + both else Figure(NO_FIGURE),
                        ),
                    )
                    for name, alone in ((pair.a, only_a), (pair.b, only_b))
                ),
            ),
        ),
    )


def _rate(rate: Rate) -> Figure:
    return figures.percent(rate.value) if rate.journeys else Figure(NO_FIGURE)
