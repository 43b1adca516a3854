"""Questions about several geos, answered by the program that fits models."""

from typing import Any

import numpy as np
import pytest

from tests.weightings.geo_worlds import GeoWorld, geo_world
from weightings import fit_program
from weightings.methods.geo_posterior import GeoPosterior
from weightings.methods.quantities import MULTIPLIERS
from weightings.methods.storing import pack_geo_panel, unpack_posterior

Answered = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def world() -> GeoWorld:
    return geo_world(3, geos=3, weeks=60, channels=2)


@pytest.fixture(scope="module")
def answered(world: GeoWorld) -> Answered:
    described, arrays = pack_geo_panel(world.panel)
    days = world.panel.panels[0].period_start[13:]
    tested: dict[str, Any] = {"channel": "Channel 2", "start": int(days[30]), "end": int(days[35]) + 6, "geo": "Geo 2"}
    spend = float(world.panel.panels[1].spend[13 + 30 : 13 + 36, 1].sum())
    lift = float(world.geo_roi[1, 1]) * spend
    question = {
        "panel": described,
        "model": "hill",
        "window": [4, 56],
        "confidence": 90,
        "seed": 5,
        "draws": 500,
        "folds": 0,
        "horizon": 6,
        "threads": 2,
        "effects": {},
        "knots": 4,
        "experiments": [{**tested, "lift": lift, "standard_error": lift / 20, "spend": spend}],
    }
    return fit_program.fit(question, arrays, lambda _phase, _share: None)


def test_geos_add_up_to_the_nation(answered: Answered) -> None:
    result, _arrays = answered
    assert [geo["geo"] for geo in result["geos"]] == ["Geo 1", "Geo 2", "Geo 3"]
    for place, channel in enumerate(result["channels"]):
        spend = sum(geo["channels"][place]["spend"] for geo in result["geos"])
        assert spend == pytest.approx(channel["spend"], rel=1e-9)
        # The geos speak of every fourth draw only.
        added = sum(geo["channels"][place]["incremental"]["mean"] for geo in result["geos"])
        assert added == pytest.approx(channel["incremental"]["mean"], rel=0.05)
    observed = sum(geo["observed"]["outcome"] for geo in result["geos"])
    assert observed == pytest.approx(result["observed"]["outcome"], rel=1e-9)
    assert result["reconciliation"]["ok"]


def test_everything_that_is_said_of_a_nation_is_said_of_its_geos_together(answered: Answered, world: GeoWorld) -> None:
    result, arrays = answered
    assert len(result["series"]["expected"]["mean"]) == 60
    parts = np.sum(list(result["series"]["baseline_parts"].values()), axis=0)
    np.testing.assert_allclose(parts, result["series"]["baseline"], rtol=1e-9)
    assert set(result["series"]["baseline_parts"]) == {"intercept", "trend", "season", "control: Control 1"}
    assert arrays["response_grid"].shape[1:] == (2, len(MULTIPLIERS))
    assert result["fit"]["r2"] > 0.3
    assert any(check["check"] == "VIF" for check in result["health"])
    posterior = unpack_posterior(result["stored"]["posterior"], arrays)
    assert isinstance(posterior, GeoPosterior)
    assert posterior.geos == world.panel.geos


def test_an_experiment_in_a_geo_is_held_against_that_geo(answered: Answered) -> None:
    result, _arrays = answered
    tested = result["experiments"][0]
    assert (tested["geo"], tested["route"], tested["why"]) == ("Geo 2", "likelihood", "")
    before, after = tested["before"]["lift"], tested["after"]["lift"]
    assert after["high"] - after["low"] < before["high"] - before["low"]
    assert abs(after["median"] - tested["lift"]) < abs(before["median"] - tested["lift"])
