"""Statistics of parts of the customers, merged and finished, against those of all customers at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods.bootstrap import bootstrap
from attribution.methods.crediting import (
    BayesianModel,
    Credited,
    Method,
    credit_journeys,
    credit_statistics,
    drawn_anew,
)
from attribution.methods.markov import MarkovModel
from attribution.methods.partitions import (
    CONVERSIONS,
    CONVERTING,
    UNTOUCHED,
    UNTOUCHED_VALUE,
    VALUE,
    Asked,
    Merged,
    TablesChanged,
    add_weighed,
    count_paths,
    merge_paths_of_parts,
    pack,
    unpack,
    weigh_customers,
)
from attribution.methods.replicates import Collected, Replicates
from attribution.methods.rules import PARTICIPATION, RULE_MODELS, W_SHAPE
from attribution.methods.shapley import ShapleyModel
from marketing.frames import Journeys
from marketing.journey_paths import path_table
from tests.attribution.customer_worlds import Customers, journeys_of, random_customers
from tests.attribution.rule_worlds import DIRECT_SOURCE, GROUP_OF_SOURCE, GROUPS

METHODS: tuple[Method, ...] = (
    RULE_MODELS["last"],
    MarkovModel("markov:2", order=2),
    RULE_MODELS["time_decay"],
    PARTICIPATION,
    W_SHAPE,
    MarkovModel("without", null_paths=False),
    BayesianModel("bayesian_markov"),
    ShapleyModel("shapley"),
)
REPLICATES = 70
ASKED = Asked(METHODS, GROUP_OF_SOURCE, GROUPS, DIRECT_SOURCE, seed=5)


def parts_of(customers: Customers, parts: int) -> Mapping[int, Journeys]:
    """The customers in parts by their ids; parts that nobody is in are left out."""
    chosen = {part: {key: paths for key, paths in customers.items() if key % parts == part} for part in range(parts)}
    return {part: journeys_of(some) for part, some in chosen.items() if some}


def merged_of(parts: Mapping[int, Journeys], asked: Asked = ASKED) -> Merged:
    counted = {number: unpack(pack(count_paths(journeys=journeys, asked=asked))) for number, journeys in parts.items()}
    return merge_paths_of_parts(parts=counted, asked=asked)


def credited_of(merged: Merged) -> Credited:
    return credit_statistics(
        methods=METHODS,
        of_rules=(merged.of_rules[0], merged.of_rules[1]),
        paths=merged.table,
        untouched=(merged.totals[UNTOUCHED], merged.totals[UNTOUCHED_VALUE]),
        draws=REPLICATES,
        seed=5,
    )


def drawn_of(parts: Mapping[int, Journeys], merged: Merged, at_once: int, asked: Asked = ASKED) -> Replicates:
    collected = Collected(drawn_anew(asked.methods), GROUPS, REPLICATES)
    for first in range(0, collected.passes, at_once):
        passes = range(first, min(first + at_once, collected.passes))
        weighed = [
            (number, unpack(pack(weigh_customers(journeys=journeys, asked=asked, passes=passes))))
            for number, journeys in parts.items()
        ]
        for sums in add_weighed(parts=weighed, merged=merged, asked=asked, passes=passes):
            shares = [] if merged.features is None else merged.features.shares(sums.counts)
            collected.put(sums.number, sums.cells, shares)
    return collected.replicates(merged.totals[CONVERTING])


def drawn_at_once(journeys: Journeys, methods: Sequence[Method] = METHODS) -> Replicates:
    return bootstrap(
        journeys=journeys,
        models=drawn_anew(methods),
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        replicates=REPLICATES,
        seed=5,
    )


def assert_same(one: Replicates, other: Replicates) -> None:
    for name in ("credited_conversions", "credited_value", "total_conversions", "total_value", "untouched_value"):
        np.testing.assert_allclose(getattr(one, name).lanes, getattr(other, name).lanes, rtol=1e-10, atol=1e-9)
    assert one.converting_customers == other.converting_customers
    assert one.explained.keys() == other.explained.keys()
    for model, figures in one.explained.items():
        for name, sample in figures.items():
            np.testing.assert_allclose(sample.lanes, other.explained[model][name].lanes, rtol=1e-10, atol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), customers=st.integers(1, 60), parts=st.integers(1, 9))
def test_parts_of_the_customers_merge_to_what_all_of_them_are(seed: int, customers: int, parts: int) -> None:
    world = random_customers(seed, customers, len(GROUP_OF_SOURCE))
    journeys, some = journeys_of(world), parts_of(world, parts)
    merged = merged_of(some)
    paths = path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    for name in ("offsets", "steps", "conversions", "nulls"):
        np.testing.assert_array_equal(getattr(merged.table, name), getattr(paths.table, name))
    np.testing.assert_allclose(merged.table.value, paths.table.value, rtol=1e-12)
    assert merged.totals[CONVERSIONS] == journeys.converted.sum()
    assert merged.totals[VALUE] == pytest.approx(journeys.value.sum(), rel=1e-12)
    at_once = credit_journeys(
        journeys=journeys,
        paths=paths,
        methods=METHODS,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        draws=REPLICATES,
        seed=5,
    )
    credited = credited_of(merged)
    np.testing.assert_allclose(credited.conversions, at_once.conversions, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(credited.value, at_once.value, rtol=1e-10, atol=1e-9)
    assert_same(drawn_of(some, merged, at_once=2), drawn_at_once(journeys))


@pytest.mark.parametrize("methods", [METHODS[:1], (MarkovModel("markov:3", order=3),), (BayesianModel("b"),)])
def test_one_kind_of_model_alone_is_merged_too(methods: tuple[Method, ...]) -> None:
    world = random_customers(3, 40, len(GROUP_OF_SOURCE))
    asked = replace(ASKED, methods=methods)
    parts = parts_of(world, 4)
    merged = merged_of(parts, asked)
    if not drawn_anew(methods):
        assert merged.features is None
        return
    assert_same(drawn_of(parts, merged, at_once=4, asked=asked), drawn_at_once(journeys_of(world), methods))


def test_a_part_that_has_changed_between_its_paths_and_its_replicates_is_noticed() -> None:
    world = random_customers(3, 40, len(GROUP_OF_SOURCE))
    parts = dict(parts_of(world, 4))
    merged = merged_of(parts)
    parts[1], parts[2] = parts[2], parts[1]
    with pytest.raises(TablesChanged):
        drawn_of(parts, merged, at_once=4)
    del parts[1]
    with pytest.raises(TablesChanged):
        drawn_of(parts, merged, at_once=4)


def test_the_memory_of_a_pass_is_what_its_parts_send() -> None:
    parts = parts_of(random_customers(3, 40, len(GROUP_OF_SOURCE)), 4)
    sent = [weigh_customers(journeys=journeys, asked=ASKED, passes=[2]) for journeys in parts.values()]
    assert merged_of(parts).bytes_of_pass(ASKED) == sum(part["cells"].nbytes + part["counts"].nbytes for part in sent)


def test_what_is_sent_holds_numbers_and_nothing_to_execute() -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack(pack({"code": np.array([print], object)}))
