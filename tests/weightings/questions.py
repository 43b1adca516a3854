"""Questions for the program that fits models, small enough for tests: sixty weeks of two channels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from tests.weightings.worlds import panel
from weightings import fit_program
from weightings.methods.storing import pack_panel

FloatArray = npt.NDArray[np.float64]
Answered = tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]
WEEKS = 60
TRUE_ROI = np.array([2.0, 0.8])


def spend_of(seed: int = 21) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.gamma(1.5, 400, (WEEKS, 2)) * (rng.random((WEEKS, 2)) < 0.85))


def market(spend: FloatArray | None = None, **kwargs: Any) -> MediaPanel:
    """Sales that follow spend in a straight line, and a season."""
    spend = spend_of() if spend is None else spend
    rng = np.random.default_rng(22)
    outcome = 6000 + 500 * np.sin(2 * np.pi * np.arange(WEEKS) / 52) + spend @ TRUE_ROI + rng.normal(0, 150, WEEKS)
    return panel(outcome, spend, names=("TV", "Search"), **kwargs)


def ask(given: MediaPanel, *, report: Any = lambda _phase, _share: None, **changed: Any) -> Answered:
    """The program's answer, fitted in this process."""
    described, arrays = pack_panel(given)
    question = {
        "panel": described,
        "model": "hill",
        "window": [0, len(given)],
        "confidence": 90,
        "seed": 5,
        "draws": 1000,
        "folds": 0,
        "horizon": 6,
        "threads": 2,
        "effects": {},
        "knots": None,
    }
    return fit_program.fit(question | changed, arrays, report)
