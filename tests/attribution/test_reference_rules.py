"""The rule models against credit computed independently on 100,000 simulated paths."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from attribution.methods.rules import (
    J_SHAPE,
    MORE_RULE_MODELS,
    RULE_MODELS,
    TIME_DECAY,
    RuleCredit,
    RuleModel,
    reconcile,
    rule_credit,
)
from marketing.frames import Conversions, Journeys, Touches
from marketing.journeys import build_journeys
from tests.marketing.rows import DAY_US, JourneyRow, Touch, journeys_from, touches_from

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "attribution"
COLUMN_OF_MODEL = {
    "last": "last",
    "first": "first",
    "linear": "linear",
    "time_decay": "time_decay_7d",
    "position": "u_40_20_40",
    "last_non_direct": "last_non_direct",
    "j_shape": "j_20_20_60",
    "inverse_j": "invj_60_20_20",
    "participation": "participation",
}

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"The reference data are not in {REFERENCE}.")


def read(name: str, *, key: str) -> dict[str, dict[str, float]]:
    """The cells of an expected file by channel and column; `key` is the column of channels."""
    with (REFERENCE / name).open() as file:
        return {row.pop(key): {name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)}


def expected(quantity: str) -> dict[str, dict[str, float]]:
    return read(f"synth_expected_rule_models_{quantity}.csv", key="channel")


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
        models=(*RULE_MODELS.values(), *MORE_RULE_MODELS.values()),
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


def test_simplified_shapley_equals_the_independent_computation(credit: RuleCredit, channels: list[str]) -> None:
    file = read("synth_expected_shapley_simplified_setlinear.csv", key="")
    row = credit.models.index("shapley:simplified")
    column = [file[channel]["credit"] for channel in channels]
    assert credit.conversions[row].tolist() == pytest.approx([*column, 0.0], abs=1e-6)


@pytest.mark.parametrize("model", ["first", "last", "linear"])
def test_heuristics_equal_those_of_channel_attribution(model: str, credit: RuleCredit, channels: list[str]) -> None:
    file = read("synth_expected_ca_heuristics.csv", key="channel_name")
    row = credit.models.index(model)
    for quantity, by_group in (("conversions", credit.conversions), ("value", credit.value)):
        column = [file[channel][f"{model}_touch_{quantity}"] for channel in channels]
        assert by_group[row].tolist() == pytest.approx([*column, 0.0], abs=1e-6)


@pytest.mark.parametrize(
    ("model", "value"), [(TIME_DECAY, [6.92333, 9.31812, 16.87928, 16.87928]), (J_SHAPE, [10.0, 5.0, 5.0, 30.0])]
)
def test_worked_example_4_is_reproduced(model: RuleModel, value: list[float]) -> None:
    """Touches of four channels 9, 6, 0 and 0 days before a conversion worth $50."""
    touches = touches_from([Touch(0, (9 - age) * DAY_US, source) for source, age in enumerate((9, 6, 0, 0))])
    credit = rule_credit(
        journeys=journeys_from([JourneyRow(0, 9 * DAY_US, True, 50.0, (0, 1, 2, 3))], touches),
        models=[model],
        group_of_source=np.arange(4),
        groups=4,
        direct_source=np.zeros(4, np.bool_),
    )
    assert credit.value[0].tolist() == pytest.approx([*value, 0.0], abs=1e-5)


def test_credit_reconciles_with_the_totals(credit: RuleCredit, journeys: Journeys) -> None:
    reconciliation = reconcile(credit=credit, journeys=journeys)
    assert reconciliation.ok
    assert reconciliation.total_value == pytest.approx(969_256.92)
