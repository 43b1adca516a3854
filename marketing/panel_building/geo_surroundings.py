"""What else moves the outcome of each geo, by period: controls and events; and how many people live there."""

from collections.abc import Mapping, Sequence
from math import fsum

import numpy as np

from marketing.frames import Float64Column, Float64Table, Granularity, Int64Column
from marketing.health.checks.findings import counted, listed, quoted
from marketing.panel_building.geo_rows import NO_GEO, PanelPeriods, event_days, said_of
from marketing.panel_building.rhythm import varies
from marketing.panel_building.rows import DaySeries, PanelProblem, PanelRemark
from marketing.panel_building.surroundings import days_by_period, mean_by_period

POPULATION = "population"


def population_of(
    *,
    controls: Mapping[str, Mapping[str, DaySeries]],
    geos: Sequence[str],
    periods: PanelPeriods,
    remarks: list[PanelRemark],
) -> tuple[str | None, Float64Column | None]:
    """The control that says how many people live in each geo, by its name, and how many do: (G,).

    The mean over the periods of the outcome, or of all its rows where none speaks of these. Without such a control that
    any of the geos has rows of there is neither; if some have none there are no numbers, and it is said. Raises
    PanelProblem if one is not above zero.
    """
    found = [
        name
        for name, by_geo in controls.items()
        if name.strip().casefold() == POPULATION and any(len(by_geo[geo].day) for geo in geos if geo in by_geo)
    ]
    if not found:
        return None, None
    name, by_geo = found[0], controls[found[0]]
    lacking = [geo for geo in geos if geo not in by_geo or not len(by_geo[geo].day)]
    if lacking:
        said = (
            f"“{name}” is not known in {listed(quoted(lacking))}, so that geos are as large as their mean outcome. "
            "Import it for all geos."
        )
        remarks.append(PanelRemark("geo_population", said, (name,)))
        return name, None
    people = np.array([_mean(by_geo[geo], geo, periods) for geo in geos])
    for place in np.flatnonzero(~(people > 0))[:1]:
        raise PanelProblem(
            "population_not_positive",
            f"“{name}” is {people[place]:g} in “{geos[place]}”, but tells how large geos are, and must be above zero. "
            "Import it again with the right number.",
        )
    return name, people


def controls_by_geo(
    *,
    controls: Mapping[str, Mapping[str, DaySeries]],
    geos: Sequence[str],
    periods: PanelPeriods,
    remarks: list[PanelRemark],
) -> tuple[tuple[str, ...], Float64Table]:
    """The controls that vary over time in any of the geos: names, and (G, T, K).

    A geo has its own rows, else those without a geo, else the mean of the geos that have some. Within the periods they
    count and are filled in as in `controls_by_period`.
    """
    names: list[str] = []
    tables: list[Float64Table] = []
    silent: list[str] = []
    constant: list[str] = []
    for name, by_geo in controls.items():
        own_remarks: list[PanelRemark] = []
        table = _of_geos(name, by_geo, geos, periods, own_remarks)
        if table is None:
            silent.append(name)
        elif not any(varies(column) for column in table):
            constant.append(name)
        else:
            names.append(name)
            tables.append(table)
            remarks += own_remarks
    for code, left_out, why in (
        ("silent_control", silent, "without any value in the period"),
        ("constant_control", constant, "what never changes cannot be told from the baseline"),
    ):
        if left_out:
            said = f"{listed(quoted(left_out))} {'is' if len(left_out) == 1 else 'are'} left out: {why}."
            remarks.append(PanelRemark(code, said, tuple(left_out)))
    shape = (len(geos), len(periods.outcome.period), 0)
    return tuple(names), np.stack(tables, axis=2) if tables else np.empty(shape)


def events_by_geo(
    *,
    names: Sequence[str],
    events: Mapping[str, Mapping[str, Int64Column]],
    geos: Sequence[str],
    periods: PanelPeriods,
) -> Float64Table:
    """The share of each period's days that each of these events is on in each geo, (G, T, E).

    Those without a geo are on in all of them.
    """
    outcome = periods.outcome
    table = np.zeros((len(geos), len(outcome.period), len(names)))
    for place, geo in enumerate(geos):
        days = {name: event_days(events[name], (NO_GEO, geo)) for name in names}
        there, count = days_by_period(days=days, outcome=outcome, calendar=periods.calendar)
        table[place][:, [names.index(name) for name in there]] = count
    return table / periods.calendar.days(outcome.period)[:, None]


def _of_geos(
    name: str,
    by_geo: Mapping[str, DaySeries],
    geos: Sequence[str],
    periods: PanelPeriods,
    remarks: list[PanelRemark],
) -> Float64Table | None:
    """A control by geo and period, (G, T), and what there is to say about it; None if it is known nowhere."""
    said: list[PanelRemark] = []
    found: dict[str, Float64Column] = {}
    for geo in (NO_GEO, *geos):
        if geo in by_geo:
            with said_of(geo):
                value = mean_by_period(by_geo[geo], periods.outcome.period, periods.calendar, said)
            if np.isfinite(value).any():
                found[geo] = value
    if not found:
        return None
    own = [geo for geo in geos if geo in found]
    lacking = [geo for geo in geos if geo not in found]
    used = [*own, *([NO_GEO] if lacking and NO_GEO in found else [])]
    remarks += dict.fromkeys(said)  # once, however many geos it is said of
    _remark_on_gaps(name, [found[geo] for geo in used], bool(own), periods.calendar.granularity, remarks)
    filled = {geo: _filled(found[geo]) for geo in used}
    if lacking and NO_GEO not in found:
        where = listed(quoted(lacking))
        sentence = f"“{name}” is not known in {where}, where the mean of the other geos is taken for it."
        remarks.append(PanelRemark("geo_control", sentence, (name,)))
        filled[NO_GEO] = np.mean([filled[geo] for geo in own], axis=0)
    return np.stack([filled.get(geo, filled.get(NO_GEO, np.empty(0))) for geo in geos])


def _remark_on_gaps(
    name: str, values: Sequence[Float64Column], by_geo: bool, unit: Granularity, remarks: list[PanelRemark]
) -> None:
    gaps = [gap for value in values if (gap := int(np.isnan(value).sum()))]
    if not gaps:
        return
    where = f" in {counted(len(gaps), 'geo')}" if by_geo else ""
    of = counted(len(gaps) * len(values[0]), unit)
    said = (
        f"“{name}” is not known for {sum(gaps):,} of {of}{where}; these are filled in a straight line between those "
        "that are known."
    )
    remarks.append(PanelRemark("filled_control", said, (name,)))


def _filled(value: Float64Column) -> Float64Column:
    known = np.flatnonzero(np.isfinite(value))
    return np.interp(np.arange(len(value)), known, value[known])


def _mean(people: DaySeries, geo: str, periods: PanelPeriods) -> float:
    with said_of(geo):
        value = mean_by_period(people, periods.outcome.period, periods.calendar, [])
    return float(np.mean(_filled(value)) if np.isfinite(value).any() else fsum(people.value) / len(people.day))
