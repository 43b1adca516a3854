"""Tell which rows of a long file say what an earlier row said, by hashes of their keys: 8 bytes a row."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketing.importing.paths import JOINT, steps_of


class SeenHashes:
    """The hashes that have come so far, in sorted runs of which each is more than twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def add(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Take in hashes (n,), and return which of them (n,) came before, in this array or in an earlier one."""
        distinct, first, place = np.unique(hashes, return_index=True, return_inverse=True)
        known = np.zeros(len(distinct), bool)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, distinct), len(run) - 1)
            known |= run[at] == distinct
        again = known[place]
        again |= first[place] != np.arange(len(hashes))
        self._keep(distinct[~known])
        return again

    def _keep(self, run: NDArray[np.uint64]) -> None:
        if not len(run):
            return
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")  # merges what is sorted already
        self._runs.append(run)


def path_hashes(
    paths: NDArray[np.object_], days: NDArray[np.datetime64] | None, *, former_names: Mapping[str, str]
) -> NDArray[np.uint64]:
    """Hash each of n parsed paths (none blank) with its day: the same for names in any case, and for former ones.

    `days`: (n,) datetime64[D], NaT for no day; None: no row has one. `former_names`: as `Checker` has them.
    """
    names, steps, first = steps_of(paths)
    folded = (name.lower() for name in names)
    written = pa.array([former_names.get(name, name) for name in folded], pa.string()).take(pa.array(steps))
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(first, pa.int32()), written), JOINT)
    columns = {"path": joined.to_numpy(zero_copy_only=False)}
    if days is not None:
        columns["day"] = days.astype("datetime64[D]").astype(np.int64)
    frame = pd.DataFrame(columns)
    return np.asarray(pd.util.hash_pandas_object(frame, index=False, categorize=False), np.uint64)
