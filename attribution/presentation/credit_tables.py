"""The figures of an attribution result as cards and tables."""

from collections.abc import Callable, Mapping
from typing import Any

from analyses.documents import NO_FIGURE, Card, DataTable, Figure, Row
from attribution.presentation import presenters
from attribution.presentation.presenters import Credit, Group
from attribution.presentation.sources import Sources
from mmm_project import formats

MOST_ROWS = 100
NOT_ADDED_UP = Figure(NO_FIGURE, "Under Participation credit is not added up")


def cards(credit: Credit) -> tuple[Card, ...]:
    """Return how much there is to credit, and how much of it no model can."""
    goal = credit.params.get("goal", "")
    return (
        Card(
            label="Conversions",
            unit=goal,
            figure=_count_or_money(credit, credit.totals, "conversions"),
            change=credit.share_of_all("conversions"),
            change_tone="quiet",
        ),
        Card(
            label="Revenue",
            unit=goal,
            figure=_count_or_money(credit, credit.totals, "value"),
            change=credit.share_of_all("value"),
            change_tone="quiet",
        ),
        *_untouched_card(credit),
    )


def _untouched_card(credit: Credit) -> tuple[Card, ...]:
    untouched = credit.reconciled["conversions_without_touch"] / credit.totals["conversions"]
    if "window_days" not in credit.params:  # an aggregated path has at least one touch
        return ()
    return (Card(label="Conversions without a touch", figure=_percent(untouched)),)


def credit_table(credit: Credit, sources: Sources) -> DataTable:
    """One model: conversions, revenue and share. Several: the chosen metric under each, with its difference."""
    several = len(credit.models) > 1
    line: Callable[[Group], tuple[Figure, ...]] = (
        (lambda group: _side_by_side(credit, group)) if several else (lambda group: _three_figures(credit, group))
    )
    rows = [Row(label=group.label, cells=line(group), href=sources.of(group).href) for group in credit.shown(MOST_ROWS)]
    total = _total_side_by_side(credit) if several else _total_of_one(credit)
    main, *others = (model.label for model in credit.models)
    columns: tuple[str, ...] = ("Conversions", "Revenue", f"Share of {credit.params['metric']}")
    if several:
        columns = (main, *(column for name in others for column in (name, f"{name} against {main}")))
    return DataTable(
        title=f"{credit.metric_label} by {credit.dimension_label.lower()}",
        columns=(credit.dimension_label, *columns),
        rows=(*rows, Row(label="Total", cells=total, is_total=True)),
        note=" ".join(
            filter(
                None,
                (
                    presenters.reconciliation(credit),
                    presenters.of_all_customers(credit),
                    presenters.without_touch(credit),
                    presenters.about_intervals(credit),
                ),
            )
        ),
    )


def _three_figures(credit: Credit, group: Group) -> tuple[Figure, ...]:
    amounts = group.credit[0]
    share = credit.share(amounts[credit.measure])
    low_and_high = presenters.bounds(amounts, "share")
    return (
        _amount(credit, amounts, "conversions"),
        _amount(credit, amounts, "value"),
        _percent(share, *(low_and_high or (None, None))),
    )


def _total_of_one(credit: Credit) -> tuple[Figure, ...]:
    if not credit.models[0].adds_up:
        return (NOT_ADDED_UP,) * 3
    return _three_figures(credit, Group("Total", [credit.totals], is_one=False))


def _side_by_side(credit: Credit, group: Group) -> tuple[Figure, ...]:
    main, *others = group.credit
    figures = [_amount(credit, main, credit.measure)]
    for amounts in others:
        figures += [_amount(credit, amounts, credit.measure), _difference(credit, amounts, main)]
    return tuple(figures)


def _total_side_by_side(credit: Credit) -> tuple[Figure, ...]:
    total = _count_or_money(credit, credit.totals, credit.measure)
    main, *others = credit.models
    figures = [total if main.adds_up else NOT_ADDED_UP]
    for model in others:
        both = model.adds_up and main.adds_up
        nothing = Figure(credit.rounded(0.0), credit.in_full(0.0), 0.0)
        figures += [total if model.adds_up else NOT_ADDED_UP, nothing if both else NOT_ADDED_UP]
    return tuple(figures)


def _amount(credit: Credit, amounts: Mapping[str, Any], measure: str) -> Figure:
    value = amounts[measure]
    low_and_high = presenters.bounds(amounts, measure)
    if low_and_high is None:
        return _count_or_money(credit, amounts, measure)
    low, high = low_and_high
    return Figure(
        credit.rounded(value, measure),
        credit.in_full(value, measure),
        value,
        low,
        high,
        credit.rounded(low, measure),
        credit.rounded(high, measure),
    )


def _count_or_money(credit: Credit, amounts: Mapping[str, Any], measure: str) -> Figure:
    value = amounts[measure]
    return Figure(credit.rounded(value, measure), credit.in_full(value, measure), value)


def _difference(credit: Credit, amounts: Mapping[str, Any], main: Mapping[str, Any]) -> Figure:
    """Return how much more or less than under the main model, with its interval where there is one."""
    difference = amounts[credit.measure] - main[credit.measure]
    text, full = signed(credit.rounded, difference), signed(credit.in_full, difference)
    low_and_high = presenters.bounds(amounts.get("difference", {}), credit.measure)
    if low_and_high is None:
        return Figure(text, full, difference)
    low, high = low_and_high
    return Figure(text, full, difference, low, high, signed(credit.rounded, low), signed(credit.rounded, high))


def _percent(share: float, low: float | None = None, high: float | None = None) -> Figure:
    ends = ("", "") if low is None or high is None else (formats.percent(low), formats.percent(high))
    return Figure(formats.percent(share), f"{share:.6%}", share, low, high, *ends)


def signed(text: Callable[[float], str], value: float) -> str:
    """Write a difference with its sign, unless it rounds to nothing."""
    return f"+{text(value)}" if value > 0 and text(value) != text(0) else text(value)
