"""Answering an attribution question: from a workspace's data, through the methods, to the result that a run keeps."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from accounts.models import Workspace
from analyses.asking import active_goals, lead_goal, period_of
from analyses.errors import AnalysisError
from analyses.journeys import journeys_asked_for
from analyses.registry import Answer
from attribution.catalogue import BAYESIAN, Family, Model, find, parse_method
from attribution.channel_types import channel_types
from attribution.custom import custom_models
from attribution.custom.compiling import custom_rule_model
from attribution.evidence import evidence_of, evidence_of_paths
from attribution.labels import DIMENSION_LABELS
from attribution.methods.bootstrap import bootstrap
from attribution.methods.bootstrap_paths import bootstrap_paths
from attribution.methods.crediting import (
    BayesianModel,
    Credited,
    Method,
    credit_journeys,
    credit_paths,
    drawn_anew,
    intervals_of,
    samples_of,
)
from attribution.methods.custom_definition import parse
from attribution.methods.replicates import Replicates
from attribution.methods.rules import RECONCILED_WITHIN, RuleKind, RuleModel, journeys_without_lead_touch
from attribution.methods.shapley import ShapleyModel
from attribution.params import REVENUE
from attribution.result import Named, listed_groups, models_result, totals
from jobs.progress import Progress
from marketing.channel_index import DIRECT, channel_index
from marketing.experiments import measured_lifts
from marketing.frames import BoolColumn, Dimension, Int64Column, PathTable, SourceLookup
from marketing.journey_paths import path_table
from marketing.models import Campaign, Channel, Dataset
from marketing.periods import day_number
from marketing.selectors import (
    JourneyData,
    data_ends,
    load_daily_spend,
    load_paths,
)
from mmm_project import formats

# Of the progress bar: building the snapshot is the long part of a first run, drawing replicates that of the others.
READING, CREDITED, EVIDENCED = 0.4, 0.5, 0.55
MOST_GROUPS_OF_POSTERIOR = 300
# More would leave nothing of a small machine for the pages.
THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What touches are grouped by: names, the group of each traffic source, and which sources are Direct."""

    dimension: str
    labels: tuple[str, ...]
    of_source: Int64Column
    direct_source: BoolColumn


def of_journeys(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Answer a question about customers' journeys. Raises AnalysisError where the data cannot answer it."""
    models = [find(name, params.get(custom_models.PARAM)) for name in params["model"]]
    data = journeys_asked_for(
        workspace,
        params,
        lead_goal=lead_goal(active_goals(workspace)) if "w_shape" in params["model"] else None,
        on_progress=lambda fraction: progress("Reading the data", READING * fraction),
    )
    groups = groups_of(workspace, data.sources, params["dimension"])
    answer = _credit(workspace, params, data, models, groups, progress)
    if "segment" in params:
        answer.result["all_customers"] = totals(data.whole.value[data.whole.converted])
    return answer


def groups_of(workspace: Workspace, sources: SourceLookup, dimension: str) -> Groups:
    direct = sources.direct_source()
    if dimension != "channel_type":
        which: Dimension = "campaign" if dimension == "campaign" else "channel"
        return Groups(dimension, sources.labels(which), sources.group_of_source(which), direct)
    types = channel_types(workspace=workspace, channels=sources.channels)
    known = list(Channel.Type)
    of_channel = np.array([known.index(Channel.Type(types[name])) for name in sources.channels], np.int64)
    labels = tuple(str(each.label) for each in known)
    return Groups(dimension, labels, of_channel[sources.channel] if len(of_channel) else of_channel, direct)


def methods_of(
    workspace: Workspace, params: Mapping[str, Any], models: Sequence[Model], sources: SourceLookup
) -> list[Method]:
    methods: list[Method] = []
    for model in models:
        if model.family == Family.CUSTOM:
            definition = params[custom_models.PARAM][model.name]["definition"]
            methods.append(
                custom_rule_model(workspace=workspace, name=model.name, definition=parse(definition), sources=sources)
            )
        else:
            methods.append(_method(model, params["seed"]))
    return methods


def require_few_for_bayes(methods: Sequence[Method], table: PathTable, dimension: str) -> None:
    """Raise AnalysisError where a posterior would have more cells than can be drawn in good time."""
    if not any(isinstance(method, BayesianModel) for method in methods):
        return
    reached = len(np.unique(table.steps))
    if reached > MOST_GROUPS_OF_POSTERIOR:
        group = DIMENSION_LABELS[dimension].lower()
        raise AnalysisError(
            f"Bayesian Markov is for {MOST_GROUPS_OF_POSTERIOR} {group}s at most, and these journeys have "
            f"{formats.count(reached)}. Choose Data-Driven, or credit by something coarser.",
            code="too_many_groups",
        )


def _method(model: Model, seed: int) -> Method:
    """Return how a model that is not a custom one is computed; `seed`: of the orders that a Shapley value samples."""
    if model.name == BAYESIAN:
        return BayesianModel(model.name)
    method = parse_method(model.name)
    return replace(method, seed=seed) if isinstance(method, ShapleyModel) else method


def _credit(
    workspace: Workspace,
    params: Mapping[str, Any],
    data: JourneyData,
    models: Sequence[Model],
    groups: Groups,
    progress: Progress,
) -> Answer:
    journeys = data.journeys
    progress("Crediting", READING)
    methods = methods_of(workspace, params, models, data.sources)
    paths = path_table(journeys=journeys, group_of_source=groups.of_source, groups=len(groups.labels))
    require_few_for_bayes(methods, paths.table, groups.dimension)
    credited = credit_journeys(
        journeys=journeys,
        paths=paths,
        methods=methods,
        group_of_source=groups.of_source,
        groups=len(groups.labels),
        direct_source=groups.direct_source,
        draws=params["replicates"],
        seed=params["seed"],
        on_progress=_between(progress, "Crediting", READING, CREDITED),
        threads=THREADS,
    )
    value = journeys.value[journeys.converted]
    reconciliation = reconciled(credited, models, len(value), math.fsum(value), float(np.abs(value).sum()))
    untouched = journeys.converted & (journeys.start == journeys.stop)
    progress("Looking at paths", CREDITED)
    evidence = evidence_of(
        journeys=journeys,
        labels=groups.labels,
        group_of_source=groups.of_source,
        direct_source=groups.direct_source,
        models=[method for method in methods if isinstance(method, RuleModel) and method.adds_up],
        by_value=params["metric"] == REVENUE,
        period=period_of(params),
        zone=workspace.zone,
        window_days=params["window_days"],
        confidence=params["confidence"] / 100,
        paths=paths,
        previous_at=data.previous_at(),
    )
    replicates = bootstrap(
        journeys=journeys,
        paths=paths,
        models=drawn_anew(methods),
        group_of_source=groups.of_source,
        groups=len(groups.labels),
        direct_source=groups.direct_source,
        replicates=params["replicates"],
        seed=params["seed"],
        on_progress=_between(progress, "Drawing customers anew for the intervals", EVIDENCED, 1.0),
        threads=THREADS,
    )
    answer = answer_of(
        credited=credited,
        replicates=replicates,
        named=Named(
            groups.dimension,
            groups.labels,
            models,
            extra_of(
                credited,
                untouched=int(untouched.sum()),
                without_lead=journeys_without_lead_touch(journeys),
            ),
        ),
        params=params,
        total=totals(value),
    )
    answer.result.update(
        {
            "reconciliation": reconciliation | {"conversions_without_touch": int(untouched.sum())},
            "evidence": evidence,
            **money(workspace, params),
        }
    )
    return answer


def of_paths(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Answer a question about aggregated paths. Raises AnalysisError where the data cannot answer it."""
    period = period_of(params)
    progress("Reading the paths", 0.0)
    table, labels = load_paths(workspace=workspace, start=period.start, end=period.end)
    if not table.conversions.any():
        newest = data_ends(workspace=workspace, datasets=[Dataset.PATHS])
        raise AnalysisError(
            f"There are no aggregated paths with conversions from {period.label}. "
            + (f"The newest are of {newest:%-d %b %Y}: choose" if newest else "Import some on the page Data, or choose")
            + " another period.",
            code="no_conversions",
        )
    index = channel_index(workspace=workspace)
    is_direct = [(channel := index.named(label)) is not None and index.is_direct(channel.pk) for label in labels]
    result = _of_table(table, labels, is_direct, params, _between(progress, "Crediting", 0.1, 1.0))
    result.result.update({"evidence": evidence_of_paths(table=table, labels=labels), **money(workspace, params)})
    return result


def result_of_table(*, table: PathTable, labels: Sequence[str], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a question about this table of paths."""
    return _of_table(table, labels, [label.lower() == DIRECT for label in labels], params, lambda _share: None).result


def _of_table(
    table: PathTable,
    labels: Sequence[str],
    is_direct: Sequence[bool],
    params: Mapping[str, Any],
    on_progress: Callable[[float], None],
) -> Answer:
    models = [find(name) for name in params["model"]]
    methods = [_method(model, params["seed"]) for model in models]
    require_few_for_bayes(methods, table, params["dimension"])
    direct = np.array(is_direct, np.bool_)
    credited = credit_paths(
        paths=table,
        methods=methods,
        direct=direct,
        draws=params["replicates"],
        seed=params["seed"],
        threads=THREADS,
    )
    replicates = bootstrap_paths(
        paths=table,
        models=drawn_anew(methods),
        direct=direct,
        replicates=params["replicates"],
        seed=params["seed"],
        on_progress=on_progress,
    )
    conversions, value = math.fsum(table.conversions), math.fsum(table.value)
    reconciliation = reconciled(credited, models, conversions, value, value)
    answer = answer_of(
        credited=credited,
        replicates=replicates,
        named=Named(params["dimension"], labels, models),
        params=params,
        total=totals(table.value, conversions),
    )
    answer.result["reconciliation"] = reconciliation | {"conversions_without_touch": 0}
    return answer


def answer_of(
    *,
    credited: Credited,
    replicates: Replicates,
    named: Named,
    params: Mapping[str, Any],
    total: Mapping[str, float],
) -> Answer:
    """Return the models' results with intervals, and, as arrays, what other runs can be set against."""
    by_value = params["metric"] == REVENUE
    intervals = intervals_of(
        credited=credited, replicates=replicates, level=params["confidence"] / 100, by_value=by_value
    )
    result = {
        "totals": total,
        "models": models_result(
            credited=credited,
            named=named,
            intervals=intervals,
            by_value=by_value,
            total=total["value" if by_value else "conversions"],
        ),
        "intervals": {name: params[name] for name in ("confidence", "replicates", "seed")},
    }
    return Answer(result, _kept(credited, replicates, named))


def _kept(credited: Credited, replicates: Replicates, named: Named) -> dict[str, npt.NDArray[Any]]:
    """Return the main model's credit in each replicate, by the groups of the result: (lanes, groups) float32.

    With it, the difference to another run has an interval: the same customers weigh the same under one seed.
    """
    listed = listed_groups(credited, named)
    main = [samples_of(credited, replicates, measure)[0] for measure in ("conversions", "value")]
    conversions, value = (sample.lanes[:, listed].astype(np.float32) for sample in main)
    return {"conversions": conversions, "value": value, "groups_left_out": np.array(main[0].groups_left_out)}


def _between(progress: Progress, phase: str, low: float, high: float) -> Callable[[float], None]:
    """Return what tells the job how far a part of it, from `low` to `high` of the whole, has come."""
    return lambda share: progress(phase, low + (high - low) * share)


def extra_of(credited: Credited, *, untouched: int, without_lead: int) -> dict[str, dict[str, Any]]:
    """Return, by model, how many journeys its rule had nothing to say about.

    `untouched`: conversions without a touch; `without_lead`: as `journeys_without_lead_touch` counts them.
    """
    extra: dict[str, dict[str, Any]] = {}
    for place, method in enumerate(credited.methods):
        if isinstance(method, RuleModel) and method.kind == RuleKind.W:
            extra[method.name] = {"journeys_without_lead": without_lead}
        if isinstance(method, RuleModel) and method.kind == RuleKind.CUSTOM:
            left = round(float(credited.conversions[place, -1])) - untouched
            extra[method.name] = {"journeys_without_weight": left}
    return extra


def reconciled(
    credited: Credited, models: Sequence[Model], conversions: float, value: float, size: float
) -> dict[str, Any]:
    """Compare what each model that adds up hands out with what there is; `size`: the sum of absolute values.

    Raises AnalysisError if one does not add up.
    """
    adding_up = [place for place, model in enumerate(models) if model.adds_up]
    off_conversions = float(np.abs(credited.conversions[adding_up].sum(axis=1) - conversions).max(initial=0.0))
    off_value = float(np.abs(credited.value[adding_up].sum(axis=1) - value).max(initial=0.0))
    if off_conversions > RECONCILED_WITHIN * conversions or off_value > RECONCILED_WITHIN * size:
        raise AnalysisError(
            "The credit does not add up to the conversions, so it is not shown. Please report this run.",
            code="not_reconciled",
        )
    return {
        "ok": True,
        "largest_difference_conversions": off_conversions,
        "largest_difference_value": off_value,
    }


def money(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was spent in the period on each channel or campaign, and what experiments measured on channels."""
    dimension, period = params["dimension"], period_of(params)
    if dimension == "channel_type":
        return {}
    spend = load_daily_spend(workspace=workspace)
    inside = (spend.day >= day_number(period.start)) & (spend.day <= day_number(period.end))
    key = spend.channel if dimension == "channel" else spend.campaign
    ids, place = np.unique(key[inside], return_inverse=True)
    amounts = dict(zip(ids.tolist(), np.bincount(place, spend.spend[inside], len(ids)).tolist(), strict=True))
    if dimension == "campaign":
        names = dict(Campaign.objects.filter(workspace=workspace, pk__in=amounts).values_list("pk", "name"))
        return {"spend": {name: amounts[pk] for pk, name in names.items()}}
    index = channel_index(workspace=workspace)
    lifts = measured_lifts(workspace, index=index, confidence=params["confidence"])
    experiments = [
        {
            "channel": lift.channel,
            "start": lift.period.start.isoformat(),
            "end": lift.period.end.isoformat(),
            "roi": lift.roi,
            "roi_low": lift.low,
            "roi_high": lift.high,
        }
        for lift in lifts
    ]
    return {"spend": {index.channels[pk].name: amount for pk, amount in amounts.items()}, "experiments": experiments}
