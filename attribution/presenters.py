"""An attribution result as people read it: all queries, sorting, wording and formatting are finished here."""

import datetime as dt
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
        self.credit: dict[str, dict[str, dict[str, float]]] = {
            model: {group[self.dimension]: group for group in credit[f"{self.dimension}s"]}
            for model, credit in result["models"].items()
        }
        self.reconciliation = result["reconciliation"]
        self.colours = self._colours(run) if self.dimension == "channel" else {}
        first = next(iter(self.credit.values()))
        # Largest first under the first model; what no channel earned comes last.
        self.groups = sorted(first, key=lambda name: (name == NONE, -first[name][self.measure], name))

    def result(self) -> AttributionResult:
        columns, table = self._table()
        return AttributionResult(
            headline=self._headline(),
            metric_label=self.metric_label,
            dimension_label=DIMENSION_LABELS[self.dimension],
            panels=[self._panel(model) for model in self.credit],
            columns=columns,
            table=table,
            reconciliation=self._reconciliation(),
            without_touch=self._without_touch(),
        )

    def _colours(self, run: "Run") -> dict[str, str]:
        slots = Channel.objects.filter(workspace=run.workspace_id).values_list("name", "colour_slot")
        return {name: str(slot + 1) if slot < CHANNEL_COLOURS else OTHER_COLOUR for name, slot in slots}

    def _headline(self) -> str:
        model, credit = next(iter(self.credit.items()))
        leader = self.groups[0]
        if leader == NONE:
            return f"No {self.dimension} gets credit: no touch precedes these conversions within the lookback window."
        if not self.totals[self.measure]:
            conversions = formats.count(self.totals["conversions"], "conversion")
            return f"There is no {self.metric_label} to credit: the {conversions} of this period carry no value."
        share = formats.percent(self._share(credit[leader][self.measure]))
        return f"{leader} gets {share} of {self.metric_label} under {MODEL_LABELS[model]}."

    def _panel(self, model: str) -> Panel:
        credit = self.credit[model]
        longest = max(group[self.measure] for groups in self.credit.values() for group in groups.values()) or 1.0
        bars = [
            Bar(
                label=name,
                figure=self._figure(credit[name], self.measure),
                share=formats.percent(self._share(credit[name][self.measure])),
                percent=round(100 * credit[name][self.measure] / longest, 2),
                colour=self.colours.get(name, OTHER_COLOUR),
            )
            for name in self.groups
        ]
        return Panel(MODEL_LABELS[model], MODEL_RULES[model], bars)

    def _table(self) -> tuple[list[str], list[TableRow]]:
        """One model: conversions, revenue and share. Several: the chosen metric under each, side by side."""
        if len(self.credit) > 1:
            columns = [MODEL_LABELS[model] for model in self.credit]
            rows = [
                TableRow(name, [self._figure(credit[name], self.measure) for credit in self.credit.values()])
                for name in self.groups
            ]
            return columns, [*rows, TableRow("Total", [self._figure(self.totals, self.measure)] * len(columns), True)]
        (credit,) = self.credit.values()
        rows = [self._single_row(name, credit[name]) for name in self.groups]
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
