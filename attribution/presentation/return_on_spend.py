"""What credit is per unit of spend, beside what experiments measured: the check on models that only watch."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from attribution.params import PATHS
from attribution.presentation import presenters
from attribution.presentation.credit_tables import MOST_ROWS
from attribution.presentation.presenters import Credit, Group
from attribution.presentation.sources import Sources
from marketing.periods import Period
from mmm_project import formats

NO_EXPERIMENT = Figure(NO_FIGURE, "No experiment")
MEANING = (
    "ROAS is the revenue that a model credits, divided by what was spent in the period: blended with what would have "
    "been bought anyway. An experiment measures what the spend brought on top."
)
OF_PATHS = (
    " The revenue is that of aggregated paths that begin in the period or have no day; the spend is that of its days."
)


def sections(credit: Credit, sources: Sources, result: Mapping[str, Any]) -> tuple[Section, ...]:
    """Return the return on spend under each model; nothing where no group that is credited has any spend."""
    spend: Mapping[str, float] = result.get("spend", {})
    groups = [group for group in credit.shown(MOST_ROWS) if group.is_one and spend.get(group.label)]
    if not groups or not credit.totals["value"]:
        return ()
    experiments = {experiment["channel"]: experiment for experiment in result.get("experiments", ())}
    tested = [group for group in groups if group.label in experiments]
    columns = ("Spend", *(f"ROAS, {model.label}" for model in credit.models))
    rows = tuple(
        Row(
            label=group.label,
            cells=(
                _money(credit, spend[group.label]),
                *(_roas(group, place, spend[group.label]) for place in range(len(credit.models))),
                *((_experiment(experiments.get(group.label)),) if tested else ()),
            ),
            href=sources.of(group).href,
        )
        for group in groups
    )
    table = DataTable(
        title=f"Return on spend by {credit.dimension_label.lower()}",
        columns=(credit.dimension_label, *columns, *(("Incremental ROI, experiment",) if tested else ())),
        rows=rows,
        note=MEANING + (OF_PATHS if credit.params.get("data") == PATHS else ""),
    )
    sentences = tuple(_disagreements(credit, tested, spend, experiments))
    title = "Return on spend, beside experiments" if tested else "Return on spend"
    return (Section(title=title, sentences=sentences, tables=(table,)),)


def _money(credit: Credit, amount: float) -> Figure:
    return Figure(formats.round_money(amount, credit.currency), formats.money(amount, credit.currency), amount)


def _roas(group: Group, place: int, spend: float) -> Figure:
    return _ratio(group.credit[place]["value"] / spend, presenters.bounds(group.credit[place], "value"), spend)


def _experiment(experiment: Mapping[str, Any] | None) -> Figure:
    if experiment is None:
        return NO_EXPERIMENT
    return _ratio(experiment["roi"], presenters.bounds(experiment, "roi"), 1.0)


def _ratio(value: float, low_and_high: tuple[float, float] | None, divisor: float) -> Figure:
    if low_and_high is None:
        return Figure(formats.ratio(value), f"{value:.4f}", value)
    low, high = (end / divisor for end in low_and_high)
    return Figure(formats.ratio(value), f"{value:.4f}", value, low, high, formats.ratio(low), formats.ratio(high))


def _disagreements(
    credit: Credit, tested: list[Group], spend: Mapping[str, float], experiments: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Say, for each channel with an experiment, whether the main model's ROAS lies within what it measured."""
    for group in tested:
        experiment = experiments[group.label]
        roas = group.credit[0]["value"] / spend[group.label]
        low, high = experiment["roi_low"], experiment["roi_high"]
        period = Period(dt.date.fromisoformat(experiment["start"]), dt.date.fromisoformat(experiment["end"]))
        measured = (
            f"an experiment ({period.label}) measured {formats.ratio(experiment['roi'])} "
            f"({formats.ratio(low)}–{formats.ratio(high)}) per unit of spend"
        )
        credited = f"{credit.models[0].label} credits {formats.ratio(roas)}"
        if low <= roas <= high:
            yield f"{group.label}: {measured}; {credited}, which is within it."
        else:
            more = "more" if roas > high else "less"
            yield f"{group.label}: {measured}; {credited}, {more} than that. Trust the experiment."
