"""How much more often some journeys convert than all others do: described with caution where they are few."""

from dataclasses import dataclass

PRIOR_CONVERSIONS = 10.0


@dataclass(frozen=True, slots=True)
class Lift:
    """`expected`: the conversions of some journeys, had they converted as often as the others; `shrunk`: the lift."""

    expected: float
    shrunk: float


def shrunk_lift(*, journeys: float, conversions: float, other_journeys: float, other_conversions: float) -> Lift | None:
    """Return the lift of some journeys over all others, shrunk toward 1; None where there are no others.

    Conversions are taken as Poisson with mean `lift * expected`, where `expected = journeys * other_conversions /
    other_journeys`, and the lift beforehand as Gamma with shape and rate both PRIOR_CONVERSIONS: its mean is 1, and 95%
    of it lies between 0.48 and 1.71. The posterior mean is

        (conversions + PRIOR_CONVERSIONS) / (expected + PRIOR_CONVERSIONS)

    as if ten more conversions had been seen where ten were expected: a pair with few conversions is near 1 whatever
    they are, one with hundreds is as it was seen. Source: DuMouchel 1999, "Bayesian Data Mining in Large Frequency
    Tables", The American Statistician 53, with one fixed prior instead of a fitted mixture of two.

    It describes and explains nothing: journeys with two channels are longer than others, and longer journeys convert at
    another rate whatever they meet. What a pair does is for `crosschannel.methods.interactions` to say.
    """
    if not other_journeys:
        return None
    expected = journeys * other_conversions / other_journeys
    return Lift(expected, (conversions + PRIOR_CONVERSIONS) / (expected + PRIOR_CONVERSIONS))
