"""The figures of a dashboard page for programs: all of them as one table, and as JSON, in full precision."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from accounts.models import Workspace
from analyses.documents import RawCell
from marketing.periods import Period
from reports.data_driven import DataDriven
from reports.media_mix import MediaMix
from reports.numbers import Daily, Group, Measures, Subject
from reports.state import DashboardState

MEDIA_MIX = ("media_mix_roi", "media_mix_roi_low", "media_mix_roi_high")


def rows(subject: Subject) -> Iterator[Sequence[RawCell]]:
    """Yield every number as one table, header first: the total, each channel, each campaign, each day.

    Of channels also what a media mix model says that they returned, where there is one.
    """
    header = ["level", "name", "spend", "conversions", "revenue", "roas"]
    compared, modelled = subject.before is not None, subject.media_mix
    nothing: list[RawCell] = [None] * len(MEDIA_MIX) if modelled else []
    yield [*header, *(f"compared_{name}" for name in header[2:] if compared), *(MEDIA_MIX if modelled else ())]
    yield ["total", "", *_of(subject, is_compared=compared), *nothing]
    for level, groups in (("channel", subject.channels), ("campaign", subject.campaigns)):
        for group in groups:
            returned = modelled.by_channel.get(group.key) if modelled and level == "channel" else None
            of_model = nothing if returned is None else [returned.value, returned.low, returned.high]
            yield [level, group.name, *_of(group, is_compared=compared), *of_model]
    before = list(_each_day(subject.history.before)) if compared else []
    for place, (day, measures) in enumerate(_each_day(subject.history.now)):
        other = before[place][1] if place < len(before) else None
        compared_day = _raw(other, _roas_of_day(other, subject)) if compared else []
        yield ["day", day, *_raw(measures, _roas_of_day(measures, subject)), *compared_day, *nothing]


def data(
    subject: Subject,
    *,
    title: str,
    workspace: Workspace,
    state: DashboardState,
    window_days: int,
    origin: Mapping[str, str],
) -> dict[str, Any]:
    """Return the state, where the numbers come from, and every number as JSON: docs/api.md has its shape."""
    choice = state.choice
    return {
        "title": title,
        "workspace": workspace.slug,
        "currency": workspace.currency,
        **origin,
        "period": _dates(choice.period),
        "compared_period": _dates(choice.compared) if choice.compared else None,
        "goal": state.goal.name,
        "model": state.model,
        "window_days": window_days,
        "total": _json(subject.now, subject.roas),
        "compared_total": _json(subject.before, subject.roas_before),
        "revenue_by_model": dict(subject.revenue_by_model),
        "channels": [_group_json(group) for group in subject.channels],
        "campaigns": [_group_json(group) for group in subject.campaigns],
        "days": [
            {"day": day, **(_json(measures, _roas_of_day(measures, subject)) or {})}
            for day, measures in _each_day(subject.history.now)
        ],
        "experiments": [
            {"channel": lift.channel, **_dates(lift.period), "roi": lift.roi, "low": lift.low, "high": lift.high}
            for lift in subject.lifts
        ],
        "data_driven": _data_driven_json(subject.data_driven, subject.channels),
        "media_mix": _media_mix_json(subject.media_mix, subject.channels),
    }


def _of(what: Subject | Group, *, is_compared: bool) -> list[RawCell]:
    """The figures of the period, and of the compared one if there is one."""
    now, before = _raw(what.now, what.roas), _raw(what.before, what.roas_before)
    return [*now, *(before if is_compared else [])]


def _raw(measures: Measures | None, roas: float | None) -> list[RawCell]:
    if measures is None:
        return [None] * 4
    return [measures.spend, measures.conversions, measures.revenue, roas]


def _json(measures: Measures | None, roas: float | None) -> dict[str, float | None] | None:
    return None if measures is None else {**asdict(measures), "roas": roas}


def _roas_of_day(measures: Measures | None, subject: Subject) -> float | None:
    return measures.roas if measures and subject.has_roas else None


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        **(_json(group.now, group.roas) or {}),
        "compared": _json(group.before, group.roas_before),
        "revenue_by_model": dict(group.revenue_by_model),
    }


def _data_driven_json(found: DataDriven | None, channels: Sequence[Group]) -> dict[str, Any] | None:
    """The ROAS of each channel that the run credits and that has spend."""
    if found is None:
        return None
    pairs = [(group, found.by_channel[group.key]) for group in channels if group.key in found.by_channel]
    return {
        "run": str(found.run_id),
        "model": found.model,
        "confidence": found.confidence,
        "is_outdated": found.is_outdated,
        "channels": [
            {
                "channel": group.name,
                "roas": credited.value / group.now.spend,
                "roas_low": None if credited.low is None else credited.low / group.now.spend,
                "roas_high": None if credited.high is None else credited.high / group.now.spend,
            }
            for group, credited in pairs
            if group.now.spend > 0
        ],
    }


def _media_mix_json(found: MediaMix | None, channels: Sequence[Group]) -> dict[str, Any] | None:
    """The ROI of each channel of the page that the model knows, in the model's own period."""
    if found is None:
        return None
    pairs = [(group, found.by_channel[group.key]) for group in channels if group.key in found.by_channel]
    return {
        "run": str(found.run_id),
        "asked_at": found.asked_at.isoformat(),
        "outcome": found.outcome,
        "period": _dates(found.period),
        "confidence": found.confidence,
        "doubts": found.doubts,
        "is_stale": found.is_stale,
        "is_outdated": found.is_outdated,
        "channels": [
            {"channel": group.name, "roi": returned.value, "roi_low": returned.low, "roi_high": returned.high}
            for group, returned in pairs
        ],
    }


def _each_day(daily: Daily | None) -> Iterator[tuple[str, Measures]]:
    if daily is None:
        return
    columns = (daily.conversions.tolist(), daily.revenue.tolist(), daily.spend.tolist())
    for day, *figures in zip(daily.days, *columns, strict=True):
        yield day.isoformat(), Measures(*figures)


def _dates(period: Period) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}
