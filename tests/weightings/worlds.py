"""Simulated markets whose truth is known. None is from the family of the model that is fitted to them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel

FloatArray: TypeAlias = npt.NDArray[np.float64]
Family: TypeAlias = Literal["delayed", "power", "exponential", "walk", "correlated", "noisy", "short"]
FAMILIES: tuple[Family, ...] = ("delayed", "power", "exponential", "walk", "correlated", "noisy", "short")
FIRST_MONDAY = 18995  # 2022-01-03, days since 1970
BURN_IN = 26
RETURNS = (0.3, 0.6)  # location and spread of the logarithm of channels' true ROI


@dataclass(frozen=True)
class World:
    """A panel, and the true ROI of each channel, (C,): its incremental outcome over the panel's periods' spend.

    As the model has it: carry-over behind the last period counts, and what media from before the first add does not.

    `spend`: (BURN_IN + T, C), also from before the panel. `added`: what such spend adds in the outcome's periods and
    the BURN_IN - 1 behind them.
    """

    family: Family
    panel: MediaPanel
    roi: FloatArray
    spend: FloatArray
    added: Callable[[FloatArray], FloatArray]


def panel(
    outcome: FloatArray,
    spend: FloatArray,
    *,
    history: int = 0,
    granularity: Literal["day", "week", "month"] = "week",
    is_money: bool = True,
    bounds: tuple[float, float] | None = None,
    controls: FloatArray | None = None,
    control_names: tuple[str, ...] | None = None,
    names: tuple[str, ...] | None = None,
) -> MediaPanel:
    """A panel of `spend` (N, C), which is also what acts, and an outcome (N - history,)."""
    periods, channels = spend.shape
    control = np.zeros((periods - history, 0)) if controls is None else controls
    days = {"day": 1, "week": 7, "month": 30}[granularity]
    names = names or tuple(f"Channel {place + 1}" for place in range(channels))
    return MediaPanel(
        granularity=granularity,
        period_start=FIRST_MONDAY + days * np.arange(periods, dtype=np.int64),
        history=history,
        outcome=np.asarray(outcome, np.float64),
        outcome_name="Sales",
        is_money=is_money,
        bounds=bounds,
        channels=names,
        spend=np.asarray(spend, np.float64),
        exposure=np.asarray(spend, np.float64),
        exposure_units=("spend",) * channels,
        organic=(),
        organic_exposure=np.zeros((periods, 0)),
        organic_units=(),
        controls=control_names or tuple(f"Control {place + 1}" for place in range(control.shape[1])),
        control=control,
        events=(),
        event=np.zeros((periods - history, 0)),
        holidays=(),
        holiday=np.zeros((periods - history, 0)),
    )


def world(family: Family, seed: int, *, channels: int = 5, returns: tuple[float, float] = RETURNS) -> World:
    """A market of 156 weeks (80 if short) of one family; everything follows from the seed.

    `returns`: location and spread of the logarithm of channels' true ROI.
    """
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    weeks = 80 if family == "short" else 156
    spend = _spend(rng, weeks + BURN_IN, channels, shared=0.7 if family == "correlated" else 0.0)
    retention = rng.uniform(0.1, 0.7, channels)
    shape = _response(family, rng, channels)
    delay = rng.uniform(0.5, 2.5, channels) if family == "delayed" else None
    weekly = 1e5
    base = weekly * (1 + _seasons(rng, weeks) + _trend(rng, weeks, restless=family == "walk"))
    roi = np.exp(rng.normal(*returns, channels))
    spend *= 0.3 * base.mean() / (roi * spend.mean(axis=0)).sum()  # media make roughly a quarter of the outcome
    usual = spend.mean(axis=0)

    def response_to(media: FloatArray) -> FloatArray:
        followed = np.pad(media, ((0, BURN_IN - 1), (0, 0)))
        return np.asarray(shape(_carried(followed, retention, delay) / usual)[BURN_IN:])

    before = spend.copy()
    before[BURN_IN:] = 0
    beta = roi * spend[BURN_IN:].sum(axis=0) / (response_to(spend) - response_to(before)).sum(axis=0)
    effect = (beta * response_to(spend))[:weeks].sum(axis=1)
    noise = rng.normal(0, (0.12 if family == "noisy" else 0.05) * weekly, weeks)
    given = panel(base + effect + noise, spend[BURN_IN:])
    return World(family, given, roi, spend, lambda media: beta * response_to(media))


def _spend(rng: np.random.Generator, weeks: int, channels: int, *, shared: float) -> FloatArray:
    common, own = rng.normal(0, 1, (weeks, 1)), rng.normal(0, 1, (weeks, channels))
    season = 0.3 * np.sin(2 * np.pi * (np.arange(weeks)[:, None] / 52.18 + rng.random(channels)))
    spend = np.exp(season + 0.6 * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own))
    flighted = rng.random(channels) < 0.4
    on_air = np.repeat(rng.random((weeks // 4 + 1, channels)) < 0.6, 4, axis=0)[:weeks]
    return np.asarray(np.where(flighted, spend * on_air, spend) * rng.uniform(0.5, 3, channels))


def _carried(spend: FloatArray, retention: FloatArray, delay: FloatArray | None) -> FloatArray:
    lag = np.arange(BURN_IN)[:, None]
    weights = retention**lag if delay is None else retention ** ((lag - delay) ** 2)
    weights = weights / weights.sum(axis=0)
    carried = np.zeros_like(spend)
    for place in range(BURN_IN):
        carried[place:] += weights[place] * spend[: len(spend) - place]
    return carried


def _response(family: Family, rng: np.random.Generator, channels: int):  # type: ignore[no-untyped-def]
    if family == "power":
        power = rng.uniform(0.4, 0.9, channels)
        return lambda stock: stock**power
    rate = rng.uniform(0.3, 1.5, channels)
    return lambda stock: 1 - np.exp(-rate * stock)


def _seasons(rng: np.random.Generator, weeks: int) -> FloatArray:
    angle = 2 * np.pi * np.arange(weeks) / 52.18
    return np.asarray(
        sum(rng.normal(0, 0.1 / k) * np.sin(k * angle) + rng.normal(0, 0.1 / k) * np.cos(k * angle) for k in (1, 2, 3))
    )


def _trend(rng: np.random.Generator, weeks: int, *, restless: bool) -> FloatArray:
    if restless:
        return np.cumsum(rng.normal(0, 0.02, weeks))
    return rng.normal(0, 0.1) * np.arange(weeks) / 52
