"""From figures by day and geo to a panel of geos: the nation's panel, and each geo's numbers in the same periods."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Float64Table, GeoPanel, Granularity, Int64Column
from marketing.health.checks.findings import counted, listed, quoted
from marketing.health.checks.readiness import MOST_MISSING_WEEKS
from marketing.panel_building.geo_media import media_by_geo, require_media
from marketing.panel_building.geo_rows import NO_GEO, GeoRows, LoadedGeoPanel, PanelPeriods
from marketing.panel_building.geo_surroundings import controls_by_geo, events_by_geo, population_of
from marketing.panel_building.national import build_panel
from marketing.panel_building.outcome import FEWEST_PERIODS, LENGTHS, MISSING, chosen_rows
from marketing.panel_building.rhythm import added_up, varies
from marketing.panel_building.rows import DaySeries, LoadedPanel, PanelChoice, PanelProblem, PanelRemark

FEWEST_GEOS, MOST_GEOS = 2, 250
MOST_ENDS = 30  # that a span is tried with, on either side


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """The geos whose outcome can be used, by name, and the panel of all of them together.

    `outcome`: (G, T), NaN where it is not known. `unknown`, `constant`: the geos whose outcome cannot be used.
    `choice`: with the days of the outcome if they are fewer than was asked for, because of what geos know.
    """

    geos: tuple[str, ...]
    national: LoadedPanel
    periods: PanelPeriods
    outcome: Float64Table
    unknown: tuple[str, ...]
    constant: tuple[str, ...]
    choice: PanelChoice


def build_geo_panel(*, rows: GeoRows, choice: PanelChoice) -> LoadedGeoPanel:
    """Build the chosen panel of the geos that the outcome is known of, the largest first, then by name.

    Periods, media, their units, events and holidays are those that `build_panel` finds for these geos together; if most
    geos are known in some of the periods only, they are these. Media without a geo are split over geos by size.
    Nothing depends on the order of rows. Raises PanelProblem where `build_panel` does, for an outcome with bounds, and
    for too few or too many geos.
    """
    if choice.is_bounded:
        raise PanelProblem(
            "geos_of_a_share",
            f"“{rows.outcome_name}” is an average, and those of geos do not add up to that of all. "
            "Model it for all geos together, or choose an outcome that adds up.",
        )
    rows.require_usable()
    market = _market(rows, choice)
    geos, periods = market.geos, market.periods
    remarks = [
        *_on_rows_without_geo(rows, choice),
        *(_on_span(market) if market.choice != choice else ()),
        *_on_left_out(rows.outcome_name, market),
        *_on_gaps(market),
    ]
    counting, people = population_of(controls=rows.controls, geos=geos, periods=periods, remarks=remarks)
    sizes = _sizes(market.outcome) if people is None else people / people.mean()
    national, media = media_by_geo(
        rows=rows,
        choice=market.choice,
        geos=geos,
        sizes=sizes,
        national=market.national,
        periods=periods,
        remarks=remarks,
    )
    controls, control = controls_by_geo(
        controls={name: by_geo for name, by_geo in rows.controls.items() if name != counting},
        geos=geos,
        periods=periods,
        remarks=remarks,
    )
    event = events_by_geo(names=national.panel.events, events=rows.events, geos=geos, periods=periods)
    panels = [
        replace(
            national.panel,
            outcome=market.outcome[geo],
            spend=media.spend[geo],
            exposure=media.exposure[geo],
            organic_exposure=media.organic_exposure[geo],
            controls=controls,
            control=control[geo],
            event=event[geo],
        )
        for geo in range(len(geos))
    ]
    order = sorted(range(len(geos)), key=lambda geo: (-sizes[geo], geos[geo]))
    panel = GeoPanel(tuple(geos[geo] for geo in order), tuple(panels[geo] for geo in order), sizes[order])
    return LoadedGeoPanel(panel, (*national.remarks, *remarks))


def _market(rows: GeoRows, choice: PanelChoice) -> Market:
    """Leave periods and geos out until the outcome of all others can be used."""
    name, geos = rows.outcome_name, _named(rows)
    unknown: list[str] = []
    constant: list[str] = []
    while True:
        require_media(rows, geos)
        nation = rows.as_nation(geos)
        national = build_panel(rows=nation, choice=choice)
        periods = PanelPeriods.of(national.panel)
        _, step = chosen_rows(rows=nation, choice=choice)
        outcome = np.stack([_outcome(rows.outcome[geo], step, periods) for geo in geos])
        least = FEWEST_PERIODS if choice.short_allowed else LENGTHS[choice.granularity][0]
        begins, ends = best_span(np.isfinite(outcome), least=least)
        if ends - begins < len(national.panel):
            first, after = periods.calendar.first_day(periods.outcome.period[0] + np.array([begins, ends])).tolist()
            choice = replace(choice, start=first, end=after - 1)
            continue
        lacking = np.isnan(outcome).sum(axis=1) > MOST_MISSING_WEEKS * len(national.panel)
        same = [not lacks and not varies(of[np.isfinite(of)]) for of, lacks in zip(outcome, lacking, strict=True)]
        unknown += [geo for geo, lacks in zip(geos, lacking, strict=True) if lacks]
        constant += [geo for geo, never_changes in zip(geos, same, strict=True) if never_changes]
        kept = tuple(geo for geo, out in zip(geos, lacking | same, strict=True) if not out)
        if len(kept) == len(geos):
            break
        if len(kept) < FEWEST_GEOS:
            raise PanelProblem("too_few_geos", _too_few(name, kept, unknown, constant, choice.granularity))
        geos = kept
    if len(geos) > MOST_GEOS:
        raise PanelProblem(
            "too_many_geos",
            f"“{name}” is known in {len(geos):,} geos, but a model takes {MOST_GEOS} at most. "
            "Merge them into larger regions, and import outcome, media and controls by these.",
        )
    return Market(geos, national, periods, outcome, tuple(unknown), tuple(constant), choice)


def best_span(known: BoolColumn, *, least: int) -> tuple[int, int]:
    """From which period to before which a panel of geos should go: (0, T) unless that leaves most of them out.

    `known`: (G, T) bool. A geo can be used if it lacks a tenth at most of the span. If the geos that can be used in all
    periods know less than half of what all geos do, or are fewer than two, the span is the one of `least` periods or
    more, starting and ending where a geo does, in which usable geos know most.
    """
    periods = known.shape[1]
    some = known[known.any(axis=1)]
    counts = np.concatenate([np.zeros((len(some), 1), np.int64), some.cumsum(axis=1)], axis=1)

    def worth(begins: int, ends: int) -> int:
        there = counts[:, ends] - counts[:, begins]
        usable = there[ends - begins - there <= MOST_MISSING_WEEKS * (ends - begins)]
        return int(usable.sum()) if len(usable) >= FEWEST_GEOS else 0

    if 0 < some.sum() <= 2 * worth(0, periods):
        return 0, periods
    spans = [
        (begins, ends)
        for begins in _spread_out(some.argmax(axis=1))
        for ends in _spread_out(periods - some[:, ::-1].argmax(axis=1))
        if ends - begins >= least
    ]
    return max([(0, periods), *spans], key=lambda span: worth(*span))


def _spread_out(places: Int64Column) -> list[int]:
    """Each of the places once, and not too many of them, from the first to the last."""
    if not len(places):
        return []
    chosen = np.unique(places)
    if len(chosen) > MOST_ENDS:
        chosen = np.unique(np.quantile(places, np.linspace(0, 1, MOST_ENDS), method="nearest"))
    return [int(place) for place in chosen]


def _named(rows: GeoRows) -> tuple[str, ...]:
    """The geos that the outcome has rows of, by name. Raises PanelProblem if they are too few."""
    geos = tuple(sorted(geo for geo, series in rows.outcome.items() if geo != NO_GEO and len(series.day)))
    if len(geos) < FEWEST_GEOS:
        found = f"of one geo only, “{geos[0]}”," if geos else "of no geo"
        raise PanelProblem(
            "no_geos",
            f"“{rows.outcome_name}” has values {found} but a model of geos needs two, better ten or more. "
            "Import it with a column for the geo, or model it for all geos together.",
        )
    return geos


def _outcome(series: DaySeries, step: Granularity, periods: PanelPeriods) -> Float64Column:
    """The outcome of a geo by period, (T,), NaN where it is not known: see `outcome_by_period`."""
    period, calendar = periods.outcome.period, periods.calendar
    place = calendar.period_of(series.day) - period[0]
    inside = (place >= 0) & (place < len(period))
    total = added_up(group=place[inside], value=series.value[inside], groups=len(period))
    needed = 1 if step == calendar.granularity else calendar.days(period)
    return np.where(np.bincount(place[inside], minlength=len(period)) == needed, total, np.nan)


def _sizes(outcome: Float64Table) -> Float64Column:
    """How large geos are by their mean outcome, that of its amounts where some are below zero: (G,), 1 on average."""
    means = np.nanmean(np.abs(outcome), axis=1)
    return np.asarray(means / means.mean())


def _too_few(name: str, kept: Sequence[str], unknown: Sequence[str], constant: Sequence[str], unit: Granularity) -> str:
    only = f"can be used in “{kept[0]}” only" if kept else "cannot be used in any geo"
    why = " ".join(_reasons(name, unknown, constant, unit).values())
    return (
        f"A model of geos needs two, but “{name}” {only}. {why} Import the days that are missing, with 0 where there "
        "was nothing, choose another period, or model it for all geos together."
    )


def _reasons(name: str, unknown: Sequence[str], constant: Sequence[str], unit: Granularity) -> dict[str, str]:
    """Why geos cannot be used, in a sentence each, by the code of a remark."""
    least = f"{1 - MOST_MISSING_WEEKS:.0%}"
    why = {
        "unknown_geo": (unknown, f"“{name}” is known for less than {least} of the {unit}s"),
        "constant_geo": (constant, f"“{name}” is the same in every {unit}"),
    }
    return {code: f"In {listed(quoted(list(geos)))}, {of}." for code, (geos, of) in why.items() if geos}


def _on_span(market: Market) -> list[PanelRemark]:
    name, calendar = market.national.panel.outcome_name, market.periods.calendar
    days = calendar.label(*market.periods.outcome.period[[0, -1]].tolist())
    said = f"“{name}” is used in {days} only: before or after, most geos lack it. Import what is missing."
    return [PanelRemark("geo_span", said, (name,))]


def _on_left_out(name: str, market: Market) -> list[PanelRemark]:
    geos = {"unknown_geo": market.unknown, "constant_geo": market.constant}
    reasons = _reasons(name, market.unknown, market.constant, market.periods.calendar.granularity)
    advice = {"unknown_geo": f" Import {MISSING}.", "constant_geo": ""}
    return [
        PanelRemark(code, f"{why} Left out, with their media.{advice[code]}", geos[code])
        for code, why in reasons.items()
    ]


def _on_gaps(market: Market) -> list[PanelRemark]:
    """What the outcome of single geos lacks, where others have it."""
    unknown = np.isnan(market.outcome)
    gaps = unknown & ~np.all(unknown, axis=0)
    if not gaps.any():
        return []
    geos = [geo for geo, lacks in zip(market.geos, gaps.any(axis=1), strict=True) if lacks]
    name, unit = market.national.panel.outcome_name, market.periods.calendar.granularity
    said = (
        f"“{name}” is not known for {counted(gaps.sum(), unit)} in {listed(quoted(geos))}, of "
        f"{counted(market.outcome.size, unit)} in all geos together. They are left out of the fit. Import {MISSING}."
    )
    return [PanelRemark("geo_missing_periods", said, tuple(geos))]


def _on_rows_without_geo(rows: GeoRows, choice: PanelChoice) -> list[PanelRemark]:
    """Rows of the outcome that name no geo, on days that the panel may be of."""
    if NO_GEO not in rows.outcome:
        return []
    day = rows.outcome[NO_GEO].day
    day = day[day >= choice.start] if choice.start is not None else day
    day = day[day <= choice.end] if choice.end is not None else day
    if not len(day):
        return []
    by_geo = np.concatenate([series.day for geo, series in rows.outcome.items() if geo != NO_GEO])
    twice = int(np.isin(day, by_geo).sum())
    why = []
    if twice:
        why.append(f"on {counted(twice, 'day')} geos have their own, so that they would count twice")
    if twice < len(day):
        why.append(f"nobody knows whose {'the others' if twice else 'they'} are")
    said = f"{counted(len(day), 'row')} of “{rows.outcome_name}” without a geo {'is' if len(day) == 1 else 'are'}"
    return [PanelRemark("outcome_without_geo", f"{said} left out: {'; '.join(why)}.", (rows.outcome_name,))]
