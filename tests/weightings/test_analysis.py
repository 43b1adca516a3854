"""From a question to what media brought: one fit in a real child process, asked for on the command line."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import openpyxl
import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client, override_settings
from pptx import Presentation
from pytest_django import DjangoDbBlocker

from accounts.api_key_actions import create_api_key
from accounts.models import Role, User, Workspace
from analyses import artifacts, registry
from analyses.models import Run
from analyses.runs import request_run
from marketing.receivers import create_default_goals
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.weightings.markets import add_outcome, add_spend
from tests.weightings.questions import TRUE_ROI, market
from tests.weightings.results import a_result
from weightings.methods.storing import unpack_panel, unpack_posterior
from weightings.presentation.rows import rows

ClientFor = Callable[[User | None], Client]
ASKED = ("outcome=sales", "granularity=week", "model=hill", "seed=1", "confidence=90", "folds=1", "draws=1000")
API = "/api/v1/runs/"
SUMMARIES = ("roi", "contribution_share", "incremental", "mroi", "cpik", "efficiency")


@dataclass
class Answered:
    """A run, done, and what the command line printed of it."""

    run: Run
    printed: str
    viewer: User

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run.result
        return found


def analyse(form: str) -> str:
    """Ask on the command line and return what it prints."""
    printed = io.StringIO()
    params = [word for param in ASKED for word in ("--param", param)]
    call_command("analyse", "weightings", "--workspace", "acme", *params, "--format", form, stdout=printed)
    return printed.getvalue()


@pytest.fixture(scope="module")
def first_answered(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Answered]:
    """Fitted once: each test begins a transaction of its own inside this one."""
    own = {
        "MEDIA_ROOT": str(tmp_path_factory.mktemp("media")),
        # Slots and compiled kernels: those of a running installation are its own.
        "DATA_DIR": tmp_path_factory.mktemp("data"),
        # The heartbeat has a connection of its own, which this transaction would keep waiting.
        "JOB_HEARTBEAT_SECONDS": 600,
    }
    with override_settings(**own), django_db_blocker.unblock(), transaction.atomic():
        workspace = WorkspaceFactory.create(name="Acme", slug="acme")
        viewer = MembershipFactory.create(workspace=workspace, role=Role.VIEWER).user
        add_outcome(workspace)
        add_spend(workspace)
        printed = analyse("json")
        run = Run.objects.select_related("job", "workspace").get()
        yield Answered(run, printed, viewer)
        transaction.set_rollback(True)


@pytest.fixture
def answered(first_answered: Answered, db: None) -> Answered:
    return deepcopy(first_answered)


def ask(workspace: Workspace, **params: Any) -> Run:
    return request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )


def test_the_command_line_prints_the_contract(answered: Answered) -> None:
    printed = json.loads(answered.printed)
    assert printed == answered.result
    assert {channel["channel"] for channel in printed["channels"]} == {"TV", "Search"}
    for channel in printed["channels"]:
        assert channel["spend"] > 0
        for name in SUMMARIES:
            assert channel[name]["low"] < channel[name]["median"] < channel[name]["high"]
    assert printed["baseline"].keys() == {"outcome", "share"}
    assert {"max_rhat", "min_ess", "divergences", "converged"} <= printed["diagnostics"].keys()
    assert all({"check", "value", "verdict", "advice"} <= check.keys() for check in printed["health"])
    assert {"compile_seconds", "sampling_seconds", "total_seconds"} <= printed["timings"].keys()


def test_the_result_says_what_it_is_about(answered: Answered) -> None:
    about = {"start": "2022-01-03", "end": "2023-02-26", "periods": 60}
    assert answered.result["outcome"] == {
        "name": "Sales",
        "kind": "sales",
        "is_money": True,
        "bounds": None,
        "unit": answered.run.workspace.currency,
    }
    assert answered.result["period"] == about | {"first": 0}
    assert answered.result["estimation"] == about | {"history": 0}
    assert (answered.result["model"], answered.result["granularity"]) == ("hill", "week")
    assert (answered.result["confidence"], answered.result["format"]) == (90, 1)
    assert [remark["code"] for remark in answered.result["remarks"]] == ["short"]


def test_the_fit_finds_what_is_true(answered: Answered) -> None:
    assert answered.result["diagnostics"]["converged"]
    truth = dict(zip(market().channels, TRUE_ROI, strict=True))
    for channel in answered.result["channels"]:
        assert channel["roi"]["low"] < truth[channel["channel"]] < channel["roi"]["high"]


def test_contributions_and_baseline_are_the_expected_outcome(answered: Answered) -> None:
    result = answered.result
    parts = [result["baseline"]["outcome"]["mean"], *(one["contribution"]["mean"] for one in result["channels"])]
    assert sum(parts) == pytest.approx(result["expected"]["mean"])


def test_the_time_is_counted_from_loading_to_the_end(answered: Answered) -> None:
    timings = answered.result["timings"]
    assert timings["total_seconds"] > timings["child_seconds"] > timings["sampling_seconds"] > 0
    assert timings["total_seconds"] >= timings["child_seconds"] + timings["loading_seconds"]


def test_results_written_by_hand_in_other_tests_have_the_keys_of_this_one(answered: Answered) -> None:
    written = a_result()
    assert written.keys() | {"data_health"} >= answered.result.keys() - {"data_health"}
    for name in ("outcome", "period", "estimation", "baseline", "observed", "diagnostics", "fit", "holdout", "series"):
        assert written[name].keys() == answered.result[name].keys(), name
    assert written["channels"][0].keys() == answered.result["channels"][0].keys()
    assert written["curves"]["channels"][0].keys() == answered.result["curves"]["channels"][0].keys()
    assert written["curves"]["multipliers"] == answered.result["curves"]["multipliers"]
    assert written["health"][0].keys() == answered.result["health"][0].keys()
    for name in ("folds", "by_steps"):
        assert written["holdout"][name][0].keys() == answered.result["holdout"][name][0].keys()


def test_the_posterior_and_the_panel_are_kept(answered: Answered) -> None:
    arrays = artifacts.read(answered.run)
    stored = answered.result["stored"]
    assert unpack_panel(stored["panel"], arrays).outcome.tolist() == market().outcome.tolist()
    posterior = unpack_posterior(stored["posterior"], arrays)
    found = np.median(posterior.parameters["effect"], axis=0)
    assert found == pytest.approx(
        [channel["parameters"]["effect"]["median"] for channel in answered.result["channels"]]
    )


def test_a_viewer_sees_the_result_with_the_numbers_of_the_json(answered: Answered, client_for: ClientFor) -> None:
    page = client_for(answered.viewer).get(f"/w/acme/runs/{answered.run.pk}/")
    assert page.status_code == 200
    best = max(answered.result["channels"], key=lambda channel: channel["roi"]["median"])
    assert f"{best['channel']} returned {best['roi']['median']:.2f}" in page.text
    for heading in ("Returns by channel", "Contributions", "Over time", "Response curves", "Model health"):
        assert f">{heading}</h2>" in page.text
    assert "Run again on newest data" not in page.text


def test_every_format_carries_the_same_numbers(answered: Answered, client_for: ClientFor) -> None:
    client = client_for(answered.viewer)
    (tv,) = (channel for channel in answered.result["channels"] if channel["channel"] == "TV")

    def export(form: str) -> bytes:
        response = client.get(f"/w/acme/runs/{answered.run.pk}/export.{form}")
        assert response.status_code == 200
        return bytes(response.getvalue())

    (row,) = (row for row in csv.DictReader(io.StringIO(export("csv").decode("utf-8-sig"))) if row["channel"] == "TV")
    assert (float(row["roi"]), float(row["mroi_low"])) == (tv["roi"]["median"], tv["mroi"]["low"])
    assert json.loads(export("json"))["result"] == answered.result
    assert export("pdf").startswith(b"%PDF")
    slides = Presentation(io.BytesIO(export("pptx"))).slides
    charts = [shape.chart for slide in slides for shape in slide.shapes if shape.has_chart]
    assert any(tv["roi"]["median"] in series.values for chart in charts for series in chart.plots[0].series)
    sheets = openpyxl.load_workbook(io.BytesIO(export("xlsx")))
    cells = [cell.value for sheet in sheets for line in sheet for cell in line if isinstance(cell.value, float)]
    for number in (tv["roi"]["median"], tv["contribution_share"]["mean"]):
        assert any(cell == pytest.approx(number, rel=1e-14) for cell in cells)


def test_documents_show_the_numbers_of_the_json(answered: Answered) -> None:
    document = registry.get("weightings").document(answered.run)
    tables = {table.title: table for section in document.sections for table in section.tables}
    shown = {row.label: row.cells for row in tables["Returns by channel"].rows}
    for channel in answered.result["channels"]:
        roi = shown[channel["channel"]][1]
        assert (roi.value, roi.low, roi.high) == tuple(channel["roi"][end] for end in ("median", "low", "high"))
    *parts, total = tables["What Sales is made of"].rows
    assert sum(row.cells[0].value or 0 for row in parts) == pytest.approx(total.cells[0].value)
    assert list(document.rows) == list(rows(answered.run))


def test_the_same_question_is_answered_at_once(answered: Answered) -> None:
    again = ask(answered.run.workspace, **answered.run.params)
    assert again == answered.run


def test_the_command_line_prints_the_answer_that_there_is_as_csv(answered: Answered) -> None:
    header, *lines = csv.reader(io.StringIO(analyse("csv")))
    expected_header, *expected = rows(answered.run)
    assert header == list(expected_header)
    assert [line[0] for line in lines] == [row[0] for row in expected]
    roi = header.index("roi")
    printed = {line[0]: line[roi] for line in lines}
    for channel in answered.result["channels"]:
        assert float(printed[channel["channel"]]) == channel["roi"]["median"]
    assert Run.objects.count() == 1


def test_the_command_line_prints_the_answer_that_there_is_as_a_table(answered: Answered) -> None:
    header, *lines = analyse("table").splitlines()
    expected_header, *expected = rows(answered.run)
    assert header.split() == list(expected_header)
    assert len(lines) == len(expected)
    for channel in answered.result["channels"]:
        (line,) = (line for line in lines if line.startswith(channel["channel"]))
        assert f"{channel['roi']['median']:.2f}" in line.split()
    assert Run.objects.count() == 1


def with_key(workspace: Workspace, scope: str) -> Client:
    owner = MembershipFactory.create(workspace=workspace, role=Role.OWNER).user
    _key, secret = create_api_key(workspace=workspace, created_by=owner, name="Robot", scopes=[scope])
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_a_key_for_weightings_reads_them_and_no_attribution(answered: Answered) -> None:
    create_default_goals(workspace=answered.run.workspace)
    attribution = request_run(
        workspace=answered.run.workspace,
        kind="attribution",
        params={},
        by=None,
        trigger=Run.Trigger.CLI,
        ring=False,
    )
    reader = with_key(answered.run.workspace, "weightings:read")
    assert [run["kind"] for run in reader.get(API).json()["results"]] == ["weightings"]
    assert reader.get(f"{API}{answered.run.pk}/").json()["result"] == answered.result
    assert reader.get(f"{API}{attribution.pk}/").status_code == 403
    assert post(reader, answered.run.params).status_code == 403
    other = with_key(answered.run.workspace, "attribution:read")
    assert [run["kind"] for run in other.get(API).json()["results"]] == ["attribution"]
    assert other.get(f"{API}{answered.run.pk}/").status_code == 403


def test_a_key_that_writes_weightings_asks_for_them_and_one_that_writes_attribution_does_not(
    answered: Answered,
) -> None:
    writer = with_key(answered.run.workspace, "weightings:write")
    known, new = post(writer, answered.run.params), post(writer, {"seed": 2})
    assert (known.status_code, known.json()["id"]) == (200, str(answered.run.pk))
    assert (new.status_code, Run.objects.count()) == (202, 2)
    assert post(with_key(answered.run.workspace, "attribution:write"), {"seed": 3}).status_code == 403
    assert Run.objects.count() == 2


def post(client: Client, params: dict[str, Any]) -> Any:
    return client.post(API, {"kind": "weightings", "params": params}, content_type="application/json")
