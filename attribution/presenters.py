"""An attribution result as people read it: which groups are shown, in which order, and the words for its numbers."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyses.segments import segment_name, segment_settings
from attribution.labels import DIMENSION_LABELS, MODEL_LABELS, NONE
from attribution.params import REVENUE
from marketing.periods import Period
from marketing.sources import NO_CAMPAIGN
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run
    from analyses.registry import Cell


@dataclass(frozen=True, slots=True)
class Group:
    """A channel or campaign, or several folded into one (`is_one` is false), with its credit under each model.

    `credit`: for each model in their order, {"conversions": ..., "value": ...}.
    """

    label: str
    credit: Sequence[Mapping[str, float]]
    is_one: bool = True


class Credit:
    """A finished run's credit: `groups`, largest under the first model first, and the `untouched` conversions."""

    def __init__(self, run: "Run") -> None:
        assert run.result is not None  # noqa: S101 - only finished runs are presented
        self.params: Mapping[str, Any] = run.params
        self.currency = run.workspace.currency
        self.dimension: str = run.params["dimension"]
        self.measure = "value" if run.params["metric"] == REVENUE else "conversions"
        self.metric_label = f"{run.params['goal']} {run.params['metric']}"
        self.totals: Mapping[str, float] = run.result["totals"]
        self.models: Sequence[str] = list(run.result["models"])
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
        return _period(self.params)

    def shown(self, most: int) -> list[Group]:
        """Return at most `most` groups, the smallest folded into one, and the conversions without a touch."""
        if len(self.groups) <= most:
            return [*self.groups, self.untouched]
        kept, rest = self.groups[: most - 1], self.groups[most - 1 :]
        folded = [
            {measure: math.fsum(group.credit[model][measure] for group in rest) for measure in ("conversions", "value")}
            for model in range(len(self.models))
        ]
        return [*kept, Group(f"{formats.count(len(rest))} others", folded, is_one=False), self.untouched]

    def of(self, group: Group, model: int = 0) -> float:
        """Return the chosen metric of a group under the model at this place."""
        return group.credit[model][self.measure]

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
        return formats.count(round(value, 1))

    def in_full(self, value: float, measure: str = "") -> str:
        """Return an amount with its decimals."""
        if (measure or self.measure) == "value":
            return formats.money(value, self.currency)
        return formats.count(value)


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Last Touch · Purchase revenue · 1-30 Jun 2026 · 30-day window · by channel"."""
    metric = f"{params['goal']} {params['metric']}"
    window = f"{params['window_days']}-day window"
    segment = (f"Segment: {segment_name(params)}",) if "segment" in params else ()
    question = (_model_names(params), metric, _period(params).label, window, f"by {params['dimension']}")
    return " · ".join((*question, *segment))


def settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the question as a list of settings."""
    return [
        ("Models", _model_names(params)),
        ("Metric", f"{params['goal']} {params['metric']}"),
        ("Lookback window", formats.count(params["window_days"], "day")),
        ("Period", _period(params).label),
        ("Credit by", DIMENSION_LABELS[params["dimension"]].lower()),
        *segment_settings(params),
    ]


def rows(run: "Run") -> "Iterator[Sequence[Cell]]":
    """Yield the result as one table: a row for each model and group."""
    assert run.result is not None  # noqa: S101 - only finished runs are exported
    dimension = run.params["dimension"]
    yield ("model", dimension, "conversions", "value")
    for model, credit in run.result["models"].items():
        for group in credit[f"{dimension}s"]:
            yield (model, group[dimension], group["conversions"], group["value"])


def headline(credit: Credit) -> str:
    """Return the finding: who gets most under the first model."""
    if not credit.groups:
        return f"No {credit.dimension} gets credit: no touch precedes these conversions within the lookback window."
    if not credit.totals[credit.measure]:
        conversions = formats.count(credit.totals["conversions"], "conversion")
        return f"There is no {credit.metric_label} to credit: the {conversions} of this period carry no value."
    leader = credit.groups[0]
    share = formats.percent(credit.share(credit.of(leader)))
    gets = "Touches without a campaign get" if leader.label == NO_CAMPAIGN else f"{leader.label} gets"
    return f"{gets} {share} of {credit.metric_label} under {MODEL_LABELS[credit.models[0]]}."


def difference(credit: Credit, value: float, reference: float, name: str) -> str:
    """Return how `value` differs from that of `name`: "€50.00 less than Last Touch", "the same as Last Touch"."""
    amount = credit.in_full(abs(value - reference))
    if amount == credit.in_full(0):
        return f"the same as {name}"
    return f"{amount} {'more' if value > reference else 'less'} than {name}"


def disagreement(credit: Credit) -> str:
    """Return where several models differ most."""
    if not credit.groups:
        return f"Under every model no {credit.dimension} gets credit"
    apart = max(credit.groups, key=lambda group: max(_amounts(credit, group)) - min(_amounts(credit, group)))
    amounts = _amounts(credit, apart)
    low, high = min(amounts), max(amounts)
    if credit.in_full(high - low) == credit.in_full(0):
        return f"Every model credits each {credit.dimension} alike"
    lowest, highest = (MODEL_LABELS[credit.models[amounts.index(end)]] for end in (low, high))
    return (
        f"The models differ most on {apart.label}: {credit.rounded(low)} under {lowest}, "
        f"{credit.rounded(high)} under {highest}"
    )


def concentration(credit: Credit) -> str:
    """Return how much of it all the three largest groups hold."""
    if len(credit.groups) <= 3 or not credit.totals[credit.measure]:
        return f"{credit.metric_label} by {credit.dimension}"
    first, second, third = credit.groups[:3]
    share = formats.percent(credit.share(math.fsum(credit.of(group) for group in (first, second, third))))
    return f"{first.label}, {second.label} and {third.label} together get {share}"


def reconciliation(credit: Credit) -> str:
    """Return how exactly the credit adds up to the conversions."""
    conversions = formats.count(credit.totals["conversions"], "conversion")
    value = formats.money(credit.totals["value"], credit.currency)
    off = max(credit.reconciled["largest_difference_conversions"], credit.reconciled["largest_difference_value"])
    exactness = f"with a largest rounding difference of {off:.1e}" if off else "to the last digit"
    return f"Credit adds up under every model: {conversions} and {value}, {exactness}."


def of_all_customers(credit: Credit) -> str:
    """Return which share of all conversions the segment's are; "" for a question about all customers."""
    if credit.all_customers is None:
        return ""
    parts = [f"{credit.share_of_all('conversions')} conversions"]
    if value := credit.share_of_all("value"):
        parts.append(f"{value} in value")
    return f"These are the conversions of the segment “{segment_name(credit.params)}”: {' and '.join(parts)}."


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
    return ", ".join(MODEL_LABELS[name] for name in params["model"])


def _period(params: Mapping[str, Any]) -> Period:
    return Period(dt.date.fromisoformat(params["start"]), dt.date.fromisoformat(params["end"]))
