"""The tables of the dashboard and its detail pages: groups with their figures, and what is left of the whole."""

import math
from collections.abc import Callable, Sequence

from analyses.documents import DataTable, Figure, Row
from mmm_project import formats
from reports.dashboard_charts import Frame
from reports.numbers import NO_CAMPAIGN_KEY, OTHERS_KEY, UNTOUCHED_KEY, Group, Measures, Subject, largest

MOST_ROWS = 12
DASH = "\N{EN DASH}"
NO_SPEND = "No spend at this level"
NOT_CREDITED = "It left no touches, so no model credits it"
MIXED = "Some of them left no touches, so no model credits those"
UP, DOWN, LEVEL = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}", "\N{RIGHTWARDS ARROW}"


def table(
    title: str, what: str, groups: Sequence[Group], whole: Subject, link: Callable[[Group], str], *, frame: Frame
) -> DataTable | None:
    """Return a table of the groups, of many the largest by revenue or spend; None without any."""
    if not groups:
        return None
    kept, rest = _folded(groups)
    rows = [
        _row(
            group.name,
            group.now,
            group.before,
            roas=_roas(group.now, group.roas, MIXED if group.is_mixed else NOT_CREDITED),
            frame=frame,
            href=link(group),
        )
        for group in kept
    ]
    if rest:
        rows.append(_others(kept, rest, whole, frame))
    total = _roas(whole.now, whole.roas, NOT_CREDITED)
    rows.append(_row("Total", whole.now, whole.before, roas=total, frame=frame, is_total=True))
    change_of_revenue = ["Change of revenue"] if frame.comparison else []
    return DataTable(
        title=title,
        columns=(what, "Revenue", "Conversions", "Spend", "ROAS", *change_of_revenue),
        rows=tuple(rows),
        note=f"Revenue and conversions as {frame.model} credits them, {frame.period}.",
    )


def change(value: float, before: float | None, *, frame: Frame, good_when_up: bool | None) -> tuple[str, str]:
    """Return how a value differs from that of the compared period, and the tone to say it in."""
    if not frame.comparison:
        return "", ""
    if not before:
        return f"nothing in the {frame.comparison}", "quiet"
    text = formats.change(value / before - 1)
    rising, falling = text.startswith("+"), text.startswith(formats.MINUS)
    arrow = UP if rising else DOWN if falling else LEVEL
    tone = "quiet" if good_when_up is None or not (rising or falling) else "good" if rising else "bad"
    return f"{arrow} {text} against {frame.comparison}", tone


def money(value: float, *, frame: Frame) -> Figure:
    return Figure(frame.money(value), formats.money(value, frame.currency), value)


def counted(value: float) -> Figure:
    return Figure(formats.short_count(value), formats.count(value), value)


def _others(kept: Sequence[Group], rest: Sequence[Group], whole: Subject, frame: Frame) -> Row:
    """What is left of the whole, so that groups of the compared period only are in it too."""
    before = _less(whole.before, [group.before for group in kept if group.before]) if whole.before else None
    now = _less(whole.now, [group.now for group in kept])
    unknown = [group for group in rest if group.now.spend and group.roas is None]
    roas = _roas(now, None if unknown else now.roas, MIXED if len(unknown) < len(rest) else NOT_CREDITED)
    return _row(f"{formats.count(len(rest))} others", now, before, roas=roas, frame=frame)


def _row(
    label: str,
    now: Measures,
    before: Measures | None,
    *,
    roas: Figure,
    frame: Frame,
    href: str = "",
    is_total: bool = False,
) -> Row:
    spent = money(now.spend, frame=frame) if now.spend else Figure(DASH, NO_SPEND, 0.0)
    cells = [money(now.revenue, frame=frame), counted(now.conversions), spent, roas]
    if frame.comparison:
        said, _tone = change(now.revenue, before.revenue if before else None, frame=frame, good_when_up=True)
        share = now.revenue / before.revenue - 1 if before and before.revenue else None
        cells.append(Figure(said.partition(" against")[0] if share is not None else DASH, said, share))
    return Row(label=label, cells=tuple(cells), href=href, is_total=is_total)


def _roas(measures: Measures, roas: float | None, why_none: str) -> Figure:
    if roas is None:
        return Figure(DASH, why_none if measures.spend else NO_SPEND)
    return Figure(formats.ratio(roas), f"{roas:.4f}", roas)


def _folded(groups: Sequence[Group]) -> tuple[Sequence[Group], Sequence[Group]]:
    """The groups that the table names, and those that it adds up in one line."""
    if len(groups) <= MOST_ROWS:
        return groups, ()
    # Conversions without a touch, and touches without a campaign, are always told apart.
    special = [group for group in groups if group.key in (UNTOUCHED_KEY, NO_CAMPAIGN_KEY, OTHERS_KEY)]
    named = [group for group in groups if group not in special]
    shown = largest(named, MOST_ROWS - 1 - len(special))
    keys = {group.key for group in shown}
    return [*shown, *special], [group for group in named if group.key not in keys]


def _less(whole: Measures, parts: Sequence[Measures]) -> Measures:
    """What is left of the whole without the parts; rounding leaves nothing below zero."""
    return Measures(
        conversions=max(whole.conversions - math.fsum(part.conversions for part in parts), 0.0),
        revenue=max(whole.revenue - math.fsum(part.revenue for part in parts), 0.0),
        spend=max(whole.spend - math.fsum(part.spend for part in parts), 0.0),
    )
