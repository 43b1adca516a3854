"""A finished run's result for its presenters: what it is about, and its numbers as text, with their units."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from django.urls import reverse

from analyses.documents import NO_FIGURE, Figure
from charts import Category, Colour, Mark, channel_colour
from marketing.channel_index import channel_index
from marketing.periods import Period
from mmm_project import formats
from weightings.labels import MODEL_LABELS

if TYPE_CHECKING:
    from analyses.models import Run

Text: TypeAlias = Callable[[float], str]
Summary: TypeAlias = Mapping[str, float | None]

MOST_PER_SPEND = 1_000_000
SHARE = [0, 1]  # bounds within which an outcome is a share of one
LONGEST_LABEL = 28


class Result:
    """A finished run's result. `paid`, `organic`: its channels with and without spend, as the result has them."""

    def __init__(self, run: "Run") -> None:
        assert run.result is not None  # noqa: S101 - only finished runs are presented
        self.run = run
        self.params: Mapping[str, Any] = run.params
        self.data: Mapping[str, Any] = run.result
        self.currency = run.workspace.currency
        self.outcome: str = self.data["outcome"]["name"]
        self.bounds: Sequence[float] | None = self.data["outcome"]["bounds"]
        self.is_money = bool(self.data["outcome"]["is_money"]) and self.bounds is None
        self.granularity: str = self.data["granularity"]
        self.channels: Sequence[Mapping[str, Any]] = self.data["channels"]
        self.paid = [channel for channel in self.channels if channel["kind"] == "paid"]
        self.organic = [channel for channel in self.channels if channel["kind"] != "paid"]

    @property
    def converged(self) -> bool:
        return bool(self.data["diagnostics"]["converged"])

    @property
    def verdict(self) -> str:
        return str(self.data["verdict"])

    @property
    def model_label(self) -> str:
        return MODEL_LABELS.get(self.data["model"], str(self.data["model"]))

    @property
    def interval_words(self) -> str:
        return f"{self.data['confidence']}% interval"

    @property
    def period(self) -> Period:
        return _period(self.data["period"])

    @property
    def estimation(self) -> Period:
        return _period(self.data["estimation"])

    @property
    def window(self) -> slice:
        """The places of the period that is reported in what the result has by period of the estimation."""
        first = int(self.data["period"]["first"])
        return slice(first, first + int(self.data["period"]["periods"]))

    @property
    def factor(self) -> float:
        """What numbers of the outcome are shown in multiples of: shares of one as percentage points."""
        return 100.0 if self.bounds is not None and list(self.bounds) == SHARE else 1.0

    @property
    def unit(self) -> str:
        """What amounts of the outcome are in, for an axis."""
        return self.currency if self.is_money else "points" if self.bounds is not None else "number"

    def rounded(self, value: float) -> str:
        """An amount of the outcome, already in multiples of `factor`, with its unit: "€12.3 k", "3.4 points"."""
        if self.is_money:
            return formats.short_money(value, self.currency)
        if self.bounds is not None:
            text = formats.count(round(value, 1))
            return f"{text} point" if text == "1" else f"{text} points"
        return formats.short_count(value)

    def tick(self, value: float) -> str:
        """The same where the unit has been said: at an axis, or at the ends of an interval in points."""
        return formats.count(round(value, 1)) if self.bounds is not None else self.rounded(value)

    def in_full(self, value: float) -> str:
        """The same, not shortened."""
        if self.is_money:
            return formats.money(value, self.currency)
        return f"{formats.count(value)}{' points' if self.bounds is not None else ''}"

    def money(self, value: float) -> Figure:
        return Figure(formats.short_money(value, self.currency), formats.money(value, self.currency), value)

    def amounts(self, found: Summary, *, middle: str = "median") -> Figure:
        """An amount of the outcome with its interval."""
        return figure(found, self.rounded, self.in_full, factor=self.factor, middle=middle, ends=self.tick)

    @property
    def return_key(self) -> str:
        """What a channel's return is called in the result."""
        return "roi" if self.is_money else "incremental_per_spend"

    @cached_property
    def per_spend(self) -> int:
        """The amount of spend that returns are given for: 1, or as much more as makes the best return one at least."""
        if self.is_money:
            return 1
        medians = [channel[self.return_key]["median"] for channel in self._of_run if channel["kind"] == "paid"]
        best = max((self.factor * abs(median) for median in medians if median is not None), default=1.0)
        per = 1
        while per < MOST_PER_SPEND and best * per < 1:
            per *= 10
        return per

    @property
    def spend_words(self) -> str:
        """The amount of spend that returns are given for, in words: "€1", "€1,000"."""
        return formats.round_money(self.per_spend, self.currency)

    @property
    def return_words(self) -> str:
        """What a channel's return is called: "ROI", "Incremental Website traffic per €100"."""
        return "Incremental ROI" if self.is_money else f"Incremental {self.outcome} per {self.spend_words}"

    def return_text(self, value: float) -> str:
        """A return, already in multiples of `return_factor`, as text."""
        return formats.ratio(value) if self.is_money else self.rounded(value)

    @property
    def return_factor(self) -> float:
        return self.factor * self.per_spend

    def return_tick(self, value: float) -> str:
        """The same where the unit has been said."""
        return formats.ratio(value) if self.is_money else self.tick(value)

    def returns(self, found: Summary, *, is_mark: bool = False) -> Figure:
        """A return, marginal or not, with its interval; `is_mark`: of a chart, whose texts all say their unit."""
        ends = self.return_text if is_mark else self.return_tick
        return figure(found, self.return_text, lambda value: f"{value:.4f}", factor=self.return_factor, ends=ends)

    def by_return(self) -> list[Mapping[str, Any]]:
        """The paid channels that have a return, the largest first."""
        with_return = [channel for channel in self.paid if channel[self.return_key]["median"] is not None]
        return sorted(with_return, key=lambda channel: (-channel[self.return_key]["median"], channel["channel"]))

    def only(self, name: str) -> "Result":
        """The same result as if it were about one channel alone, for sections that go through all."""
        of_channel = Result(self.run)
        parts = {
            part: [each for each in self.data.get(part) or () if each["channel"] == name]
            for part in ("channels", "experiments")
        }
        others = [channel["channel"] for channel in self.channels]
        pairs = {f"{one} and {other}" for other in others for one, other in ((name, other), (other, name))}
        checks = [check for check in self.data["health"] if check["subject"] in {name, *pairs}]
        of_channel.data = {**self.data, **parts, "health": checks, "prior_predictive": None}
        of_channel.channels = parts["channels"]
        of_channel.paid = [channel for channel in self.paid if channel["channel"] == name]
        of_channel.organic = [channel for channel in self.organic if channel["channel"] == name]
        return of_channel

    @cached_property
    def _pages(self) -> Mapping[str, str]:
        """By name: what the run says of each channel."""
        of_run = {"slug": self.run.workspace.slug, "run_id": self.run.pk}
        return {
            channel["channel"]: reverse("weightings:channel", kwargs={**of_run, "place": place})
            for place, channel in enumerate(self._of_run)
        }

    @cached_property
    def _colours(self) -> Mapping[str, Colour]:
        """By name: the colour of each channel, as the workspace has it now."""
        index = channel_index(workspace=self.run.workspace)
        found = ((channel["channel"], index.named(channel["channel"])) for channel in self._of_run)
        return {name: channel_colour(known.colour_slot) for name, known in found if known}

    @property
    def _of_run(self) -> Sequence[Mapping[str, Any]]:
        """All channels of the run, in the order in which it has them, whichever this is about."""
        assert self.run.result is not None  # noqa: S101 - only finished runs are presented
        channels: Sequence[Mapping[str, Any]] = self.run.result["channels"]
        return channels

    def href(self, channel: str) -> str:
        """The page of what the run says of a channel, "" of one that it does not know."""
        return self._pages.get(channel, "")

    def colour(self, channel: str) -> Colour:
        return self._colours.get(channel, Colour.OTHER)


def figure(
    found: Summary,
    text: Text,
    full: Text,
    *,
    factor: float = 1.0,
    middle: str = "median",
    ends: Text | None = None,
) -> Figure:
    """A summary of draws as a figure with its interval; a dash where there is none. `ends`: text of the interval's."""
    numbers = [found.get(name) for name in (middle, "low", "high")]
    known = [factor * number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return Figure(NO_FIGURE, "Not known")
    value, low, high = known
    of_end = ends or text
    return Figure(text(value), full(value), value, low, high, of_end(low), of_end(high))


def mark(of: Figure, *, detail: Sequence[str] = (), href: str = "", colour: Colour | None = None) -> Mark | None:
    """A figure as a mark of a chart; None for one that is not known."""
    if of.value is None:
        return None
    return Mark(
        value=of.value,
        text=of.text,
        low=of.low,
        high=of.high,
        low_text=of.low_text,
        high_text=of.high_text,
        detail=tuple(detail),
        href=href,
        colour=colour,
    )


def extent(marks: Sequence[Mark | None]) -> list[float | None]:
    """Every number that marks need room for."""
    return [number for mark in marks if mark for number in (mark.value, mark.low, mark.high)]


def category(label: str) -> Category:
    """A channel's place in a chart, its name cut where it is long."""
    is_long = len(label) > LONGEST_LABEL
    return Category(label=label, short=f"{label[: LONGEST_LABEL - 1]}…" if is_long else "")


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: "TV", "TV and Radio", "TV, Radio and Print"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _period(found: Mapping[str, Any]) -> Period:
    return Period(dt.date.fromisoformat(found["start"]), dt.date.fromisoformat(found["end"]))
