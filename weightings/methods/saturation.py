"""Saturation: how the effect of a period's media flattens as there is more of them.

Both curves rise from 0 towards 1. Functions take the array namespace `xp`, `numpy` or `jax.numpy`, so that the sampled
density and everything computed from its draws have one definition. JAX is not imported here.
"""

from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # numpy.ndarray or jax.Array, whichever namespace is passed

LARGEST_LOGIT = 300.0  # e^300 can still be squared in float64, as the derivative does


def hill(x: Array, half_saturation: Array, slope: Array, xp: ModuleType = np) -> Array:
    """The Hill curve: x^slope / (x^slope + half_saturation^slope).

    `x`: float64 >= 0, adstocked media. `half_saturation`: > 0, in units of `x`: the curve is 1/2 there. `slope`: >= 0;
    above 1 the curve is S-shaped. All three broadcast. Returns float64 in [0, 1], 0 at `x` = 0 (whatever the
    slope); a value that is not 0 is at least 1e-131.

    Derivatives are finite everywhere: at `x` = 0, where the true one may be infinite, they are given as 0.

    Source: Jin, Wang, Sun, Chan, Koehler 2017, "Bayesian methods for media mix modeling with carryover and shape
    effects" (Google), section 2.2.
    """
    x = xp.asarray(x)
    some = x > 0
    # In logs, x^slope cannot overflow. The inner `where` keeps log(0) out of the derivative too.
    logit = slope * (xp.log(xp.where(some, x, 1.0)) - xp.log(half_saturation))
    share = 1.0 / (1.0 + xp.exp(-xp.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT)))
    return xp.where(some, share, 0.0)


def logistic(x: Array, rate: Array, xp: ModuleType = np) -> Array:
    """The logistic curve from its midpoint on: (1 - exp(-rate x)) / (1 + exp(-rate x)) = tanh(rate x / 2).

    `x`: float64 >= 0, adstocked media. `rate`: >= 0, per unit of `x`; the slope at 0 is rate / 2. Both broadcast.
    Returns float64 in [0, 1]. Differentiable.

    Source: `logistic_saturation` of PyMC-Marketing 0.19.2.
    """
    return xp.tanh(xp.asarray(rate) * x / 2)
