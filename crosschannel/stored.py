"""What a finished run has stored beside its result, read back for the pages that count from it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analyses import artifacts
from analyses.models import Run
from crosschannel.labels import OTHER
from crosschannel.methods import walks as walk_numbers
from crosschannel.methods.pairs import PairDetails
from crosschannel.methods.walks import Walks
from crosschannel.result import PAIR_ARRAYS
from marketing.frames import PathTable


@dataclass(frozen=True, eq=False)
class Stored:
    """The arrays of a run. Raises ArtifactMissing where what is asked of it is no longer on disk."""

    run: Run

    @cached_property
    def labels(self) -> list[str]:
        """The names of the groups."""
        names: list[str] = self._flows["labels"].tolist()
        return names

    @cached_property
    def walks(self) -> Walks:
        """The beginnings of all paths; `walk_of_path` is that of each of `paths`."""
        arrays = self._flows
        return Walks(
            groups=arrays["walk_groups"],
            steps=arrays["walk_steps"],
            longer=arrays["walk_longer"],
            conversions=arrays["walk_conversions"],
            value=arrays["walk_value"],
            nulls=arrays["walk_nulls"],
            walk_of_path=arrays["path_walk"].astype(np.int64),
        )

    @cached_property
    def paths(self) -> PathTable:
        """The paths that most journeys took."""
        arrays = self._flows
        return PathTable(
            offsets=arrays["path_offsets"],
            steps=arrays["path_steps"].astype(np.int64),
            groups=len(self.labels),
            conversions=arrays["path_conversions"],
            value=arrays["path_value"],
            nulls=arrays["path_nulls"],
        )

    @cached_property
    def pairs(self) -> PairDetails:
        """What journeys with two channels look like, by the channels of the model of interactions."""
        arrays = artifacts.read(self.run, only=lambda name: name.startswith("pair_"))
        return PairDetails(
            **{name: arrays[f"pair_{name}"] for name in PAIR_ARRAYS}, total_value=float(arrays["pair_total_value"])
        )

    def group_named(self, name: str) -> int | None:
        """The number of a group of the flows by its name, OTHER for the lesser ones together; None if there is none."""
        if name == OTHER:
            return walk_numbers.OTHER
        return next((number for number, label in enumerate(self.labels) if label == name), None)

    @cached_property
    def _flows(self) -> artifacts.Arrays:
        return artifacts.read(self.run, only=lambda name: not name.startswith("pair_"))
