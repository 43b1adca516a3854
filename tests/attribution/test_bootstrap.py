"""The customer bootstrap against loops over customers, and what must not change it."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods import customer_statistics
from attribution.methods.bootstrap import bootstrap
from attribution.methods.markov import MarkovModel, markov_credit
from attribution.methods.replicates import JACKKNIFE_PASSES, LANES, Model, Replicates
from attribution.methods.rules import PARTICIPATION, RULE_MODELS, W_SHAPE, RuleModel, rule_credit
from attribution.methods.shapley import ShapleyModel, shapley_credit
from marketing.frames import Float64Column, Journeys
from marketing.journey_paths import path_table
from tests.attribution.custom_worlds import custom_model
from tests.attribution.customer_worlds import Customers, Path, journeys_of, random_customers, weights
from tests.attribution.rule_worlds import DIRECT_SOURCE, GROUP_OF_SOURCE, GROUPS, worlds

CUSTOM = custom_model({"position": {"first": 50, "middle": 30, "last": 20}, "channels": {"Email": 0}})
RULES: tuple[RuleModel, ...] = (*RULE_MODELS.values(), PARTICIPATION, W_SHAPE, CUSTOM)
OF_PATHS: tuple[Model, ...] = (
    MarkovModel("markov:1"),
    MarkovModel("markov:2", order=2),
    MarkovModel("without", null_paths=False),
    ShapleyModel("shapley"),
)
MODELS: tuple[Model, ...] = (*RULES[:3], OF_PATHS[0], *RULES[3:], *OF_PATHS[1:])
ADDING_UP = [m for m, model in enumerate(MODELS) if model != PARTICIPATION]


def drawn(
    journeys: Journeys, models: Sequence[Model] = MODELS, *, replicates: int = 70, seed: int = 5, threads: int = 1
) -> Replicates:
    return bootstrap(
        journeys=journeys,
        models=models,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        replicates=replicates,
        seed=seed,
        threads=threads,
    )


def drawn_of(customers: Customers, models: Sequence[Model] = MODELS, **asked: int) -> Replicates:
    return drawn(journeys_of(customers), models, **asked)


def assert_same(one: Replicates, other: Replicates, *, within: float = 0.0) -> None:
    """Every lane of everything is the same, to the last bit unless something is allowed."""
    for name in ("credited_conversions", "credited_value", "total_conversions", "total_value"):
        np.testing.assert_allclose(getattr(one, name).lanes, getattr(other, name).lanes, rtol=within, atol=within)
    assert one.explained.keys() == other.explained.keys()
    for model, figures in one.explained.items():
        for name, sample in figures.items():
            lanes = other.explained[model][name].lanes
            np.testing.assert_allclose(sample.lanes, lanes, rtol=within, atol=within)


# --- Against loops over customers ---


def the_long_way(journeys: Journeys, models: Sequence[Model], weight: dict[int, float]) -> Float64Column:
    """(M, G+1, 2): credit with each customer's journeys counted as often as the weights by database id say."""
    ids = journeys.customer_ids()
    repeats = np.array([int(weight[int(key)]) for key in ids], np.int64)
    again = journeys.take(np.repeat(np.arange(len(journeys)), repeats))
    credit = np.zeros((len(models), GROUPS + 1, 2))
    table = path_table(journeys=again, group_of_source=GROUP_OF_SOURCE, groups=GROUPS).table
    untouched = again.converted & (again.start == again.stop)
    for m, model in enumerate(models):
        if isinstance(model, RuleModel):
            found = rule_credit(
                journeys=again,
                models=[model],
                group_of_source=GROUP_OF_SOURCE,
                groups=GROUPS,
                direct_source=DIRECT_SOURCE,
            )
            credit[m, :, 0], credit[m, :, 1] = found.conversions[0], found.value[0]
            continue
        of_paths = (
            markov_credit(paths=table, model=model)
            if isinstance(model, MarkovModel)
            else shapley_credit(paths=table, model=model)
        )
        credit[m, :-1, 0], credit[m, :-1, 1] = of_paths.conversions, of_paths.value
        credit[m, -1] = untouched.sum(), again.value[untouched].sum()
    return credit


@settings(max_examples=15)
@given(worlds(), st.integers(0, 2**63 - 1))
def test_a_replicate_is_the_credit_of_customers_counted_as_often_as_their_weights_say(
    journeys: Journeys, seed: int
) -> None:
    found = drawn(journeys, replicates=2, seed=seed)
    ids = np.unique(journeys.customer_ids())
    passes = [weights(ids.tolist(), number, seed) for number in range(JACKKNIFE_PASSES + 1)]
    lanes = {0: passes[1][:, -1], 1: passes[0][:, 0], 65: passes[1][:, 0], 128: passes[2][:, 0], 129: passes[2][:, 1]}
    for lane, of_customer in lanes.items():
        weight = dict(zip(ids.tolist(), of_customer.tolist(), strict=True))
        expected = the_long_way(journeys, MODELS, weight)
        np.testing.assert_allclose(found.credited_conversions.lanes[lane], expected[..., 0], atol=1e-9)
        np.testing.assert_allclose(found.credited_value.lanes[lane], expected[..., 1], atol=1e-6)


def test_customers_without_touches_are_drawn_too() -> None:
    found = drawn_of({7: [Path((1,))], 9: [Path(()), Path((), value=3.0)]}, RULES[:1])
    expected = weights([9], JACKKNIFE_PASSES)[0]
    assert found.conversions[:LANES, 0, -1].tolist() == (2 * expected).tolist()
    assert found.value[:LANES, 0, -1].tolist() == (4 * expected).tolist()


def test_removal_effects_of_replicates_are_those_of_their_paths() -> None:
    customers = random_customers(1, 30, 4)
    journeys = journeys_of(customers)
    found = drawn(journeys, OF_PATHS[:1])
    of_customer = dict(zip(sorted(customers), weights(sorted(customers), JACKKNIFE_PASSES)[:, 3], strict=True))
    repeats = np.array([int(of_customer[int(key)]) for key in journeys.customer_ids()])
    again = journeys.take(np.repeat(np.arange(len(journeys)), repeats))
    table = path_table(journeys=again, group_of_source=GROUP_OF_SOURCE, groups=GROUPS).table
    expected = markov_credit(paths=table, model=MarkovModel("markov:1"))
    assert found.removal_effect["markov:1"][3].tolist() == pytest.approx(expected.removal_effect.tolist(), abs=1e-12)
    assert found.explained["markov:1"]["conversion_rate"].replicates[3] == pytest.approx(expected.conversion_rate)


# --- Sums and variance ---


def test_every_model_that_adds_up_hands_out_the_total_of_each_replicate() -> None:
    found = drawn_of(random_customers(2, 200, 4))
    totals = found.total_conversions.lanes, found.total_value.lanes
    for sample, total in zip((found.credited_conversions, found.credited_value), totals, strict=True):
        handed_out = sample.lanes[:, ADDING_UP].sum(axis=2)
        np.testing.assert_allclose(handed_out, np.broadcast_to(total[:, None], handed_out.shape), rtol=1e-9)


def test_variance_of_rule_credit_is_the_sum_of_the_customers_squares() -> None:
    """That of a sum over a Poisson number of customers. The journeys of one customer add up before they are squared."""
    customers = random_customers(3, 300, 4)
    journeys = journeys_of(customers)
    found = drawn(journeys, RULES[:6], replicates=8000)
    squares = np.zeros((2, 6, GROUPS + 1))
    for key in customers:
        own = journeys.take(np.flatnonzero(journeys.customer_ids() == key))
        credit = rule_credit(
            journeys=own,
            models=RULES[:6],
            group_of_source=GROUP_OF_SOURCE,
            groups=GROUPS,
            direct_source=DIRECT_SOURCE,
        )
        squares += np.stack([credit.conversions, credit.value]) ** 2
    # The variance of 8,000 draws is known to 1.6% (more for the skewed values), their mean to 1% of the deviation.
    np.testing.assert_allclose(found.conversions.var(axis=0), squares[0], rtol=0.08)
    np.testing.assert_allclose(found.value.var(axis=0), squares[1], rtol=0.12)
    off = (found.conversions.mean(axis=0) - found.credited_conversions.estimate) / np.sqrt(squares[0])
    assert np.abs(off).max() < 4 / math.sqrt(8000)


# --- What changes nothing ---


def test_the_order_of_rows_changes_nothing() -> None:
    journeys = journeys_of(random_customers(4, 100, 4))
    shuffled = journeys.take(np.random.default_rng(1).permutation(len(journeys)))
    assert_same(drawn(journeys), drawn(shuffled))


def test_other_customers_change_nothing_of_a_customers_weights() -> None:
    """Customer 5 alone is credited with source 1, whoever else is there."""
    rest = {key: [Path((2, 3)), Path((), True)] for key in (1, 2, 8, 9, 10**15)}
    alone, among = drawn_of({5: [Path((1,))]}, RULES[:1]), drawn_of({5: [Path((1,))], **rest}, RULES[:1])
    assert alone.conversions[:, 0, 1].tolist() == among.conversions[:, 0, 1].tolist()
    assert alone.conversions[:, 0, 1].std() > 0


def test_a_customer_weighs_the_same_with_touches_and_without() -> None:
    touched, untouched = drawn_of({5: [Path((1,))]}, RULES[:1]), drawn_of({5: [Path(())]}, RULES[:1])
    assert touched.conversions[:, 0, 1].tolist() == untouched.conversions[:, 0, -1].tolist()


def test_a_longer_bootstrap_begins_with_the_replicates_of_a_shorter_one() -> None:
    customers = random_customers(5, 50, 4)
    short, long = drawn_of(customers, replicates=10), drawn_of(customers, replicates=150)
    assert np.array_equal(short.conversions, long.conversions[:10])


def test_threads_change_not_a_bit() -> None:
    journeys = journeys_of(random_customers(6, 300, 4))
    assert_same(drawn(journeys, replicates=200), drawn(journeys, replicates=200, threads=3))


def test_the_size_of_blocks_changes_not_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    journeys = journeys_of(random_customers(7, 120, 4))
    at_once = drawn(journeys)
    monkeypatch.setattr(customer_statistics, "JOURNEYS_AT_ONCE", 7)
    monkeypatch.setattr(customer_statistics, "CELLS_AT_ONCE", 3 * len(RULES) * (GROUPS + 1))
    assert_same(at_once, drawn(journeys))


def test_little_memory_changes_not_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    journeys = journeys_of(random_customers(8, 60, 4))
    at_once = drawn(journeys, replicates=200)
    monkeypatch.setattr("attribution.methods.bootstrap.MEMORY", 1)
    monkeypatch.setattr(customer_statistics, "MEMORY", 20_000)
    assert_same(at_once, drawn(journeys, replicates=200, threads=2))


def test_numbering_groups_otherwise_only_moves_their_credit() -> None:
    journeys = journeys_of(random_customers(9, 80, 4))
    moved = np.array([2, 0, 1])
    other = bootstrap(
        journeys=journeys,
        models=MODELS,
        group_of_source=moved[GROUP_OF_SOURCE],
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        replicates=70,
        seed=5,
    )
    np.testing.assert_allclose(other.conversions[..., [2, 0, 1, 3]], drawn(journeys).conversions, atol=1e-9)


def test_paths_at_hand_change_nothing() -> None:
    journeys = journeys_of(random_customers(10, 40, 4))
    paths = path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    given_paths = bootstrap(
        journeys=journeys,
        paths=paths,
        models=MODELS,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        replicates=70,
        seed=5,
    )
    assert_same(drawn(journeys), given_paths)


def test_rule_models_do_not_look_at_null_paths() -> None:
    customers = random_customers(11, 60, 4)
    without = {key: [path for path in paths if path.converted] for key, paths in customers.items()}
    without = {key: paths for key, paths in without.items() if paths}
    assert_same(drawn_of(customers, RULES), drawn_of(without, RULES), within=1e-12)


# --- Little or nothing there ---


@pytest.mark.parametrize(
    "customers",
    [
        pytest.param({}, id="nobody"),
        pytest.param({1: [Path((1, 2), converted=False)], 2: [Path((3,), converted=False)]}, id="no conversion"),
    ],
)
def test_nothing_converted_gives_no_credit_in_any_replicate(customers: Customers) -> None:
    found = drawn_of(customers)
    assert found.conversions.shape == (70, len(MODELS), GROUPS + 1)
    assert not found.conversions.any()
    assert not found.value.any()
    assert found.converting_customers == 0


def test_one_customer_is_there_several_times_or_not_at_all() -> None:
    found = drawn_of({3: [Path((1, 2), value=8.0), Path((1,), converted=False)]})
    expected = weights([3], JACKKNIFE_PASSES)[0]
    assert 0 in expected
    assert found.total_conversions.replicates[:LANES].tolist() == expected.tolist()
    np.testing.assert_allclose(
        found.value[:LANES, ADDING_UP].sum(axis=2), 8 * expected[:, None] * np.ones(len(ADDING_UP))
    )
    assert found.converting_customers == 1


def test_without_null_paths_data_driven_credit_still_adds_up() -> None:
    found = drawn_of({key: [Path((key % 4,)), Path((1, 2))] for key in range(20)}, OF_PATHS)
    totals = np.broadcast_to(found.total_conversions.replicates[:, None], (70, len(OF_PATHS)))
    np.testing.assert_allclose(found.conversions.sum(axis=2), totals, atol=1e-9)


def test_converting_customers_are_counted_once() -> None:
    customers = {1: [Path((1,)), Path((2,))], 2: [Path((1,), False)], 3: [Path(())]}
    assert drawn_of(customers, RULES[:1]).converting_customers == 2
    assert drawn_of(customers, OF_PATHS[:1]).converting_customers == 2


# --- Progress and refusals ---


def test_progress_rises_to_the_whole() -> None:
    told: list[float] = []
    bootstrap(
        journeys=journeys_of(random_customers(12, 20, 4)),
        models=MODELS,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        replicates=200,
        seed=5,
        on_progress=told.append,
        threads=2,
    )
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert len(told) > 5


class Stopped(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2])
def test_what_progress_raises_ends_the_work(threads: int) -> None:
    def stop(share: float) -> None:
        if share > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        bootstrap(
            journeys=journeys_of(random_customers(13, 20, 4)),
            models=RULES,
            group_of_source=GROUP_OF_SOURCE,
            groups=GROUPS,
            direct_source=DIRECT_SOURCE,
            replicates=500,
            seed=5,
            on_progress=stop,
            threads=threads,
        )


def test_one_replicate_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 2 replicates or more, not 1"):
        drawn_of({1: [Path((1,))]}, replicates=1)


def test_a_model_asked_for_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="once only"):
        drawn_of({1: [Path((1,))]}, [RULES[0], RULES[0]])


def test_sources_that_are_not_known_are_refused() -> None:
    journeys = journeys_of({1: [Path((9,))]})
    with pytest.raises(ValueError, match="traffic source 9, but only 4"):
        drawn(journeys, RULES[:1])


def test_a_number_of_direct_sources_that_does_not_match_is_refused() -> None:
    journeys = journeys_of({1: [Path((1,))]})
    with pytest.raises(ValueError, match="4 traffic sources with a group, but 3 known"):
        bootstrap(
            journeys=journeys,
            models=RULES[:1],
            group_of_source=GROUP_OF_SOURCE,
            groups=GROUPS,
            direct_source=DIRECT_SOURCE[:3],
            replicates=2,
            seed=1,
        )


def test_ids_of_customers_without_touches_must_be_as_many() -> None:
    journeys = journeys_of({1: [Path((1,))], 2: [Path(())]})
    with pytest.raises(ValueError, match="untouched_ids must have shape"):
        replace(journeys, untouched_ids=np.array([2, 3], np.int64))
