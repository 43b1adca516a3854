"""The returns of a published example are found, and periods held back are predicted from those before."""

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from marketing.frames import MediaPanel
from tests.weightings.worlds import panel, world
from weightings.methods.fitting import Fit, fit, rolling_origin
from weightings.methods.preparing import Choices
from weightings.methods.quantities import Quantities, Window, quantities
from weightings.methods.sampling import Settings

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "mmm"
FloatArray = npt.NDArray[np.float64]
SETTINGS = Settings(seed=1)


def of_whole(fitted: Fit, given: MediaPanel) -> Quantities:
    return quantities(
        fitted.posterior, Window(0, len(given)), spend=given.spend.sum(axis=0), exposure=given.exposure.sum(axis=0)
    )


def pymc_example() -> MediaPanel:
    """PyMC-Marketing's example of 179 weeks, two channels and two events (Apache-2.0)."""
    path = REFERENCE / "pymc_mmm_example.csv"
    if not path.exists():
        pytest.skip("The reference data are not beside the project.")
    with path.open() as file:
        rows = list(csv.DictReader(file))

    def column(*names: str) -> FloatArray:
        return np.array([[float(row[name]) for name in names] for row in rows])

    first = (dt.date.fromisoformat(rows[0]["date_week"]) - dt.date(1970, 1, 1)).days
    return replace(
        panel(column("y")[:, 0], column("x1", "x2"), names=("x1", "x2")),
        period_start=first + 7 * np.arange(len(rows)),
        events=("event_1", "event_2"),
        event=column("event_1", "event_2"),
    )


@pytest.mark.parametrize(
    "choices",
    [
        Choices(),
        pytest.param(Choices(saturation="logistic"), marks=pytest.mark.full),
        pytest.param(Choices(adstock="delayed"), marks=pytest.mark.full),
    ],
    ids=["hill", "logistic", "delayed"],
)
def test_the_returns_of_the_published_example_are_found(choices: Choices) -> None:
    """True ROAS 4967.8 and 2274.9; published fit: R2 .9055."""
    given = pymc_example()
    fitted = fit(given, choices, SETTINGS)
    assert fitted.draws.converged
    low, high = np.quantile(of_whole(fitted, given).return_on_spend, [0.05, 0.95], axis=0)
    assert np.all((low < [4967.8, 2274.9]) & (high > [4967.8, 2274.9]))


def test_periods_held_back_are_predicted_without_being_known() -> None:
    known = world("exponential", 2)
    quick = replace(SETTINGS, chains=2, draws=200, most_draws=200)
    (fold,) = rolling_origin(known.panel, Choices(), quick, folds=1, horizon=13)
    assert fold.origin == 143
    np.testing.assert_array_equal(fold.observed, known.panel.outcome[143:])
    changed = replace(known.panel, outcome=np.append(known.panel.outcome[:143], 1e9 * np.ones(13)))
    (again,) = rolling_origin(changed, Choices(), quick, folds=1, horizon=13)
    np.testing.assert_allclose(again.predicted, fold.predicted, rtol=1e-9)
    wide = np.quantile(fold.predicted, [0.01, 0.99], axis=0)
    assert np.mean((wide[0] < fold.observed) & (fold.observed < wide[1])) > 0.7


def test_too_few_periods_to_hold_any_back_are_not_tried() -> None:
    assert rolling_origin(world("short", 1).panel, Choices(), SETTINGS, folds=3, horizon=60) == []
