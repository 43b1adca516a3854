"""Experiments (lift tests) against a panel: how each of them enters a media mix model, and as what numbers.

A lift is the outcome that is due to the test's spend: all of it, in the test's days and behind them as far as media
carry over, or, of a test that counted no longer than that, what of it came within these days. What media from before
carry into them is no part of it. The model has it in its terms: what the channel's media of these days add in the
periods that the days lie in and, of all of it, in the periods behind; after the data's end there are no media but what
carries over.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.day_labels import span_label
from marketing.frames import MediaPanel

FloatArray: TypeAlias = npt.NDArray[np.float64]
Use: TypeAlias = Literal["auto", "likelihood", "prior", "adjusted_prior"]
Route: TypeAlias = Literal["likelihood", "prior"]
Counts: TypeAlias = Literal["all", "within"]  # the periods behind the test's as well, or not

EPOCH = dt.date(1970, 1, 1)
NOT_BY_GEO: Mapping[str, MediaPanel] = {}
MOST_OF_SPEND = 1.05  # of what the data have in a window can have been spent on its test
AGREEMENT_REVIEW, AGREEMENT_FAIL = 0.05, 0.005  # two-sided, how probable a lift is by the model
# Of a lift. That anything is known better is hard to believe, and hard to sample.
LEAST_RELATIVE_ERROR = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A test of `channel` on the days `start` to `end`, both included, counted from 1970-01-01.

    `lift`: outcome that is due to `spend`; `standard_error`: of the lift. `geo`: where, "" for the whole market. Raises
    ValueError for numbers that are not finite, a standard error that is not above 0, negative spend, or an end before
    the start.
    """

    channel: str
    start: int
    end: int
    lift: float
    standard_error: float
    spend: float
    geo: str = ""

    def __post_init__(self) -> None:
        numbers = (self.lift, self.standard_error, self.spend)
        if not all(np.isfinite(numbers)) or self.standard_error <= 0 or self.spend < 0 or self.end < self.start:
            raise ValueError(
                f"An experiment on “{self.channel}” must have finite numbers, a standard error above 0, spend of 0 or "
                "more, and an end no earlier than its start."
            )

    @property
    def days(self) -> int:
        return self.end - self.start + 1

    @property
    def span(self) -> str:
        """Its days, for people."""
        return span_label(EPOCH + dt.timedelta(self.start), EPOCH + dt.timedelta(self.end))

    @property
    def label(self) -> str:
        return f"experiment on “{self.channel}” ({self.span}{f', {self.geo}' if self.geo else ''})"

    @property
    def error(self) -> float:
        """The standard error that is reckoned with: 1% of the lift at least."""
        return max(self.standard_error, LEAST_RELATIVE_ERROR * abs(self.lift))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ExperimentWindow:
    """The outcome's periods `start` to `stop` (not included) that a test's days lie in, W of them.

    `place`: of the channel among the panel's. `shares`: (W,), which part of each period's days was tested. `spend`: the
    channel's in these days, in the data. `ratio`: the test's spend as a share of it, infinite where it is 0.
    """

    place: int
    start: int
    stop: int
    shares: FloatArray
    spend: float
    ratio: float

    @property
    def periods(self) -> int:
        return self.stop - self.start

    @property
    def holds_test(self) -> bool:
        """Whether the data have the test's spend, so that its lift is a share of what the model says of these days."""
        return 0 < self.ratio <= MOST_OF_SPEND

    def without(self, amounts: FloatArray, lead: int) -> FloatArray:
        """Media (..., lead + T), as many periods of them before the outcome, less those of the test's days."""
        removed = amounts.copy()
        removed[..., lead + self.start : lead + self.stop] *= 1 - self.shares
        return removed

    def lagged(self, amounts: FloatArray, lags: int, behind: int) -> FloatArray:
        """What there was of media (..., L - 1 + T) 0, 1, ... L - 1 periods before each that counts: (..., L, W + B).

        These are the window's W and the B = `behind` after them; after the data's end there are no media.
        """
        ahead = np.pad(amounts, [(0, 0)] * (amounts.ndim - 1) + [(0, behind)])
        places = lags - 1 + np.arange(self.start, self.stop + behind) - np.arange(lags)[:, None]
        return np.asarray(ahead[..., places])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reading:
    """How an experiment enters the model: by which route, if any. `why`: a sentence where not as it could.

    `window`: None unless all of the test's days lie in periods of the outcome. `counts`: what its lift does.
    """

    experiment: Experiment
    route: Route | None
    counts: Counts
    why: str = ""
    window: ExperimentWindow | None = None

    @property
    def modelled(self) -> ExperimentWindow | None:
        """The window whose modelled lift can be held against the measured one, if there is any."""
        return self.window if self.window is not None and self.window.holds_test else None

    def behind(self, tail: int) -> int:
        """How many periods behind the window's count, where media act for `tail` periods after their own."""
        return tail if self.counts == "all" else 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that there is to say of how it enters, in sentences."""
        raised = self.route is not None and self.experiment.error > self.experiment.standard_error
        sentence = (
            f"The standard error of the {self.experiment.label} is below {LEAST_RELATIVE_ERROR:.0%} of its lift, and "
            f"is taken to be {LEAST_RELATIVE_ERROR:.0%} of it: hardly any lift is known better."
        )
        return (*((self.why,) if self.why else ()), *((sentence,) if raised else ()))


def read(
    panel: MediaPanel,
    experiments: Sequence[Experiment],
    use: Use,
    counts: Counts = "all",
    *,
    geos: Mapping[str, MediaPanel] = NOT_BY_GEO,
) -> tuple[Reading, ...]:
    """Say of each experiment how it enters a model of this panel, if it is to be used in this way.

    auto: lifts are taken to be money, so for other outcomes none is used; else as for likelihood. likelihood: on the
    modelled lift, or, where that cannot be modelled, as a prior. prior, adjusted_prior: on the channel's return.
    `counts`: what all of their lifts do. `geos`: the panels of single geos, in a model of several: an experiment in one
    of them is read by its panel, any other by that of all.
    """
    return tuple(_read(geos.get(experiment.geo, panel), experiment, use, counts) for experiment in experiments)


def _read(panel: MediaPanel, experiment: Experiment, use: Use, counts: Counts) -> Reading:
    if why := why_none(panel, use):
        return Reading(experiment=experiment, route=None, counts=counts, why=f"Experiments are not used: {why}")
    if why := _why_unused(panel, experiment):
        why = f"The {experiment.label} is not used: {why}"
        return Reading(experiment=experiment, route=None, counts=counts, why=why)
    window = experiment_window(panel, experiment)
    if use in ("prior", "adjusted_prior"):
        return Reading(experiment=experiment, route="prior", counts=counts, window=window)
    if window is not None and window.holds_test:
        return Reading(experiment=experiment, route="likelihood", counts=counts, window=window)
    why = (
        f"The {experiment.label} counts as a belief about the channel's return, not as a measurement of these days: "
        f"{_why_not_modelled(panel, experiment, window)}"
    )
    return Reading(experiment=experiment, route="prior", counts=counts, why=why, window=window)


def why_none(panel: MediaPanel, use: Use) -> str:
    """Why no experiment can be used with a panel's outcome, if so."""
    if panel.bounds is not None:
        return f"“{panel.outcome_name}” has bounds, so what a test adds is no amount to compare its lift with."
    if use == "auto" and not panel.is_money:
        return (
            f"lifts are taken to be in money, and “{panel.outcome_name}” is not. Choose how to use experiments if "
            "theirs are in its unit."
        )
    return ""


def _why_unused(panel: MediaPanel, experiment: Experiment) -> str:
    channels = panel.channels
    if experiment.channel not in channels or not panel.spend[panel.history :, channels.index(experiment.channel)].any():
        return "the channel has no spend in these data that a model could learn from."
    if experiment.spend == 0:
        return "nothing was spent on it. Import it with the spend that its lift is due to."
    return ""


def _why_not_modelled(panel: MediaPanel, experiment: Experiment, window: ExperimentWindow | None) -> str:
    if window is None:
        return f"they are not all in the {panel.granularity}s that the model of “{panel.outcome_name}” learns from."
    if window.spend == 0:
        return "the data have no spend of the channel in them."
    return (
        f"{experiment.spend:,.2f} were spent on the test, and the data have {window.spend:,.2f} of the channel in "
        "them. Check the spend of both."
    )


def experiment_window(panel: MediaPanel, experiment: Experiment) -> ExperimentWindow | None:
    """The periods of a test of a channel of the panel; None unless all of its days lie in periods of the outcome."""
    starts, ends = period_days(panel)
    if experiment.start < starts[0] or experiment.end > ends[-1]:
        return None
    overlap = np.minimum(ends, experiment.end) - np.maximum(starts, experiment.start) + 1
    tested = np.flatnonzero(overlap > 0)
    start, stop = int(tested[0]), int(tested[-1]) + 1
    shares = (overlap / (ends - starts + 1))[start:stop]
    place = panel.channels.index(experiment.channel)
    spend = float(panel.spend[panel.history + start : panel.history + stop, place] @ shares)
    ratio = experiment.spend / spend if spend > 0 else float("inf")
    return ExperimentWindow(place=place, start=start, stop=stop, shares=shares, spend=spend, ratio=ratio)


def period_days(panel: MediaPanel) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the last day of each of the outcome's periods, (T,) each."""
    starts = panel.period_start[panel.history :]
    if panel.granularity == "month":
        month_after = starts[-1:].astype("datetime64[D]").astype("datetime64[M]") + 1
        after = month_after.astype("datetime64[D]").astype(np.int64)
    else:
        after = starts[-1:] + (7 if panel.granularity == "week" else 1)
    return starts, np.append(starts[1:], after) - 1
