"""Every number of a media mix run is the same on its page, in the API and in all of its exports, and adds up there."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from html import unescape

import openpyxl
import pytest
from django.test import Client
from pptx import Presentation

from accounts.models import User, Workspace
from analyses.documents import Document, Figure
from analyses.models import Run
from charts import ChartSpec
from reports.exports import as_pdf
from tests.weightings import forecasts
from tests.weightings.stored_runs import a_stored_run, held_back
from weightings.presentation.document import document as document_of

ClientFor = Callable[[User | None], Client]
MEASURES = ("roi", "mroi", "incremental", "contribution", "contribution_share", "efficiency")
ENDS = (("", "median"), ("_low", "low"), ("_high", "high"))


@pytest.fixture(params=["money", "points", "doubtful"])
def run(request: pytest.FixtureRequest, workspace: Workspace) -> Run:
    bounded = request.param == "points"
    folds = held_back(forecasts.market(bounded=bounded))
    return a_stored_run(workspace, bounded=bounded, converged=request.param != "doubtful", folds=folds)


@pytest.fixture
def document(run: Run) -> Document:
    return document_of(Run.objects.select_related("workspace", "job", "requested_by", "api_key").get(pk=run.pk))


@pytest.fixture
def taken(run: Run, client_for: ClientFor, viewer: User) -> Callable[[str], bytes]:
    """Take the run away in a format."""

    def take(form: str) -> bytes:
        answer = client_for(viewer).get(f"/w/acme/runs/{run.pk}/export.{form}")
        assert answer.status_code == 200
        return answer.getvalue()

    return take


def figures(document: Document) -> Iterator[Figure]:
    for card in document.cards:
        yield card.figure
    for section in document.sections:
        for table in section.tables:
            yield from (figure for row in table.rows for figure in row.cells)


def panels(document: Document) -> Iterator[ChartSpec]:
    for chart in document.charts:
        yield from chart.panels


def numbers_of(data: object) -> Iterator[float]:
    if isinstance(data, dict):
        for value in data.values():
            yield from numbers_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from numbers_of(value)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield float(data)


@pytest.mark.parametrize(
    "run", ["money", *(pytest.param(other, marks=pytest.mark.full) for other in ("points", "doubtful"))], indirect=True
)
def test_the_page_the_api_and_all_exports_carry_the_same_numbers(
    run: Run, document: Document, taken: Callable[[str], bytes], client_for: ClientFor, viewer: User
) -> None:
    client = client_for(viewer)
    answer = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert json.loads(taken("json")) == answer
    result = answer["result"]

    # CSV against the API, each cell by its name.
    rows = {row["channel"]: row for row in csv.DictReader(io.StringIO(taken("csv").decode("utf-8-sig")))}
    compared = 0
    budget = result["budget"] or {"channels": []}
    recommended = {each["channel"]: each for each in budget["channels"]}
    for channel in result["channels"]:
        row = rows[channel["channel"]]
        for measure in MEASURES:
            for ending, end in ENDS:
                assert row[f"{measure}{ending}"] == in_csv((channel[measure] or {}).get(end)), (measure, end)
                compared += 1
        plan = recommended.get(channel["channel"], {})
        assert row["spend_recommended"] == in_csv(plan.get("spend_recommended"))
        assert row["incremental_by_recommendation_low"] == in_csv(plan.get("difference", {}).get("low"))
    assert compared == 3 * len(MEASURES) * len(result["channels"])

    # The page: each figure of each table, and each mark of each chart.
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    on_page = set(map(float, re.findall(r'data-value="([^"]+)"', page)))
    in_tables = {float(figure.value) for figure in figures(document) if figure.value is not None}
    in_cards = {float(card.figure.value) for card in document.cards if card.figure.value is not None}
    assert in_tables - in_cards <= on_page
    payloads = [
        json.loads(unescape(found)) for found in re.findall(r"<script[^>]*json\">(.*?)</script>", page, re.DOTALL)
    ]
    drawn = [
        [mark["value"] if mark else None for mark in series["marks"]]
        for payload in payloads
        if isinstance(payload, dict) and "series" in payload
        for series in payload["series"]
    ]
    expected = [
        [mark.value if mark else None for mark in series.marks] for panel in panels(document) for series in panel.series
    ]
    assert drawn == expected
    assert len(expected) > 8

    # Excel: the same figures as numbers, with the ends of their intervals. PowerPoint: native charts, tables as texts.
    book = openpyxl.load_workbook(io.BytesIO(taken("xlsx")))
    cells = {digits(c.value) for s in book for r in s.iter_rows() for c in r if isinstance(c.value, int | float)}
    tables = [table for section in document.sections for table in section.tables]
    for end in ("value", "low", "high"):
        wanted = [getattr(f, end) for table in tables for row in table.rows for f in row.cells]
        assert {digits(number) for number in wanted if number is not None} <= cells
    shapes = [shape for slide in Presentation(io.BytesIO(taken("pptx"))).slides for shape in slide.shapes]
    native = [list(series.values) for shape in shapes if shape.has_chart for series in shape.chart.plots[0].series]
    for values in expected:
        if any(value is not None for value in values):
            assert values in native
    texts = {cell.text_frame.text for shape in shapes if shape.has_table for cell in shape.table.iter_cells()}
    printed = plain(unescape(as_pdf.html(document)))
    for figure in (f for table in tables for row in table.rows for f in row.cells):
        text, interval, whole = map(plain, (figure.text, figure.interval, figure.with_interval))
        assert not text or {whole, f"{text}\n{interval}"} & texts, figure
        # The PDF is printed from this page.
        assert text in printed
        assert interval in printed
    assert taken("pdf").startswith(b"%PDF-")


def plain(text: str) -> str:
    """Without the spaces that keep a number and its unit on one line."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def digits(number: float) -> str:
    """As precise as a workbook keeps a number."""
    return f"{number:.12g}"


def in_csv(value: object) -> str:
    return "" if value is None else repr(value)


def test_figures_of_the_returns_are_the_apis_numbers(run: Run, document: Document) -> None:
    """What is shown is no second computation: each end of an interval is a number of the result, or a multiple."""
    assert run.result is not None
    known = set(numbers_of(run.result))
    shares = {1 - value for value in known}
    title = "Returns by channel"
    table = next(table for section in document.sections for table in section.tables if table.title == title)
    for row in table.rows:
        for figure in row.cells:
            for number in (figure.value, figure.low, figure.high):
                if number is not None:
                    factors = (1.0, 100.0, *(10.0**power for power in range(1, 7)))
                    assert (
                        any(
                            math.isclose(number, factor * value, rel_tol=1e-12)
                            for value in known | shares
                            for factor in factors
                            if value
                        )
                        or number in known
                    ), (row.label, number)


def test_baseline_and_channels_are_the_expected_outcome_wherever_they_stand(run: Run, document: Document) -> None:
    result = run.result
    assert result is not None
    contributions = [channel["contribution"]["mean"] for channel in result["channels"]]
    baseline, expected = result["baseline"]["outcome"]["mean"], result["expected"]["mean"]
    assert math.fsum([baseline, *contributions]) == pytest.approx(expected, rel=1e-9)
    shares = [channel["contribution_share"]["mean"] for channel in result["channels"]]
    assert math.fsum([result["baseline"]["share"]["mean"], *shares]) == pytest.approx(1, rel=1e-9)
    series = result["series"]
    for place, total in enumerate(series["expected"]["mean"]):
        parts = [series["baseline"][place], *(channel["mean"][place] for channel in series["channels"])]
        assert math.fsum(parts) == pytest.approx(total, rel=1e-6)

    made_of = next(
        table for section in document.sections for table in section.tables if table.title.endswith("is made of")
    )
    *parts_rows, total_row = made_of.rows
    assert total_row.is_total
    shown = [row.cells[0].value or 0.0 for row in parts_rows]
    assert math.fsum(shown) == pytest.approx(total_row.cells[0].value, rel=1e-9)
    stacked = next((panel for panel in panels(document) if panel.id == "decomposition"), None)
    if stacked is not None:
        inside = series["expected"]["mean"][result["period"]["first"] :][: result["period"]["periods"]]
        factor = 100.0 if result["outcome"]["bounds"] == [0, 1] else 1.0
        for place, total in enumerate(inside):
            marks = [one.marks[place] for one in stacked.series]
            assert math.fsum(mark.value for mark in marks if mark) == pytest.approx(factor * total, rel=1e-6)


def test_a_model_that_fails_is_marked_wherever_it_is_seen(
    workspace: Workspace, client_for: ClientFor, viewer: User
) -> None:
    run = a_stored_run(workspace, converged=False)
    client = client_for(viewer)
    said = "The model has not converged: do not use these numbers yet."
    for address in (f"/w/acme/runs/{run.pk}/", "/w/acme/weightings/"):
        assert "onverged" in client.get(address).text
    assert said in client.get(f"/w/acme/runs/{run.pk}/").text
    result = client.get(f"/api/v1/runs/{run.pk}/").json()["result"]
    assert (result["diagnostics"]["converged"], result["verdict"], result["budget"]) == (False, "fail", None)
    assert "no budget is recommended from it" in result["budget_problem"]
    assert result["worth_testing"] == []
    rows = csv.DictReader(io.StringIO(client.get(f"/w/acme/runs/{run.pk}/export.csv").getvalue().decode("utf-8-sig")))
    assert {row["spend_recommended"] for row in rows} == {""}
    document = document_of(Run.objects.select_related("workspace", "job").get(pk=run.pk))
    assert document.headline.startswith(said)
    deck = Presentation(io.BytesIO(client.get(f"/w/acme/runs/{run.pk}/export.pptx").getvalue()))
    words = " ".join(s.text_frame.text for slide in deck.slides for s in slide.shapes if s.has_text_frame)
    assert said in words
    assert "no budget is recommended from it" in words
    printed = as_pdf.html(document)
    assert said in printed
    assert "no budget is recommended from it" in printed
