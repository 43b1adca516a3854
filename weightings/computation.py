"""Answering what media brought: from a workspace's data, through a model in a child process, to what a run keeps."""

import datetime as dt
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from accounts.models import Workspace
from analyses.asking import period_of
from analyses.errors import AnalysisError
from analyses.registry import Answer
from jobs.children import compute_in_child
from jobs.progress import Progress
from marketing.experiments import visible_experiments
from marketing.frames import GeoPanel, MediaPanel
from marketing.media_panels import (
    LoadedGeoPanel,
    LoadedPanel,
    PanelProblem,
    PanelRemark,
    PanelRequest,
    load_geo_panel,
    load_media_panel,
)
from marketing.models import Outcome
from marketing.panel_building.rhythm import Calendar, weekday
from marketing.periods import EPOCH, Period, day_number
from weightings import leaving_out
from weightings.params import EFFECTS, NO_EXPERIMENTS, is_lightweight

PROGRAM = "weightings.fit_program:fit"
FORMAT = 1  # of the result; goes up when what is read changes its meaning
THREADS = min(4, os.cpu_count() or 1)
HORIZONS = {"day": 28, "week": 13, "month": 3}  # periods that are held back at a time


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Fit the model that is asked for. Raises AnalysisError where the data cannot answer, JobFailed where the fit does.

    The model learns from all data up to the period's end; the result is about the whole periods within it.
    """
    # Here, not above: they bring SciPy, which pages that only name the kind must not wait for.
    from weightings.methods.preparing import LAGS
    from weightings.methods.storing import pack_geo_panel, pack_panel
    from weightings.refresh.changes import ComputedModel, since_previous

    began = time.perf_counter()
    progress("Reading the data", 0.0)
    outcome = _outcome(workspace, params)
    loaded = _load(workspace, params, outcome, history_periods=LAGS[params["granularity"]] - 1)
    geos = loaded.panel if isinstance(loaded, LoadedGeoPanel) else None
    panel = loaded.panel if isinstance(loaded, LoadedPanel) else loaded.panel.national()
    effects = params.get(EFFECTS, {})
    _require_spend(panel, effects)
    experiments, of_experiments = _experiments(workspace, params, panel, geos)
    start, stop = window_of(panel, period_of(params))
    described, arrays = pack_panel(panel) if geos is None else pack_geo_panel(geos)
    loading_seconds = time.perf_counter() - began
    answer = compute_in_child(
        program=PROGRAM,
        question={
            "panel": described,
            "model": params["model"],
            "window": [start, stop],
            "confidence": params["confidence"],
            "seed": params["seed"],
            "draws": params["draws"],
            "folds": params["folds"],
            "horizon": HORIZONS[params["granularity"]],
            "threads": THREADS,
            "effects": effects,
            "knots": params.get("knots"),
            "experiments": experiments,
            "experiments_as": params.get("experiments", "auto"),
            "lifts_count": params.get("lifts", "all"),
        },
        arrays=arrays,
        progress=progress,
    )
    remarks = (*loaded.remarks, *of_experiments)
    result = {**_about(outcome, params, panel, (start, stop), remarks), **answer.result}
    model = ComputedModel(result, panel, dict(answer.arrays))
    result["since_previous"] = since_previous(workspace, params, model)
    of_child = answer.result["timings"]
    result["timings"] = {
        "loading_seconds": loading_seconds,
        **of_child,
        "child_seconds": of_child["total_seconds"],
        "total_seconds": time.perf_counter() - began,
    }
    return Answer(result, answer.arrays)


def window_of(panel: MediaPanel, period: Period) -> tuple[int, int]:
    """Return the outcome's periods that lie within `period` as a whole, [start, stop). Raises AnalysisError of none."""
    starts, ends = _days(panel)
    inside = np.flatnonzero((starts >= day_number(period.start)) & (ends <= day_number(period.end)))
    if len(inside):
        return int(inside[0]), int(inside[-1]) + 1
    known = Period(_date(starts[0]), _date(ends[-1]))
    raise AnalysisError(
        f"There is no whole {panel.granularity} of “{panel.outcome_name}” within {period.label}: it is known for "
        f"{known.label}. Choose a longer period or a finer granularity.",
        code="no_whole_periods",
    )


def _outcome(workspace: Workspace, params: Mapping[str, Any]) -> Outcome:
    outcome = Outcome.objects.select_related("workspace").filter(workspace=workspace, name=params["outcome"]).first()
    if outcome is None:
        raise AnalysisError(f"The outcome “{params['outcome']}” no longer exists. Choose another one.")
    return outcome


def _load(
    workspace: Workspace, params: Mapping[str, Any], outcome: Outcome, *, history_periods: int
) -> LoadedPanel | LoadedGeoPanel:
    bounds = params.get("bounds")
    request = PanelRequest(
        outcome=outcome,
        start=None,
        end=period_of(params).end,
        granularity=params["granularity"],
        history_periods=history_periods,
        exposure=params.get("exposure", "auto"),
        holiday_countries=tuple(params.get("holidays", ())),
        bounds=None if bounds is None else (bounds[0], bounds[1]),
        short_allowed=params.get("short_allowed") == "yes",
        leave_out_channels=tuple(params.get("leave_out_channels", ())),
        leave_out_controls=tuple(params.get("leave_out_controls", ())),
    )
    try:
        load = load_geo_panel if "by_geo" in params else load_media_panel
        return load(workspace=workspace, request=request)
    except PanelProblem as problem:
        raise AnalysisError(problem.sentence, code=problem.code) from problem


def _require_spend(panel: MediaPanel, effects: Mapping[str, Any]) -> None:
    """Raise AnalysisError for a return that is expected of a channel that has none: without spend in the model."""
    without = [name for name in effects if name not in panel.channels]
    if without:
        raise AnalysisError(
            f"A return is expected of “{without[0]}”, which has no spend in these data that a model could learn from. "
            "Leave it out of the expected returns.",
            code="no_spend",
        )


def _experiments(
    workspace: Workspace, params: Mapping[str, Any], panel: MediaPanel, geos: GeoPanel | None
) -> tuple[list[dict[str, Any]], list[PanelRemark]]:
    """The experiments that the model is given, and what there is to say of those that it cannot use as they are."""
    from weightings.methods.experiments.lifts import Experiment, read

    use = params.get("experiments", "auto")
    found = [] if use == NO_EXPERIMENTS else visible_experiments(workspace)
    if found and is_lightweight(params):
        sentence = "Experiments are not used: LightweightMMM's models know none. Choose another model to have them in."
        return [], [PanelRemark("experiments", sentence)]
    found = leaving_out.kept(found, params.get("leave_out_experiments", ()))
    without_channel = [row for row in found if row.channel in params.get("leave_out_channels", ())]
    experiments = [
        Experiment(
            channel=row.channel,
            start=day_number(row.period.start),
            end=day_number(row.period.end),
            geo=row.geo,
            lift=row.lift,
            standard_error=row.standard_error,
            spend=row.spend,
        )
        for row in found
        if row not in without_channel
    ]
    channels: dict[str, dict[str, None]] = {}  # by sentence, as one may be about several
    for row in without_channel:
        sentence = f"Experiments on “{row.channel}” are not used: the channel is left out of the model, as asked."
        channels[sentence] = {row.channel: None}
    for reading in read(panel, experiments, use, geos={} if geos is None else geos.by_name):
        for sentence in reading.remarks:
            channels.setdefault(sentence, {})[reading.experiment.channel] = None
    remarks = [PanelRemark("experiments", sentence, tuple(names)) for sentence, names in channels.items()]
    return [asdict(experiment) for experiment in experiments], remarks


def _about(
    outcome: Outcome,
    params: Mapping[str, Any],
    panel: MediaPanel,
    window: tuple[int, int],
    remarks: Sequence[PanelRemark],
) -> dict[str, Any]:
    """What the result is about: its first part."""
    starts, ends = (days.tolist() for days in _days(panel))
    start, stop = window
    return {
        "format": FORMAT,
        "model": params["model"],
        "outcome": {
            "name": outcome.name,
            "kind": str(outcome.kind),
            "is_money": panel.is_money,
            "bounds": None if panel.bounds is None else list(panel.bounds),
            "unit": outcome.workspace.currency if panel.is_money else "",
        },
        "granularity": panel.granularity,
        "period": {**_span(starts[start], ends[stop - 1]), "periods": stop - start, "first": start},
        "estimation": {**_span(starts[0], ends[-1]), "periods": len(starts), "history": panel.history},
        "confidence": params["confidence"],
        "remarks": [
            {"code": remark.code, "sentence": remark.sentence, "names": list(remark.names)} for remark in remarks
        ],
    }


def _days(panel: MediaPanel) -> tuple[Any, Any]:
    """The first and the last day of each of the outcome's periods, (T,) int64 each."""
    starts = panel.period_start[panel.history :]
    calendar = Calendar(panel.granularity, int(weekday(starts[:1])[0]))
    return starts, calendar.first_day(calendar.period_of(starts) + 1) - 1


def _span(first: int, last: int) -> dict[str, str]:
    return {"start": _date(first).isoformat(), "end": _date(last).isoformat()}


def _date(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(int(day))
