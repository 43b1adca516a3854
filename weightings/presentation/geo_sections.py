"""What a model of several geos says of each of them, as a section of a document."""

from collections.abc import Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from mmm_project import formats
from weightings.presentation.results import Result, listed
from weightings.presentation.return_sections import percent

MOST_CHANNELS = 5  # beside each other
CLEAR = 1.25  # times as much: what is worth a sentence
OPPOSITE = (("median", "median"), ("mean", "mean"), ("low", "high"), ("high", "low"))  # ends of 1 - x by those of x


def geos(result: Result) -> tuple[Section, ...]:
    """Returns by geo of the channels with most spend; nothing of a model that knows one market only."""
    found = result.data.get("geos") or ()
    if not found:
        return ()
    ranked = sorted(result.by_return(), key=lambda channel: -channel["spend"])
    shown = [channel["channel"] for channel in ranked[:MOST_CHANNELS]]
    left = len(ranked) - len(shown)
    table = DataTable(
        title=f"{result.return_words} by geo",
        columns=("Geo", "Outcome", "Owed to media", *shown),
        rows=tuple(Row(label=geo["geo"], cells=tuple(_cells(result, geo, shown))) for geo in found),
        note=f"Medians with {result.interval_words}s, of {result.period.label}. Returns of geos are drawn towards that "
        "of all, the more, the less a geo tells."
        + (f" {formats.count(left, 'more channel')} in the download as JSON." if left else ""),
    )
    return (Section(title="Geos", sentences=_apart(result, found, shown), tables=(table,)),)


def _apart(result: Result, found: Sequence[Mapping[str, Any]], shown: Sequence[str]) -> tuple[str, ...]:
    """Of which channels some geos are clearly above others."""
    different = []
    for name in shown:
        returns = [each for each in (_return_of(geo, name, result.return_key) for geo in found) if each is not None]
        best = max(returns, key=lambda each: each["low"], default=None)
        least = min(returns, key=lambda each: each["high"], default=None)
        if best is not None and least is not None and best["low"] > CLEAR * least["high"]:
            different.append(name)
    if different:
        return (f"{listed(different)} clearly returned more in some geos than in others.",)
    return ("Of no channel is it clear that it returned more in some geos than in others.",)


def _return_of(geo: Mapping[str, Any], name: str, key: str) -> Mapping[str, Any] | None:
    """What a channel returned in a geo; None where it had no spend."""
    channel = next(channel for channel in geo["channels"] if channel["channel"] == name)
    found: Mapping[str, Any] | None = channel[key]
    return found if found is not None and found["median"] is not None else None


def _cells(result: Result, geo: Mapping[str, Any], shown: Sequence[str]) -> list[Figure]:
    outcome = geo["observed"]["outcome"]
    media = {end: None if (part := geo["baseline_share"][other]) is None else 1 - part for end, other in OPPOSITE}
    return [
        Figure(result.rounded(outcome), result.in_full(outcome), outcome),
        percent(media),
        *(
            Figure(NO_FIGURE, "No spend")
            if (found := _return_of(geo, name, result.return_key)) is None
            else result.returns(found)
            for name in shown
        ),
    ]
