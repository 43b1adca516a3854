"""How precise a test has to be to be worth its cost: what it adds to what a model knows of a channel's return.

If a return on spend is Normal(m, v) by what is known, and a test on the spend x measures the lift r x with the standard
error e, the return is known with the variance 1 / (1 / v + (x / e)^2) afterwards (the conjugate normal update). For
its standard deviation to be the share k of what it was,

    e = x sqrt(v) / sqrt(1 / k^2 - 1);    to halve it, e = x sqrt(v / 3), that is 1 / e^2 = 3 / (x^2 v).
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

HALF = 0.5


def required_error(returns: FloatArray, spend: float, *, share: float = HALF) -> float:
    """The largest standard error of a lift that leaves `share` of the standard deviation of `returns`, draws (S,).

    In the outcome's unit, for a test on `spend`. Raises ValueError for a share that is not between 0 and 1, less than
    two draws, or spend that is not above 0.
    """
    if not 0 < share < 1:
        raise ValueError("A test leaves a share of what is uncertain, between 0 and 1.")
    if len(returns) < 2 or not spend > 0:
        raise ValueError("A test has spend, and a channel's return several draws.")
    return float(spend * np.std(returns, ddof=1) / math.sqrt(1 / share**2 - 1))
