"""Two attribution runs side by side as charts."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analyses.documents import Section
from attribution.presentation import presenters
from attribution.presentation.credit_charts import MOST_MARKS, amount_axis, category, value_axis
from attribution.presentation.credit_tables import signed
from attribution.presentation.presenters import Credit, Group
from attribution.presentation.run_difference import Difference, differences
from attribution.presentation.sources import Sources
from charts import ChartSpec, Colour, Kind, Mark, Series
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run


def compare(earlier: "Run", later: "Run") -> tuple[Section, ...]:
    """Return the credit in both runs as a section; none if they measure different things."""
    charts = compared_charts(earlier, later)
    return (Section(title="Credit side by side", charts=charts),) if charts else ()


def compared_charts(earlier: "Run", later: "Run") -> tuple[ChartSpec, ...]:
    """Return the credit under both runs' main models as one chart; none if they measure different things."""
    first, second = Credit(earlier), Credit(later)
    if (first.dimension, first.measure) != (second.dimension, second.measure):
        return ()
    groups = _shown(first, second)
    sources = Sources(later.workspace, later.params, groups)
    names = [f"{letter}: {credit.models[0].label}" for letter, credit in (("A", first), ("B", second))]

    def marks(place: int) -> tuple[Mark, ...]:
        return tuple(
            _mark(second, group, place, href=sources.of(group).href, other=names[1 - place]) for group in groups
        )

    finding = _finding(first, second)
    apart = _apart(second, groups, differences(earlier, later), names)
    return (
        *apart,
        ChartSpec(
            id="compared-credit",
            kind=Kind.DOTS,
            title=finding,
            subtitle=f"A: {first.metric_label}, {first.period.label}. B: {second.metric_label}, {second.period.label}.",
            summary=f"Credit by {second.dimension} in A and in B, side by side. {finding}.",
            category_title=second.dimension_label,
            categories=tuple(category(group) for group in groups),
            series=(
                Series(name=names[0], colour=Colour.OTHER, marks=marks(0)),
                Series(name=names[1], colour=Colour.ACCENT, marks=marks(1)),
            ),
            axis=value_axis(second, groups),
        ),
    )


def _apart(
    credit: Credit, groups: Sequence[Group], apart: Mapping[str, Difference], names: Sequence[str]
) -> tuple[ChartSpec, ...]:
    """Return the chart of what differs, with intervals; none where the runs kept no replicates."""
    found = [(group, apart[group.label]) for group in groups if group.label in apart]
    if not found:
        return ()
    clear = [group.label for group, one in found if one.low > 0 or one.high < 0]
    if not clear:
        title = "No difference is clear of chance"
    elif len(clear) == 1:
        title = f"The difference of {clear[0]} is clear of chance"
    else:
        title = f"{formats.count(len(clear))} of {formats.count(len(found))} differences are clear of chance"
    return (
        ChartSpec(
            id="compared-differences",
            kind=Kind.DOTS,
            title=title,
            subtitle=f"{credit.metric_label}: {names[1]} less {names[0]}, with {credit.interval_words}s.",
            summary=f"How much more B credits than A, by {credit.dimension_label.lower()}. {title}.",
            category_title=credit.dimension_label,
            categories=tuple(category(group) for group, _one in found),
            series=(
                Series(
                    name="B less A",
                    colour=Colour.ACCENT,
                    marks=tuple(_difference_mark(credit, one) for _group, one in found),
                ),
            ),
            axis=amount_axis(credit, [end for _group, one in found for end in (one.low, one.value, one.high)]),
            interval=credit.interval_words,
        ),
    )


def _difference_mark(credit: Credit, one: Difference) -> Mark:
    return Mark(
        value=one.value,
        text=signed(credit.rounded, one.value),
        low=one.low,
        high=one.high,
        low_text=signed(credit.rounded, one.low),
        high_text=signed(credit.rounded, one.high),
        detail=(signed(credit.in_full, one.value),),
    )


def _shown(first: Credit, second: Credit) -> list[Group]:
    """Return the groups of both runs with their credit in each, largest first, the smallest folded into one."""
    measure = second.measure
    amounts: dict[tuple[str, int], list[float]] = {}
    for place, credit in enumerate((first, second)):
        seen: Counter[str] = Counter()
        for group in credit.groups:
            # Names may repeat: the second of a name in A belongs to the second of that name in B.
            amounts.setdefault((group.label, seen[group.label]), [0.0, 0.0])[place] = credit.of(group)
            seen[group.label] += 1
    ordered = sorted(amounts.items(), key=lambda item: (-max(item[1]), item[0]))
    groups = [_group(label, measure, pair) for (label, _time), pair in ordered]
    if len(groups) > MOST_MARKS:
        kept, rest = groups[: MOST_MARKS - 1], ordered[MOST_MARKS - 1 :]
        sums = [math.fsum(pair[place] for _key, pair in rest) for place in (0, 1)]
        groups = [*kept, _group(f"{formats.count(len(rest))} others", measure, sums, is_one=False)]
    untouched = [credit.of(credit.untouched) for credit in (first, second)]
    return [*groups, _group(second.untouched.label, measure, untouched, is_one=False)]


def _group(label: str, measure: str, amounts: Sequence[float], *, is_one: bool = True) -> Group:
    return Group(label, [{measure: amount} for amount in amounts], is_one)


def _mark(credit: Credit, group: Group, place: int, *, href: str, other: str) -> Mark:
    value, reference = credit.of(group, place), credit.of(group, 1 - place)
    apart = presenters.difference(credit, value, reference, other) if place else ""
    return Mark(
        value=value, text=credit.rounded(value), detail=tuple(filter(None, (credit.in_full(value), apart))), href=href
    )


def _finding(first: Credit, second: Credit) -> str:
    leaders = [credit.groups[0].label if credit.groups else credit.untouched.label for credit in (first, second)]
    if leaders[0] == leaders[1]:
        return f"{leaders[0]} leads in both runs"
    return f"{leaders[0]} leads in A, {leaders[1]} in B"
