"""What a check has to say: which data, which days, how grave, and what to do."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from babel.numbers import format_currency

from marketing.day_labels import span_label

EPOCH = dt.date(1970, 1, 1)


class Severity(StrEnum):
    """How grave a finding is: a problem makes answers wrong, a warning may, a note is worth knowing."""

    PROBLEM = "problem"
    WARNING = "warning"
    NOTE = "note"


GRAVEST_FIRST = tuple(Severity)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something wrong or odd.

    `dataset`: a code of `marketing.models.Dataset`. `channel`: a channel's name; `series`: that of a goal, outcome or
    a control; both "" where all are concerned. `first_day`, `last_day`: the days that it is about, None where it is
    about all. `count`: of what the sentence counts (days, rows, touches). `sentence` says what, where and when;
    `advice` what to do.
    """

    code: str
    severity: Severity
    dataset: str
    sentence: str
    advice: str
    channel: str = ""
    series: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    count: int = 0

    def concerns(self, start: dt.date, end: dt.date) -> bool:
        """Whether it is about any of the days from `start` to `end`."""
        return (self.first_day is None or self.first_day <= end) and (self.last_day is None or self.last_day >= start)

    def to_json(self) -> dict[str, Any]:
        days = {name: day.isoformat() for name in ("first_day", "last_day") if (day := getattr(self, name))}
        return asdict(self) | {"severity": self.severity.value, "first_day": None, "last_day": None} | days

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        days = {
            name: dt.date.fromisoformat(data[name]) if data.get(name) else None for name in ("first_day", "last_day")
        }
        return cls(**{**data, **days, "severity": Severity(data["severity"])})


def gravest_first(findings: list[Finding]) -> list[Finding]:
    """The same findings: problems, warnings, notes; within each the newest days first."""

    def order(finding: Finding) -> tuple[int, int, str, str, str]:
        last = -(finding.last_day - EPOCH).days if finding.last_day else -(10**6)
        return (GRAVEST_FIRST.index(finding.severity), last, finding.dataset, finding.channel, finding.code)

    return sorted(findings, key=order)


def day_of(number: int) -> dt.date:
    """The day counted from 1970-01-01."""
    return EPOCH + dt.timedelta(int(number))


def span(first: int, last: int) -> str:
    """Days counted from 1970-01-01, for a sentence: "22-26 Oct 2026"."""
    return span_label(day_of(first), day_of(last))


def amount_of(value: float, currency: str) -> str:
    """An amount in whole units, as `mmm_project.formats.round_money` has it: "€1,234", "CHF 1,234"."""
    text = format_currency(value, currency, "¤#,##0", currency_digits=False, locale="en")
    return re.sub(r"(?<=[A-Z])(?=\d)", "\N{NO-BREAK SPACE}", text)


def counted(number: float, noun: str) -> str:
    """A number of things: "1 day", "1,234 touches" (say the plural as "touch|touches" where an s does not do)."""
    one, _, many = noun.partition("|")
    return f"{number:,.0f} {one if round(number) == 1 else many or one + 's'}"


def listed(names: list[str], *, most: int = 4) -> str:
    """Names in a sentence: "A, B and C", "A, B, C, D and 7 more"."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def quoted(names: list[str]) -> list[str]:
    return [f"“{name}”" for name in names]


def whose(name: str) -> str:
    """The possessive of a name: "Email’s", "Affiliates’"."""
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def factor(ratio: float) -> str:
    """How much of something else: "3.1 times", "100 times", and, of less than all, "9% of"."""
    if ratio < 1:
        return f"{share(ratio)} of"
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2g} times"


def share(part: float) -> str:
    """A share of one in whole per cent, but never a rounded-up everything or nothing: "37%", "less than 1%"."""
    if 0 < part < 0.01:
        return "less than 1%"
    if 0.99 < part < 1:
        return "over 99%"
    return f"{part:.0%}"
