"""The lift of a test from its groups: how many people were in them, and how many of them converted.

Of people in a test group (1) and a control group (0), n_g of them with x_g conversions and the rates p_g = x_g / n_g,
the test group has more conversions than it would have had as a control group by

    lift = n_1 (p_1 - p_0),

the difference of two proportions, scaled to the test group. With a value v of each conversion, which differs from one
to the next by the standard deviation s, a person of group g is worth v p_g on average with the variance
v^2 p_g (1 - p_g) + s^2 p_g, so

    standard error = n_1 sqrt( sum_g (v^2 p_g (1 - p_g) + s^2 p_g) / n_g ).

In the standard error, and only there, each group has one conversion and one person without one more than it had:
p_g = (x_g + 1) / (n_g + 2) and n_g + 2 people. So a group without any conversion does not pass for one of which all is
known, and with few conversions intervals hold the truth as often as they should; with many it makes no difference.

Source: Agresti, Caffo 2000, The American Statistician 54(4), 280-288.
"""

import math
from dataclasses import dataclass

ADDED = 1  # conversions, and as many people without one, of each group


@dataclass(frozen=True, slots=True)
class Group:
    """`size` people, 1 or more, of whom `conversions` converted. Raises ValueError for what cannot be."""

    size: int
    conversions: int

    def __post_init__(self) -> None:
        if not (self.size > 0 and 0 <= self.conversions <= self.size):
            raise ValueError(f"Of {self.size} people {self.conversions} cannot have converted.")

    @property
    def rate(self) -> float:
        return self.conversions / self.size

    def variance(self, value: float, spread: float) -> float:
        """Of what a person of the group is worth on average, in the value's unit squared."""
        size = self.size + 2 * ADDED
        rate = (self.conversions + ADDED) / size
        return (value**2 * rate * (1 - rate) + spread**2 * rate) / size


@dataclass(frozen=True, slots=True)
class GroupLift:
    """`conversions`: how many more the test group has. `lift`, `standard_error`: the same in the value's unit."""

    conversions: float
    lift: float
    standard_error: float


def lift_of_groups(test: Group, control: Group, *, value: float = 1.0, spread: float = 0.0) -> GroupLift:
    """The lift of the test group as a whole; either group may be the larger one.

    `value`: of a conversion, account currency. `spread`: its standard deviation from one conversion to the next, 0
    where all are worth the same. Raises ValueError for what is not finite, a value of 0 or less, or a negative spread.
    """
    if not (math.isfinite(value) and value > 0 and math.isfinite(spread) and spread >= 0):
        raise ValueError("Conversions have a value above 0, and a spread of it that is not negative.")
    more = test.size * (test.rate - control.rate)
    variance = test.variance(value, spread) + control.variance(value, spread)
    return GroupLift(conversions=more, lift=value * more, standard_error=test.size * math.sqrt(variance))
