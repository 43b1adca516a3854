"""A media mix result as a document: its charts, tables and sentences; all queries are finished here."""

from functools import partial
from typing import TYPE_CHECKING

from analyses import data_health
from analyses.documents import Card, Document, Figure, LazyRows, in_detail
from analyses.presenters import provenance
from analyses.serializers import RunWithResultSerializer
from mmm_project import formats
from weightings.labels import VERDICTS
from weightings.presentation import (
    budget_sections,
    carry_over_sections,
    curve_sections,
    experiment_sections,
    geo_sections,
    health_sections,
    refresh_sections,
    residual_sections,
    return_sections,
    testing_sections,
    time_sections,
    words,
)
from weightings.presentation.method import method, with_method
from weightings.presentation.results import Result
from weightings.presentation.rows import rows

if TYPE_CHECKING:
    from analyses.models import Run

TONES = {"good": "good", "review": "quiet", "fail": "bad"}


def document(run: "Run") -> Document:
    """Return a finished run for its page and its exports."""
    result = Result(run)
    found = Document(
        title="Weightings",
        subtitle=words.describe(run.params),
        headline=words.headline(result),
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(*words.settings(run.params), *provenance(run)),
        cards=_cards(result),
        sections=(
            return_sections.returns(result),
            return_sections.contributions(result),
            budget_sections.recommended_budget(result),
            *in_detail(testing_sections.worth_testing(result)),
            *refresh_sections.since_previous(result),
            *in_detail([time_sections.over_time(result), residual_sections.fit_and_residuals(result)]),
            *in_detail(geo_sections.geos(result)),
            *in_detail(experiment_sections.experiments(result), said=True),
            *in_detail([curve_sections.response_curves(result)]),
            *in_detail(carry_over_sections.how_long_effects_last(result)),
            *in_detail([health_sections.model_health(result)], said=True),
            *in_detail([health_sections.held_back(result), *health_sections.beliefs(result)]),
            *data_health.section(run, channels=[channel["channel"] for channel in result.channels]),
        ),
        notes=tuple(words.notes(result)),
        rows=LazyRows(partial(rows, run)),
        data=RunWithResultSerializer(run).data,
        file_name=f"weightings-{run.workspace.slug}-{run.params['start']}-to-{run.params['end']}",
        method=method(result),
    )
    return with_method(found, result)


def _return_card(result: Result) -> tuple[Card, ...]:
    """What all paid media together returned; none where nothing was spent."""
    found = result.data["paid_media"][result.return_key]
    if found["median"] is None:
        return ()
    figure = result.returns(found)
    return (
        Card(
            label=result.return_words,
            unit="all paid media",
            figure=figure,
            change=figure.interval,
            change_tone="quiet",
        ),
    )


def _cards(result: Result) -> tuple[Card, ...]:
    observed = result.data["observed"]["outcome"]
    low, mean, high = words.media_share(result)
    spend = sum(channel["spend"] for channel in result.paid)
    amount = None if observed is None else result.factor * observed
    return (
        Card(
            label=result.outcome,
            unit="mean" if result.bounds is not None else "observed",
            figure=Figure(formats.count(0))
            if amount is None
            else Figure(result.rounded(amount), result.in_full(amount), amount),
        ),
        Card(label="Spend", figure=result.money(spend)),
        *_return_card(result),
        Card(
            label="Owed to media",
            unit=result.interval_words,
            figure=Figure(
                formats.percent(mean), f"{mean:.6%}", mean, low, high, formats.percent(low), formats.percent(high)
            ),
            change=f"{formats.percent(low)} to {formats.percent(high)}",
            change_tone="quiet",
        ),
        _health_card(result),
    )


def _health_card(result: Result) -> Card:
    checks = result.data["health"]
    counted = [
        f"{sum(check['verdict'] == verdict for check in checks)} {words_of}"
        for verdict, words_of in (("fail", "fail"), ("review", "to review"), ("good", "good"))
        if any(check["verdict"] == verdict for check in checks)
    ]
    return Card(
        label="Model health",
        figure=Figure(VERDICTS[result.verdict] if result.converged else "Not converged"),
        change=f"Checks: {', '.join(counted)}",
        change_tone=TONES[result.verdict] if result.converged else "bad",
    )
