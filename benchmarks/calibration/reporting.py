"""What simulations say of a model: rank distributions, their p-values, and a figure of all of them."""

import io
import math
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.calibration.simulating import RANKED
from benchmarks.calibration.uniformity import at_most, band, p_value
from benchmarks.records import Record

FloatArray: TypeAlias = npt.NDArray[np.float64]

ERROR = 0.01  # that any quantity of any model is called wrong where all are right
COLUMNS, PANEL_INCHES = 4, (1.85, 1.25)
TITLE_WIDTH = 32  # letters that a panel is wide
INSIDE, OUTSIDE, BAND = "#1f4e79", "#b3261e", "#d9dee3"


def summary(model: str, quantities: Sequence[str], records: Sequence[Record], *, compared: int) -> dict[str, Any]:
    """Of all simulations of a model, as JSON. `compared`: the quantities of all models that are judged together.

    `counts`: by quantity, how often each rank from 0 to L came up.
    """
    ranked = [record for record in records if record["ranks"] is not None]
    if not ranked:
        raise ValueError(f"No simulation of “{model}” could be sampled.")
    ranks = np.array([record["ranks"] for record in ranked], np.int64)
    p_values = {name: p_value(ranks[:, place], RANKED) for place, name in enumerate(quantities)}
    return {
        "model": model,
        "simulations": len(records),
        "failed": len(records) - len(ranked),
        "second_attempts": sum(record["attempts"] > 1 for record in records),
        "not_converged": sum(not record["converged"] for record in ranked),
        "max_rhat": max(record["max_rhat"] for record in ranked),
        "min_ess": min(record["min_ess"] for record in ranked),
        "divergences": sum(record["divergences"] for record in ranked),
        "seconds": round(float(np.mean([record["seconds"] for record in records])), 3),
        "draws_ranked": RANKED,
        "error_of_each": ERROR / compared,
        "p_values": p_values,
        "outside": [name for name, value in p_values.items() if value <= ERROR / compared],
        "counts": {
            name: np.bincount(ranks[:, place], minlength=RANKED + 1).tolist() for place, name in enumerate(quantities)
        },
    }


def draw(found: dict[str, Any], path: Path) -> None:
    """One small panel for each quantity: its rank distribution less the uniform one, and the band it should be in.

    Written as SVG; the same numbers give the same file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    names = list(found["counts"])
    rows = math.ceil(len(names) / COLUMNS)
    style: Any = {"svg.hashsalt": "calibration", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 7}
    with mpl.rc_context(style):
        figure = Figure(figsize=(COLUMNS * PANEL_INCHES[0], rows * PANEL_INCHES[1] + 0.5), layout="constrained")
        panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, name in zip(panels, names, strict=False):
            _draw_panel(panel, found, name)
        for panel in panels[max(len(names) - COLUMNS, 0) : len(names)]:
            panel.tick_params(labelbottom=True)
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        figure.supxlabel("Rank of the truth among draws of its posterior, as a share", fontsize=7)
        figure.supylabel("Ranks at most this, less what is expected", fontsize=7)
        figure.suptitle(
            f"{found['model']}: {found['simulations']:,} simulations. Grey: uniform ranks stay inside, "
            f"at all points at once, with a chance of {1 - found['error_of_each']:.2%}",
            fontsize=7,
        )
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    path.parent.mkdir(parents=True, exist_ok=True)
    # A hundredth of a point is seen by nobody, and makes half of the file.
    path.write_text(re.sub(r"(\.\d\d)\d+", r"\1", written.getvalue()))


def _draw_panel(panel: Any, found: dict[str, Any], name: str) -> None:
    draws = found["draws_ranked"]
    ranks = np.repeat(np.arange(draws + 1), found["counts"][name])
    expected = np.arange(1, draws + 1) / (draws + 1)
    low, high = band(len(ranks), draws, found["error_of_each"])
    drawn = np.unique(np.append(np.arange(0, draws, 4), draws - 1))  # the band bends so little that these will do
    edges = [(edge / len(ranks) - expected)[drawn] for edge in (low, high)]
    panel.fill_between(expected[drawn], *edges, color=BAND, linewidth=0)
    colour = OUTSIDE if name in found["outside"] else INSIDE
    panel.plot(expected, at_most(ranks, draws) / len(ranks) - expected, color=colour, linewidth=0.9)
    panel.axhline(0, color="#8a939c", linewidth=0.4)
    title = f"{name.replace('_', ' ')} (p\N{NO-BREAK SPACE}{found['p_values'][name]:.2f})"
    panel.set_title(textwrap.fill(title, TITLE_WIDTH), fontsize=6, color=colour, pad=2)
    panel.set_xlim(0, 1)
    panel.tick_params(labelsize=6, length=2)
    panel.spines[["top", "right"]].set_visible(False)
