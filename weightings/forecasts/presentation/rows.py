"""A forecast as one table in full precision: of each period, and of all together, a row for each part."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from marketing.periods import EPOCH
from weightings.presentation.rows import BASELINE, EXPECTED

if TYPE_CHECKING:
    from analyses.models import Run
    from mmm_project.tables import Cell

PREDICTED, YEAR_BEFORE, PAID = "(predicted)", "(a year before)", "(all paid media)"
TOTAL = "(total)"
SUMMARY = ("mean", "median", "low", "high")
OF_TOTAL = ("incremental", "roi", "incremental_per_spend")
ENDS = (("median", ""), ("low", "_low"), ("high", "_high"))


def rows(run: "Run") -> "Iterator[Sequence[Cell]]":
    """Yield the header, the parts of each period, and those of all periods together (of points, on average)."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    result, series = run.result, run.result["series"]
    yield (
        *("period_start", "period_end", "part", "spend", *SUMMARY),
        *(f"{name}{end}" for name in OF_TOTAL for _key, end in ENDS),
    )
    starts = series["period_start"]
    last = (dt.date.fromisoformat(result["period"]["end"]) - EPOCH.date()).days
    ends = [*(start - 1 for start in starts[1:]), last]
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        days = _day(start), _day(end)
        spend = sum(channel["spend"][place] for channel in series["channels"] if channel["spend"] is not None)
        yield _row(*days, EXPECTED, {"spend": spend, **_at(series["expected"], place)})
        yield _row(*days, PREDICTED, _at(series["predicted"], place))
        yield _row(*days, BASELINE, {"mean": series["baseline"][place]})
        for channel in series["channels"]:
            spent = None if channel["spend"] is None else channel["spend"][place]
            yield _row(*days, channel["channel"], {"spend": spent, **_at(channel, place)})
        yield _row(*days, YEAR_BEFORE, {"mean": result["year_before"]["observed"][place]})
    days = TOTAL, TOTAL
    yield _row(*days, EXPECTED, {"spend": result["paid_media"]["spend"], **result["expected"]})
    yield _row(*days, PREDICTED, result["predicted"])
    yield _row(*days, BASELINE, result["baseline"])
    for channel in result["channels"]:
        found = {"spend": channel["spend"], **channel["contribution"]}
        yield _row(*days, channel["channel"], found, of_total=channel)
    paid = result["paid_media"]
    yield _row(*days, PAID, {"spend": paid["spend"]}, of_total=paid)
    before = result["year_before"]
    yield _row(*days, YEAR_BEFORE, {"mean": before["total"] if before["periods_known"] == len(starts) else None})


def _at(found: Mapping[str, Sequence[float]], place: int) -> dict[str, float]:
    return {name: found[name][place] for name in SUMMARY}


def _row(
    start: str, end: str, part: str, found: Mapping[str, Any], *, of_total: Mapping[str, Any] | None = None
) -> "Sequence[Cell]":
    return (
        *(start, end, part, found.get("spend")),
        *(found.get(name) for name in SUMMARY),
        *(((of_total or {}).get(name) or {}).get(key) for name in OF_TOTAL for key, _end in ENDS),
    )


def _day(number: int) -> str:
    return (EPOCH.date() + dt.timedelta(number)).isoformat()
