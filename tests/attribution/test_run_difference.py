"""What differs between two runs, with intervals taken replicate by replicate."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from accounts.actions import set_plan
from accounts.models import Workspace
from analyses import artifacts
from analyses.models import Run
from attribution.presentation.comparison import compare, compared_charts
from attribution.presentation.run_difference import differences
from charts import ChartSpec
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows

CHANNELS = ("Email", "Search", "Display")


@pytest.fixture
def _customers(import_rows: ImportRows) -> None:
    """300 customers, most of whom buy in March and again in April, Email being touched more often in April."""
    rng = np.random.default_rng(3)
    touches, sales = [], []
    for customer in range(300):
        for month, email in ((3, 0.2), (4, 0.6)):
            if rng.random() < 0.7:
                channel = "Email" if rng.random() < email else CHANNELS[int(rng.integers(1, 3))]
                touches.append(f"c{customer},2026-0{month}-10T10:00Z,{channel}")
                sales.append(f"c{customer},2026-0{month}-11T10:00Z,{20 + customer % 7}")
    import_rows("touchpoints", "customer,occurred_at,channel", *touches)
    import_rows("conversions", "customer,occurred_at,value", *sales)


@pytest.mark.usefixtures("_customers")
def test_the_difference_between_periods_has_an_interval(attribute: Attribute) -> None:
    march, april = attribute(model="last"), attribute(model="last", start="2026-04-01", end="2026-04-30")
    found = differences(march, april)
    amounts = [{row["channel"]: row["value"] for row in rows_of(run)} for run in (march, april)]
    for name, one in found.items():
        assert one.value == pytest.approx(amounts[1][name] - amounts[0][name], abs=1e-9)
        assert one.low <= one.value <= one.high
    assert found["Email"].low > 0, "three times as often"
    assert found["Search"].high < 0


@pytest.mark.usefixtures("_customers")
def test_between_runs_of_the_same_customers_what_they_share_cancels_out(attribute: Attribute) -> None:
    """Last and first touch agree on journeys of one touch: their difference is certain, though neither credit is."""
    first, last = attribute(model="first"), attribute(model="last")
    for one in differences(first, last).values():
        assert (one.value, one.low, one.high) == (0.0, 0.0, 0.0)
    apart = [row["value_high"] - row["value_low"] for row in rows_of(last)[:-1]]
    assert min(apart) > 0


@pytest.mark.usefixtures("_customers")
def test_periods_differ_by_chance_under_a_model_with_a_posterior_too(attribute: Attribute, shop: Workspace) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    shop.refresh_from_db()
    april = {"start": "2026-04-01", "end": "2026-04-30"}
    bayesian, markov = (
        differences(attribute(model=model), attribute(model=model, **april))
        for model in ("bayesian_markov", "data_driven")
    )
    for name in CHANNELS:
        width, of_customers = (found[name].high - found[name].low for found in (bayesian, markov))
        assert width > of_customers / 2, "how many customers come is left to chance here as well"


@pytest.mark.usefixtures("_customers")
def test_another_seed_gives_an_independent_interval(attribute: Attribute) -> None:
    one, other = attribute(model="last"), attribute(model="last", seed=1)
    for found in differences(one, other).values():
        assert found.value == 0
        assert found.low < 0 < found.high or found.low == found.high == 0


@pytest.mark.usefixtures("_customers")
def test_a_wider_interval_at_a_higher_level(attribute: Attribute) -> None:
    april = {"start": "2026-04-01", "end": "2026-04-30"}
    widths = [
        differences(attribute(model="last", confidence=level), attribute(model="last", confidence=level, **april))[
            "Email"
        ]
        for level in (80, 90, 95, 99)
    ]
    assert all(wide.high - wide.low > narrow.high - narrow.low for narrow, wide in pairwise(widths))


@pytest.mark.usefixtures("_customers")
def test_the_comparison_draws_the_difference_first(attribute: Attribute) -> None:
    march, april = attribute(model="last"), attribute(model="last", start="2026-04-01", end="2026-04-30")
    (section,) = compare(march, april)
    apart, credit = section.charts
    assert isinstance(apart, ChartSpec)
    assert apart.interval == "95% interval"
    found = differences(march, april)
    for place, mark in zip(apart.categories, apart.series[0].marks, strict=True):
        assert mark is not None
        assert (mark.value, mark.low, mark.high) == (
            found[place.label].value,
            found[place.label].low,
            found[place.label].high,
        )
    assert "clear of chance" in apart.title
    assert isinstance(credit, ChartSpec)
    assert credit.id == "compared-credit"


@pytest.mark.usefixtures("_customers")
def test_without_the_replicates_there_is_no_interval(attribute: Attribute, shop: Workspace) -> None:
    march, april = attribute(model="last"), attribute(model="last", start="2026-04-01", end="2026-04-30")
    fewer = attribute(model="linear", replicates=200)
    assert differences(march, fewer) == {}, "not the same replicates"
    artifacts.remove(april.artifact)
    assert differences(march, april) == {}
    (credit,) = compared_charts(march, april)
    assert isinstance(credit, ChartSpec)
    assert shop.slug in str(credit.series[1].marks[0].href if credit.series[1].marks[0] else "")


def rows_of(run: Run) -> list[dict[str, Any]]:
    assert run.result is not None
    (model,) = run.result["models"].values()
    rows: list[dict[str, Any]] = model["channels"]
    return rows
