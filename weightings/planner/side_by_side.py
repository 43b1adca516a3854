"""Saved scenarios side by side as a document of their own, for reports."""

from collections.abc import Iterator, Sequence
from itertools import chain

from analyses.documents import Document, RawCell
from mmm_project import formats
from weightings import standing
from weightings.models import Scenario
from weightings.planner.document import HOW_READ, comparison, horizon_of, scenario_data
from weightings.planner.presentation import plan_rows
from weightings.presentation import words
from weightings.presentation.method import how_fitted, intervals, with_method
from weightings.presentation.results import Result


def comparison_document(scenarios: Sequence[Scenario]) -> tuple[Document | None, str]:
    """Return the scenarios side by side, and "", or nothing and why. What cannot be shown is said in the document.

    `scenarios`: one at least, of one workspace, with their runs.
    """
    section, lost = comparison(scenarios)
    if not section.tables:
        return None, " ".join(lost)
    table = section.tables[0]
    shown = [one for one in scenarios if one.name in {row.label for row in table.rows}]
    planned = [(one, *horizon_of(one)) for one in shown]
    workspace = shown[0].workspace
    doubts = dict.fromkeys(filter(None, (standing.doubts(one.run.result or {}) for one in shown)))

    def rows() -> Iterator[Sequence[RawCell]]:
        for place, (scenario, horizon, plan) in enumerate(planned):
            header, *lines = plan_rows(horizon, plan)
            if place == 0:
                yield ("scenario", *header)
            for line in lines:
                yield (scenario.name, *line)

    document = Document(
        title="Scenario comparison",
        subtitle=", ".join(one.name for one in shown),
        headline=_headline(section.charts[0].title if section.charts else "", shown),
        workspace=workspace.name,
        currency=workspace.currency,
        facts=tuple((one.name, words.describe(one.run.params)) for one in shown),
        sections=(section,),
        notes=(*lost, *doubts, table.note),
        rows=list(rows()),
        data={"scenarios": [scenario_data(*one) for one in planned]},
        file_name=f"scenarios-{workspace.slug}",
        method=(*dict.fromkeys(chain.from_iterable(map(_fitted, shown))), HOW_READ),
    )
    return with_method(document, Result(shown[0].run)), ""


def _fitted(scenario: Scenario) -> tuple[str, ...]:
    result = Result(scenario.run)
    return (*how_fitted(result), intervals(result))


def _headline(finding: str, shown: Sequence[Scenario]) -> str:
    return f"{finding}." if finding else f"{formats.count(len(shown), 'scenario')} side by side."
