"""Trends in words: each measure's direction over the period, with its interval, beside the same season last year."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mmm_project import formats
from reports.methods.trends import Direction, NoTrend, Trend, ratio_trend, trend
from reports.numbers import Daily, History

LABELS = {"revenue": "Revenue", "spend": "Spend", "conversions": "Conversions", "roas": "ROAS"}


@dataclass(frozen=True, slots=True)
class TrendSentence:
    """`short` goes above a small chart; `long` has the interval, and what the same season did last year."""

    short: str
    long: str


def trend_sentences(history: History, *, confidence: int, currency: str) -> Mapping[str, TrendSentence]:
    """Return a sentence for each of revenue, spend, conversions and roas, in this order, unless it is always zero."""
    now = _trends(history.now, confidence)
    year_before = _trends(history.year_before, confidence) if history.year_before else {}

    def money(value: float) -> str:
        return formats.short_money(value, currency)

    texts = {"revenue": money, "spend": money, "conversions": formats.short_count, "roas": formats.ratio}
    there = {name: bool(getattr(history.now, name).any()) for name in ("revenue", "spend", "conversions")}
    there["roas"] = there["revenue"] and there["spend"]
    sentences = {}
    for measure, label in LABELS.items():
        if not there[measure]:
            continue
        found, text = now[measure], texts[measure]
        per = "" if measure == "roas" else " a day"
        words = f"{label}: {_direction(found)}{_size(found, text, per, confidence)}."
        sentences[measure] = TrendSentence(
            f"{label}: {_direction(found)}", f"{words} {_last_year(year_before.get(measure), text, per, confidence)}"
        )
    return sentences


def _trends(daily: Daily, confidence: int) -> dict[str, Trend | NoTrend]:
    weekday = np.array([day.weekday() for day in daily.days], np.int64)
    return {
        "revenue": trend(values=daily.revenue, confidence=confidence, weekday=weekday),
        "spend": trend(values=daily.spend, confidence=confidence, weekday=weekday),
        "conversions": trend(values=daily.conversions, confidence=confidence, weekday=weekday),
        "roas": ratio_trend(numerator=daily.revenue, denominator=daily.spend, confidence=confidence, weekday=weekday),
    }


_DIRECTIONS = {Direction.UP: "rising", Direction.DOWN: "falling", Direction.FLAT: "no clear trend"}
_REASONS = {NoTrend.TOO_FEW_DAYS: "too few days for a trend", NoTrend.CONSTANT: "the same every day"}


def _direction(found: Trend | NoTrend) -> str:
    return _REASONS[found] if isinstance(found, NoTrend) else _DIRECTIONS[found.direction]


def _size(found: Trend | NoTrend, text: Callable[[float], str], per: str, confidence: int) -> str:
    if isinstance(found, NoTrend):
        return ""
    return f", {_change(found, text, per)} from the first day to the last ({confidence}% interval {_ends(found, text)})"


def _last_year(found: Trend | NoTrend | None, text: Callable[[float], str], per: str, confidence: int) -> str:
    if found is None:
        return "There are no days of a year earlier to compare the season with."
    if isinstance(found, NoTrend):
        return f"The same season last year: {_REASONS[found]}."
    return f"The same season last year: {_change(found, text, per)} ({confidence}% interval {_ends(found, text)})."


def _change(found: Trend, text: Callable[[float], str], per: str) -> str:
    return f"{_signed(found.change.value, text)}{per}"


def _ends(found: Trend, text: Callable[[float], str]) -> str:
    return f"{_signed(found.change.low, text)} to {_signed(found.change.high, text)}"


def _signed(value: float, text: Callable[[float], str]) -> str:
    """The number with its sign, unless it rounds to zero."""
    words = text(value)
    return f"+{words}" if value > 0 and any(digit in words for digit in "123456789") else words
