"""The six rule models against credit computed independently on 100,000 simulated paths."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from attribution.methods.rules import RULE_MODELS, RuleCredit, reconcile, rule_credit
from marketing.frames import Conversions, Journeys, Touches
from marketing.journeys import build_journeys
from tests.marketing.rows import DAY_US

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "attribution"
COLUMN_OF_MODEL = {
    "last": "last",
    "first": "first",
    "linear": "linear",
    "time_decay": "time_decay_7d",
    "position": "u_40_20_40",
    "last_non_direct": "last_non_direct",
}

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"The reference data are not in {REFERENCE}.")


def expected(quantity: str) -> dict[str, dict[str, float]]:
    """Credit by channel and column of the expected file."""
    with (REFERENCE / f"synth_expected_rule_models_{quantity}.csv").open() as file:
        return {row.pop("channel"): {name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def channels() -> list[str]:
    return list(expected("conversions"))


@pytest.fixture(scope="module")
def journeys(channels: list[str]) -> Journeys:
    table = pq.read_table(REFERENCE / "synth_touchpoints_100k.parquet")
    user, seconds = table["user_id"].to_numpy(), table["ts"].to_numpy()
    index = {channel: position for position, channel in enumerate(channels)}
    source = np.array([index[channel] for channel in table["channel"].to_pylist()], np.uint32)
    order = np.lexsort((np.arange(len(user)), seconds, user))
    customers, counts = np.unique(user, return_counts=True)
    touches = Touches(
        customer_ids=customers,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        touched_at=seconds[order] * 1_000_000,
        source=source[order],
        interaction=np.zeros(len(user), np.uint8),
    )
    conversions = read_outcomes()
    return build_journeys(
        touches=touches,
        conversions=conversions,
        goal=0,
        period_start_us=int(conversions.converted_at.min()),
        period_stop_us=int(conversions.converted_at.max()) + 1,
        window_us=365 * DAY_US,
    )


def read_outcomes() -> Conversions:
    table = pq.read_table(REFERENCE / "synth_outcomes_100k.parquet")
    user, seconds = table["user_id"].to_numpy(), table["end_ts"].to_numpy()
    order = np.lexsort((seconds, user))
    return Conversions(
        customer_ids=user[order],
        converted_at=seconds[order] * 1_000_000,
        goal=np.zeros(len(user), np.uint32),
        value=table["revenue"].to_numpy()[order],
        converted=table["converted"].to_numpy()[order],
    )


@pytest.fixture(scope="module")
def credit(journeys: Journeys, channels: list[str]) -> RuleCredit:
    return rule_credit(
        journeys=journeys,
        models=tuple(RULE_MODELS.values()),
        group_of_source=np.arange(len(channels)),
        groups=len(channels),
        direct_source=np.array([channel == "Direct" for channel in channels]),
    )


def test_every_path_becomes_one_journey(journeys: Journeys) -> None:
    assert int(journeys.converted.sum()) == 19_176
    assert len(journeys) == 100_000
    assert int((journeys.stop - journeys.start).sum()) == 319_467


@pytest.mark.parametrize("model", COLUMN_OF_MODEL)
def test_rule_model_equals_the_independent_computation(model: str, credit: RuleCredit, channels: list[str]) -> None:
    row = credit.models.index(model)
    computed: dict[str, npt.NDArray[np.float64]] = {"conversions": credit.conversions, "revenue": credit.value}
    for quantity, by_group in computed.items():
        column = [expected(quantity)[channel][COLUMN_OF_MODEL[model]] for channel in channels]
        assert by_group[row].tolist() == pytest.approx([*column, 0.0], abs=1e-6)


def test_credit_reconciles_with_the_totals(credit: RuleCredit, journeys: Journeys) -> None:
    reconciliation = reconcile(credit=credit, journeys=journeys)
    assert reconciliation.ok
    assert reconciliation.total_value == pytest.approx(969_256.92)
