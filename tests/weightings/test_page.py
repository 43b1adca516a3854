"""The weightings page: choose a question, ask it, see the latest answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from marketing.importing.dimensions import ensure_channels
from marketing.models import Outcome
from tests.factories import WorkspaceFactory
from tests.weightings.markets import add_outcome, add_spend

PAGE = "/w/acme/weightings/"
ANSWERS = {"outcome": "Sales", "period": "all", "granularity": "week", "model": "hill"}
ClientFor = Callable[[User | None], Client]


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    add_outcome(workspace)
    add_spend(workspace)
    return workspace


def ask(workspace: Workspace, **params: Any) -> Run:
    return request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )


@pytest.mark.usefixtures("shop")
def test_an_analyst_asks_and_is_led_to_the_run(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Calculate weightings</button>" in page.text
    assert "No weightings have been calculated" in page.text
    assert '<a href="/w/acme/weightings/" aria-current="page">' in page.text
    response = client.post(PAGE, ANSWERS)
    run = Run.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/w/acme/runs/{run.pk}/")
    assert (run.kind, run.requested_by, run.trigger) == ("weightings", analyst, "page")
    assert (run.params["start"], run.params["end"], run.params["folds"]) == ("2022-01-03", "2023-02-26", 3)


@pytest.mark.usefixtures("shop")
def test_the_same_question_twice_is_one_run(client_for: ClientFor, analyst: User, admin: User) -> None:
    first, second = (client_for(user).post(PAGE, ANSWERS) for user in (analyst, admin))
    assert first["Location"] == second["Location"]
    assert Run.objects.count() == 1


@pytest.mark.usefixtures("shop")
def test_strangers_sign_in_first(client_for: ClientFor) -> None:
    for response in (client_for(None).get(PAGE), client_for(None).post(PAGE, ANSWERS)):
        assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={PAGE}")


@pytest.mark.usefixtures("shop")
def test_for_the_owner_of_another_workspace_there_is_no_such_page(client_for: ClientFor, outsider: User) -> None:
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(outsider).post(PAGE, ANSWERS).status_code == 404
    assert not Run.objects.exists()


def test_a_viewer_sees_the_answers_but_asks_nothing(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    run = ask(shop)
    page = client_for(viewer).get(PAGE)
    assert page.status_code == 200
    assert f"/w/acme/runs/{run.pk}/" in page.text
    assert "Sales · Hill curve · by week" in page.text
    assert "Calculate weightings" not in page.text
    assert "As a viewer" in page.text
    assert client_for(viewer).post(PAGE, ANSWERS).status_code == 403
    assert Run.objects.count() == 1


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(method: str, client_for: ClientFor, analyst: User) -> None:
    assert getattr(client_for(analyst), method)(PAGE).status_code == 405


@pytest.mark.usefixtures("shop")
def test_an_invalid_form_comes_back_with_what_is_wrong_beside_the_fields(client_for: ClientFor, analyst: User) -> None:
    wrong = {"period": "custom", "start": "2022-02-30", "end": "", "model": "robyn", "folds": "9"}
    response = client_for(analyst).post(PAGE, ANSWERS | wrong)
    assert response.status_code == 422
    for field, sentence in (
        ("start", "Enter a valid date."),
        ("model", "Select a valid choice."),
        ("folds", "Ensure this value is less than or equal to 6."),
    ):
        assert f'id="id_{field}_error"' in response.text
        assert sentence in response.text
    assert "<details open>" in response.text
    assert not Run.objects.exists()


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"period": "custom"}, "A custom period needs both a start and an end."),
        ({"roi": "TV: 5 (1-2)"}, "lie between the ends of its 90% range"),
        ({"holidays": "Germania"}, "“GERMANIA” is no country&#x27;s two letters"),
        ({"draws": "100"}, "“draws” lies between 500 and 20000."),
        ({"period": "last_30"}, "they end on 26 Feb 2023. Choose 2023-01-28 as the start and 2023-02-26 as the end"),
    ],
)
def test_what_the_parameters_refuse_stands_beside_its_field(
    wrong: dict[str, str], sentence: str, client_for: ClientFor, analyst: User
) -> None:
    response = client_for(analyst).post(PAGE, ANSWERS | wrong)
    assert response.status_code == 422
    assert sentence in response.text
    assert not Run.objects.exists()


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("asked", "said"),
    [({"outcome": "{}"}, "Select a valid choice. {} is not"), ({"roi": "{}: 2 (1-3)"}, "There is no channel “{}”.")],
    ids=["outcome", "channel"],
)
def test_what_only_another_workspace_has_is_refused_as_what_nobody_has(
    asked: dict[str, str], said: str, client_for: ClientFor, analyst: User
) -> None:
    elsewhere = WorkspaceFactory.create()
    add_outcome(elsewhere, name="Theirs")
    ensure_channels(workspace=elsewhere, names=["Theirs"])
    client = client_for(analyst)
    assert "Theirs" not in client.get(PAGE).text

    errors = []
    for name in ("Theirs", "Nobody"):
        response = client.post(PAGE, ANSWERS | {field: value.format(name) for field, value in asked.items()})
        assert response.status_code == 422
        assert said.format(name) in response.text
        errors.append(response.context["form"].errors.as_json().replace(name, "_"))

    assert errors[0] == errors[1]
    assert not Run.objects.exists()


@pytest.mark.usefixtures("shop")
def test_an_address_with_the_outcome_of_another_workspace_shows_the_defaults(
    client_for: ClientFor, analyst: User
) -> None:
    add_outcome(WorkspaceFactory.create(), name="Theirs")
    said = []
    for name in ("Theirs", "Nobody"):
        response = client_for(analyst).get(f"{PAGE}?outcome={name}")
        assert response.context["form"]["outcome"].value() == "Sales"
        assert f"Business outcome: There is no outcome “{name}”." in " ".join(response.text.split())
        said.append([(label, why.replace(name, "_")) for label, why in response.context["left_out"]])
    assert said[0] == said[1]


def test_change_the_question_leads_back_to_the_question_of_the_run(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    ensure_channels(workspace=shop, names=["TV"])
    asked = {
        "start": "2022-02-01",
        "end": "2022-12-31",
        "granularity": "month",
        "model": "logistic",
        "holidays": "DE,AT",
        "roi": "TV: 1.5 (0.5-4)",
        "folds": 1,
        "confidence": 80,
        "short_allowed": "yes",
    }
    run = ask(shop, **asked)
    client = client_for(analyst)
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    (link,) = (line for line in page.splitlines() if "Change the question" in line)
    address = link.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    form = client.get(address).context["form"]
    answers = {name: form[name].value() for name in form.fields}
    assert answers["period"] == "custom"
    response = client.post(PAGE, {name: "" if value is None else value for name, value in answers.items()})
    assert response["Location"] == f"/w/acme/runs/{run.pk}/"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("model", "folds"), [("logistic", 3), ("lightweight:adstock", 0)])
def test_another_model_can_be_chosen_on_the_page_as_it_stands(
    model: str, folds: int, client_for: ClientFor, analyst: User
) -> None:
    client = client_for(analyst)
    form = client.get(PAGE).context["form"]
    answers = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
    assert client.post(PAGE, answers | {"model": model}).status_code == 302
    assert Run.objects.get().params["folds"] == folds


@pytest.mark.usefixtures("shop")
def test_what_is_usable_of_an_address_is_kept(client_for: ClientFor, analyst: User) -> None:
    page = client_for(analyst).get(f"{PAGE}?model=logistic&seed=7&confidence=51").text
    assert '<option value="logistic" selected>' in page
    assert 'value="7"' in page


@pytest.mark.usefixtures("shop")
def test_an_address_that_makes_no_sense_shows_the_defaults(client_for: ClientFor, analyst: User) -> None:
    response = client_for(analyst).get(f"{PAGE}?model=magic&granularity=%00&roi=TV")
    assert response.status_code == 200
    assert '<option value="hill" selected>' in response.text
    assert '<option value="week" selected>' in response.text


def test_without_an_outcome_the_page_says_what_is_missing(
    client_for: ClientFor, analyst: User, workspace: Workspace
) -> None:
    add_spend(workspace)
    page = client_for(analyst).get(PAGE)
    assert "What is missing: values of an outcome, such as sales by day or by week." in page.text
    assert '<a class="button" href="/w/acme/data/">Go to Data</a>' in page.text
    assert "Calculate weightings" not in page.text
    refused = client_for(analyst).post(PAGE, ANSWERS)
    assert refused.status_code == 422


def test_without_spend_the_page_says_so(client_for: ClientFor, analyst: User, workspace: Workspace) -> None:
    add_outcome(workspace)
    page = client_for(analyst).get(PAGE)
    assert "What is missing: spend by channel." in page.text
    assert "Calculate weightings" not in page.text


@pytest.mark.usefixtures("workspace")
def test_a_workspace_without_any_data_is_offered_the_demo(client_for: ClientFor, analyst: User, viewer: User) -> None:
    assert "Load demo data</button>" in client_for(analyst).get(PAGE).text
    assert "Load demo data</button>" not in client_for(viewer).get(PAGE).text


def test_outcomes_without_values_are_not_offered(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    Outcome.objects.create(workspace=shop, name="Installs", kind=Outcome.Kind.APP_INSTALLS)
    page = client_for(analyst).get(PAGE)
    assert page.context["form"].fields["outcome"].choices == [("Sales", "Sales")]


def test_the_page_asks_the_same_of_the_database_however_many_runs_there_are(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    client = client_for(analyst)
    ask(shop)
    client.get(PAGE)  # notes the workspace and the visit in the session
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for seed in range(1, 8):
        ask(shop, seed=seed)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few)
