"""The exports of a finished run: who gets them, and what CSV, JSON and the sheet of all rows are made of.

That all five carry the numbers of its page is in `test_export_values.py`.
"""

import csv
import io
import json
import uuid
from collections.abc import Callable

import openpyxl
import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses import registry
from analyses.documents import Document
from analyses.models import Run
from analyses.runs import request_run
from attribution.cube.daily_cube import refresh_cube
from attribution.presentation.presenters import DIFFERENCES, EXTRA_COLUMNS
from jobs.execution import execute
from reports.exports import FORMATS
from tests.conftest import ImportRows

ClientFor = Callable[[User | None], Client]


def asked(workspace: Workspace) -> Run:
    """A run that nobody has carried out yet."""
    params = {"model": "linear,last", "goal": "Purchase", "start": "2026-03-01", "end": "2026-03-31"}
    return request_run(
        workspace=workspace, kind="attribution", params=params, by=None, trigger=Run.Trigger.PAGE, ring=False
    )


@pytest.fixture
def run(shop: Workspace, import_rows: ImportRows) -> Run:
    """Linear and Last Touch of three journeys, whose channels have names of all sorts."""
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        "anna,2026-03-01T10:00Z,=Email",
        "anna,2026-03-02T10:00Z,Größe & Söhne",
        "bert,2026-03-03T10:00Z,+Display",
    )
    import_rows(
        "conversions",
        "customer,occurred_at,value",
        "anna,2026-03-05T10:00Z,100.10",
        "bert,2026-03-05T10:00Z,33.33",
        "carl,2026-03-06T10:00Z,20",
    )
    execute(job_id=asked(shop).job_id)
    return Run.objects.select_related("job", "workspace").get()


def url(run: Run, form: str, slug: str = "acme") -> str:
    return f"/w/{slug}/runs/{run.pk}/export.{form}"


@pytest.fixture
def document(run: Run) -> Document:
    return registry.get(run.kind).document(run)


@pytest.fixture
def export(run: Run, client_for: ClientFor, viewer: User) -> Callable[[str], bytes]:
    """Download the run in a format, as a viewer."""

    def export(form: str) -> bytes:
        response = client_for(viewer).get(url(run, form))
        assert response.status_code == 200
        return response.getvalue()

    return export


@pytest.mark.parametrize("form", FORMATS)
def test_exports_of_a_run_are_for_members(
    form: str, run: Run, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    response = client_for(viewer).get(url(run, form))
    assert (response.status_code, response["Content-Type"]) == (200, FORMATS[form].content_type)
    name = f"attribution-acme-2026-03-01-to-2026-03-31.{form}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client_for(outsider).get(url(run, form)).status_code == 404
    assert client_for(outsider).get(url(run, form, "elsewhere")).status_code == 404
    assert client_for(None).get(url(run, form))["Location"].startswith("/accounts/login/")
    assert client_for(viewer).post(url(run, form)).status_code == 405


def test_there_is_no_export_of_another_format_or_of_no_run(run: Run, client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    response = client.get(url(run, "exe"))
    assert response.status_code == 404
    assert "There is no format “exe”. Formats: csv, xlsx, json, pdf, pptx." in response.text
    assert client.get(f"/w/acme/runs/{uuid.uuid4()}/export.csv").status_code == 404


@pytest.mark.usefixtures("shop")
def test_a_run_without_a_result_has_no_export(shop: Workspace, client_for: ClientFor, viewer: User) -> None:
    response = client_for(viewer).get(url(asked(shop), "csv"))
    assert response.status_code == 404
    assert "This run has no result to download." in response.text


def test_what_the_product_computes_for_itself_has_no_export(
    run: Run, shop: Workspace, client_for: ClientFor, viewer: User
) -> None:
    cube = refresh_cube(workspace=shop, ring=False)
    execute(job_id=cube.job_id)
    assert client_for(viewer).get(url(cube, "csv")).status_code == 404


def test_the_csv_has_a_row_for_each_model_and_channel(run: Run, export: Callable[[str], bytes]) -> None:
    header, *rows = csv.reader(io.StringIO(export("csv").decode()))
    figures = [*("conversions", "value"), *EXTRA_COLUMNS[:7]]
    assert header == ["model", "channel", *figures, *EXTRA_COLUMNS[7:], *DIFFERENCES]
    assert run.result is not None
    apart = [group.get("difference") for credit in run.result["models"].values() for group in credit["channels"]]
    assert [row[-len(DIFFERENCES) :] for row in rows] == [
        [repr(float(found[name])) if found else "" for name in DIFFERENCES.values()] for found in apart
    ]
    assert [(model, name.removeprefix("'"), *map(float, numbers[:9])) for model, name, *numbers in rows] == [
        (model, group["channel"], *(group[figure] for figure in figures))
        for model, credit in run.result["models"].items()
        for group in credit["channels"]
    ]
    assert {row[1] for row in rows} == {"'=Email", "Größe & Söhne", "'+Display", "(none)"}


def test_the_json_is_what_the_api_gives(
    run: Run, export: Callable[[str], bytes], client_for: ClientFor, viewer: User
) -> None:
    assert json.loads(export("json")) == client_for(viewer).get(f"/api/v1/runs/{run.pk}/").json()


def test_the_workbook_has_all_rows(document: Document, export: Callable[[str], bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export("xlsx")))
    rows = [list(row) for row in book["Data"].iter_rows(values_only=True)]
    assert rows == [[pytest.approx(cell) if isinstance(cell, float) else cell for cell in row] for row in document.rows]


def test_the_runs_page_offers_all_formats(run: Run, client_for: ClientFor, viewer: User) -> None:
    text = client_for(viewer).get(f"/w/acme/runs/{run.pk}/").text
    for form, kind in FORMATS.items():
        assert f'<a href="{url(run, form)}">{kind.label}</a>' in text
