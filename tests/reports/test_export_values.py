"""Every number of a document is in all five formats and on the page: of every kind of run, scenarios, the dashboard.

What a page computes from numbers that CSV and JSON have (ratios, shares, differences) is named in `DERIVED`: a number
that is in neither, and not named there, fails.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
import time_machine
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from accounts.models import Role, Workspace
from analyses import registry
from analyses.definitions import TERMS, words_of
from analyses.documents import Document, Figure
from charts import ChartSpec
from reports import dashboard
from reports.exports import as_pdf, as_pptx, write
from tests.factories import MembershipFactory
from tests.reports import compared
from tests.reports.export_world import DASHBOARD, NOW, make_runs, make_scenario, make_workspace
from tests.reports.pdf_text import words_of as words_of_pdf
from weightings.planner.pages import present_scenario

KINDS = (
    *("rules", "one model", "data-driven", "paths", "crosschannel", "weightings", "weightings by hand", "lightweight"),
    *("budget", "forecast", "scenario", "dashboard"),
)
FORMATS = ("data", "xlsx", "pptx", "pdf", "page")

# What is computed for people from numbers that are there: table or chart, and column; "*" stands for a model's name.
DERIVED = {
    "Return on spend by channel: ROAS, *": "credited revenue / spend",
    "How steady shares are under *: Moved between weeks": "root mean square of the shares over time",
    "How steady shares are under *: Chance alone": "the same of its variances",
    "Conversions by number of touches: Share of conversions": "conversions / all conversions",
    "Conversions by number of touches: Revenue for each conversion": "value / conversions",
    "Lookback windows: Conversions with an older touch": "share of conversions",
    "card: Conversions without a touch": "conversions without a touch / conversions",
    "card: Conversion rate": "conversions / journeys",
    "Most frequent paths: Share of journeys": "journeys / all journeys",
    "Not enough evidence: Conversions in the period": "effect × journeys / 1,000",
    "Synergies: Conversions in the period": "effect × journeys / 1,000",
    "Cannibalisation: Conversions in the period": "effect × journeys / 1,000",
    "chart: transitions": "journeys / journeys at the step",
    "chart: first-last": "conversions / conversions of the first touch",
    "chart: residuals": "observed − expected",
    "card: Owed to media": "1 − share of the baseline",
    "Current and recommended budget: Change": "recommended / current − 1",
    "Spend by week: All channels": "sum over channels",
    "Forecast by period: Channels": "sum over channels",
    "Channels of the plan: Share": "1 − shares of the channels",
    "The plan by channel: Change": "planned / current − 1",
    "chart: channel-distribution": "of the channel / of all",
    "chart: evidence": "revenue under a model / spend",
}


@dataclass(frozen=True)
class World:
    """The documents by kind, the addresses of their pages, and those of the API for what it has as well."""

    workspace: Workspace
    client: Client
    documents: dict[str, Document]
    pages: dict[str, str]
    api: dict[str, str]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Made once; nothing here changes it."""
    folder = tmp_path_factory.mktemp("exports")
    with (
        override_settings(MEDIA_ROOT=str(folder / "media")),
        time_machine.travel(NOW, tick=False),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        yield make_world(make_workspace(folder))
        transaction.set_rollback(True)


def make_world(workspace: Workspace) -> World:
    client = Client()
    client.force_login(MembershipFactory.create(workspace=workspace, role=Role.VIEWER).user)
    runs = make_runs(workspace)
    scenario = make_scenario(runs["weightings"])
    shown = present_scenario(scenario).document
    overview = dashboard.overview(workspace, dict(pair.split("=") for pair in DASHBOARD.split("&")), now=NOW).document
    assert shown is not None
    assert overview is not None
    return World(
        workspace,
        client,
        {name: registry.get(run.kind).document(run) for name, run in runs.items()}
        | {"scenario": shown, "dashboard": overview},
        {name: f"/w/acme/runs/{run.pk}/" for name, run in runs.items()}
        | {
            "scenario": f"/w/acme/weightings/scenarios/{scenario.pk}/",
            "dashboard": f"/w/acme/dashboard/?{DASHBOARD}",
        },
        {name: f"/api/v1/runs/{run.pk}/" for name, run in runs.items()}
        | {"scenario": f"/api/v1/scenarios/{scenario.pk}/?workspace=acme"},
    )


def in_data(document: Document, made_of: Document) -> list[str]:
    missing = compared.missing_in_data(document, write(made_of, "csv"), write(made_of, "json"))
    return [f"{number.where}: {number.value}" for number in missing if not is_derived(number.derived)]


def is_derived(place: str) -> bool:
    return any(re.fullmatch(re.escape(name).replace(r"\*", ".+"), place) for name in DERIVED)


MISSING: dict[str, Callable[[Document, Document], list[str]]] = {
    "data": in_data,
    "xlsx": lambda document, made_of: compared.missing_in_workbook(document, write(made_of, "xlsx")),
    "pptx": lambda document, made_of: compared.missing_in_slides(
        document, write(made_of, "pptx"), most_links=as_pptx.MOST_LINKS
    ),
    "pdf": lambda document, made_of: compared.missing_in_print(
        document, as_pdf.html(made_of), as_pdf.pictures(made_of)
    ),
}


def test_the_world_has_every_kind_that_people_ask_for(world: World) -> None:
    kinds = {document.data["kind"] for document in world.documents.values() if "kind" in document.data}
    assert kinds == set(registry.names(internal=False))
    assert set(world.documents) == set(KINDS)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_in_every_format_and_on_the_page(world: World, db: None, kind: str, form: str) -> None:
    document = world.documents[kind]
    assert sum(1 for _ in compared.numbers_of(document)) > 20
    if form == "page":
        assert compared.missing_in_page(document, world.client.get(world.pages[kind]).text) == []
    else:
        assert MISSING[form](document, document) == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dashboard"])
def test_the_json_is_the_apis(world: World, db: None, kind: str) -> None:
    assert json.loads(write(world.documents[kind], "json")) == world.client.get(world.api[kind]).json()


def test_a_pdf_shows_the_numbers_of_its_tables(world: World) -> None:
    document = world.documents["paths"]
    words = words_of_pdf(as_pdf.write(document))
    figures = [
        figure
        for section in document.sections
        for table in section.tables
        for row in table.rows
        for figure in row.cells
        if compared.is_number(figure)
    ]
    assert len(figures) > 20
    assert [figure.text for figure in figures if not set(figure.text.split()) <= words] == []


@pytest.mark.parametrize("form", MISSING)
@pytest.mark.parametrize("where", ["card", "table", "chart"])
def test_a_number_that_is_another_one_in_one_format_is_found(world: World, form: str, where: str) -> None:
    document = world.documents["one model"]
    other = with_another_number(document, where)
    if form == "data":  # CSV and JSON are made of the result itself, so there the page is what is wrong
        assert len(MISSING[form](other, document)) == 1
    else:
        assert len(MISSING[form](document, other)) == 1


NOTHING_DRAWN = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_shows_nothing_is_found(world: World, kind: str) -> None:
    document = world.documents[kind]
    empty = {chart.id: NOTHING_DRAWN for chart in document.charts if chart.panels}
    missing = compared.missing_in_print(document, as_pdf.html(document), empty)
    lacking = {line.partition(":")[0] for line in missing}
    assert lacking == {panel.id for chart in document.charts for panel in chart.panels}


def test_a_picture_with_one_mark_less_is_found(world: World) -> None:
    document = world.documents["weightings"]
    drawn = as_pdf.pictures(document)
    waterfall = re.sub(r'<path id="waterfall-s0-c1"[^>]*/>', "", drawn["waterfall"])
    assert len(waterfall) < len(drawn["waterfall"])
    missing = compared.missing_in_print(document, as_pdf.html(document), drawn | {"waterfall": waterfall})
    assert [line.partition(":")[0] for line in missing] == ["waterfall"]


def with_another_number(document: Document, where: str) -> Document:
    """The document with one number, and its text, a little higher than it is."""
    if where == "card":
        card, *cards = document.cards
        return replace(document, cards=(replace(card, figure=a_little_more(card.figure)), *cards))
    if where == "table":
        place = next(place for place, section in enumerate(document.sections) if section.tables)
        table, *tables = document.sections[place].tables
        row, *rows = table.rows
        cells = (a_little_more(row.cells[0]), *row.cells[1:])
        changed = replace(table, rows=(replace(row, cells=cells), *rows))
        section = replace(document.sections[place], tables=(changed, *tables))
        return replace(document, sections=(*document.sections[:place], section, *document.sections[place + 1 :]))
    section, *sections = document.sections
    (chart,) = section.charts
    assert isinstance(chart, ChartSpec)
    (series,) = chart.series
    first, *marks = series.marks
    assert first is not None
    value = first.value * 1.0001
    mark = replace(first, value=value, text=f"{value:,.4f}", low_text=f"{first.low:,.4f}")
    changed_chart = replace(chart, series=(replace(series, marks=(mark, *marks)),))
    return replace(document, sections=(replace(section, charts=(changed_chart,)), *sections))


def a_little_more(figure: Figure) -> Figure:
    assert figure.value is not None
    value = figure.value * 1.0001
    return replace(figure, value=value, text=f"{value:,.4f}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_document_says_where_it_comes_from_and_what_its_terms_mean(world: World, kind: str) -> None:
    document = world.documents[kind]
    facts = dict(document.facts)
    assert facts["Data version"]
    assert facts["Run"]
    assert facts.get("Computed at") or kind in ("weightings by hand", "lightweight")  # which nobody computed
    assert len(document.method) >= 2
    assert all(paragraph.endswith(".") and "{" not in paragraph for paragraph in document.method)
    terms = [term for term, _meaning in document.definitions]
    assert len(terms) == len(set(terms)) >= 5
    assert all(meaning.endswith(".") and "{" not in meaning for _term, meaning in document.definitions)


@pytest.mark.parametrize(
    ("sign", "term"),
    [
        ("ROAS", "ROAS"),
        ("Removal effect", "Removal effect"),
        ("Marginal effect", "Marginal effect"),
        ("Efficiency score", "Efficiency score"),
        ("mROI", "Marginal ROI"),
        ("Adjusted p", "Adjusted p"),
        ("wMAPE", "wMAPE"),
        ("CRPS", "CRPS"),
        ("R-hat", "R-hat"),
        ("interval", "% interval"),
        ("Contribution", "Contribution"),
    ],
)
def test_a_term_that_a_document_uses_is_defined_in_it(world: World, sign: str, term: str) -> None:
    using = [name for name in KINDS if sign in "\n".join(words_of(world.documents[name]))]
    assert using
    lacking = [name for name in using if term not in "\n".join(each for each, _ in world.documents[name].definitions)]
    assert lacking == []


def test_aggregated_paths_are_described_as_such(world: World) -> None:
    document = world.documents["paths"]
    terms = dict(document.definitions)
    assert {"Path", "Step of a path", "Conversion of a path", "95% interval of credit from paths"} <= terms.keys()
    assert not {"Lookback window", "Journey", "Touch", "Conversion", "95% interval of credit", "(none)"} & terms.keys()
    said = " ".join([*document.method, *terms.values()])
    assert "days, both ends" not in said
    for word in ("customers are drawn anew", "other customers", "belongs to the day", "journey"):
        assert word not in said


@pytest.mark.parametrize("kind", ["weightings", "budget", "scenario", "forecast"])
def test_documents_from_a_media_mix_model_say_what_it_was_fitted_with(world: World, kind: str) -> None:
    said = " ".join(world.documents[kind].method)
    assert "No experiment was used." in said
    assert "draws each, until the chains agree." in said


def test_every_definition_is_used_by_some_kind_or_waits_for_results_that_have_its_term(world: World) -> None:
    used = {meaning.split(":")[0] for document in world.documents.values() for _term, meaning in document.definitions}
    waiting = {name for name, each in TERMS.items() if each.text.split(":")[0].split("{")[0] not in "\n".join(used)}
    assert waiting <= {"synergy", "cannibalisation", "stability", "vif", "effective_draws", "divergences", "none"}
