"""The geo model against markets whose returns are known, and against what Google has published of its guide's data."""

import csv
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from marketing.frames import GeoPanel, MediaPanel
from tests.weightings.geo_worlds import geo_world
from weightings.methods.fitting import GeoFit
from weightings.methods.geo.fitting import fit
from weightings.methods.preparing import Choices
from weightings.methods.quantities import Window, quantities
from weightings.methods.sampling import Settings

FloatArray = npt.NDArray[np.float64]
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "mmm"
SETTINGS = Settings(seed=0, draws=400)
WIDE = (0.025, 0.975)
NINETY = (0.05, 0.95)


def meridian_panel(name: str, *, channels: int, organic: Sequence[str] = (), controls: Sequence[str]) -> GeoPanel:
    """One of Meridian's simulated data sets (Apache-2.0): revenue by geo and week, sizes by population."""
    path = REFERENCE / name
    if not path.exists():
        pytest.skip("The reference data are not beside the project.")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    geos = list(dict.fromkeys(row["geo"] for row in rows))
    paid = [f"Channel{place}" for place in range(channels)]
    panels, people = [], []
    for geo in geos:
        own = sorted((row for row in rows if row["geo"] == geo), key=lambda row: row["time"])

        def table(columns: Sequence[str], own: list[dict[str, str]] = own) -> FloatArray:
            return np.array([[float(row[column]) for column in columns] for row in own]).reshape(len(own), -1)

        days = [(dt.date.fromisoformat(row["time"]) - dt.date(1970, 1, 1)).days for row in own]
        panels.append(
            MediaPanel(
                granularity="week",
                period_start=np.array(days, np.int64),
                history=0,
                outcome=table(["conversions", "revenue_per_conversion"]).prod(axis=1),
                outcome_name="Revenue",
                is_money=True,
                bounds=None,
                channels=tuple(paid),
                spend=table([f"{channel}_spend" for channel in paid]),
                exposure=table([f"{channel}_impression" for channel in paid]),
                exposure_units=("impressions",) * channels,
                organic=tuple(organic),
                organic_exposure=table([f"{channel}_impression" for channel in organic]),
                organic_units=("impressions",) * len(organic),
                controls=tuple(controls),
                control=table(controls),
                events=(),
                event=np.zeros((len(own), 0)),
                holidays=(),
                holiday=np.zeros((len(own), 0)),
            )
        )
        people.append(float(own[0]["population"]))
    return GeoPanel(tuple(geos), tuple(panels), np.array(people) / np.mean(people))


def returns(fitted: GeoFit) -> FloatArray:
    """Return on spend of all data by draw: (S, C)."""
    panel = fitted.prepared.national
    organic = np.zeros(len(panel.organic))
    spend = np.append(panel.spend[panel.history :].sum(axis=0), organic)
    found = quantities(fitted.posterior, Window(0, len(panel)), spend=spend, exposure=spend)
    return found.return_on_spend[:, : len(panel.channels)]


@pytest.mark.full
def test_the_returns_of_a_published_simulation_are_found() -> None:
    """Twenty geos whose weeks have noise in common; the last channel is known by reach and frequency, here by their
    product."""
    panel = meridian_panel(
        "meridian_dgp_port_geo_rf.csv",
        channels=4,
        controls=("sentiment_score_control", "competitor_activity_score_control"),
    )
    truth = json.loads((REFERENCE / "meridian_dgp_port_geo_rf.truth.json").read_text())["true_roi"]
    fitted = fit(panel, Choices(), SETTINGS)
    low, high = np.quantile(returns(fitted), NINETY, axis=0)
    assert fitted.draws.converged
    assert np.all((low < truth) & (truth < high)), (low, high)


@pytest.mark.full
def test_the_guides_data_give_what_google_has_published() -> None:
    panel = meridian_panel(
        "meridian_geo_all_channels.csv",
        channels=5,
        organic=("Organic_channel0",),
        controls=("competitor_sales_control", "sentiment_score_control", "Promo"),
    )
    published: dict[str, Any] = json.loads((REFERENCE / "meridian_geo_all_channels.published_results.json").read_text())
    intervals = np.array([each["roi_ci90"] for each in published["getting_started"]["channels"].values()])
    fitted = fit(panel, Choices(), SETTINGS)
    low, high = np.quantile(returns(fitted), NINETY, axis=0)
    assert fitted.draws.converged
    assert np.all((low < intervals[:, 1]) & (intervals[:, 0] < high)), (low, high)


@pytest.mark.full
def test_what_differs_between_geos_is_found() -> None:
    """National returns lie in their intervals, and those of geos in theirs about as often as they should."""
    world = geo_world(11)
    fitted = fit(world.panel, Choices(), SETTINGS)
    low, high = np.quantile(returns(fitted), WIDE, axis=0)
    assert fitted.draws.converged
    assert np.all((low < world.roi) & (world.roi < high)), (low, high, world.roi)
    covered = []
    for place, of_geo in enumerate(world.panel.panels):
        spend = of_geo.spend[of_geo.history :].sum(axis=0)
        found = quantities(fitted.posterior.of_geo(place), Window(0, len(of_geo)), spend=spend, exposure=spend)
        low, high = np.quantile(found.return_on_spend, NINETY, axis=0)
        covered.append((low < world.geo_roi[place]) & (world.geo_roi[place] < high))
    assert np.mean(covered) > 0.75, covered
