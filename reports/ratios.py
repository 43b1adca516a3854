"""What channels returned, whoever says so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """Revenue for each unit of spend, with its interval; a rule has none: both ends are the ratio itself."""

    value: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        return self.low < self.high

    def meets(self, low: float, high: float) -> bool:
        """Whether its interval and another one have a ratio in common."""
        return self.low <= high and self.high >= low
