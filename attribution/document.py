"""An attribution result as a document: its charts, tables and sentences; all queries are finished here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Workspace
from analyses import data_health
from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from analyses.presenters import provenance
from analyses.serializers import RunWithResultSerializer
from attribution import presenters
from attribution.labels import MODEL_LABELS, MODEL_RULES
from attribution.presenters import Credit, Group
from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, axis, channel_colour
from marketing.channel_index import channel_index
from marketing.models import Campaign
from marketing.sources import NO_CAMPAIGN
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run

MOST_MARKS = 12
MOST_ROWS = 100
LONGEST_LABEL = 28
# Models have no colours of their own, so they borrow: the main one that of action, the others those that stay apart
# best from it and from each other, on light and dark ground and under the common colour-vision deficiencies.
MODEL_COLOURS = (
    Colour.ACCENT,
    Colour.CHANNEL_1,
    Colour.CHANNEL_4,
    Colour.CHANNEL_8,
    Colour.CHANNEL_3,
    Colour.OTHER,
    Colour.CHANNEL_5,
    Colour.CHANNEL_7,
)
ASSOCIATION = (
    "Credit describes association along the observed paths. It does not say what would have happened without a "
    "channel: for that, look to experiments and the media mix model."
)
LINKED = "The pages of channels and campaigns, and the dashboard, show all customers."


@dataclass(frozen=True, slots=True)
class Source:
    """What the workspace knows of a channel or campaign: the address of its page, and its colour."""

    href: str = ""
    colour: Colour = Colour.OTHER


class Sources:
    """Where the groups of a run lead to, with the run's filters kept; two queries at most."""

    def __init__(self, workspace: Workspace, params: Mapping[str, Any], groups: list[Group]) -> None:
        names = {group.label for group in groups if group.is_one}
        kept = {"start": params["start"], "end": params["end"], "model": params["model"][0], "goal": params["goal"]}
        self._query = urlencode(kept)
        self._slug = workspace.slug
        self._by_name: dict[str, Source] = {}
        if params["dimension"] == "channel":
            index = channel_index(workspace=workspace)
            for name in names:  # those of when the run was computed: a channel may have been renamed or merged since
                if channel := index.named(name):
                    href = self._href("reports:channel", channel_id=channel.pk)
                    self._by_name[name] = Source(href, channel_colour(channel.colour_slot))
        else:
            # By its name alone, a campaign called “(not set)” is not to be told from touches without a campaign.
            for campaign in Campaign.objects.filter(workspace=workspace, name__in=names - {NO_CAMPAIGN}):
                self._by_name[campaign.name] = Source(self._href("reports:campaign", campaign_id=campaign.pk))

    def of(self, group: Group) -> Source:
        """Return what is known of a group; of folded ones, and of names that are no longer there, nothing."""
        return self._by_name.get(group.label, Source()) if group.is_one else Source()

    def _href(self, name: str, **arguments: int) -> str:
        return f"{reverse(name, kwargs={'slug': self._slug, **arguments})}?{self._query}"


def document(run: "Run") -> Document:
    """Return a finished run for its page and its exports."""
    credit = Credit(run)
    sources = Sources(run.workspace, run.params, credit.shown(MOST_ROWS))
    several = len(credit.models) > 1
    return Document(
        title="Attribution",
        subtitle=presenters.describe(run.params),
        headline=presenters.headline(credit),
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(*presenters.settings(run.params), *provenance(run)),
        cards=_cards(credit),
        sections=(
            Section(
                title="Models side by side" if several else f"Credit by {credit.dimension}",
                sentences=tuple(f"{MODEL_LABELS[name]}: {MODEL_RULES[name]}" for name in credit.models if several),
                charts=(_dots(credit, sources) if several else _bars(credit, sources),),
            ),
            Section(title="In numbers", tables=(_table(credit, sources),)),
            *data_health.section(run, channels=_channels(credit)),
        ),
        notes=(ASSOCIATION, *((LINKED,) if credit.all_customers is not None else ())),
        rows=list(presenters.rows(run)),
        data=RunWithResultSerializer(run).data,
        file_name=f"attribution-{run.workspace.slug}-{run.params['start']}-to-{run.params['end']}",
    )


def _channels(credit: Credit) -> list[str]:
    """The channels that the result names; none where it is by campaign."""
    by_channel = credit.params["dimension"] == "channel"
    return [group.label for group in credit.shown(MOST_ROWS) if group.is_one] if by_channel else []


def category(group: Group) -> Category:
    """Return a group's place in a chart, its name cut where it is long."""
    is_long = len(group.label) > LONGEST_LABEL
    return Category(label=group.label, short=f"{group.label[: LONGEST_LABEL - 1]}…" if is_long else "")


def value_axis(credit: Credit, groups: list[Group]) -> Axis:
    """Return the axis of the chosen metric, with its unit, for all models of these groups."""
    by_value = credit.measure == "value"
    return axis(
        [amounts[credit.measure] for group in groups for amounts in group.credit],
        title=f"{credit.metric_label}, {credit.currency}" if by_value else credit.metric_label,
        text=lambda value: formats.short_money(value, credit.currency) if by_value else formats.short_count(value),
    )


def _bars(credit: Credit, sources: Sources) -> ChartSpec:
    groups = credit.shown(MOST_MARKS)
    model = MODEL_LABELS[credit.models[0]]
    marks = tuple(
        Mark(
            value=credit.of(group),
            text=credit.rounded(credit.of(group)),
            detail=(_in_full(credit, group),),
            href=sources.of(group).href,
            colour=sources.of(group).colour,
        )
        for group in groups
    )
    largest = ", ".join(f"{group.label} {credit.rounded(credit.of(group))}" for group in credit.groups[:3])
    what = f"{credit.metric_label} by {credit.dimension} under {model}"
    return ChartSpec(
        id="credit",
        kind=Kind.BARS,
        horizontal=True,
        title=presenters.concentration(credit),
        subtitle=f"{what}, {credit.period.label}. {MODEL_RULES[credit.models[0]]}",
        summary=f"{what}. Largest: {largest}." if largest else f"{what}.",
        category_title=credit.dimension_label,
        categories=tuple(category(group) for group in groups),
        series=(Series(name=credit.metric_label, colour=Colour.OTHER, marks=marks),),
        axis=value_axis(credit, groups),
    )


def _dots(credit: Credit, sources: Sources) -> ChartSpec:
    groups = credit.shown(MOST_MARKS)
    labels = [MODEL_LABELS[name] for name in credit.models]
    series = tuple(
        Series(
            name=label,
            colour=MODEL_COLOURS[place],
            marks=tuple(_model_mark(credit, group, place, sources) for group in groups),
        )
        for place, label in enumerate(labels)
    )
    what = f"{credit.metric_label} by {credit.dimension} under {', '.join(labels[:-1])} and {labels[-1]}"
    finding = presenters.disagreement(credit)
    return ChartSpec(
        id="models-side-by-side",
        kind=Kind.DOTS,
        title=finding,
        subtitle=f"{what}, {credit.period.label}",
        summary=f"{what}. {finding}.",
        category_title=credit.dimension_label,
        categories=tuple(category(group) for group in groups),
        series=series,
        axis=value_axis(credit, groups),
    )


def _model_mark(credit: Credit, group: Group, place: int, sources: Sources) -> Mark:
    """A dot: under the main model its share, under another one also its difference to the main model's."""
    value, main = credit.of(group, place), credit.of(group)
    apart = (presenters.difference(credit, value, main, MODEL_LABELS[credit.models[0]]),) if place else ()
    return Mark(
        value=value,
        text=credit.rounded(value),
        detail=(_in_full(credit, group, place), *apart),
        href=sources.of(group).href,
    )


def _in_full(credit: Credit, group: Group, place: int = 0) -> str:
    value = credit.of(group, place)
    return f"{credit.in_full(value)}, {formats.percent(credit.share(value))} of {credit.metric_label}"


def _cards(credit: Credit) -> tuple[Card, ...]:
    untouched = credit.reconciled["conversions_without_touch"] / credit.totals["conversions"]
    return (
        Card(
            label="Conversions",
            unit=credit.params["goal"],
            figure=_amount(credit, credit.totals, "conversions"),
            change=credit.share_of_all("conversions"),
            change_tone="quiet",
        ),
        Card(
            label="Revenue",
            unit=credit.params["goal"],
            figure=_amount(credit, credit.totals, "value"),
            change=credit.share_of_all("value"),
            change_tone="quiet",
        ),
        Card(label="Without a touch", unit="of conversions", figure=_percent(untouched)),
    )


def _table(credit: Credit, sources: Sources) -> DataTable:
    """One model: conversions, revenue and share. Several: the chosen metric under each, with its difference."""
    several = len(credit.models) > 1
    line: Callable[[Group], tuple[Figure, ...]] = (
        (lambda group: _side_by_side(credit, group)) if several else (lambda group: _three_figures(credit, group))
    )
    rows = [Row(label=group.label, cells=line(group), href=sources.of(group).href) for group in credit.shown(MOST_ROWS)]
    total = Group("Total", [credit.totals] * len(credit.models), is_one=False)
    main, *others = (MODEL_LABELS[name] for name in credit.models)
    columns: tuple[str, ...] = ("Conversions", "Revenue", f"Share of {credit.params['metric']}")
    if several:
        columns = (main, *(column for name in others for column in (name, f"{name} against {main}")))
    return DataTable(
        title=f"{credit.metric_label} by {credit.dimension}",
        columns=(credit.dimension_label, *columns),
        rows=(*rows, Row(label=total.label, cells=line(total), is_total=True)),
        note=" ".join(
            filter(
                None,
                (
                    presenters.reconciliation(credit),
                    presenters.of_all_customers(credit),
                    presenters.without_touch(credit),
                ),
            )
        ),
    )


def _three_figures(credit: Credit, group: Group) -> tuple[Figure, ...]:
    amounts = group.credit[0]
    share = credit.share(amounts[credit.measure])
    return (_amount(credit, amounts, "conversions"), _amount(credit, amounts, "value"), _percent(share))


def _side_by_side(credit: Credit, group: Group) -> tuple[Figure, ...]:
    main, *others = group.credit
    figures = [_amount(credit, main, credit.measure)]
    for amounts in others:
        difference = amounts[credit.measure] - main[credit.measure]
        figures.append(_amount(credit, amounts, credit.measure))
        figures.append(Figure(_signed(credit.rounded, difference), _signed(credit.in_full, difference), difference))
    return tuple(figures)


def _amount(credit: Credit, amounts: Mapping[str, float], measure: str) -> Figure:
    value = amounts[measure]
    return Figure(credit.rounded(value, measure), credit.in_full(value, measure), value)


def _percent(share: float) -> Figure:
    return Figure(formats.percent(share), f"{share:.6%}", share)


def _signed(text: Callable[[float], str], value: float) -> str:
    """Write a difference with its sign, unless it rounds to nothing."""
    return f"+{text(value)}" if value > 0 and text(value) != text(0) else text(value)
