"""The page that asks for a forecast: its form, its states, and what it shows where the plan has no forecasts."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from analyses.models import Run
from tests.factories import WorkspaceFactory
from tests.weightings.premium import ask, carried_out, forecast, on_professional
from tests.weightings.stored_runs import a_stored_run
from weightings.forecasts.presentation.document import document
from weightings.models import Scenario

ClientFor = Callable[[User | None], Client]

PAGE = "/w/acme/weightings/forecast/"
TABLE = "/w/acme/weightings/forecast/plan.csv"


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return on_professional(workspace)


@pytest.fixture
def model(shop: Workspace) -> Run:
    return a_stored_run(shop)


def answers(run: Run, **changed: Any) -> dict[str, Any]:
    return {"model_run": str(run.pk), "spend_as": "before", "multiples": "1", "periods": "8", **changed}


def test_an_analyst_asks_and_is_led_to_the_run(client_for: ClientFor, analyst: User, model: Run) -> None:
    client = client_for(analyst)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Forecast</button>" in page.text
    assert "Nothing has been forecast in this workspace yet." in page.text
    assert "This is a sample" not in page.text
    response = client.post(PAGE, answers(model))
    run = Run.objects.get(kind="forecast")
    assert (response.status_code, response["Location"]) == (302, f"/w/acme/runs/{run.pk}/")
    assert (run.requested_by, run.trigger, run.params["periods"]) == (analyst, "page", 8)
    assert f"/w/acme/runs/{run.pk}/" in client.get(PAGE).text


def test_the_page_of_weightings_leads_here(client_for: ClientFor, viewer: User, model: Run) -> None:
    assert f'href="{PAGE}"' in client_for(viewer).get("/w/acme/weightings/").text


@pytest.mark.usefixtures("model")
def test_strangers_sign_in_first(client_for: ClientFor) -> None:
    for address in (PAGE, TABLE):
        response = client_for(None).get(address)
        assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={address}")


def test_for_the_owner_of_another_workspace_there_is_no_such_page(
    client_for: ClientFor, outsider: User, model: Run
) -> None:
    client = client_for(outsider)
    assert client.get(PAGE).status_code == 404
    assert client.get(f"{TABLE}?model_run={model.pk}").status_code == 404
    assert client.post(PAGE, answers(model)).status_code == 404
    assert not Run.objects.filter(kind="forecast").exists()


def test_a_viewer_sees_forecasts_but_asks_for_none(client_for: ClientFor, viewer: User, model: Run) -> None:
    run = ask(model.workspace, periods=4)
    client = client_for(viewer)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert f"/w/acme/runs/{run.pk}/" in page.text
    assert "Forecast</button>" not in page.text
    assert "As a viewer" in page.text
    assert client.post(PAGE, answers(model)).status_code == 403
    assert Run.objects.filter(kind="forecast").count() == 1


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(method: str, client_for: ClientFor, analyst: User, model: Run) -> None:
    assert getattr(client_for(analyst), method)(PAGE).status_code == 405
    assert getattr(client_for(analyst), method)(TABLE).status_code == 405
    assert client_for(analyst).post(TABLE).status_code == 405


@pytest.mark.usefixtures("shop")
def test_without_a_model_the_page_says_what_to_do(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    page = client.get(PAGE)
    assert "There is no model to forecast with yet" in page.text
    assert '<a class="button" href="/w/acme/weightings/">Go to Weightings</a>' in page.text
    assert "Forecast</button>" not in page.text
    assert client.post(PAGE, {"spend_as": "before"}).status_code == 422


# The plan


def test_where_the_plan_has_no_forecasts_there_is_a_lock_and_a_sample(
    client_for: ClientFor, owner: User, viewer: User, workspace: Workspace
) -> None:
    model = a_stored_run(workspace)
    for user in (owner, viewer):
        page = client_for(user).get(PAGE)
        assert page.status_code == 200
        assert "Predictive modelling is part of the Professional plan." in page.text
        assert "This is a sample: the market is made up" in page.text
        assert "What to expect" in page.text
        assert "Accuracy by weeks ahead" in page.text
        assert "Forecast</button>" not in page.text
    response = client_for(owner).post(PAGE, answers(model))
    assert response.status_code == 403
    assert "Predictive modelling is part of the Professional plan" in response.text
    assert client_for(owner).post(PAGE, {"nonsense": "1"}).status_code == 403
    assert not Run.objects.filter(kind="forecast").exists()


def test_the_sample_holds_nothing_of_the_workspace(client_for: ClientFor, owner: User, workspace: Workspace) -> None:
    """Whatever its channels are called: no number and no link of the workspace is in the sample."""
    empty = client_for(owner).get(PAGE).context["sample"]
    a_stored_run(workspace)
    full = client_for(owner).get(PAGE).context["sample"]
    assert empty == full
    rows = [row for section in full["sections"] for table in section.tables for row in table.rows]
    assert not any(row.href for row in rows)


def test_channels_lead_to_what_the_model_says_of_them(client_for: ClientFor, viewer: User, model: Run) -> None:
    run = forecast(model.workspace, periods=4)
    client = client_for(viewer)
    places = {channel["channel"]: place for place, channel in enumerate((model.result or {})["channels"])}
    rows = [row for section in document(run).sections for table in section.tables for row in table.rows if row.href]
    assert {row.label for row in rows} == set(places)
    for row in rows:
        assert row.href == f"/w/acme/weightings/runs/{model.pk}/channels/{places[row.label]}/"
        assert client.get(row.href).status_code == 200
    model.delete()
    tables = [table for section in document(run).sections for table in section.tables]
    assert not any(row.href for table in tables for row in table.rows)


def test_the_samples_numbers_add_up(client_for: ClientFor, owner: User, workspace: Workspace) -> None:
    sections = client_for(owner).get(PAGE).context["sample"]["sections"]
    for row in sections[0].tables[0].rows:
        _predicted, expected, baseline, channels, *_rest = (cell.value or 0.0 for cell in row.cells)
        assert baseline + channels == pytest.approx(expected)


# The form


def test_the_address_fills_the_form_in(client_for: ClientFor, analyst: User, model: Run) -> None:
    newer = a_stored_run(model.workspace, seed=1)
    scenario = Scenario.objects.create(
        workspace=model.workspace, run=model, name="More TV", plan={"periods": 13, "spend": {"TV": 1.0, "Search": 2.0}}
    )
    client = client_for(analyst)

    def filled(query: str) -> dict[str, Any]:
        form = client.get(f"{PAGE}?{query}").context["form"]
        return {name: form[name].value() for name in form.fields}

    assert filled("")["model_run"] == str(newer.pk)
    found = filled(f"model_run={model.pk}&periods=26&multiples=1.2&seed=4")
    assert (found["model_run"], found["periods"], found["multiples"], found["seed"]) == (str(model.pk), 26, "1.2", 4)
    assert found["spend_as"] == "before"
    found = filled(f"scenario={scenario.pk}")
    assert (found["spend_as"], found["scenario"], found["model_run"]) == ("scenario", str(scenario.pk), str(model.pk))
    found = filled("periods=500&model_run=nothing&confidence=80")
    assert (found["periods"], found["model_run"], found["confidence"]) == (13, str(newer.pk), 80)
    found = filled("scenario=nobody&periods=8")
    assert (found["spend_as"], found["periods"]) == ("before", 8)


def test_another_workspaces_ids_in_the_address_change_nothing(client_for: ClientFor, analyst: User, model: Run) -> None:
    elsewhere = a_stored_run(WorkspaceFactory.create())
    theirs = Scenario.objects.create(
        workspace=elsewhere.workspace, run=elsewhere, name="Theirs", plan={"spend": {"TV": 1.0, "Search": 2.0}}
    )
    client = client_for(analyst)
    page = client.get(f"{PAGE}?model_run={elsewhere.pk}&scenario={theirs.pk}")
    assert page.context["form"]["model_run"].value() == str(model.pk)
    assert "Theirs" not in page.text
    assert client.get(f"{TABLE}?model_run={elsewhere.pk}").status_code == 404
    errors = []
    for run_id, scenario_id in ((elsewhere.pk, theirs.pk), ("0b3f7a2e-6c3d-4a52-9c9c-1f35c0e1d001", 10**9)):
        response = client.post(PAGE, answers(model, model_run=str(run_id)))
        assert response.status_code == 422
        errors.append(response.context["form"].errors.as_json().replace(str(run_id), "_"))
        response = client.post(PAGE, answers(model, spend_as="scenario", scenario=str(scenario_id)))
        assert response.status_code == 422
        errors.append(response.context["form"].errors.as_json().replace(str(scenario_id), "_"))
    assert errors[:2] == errors[2:]
    assert not Run.objects.filter(kind="forecast").exists()


def test_every_way_to_say_what_is_spent(client_for: ClientFor, analyst: User, model: Run) -> None:
    scenario = Scenario.objects.create(
        workspace=model.workspace, run=model, name="Ours", plan={"periods": 10, "spend": {"TV": 10.0, "Search": 20.0}}
    )
    client = client_for(analyst)
    rows = "\n".join(f"{place},5,6" for place in range(1, 5))
    asked: list[tuple[dict[str, Any], str, Any]] = [
        ({"multiples": "TV: 2"}, "multiples", {"TV": 2.0, "Search": 1.0}),
        ({"multiples": ""}, "multiples", {"TV": 1.0, "Search": 1.0}),
        (
            {"spend_as": "spend_per_period", "spend_per_period": "TV: 3; Search: 4"},
            "spend_per_period",
            {"TV": 3.0, "Search": 4.0},
        ),
        ({"spend_as": "scenario", "scenario": scenario.pk}, "spend_per_period", {"TV": 1.0, "Search": 2.0}),
        (
            {"spend_as": "plan", "plan": f"Week,TV,Search\n{rows}"},
            "plan",
            {"spend": {"TV": [5.0] * 4, "Search": [6.0] * 4}},
        ),
    ]
    for changed, name, wanted in asked:
        response = client.post(PAGE, answers(model, **changed))
        assert response.status_code == 302, response.context["form"].errors
        run = Run.objects.filter(kind="forecast").first()
        assert run is not None
        assert run.params[name] == wanted


def test_what_is_refused_stands_beside_its_field(client_for: ClientFor, analyst: User, model: Run) -> None:
    client = client_for(analyst)
    file = SimpleUploadedFile("plan.csv", b"Week,TV,Search\n1,1,2\n2,x,2\n3,1,2\n4,1,2\n")
    asked: list[tuple[dict[str, Any], str, str]] = [
        ({"multiples": "Radio: 2"}, "multiples", "The model has no channel “Radio”."),
        ({"periods": "3"}, "periods", "A forecast is of 4 to 52 weeks"),
        ({"spend_as": "spend_per_period"}, "spend_per_period", "Say here what is spent"),
        ({"spend_as": "plan"}, "plan_file", "Choose a file, or paste a table below."),
        ({"spend_as": "plan", "plan": "Week,TV\n1,2"}, "plan", "No spend is planned for “Search”."),
        ({"spend_as": "plan", "plan_file": file}, "plan_file", "Row 3, column “TV”: “x” is not a number"),
        ({"model_run": "x"}, "model_run", "Select a valid choice."),
    ]
    for changed, field, sentence in asked:
        response = client.post(PAGE, answers(model, **changed))
        assert response.status_code == 422
        assert f'id="id_{field}_error"' in response.text
        assert sentence in response.context["form"].errors[field][0]
    assert not Run.objects.filter(kind="forecast").exists()


def test_a_doubtful_model_is_marked_and_needs_an_override(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    run = a_stored_run(shop, converged=False)
    client = client_for(analyst)
    page = client.get(PAGE)
    assert "not to be relied on)" in page.text
    response = client.post(PAGE, answers(run))
    assert response.status_code == 422
    assert "This model has not converged" in response.text
    assert "<details open>" in response.text
    assert client.post(PAGE, answers(run, override="yes")).status_code == 302
    page = client.get(f"{PAGE}?model_run={run.pk}")
    assert page.context["form"]["model_run"].value() == str(run.pk)
    assert page.context["form"]["override"].value() == "no"


@pytest.mark.parametrize(
    "asked",
    [
        {"multiples": "TV: 1.25", "periods": 9, "confidence": 80, "seed": 3},
        {"spend_per_period": {"TV": 10.5, "Search": 1 / 3}},
        {"plan": {"TV": [1.5, 2, 3, 4], "Search": [0, 0, 1e-3, 9], "Price": [20, 21, 22, 1 / 3]}},
    ],
)
def test_change_the_question_leads_back_to_the_question_of_the_run(
    asked: dict[str, Any], client_for: ClientFor, analyst: User, model: Run
) -> None:
    run = ask(model.workspace, **asked)
    client = client_for(analyst)
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    (link,) = (line for line in page.splitlines() if "Change the question" in line)
    address = link.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    form = client.get(address).context["form"]
    said = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
    response = client.post(PAGE, {name: value for name, value in said.items() if name != "plan_file"})
    assert response["Location"] == f"/w/acme/runs/{run.pk}/"


def test_a_plan_too_long_for_an_address_is_asked_for_again(client_for: ClientFor, analyst: User, model: Run) -> None:
    assert (
        "The plan of that forecast is too long for an address."
        in client_for(analyst).get(f"{PAGE}?model_run={model.pk}&plan_left_out=1").text
    )


# The table to fill in


def test_the_table_to_fill_in_is_a_plan_as_nobody_says_anything(
    client_for: ClientFor, analyst: User, viewer: User, model: Run
) -> None:
    response = client_for(viewer).get(f"{TABLE}?model_run={model.pk}&periods=8")
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert response["Content-Disposition"] == 'attachment; filename="plan-2023-04-10.csv"'
    header, *rows = list(csv.reader(io.StringIO(response.text)))
    assert header == ["Week", "TV", "Search", "Blog", "Price"]
    assert [row[0] for row in rows][::7] == ["2023-04-10", "2023-05-29"]
    file = SimpleUploadedFile("our plan.csv", response.content)
    asked = client_for(analyst).post(PAGE, answers(model, spend_as="plan", plan_file=file))
    assert asked.status_code == 302
    uploaded = carried_out(Run.objects.get(kind="forecast"))
    assert uploaded.params["plan_name"] == "our plan.csv"
    as_before = forecast(model.workspace, periods=8)
    assert uploaded.result["expected"]["mean"] == pytest.approx(as_before.result["expected"]["mean"], rel=1e-3)
    assert [remark["code"] for remark in uploaded.result["remarks"]].count("carried") == 0


@pytest.mark.parametrize(
    ("query", "rows"),
    [("", 13), ("&periods=2", 4), ("&periods=999", 52), ("&periods=x", 13), ("&periods=" + "9" * 50, 13)],
)
def test_the_table_has_as_many_periods_as_can_be_asked_for(
    query: str, rows: int, client_for: ClientFor, viewer: User, model: Run
) -> None:
    response = client_for(viewer).get(f"{TABLE}?model_run={model.pk}{query}")
    assert len(response.text.splitlines()) == rows + 1


def test_there_is_no_table_of_a_run_that_cannot_be_forecast_with(
    client_for: ClientFor, viewer: User, shop: Workspace
) -> None:
    run = a_stored_run(shop, by_geo="yes")
    for asked in (run.pk, "nothing", ""):
        assert client_for(viewer).get(f"{TABLE}?model_run={asked}").status_code == 404
    lost = a_stored_run(shop)
    lost.artifact = "runs/0/gone.npz"
    lost.save(update_fields=["artifact"])
    assert client_for(viewer).get(f"{TABLE}?model_run={lost.pk}").status_code == 404


def test_the_table_to_fill_in_belongs_to_forecasts(client_for: ClientFor, viewer: User, workspace: Workspace) -> None:
    run = a_stored_run(workspace)
    refusal = client_for(viewer).get(f"{TABLE}?model_run={run.pk}")
    assert refusal.status_code == 403
    assert "Predictive modelling" in refusal.text


def test_the_page_asks_the_same_of_the_database_however_many_forecasts_there_are(
    client_for: ClientFor, analyst: User, model: Run
) -> None:
    client = client_for(analyst)
    ask(model.workspace, periods=4)
    client.get(PAGE)  # notes the workspace and the visit in the session
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for periods in range(5, 11):
        ask(model.workspace, periods=periods)
        a_stored_run(model.workspace, seed=periods)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few)
