"""What a forecast shows, on a small sample: for workspaces whose plan does not include it.

The market is made up, and so are the draws of its model, which nobody has fitted; what follows from them is computed as
everybody's forecast is.
"""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from accounts.models import Workspace
from analyses.documents import Card, Section
from analyses.models import Run
from marketing.periods import EPOCH
from weightings.forecasts.horizon import Horizon
from weightings.forecasts.presentation.document import cards, sections_of
from weightings.forecasts.presentation.result import ForecastResult
from weightings.forecasts.presentation.words import headline

if TYPE_CHECKING:
    from marketing.frames import MediaPanel
    from weightings.methods.forecasting.forecast import FloatArray, Forecast

CHANNELS = ("Search", "Video", "Social", "Radio")
SPEND_PER_WEEK = (6000.0, 5000.0, 3500.0, 2500.0)
RETURNS = (2.4, 1.6, 1.3, 1.1)
WEEKS, AHEAD, FOLDS, DRAWS = 130, 13, 3, 400
FIRST_MONDAY = 19_723  # 2024-01-01, days since 1970
BASELINE, SEASON, NOISE = 60_000.0, 6_000.0, 4_000.0
SHARE_OF_SPREAD = 0.2  # of what is believed beforehand, that data of this kind leave open
CONFIDENCE = 90


@dataclass(frozen=True)
class _HeldBack:
    """As `weightings.methods.fitting.Fold` has it, which brings JAX."""

    origin: int
    horizon: int
    observed: "FloatArray"
    predicted: "FloatArray"
    converged: bool = True


def sample(workspace: Workspace) -> tuple[str, tuple[Card, ...], tuple[Section, ...]]:
    """Return headline, cards and sections of the sample's forecast, in the workspace's currency."""
    result = ForecastResult(Run(workspace=workspace, kind="forecast", params={}, result=_result()), is_sample=True)
    return headline(result), cards(result), sections_of(result)


@cache
def _result() -> dict[str, Any]:
    # Here, not above: the methods take a second to import, and only the first to look at the sample waits for them.
    from weightings.forecasts.answers import forecast_json
    from weightings.methods.forecasting.backtest import held_back_json

    panel = _market()
    first = EPOCH.date() + dt.timedelta(int(panel.period_start[0]))
    last = first + dt.timedelta(7 * WEEKS - 1)
    ahead = Horizon.after(last, "week", AHEAD)
    found = _forecast(panel, panel.spend[WEEKS - 52 :][:AHEAD])
    folds: list[Any] = [_tried(panel, WEEKS - AHEAD * place) for place in range(1, FOLDS + 1)]
    return {
        "model": "hill",
        "model_run": {"id": "", "converged": True, "verdict": "good"},
        "outcome": {"name": panel.outcome_name, "kind": "sales", "is_money": True, "bounds": None, "unit": ""},
        "granularity": "week",
        "period": {"start": f"{ahead.starts[0]}", "end": f"{ahead.end}", "periods": AHEAD, "first": 0},
        "estimation": {"start": f"{first}", "end": f"{last}", "periods": WEEKS, "history": 0},
        "confidence": CONFIDENCE,
        "spent_as": None,
        "holidays": {},
        **forecast_json(panel, found, CONFIDENCE / 100),
        "backtest": held_back_json(panel, folds, level=0.9),
        "remarks": [],
    }


def _market() -> "MediaPanel":
    """Weekly sales that follow the season and, with a carry-over, what was spent."""
    import numpy as np

    from marketing.frames import MediaPanel

    rng = np.random.default_rng(61)
    season = np.sin(2 * np.pi * (np.arange(WEEKS) / 52 - 0.2))
    on_air = np.repeat(rng.random((WEEKS // 5, len(CHANNELS))) < (1.0, 0.6, 0.8, 0.5), 5, axis=0)
    spend = np.array(SPEND_PER_WEEK) * on_air * rng.gamma(6, 1 / 6, (WEEKS, len(CHANNELS)))
    spend *= 1 + 0.2 * season[:, None]
    stock = spend.copy()
    for week in range(1, WEEKS):
        stock[week] += 0.4 * stock[week - 1]
    curved = stock / (stock + 2 * np.array(SPEND_PER_WEEK))
    added = curved * (np.array(RETURNS) * spend.sum(axis=0) / curved.sum(axis=0))
    outcome = BASELINE + SEASON * season + 40 * np.arange(WEEKS) + added.sum(axis=1) + rng.normal(0, NOISE, WEEKS)
    nothing = np.zeros((WEEKS, 0))
    return MediaPanel(
        granularity="week",
        period_start=FIRST_MONDAY + 7 * np.arange(WEEKS, dtype=np.int64),
        history=0,
        outcome=outcome,
        outcome_name="Sales",
        is_money=True,
        bounds=None,
        channels=CHANNELS,
        spend=spend,
        exposure=spend,
        exposure_units=("spend",) * len(CHANNELS),
        organic=(),
        organic_exposure=nothing,
        organic_units=(),
        controls=(),
        control=nothing,
        events=(),
        event=nothing,
        holidays=(),
        holiday=nothing,
    )


def _forecast(panel: "MediaPanel", spend: "FloatArray") -> "Forecast":
    """From draws of the media around what is true of them, and of the baseline as the data then leave it."""
    import numpy as np

    from weightings.methods.forecasting.forecast import forecast
    from weightings.methods.forecasting.forecast_plan import Plan
    from weightings.methods.posterior import posterior_of
    from weightings.methods.preparing import Choices, prepare

    prepared = prepare(panel, Choices())
    prior, rng = prepared.data["priors"], np.random.default_rng(62)
    positions = SHARE_OF_SPREAD * rng.standard_normal((DRAWS, prepared.model.size))
    positions[:, : len(CHANNELS)] += (np.log(RETURNS) - prior["effect_location"]) / prior["effect_spread"]
    positions[:, -1] += (np.log(NOISE / prepared.scale.unit) - prior["sigma_location"]) / prior["sigma_spread"]
    return forecast(panel, posterior_of(prepared, positions, rng), Plan(spend=spend), knots=None)


def _tried(panel: "MediaPanel", origin: int) -> _HeldBack:
    """The weeks from `origin` on, forecast by who knows only those before, and what was spent in them."""
    known = ("period_start", "outcome", "spend", "exposure", "organic_exposure", "control", "event", "holiday")
    before = replace(panel, **{name: getattr(panel, name)[:origin] for name in known})
    found = _forecast(before, panel.spend[origin : origin + AHEAD])
    return _HeldBack(origin, AHEAD, panel.outcome[origin : origin + AHEAD], found.predicted)
