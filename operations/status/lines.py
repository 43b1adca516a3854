"""What a look at the service is made of: sections of lines, each with a state and a sentence."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


class State(enum.IntEnum):
    """How a line is, the worst last. `PROBLEM`: somebody has to do something now."""

    OK = 0
    WARNING = 1
    PROBLEM = 2

    @property
    def label(self) -> str:
        return {State.OK: "OK", State.WARNING: "Warning", State.PROBLEM: "Problem"}[self]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was looked at. `sentence`: how it is. `advice`: what to do, or "". `href`: see there, or ""."""

    name: str
    state: State
    sentence: str
    advice: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    lines: list[Line]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole look. `took`: how long it took, seconds."""

    version: str
    at: datetime
    took: float
    sections: list[Section]

    @property
    def state(self) -> State:
        return worst(line for section in self.sections for line in section.lines)

    @property
    def troubles(self) -> list[Line]:
        """The lines that are not in order, the worst first."""
        lines = [line for section in self.sections for line in section.lines if line.state is not State.OK]
        return sorted(lines, key=lambda line: -line.state)


def worst(lines: Iterable[Line]) -> State:
    return max((line.state for line in lines), default=State.OK)


def lasting(span: timedelta) -> str:
    """Return a length of time as people say it: "40 s", "12 min", "3 h", "5 days"."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86400} days"
