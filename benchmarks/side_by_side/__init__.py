"""The media mix model beside its peers: Google Meridian, PyMC-Marketing (sampled by nutpie) and LightweightMMM.

All fit the same six simulated markets (`tests/weightings/worlds.py`: 156 weeks, 5 channels, known ROI, none from the
family of any of the models), each as its own documentation says (`fit_*.py`), in a process of its own environment
(`make setup-peers`), one world after another. The first is *cold*: nothing was compiled or cached before, and its time
counts from the start of the process. The others are *warm*: new data of the same shapes in the same process.

What counts is the time from the data to a converged posterior: R-hat at most 1.01, bulk and tail ESS at least 400, of
every parameter that was sampled, all by `weightings/methods/convergence.py`, whose own time does not count. What has
not converged is fitted anew with twice as many draws, within a budget of seconds per world for all attempts together;
only the one that converged is timed, as if its user had known how many draws it takes. Without one the budget counts.

`SIDE_BY_SIDE_BUDGET`: seconds per world (300). `SIDE_BY_SIDE_SYSTEMS`: which systems, by name (all).
`SIDE_BY_SIDE_RECORDS`: a file in which fits are kept as they come: an interrupted run goes on where it stopped, and its
next world is cold. `PEERS`: the folder of the peers' environments (var/peers).
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Database, Measurement
from benchmarks.records import Records
from benchmarks.side_by_side.measuring import measure
from benchmarks.side_by_side.programs import System, systems
from benchmarks.side_by_side.summary import measurements
from benchmarks.side_by_side.worlds import STUDY, write_worlds

RECORDS = "SIDE_BY_SIDE_RECORDS"
BUDGET_SECONDS = float(os.environ.get("SIDE_BY_SIDE_BUDGET", "300"))


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    asked = asked_systems()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        path = Path(os.environ.get(RECORDS, folder / "side_by_side.jsonl"))
        records = Records(path, STUDY | {"budget_seconds": BUDGET_SECONDS})
        worlds = write_worlds(folder)
        for system in asked:
            if obstacle := system.obstacle:
                print(obstacle, file=sys.stderr, flush=True)
            else:
                measure(system, worlds, records, folder, budget_seconds=BUDGET_SECONDS)
    return measurements(asked, [world.name for world in worlds], records)


def asked_systems() -> list[System]:
    """Those that SIDE_BY_SIDE_SYSTEMS names, or all. Ends the program where it names another."""
    known = {system.name: system for system in systems()}
    names = os.environ.get("SIDE_BY_SIDE_SYSTEMS", "").replace(",", " ").split() or list(known)
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"SIDE_BY_SIDE_SYSTEMS: there is no {', '.join(unknown)}, only {', '.join(known)}.")
    return [known[name] for name in names]
