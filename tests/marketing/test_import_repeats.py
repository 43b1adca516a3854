"""Hashes of what has come before: in one chunk or in several, however long they are."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marketing.importing.repeats import SeenHashes, path_hashes


@given(st.lists(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=12), max_size=12))
def test_what_came_before_is_told_as_a_set_would(chunks: list[list[int]]) -> None:
    seen, known = SeenHashes(), set[int]()

    for chunk in chunks:
        expected = []
        for number in chunk:
            expected.append(number in known)
            known.add(number)
        assert seen.add(np.array(chunk, np.uint64)).tolist() == expected


def test_a_million_take_a_few_megabytes() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**63, 1_000_000).astype(np.uint64)
    seen = SeenHashes()
    tracemalloc.start()

    for chunk in np.split(hashes, 100):
        assert not seen.add(chunk).any()

    kept, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 10 * 2**20
    assert seen.add(hashes).all()


def test_paths_have_one_hash_by_names_in_any_case_former_ones_and_days() -> None:
    paths = np.array(["Mail\0TV", "email\0tv", "Email\0TV", "TV\0Email", "Email\0TV", "EmailTV"], object)
    days = np.array(["2026-01-01", "2026-01-01", "2026-01-02", "2026-01-01", "NaT", "2026-01-01"], "datetime64[D]")

    hashes = path_hashes(paths, days, former_names={"mail": "email"})

    assert hashes[0] == hashes[1]
    assert len(set(hashes.tolist())) == 5
    assert len(path_hashes(paths[:0], days[:0], former_names={})) == 0
