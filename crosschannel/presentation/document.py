"""A cross-channel result as a document: its charts, tables and sentences; all queries are finished here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from analyses import data_health
from analyses.documents import Card, Document, Figure, LazyRows, Section, in_detail
from analyses.presenters import provenance
from analyses.serializers import RunWithResultSerializer
from crosschannel.labels import channel_of
from crosschannel.presentation import interaction_sections, path_sections, words
from crosschannel.presentation.flow_charts import VALUE, FlowFrame, flow_chart
from crosschannel.presentation.method import method, with_method
from crosschannel.presentation.rows import rows
from crosschannel.presentation.sources import Sources
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run

ASSOCIATION = (
    "Interactions describe observed journeys. People who are about to buy also meet more channels, and what no data "
    "record of them is not allowed for: before you move much budget because of a pair, test it."
)


def document(run: "Run") -> Document:
    """Return a finished run for its page and its exports."""
    result = run.result
    assert result is not None  # noqa: S101 - only finished runs are presented
    sources, currency = Sources.of(run), run.workspace.currency
    found = Document(
        title="Cross-channel",
        subtitle=words.describe(run.params),
        headline=_headline(result),
        workspace=run.workspace.name,
        currency=currency,
        facts=(*words.settings(run.params), *provenance(run)),
        cards=_cards(result, currency),
        sections=(
            *_flows(result, run.params, sources, currency),
            *interaction_sections.sections(result, sources),
            *in_detail(
                path_sections.sections(
                    result,
                    params=run.params,
                    currency=currency,
                    colours=sources.colours,
                    hrefs={name: sources.href(name) for name in sources.colours},
                )
            ),
            *data_health.section(run, channels=[channel_of(name) for name in result["interactions"]["channels"]]),
        ),
        notes=(ASSOCIATION,),
        rows=LazyRows(partial(rows, run)),
        data=RunWithResultSerializer(run).data,
        file_name=f"cross-channel-{run.workspace.slug}-{run.params['start']}-to-{run.params['end']}",
        method=method(run.params),
    )
    return with_method(found, run.params)


def _headline(result: Mapping[str, Any]) -> str:
    if found := interaction_sections.headline(result["pairs"]):
        return found
    if not result["totals"]["conversions"]:
        return f"None of {formats.count(result['totals']['journeys'], 'journey')} converts."
    return f"{_flows_title(result)}{'; no pair of channels stands out' if result['pairs'] else ''}."


def _cards(result: Mapping[str, Any], currency: str) -> tuple[Card, ...]:
    totals, everything = result["totals"], result["all_journeys"]
    journeys, conversions = totals["journeys"], totals["conversions"]
    is_part = journeys != everything["journeys"]
    share = f"{formats.percent(journeys / everything['journeys'])} of all" if is_part else ""
    rate = conversions / journeys
    mean = result["mean_touches"]
    return (
        Card(label="Journeys", figure=_count(journeys), change=share, change_tone="quiet"),
        Card(label="Conversions", figure=_count(conversions)),
        Card(label="Conversion rate", figure=Figure(formats.percent(rate), value=rate)),
        Card(
            label="Value",
            figure=Figure(
                formats.short_money(totals["value"], currency),
                full=formats.money(totals["value"], currency),
                value=totals["value"],
            ),
        ),
        Card(label="Touches per journey", figure=Figure(formats.ratio(mean), value=mean)),
    )


def _count(number: float) -> Figure:
    return Figure(formats.short_count(number), full=formats.count(number), value=number)


def _flows(result: Mapping[str, Any], params: Mapping[str, Any], sources: Sources, currency: str) -> Iterator[Section]:
    """The flows by journeys and, where there is any, by value, each as wide as the page."""
    of_what = "".join(f", {each}" for each in words.filters_in_words(params))
    by_journeys = FlowFrame(sources=sources, currency=currency, steps=params["steps"])
    for title, chart in (
        (
            "Flows of journeys",
            flow_chart(
                result["flows"],
                frame=by_journeys,
                chart_id="flows",
                title=_flows_title(result),
                subtitle=f"Journeys by touch{of_what}",
            ),
        ),
        (
            "Flows of value",
            flow_chart(
                result["flows"],
                frame=replace(by_journeys, width=VALUE),
                chart_id="flows-by-value",
                title=_flows_title(result, "value"),
                subtitle=f"Value of converting journeys by touch, {currency}{of_what}",
            ),
        ),
    ):
        if chart is not None:
            left_out = _left_out(result, params["steps"]) if chart.id == "flows" else ()
            section = Section(title=title, sentences=left_out, charts=(chart,))
            yield section if chart.id == "flows" else replace(section, in_brief="nothing")


def _left_out(result: Mapping[str, Any], steps: int) -> tuple[str, ...]:
    """Say what the flows do not show."""
    sentences = []
    if longer := sum(flow["longer"] for flow in result["flows"]):
        share = formats.percent(longer / result["totals"]["journeys"])
        sentences.append(
            f"{formats.count(longer, 'journey')} ({share}) go on after touch {steps}: they flow to their end."
        )
    if untouched := result["all_journeys"]["conversions_without_touch"]:
        sentences.append(
            f"{formats.count(untouched, 'conversion')} without a touch in the lookback window took no path and "
            f"{'is' if untouched == 1 else 'are'} not shown."
        )
    return tuple(sentences)


def _flows_title(result: Mapping[str, Any], field: str = "conversions") -> str:
    """Which first touch leads to most conversions, or to most of their value."""
    first: dict[str, float] = {}
    for flow in result["flows"]:
        if flow["step"] == 1:
            first[flow["from"]] = first.get(flow["from"], 0.0) + flow[field]
    total = sum(first.values())
    if total <= 0:
        return "None of these journeys converts" if field == "conversions" else "What these conversions are worth"
    opener = max(first, key=lambda name: first[name])
    begins = "begin" if field == "conversions" else "begins"
    return f"{formats.percent(first[opener] / total)} of {field} {begins} with {opener}"
