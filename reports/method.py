"""How the dashboard's figures were computed, in paragraphs, and the terms that go with them."""

from analyses.definitions import defined
from analyses.documents import Document

TERMS = (
    *("conversion", "touch", "lookback", "credit", "none", "blended_roas", "roas", "share", "trend"),
    *("trend_interval", "media_mix", "experiment"),
)


def with_method(
    document: Document, *, model: tuple[str, str], window_days: int, confidence: int, currency: str
) -> Document:
    """Return the document with its definitions; `model`: the chosen one, and what it does."""
    return defined(document, *TERMS, models=(model,), window_days=window_days, confidence=confidence, currency=currency)


def method(*, model: str, window_days: int, confidence: int) -> tuple[str, ...]:
    """Return what the figures come from, and what their intervals say."""
    return (
        (
            "Spend, conversions and revenue are sums over the days of the period, by the workspace’s clock. Credit "
            f"belongs to the day of its conversion: {model} shares out each conversion and its value among the "
            f"touches of the same customer in the {window_days} days before it, and what no touch precedes stands in "
            "the row “(none)”. So any period is an exact sum of days, equal to an attribution run of that period."
        ),
        (
            "Spend joins credit at the level that both have: spend without a campaign belongs to its channel only. A "
            "channel with spend that no touch belongs to has no credited return; experiments and the media mix model "
            "say something of it."
        ),
        (
            f"Trends are straight lines with an effect for each weekday, with {confidence}% intervals that allow for "
            "days in a row being alike. Media-mix returns and experiments are of their own days, whatever the period "
            "here."
        ),
    )
