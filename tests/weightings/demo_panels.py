"""The demo world by week, as a panel, without a database; and what becomes of it where something is planted."""

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketing.demo import tables
from marketing.demo.simulation import simulate
from marketing.frames import MediaPanel
from marketing.periods import day_number

FloatArray = npt.NDArray[np.float64]
WEEKS = 104
END = dt.date(2026, 6, 28)  # a Sunday


@cache
def demo_panel(seed: int, *, without: str = "") -> MediaPanel:
    """Two years of revenue, spend and controls. `without`: a channel that never spends; all else is as it was."""
    days = 7 * WEEKS
    simulation = simulate(end=END, seed=seed, days=days, without_spend=frozenset({without} if without else ()))
    first = END - dt.timedelta(days - 1)
    spend = tables.spend_table(simulation)
    outcomes, controls = tables.outcomes_table(simulation), tables.controls_table(simulation)
    sales = outcomes[outcomes["outcome"] == "Sales"]
    channels = tuple(spend["channel"].unique())
    names = tuple(controls["control"].unique())
    spent, shown = (
        np.column_stack([_by_week(spend[spend["channel"] == name], column, first) for name in channels])
        for column in ("spend", "impressions")
    )
    return MediaPanel(
        granularity="week",
        period_start=day_number(first) + 7 * np.arange(WEEKS, dtype=np.int64),
        history=0,
        outcome=_by_week(sales, "value", first),
        outcome_name="Sales",
        is_money=True,
        bounds=None,
        channels=channels,
        spend=spent,
        exposure=shown,
        exposure_units=("impressions",) * len(channels),
        organic=(),
        organic_exposure=np.zeros((WEEKS, 0)),
        organic_units=(),
        controls=names,
        control=np.column_stack(
            [_by_week(controls[controls["control"] == name], "value", first) / 7 for name in names]
        ),
        events=(),
        event=np.zeros((WEEKS, 0)),
        holidays=(),
        holiday=np.zeros((WEEKS, 0)),
    )


def up_to(panel: MediaPanel, weeks: int) -> MediaPanel:
    """The panel as it was when it had so many weeks."""
    rows = ("period_start", "outcome", "spend", "exposure", "organic_exposure", "control", "event", "holiday")
    return replace(panel, **{name: getattr(panel, name)[:weeks] for name in rows})


def with_effect_doubled(seed: int, channel: str, since: int) -> MediaPanel:
    """The world in which a channel brings twice as much from a week on: what it truly brought is there once more.

    All of it that falls into these weeks, so also what is carried over from before them.
    """
    whole, without = demo_panel(seed), demo_panel(seed, without=channel)
    brought = np.where(np.arange(WEEKS) < since, 0.0, whole.outcome - without.outcome)
    return replace(whole, outcome=whole.outcome + brought)


def with_spend_restated(panel: MediaPanel, channel: str, times: float, weeks: int) -> MediaPanel:
    """The panel as it is once it turns out that a channel had cost another amount in the first weeks."""
    spend = panel.spend.copy()
    spend[:weeks, panel.channels.index(channel)] *= times
    return replace(panel, spend=spend)


def with_level_dropped(panel: MediaPanel, share: float, since: int) -> MediaPanel:
    """The panel in which a share of all sales is lost from a week on."""
    return replace(panel, outcome=np.where(np.arange(len(panel)) < since, 1.0, 1.0 - share) * panel.outcome)


def _by_week(table: pd.DataFrame, column: str, first: dt.date) -> FloatArray:
    week = (table["date"] - pd.Timestamp(first)).dt.days.to_numpy() // 7
    return np.bincount(week, weights=table[column].to_numpy(np.float64), minlength=WEEKS).astype(np.float64)
