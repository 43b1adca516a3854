"""Media by geo and period: whose they are, and what acts on people there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marketing.frames import Float64Column, Float64Table, MediaPanel
from marketing.health.checks.findings import listed, quoted, share
from marketing.panel_building.geo_rows import NO_GEO, GeoRows, PanelPeriods
from marketing.panel_building.national import build_panel
from marketing.panel_building.rhythm import added_up
from marketing.panel_building.rows import LoadedPanel, MediaRows, PanelChoice, PanelProblem, PanelRemark
from marketing.panel_building.surroundings import table

MOST_UNSEEN = 0.01  # of a channel's spend may be where there are no impressions, if these are to act


@dataclass(frozen=True, slots=True, eq=False)
class GeoMedia:
    """Media by geo and period: `spend` and `exposure` (G, N, C), `organic_exposure` (G, N, O)."""

    spend: Float64Table
    exposure: Float64Table
    organic_exposure: Float64Table


def require_media(rows: GeoRows, geos: Collection[str]) -> None:
    """Raise PanelProblem if all media are of other geos than these."""
    other = _others(rows, geos)
    if not other or any(len(rows.media[geo].day) for geo in (NO_GEO, *geos) if geo in rows.media):
        return
    raise PanelProblem(
        "geos_differ",
        f"Media are of {listed(quoted(other))} only, but “{rows.outcome_name}” of {listed(quoted(sorted(geos)))}. "
        "Import both by the same geos, under the same names, or model it for all geos together.",
    )


def media_by_geo(
    *,
    rows: GeoRows,
    choice: PanelChoice,
    geos: Sequence[str],
    sizes: Float64Column,
    national: LoadedPanel,
    periods: PanelPeriods,
    remarks: list[PanelRemark],
) -> tuple[LoadedPanel, GeoMedia]:
    """The media of the nation's panel in each geo, those without a geo split by size.

    Where the choice is left to the data, spend acts in place of impressions that geos lack, and the nation's panel is
    another: so it is given back.
    """
    media = _split(rows, geos, sizes, national.panel, periods)
    unseen = _unseen(national.panel, media)
    if unseen and choice.exposure == "auto":
        rows = rows.without_impressions(unseen)
        national = build_panel(rows=rows.as_nation(geos), choice=choice)
        media = _split(rows, geos, sizes, national.panel, periods)
    then = "its spend is used for all" if choice.exposure == "auto" else "it counts as not seen there"
    for channel, part in unseen.items():
        said = f"“{channel}” has {share(part)} of its spend where and when geos have no impressions of it, so {then}."
        remarks.append(PanelRemark("geos_without_impressions", said, (channel,)))
    _remark_on_whose(rows, geos, periods, remarks)
    return national, media


def _others(rows: GeoRows, geos: Collection[str]) -> list[str]:
    """The geos that there are media of, but no outcome that can be used."""
    used = {NO_GEO, *geos}
    return sorted(geo for geo, media in rows.media.items() if geo not in used and len(media.day))


def _split(
    rows: GeoRows, geos: Sequence[str], sizes: Float64Column, panel: MediaPanel, periods: PanelPeriods
) -> GeoMedia:
    shares = (sizes / sizes.sum())[:, None, None]
    found = {geo: _of_panel(rows.media[geo], panel, periods) for geo in (NO_GEO, *geos) if geo in rows.media}
    nothing = [np.zeros_like(one) for one in next(iter(found.values()))]
    own = [found.get(geo, nothing) for geo in geos]
    spend, exposure, organic = (
        np.stack(of_geos) + shares * of_all for *of_geos, of_all in zip(*own, found.get(NO_GEO, nothing), strict=True)
    )
    return GeoMedia(spend, exposure, organic)


def _of_panel(media: MediaRows, panel: MediaPanel, periods: PanelPeriods) -> list[Float64Table]:
    """Spend, exposure and organic exposure as the panel has them, of these rows alone."""
    sums = {unit: _sums(media, unit, periods) for unit in {"spend", *panel.exposure_units, *panel.organic_units}}
    place = {name: number for number, name in enumerate(media.channels)}
    return [
        table([sums[unit][:, place[name]] for name, unit in zip(names, units, strict=True)], len(periods.period))
        for names, units in (
            (panel.channels, ("spend",) * len(panel.channels)),
            (panel.channels, panel.exposure_units),
            (panel.organic, panel.organic_units),
        )
    ]


def _sums(media: MediaRows, measure: str, periods: PanelPeriods) -> Float64Table:
    """The measure of every channel by period, (N, channels)."""
    place = periods.calendar.period_of(media.day) - periods.period[0]
    inside = (place >= 0) & (place < len(periods.period))
    shape = (len(periods.period), len(media.channels))
    group = place[inside] * shape[1] + media.channel_of_series[media.series[inside]]
    value: Float64Column = getattr(media, measure)[inside]
    return added_up(group=group, value=value, groups=shape[0] * shape[1]).reshape(shape)


def _unseen(panel: MediaPanel, media: GeoMedia) -> Mapping[str, float]:
    """Which share of its spend each channel has where there are no impressions, of those whose impressions act.

    Only if it is more than a little: hardly anybody is reached for the last cent of a small geo.
    """
    blind = np.where(media.exposure > 0, 0.0, media.spend).sum(axis=(0, 1)) / media.spend.sum(axis=(0, 1))
    return {
        channel: float(part)
        for channel, unit, part in zip(panel.channels, panel.exposure_units, blind, strict=True)
        if unit == "impressions" and part > MOST_UNSEEN
    }


def _remark_on_whose(rows: GeoRows, geos: Sequence[str], periods: PanelPeriods, remarks: list[PanelRemark]) -> None:
    """Say which media are split over geos, and which are left out because of theirs."""
    amounts = {geo: _in_periods(media, periods) for geo, media in rows.media.items()}
    spend = {geo: amount for geo, (amount, _) in amounts.items()}
    total = sum(spend.values())
    other = [geo for geo in _others(rows, geos) if any(amounts[geo])]
    if any(amounts.get(NO_GEO, ())):
        used = total - sum(spend[geo] for geo in other)
        said = f"Media without a geo{_of_spend(spend[NO_GEO], used)} are split over the geos by size."
        remarks.append(PanelRemark("media_without_geo", said))
    if other:
        part = _of_spend(sum(spend[geo] for geo in other), total)
        said = (
            f"Media of {listed(quoted(other))}{part} are left out: there is no “{rows.outcome_name}” there that could "
            "be used. If these geos are known by other names, import both under the same."
        )
        remarks.append(PanelRemark("media_of_other_geos", said, tuple(other)))


def _in_periods(media: MediaRows, periods: PanelPeriods) -> tuple[float, float]:
    """What the rows add up to in the periods: spend, and all impressions and clicks."""
    spend, impressions, clicks = (_sums(media, of, periods).sum() for of in ("spend", "impressions", "clicks"))
    return float(spend), float(impressions + clicks)


def _of_spend(part: float, total: float) -> str:
    return f", {share(part / total)} of all spend," if part else ""
