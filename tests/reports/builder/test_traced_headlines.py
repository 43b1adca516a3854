"""Every number of every kind's headline stands in its document: nothing in an executive summary is from nowhere."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from accounts.models import Workspace
from analyses import registry
from analyses.documents import Document
from marketing.periods import Period
from reports import dashboard
from reports.editions.composition import SUMMARY, Chapter, compose
from reports.editions.tracing import AT, pieces, traces
from tests.crosschannel.shop import END, PERIOD, START
from tests.reports.export_world import DASHBOARD, NOW, QUICK, answered, make_runs, make_scenario, make_workspace
from tests.weightings.stored_runs import a_stored_run
from weightings.planner.scenarios import duplicate as duplicate_scenario
from weightings.planner.side_by_side import comparison_document

pytestmark = pytest.mark.django_db
OF_DASHBOARD = {
    "dashboard": DASHBOARD,
    "dashboard of a month": "start=2026-04-01&end=2026-04-30&compare=previous",
    "dashboard under another model": f"{DASHBOARD}&model=first&compare=none",
    "dashboard of leads": f"{DASHBOARD}&goal=Lead",
    "dashboard of no data": "start=2020-01-01&end=2020-01-31",
}
MORE_RUNS: dict[str, dict[str, Any]] = {
    "conversions": {"kind": "attribution", "model": "last,first", "metric": "conversions"},
    "by campaign": {"kind": "attribution", "model": "linear", "dimension": "campaign"},
    "leads": {"kind": "attribution", "model": "participation", "metric": "conversions"},
    "flows of converters": {"kind": "crosschannel", "converting": "yes", "top": 2, "steps": 2},
    "flows by Email": {"kind": "crosschannel", "path_contains": "Email"},
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def documents(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Document]]:
    """Made once; nothing here changes them."""
    folder = tmp_path_factory.mktemp("headlines")
    with (
        override_settings(MEDIA_ROOT=str(folder / "media")),
        time_machine.travel(NOW, tick=False),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        yield dict(_documents(make_workspace(folder)))
        transaction.set_rollback(True)


def _documents(workspace: Workspace) -> Iterator[tuple[str, Document]]:
    runs = make_runs(workspace)
    for name, asked in MORE_RUNS.items():
        params: dict[str, Any] = {**asked, **PERIOD, **(QUICK if asked["kind"] == "attribution" else {})}
        runs[name] = answered(workspace, **params)
    runs["shares"] = a_stored_run(workspace, bounded=True, seed=3)
    for name, run in runs.items():
        yield name, registry.get(run.kind).document(run)
    scenario = make_scenario(runs["weightings"])
    other = duplicate_scenario(scenario=scenario, by=None)
    for name, chosen in {"scenario": [scenario], "scenarios": [scenario, other]}.items():
        document, problem = comparison_document(chosen)
        assert document is not None, problem
        yield name, document
    for name, query in OF_DASHBOARD.items():
        page = dashboard.overview(workspace, dict(pair.split("=") for pair in query.split("&")), now=NOW)
        assert page.document is not None
        yield name, page.document


def test_every_number_of_every_headline_is_traced(documents: dict[str, Document]) -> None:
    untraced = {
        name: [trace.number for trace in traces(document.headline, document) if not trace.where]
        for name, document in documents.items()
    }
    assert {name: numbers for name, numbers in untraced.items() if numbers} == {}
    with_numbers = [name for name, document in documents.items() if traces(document.headline, document)]
    assert {"dashboard", "one model", "crosschannel", "weightings", "budget", "forecast"} <= {*with_numbers}


def test_a_planted_number_is_found_out_in_every_document(documents: dict[str, Document]) -> None:
    for name, document in documents.items():
        planted = replace(document, headline=f"{document.headline} And 987,654,321.5 more.")
        found = {trace.number: trace.where for trace in traces(planted.headline, planted)}
        assert found["987,654,321.5"] == "", name


def test_the_summary_names_for_each_number_the_part_in_which_it_stands(documents: dict[str, Document]) -> None:
    chapters = [
        Chapter(id=f"b{number}", kind="any", title=name.capitalize(), document=document)
        for number, (name, document) in enumerate(documents.items(), start=1)
    ]
    period = Period(START, END)
    report = compose(chapters, title="All", workspace="Acme", slug="acme", currency="EUR", period=period, facts=())
    summary = report.sections[0]
    assert summary.title == SUMMARY
    assert len(summary.sentences) == len(chapters)
    for chapter, sentence in zip(chapters, summary.sentences, strict=True):
        assert chapter.document is not None
        assert sentence == f"{chapter.title}: {chapter.document.headline}"
    titles = {chapter.title for chapter in chapters}
    assert {row.cells[1].text.split(AT)[0] for row in summary.tables[0].rows} <= titles


def test_pieces_put_together_are_the_sentence(documents: dict[str, Document]) -> None:
    for document in documents.values():
        found = list(pieces(document.headline))
        assert "".join(text for text, _number in found) == document.headline
        numbers = {number for _text, number in found if number}
        assert {trace.number for trace in traces(document.headline, document)} <= numbers
