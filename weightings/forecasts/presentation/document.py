"""A forecast as a document: its charts, tables and sentences; all queries are finished here."""

from functools import partial
from typing import TYPE_CHECKING

from analyses.documents import NO_FIGURE, Card, Document, Figure, LazyRows, Section
from analyses.presenters import provenance
from analyses.serializers import RunWithResultSerializer
from mmm_project import formats
from weightings.forecasts.presentation import method, sections, words
from weightings.forecasts.presentation.result import ForecastResult
from weightings.forecasts.presentation.rows import rows

if TYPE_CHECKING:
    from analyses.models import Run


def document(run: "Run") -> Document:
    """Return a finished forecast for its page and its exports."""
    result = ForecastResult(run)
    found = Document(
        title="Forecast",
        subtitle=words.describe(run.params),
        headline=words.headline(result),
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(*words.settings(run.params), *provenance(run)),
        cards=cards(result),
        sections=sections_of(result),
        notes=tuple(words.notes(result)),
        rows=LazyRows(partial(rows, run)),
        data=RunWithResultSerializer(run).data,
        file_name=f"forecast-{run.workspace.slug}-{run.params['start']}-to-{run.params['end']}",
        method=method.method(result),
    )
    return method.with_method(found, result)


def sections_of(result: ForecastResult) -> tuple[Section, ...]:
    """Return the parts of a forecast's document."""
    return (sections.outlook(result), sections.made_of(result), sections.tried(result))


def cards(result: ForecastResult) -> tuple[Card, ...]:
    """Return the numbers that matter most."""
    predicted = result.amounts(result.data["predicted"])
    paid = result.data["paid_media"]
    added, returned = result.amounts(paid["incremental"]), result.returns(paid["incremental_per_spend"])
    return (
        Card(
            label=f"Predicted {result.outcome}",
            unit=f"{result.periods_words}, {result.in_all}",
            figure=predicted,
            change=predicted.interval,
            change_tone="quiet",
        ),
        _year_before(result),
        Card(label="Spend planned", figure=result.money(paid["spend"])),
        Card(label="Added by the plan", figure=added, change=added.interval, change_tone="quiet"),
        *(
            (
                Card(
                    label=result.return_words,
                    unit="all paid media",
                    figure=returned,
                    change=returned.interval,
                    change_tone="quiet",
                ),
            )
            if returned.value is not None
            else ()
        ),
        _accuracy(result),
    )


def _year_before(result: ForecastResult) -> Card:
    before = result.data["year_before"]
    if before["periods_known"] < result.periods:
        return Card(label="Against a year before", figure=Figure(NO_FIGURE, "Not known"), change="Not all known")
    if before["change"] is not None:
        change = before["change"]
        ends = (formats.change(change["low"]), formats.change(change["high"]))
        figure = Figure(
            formats.change(change["median"]), f"{change['median']:+.6%}", change["median"], change["low"],
            change["high"], *ends,
        )  # fmt: skip
    else:
        figure = result.amounts(before["difference"])
    return Card(label="Against a year before", figure=figure, change=figure.interval, change_tone="quiet")


def _accuracy(result: ForecastResult) -> Card:
    found = result.data["backtest"]
    wmape = found["wmape"] if found else None
    if wmape is None:
        return Card(label="Tried on known periods", figure=Figure(NO_FIGURE, "Not known"), change="Not tried")
    return Card(
        label="Tried on known periods",
        unit="off by, wMAPE",
        figure=Figure(formats.percent(wmape), f"{wmape:.6%}", wmape),
        change=f"{formats.count(found['periods'], result.granularity)} held back",
        change_tone="quiet",
    )
