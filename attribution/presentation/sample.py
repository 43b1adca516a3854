"""What data-driven attribution shows, on a small sample: for workspaces whose plan does not include it.

The paths are made up; the numbers that follow from them are computed by the same methods as everybody's.
"""

from functools import cache
from typing import Any

import numpy as np

from accounts.models import Workspace
from analyses.documents import Section
from analyses.models import Run
from attribution.catalogue import DATA_DRIVEN
from attribution.presentation import explanation
from attribution.presentation.credit_charts import dots
from attribution.presentation.credit_tables import credit_table
from attribution.presentation.presenters import Credit
from attribution.presentation.sources import Sources
from marketing.frames import PathTable

CHANNELS = ("Display", "Paid Social", "Organic Search", "Paid Search", "Email", "Direct")
# Path, by places in CHANNELS; journeys that converted along it, and journeys that did not.
PATHS: tuple[tuple[tuple[int, ...], int, int], ...] = (
    ((5,), 120, 2_600),
    ((3,), 150, 2_900),
    ((2,), 95, 2_100),
    ((4,), 60, 900),
    ((0,), 12, 2_400),
    ((1,), 30, 2_000),
    ((0, 3), 70, 620),
    ((0, 5), 26, 480),
    ((1, 3), 64, 540),
    ((1, 2, 5), 52, 430),
    ((0, 1, 3), 48, 260),
    ((2, 4), 44, 310),
    ((2, 5), 58, 700),
    ((3, 5), 72, 690),
    ((4, 5), 66, 350),
    ((1, 4, 5), 49, 190),
    ((0, 2, 4, 5), 31, 120),
    ((3, 4, 3), 28, 150),
    ((1, 0, 3, 5), 27, 130),
)
VALUE_OF_A_CONVERSION = 80.0
PARAMS: dict[str, Any] = {
    "data": "paths",
    "model": ["last", DATA_DRIVEN],
    "metric": "conversions",
    "dimension": "channel",
    "start": "2026-01-01",
    "end": "2026-03-31",
    "confidence": 95,
    "replicates": 400,
    "seed": 0,
}


def sample_sections(workspace: Workspace) -> tuple[Section, ...]:
    """Return Last Touch beside Data-Driven on the sample, and why they differ, in the workspace's currency."""
    credit = Credit(Run(workspace=workspace, kind="attribution", params=PARAMS, result=_result()))
    nowhere = Sources(workspace, PARAMS, [])  # the sample's channels are not the workspace's, whatever they are called
    return (
        Section(
            title="Last Touch and Data-Driven, on sample data",
            sentences=tuple(f"{model.label}: {model.sentence}" for model in credit.models),
            charts=(dots(credit, nowhere),),
            tables=(credit_table(credit, nowhere),),
        ),
        *explanation.sections(credit),
    )


@cache
def _result() -> dict[str, Any]:
    # Here, not above: the methods take a second to import, and only the first to look at the sample waits for them.
    from attribution import computation

    return computation.result_of_table(table=sample_paths(), labels=CHANNELS, params=PARAMS)


def sample_paths() -> PathTable:
    """Return the sample as a table of paths."""
    steps, conversions, nulls = zip(*PATHS, strict=True)
    return PathTable(
        offsets=np.cumsum([0, *map(len, steps)]),
        steps=np.array([step for path in steps for step in path], np.int64),
        groups=len(CHANNELS),
        conversions=np.array(conversions, np.float64),
        value=np.array(conversions, np.float64) * VALUE_OF_A_CONVERSION,
        nulls=np.array(nulls, np.float64),
    )
