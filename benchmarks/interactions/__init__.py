"""How often pairs of channels are called that do nothing together, and how many that do are found.

Simulated journeys whose truth is known (`worlds`): 1,000 worlds without any interaction, and worlds with two planted
synergies and two cannibalisations of 45 pairs, beside what lesser models call in the same worlds.
`INTERACTION_WORLDS` sets the number of worlds without interaction; of the planted there are three tenths as many.
"""

import math
import os

from benchmarks.harness import PEAK, Database, Measurement, run_step

WORLDS = int(os.environ.get("INTERACTION_WORLDS", "1_000"))
PLANTED_WORLDS = max(WORLDS * 3 // 10, 2)
LESSER_WORLDS = max(WORLDS // 10, 2)
LEVELS = (0.05, 0.10)
STANDARD_ERRORS = 2.3  # that the share of worlds with a call may lie above the level, by chance
SLACK = 1.2  # of the level, for the realised false discovery rate
PROGRAM = "benchmarks.interactions.__main__"


def run(_database: Database) -> list[Measurement]:
    found = run_step(PROGRAM, "study", os.environ)
    measurements = []
    for level in LEVELS:
        at_most = level + STANDARD_ERRORS * math.sqrt(level * (1 - level) / WORLDS)
        name = f"no interaction | any call at q = {level:.2f}"
        measurements += _with_error(found, name, at_most=at_most)
    for confounding in ("usual", "steered"):
        for level in LEVELS:
            name = f"planted, {confounding} | false discovery rate at q = {level:.2f}"
            measurements += _with_error(found, name, at_most=SLACK * level)
            measurements += _with_error(found, f"planted, {confounding} | power at q = {level:.2f}")
    for name in found:
        if name.startswith("lesser") and not name.endswith("error"):
            measurements += _with_error(found, name)
    return [
        *measurements,
        Measurement("the whole study, on two cores", found["seconds"], "s"),
        Measurement("  peak memory", found[PEAK], "MiB"),
    ]


def _with_error(found: dict[str, float], name: str, at_most: float | None = None) -> list[Measurement]:
    return [
        Measurement(name, 100 * found[name], "%", at_most=None if at_most is None else 100 * at_most),
        Measurement("  standard error", 100 * found[f"{name} | error"], "%"),
    ]
