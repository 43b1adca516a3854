"""What the pages about segments show; all counting and wording is finished here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from accounts.models import Workspace
from marketing.models import SavedSegment
from marketing.segments import preview, saved
from marketing.segments.definition import Definition
from marketing.segments.preview import Figures, Scope
from marketing.segments.words import in_words
from mmm_project import formats


@dataclass(frozen=True, kw_only=True)
class Share:
    """An amount of a segment beside that of all: `share` from 0 to 1, as a meter draws it."""

    label: str
    text: str
    of_all: str
    share: float

    @property
    def meter(self) -> str:
        """The share as an attribute has it, whatever the page's language."""
        return f"{self.share:.6f}"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a definition holds. `state`: counted, unprepared (the snapshot is being built), incomplete, or empty."""

    state: str
    meaning: str = ""
    scope: str = ""
    shares: Sequence[Share] = ()
    sample: str = ""


@dataclass(frozen=True, kw_only=True)
class SegmentRow:
    """A saved segment in the list; `conversions` and `value` are None until they can be counted."""

    segment: SavedSegment
    meaning: str
    used: str
    conversions: Share | None = None
    value: Share | None = None

    @property
    def query(self) -> str:
        """The segment as analyses are asked for it in an address."""
        return urlencode({"segment": self.segment.name})


def present_preview(workspace: Workspace, definition: Definition | None) -> Preview:
    """Return what the definition holds; None is one that is not complete yet."""
    if definition is None:
        return Preview(state="incomplete")
    scope = preview.scope_of(workspace)
    if scope is None:
        return Preview(state="empty", meaning=in_words(definition))
    counted = preview.count(workspace=workspace, scope=scope, definitions=[definition])
    if counted is None:
        return Preview(state="unprepared", meaning=in_words(definition), scope=scope_in_words(scope))
    figures = counted[0]
    if not (figures.all_conversions or figures.all_null_paths):
        return Preview(state="empty", meaning=in_words(definition), scope=scope_in_words(scope))
    return Preview(
        state="counted",
        meaning=in_words(definition),
        scope=scope_in_words(scope),
        shares=_shares(figures, workspace.currency),
        sample=sample_in_words(figures),
    )


def present_rows(
    workspace: Workspace, segments: Sequence[SavedSegment], scope: Scope | None
) -> tuple[list[SegmentRow], Sequence[Figures] | None]:
    """Return the segments with their figures, and the figures alone; None while they cannot be counted."""
    definitions = [saved.definition_of(segment) for segment in segments]
    counted = preview.count(workspace=workspace, scope=scope, definitions=definitions) if scope and segments else None
    uses = saved.uses(workspace=workspace)
    rows = [_row(segment, definition, uses) for segment, definition in zip(segments, definitions, strict=True)]
    if counted is None:
        return rows, None
    return [
        SegmentRow(
            segment=row.segment,
            meaning=row.meaning,
            used=row.used,
            conversions=_conversions(figures),
            value=_value(figures, workspace.currency),
        )
        for row, figures in zip(rows, counted, strict=True)
    ], counted


def scope_in_words(scope: Scope) -> str:
    """Return “Purchase, 27 Aug–24 Nov 2026, 30-day window”."""
    return f"{scope.goal.name}, {scope.period.label}, {scope.window_days}-day window"


def sample_in_words(figures: Figures) -> str:
    """Return how much of the data was looked at; "" if all of it was."""
    if figures.sampled >= 1:
        return ""
    return (
        f"Estimated from a random sample of {formats.percent(figures.sampled)} of the customers, as there are many. "
        "Analyses count all of them."
    )


def _row(segment: SavedSegment, definition: Definition, uses: Mapping[int, int]) -> SegmentRow:
    times = uses.get(segment.pk, 0)
    used = f"Used by {formats.count(times, 'run')}" if times else "Not used yet"
    return SegmentRow(segment=segment, meaning=in_words(definition), used=used)


def _shares(figures: Figures, currency: str) -> list[Share]:
    return [
        _conversions(figures),
        _value(figures, currency),
        _share("Paths without conversion", figures.null_paths, figures.all_null_paths, figures.sampled),
    ]


def _conversions(figures: Figures) -> Share:
    return _share("Conversions", figures.conversions, figures.all_conversions, figures.sampled)


def _value(figures: Figures, currency: str) -> Share:
    return _share("Revenue", figures.value, figures.all_value, figures.sampled, currency)


def _share(label: str, part: float, whole: float, sampled: float, currency: str = "") -> Share:
    def text(amount: float) -> str:
        amount = amount if sampled >= 1 else _to_two_digits(amount)
        shown = formats.round_money(amount, currency) if currency else formats.count(amount)
        return shown if sampled >= 1 else f"about {shown}"

    share = part / whole if whole else 0.0
    percent = formats.percent(share) if whole else "none"
    return Share(label=label, text=text(part), of_all=f"{percent} of {text(whole)}", share=min(max(share, 0.0), 1.0))


def _to_two_digits(amount: float) -> float:
    """An estimate says no more digits than it knows."""
    if amount <= 0:
        return amount
    step = 10.0 ** (math.floor(math.log10(amount)) - 1)
    return round(amount / step) * step
