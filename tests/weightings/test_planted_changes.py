"""Changes that were planted: is the channel named that has changed, and is a model found to predict badly that does?

The demo world by week: two years of eight channels. A model of the first 91 weeks is the one before; thirteen weeks
come since. What a channel truly brought is known by running the world once more without it, with the same chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from marketing.frames import MediaPanel
from tests.weightings.demo_panels import (
    WEEKS,
    demo_panel,
    up_to,
    with_effect_doubled,
    with_level_dropped,
    with_spend_restated,
)
from tests.weightings.forecasts import market, some_draws
from tests.weightings.questions import ask
from weightings.methods.forecasting.since import Since, since
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Quantities, Window, quantities
from weightings.methods.stability import Stability, returns_of, stability
from weightings.methods.storing import unpack_posterior, unpack_quantities

KNOWN, SEED, SEEDS = WEEKS - 13, 7, (7, 1, 2)


def compared(first: Quantities, second: Quantities) -> Stability:
    names = {name: name for name in first.media}
    found = stability(returns_of(first, names), returns_of(second, names))
    assert found is not None
    return found


# With draws that nobody had to fit


def of_market(posterior: Posterior, panel: MediaPanel) -> Quantities:
    spend = np.append(panel.spend.sum(axis=0), 0.0)
    return quantities(posterior, Window(0, len(panel)), spend=spend, exposure=spend)


@pytest.mark.parametrize("channel", ["TV", "Search"])
def test_the_channel_whose_effect_has_doubled_has_moved_most(channel: str) -> None:
    panel = market(history=0)
    drawn = some_draws(panel, 400)
    before = of_market(drawn.take(np.arange(200)), panel)
    again = drawn.take(np.arange(200, 400))
    as_it_was = compared(before, of_market(again, panel))
    times = np.where([name == channel for name in drawn.media], 2.0, 1.0)
    doubled = compared(before, of_market(replace(again, beta=again.beta * times), panel))
    assert next(iter(doubled.channels)) == channel
    assert as_it_was.score > 88, "two samples of one posterior, of few draws"
    assert doubled.score < as_it_was.score - 5


# With fits


@dataclass(frozen=True)
class Model:
    panel: MediaPanel
    quantities: Quantities
    posterior: Posterior


@cache
def fitted(panel: MediaPanel) -> Model:
    result, arrays = ask(panel, draws=4000)
    assert result["diagnostics"]["converged"]
    return Model(
        panel,
        unpack_quantities(result["stored"]["quantities"], arrays),
        unpack_posterior(result["stored"]["posterior"], arrays),
    )


@cache
def before(seed: int = SEED) -> Model:
    return fitted(up_to(demo_panel(seed), KNOWN))


def tried(model: Model, later: MediaPanel) -> Since:
    names = {name: name for name in later.channels}
    return since(model.panel, model.posterior, later, names=names, knots=None)


@pytest.fixture(scope="module", autouse=True)
def _forget_the_fits() -> Iterator[None]:
    yield
    fitted.cache_clear()
    before.cache_clear()


@pytest.mark.full
def test_a_refit_in_the_same_world_is_stable_and_a_planted_change_is_named() -> None:
    whole = demo_panel(SEED)
    same = compared(before().quantities, fitted(whole).quantities)
    assert same.standing == "stable"
    doubled = compared(before().quantities, fitted(with_effect_doubled(SEED, "TV", KNOWN)).quantities)
    assert next(iter(doubled.channels)) == "TV"
    assert doubled.score < same.score - 5
    restated = compared(before().quantities, fitted(with_spend_restated(whole, "Display", 2.0, KNOWN)).quantities)
    assert next(iter(restated.channels)) == "Display"
    assert restated.channels["Display"].distance > same.channels["Display"].distance + 0.05
    assert restated.score < same.score


@pytest.mark.full
def test_what_comes_in_the_same_world_is_predicted_well_and_a_break_badly() -> None:
    found = [tried(before(seed), demo_panel(seed)) for seed in SEEDS]
    assert [each.verdict for each in found] == ["good"] * len(SEEDS)
    inside, known = sum(each.inside for each in found), sum(each.known for each in found)
    assert inside / known == pytest.approx(0.9, abs=0.1)
    for seed in SEEDS:
        dropped = tried(before(seed), with_level_dropped(demo_panel(seed), 0.3, KNOWN))
        assert dropped.verdict == "fail"
        assert dropped.bias is not None
        assert dropped.bias > 0.2, "it predicted more than came"
