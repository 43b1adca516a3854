"""A finished forecast for its presenters: its numbers as text, with their units."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from analyses.documents import NO_FIGURE, Figure
from analyses.models import Run
from charts import Colour, channel_colour
from marketing.channel_index import channel_index
from marketing.models import Channel
from mmm_project import formats
from weightings.presentation.results import Result


class ForecastResult(Result):
    """A forecast has its outcome, period, channels and series as a weightings result does, but of periods to come.

    `is_sample`: its channels are made up, whatever they are called.
    """

    def __init__(self, run: Run, *, is_sample: bool = False) -> None:
        super().__init__(run)
        self.is_sample = is_sample

    @cached_property
    def _known(self) -> Mapping[str, Channel]:
        """The workspace's channels, by the names that the forecast has for them; a sample has none of them."""
        if self.is_sample:
            return {}
        index = channel_index(workspace=self.run.workspace)
        named = {channel["channel"]: index.named(channel["channel"]) for channel in self.channels}
        return {name: channel for name, channel in named.items() if channel}

    @cached_property
    def model(self) -> Result | None:
        """What the model says by which this was forecast; None of a sample, and where the run was deleted since."""
        asked = self.data["model_run"]["id"]
        if not asked:
            return None
        found = Run.objects.select_related("workspace").filter(workspace=self.run.workspace, pk=asked).first()
        return Result(found) if found and found.result else None

    def href(self, channel: str) -> str:
        """The page of what the model says of the channel."""
        return self.model.href(channel) if self.model else ""

    def colour(self, channel: str) -> Colour:
        if self.is_sample:
            return channel_colour([one["channel"] for one in self.channels].index(channel) + 1)
        known = self._known.get(channel)
        return channel_colour(known.colour_slot) if known else Colour.OTHER

    @property
    def series(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.data["series"]
        return found

    @property
    def periods(self) -> int:
        return int(self.data["period"]["periods"])

    @property
    def periods_words(self) -> str:
        """How many periods there are: "13 weeks"."""
        return formats.count(self.periods, self.granularity)

    @property
    def in_all(self) -> str:
        """How numbers of all periods are put together: "in all", "on average"."""
        return "in all" if self.bounds is None else "on average"

    def amount(self, value: float | None) -> Figure:
        """An amount of the outcome, as the result has it, without an interval; a dash where it is not known."""
        if value is None:
            return Figure(NO_FIGURE, "Not known")
        shown = self.factor * value
        return Figure(self.rounded(shown), self.in_full(shown), shown)

    def spent(self, place: int) -> float:
        """What all channels together spend in a period."""
        return float(sum(channel["spend"][place] for channel in self._paid_series))

    @property
    def _paid_series(self) -> Sequence[Mapping[str, Any]]:
        return [channel for channel in self.series["channels"] if channel["spend"] is not None]
