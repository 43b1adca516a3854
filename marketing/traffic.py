"""What a channel grouping makes of a workspace's own traffic, held against the present one; it changes nothing."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from accounts.models import Workspace
from marketing.channel_figures import touches_by_source
from marketing.channel_index import ChannelIndex, channel_index
from marketing.frames import Int64Column
from marketing.grouping import UNASSIGNED, classify, granular
from marketing.grouping_rules import Rules
from marketing.models import TrafficSource
from marketing.sources import MOST_GROUPS, grouping_of

MOST_ROWS = 30
MOST_UNMATCHED = 15
LONGEST_LOOK_SECONDS = 2.0
LOOKED_AT_ONCE = 500  # sources between two looks at the clock


class Traffic(NamedTuple):
    """A traffic source without a channel of its own."""

    source: str
    medium: str
    campaign: str

    @property
    def label(self) -> str:
        return " / ".join(part or "(not set)" for part in self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRow:
    """A traffic source, and its channel under the present grouping and under the other one.

    `rule`: the number of the rule that fits, counted from 1; None if none does. `touches`: None while not counted.
    """

    traffic: Traffic
    touches: int | None
    before: str
    after: str
    rule: int | None

    @property
    def changes(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPreview:
    """What would become of all traffic that names no channel itself.

    `touches`, `changed`, `unmatched`: numbers of touches in all, of those that would change their channel, and of those
    that no rule fits (for groupings without rules: that are Unassigned). While touches are not counted (`is_counted`),
    they are numbers of traffic sources. `rows`: what changes first, then the largest. `sources`: how many there are;
    `looked_at`: of those, the largest that time sufficed for. `named`: touches that name their channel themselves.
    """

    is_counted: bool
    touches: int
    changed: int
    unmatched: int
    named: int
    rows: Sequence[TrafficRow]
    unmatched_rows: Sequence[TrafficRow]
    channels: Sequence[tuple[str, int, int]]
    sources: int
    looked_at: int
    too_many_groups: bool


def preview(*, workspace: Workspace, grouping: str, rules: Rules) -> TrafficPreview:
    """Hold a grouping against the workspace's present one; `rules` matter for Custom only."""
    index = channel_index(workspace=workspace)
    present = grouping_of(workspace=workspace)
    counts = touches_by_source(workspace=workspace)
    traffic, named = _traffic(workspace, counts)
    by_rules = grouping == Workspace.Grouping.CUSTOM
    other = granular if grouping == Workspace.Grouping.GRANULAR else classify
    rows: list[TrafficRow] = []
    deadline = time.monotonic() + LONGEST_LOOK_SECONDS
    for start in range(0, len(traffic), LOOKED_AT_ONCE):
        if start and time.monotonic() > deadline:
            break
        for each, touches in traffic[start : start + LOOKED_AT_ONCE]:
            place, after = rules.placed(*each) if by_rules else (None, other(*each))
            rows.append(
                TrafficRow(
                    traffic=each,
                    touches=touches if counts is not None else None,
                    before=_channel(index, present(*each)),
                    after=_channel(index, after),
                    rule=None if place is None else place + 1,
                )
            )
    return _summed_up(rows, sources=len(traffic), named=named, is_counted=counts is not None, by_rules=by_rules)


def _traffic(workspace: Workspace, counts: Int64Column | None) -> tuple[list[tuple[Traffic, int]], int]:
    """The traffic sources without a channel of their own, largest first, with their touches; and the others' touches.

    Where touches are counted, sources that have none (any more) are left out; else each stands for one.
    """
    sources = TrafficSource.objects.filter(workspace=workspace).values_list(
        "pk", "channel", "source", "medium", "campaign__name"
    )
    found: list[tuple[Traffic, int]] = []
    named = 0
    for pk, channel, source, medium, campaign in sources:
        touches = 1 if counts is None else int(counts[pk]) if pk < len(counts) else 0
        if channel is not None:
            named += touches
        elif touches:
            found.append((Traffic(source, medium, campaign or ""), touches))
    return sorted(found, key=lambda one: (-one[1], one[0])), named


def _channel(index: ChannelIndex, name: str) -> str:
    known = index.named(name)
    return name if known is None else known.name


def _summed_up(rows: list[TrafficRow], *, sources: int, named: int, is_counted: bool, by_rules: bool) -> TrafficPreview:
    unmatched = [row for row in rows if (row.rule is None if by_rules else row.after == UNASSIGNED)]
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for row in rows:
        before[row.before] += _weight(row)
        after[row.after] += _weight(row)
    names = sorted(before | after, key=lambda name: (-after[name], -before[name], name))
    changing_first = sorted(rows, key=lambda row: not row.changes)  # stable: the largest stay first
    return TrafficPreview(
        is_counted=is_counted,
        touches=sum(map(_weight, rows)),
        changed=sum(_weight(row) for row in rows if row.changes),
        unmatched=sum(map(_weight, unmatched)),
        named=named,
        rows=changing_first[:MOST_ROWS],
        unmatched_rows=unmatched[:MOST_UNMATCHED],
        channels=[(name, before[name], after[name]) for name in names],
        sources=sources,
        looked_at=len(rows),
        too_many_groups=len(after) > MOST_GROUPS,
    )


def _weight(row: TrafficRow) -> int:
    return 1 if row.touches is None else row.touches
