"""An attribution result as a document: its charts, tables and sentences; all queries are finished here."""

from functools import partial
from typing import TYPE_CHECKING

from analyses import data_health
from analyses.documents import Document, LazyRows, Section, in_detail
from analyses.presenters import provenance
from analyses.serializers import RunWithResultSerializer
from attribution.presentation import evidence_sections, explanation, presenters, return_on_spend
from attribution.presentation.credit_charts import bars, dots
from attribution.presentation.credit_tables import MOST_ROWS, cards, credit_table
from attribution.presentation.method import method, with_method
from attribution.presentation.presenters import Credit
from attribution.presentation.sources import Sources

if TYPE_CHECKING:
    from analyses.models import Run

ASSOCIATION = (
    "Credit describes association along the observed paths. It does not say what would have happened without a "
    "channel: for that, look to experiments and the media mix model."
)
LINKED = "The pages of channels and campaigns, and the dashboard, show all customers."


def document(run: "Run") -> Document:
    """Return a finished run for its page and its exports."""
    assert run.result is not None  # noqa: S101 - only finished runs are presented
    credit = Credit(run)
    sources = Sources(run.workspace, run.params, credit.shown(MOST_ROWS))
    several = len(credit.models) > 1
    evidence = run.result.get("evidence", {})
    without_null_paths = presenters.without_null_paths(credit, evidence)
    found = Document(
        title="Attribution",
        subtitle=presenters.describe(run.params),
        headline=presenters.headline(credit),
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(*presenters.settings(run.params), *provenance(run)),
        cards=cards(credit),
        sections=(
            Section(
                title="Models side by side" if several else f"Credit by {credit.dimension_label.lower()}",
                sentences=tuple(f"{model.label}: {model.sentence}" for model in credit.models if several),
                charts=(dots(credit, sources) if several else bars(credit, sources),),
            ),
            Section(title="In numbers", tables=(credit_table(credit, sources),)),
            *return_on_spend.sections(credit, sources, run.result),
            *in_detail(explanation.sections(credit)),
            *in_detail(
                evidence_sections.sections(
                    evidence,
                    params=run.params,
                    currency=credit.currency,
                    dimension=credit.dimension,
                    colours=sources.colours,
                    hrefs=sources.hrefs,
                )
            ),
            *data_health.section(run, channels=_channels(credit)),
        ),
        notes=tuple(
            filter(None, (without_null_paths, ASSOCIATION, LINKED if credit.all_customers is not None else ""))
        ),
        rows=LazyRows(partial(presenters.rows, run)),
        data=RunWithResultSerializer(run).data,
        file_name=f"attribution-{run.workspace.slug}-{run.params['start']}-to-{run.params['end']}",
        method=method(credit),
    )
    return with_method(found, credit)


def _channels(credit: Credit) -> list[str]:
    """The channels that the result names; none where it is by campaign."""
    by_channel = credit.params["dimension"] == "channel"
    return [group.label for group in credit.shown(MOST_ROWS) if group.is_one] if by_channel else []
