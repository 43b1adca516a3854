"""What the fits of all systems come to, and how this project's compare with each peer's."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from benchmarks.harness import Measurement
from benchmarks.records import Record, Records
from benchmarks.side_by_side.programs import OURS, System

COLD, WARM, DRAWS, ERROR = 4.0, 10.0, 12.0, 1.0  # ratios to every peer: floors, and a ceiling for the error
BY_WORLD = dict[str, Record]


def measurements(systems: Sequence[System], worlds: Sequence[str], records: Records) -> list[Measurement]:
    """Of every system with records, then the ratios to each peer."""
    fits: dict[str, BY_WORLD] = {
        system.name: {
            world: records[f"{system.name}:{world}"] for world in worlds if f"{system.name}:{world}" in records
        }
        for system in systems
    }
    measured = [system for system in systems if fits[system.name]]
    ours = fits.get(OURS)
    return [
        *(figure for system in measured for figure in _of_system(system.title, fits[system.name])),
        *(
            figure
            for system in measured
            if ours and system.name != OURS
            for figure in _compared(system.title, ours, fits[system.name])
        ),
    ]


def _of_system(title: str, fits: BY_WORLD) -> Iterable[Measurement]:
    converged = [fit for fit in fits.values() if fit["converged"]]
    yield Measurement(f"{title}: worlds", len(fits), "")
    yield Measurement("  converged", len(converged), "")
    for start, cold in (("cold, from the start of the process", True), ("warm, new data", False)):
        if mine := {world: fit for world, fit in fits.items() if fit["cold"] == cold}:
            yield Measurement(f"  {start}: median", _median(mine.values(), _seconds), "s")
            if cold and (known := [fit for fit in mine.values() if "import_seconds" in fit]):
                yield Measurement("    of it importing", _median(known, lambda fit: float(fit["import_seconds"])), "s")
            for world, fit in mine.items():
                yield Measurement(f"    {world}{'' if fit['converged'] else ', not converged'}", fit["seconds"], "s")
    if converged:
        yield Measurement("  draws of worlds that converged, a chain: median", _median(converged, _draws), "")
        yield Measurement("  effective draws a second, all parameters", _median(converged, _least_per_second), "1/s")
        yield Measurement("  effective draws a second, ROI", _median(converged, _roi_per_second), "1/s")
        yield Measurement("  divergent draws", sum(fit["divergences"] for fit in converged), "")
    ended = [fit for fit in fits.values() if "log_error" in fit]
    if ended:
        yield Measurement("  worlds with a posterior", len(ended), "")
        yield Measurement("  largest R-hat", max(fit["max_rhat"] for fit in ended), "")
        yield Measurement("  mean absolute error of log ROI", _mean(ended, _absolute_error), "")
        yield Measurement("  coverage of the true ROI by 90% intervals", _mean(ended, lambda fit: fit["covered"]), "")
        yield Measurement("  mean width of the intervals of log ROI", _mean(ended, lambda fit: fit["log_width"]), "")


def _compared(title: str, ours: BY_WORLD, theirs: BY_WORLD) -> Iterable[Measurement]:
    """Ratios over the worlds that both have fitted in the same way; what cannot be compared is named, not invented.

    A peer's fit that has not converged counts with the budget, so that the ratio is at least that.
    """
    yield Measurement(f"{title} and ours: worlds", len(ours.keys() & theirs.keys()), "")
    for start, cold, floor in (("cold", True, COLD), ("warm, new data", False, WARM)):
        if pairs := _pairs(ours, theirs, _started(cold=cold)):
            yield Measurement(f"  seconds, theirs / ours, {start}", 1 / _ratio(pairs, _seconds), "", at_least=floor)
        else:
            yield Measurement(f"  seconds, {start}: worlds to compare", 0, "")
    if pairs := _pairs(ours, theirs, lambda fit: fit["converged"]):
        ratio = _ratio(pairs, _least_per_second)
        yield Measurement("  effective draws a second, ours / theirs, all parameters", ratio, "", at_least=DRAWS)
        yield Measurement("  effective draws a second, ours / theirs, ROI", _ratio(pairs, _roi_per_second), "")
    elif not any(fit["converged"] for fit in theirs.values()):
        yield Measurement(f"  {title} has not converged in any world: no draws a second", 0, "")
    else:
        yield Measurement("  effective draws a second: worlds that both converged in", 0, "")
    if pairs := _pairs(ours, theirs, lambda fit: "log_error" in fit):
        of_ours, of_theirs = ([pair[place] for pair in pairs] for place in (0, 1))
        ratio = _mean(of_ours, _absolute_error) / _mean(of_theirs, _absolute_error)
        yield Measurement("  mean absolute error of log ROI, ours / theirs", ratio, "", at_most=ERROR)


def _pairs(ours: BY_WORLD, theirs: BY_WORLD, such: Callable[[Record], bool]) -> list[tuple[Record, Record]]:
    """Both fits of each world, where both are such."""
    worlds = [world for world in ours if world in theirs and such(ours[world]) and such(theirs[world])]
    return [(ours[world], theirs[world]) for world in worlds]


def _started(*, cold: bool) -> Callable[[Record], bool]:
    """Whether a fit was cold, or was not."""
    return lambda fit: bool(fit["cold"]) == cold


def _ratio(pairs: Sequence[tuple[Record, Record]], value: Callable[[Record], float]) -> float:
    """Ours over theirs, of the medians."""
    return _median((pair[0] for pair in pairs), value) / _median((pair[1] for pair in pairs), value)


def _median(fits: Iterable[Record], value: Callable[[Record], float]) -> float:
    return float(np.median([value(fit) for fit in fits]))


def _mean(fits: Iterable[Record], values: Callable[[Record], Sequence[float]]) -> float:
    """Over all channels of all fits."""
    return float(np.mean([values(fit) for fit in fits]))


def _seconds(fit: Record) -> float:
    return float(fit["seconds"])


def _draws(fit: Record) -> float:
    return float(fit["settings"]["draws"])


def _least_per_second(fit: Record) -> float:
    return float(min(fit["min_bulk_ess"], fit["min_tail_ess"]) / fit["sampling_seconds"])


def _roi_per_second(fit: Record) -> float:
    return float(fit["min_roi_ess"] / fit["sampling_seconds"])


def _absolute_error(fit: Record) -> list[float]:
    return [abs(error) for error in fit["log_error"]]
