"""Finished attribution runs whose results are written out by hand."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from analyses.models import Run
from jobs.models import Job

PARAMS = {
    "model": ["last"],
    "goal": "Purchase",
    "metric": "revenue",
    "window_days": 30,
    "start": "2026-03-01",
    "end": "2026-03-31",
    "dimension": "channel",
}
Credit = Mapping[str, tuple[float, float]]
LAST: Credit = {"Email": (2.0, 50.0), "Search": (1.0, 250.0), "Display": (0.0, 0.0), "(none)": (1.0, 100.0)}
FIRST: Credit = {"Email": (0.5, 300.0), "Search": (1.5, 0.0), "Display": (1.0, 0.0), "(none)": (1.0, 100.0)}


def finished(
    workspace: Workspace,
    *,
    credit: Mapping[str, Credit] | None = None,
    totals: tuple[float, float] = (4, 400.0),
    without_touch: int = 1,
    differences: tuple[float, float] = (0.0, 5.7e-14),
    **params: object,
) -> Run:
    """Return a run with this credit, model -> group -> (conversions, value), that is in no database."""
    credit = credit or {"last": LAST}
    asked: dict[str, Any] = PARAMS | {"model": list(credit)} | params
    listed = {
        model: [(name, conversions, value) for name, (conversions, value) in groups.items()]
        for model, groups in credit.items()
    }
    return a_run(workspace, asked, listed, totals=totals, without_touch=without_touch, differences=differences)


def a_run(
    workspace: Workspace,
    params: dict[str, Any],
    credit: Mapping[str, list[tuple[str, float, float]]],
    *,
    totals: tuple[float, float],
    without_touch: int = 0,
    differences: tuple[float, float] = (0.0, 0.0),
) -> Run:
    """The same where names may repeat: model -> (group, conversions, value), the conversions without a touch last."""
    dimension = params["dimension"]
    result = {
        "totals": {"conversions": totals[0], "value": totals[1]},
        "models": {
            model: {
                f"{dimension}s": [
                    {dimension: name, "conversions": conversions, "value": value} for name, conversions, value in groups
                ]
            }
            for model, groups in credit.items()
        },
        "reconciliation": {
            "ok": True,
            "largest_difference_conversions": differences[0],
            "largest_difference_value": differences[1],
            "conversions_without_touch": without_touch,
        },
    }
    return Run(
        workspace=workspace,
        job=Job(workspace=workspace, status=Job.Status.DONE),
        kind="attribution",
        method_version="1",
        data_version="d" * 64,
        trigger=Run.Trigger.CLI,
        params=params,
        result=result,
        created_at=dt.datetime(2026, 4, 1, 9, 30, tzinfo=dt.UTC),
    )
