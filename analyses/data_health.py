"""What was wrong with the data that a run was computed on: looked up with it, kept in its result, and shown.

A run without the key `data_health` in its result was computed before there was any, or its data could not be looked at.
"""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Workspace
from analyses.documents import DataTable, Figure, Row, Section, in_detail
from analyses.registry import AnalysisKind, Params
from marketing import store
from marketing.channel_index import channel_index
from marketing.health.checks import Finding
from marketing.health.reports import present_report
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run

logger = logging.getLogger(__name__)

KEY = "data_health"
SHARED = "Findings about a whole dataset count for each channel."


def look_up(*, workspace: Workspace, analysis: AnalysisKind, params: Params) -> dict[str, Any]:
    """Return what a run's result says of its data: {"data_health": findings}, or nothing if they cannot be looked at.

    Findings are those about the datasets of the question, on the days of its period or of the lookback window before.
    Raises store.DataChanged.
    """
    if analysis.internal or "start" not in params or "end" not in params:
        return {}
    start, end = (dt.date.fromisoformat(params[name]) for name in ("start", "end"))
    try:
        report = present_report(workspace=workspace)
    except store.DataChanged:
        raise
    except Exception:
        # The checks meet data that nobody thought of. A mistake of theirs must not cost the answer, which does not
        # depend on them. It is logged as an error, and tests raise it (tests/conftest.py).
        logger.exception("The data of %s could not be looked at", workspace.slug)
        return {}
    if report is None:
        return {}
    window = dt.timedelta(days=int(params.get("window_days", 0)))
    datasets = {dataset.value for dataset in analysis.datasets}
    return {KEY: [finding.to_json() for finding in report.concerning(datasets, start - window, end)]}


def findings_of(run: "Run") -> list[Finding] | None:
    """The findings that a finished run carries; None if it carries none of any kind."""
    kept = (run.result or {}).get(KEY)
    return None if kept is None else [Finding.from_json(finding) for finding in kept]


def section(run: "Run", *, channels: Sequence[str] = ()) -> tuple[Section, ...]:
    """The part of a document about its data: each finding, and for each channel how many there are, with its page."""
    findings = findings_of(run)
    if findings is None:
        return ()
    sentences = tuple(f"{finding.sentence} {finding.advice}" for finding in findings)
    if not sentences:
        sentences = ("Nothing wrong was found in the data of this period.",)
    table = _by_channel(run, findings, channels)
    return in_detail(
        [Section(title="Data health", sentences=sentences, tables=(table,) if table else ())], said=bool(findings)
    )


def _by_channel(run: "Run", findings: Sequence[Finding], channels: Sequence[str]) -> DataTable | None:
    index = channel_index(workspace=run.workspace)
    known = [(name, channel) for name in channels if (channel := index.named(name))]
    if not known:
        return None
    rows = []
    for name, channel in known:
        count = sum(finding.channel in ("", name) for finding in findings)
        href = health_url(workspace=run.workspace, channel_id=channel.pk, params=run.params)
        rows.append(Row(label=name, cells=(Figure(formats.count(count), value=count),), href=href))
    return DataTable(
        title="Findings by channel", columns=("Channel", "Findings in its data"), rows=tuple(rows), note=SHARED
    )


def health_url(*, workspace: Workspace, channel_id: int, params: Mapping[str, Any]) -> str:
    """The page about a channel's data in a run's period."""
    query = urlencode({"channel": channel_id, "start": params["start"], "end": params["end"]})
    return f"{reverse('marketing:health', kwargs={'slug': workspace.slug})}?{query}"
