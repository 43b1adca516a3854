"""Every kind of attribution model asked at once: credit, replicates and what explains them, in the models' order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from attribution.methods.bayesian_markov import Posterior, bayesian_markov
from attribution.methods.intervals import Interval, Sample, difference, interval
from attribution.methods.markov import MarkovCredit, MarkovModel, markov_credit
from attribution.methods.path_rules import path_rule_credit
from attribution.methods.replicates import Replicates
from attribution.methods.rules import RuleModel, rule_credit
from attribution.methods.shapley import ShapleyCredit, ShapleyModel, shapley_credit
from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys, PathTable
from marketing.journey_paths import JourneyPaths

OnProgress: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class BayesianModel:
    """A Markov chain of order 1 with a posterior of its transition probabilities."""

    name: str
    null_paths: bool = True


Method: TypeAlias = RuleModel | MarkovModel | ShapleyModel | BayesianModel


def nobody_watches(_share: float) -> None:
    """Progress that nobody follows."""


@dataclass(frozen=True, slots=True, eq=False)
class Credited:
    """Credit under M models by G groups, the last column "(none)".

    `conversions`, `value`: (M, G+1) float64, value in account currency. `markov`, `shapley`, `posterior`: by the name
    of the model, what its credit follows from.
    """

    methods: tuple[Method, ...]
    conversions: Float64Column
    value: Float64Column
    markov: Mapping[str, MarkovCredit]
    shapley: Mapping[str, ShapleyCredit]
    posterior: Mapping[str, Posterior]


def credit_journeys(
    *,
    journeys: Journeys,
    paths: JourneyPaths,
    methods: Sequence[Method],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
    draws: int,
    seed: int,
    on_progress: OnProgress = nobody_watches,
    threads: int = 1,
) -> Credited:
    """Credit every converted journey under each model; data-driven ones credit those with a touch.

    `paths`: the journeys' own. `draws`, `seed`: of a posterior. The other arguments are those of `rule_credit`.
    """
    rules = [method for method in methods if isinstance(method, RuleModel)]
    credit = rule_credit(
        journeys=journeys,
        models=rules,
        group_of_source=group_of_source,
        groups=groups,
        direct_source=direct_source,
        threads=threads,
    )
    untouched = journeys.converted & (journeys.start == journeys.stop)
    return credit_statistics(
        methods=methods,
        of_rules=(credit.conversions, credit.value),
        paths=paths.table,
        untouched=(float(untouched.sum()), float(journeys.value[untouched].sum())),
        draws=draws,
        seed=seed,
        on_progress=on_progress,
        threads=threads,
    )


def credit_paths(
    *,
    paths: PathTable,
    methods: Sequence[Method],
    direct: BoolColumn,
    draws: int,
    seed: int,
    on_progress: OnProgress = nobody_watches,
    threads: int = 1,
) -> Credited:
    """The same for aggregated paths, none of which is without a touch. `direct`: (G,) bool, which groups are Direct."""
    rules = [method for method in methods if isinstance(method, RuleModel)]
    credit = path_rule_credit(paths=paths, models=rules, direct=direct, threads=threads)
    return credit_statistics(
        methods=methods,
        of_rules=(credit.conversions, credit.value),
        paths=paths,
        untouched=(0.0, 0.0),
        draws=draws,
        seed=seed,
        on_progress=on_progress,
        threads=threads,
    )


def credit_statistics(
    *,
    methods: Sequence[Method],
    of_rules: tuple[Float64Column, Float64Column],
    paths: PathTable,
    untouched: tuple[float, float],
    draws: int,
    seed: int,
    on_progress: OnProgress = nobody_watches,
    threads: int = 1,
) -> Credited:
    """Credit under each model from statistics that are sums over customers.

    `of_rules`: conversions and value, (rule models, G+1) each, that the rule models hand out, in their order.
    `paths`: the distinct paths. `untouched`: conversions without a touch, and their value. `draws`, `seed`: of a
    posterior.
    """
    conversions, value = np.zeros((2, len(methods), paths.groups + 1))
    markov: dict[str, MarkovCredit] = {}
    shapley: dict[str, ShapleyCredit] = {}
    posterior: dict[str, Posterior] = {}
    rule = 0
    for place, method in enumerate(methods):
        if isinstance(method, RuleModel):
            conversions[place], value[place] = of_rules[0][rule], of_rules[1][rule]
            rule += 1
            continue
        if isinstance(method, MarkovModel):
            found: MarkovCredit | ShapleyCredit = markov_credit(paths=paths, model=method, threads=threads)
            markov[method.name] = found  # type: ignore[assignment] # mypy forgets which
        elif isinstance(method, ShapleyModel):
            found = shapley_credit(paths=paths, model=method, on_progress=on_progress)
            shapley[method.name] = found
        else:
            drawn = bayesian_markov(
                paths=paths, draws=draws, seed=seed, null_paths=method.null_paths, on_progress=on_progress
            )
            posterior[method.name] = drawn
            share = drawn.share.mean(axis=0)
            conversions[place, :-1], value[place, :-1] = paths.conversions.sum() * share, paths.value.sum() * share
            conversions[place, -1], value[place, -1] = untouched
            continue
        conversions[place, :-1], value[place, :-1] = found.conversions, found.value
        conversions[place, -1], value[place, -1] = untouched
    return Credited(tuple(methods), conversions, value, markov, shapley, posterior)


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Low and high ends of every number, of the shape that the numbers have.

    `conversions`, `value`, `share`: (M, G+1), the share being that of conversions or of value.
    `conversions_difference`, `value_difference`: (M, G+1), of the difference to the first model. `explained`: by name
    of a data-driven model and of what its credit follows from (removal_effect, rate_without, marginal_effect (G,),
    conversion_rate ()).
    """

    conversions: Interval
    value: Interval
    share: Interval
    conversions_difference: Interval
    value_difference: Interval
    explained: Mapping[str, Mapping[str, Interval]]


def drawn_anew(methods: Sequence[Method]) -> list[RuleModel | MarkovModel | ShapleyModel]:
    """Return the models whose intervals come from the bootstrap: all but those that have a posterior."""
    return [method for method in methods if not isinstance(method, BayesianModel)]


def intervals_of(*, credited: Credited, replicates: Replicates, level: float, by_value: bool) -> Intervals:
    """Intervals at this level, a share below 1, of the credit and of its differences to the first model.

    `replicates`: of the models that `drawn_anew` returns. A posterior takes the conversions that there are as given, so
    its intervals are those of how they are shared out. `by_value`: whether shares are those of value.
    """
    samples = {measure: samples_of(credited, replicates, measure) for measure in ("conversions", "value")}
    of_drawn = {
        "conversions": replicates.interval_of_conversions(level),
        "value": replicates.interval_of_value(level),
        "share": replicates.interval_of_share(level, by_value=by_value),
    }
    total = credited.value if by_value else credited.conversions
    explained = {model: _explained(figures, level) for model, figures in replicates.explained.items()}
    for model, posterior in credited.posterior.items():
        draws = {
            "removal_effect": posterior.effect,
            "rate_without": posterior.rate_without,
            "conversion_rate": posterior.conversion_rate,
        }
        explained[model] = _explained(
            {name: Sample.of_draws(estimate=drawn.mean(axis=0), draws=drawn) for name, drawn in draws.items()}, level
        )

    def each(figure: str) -> Interval:
        """The interval of each model in turn: the bootstrap's own, which know of bounds, or the posterior's."""
        drawn, ends = 0, []
        for place, method in enumerate(credited.methods):
            if isinstance(method, BayesianModel):
                measure = figure if figure != "share" else "value" if by_value else "conversions"
                found = interval(_posterior_sample(credited, place, measure), level)
                scale = (total[place].sum() or 1.0) if figure == "share" else 1.0
                ends.append((found.low / scale, found.high / scale))
            else:
                ends.append((of_drawn[figure].low[drawn], of_drawn[figure].high[drawn]))
                drawn += 1
        return _stacked(ends)

    def differences(measure: str) -> Interval:
        main, *others = samples[measure]
        nothing = np.zeros(credited.conversions.shape[1])
        found = [interval(difference(other, main), level) for other in others]
        return _stacked([(nothing, nothing), *((one.low, one.high) for one in found)])

    return Intervals(
        conversions=each("conversions"),
        value=each("value"),
        share=each("share"),
        conversions_difference=differences("conversions"),
        value_difference=differences("value"),
        explained=explained,
    )


def _explained(figures: Mapping[str, Sample], level: float) -> dict[str, Interval]:
    """Intervals of what credit follows from: probabilities, or differences between such."""
    return {
        name: interval(sample, level, at_least=-1.0 if name == "marginal_effect" else 0.0, at_most=1.0)
        for name, sample in figures.items()
    }


def _stacked(ends: Sequence[tuple[Float64Column, Float64Column]]) -> Interval:
    low, high = zip(*ends, strict=True)
    return Interval(np.stack(low), np.stack(high))


def samples_of(credited: Credited, replicates: Replicates, measure: str) -> list[Sample]:
    """The credit of each model, (G+1,), in the bootstrap's replicates.

    A posterior tells how what has a touch is shared out; how much that is, and what has none, the replicates tell. So
    what models have in common is not in their differences, and what periods do not is in theirs.
    """
    drawn = replicates.credited_conversions if measure == "conversions" else replicates.credited_value
    samples, number = [], 0
    for method in credited.methods:
        if isinstance(method, BayesianModel):
            samples.append(_shared_out(credited.posterior[method.name], replicates, measure))
        else:
            samples.append(Sample(drawn.lanes[:, number], drawn.groups_left_out))
            number += 1
    return samples


def _shared_out(posterior: Posterior, replicates: Replicates, measure: str) -> Sample:
    """A draw of the posterior for each replicate; its mean where groups of customers are left out."""
    total, untouched = (
        (replicates.total_conversions, replicates.untouched_conversions)
        if measure == "conversions"
        else (replicates.total_value, replicates.untouched_value)
    )
    before = 1 + total.groups_left_out
    mean = np.broadcast_to(posterior.share.mean(axis=0), (before, posterior.share.shape[1]))
    share = np.concatenate([mean, np.resize(posterior.share, (len(total.lanes) - before, mean.shape[1]))])
    touched = (total.lanes - untouched.lanes)[:, None] * share
    return Sample(np.concatenate([touched, untouched.lanes[:, None]], axis=1), total.groups_left_out)


def _posterior_sample(credited: Credited, place: int, measure: str) -> Sample:
    """The credit of a model with a posterior, (G+1,), in its draws, with the conversions that there are as given."""
    estimate = (credited.conversions if measure == "conversions" else credited.value)[place]
    draws = getattr(credited.posterior[credited.methods[place].name], measure)
    untouched = np.full((len(draws), 1), estimate[-1])
    return Sample.of_draws(estimate=estimate, draws=np.concatenate([draws, untouched], axis=1))
