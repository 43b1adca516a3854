"""What can be said of a pair of channels."""

from enum import StrEnum

LEAST_TOGETHER = 50  # journeys that hold both, and that hold one without the other, for a pair to be looked at
LEAST_EXPECTED = 5.0  # conversions among those with both, were they like all others


class Verdict(StrEnum):
    """What the evidence says of a pair."""

    SYNERGY = "synergy"
    CANNIBALISATION = "cannibalisation"
    INCONCLUSIVE = "inconclusive"
