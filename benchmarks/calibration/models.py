"""The models that are calibrated, by the name that files and commands have for them."""

from collections.abc import Callable, Mapping

from benchmarks.calibration.geo import small_geos
from benchmarks.calibration.national import delayed_logistic, geometric_hill
from benchmarks.calibration.simulating import Calibrated

MODELS: Mapping[str, Callable[[], Calibrated]] = {
    "geometric-hill": geometric_hill,
    "delayed-logistic": delayed_logistic,
    "geos": small_geos,
}
