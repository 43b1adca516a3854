"""What has changed between the data of two models: periods that have been added, and values that are others now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

SAME = 1e-9  # relative: rounding is no restatement


@dataclass(frozen=True, kw_only=True)
class Restated:
    """A series of which periods that both data have are others now. `before`, `after`: its totals over all of those.

    `periods`: how many of them changed. An outcome with bounds has means instead of totals.
    """

    name: str
    before: float
    after: float
    periods: int


@dataclass(frozen=True, kw_only=True)
class Revisions:
    """`common`: periods of the outcome that both data have; `added_before`, `added_after`, `removed`: of one alone.

    `outcome`: None where it is as it was. `spend`: of channels that both have. `appeared`, `left`: channels, and
    `other_appeared`, `other_left` organic media, controls, events and holidays, that are in one of the data alone.
    """

    common: int
    added_before: int
    added_after: int
    removed: int
    outcome: Restated | None
    spend: tuple[Restated, ...]
    appeared: tuple[str, ...]
    left: tuple[str, ...]
    other_appeared: tuple[str, ...]
    other_left: tuple[str, ...]


def revisions(first: MediaPanel, second: MediaPanel, names: Mapping[str, str]) -> Revisions:
    """What the second panel has that the first had not, or has otherwise. `names`: what the first's channels are now.

    Raises ValueError for panels of different granularities, or whose weeks begin on different days.
    """
    starts = [panel.period_start[panel.history :] for panel in (first, second)]
    if first.granularity != second.granularity or _out_of_step(first, second):
        raise ValueError("The two models are by different periods, so their data cannot be compared.")
    places = np.intersect1d(starts[0], starts[1], assume_unique=True, return_indices=True)[1:]
    channels = [[names[name] for name in first.channels], list(second.channels)]
    spend = []
    for name in channels[1]:
        if channels[0].count(name) == 1:  # of several that are one now, none is what it was
            columns = [
                panel.spend[panel.history + at, of.index(name)]
                for panel, of, at in zip((first, second), channels, places, strict=True)
            ]
            spend.append(_restated(name, *columns, bounded=False))
    outcomes = [panel.outcome[at] for panel, at in zip((first, second), places, strict=True)]
    others = [(*panel.organic, *panel.controls, *panel.events, *panel.holidays) for panel in (first, second)]
    return Revisions(
        common=len(places[0]),
        added_before=int((starts[1] < starts[0][0]).sum()),
        added_after=int((starts[1] > starts[0][-1]).sum()),
        removed=len(starts[0]) - len(places[0]),
        outcome=_restated(second.outcome_name, *outcomes, bounded=second.bounds is not None),
        spend=tuple(each for each in spend if each),
        appeared=_only(channels[1], channels[0]),
        left=_only(channels[0], channels[1]),
        other_appeared=_only(others[1], others[0]),
        other_left=_only(others[0], others[1]),
    )


def _out_of_step(first: MediaPanel, second: MediaPanel) -> bool:
    return first.granularity == "week" and bool((first.period_start[0] - second.period_start[0]) % 7)


def _restated(name: str, before: FloatArray, after: FloatArray, *, bounded: bool) -> Restated | None:
    changed = ~np.isclose(before, after, rtol=SAME, atol=0.0, equal_nan=True)
    if not changed.any():
        return None
    # What is not known counts nothing: a period of which the outcome has become known adds all of it.
    totals = [float(np.nansum(each) / (max(np.isfinite(each).sum(), 1) if bounded else 1)) for each in (before, after)]
    return Restated(name=name, before=totals[0], after=totals[1], periods=int(changed.sum()))


def _only(these: Collection[str], those: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in these if name not in those))
