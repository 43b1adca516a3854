"""How flows and interactions were computed, in paragraphs, and the terms that go with it: docs/methods.md in short."""

from collections.abc import Mapping
from typing import Any

from analyses.asking import period_of
from analyses.definitions import defined
from analyses.documents import Document

TERMS = (
    *("journey", "touch", "conversion", "lookback", "share", "conversion_rate", "drop_off", "effect_per_1000"),
    *("synergy", "cannibalisation", "q_value", "pair_interval"),
)


def with_method(document: Document, params: Mapping[str, Any]) -> Document:
    """Return the document with its definitions."""
    confidence = params["confidence"]
    return defined(
        document,
        *TERMS,
        window_days=params["window_days"],
        confidence=confidence,
        alpha=f"{1 - confidence / 100:.2g}",
    )


def method(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what data and what model the numbers come from, and what their intervals say."""
    confidence = params["confidence"]
    return (
        (
            f"Looked at are the journeys that end in {period_of(params).label}, days by the workspace’s clock: one "
            "conversion, or the end of a path without one, with the touches of the same customer in the "
            f"{params['window_days']} days before it. Conversions without a touch took no path and are in none of the "
            "numbers below their count. Every touch is a step, repeats too; steps beyond those that are shown flow "
            "to their end at once."
        ),
        (
            "Interactions of channels come from a logistic model of all journeys of the period, goal and segment, "
            "whatever is asked of their paths: it explains whether a journey converts by its length, kind of "
            "customer, month, the mix of its channels, the channels and the pairs that it meets. The effect of a "
            "pair is how many more conversions, or fewer, 1,000 journeys with both have than they would without the "
            "pair’s coefficient."
        ),
        (
            f"Intervals are at {confidence}% and allow for several journeys of one customer. A pair is called where "
            "its p-value, adjusted for all pairs that were looked at (Benjamini and Hochberg), is at most "
            f"{1 - confidence / 100:.2g}. Interactions are what was observed, not what an experiment would find."
        ),
    )
