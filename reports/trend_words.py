"""Trends in words: each measure's direction over the period, with its interval, beside the same season last year."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmm_project import formats
from reports.methods.trends import Trend, ratio_trend, trend
from reports.numbers import Daily, History

LABELS = {"revenue": "Revenue", "spend": "Spend", "conversions": "Conversions", "roas": "ROAS"}


@dataclass(frozen=True, slots=True)
class TrendSentence:
    """`short` goes above a small chart, `long` also says what the same season did last year."""

    short: str
    long: str


def trend_sentences(history: History, *, confidence: int) -> Mapping[str, TrendSentence]:
    """Return a sentence for each of revenue, spend, conversions and roas, in this order."""
    now = _trends(history.now, confidence)
    year_before = _trends(history.year_before, confidence) if history.year_before else dict.fromkeys(LABELS)
    sentences = {}
    for measure, label in LABELS.items():
        short = f"{label}: {_words(now[measure], confidence)}"
        sentences[measure] = TrendSentence(short, f"{short}. {_last_year(year_before[measure], confidence)}")
    return sentences


def _trends(daily: Daily, confidence: int) -> dict[str, Trend | None]:
    level = confidence / 100
    weekday = np.array([day.weekday() for day in daily.days])
    return {
        "revenue": trend(values=daily.revenue, confidence=level, weekday=weekday),
        "spend": trend(values=daily.spend, confidence=level, weekday=weekday),
        "conversions": trend(values=daily.conversions, confidence=level, weekday=weekday),
        "roas": ratio_trend(numerator=daily.revenue, denominator=daily.spend, confidence=level, weekday=weekday),
    }


def _words(found: Trend | None, confidence: int) -> str:
    if found is None:
        return "too few days for a trend"
    direction = {"up": "rising", "down": "falling", "flat": "no clear trend"}[found.direction]
    return f"{direction}, {_interval(found, confidence)}"


def _last_year(found: Trend | None, confidence: int) -> str:
    if found is None:
        return "There are no such days a year earlier to compare the season with."
    return f"In the same season last year: {_interval(found, confidence)}."


def _interval(found: Trend, confidence: int) -> str:
    change = formats.change(found.relative)
    low, high = formats.change(found.relative_low), formats.change(found.relative_high)
    return f"{change} over the period ({confidence}% interval {low} to {high})"
