"""What expected returns imply before any model is fitted: from totals in the database and some thousand draws."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from accounts.models import Workspace
from analyses.documents import DataTable, Figure, Row
from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from marketing.models import Outcome
from mmm_project import formats
from weightings.params import EFFECTS, is_lightweight
from weightings.presentation.results import category, extent, listed, mark
from weightings.setup.learning import Totals, totals

if TYPE_CHECKING:
    from weightings.methods.prior_predictive import ExpectedReturn, PriorPredictive

LEVEL, INTERVAL = 0.9, "90% interval"
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
MOST_MARKS = 15
BINS, TOP = 10, 1.0  # of the share of the outcome, and from where on all is one bin
LIKELY_TOO_MUCH = 0.1  # that media bring more than all: from here on it is said
OWN_BELIEFS = (
    "LightweightMMM's models have beliefs of their own, and take none from here. Choose another model to say some."
)
BOUNDED = "Returns cannot be expected of an outcome that does not add up over time: it has bounds."
FROM_TOTALS = (
    "From totals, without carry-over and saturation, which the model adds, and before experiments: an approximation "
    "that takes no fit."
)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What is believed beforehand. `why_not`: why nothing can be, or what is to be put in order first."""

    why_not: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    charts: tuple[ChartSpec, ...] = ()
    table: DataTable | None = None


def why_no_returns(outcome: Outcome, *, has_bounds: bool) -> str:
    """Return why nobody can say what returns are expected of an outcome; "" if anybody can."""
    if not outcome.is_money:
        return (
            f"“{outcome.name}” is not in money, so there is no return on spend to expect: what is believed of each "
            "channel beforehand is its share of the outcome, by its share of spend."
        )
    return BOUNDED if has_bounds else ""


def preview(workspace: Workspace, outcome: Outcome, params: Mapping[str, Any]) -> Preview:
    """Return what the expected returns of canonical params imply."""
    import numpy as np

    from weightings.methods.prior_predictive import prior_predictive
    from weightings.methods.priors import LogNormal

    why_not = why_no_returns(outcome, has_bounds="bounds" in params) or (OWN_BELIEFS if is_lightweight(params) else "")
    if why_not:
        return Preview(why_not=(why_not,))
    found = totals(workspace, outcome, params, without=params.get("leave_out_channels", ()))
    if found is None or found.outcome <= 0 or not found.spend:
        sentence = f"There is no spend, or no “{outcome.name}”, in the time that the model would learn from."
        return Preview(why_not=(sentence,))
    implied = prior_predictive(
        spend=found.spend,
        organic=found.organic,
        outcome=found.outcome,
        effects={name: LogNormal.from_range(**believed) for name, believed in params.get(EFFECTS, {}).items()},
        rng=np.random.default_rng(0),
    )
    return _Presenter(workspace, outcome, found, implied).preview()


class _Presenter:
    """Words, charts and the table of what is implied."""

    def __init__(self, workspace: Workspace, outcome: Outcome, found: Totals, implied: "PriorPredictive") -> None:
        self.currency = workspace.currency
        self.unit = formats.round_money(1, workspace.currency)
        self.outcome = outcome.name
        self.found = found
        self.implied = implied
        self.share = Figure(
            formats.percent(implied.share(MIDDLE)),
            value=implied.share(MIDDLE),
            low=implied.share(LOW),
            high=implied.share(HIGH),
            low_text=formats.percent(implied.share(LOW)),
            high_text=formats.percent(implied.share(HIGH)),
        )

    def preview(self) -> Preview:
        return Preview(
            sentences=tuple(self._sentences()),
            warnings=tuple(self._warnings()),
            charts=(self._returns_chart(), self._share_chart()),
            table=self._table(),
        )

    def _sentences(self) -> Iterator[str]:
        yield (
            f"Together with the spend of {self.found.days.label}, these beliefs make media account for "
            f"{self.share.with_interval} of {self.outcome}, before any of it is looked at ({INTERVAL})."
        )
        if self.implied.more_than_all >= LIKELY_TOO_MUCH and self.implied.share(MIDDLE) <= 1:
            probability = formats.percent(self.implied.more_than_all)
            yield f"That they make it more than all there is has a probability of {probability}."
        yield FROM_TOTALS

    def _warnings(self) -> Iterator[str]:
        if self.implied.share(MIDDLE) > 1:
            yield (
                f"Taken together, these beliefs make media bring more than all of {self.outcome}: "
                f"{self.share.text} of it. Lower the returns of channels with much spend."
            )
        if self.implied.money_doubted:
            yield (
                f"The returns that are expected make media next to nothing, or all, of {self.outcome}, as if spend "
                "were in another currency. So of channels of which you say nothing, shares of the outcome are believed "
                "instead; the returns below follow from them."
            )
        narrow = [one.channel for one in self.implied.returns if one.is_narrow]
        if narrow:
            yield (
                f"What you expect of {listed(narrow)} is so narrow that data can hardly move it: the result will "
                "repeat it. Widen it, unless an experiment has told you."
            )

    def _return(self, one: "ExpectedReturn") -> Figure:
        low, high = one.prior.interval(LEVEL)
        return Figure(
            formats.ratio(one.prior.median),
            f"{one.prior.median:.4f}",
            one.prior.median,
            low,
            high,
            formats.ratio(low),
            formats.ratio(high),
        )

    def _returns_chart(self) -> ChartSpec:
        shown = self.implied.returns[:MOST_MARKS]
        marks = tuple(mark(self._return(one), detail=(self._source(one),)) for one in shown)
        title = self._returns_title(shown)
        return ChartSpec(
            id="expected-returns",
            kind=Kind.DOTS,
            title=title,
            subtitle=f"{self.outcome} per {self.unit} spent, median and {INTERVAL}, as believed beforehand",
            summary=f"What each channel is believed to return, before the data. {title}.",
            category_title="Channel",
            categories=tuple(category(one.channel) for one in shown),
            series=(Series(name="Expected return", colour=Colour.ACCENT, marks=marks),),
            axis=axis([*extent(marks), 1.0], title=f"{self.outcome} per {self.unit} spent", text=formats.ratio),
            interval=INTERVAL,
        )

    def _returns_title(self, shown: Sequence["ExpectedReturn"]) -> str:
        said = [one for one in shown if not one.usual]
        if not said:
            return "The usual beliefs of every channel: nobody has said what to expect"
        first = max(said, key=lambda one: one.loses)
        return (
            f"{first.channel} is believed to return {self._return(first).with_interval} per {self.unit}, and to lose "
            f"money with a probability of {formats.percent(first.loses)}"
        )

    def _source(self, one: "ExpectedReturn") -> str:
        return "As usual" if one.usual else "As you say"

    def _share_chart(self) -> ChartSpec:
        """How probable each tenth of the outcome is to be what media account for; all above it is one bin."""
        shares = self.implied.shares
        edges = [TOP * place / BINS for place in range(BINS + 1)]
        counts = [int(((shares > low) & (shares <= high)).sum()) for low, high in pairwise(edges)]
        counts.append(int((shares > TOP).sum()))
        labels = [f"{100 * low:.0f}–{high:.0%}" for low, high in pairwise(edges)] + [f"over {TOP:.0%}"]
        marks = [Mark(value=count / len(shares), text=formats.percent(count / len(shares))) for count in counts]
        title = f"Media would account for {self.share.with_interval} of {self.outcome}"
        return ChartSpec(
            id="expected-share",
            kind=Kind.HISTOGRAM,
            title=title,
            subtitle=f"How probable each share of {self.outcome} is to be owed to media, as believed beforehand",
            summary=f"The share of {self.outcome} that all media together are believed to account for. {title}.",
            category_title=f"Share of {self.outcome}",
            categories=tuple(Category(label=label, tick=place % 2 == 0) for place, label in enumerate(labels)),
            series=(Series(name="Probability", colour=Colour.ACCENT, marks=tuple(marks)),),
            axis=axis([one.value for one in marks], title="Probability", text=lambda value: f"{value:.0%}"),
        )

    def _table(self) -> DataTable:
        def cells(one: "ExpectedReturn") -> tuple[Figure, ...]:
            spend = Figure(
                formats.short_money(one.spend, self.currency), formats.money(one.spend, self.currency), one.spend
            )
            brings = one.prior.median * one.spend
            return (
                Figure(self._source(one)),
                self._return(one),
                Figure(formats.percent(one.loses), f"{one.loses:.6%}", one.loses),
                spend,
                Figure(formats.short_money(brings, self.currency), formats.money(brings, self.currency), brings),
            )

        return DataTable(
            title="What is believed of each channel",
            columns=("Channel", "Who says so", f"Return per {self.unit}", "Loses money", "Spend", "Would bring"),
            rows=tuple(Row(label=one.channel, cells=cells(one)) for one in self.implied.returns),
            note=f"Returns: medians and {INTERVAL}s. Loses money: how probable a return below 1 is. Would bring: the "
            f"median return of the spend of {self.found.days.label}.",
        )
