"""What the period selector shows: links to the usual periods, and what its two forms send along."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from marketing.period_choice import Comparison, PeriodChoice
from marketing.periods import PRESET_DAYS


@dataclass(frozen=True, slots=True)
class PresetLink:
    """One of the usual periods, as a link that keeps everything else."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSelector:
    """`kept_for_dates` and `kept_for_comparison`: what the form of the dates, and that of the comparison, keep."""

    label: str
    comparison: str
    action: str
    presets: Sequence[PresetLink]
    start: str
    end: str
    compare: str
    match_weekday: bool
    comparisons: Sequence[tuple[str, str]]
    kept_for_dates: Sequence[tuple[str, str]]
    kept_for_comparison: Sequence[tuple[str, str]]


def period_selector(choice: PeriodChoice, *, path: str, other: Mapping[str, str], until: dt.date) -> PeriodSelector:
    """Return the selector of the page at `path`; `other` is what else its address says, `until` usually yesterday."""
    chosen = choice.query()
    compared = {name: chosen[name] for name in ("compare", "match_weekday") if name in chosen}
    dates = {name: chosen[name] for name in ("period", "start", "end") if name in chosen}
    presets = [
        PresetLink(
            label=f"Last {days} days",
            url=f"{path}?{urlencode(choice.with_preset(name, until=until).query() | dict(other))}",
            is_current=name == choice.preset,
        )
        for name, days in PRESET_DAYS.items()
    ]
    return PeriodSelector(
        label=choice.label if choice.preset else choice.period.label,
        comparison=_compared_with(choice),
        action=path,
        presets=presets,
        start=choice.period.start.isoformat(),
        end=choice.period.end.isoformat(),
        compare=str(choice.comparison),
        match_weekday=choice.match_weekday,
        comparisons=[(str(comparison), comparison.label) for comparison in Comparison],
        kept_for_dates=[*other.items(), *compared.items()],
        kept_for_comparison=[*other.items(), *dates.items()],
    )


def _compared_with(choice: PeriodChoice) -> str:
    if choice.comparison == Comparison.NONE:
        return "no comparison"
    words = {Comparison.PREVIOUS: "against previous period", Comparison.YEAR: "against last year"}
    return words[choice.comparison] + (", same weekdays" if choice.match_weekday else "")
