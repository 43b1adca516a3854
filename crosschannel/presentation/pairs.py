"""A pair of channels of a run, with what its model of interactions found and what was counted of its journeys."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from charts import Colour
from crosschannel.methods.pairs import IntTable, PairDetails
from crosschannel.presentation.pair_charts import Rate
from marketing.frames import Float64Table


@dataclass(frozen=True, eq=False)
class Pair:
    """Two channels of a run, `a` and `b` by their names there in the order of the alphabet, and what it found of them.

    `found`: their entry in the result, None where they were not looked at; `is_unidentified`: why, where it is that the
    effect cannot be told from others. `details`, `one`, `other`: what was counted, and the places of a and b in it.
    """

    a: str
    b: str
    params: Mapping[str, Any]
    currency: str
    colours: tuple[Colour, Colour]
    found: Mapping[str, Any] | None
    is_unidentified: bool
    details: PairDetails
    one: int
    other: int

    @property
    def level(self) -> str:
        return f"{self.params['confidence']}% interval"

    @cached_property
    def kinds(self) -> tuple[Rate, Rate, Rate, Rate]:
        """Journeys with neither channel, only the first, only the second, and both."""
        of = self.details
        journeys = self._four(of.journeys, int(of.total_journeys.sum()))
        conversions = self._four(of.conversions, int(of.total_conversions.sum()))
        names = ("Neither", f"Only {self.a}", f"Only {self.b}", "Both")
        colours = (Colour.OTHER, *self.colours, Colour.ACCENT)
        neither, only_a, only_b, both = (
            Rate(*kind) for kind in zip(names, journeys, conversions, colours, strict=True)
        )
        return neither, only_a, only_b, both

    @property
    def values(self) -> tuple[float, ...]:
        """The value of the same four kinds of journeys."""
        return self._four(self.details.value, self.details.total_value)

    @property
    def both(self) -> Rate:
        return self.kinds[3]

    @property
    def rest(self) -> Rate:
        """All journeys that do not hold both."""
        others = self.kinds[:3]
        return Rate("All others", sum(kind.journeys for kind in others), sum(kind.conversions for kind in others))

    @property
    def total(self) -> Rate:
        """All journeys."""
        return Rate("All", self.rest.journeys + self.both.journeys, self.rest.conversions + self.both.conversions)

    @property
    def expected_rate(self) -> float | None:
        """What the model of interactions expects of journeys with both, were there no interaction."""
        if self.found is None:
            return None
        return max(self.both.value - float(self.found["effect_per_1000"]) / 1000, 0.0)

    def _four(self, counted: Float64Table | IntTable, total: float) -> tuple[float, ...]:
        """What was counted of the four kinds of journeys; `total`: of all journeys."""
        with_a, with_b = (float(counted[place, place]) for place in (self.one, self.other))
        both = float(counted[self.one, self.other])
        return total - with_a - with_b + both, with_a - both, with_b - both, both
