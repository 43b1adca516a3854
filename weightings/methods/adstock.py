"""Adstock: how the effect of a period's media is spread over the periods that follow.

A_c(x)_t = sum_l w_cl x_(t-l), l = 0..L-1, with sum_l w_cl = 1, so that a channel's adstocked media add up to its media
once the window has passed. Source: Jin, Wang, Sun, Chan, Koehler 2017, "Bayesian methods for media mix modeling with
carryover and shape effects" (Google), section 2.1.

Functions take the array namespace `xp`, `numpy` or `jax.numpy`, so that the sampled density and everything computed
from its draws have one definition. JAX is not imported here.
"""

from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from marketing.frames import Float64Table

Array: TypeAlias = Any  # numpy.ndarray or jax.Array, whichever namespace is passed

ROUNDING = 1e-12  # of sums of weights, which are 1 in all


def geometric_weights(retention: Array, lags: int, xp: ModuleType = np) -> Array:
    """Weights that fall by the same factor each period: w_l = retention^l / sum_k retention^k.

    `retention`: (..., C) float64 in [0, 1], the share of the effect that is left a period later. `lags`: L >= 1, the
    window in periods. Returns (..., C, L) float64, each channel's sum is 1: all of it at lag 0 where `retention` is 0,
    equal where it is 1. Differentiable on the whole of [0, 1].

    Source: Jin et al. 2017, section 2.1. Raises ValueError if `lags` is below 1.
    """
    _require_window(lags)
    retention = xp.asarray(retention)[..., None]
    # Lag 0 is no power of the retention: the derivative of 0^0 is a trap.
    weights = xp.concatenate([xp.ones_like(retention), retention ** xp.arange(1, lags)], axis=-1)
    return weights / weights.sum(axis=-1, keepdims=True)


def delayed_weights(retention: Array, peak_delay: Array, lags: int, xp: ModuleType = np) -> Array:
    """Weights that peak some periods after the media: w_l = retention^((l - peak_delay)^2) / sum_k of the same.

    `retention`: (..., C) float64 in [0, 1]. `peak_delay`: (..., C) float64, periods, in [0, L-1]. `lags`: L >= 1, the
    window in periods. Returns (..., C, L) float64, each channel's sum is 1: all of it at the lag nearest to the peak as
    `retention` goes to 0 (shared by two lags that are equally near), equal where it is 1. Derivatives are finite
    everywhere; at `retention` 0, where the true one by the retention may be infinite, it is given as 0.

    Source: Jin et al. 2017, section 2.1. Raises ValueError if `lags` is below 1.
    """
    _require_window(lags)
    retention, peak_delay = xp.asarray(retention), xp.asarray(peak_delay)
    distance = (xp.arange(lags) - peak_delay[..., None]) ** 2
    # Measured from the nearest lag, which leaves the normalised weights as they are, and their sum is at least 1.
    distance = distance - distance.min(axis=-1, keepdims=True)
    log_retention = xp.log(xp.maximum(retention, xp.finfo(retention.dtype).tiny))
    weights = xp.exp(distance * log_retention[..., None])
    return weights / weights.sum(axis=-1, keepdims=True)


def lagged(media: Float64Table, lags: int) -> Float64Table:
    """What was spent or shown 0, 1, ... L-1 periods ago, computed once: the adstock is then one product.

    `media`: (N, C) float64, in time order; the periods of history that the caller has stand in front. `lags`: L >= 1.
    Returns (C, L, N) float64 with [c, l, n] = media[n - l, c], and 0 before the first period.

    Raises ValueError if `lags` is below 1 or `media` is no table.
    """
    _require_window(lags)
    if media.ndim != 2:
        raise ValueError(f"Media must have shape (periods, channels), but they have {media.shape}.")
    periods, channels = media.shape
    past = np.zeros((channels, lags, periods))
    for lag in range(min(lags, periods)):
        past[:, lag, lag:] = media[: periods - lag].T
    return past


def adstock(lagged: Array, weights: Array, xp: ModuleType = np) -> Array:
    """Adstocked media: A_cn = sum_l lagged_cln w_cl.

    `lagged`: (C, L, N) float64, from `lagged()`. `weights`: (..., C, L) float64. Returns (..., C, N) float64, in the
    units of the media. Differentiable.
    """
    return xp.einsum("cln,...cl->...cn", lagged, weights)


def periods_until(weights: Array, share: float) -> Array:
    """Within how many periods, that of the media itself included, this share of the effect comes.

    `weights`: (..., L) float64, as the functions above return them. `share`: in (0, 1]. Returns (...) int64 in 1..L.
    """
    reached = np.cumsum(weights, axis=-1) >= share - ROUNDING
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1, np.shape(weights)[-1])


def _require_window(lags: int) -> None:
    if lags < 1:
        raise ValueError(f"An adstock window must have at least 1 period, but it has {lags}.")
