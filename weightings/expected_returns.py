"""What somebody expects channels to return, as people say it and as canonical params keep it: a median and 90% range.

Beliefs are log-normal (`weightings.methods.priors`), so that of an interval alone the median is the geometric mean.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any, TypeAlias

from marketing.channel_index import ChannelIndex

Believed: TypeAlias = dict[str, float]  # median, low, high

LEVEL = 90  # percent, of the ranges that are kept
SURENESS = (80, 90, 95)  # percent, that people are asked for
LARGEST_NUMBER = 1e12
DECIMALS = 12  # of an expected return
SMALLEST_NUMBER = 1e-12  # of a return: smaller ones would be 0 as text
DIGITS_SAID = 6  # at most, by somebody who says an interval
HOW_TO_SAY_ROI = "TV: 1.5 (0.5-4); Search: 3 (1-8)"
LONGEST_SHOWN = 60
_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
_RANGE = re.compile(rf"(?P<median>{_NUMBER})\s*\(\s*(?P<low>{_NUMBER})\s*[-\u2013]\s*(?P<high>{_NUMBER})\s*\)")
_END = re.compile(rf":\s*(?P<range>{_RANGE.pattern})\s*;")  # of an entry: there may be a semicolon in a name as well


def read(asked: Any, index: ChannelIndex) -> dict[str, Believed]:
    """Return what is expected of channels, by the names that they have now, in the order of these.

    `asked`: text such as HOW_TO_SAY_ROI, or ranges by channel. Raises ValueError with a sentence.
    """
    found: dict[str, Believed] = {}
    for name, text in entries(asked):
        channel = index.named(name)
        if channel is None:
            several = f" Say each as in {HOW_TO_SAY_ROI}." if ";" in name else ""
            raise ValueError(f"There is no channel “{_cut(name)}”.{several}")
        if channel.name in found:
            raise ValueError(f"The channel “{channel.name}” is there twice.")
        found[channel.name] = _range(channel.name, text)
    return dict(sorted(found.items()))


def entries(asked: Any) -> list[tuple[str, Any]]:
    """Return channel and range of each entry, as text or numbers. Raises ValueError for a text that has no ranges."""
    if isinstance(asked, Mapping):
        return [(str(name), found) for name, found in asked.items()]
    found = []
    for entry in _parts(str(asked)):
        name, colon, text = entry.rpartition(":")
        if not colon:
            raise ValueError(f"“{_cut(entry)}” is not of the form {HOW_TO_SAY_ROI}.")
        found.append((name.strip(), text.strip()))
    return found


def _parts(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        yield text[start : end.end("range")].strip()
        start = end.end()
    if rest := text[start:].strip():
        yield rest


def as_text(effects: Mapping[str, Mapping[str, float]]) -> str:
    """Return the expected returns of canonical params as people type them."""
    return "; ".join(
        f"{channel}: {plain(believed['median'])} ({plain(believed['low'])}-{plain(believed['high'])})"
        for channel, believed in effects.items()
    )


def plain(number: float) -> str:
    """Return a number as people type it: without an exponent, and with no more digits than tell it apart."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_interval(low: float, high: float, sure: int) -> Believed:
    """Return the belief that lies between `low` and `high`, both above 0, with `sure` percent.

    The spread of its logarithm is log(high / low) / 2z, z the normal quantile of 1/2 + sure/200; its 90% range is as
    many of these wider or narrower.
    """
    median = sqrt(low) * sqrt(high)
    reach = log(high / low) / 2 * _quantile(LEVEL) / _quantile(sure)
    ends = (low, high) if sure == LEVEL else (median * exp(-reach), median * exp(reach))
    return {"median": _kept(median), "low": _kept(ends[0]), "high": _kept(ends[1])}


def as_interval(believed: Mapping[str, float]) -> tuple[float, float, int] | None:
    """Return the interval and the sureness that mean exactly this belief; None if its median is not that of any.

    The level is one at which both ends have few digits, if there is any, so that what somebody said comes back as it
    was said.
    """
    low, high = believed["low"], believed["high"]
    for sure in (LEVEL, *SURENESS):
        reach = log(high / low) / 2 * _quantile(sure) / _quantile(LEVEL)
        ends = [believed["median"] * exp(side * reach) for side in (-1, 1)]
        said = [float(f"{end:.{DIGITS_SAID}g}") for end in ends]
        if said[0] < said[1] and from_interval(said[0], said[1], sure) == dict(believed):
            return said[0], said[1], sure
    return (low, high, LEVEL) if from_interval(low, high, LEVEL) == dict(believed) else None


def _quantile(level: int) -> float:
    return NormalDist().inv_cdf(0.5 + level / 200)


def _range(channel: str, asked: Any) -> Believed:
    names = ("median", "low", "high")
    if isinstance(asked, Mapping) and set(asked) == set(names):
        numbers = [asked[name] for name in names]
    else:
        match = _RANGE.fullmatch(str(asked))
        numbers = [match[name] for name in names] if match else []
    try:
        median, low, high = map(float, numbers)
    except (TypeError, ValueError, OverflowError):  # a whole number in JSON may be larger than any float
        raise ValueError(
            f"The expected return of “{channel}” is not of the form 1.5 (0.5-4): “{_cut(asked)}”."
        ) from None
    if any(0 < number < SMALLEST_NUMBER for number in (median, low, high)):
        raise ValueError(
            f"The expected return of “{channel}” has a number that is too small: {SMALLEST_NUMBER:g} at least."
        )
    if not (0 < low < median < high < LARGEST_NUMBER) or any(isinstance(number, bool) for number in numbers):
        raise ValueError(
            f"The expected return of “{channel}” must be above 0 and lie between the ends of its 90% range, not "
            f"{median:g} ({low:g}-{high:g}).",
        )
    # As the address says them, so that a question changed there is another one only if it was changed.
    return {"median": _kept(median), "low": _kept(low), "high": _kept(high)}


def _kept(number: float) -> float:
    return round(number, DECIMALS)


def _cut(asked: object) -> str:
    return str(asked)[:LONGEST_SHOWN]
