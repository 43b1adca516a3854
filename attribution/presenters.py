"""An attribution result as people read it: all queries, sorting, wording and formatting are finished here."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attribution.labels import DIMENSION_LABELS, MODEL_LABELS, MODEL_RULES, NONE
from attribution.params import REVENUE
from marketing.models import Channel
from marketing.periods import Period
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run

CHANNEL_COLOURS = 8
OTHER_COLOUR = "other"
MOST_BARS = 12
MOST_ROWS = 100


@dataclass(frozen=True)
class Figure:
    """A number in a table: as shown, and in full where that is shortened."""

    text: str
    full: str


@dataclass(frozen=True)
class Bar:
    """A group's credit under one model; `percent` is its length on the scale that all panels share."""

    label: str
    figure: Figure
    share: str
    percent: float
    colour: str  # a channel's slot, 1 to 8, or "other"


@dataclass(frozen=True)
class Panel:
    """One model's credit, largest first as under the first model."""

    label: str
    rule: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class TableRow:
    """A group with its figures, one for each column of the table."""

    label: str
    figures: Sequence[Figure]
    is_total: bool = False


@dataclass(frozen=True)
class _Group:
    """A channel or campaign, or several folded into one, with its credit under each model in their order."""

    label: str
    credit: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class AttributionResult:
    """Everything the result's template shows."""

    headline: str
    metric_label: str
    dimension_label: str
    panels: Sequence[Panel]
    columns: Sequence[str]
    table: Sequence[TableRow]
    reconciliation: str
    without_touch: str


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Last Touch · Purchase revenue · 1-30 Jun 2026 · 30-day window · by channel"."""
    models = ", ".join(MODEL_LABELS[name] for name in params["model"])
    period = Period(dt.date.fromisoformat(params["start"]), dt.date.fromisoformat(params["end"]))
    window = f"{params['window_days']}-day window"
    parts = (models, f"{params['goal']} {params['metric']}", period.label, window, f"by {params['dimension']}")
    return " · ".join(parts)


def present(run: "Run") -> AttributionResult:
    """Return what the page shows of a finished run."""
    assert run.result is not None  # noqa: S101 - only finished runs are presented
    return _Presenter(run, run.result).result()


class _Presenter:
    def __init__(self, run: "Run", result: dict[str, Any]) -> None:
        self.params = run.params
        self.currency = run.workspace.currency
        self.dimension: str = run.params["dimension"]
        self.by_revenue = run.params["metric"] == REVENUE
        self.measure = "value" if self.by_revenue else "conversions"
        self.metric_label = f"{run.params['goal']} {run.params['metric']}"
        self.totals: dict[str, float] = result["totals"]
        self.models: list[str] = list(result["models"])
        self.reconciliation = result["reconciliation"]
        self.colours = self._colours(run) if self.dimension == "channel" else {}
        # All models list the same groups in the same order, the conversions without a touch last. A group is known by
        # its place, not its name, so that no number can hide behind another.
        lists = [credit[f"{self.dimension}s"] for credit in result["models"].values()]
        *groups, self.untouched = [_Group(row[0][self.dimension], row) for row in zip(*lists, strict=True)]
        self.groups = sorted(groups, key=lambda group: (-group.credit[0][self.measure], group.label))

    def result(self) -> AttributionResult:
        columns, table = self._table()
        return AttributionResult(
            headline=self._headline(),
            metric_label=self.metric_label,
            dimension_label=DIMENSION_LABELS[self.dimension],
            panels=self._panels(),
            columns=columns,
            table=table,
            reconciliation=self._reconciliation(),
            without_touch=self._without_touch(),
        )

    def _colours(self, run: "Run") -> dict[str, str]:
        slots = Channel.objects.filter(workspace=run.workspace_id).values_list("name", "colour_slot")
        return {name: str(slot + 1) if slot < CHANNEL_COLOURS else OTHER_COLOUR for name, slot in slots}

    def _headline(self) -> str:
        if not self.groups:
            return f"No {self.dimension} gets credit: no touch precedes these conversions within the lookback window."
        if not self.totals[self.measure]:
            conversions = formats.count(self.totals["conversions"], "conversion")
            return f"There is no {self.metric_label} to credit: the {conversions} of this period carry no value."
        leader = self.groups[0]
        share = formats.percent(self._share(leader.credit[0][self.measure]))
        return f"{leader.label} gets {share} of {self.metric_label} under {MODEL_LABELS[self.models[0]]}."

    def _shown(self, most: int) -> list[_Group]:
        """Return the largest groups, the rest folded into one, and the conversions without a touch."""
        if len(self.groups) <= most:
            return [*self.groups, self.untouched]
        kept, rest = self.groups[: most - 1], self.groups[most - 1 :]
        folded = [
            {measure: math.fsum(group.credit[model][measure] for group in rest) for measure in ("conversions", "value")}
            for model in range(len(self.models))
        ]
        return [*kept, _Group(f"{formats.count(len(rest))} others", folded), self.untouched]

    def _panels(self) -> list[Panel]:
        groups = self._shown(MOST_BARS)
        longest = max(credit[self.measure] for group in groups for credit in group.credit) or 1.0
        return [
            Panel(
                MODEL_LABELS[model],
                MODEL_RULES[model],
                [self._bar(group, group.credit[place][self.measure] / longest, place) for group in groups],
            )
            for place, model in enumerate(self.models)
        ]

    def _bar(self, group: _Group, length: float, model: int) -> Bar:
        credit = group.credit[model]
        return Bar(
            label=group.label,
            figure=self._figure(credit, self.measure),
            share=formats.percent(self._share(credit[self.measure])),
            percent=round(100 * length, 2),
            colour=self.colours.get(group.label, OTHER_COLOUR),
        )

    def _table(self) -> tuple[list[str], list[TableRow]]:
        """One model: conversions, revenue and share. Several: the chosen metric under each, side by side."""
        groups = self._shown(MOST_ROWS)
        if len(self.models) > 1:
            columns = [MODEL_LABELS[model] for model in self.models]
            rows = [
                TableRow(group.label, [self._figure(credit, self.measure) for credit in group.credit])
                for group in groups
            ]
            return columns, [*rows, TableRow("Total", [self._figure(self.totals, self.measure)] * len(columns), True)]
        rows = [self._single_row(group.label, group.credit[0]) for group in groups]
        columns = ["Conversions", "Revenue", f"Share of {self.params['metric']}"]
        return columns, [*rows, self._single_row("Total", self.totals, is_total=True)]

    def _single_row(self, label: str, group: Mapping[str, float], *, is_total: bool = False) -> TableRow:
        share = self._share(group[self.measure])
        figures = [self._figure(group, "conversions"), self._figure(group, "value")]
        return TableRow(label, [*figures, Figure(formats.percent(share), f"{share:.6%}")], is_total)

    def _figure(self, group: Mapping[str, float], measure: str) -> Figure:
        value = group[measure]
        if measure == "value":
            return Figure(formats.round_money(value, self.currency), formats.money(value, self.currency))
        return Figure(formats.count(round(value, 1)), formats.count(value))

    def _share(self, value: float) -> float:
        total = self.totals[self.measure]
        return value / total if total else 0.0

    def _reconciliation(self) -> str:
        conversions = formats.count(self.totals["conversions"], "conversion")
        value = formats.money(self.totals["value"], self.currency)
        off = max(
            self.reconciliation["largest_difference_conversions"], self.reconciliation["largest_difference_value"]
        )
        exactness = f"with a largest rounding difference of {off:.1e}" if off else "to the last digit"
        return f"Credit adds up under every model: {conversions} and {value}, {exactness}."

    def _without_touch(self) -> str:
        untouched = self.reconciliation["conversions_without_touch"]
        if not untouched:
            return ""
        share = formats.percent(untouched / self.totals["conversions"])
        days = self.params["window_days"]
        conversions = formats.count(untouched, "conversion")
        return (
            f"Without a touch in the {formats.count(days, 'day')} before: {conversions} ({share}), in the row “{NONE}”."
        )
