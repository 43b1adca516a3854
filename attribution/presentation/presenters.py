"""An attribution result as people read it: which groups are shown, in which order, and the words for its numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyses.asking import EXCLUDE, period_of
from analyses.segments import segment_name, segment_settings
from attribution.catalogue import BAYESIAN, Model, find
from attribution.custom import custom_models
from attribution.labels import DIMENSION_LABELS, NONE
from attribution.params import PATHS, REVENUE
from marketing.periods import Period
from marketing.sources import NO_CAMPAIGN
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run
    from mmm_project.tables import Cell


SIMPLIFIED = "shapley:simplified"  # which no null path changes
WHOLE_FROM = 100  # conversions: a tenth of one says nothing any more


@dataclass(frozen=True, slots=True)
class Group:
    """A channel or campaign, or several folded into one (`is_one` is false), with its credit under each model.

    `credit`: for each model in their order, {"conversions": ..., "value": ...}, with intervals as the result has them.
    """

    label: str
    credit: Sequence[Mapping[str, Any]]
    is_one: bool = True


class Credit:
    """A finished run's credit: `groups`, largest under the first model first, and the `untouched` conversions."""

    def __init__(self, run: "Run") -> None:
        assert run.result is not None  # noqa: S101 - only finished runs are presented
        self.params: Mapping[str, Any] = run.params
        self.currency = run.workspace.currency
        self.dimension: str = run.params["dimension"]
        self.dimension_in_sentence = DIMENSION_LABELS[self.dimension].lower()
        self.measure = "value" if run.params["metric"] == REVENUE else "conversions"
        self.metric_label = metric_label(run.params)
        self.metric_in_sentence = self.metric_label if "goal" in run.params else self.metric_label.lower()
        self.totals: Mapping[str, float] = run.result["totals"]
        self.models: Sequence[Model] = [model_of(name, run.params) for name in run.result["models"]]
        self.details: Sequence[Mapping[str, Any]] = list(run.result["models"].values())
        # Runs of before there were intervals have none.
        self.intervals: Mapping[str, Any] | None = run.result.get("intervals")
        self.reconciled: Mapping[str, Any] = run.result["reconciliation"]
        # What there is without the segment; None where the question is about all customers.
        self.all_customers: Mapping[str, float] | None = run.result.get("all_customers")
        # All models list the same groups in the same order, the conversions without a touch last. A group is known by
        # its place, not its name, so that no number can hide behind another.
        lists = [credit[f"{self.dimension}s"] for credit in run.result["models"].values()]
        *groups, untouched = [Group(row[0][self.dimension], row) for row in zip(*lists, strict=True)]
        self.untouched = Group(untouched.label, untouched.credit, is_one=False)
        self.groups = sorted(groups, key=lambda group: (-self.of(group), group.label))

    @property
    def dimension_label(self) -> str:
        return DIMENSION_LABELS[self.dimension]

    @property
    def period(self) -> Period:
        return period_of(self.params)

    @property
    def interval_words(self) -> str:
        """What the intervals are: "95% interval"; "" where there are none."""
        return f"{self.intervals['confidence']}% interval" if self.intervals else ""

    def interval(self, group: Group, model: int = 0, measure: str = "") -> tuple[float, float] | None:
        """Return the interval of a group's credit under a model; None where there is none."""
        return bounds(group.credit[model], measure or self.measure)

    def shown(self, most: int) -> list[Group]:
        """Return at most `most` groups, the smallest folded into one, and the conversions without a touch.

        Under a model whose credit does not add up there is no folding: the smallest are left out.
        """
        untouched = [self.untouched] if self.params.get("data") != PATHS else []  # an aggregated path has a touch
        if len(self.groups) <= most:
            return [*self.groups, *untouched]
        if not all(model.adds_up for model in self.models):
            return [*self.groups[:most], *untouched]
        kept, rest = self.groups[: most - 1], self.groups[most - 1 :]
        folded = [
            {measure: math.fsum(group.credit[model][measure] for group in rest) for measure in ("conversions", "value")}
            for model in range(len(self.models))
        ]
        return [*kept, Group(f"{formats.count(len(rest))} others", folded, is_one=False), *untouched]

    def of(self, group: Group, model: int = 0) -> float:
        """Return the chosen metric of a group under the model at this place."""
        return float(group.credit[model][self.measure])

    def share(self, value: float) -> float:
        """Return an amount of the chosen metric as a share of all of it; 0 where there is none."""
        total = self.totals[self.measure]
        return value / total if total else 0.0

    def share_of_all(self, measure: str) -> str:
        """Return how much of all customers' conversions or value the segment has: "23.4% of all 5,270"."""
        if self.all_customers is None or not self.all_customers[measure]:
            return ""
        share = formats.percent(self.totals[measure] / self.all_customers[measure])
        return f"{share} of all {self.rounded(self.all_customers[measure], measure)}"

    def rounded(self, value: float, measure: str = "") -> str:
        """Return an amount (of the chosen metric unless `measure` says another) as short as tables show it."""
        if (measure or self.measure) == "value":
            return formats.round_money(value, self.currency)
        return formats.count(round(value, 1 if abs(value) < WHOLE_FROM else 0))

    def in_full(self, value: float, measure: str = "") -> str:
        """Return an amount with its decimals."""
        if (measure or self.measure) == "value":
            return formats.money(value, self.currency)
        return formats.count(value)


def model_of(name: str, params: Mapping[str, Any]) -> Model:
    """Return the model that canonical params name."""
    return find(name, params.get(custom_models.PARAM))


def metric_label(params: Mapping[str, Any]) -> str:
    """Return what is credited: "Purchase revenue", or of aggregated paths, which have no goals, "Revenue"."""
    return f"{params['goal']} {params['metric']}" if "goal" in params else str(params["metric"]).capitalize()


def bounds(amounts: Mapping[str, Any], measure: str) -> tuple[float, float] | None:
    """Return the interval of a measure as a result has it; None where it has none."""
    low, high = (amounts.get(f"{measure}_{end}") for end in ("low", "high"))
    return None if low is None or high is None else (low, high)


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Last Touch · Purchase revenue · 1-30 Jun 2026 · 30-day window · by channel"."""
    dimension = f"by {DIMENSION_LABELS[params['dimension']].lower()}"
    parts = [_model_names(params), metric_label(params), period_of(params).label]
    if "window_days" in params:
        parts.append(f"{params['window_days']}-day window")
    parts.append(dimension)
    if params.get("data") == PATHS:
        parts.append("aggregated paths")
    if "grouping" in params:
        parts.append(f"{params['grouping']} grouping")
    if params.get("view_through") == EXCLUDE:
        parts.append("without view-through")
    if "segment" in params:
        parts.append(f"Segment: {segment_name(params)}")
    return " · ".join(parts)


def settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the question as a list of settings."""
    of_paths = params.get("data") == PATHS
    window = "none, as paths have no times" if of_paths else formats.count(params["window_days"], "day")
    grouping = str(params.get("grouping", "the workspace's"))
    view_through = "excluded" if params.get("view_through") == EXCLUDE else "included"
    return [
        *((("Data", "aggregated paths, without customers"),) if of_paths else ()),
        ("Models", _model_names(params)),
        ("Metric", metric_label(params)),
        ("Attribution window", window),
        ("Period", period_of(params).label),
        ("Credit by", DIMENSION_LABELS[params["dimension"]].lower()),
        *(() if of_paths else (("Channel grouping", grouping), ("View-through", view_through))),
        *(() if of_paths else segment_settings(params)),
        *_interval_settings(params),
    ]


def _interval_settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "confidence" not in params:  # a run of before there were intervals
        return []
    replicates = formats.count(params["replicates"], "replicate")
    return [("Intervals", f"{params['confidence']}%, {replicates}, seed {params['seed']}")]


def rows(run: "Run") -> "Iterator[Sequence[Cell]]":
    """Yield the result as one table: a row for each model and group, with the ends of its intervals."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    dimension = run.params["dimension"]
    has_intervals = "intervals" in run.result
    figures = ("conversions", "value", *(EXTRA_COLUMNS if has_intervals else ()))
    differences = DIFFERENCES if has_intervals else {}
    yield ("model", dimension, *figures, *differences)
    for model, credit in run.result["models"].items():
        for group in credit[f"{dimension}s"]:
            apart = group.get("difference", {})
            yield (
                *(model, group[dimension]),
                *(group.get(figure) for figure in figures),
                *(apart.get(figure) for figure in differences.values()),
            )


EXTRA_COLUMNS = (
    *("conversions_low", "conversions_high", "value_low", "value_high"),
    *("share", "share_low", "share_high"),
    *("removal_effect", "removal_effect_low", "removal_effect_high"),
    *("rate_without", "rate_without_low", "rate_without_high"),
    *("marginal_effect", "marginal_effect_low", "marginal_effect_high", "monte_carlo_error"),
)
# To the first model: the column -> what a group's "difference" calls it.
DIFFERENCES = {
    f"{measure}_difference{end}": f"{measure}{end}"
    for measure in ("conversions", "value")
    for end in ("", "_low", "_high")
}


def headline(credit: Credit) -> str:
    """Return the finding: who gets most under the first model."""
    if not credit.groups:
        return (
            f"No {credit.dimension_in_sentence} gets credit: no touch precedes these conversions within the lookback "
            "window."
        )
    if not credit.totals[credit.measure]:
        conversions = formats.count(credit.totals["conversions"], "conversion")
        return f"There is no {credit.metric_in_sentence} to credit: the {conversions} of this period carry no value."
    leader = credit.groups[0]
    share = formats.percent(credit.share(credit.of(leader)))
    gets = "Touches without a campaign get" if leader.label == NO_CAMPAIGN else f"{leader.label} gets"
    return f"{gets} {share} of {credit.metric_in_sentence} under {credit.models[0].label}."


def difference(credit: Credit, value: float, reference: float, name: str) -> str:
    """Return how `value` differs from that of `name`: "€50.00 less than Last Touch", "the same as Last Touch"."""
    amount = credit.in_full(abs(value - reference))
    if amount == credit.in_full(0):
        return f"the same as {name}"
    return f"{amount} {'more' if value > reference else 'less'} than {name}"


def disagreement(credit: Credit) -> str:
    """Return where several models differ most."""
    if not credit.groups:
        return f"Under every model no {credit.dimension_in_sentence} gets credit"
    apart = max(credit.groups, key=lambda group: max(_amounts(credit, group)) - min(_amounts(credit, group)))
    amounts = _amounts(credit, apart)
    low, high = min(amounts), max(amounts)
    if credit.in_full(high - low) == credit.in_full(0):
        return f"Every model credits each {credit.dimension_in_sentence} alike"
    lowest, highest = (credit.models[amounts.index(end)].label for end in (low, high))
    return (
        f"The models differ most on {apart.label}: {credit.rounded(low)} under {lowest}, "
        f"{credit.rounded(high)} under {highest}"
    )


def concentration(credit: Credit) -> str:
    """Return how much of it all the three largest groups hold."""
    if len(credit.groups) <= 3 or not credit.totals[credit.measure] or not credit.models[0].adds_up:
        return f"{credit.metric_label} by {credit.dimension_in_sentence}"
    first, second, third = credit.groups[:3]
    share = formats.percent(credit.share(math.fsum(credit.of(group) for group in (first, second, third))))
    return f"{first.label}, {second.label} and {third.label} together get {share}"


def reconciliation(credit: Credit) -> str:
    """Return how exactly the credit adds up to the conversions."""
    adding_up = [model for model in credit.models if model.adds_up]
    if not adding_up:
        return (
            f"Under Participation every {credit.dimension_in_sentence} on the path gets the whole conversion, so its "
            "credit is not added up."
        )
    conversions = formats.count(credit.totals["conversions"], "conversion")
    value = formats.money(credit.totals["value"], credit.currency)
    off = max(credit.reconciled["largest_difference_conversions"], credit.reconciled["largest_difference_value"])
    exactness = "to the last digit" if not off else "but for rounding in the last digits"
    every = "every model" if len(adding_up) == len(credit.models) else "every model but Participation"
    return f"Credit adds up under {every}: {conversions} and {value}, {exactness}."


def about_intervals(credit: Credit) -> str:
    """Return what the intervals are and where they come from; "" where there are none."""
    if credit.intervals is None:
        return ""
    level = f"{credit.intervals['confidence']}% intervals"
    posterior = [model.label for model in credit.models if model.name == BAYESIAN]
    if len(posterior) == len(credit.models):
        return f"With {level} of the posterior."
    of_what = "paths" if credit.params.get("data") == PATHS else "customers"
    resampled = f"{formats.count(credit.intervals['replicates'], 'replicate')} in which {of_what} are drawn anew"
    but = f"; those of {posterior[0]} are its posterior's" if posterior else ""
    return f"With {level}, from {resampled}{but}."


def of_all_customers(credit: Credit) -> str:
    """Return which share of all conversions the segment's are; "" for a question about all customers."""
    if credit.all_customers is None:
        return ""
    parts = [f"{credit.share_of_all('conversions')} conversions"]
    if value := credit.share_of_all("value"):
        parts.append(f"{value} in value")
    return f"These are the conversions of the segment “{segment_name(credit.params)}”: {' and '.join(parts)}."


def without_null_paths(credit: Credit, evidence: Mapping[str, Any]) -> str:
    """Return what data-driven models miss where the data tell of conversions only; "" where they miss none."""
    learns = any(model.is_data_driven and model.name != SIMPLIFIED for model in credit.models)
    if not learns or evidence.get("paths", {}).get("has_null_paths", True):
        return ""
    if credit.params.get("data") != PATHS:
        return (
            "The data tell of no journey without conversion, so data-driven models cannot learn which channels make a "
            "conversion more likely. Import the touchpoints of those who did not convert, too."
        )
    return (
        "These paths tell of no journey without conversion, so data-driven models cannot learn which channels make a "
        "conversion more likely. Import how many journeys along each path did not convert."
    )


def without_touch(credit: Credit) -> str:
    """Return how many conversions nobody gets credit for; "" if there are none."""
    untouched = credit.reconciled["conversions_without_touch"]
    if not untouched:
        return ""
    share = formats.percent(untouched / credit.totals["conversions"])
    days = formats.count(credit.params["window_days"], "day")
    conversions = formats.count(untouched, "conversion")
    return f"Without a touch in the {days} before: {conversions} ({share}), in the row “{NONE}”."


def _amounts(credit: Credit, group: Group) -> list[float]:
    return [credit.of(group, model) for model in range(len(credit.models))]


def _model_names(params: Mapping[str, Any]) -> str:
    return ", ".join(model_of(name, params).label for name in params["model"])
