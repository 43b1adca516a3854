"""Setting up a model on the page: what can be chosen, what it learns from, and the newest answer."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import time_machine
from django.test import Client

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.actions import submit
from jobs.execution import execute
from marketing.health.reports import JOB_KIND
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Dataset, Import, Outcome, OutcomeValue
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.markets import add_channels, add_spend
from tests.weightings.questions import market
from tests.weightings.results import a_check, finished
from tests.weightings.setup_page import ANSWERS, NOW, PAGE, ClientFor, asked_for, preview, shop_to_set_up, ticked
from weightings.analysis import in_address
from weightings.forms import WeightingsForm
from weightings.params import clean
from weightings.presentation.words import settings
from weightings.setup.choices import countries, home_country
from weightings.setup.learning import totals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return shop_to_set_up(workspace)


@pytest.fixture
def client(client_for: ClientFor, analyst: User, shop: Workspace) -> Client:
    return client_for(analyst)


# What is left out


def test_all_channels_controls_and_experiments_are_ticked(client: Client) -> None:
    form = client.get(PAGE).context["form"]
    offered = {name: [choice.data["value"] for choice in form[name]] for name in form.fields if "leave_out" in name}
    assert offered == {
        "leave_out_channels": ["TV", "Search", "Blog"],
        "leave_out_controls": ["Price", "Strike"],
        "leave_out_experiments": ["TV 2022-03-14/2022-04-10"],
    }
    boxes = [choice for name in offered for choice in form[name]]
    assert all(choice.data["selected"] for choice in boxes)
    assert "TV, 14 Mar – 10 Apr 2022" in [choice.choice_label for choice in boxes]


def test_what_is_not_ticked_is_left_out(client: Client) -> None:
    params = asked_for(
        client,
        **ticked(["TV", "Search", "Blog"], ["Search"], "leave_out_channels"),
        **ticked(["Price", "Strike"], ["Price"], "leave_out_controls"),
        **ticked(["TV 2022-03-14/2022-04-10"], [], "leave_out_experiments"),
    )
    assert params["leave_out_channels"] == ["Blog", "TV"]
    assert params["leave_out_controls"] == ["Strike"]
    assert params["leave_out_experiments"] == ["TV 2022-03-14/2022-04-10"]


def test_what_nobody_was_shown_is_not_left_out(client: Client, shop: Workspace) -> None:
    add_channels(shop, {"Radio": [float(place) for place in range(60)]})  # after the page was loaded
    assert "leave_out_channels" not in asked_for(
        client, **ticked(["TV", "Search"], ["TV", "Search"], "leave_out_channels")
    )


def test_all_ticked_is_the_question_of_the_command_line(client: Client, shop: Workspace) -> None:
    run = request_run(workspace=shop, kind="weightings", params={}, by=None, trigger=Run.Trigger.CLI, ring=False)
    everything = ["TV", "Search", "Blog"]
    response = client.post(PAGE, ANSWERS | ticked(everything, everything, "leave_out_channels"))
    assert response["Location"] == f"/w/acme/runs/{run.pk}/"


def test_without_any_spend_the_sentence_stands_beside_the_boxes(client: Client) -> None:
    response = client.post(PAGE, ANSWERS | ticked(["TV", "Search", "Blog"], ["Blog"], "leave_out_channels"))
    assert response.status_code == 422
    assert response.context["form"].errors == {
        "leave_out_channels": [
            "All channels with spend are left out, which leaves nothing to measure. Keep at least one."
        ]
    }
    assert "Keep at least one." in response.text
    assert [choice.data["selected"] for choice in response.context["form"]["leave_out_channels"]] == [
        False,
        False,
        True,
    ]
    assert "channels" in response.context["form"].open_parts
    assert not Run.objects.exists()


def test_names_of_another_workspace_are_refused_as_those_of_nobody(client: Client) -> None:
    elsewhere = WorkspaceFactory.create()
    ensure_channels(workspace=elsewhere, names=["Theirs"])
    errors = []
    for name in ("Theirs", "Nobodys"):
        response = client.post(PAGE, ANSWERS | ticked([name], [], "leave_out_channels"))
        assert response.status_code == 422
        errors.append(response.context["form"].errors.as_json().replace(name, "_"))
    assert errors[0] == errors[1]
    assert "Theirs" not in client.get(PAGE).text


def test_an_address_unticks_what_a_question_leaves_out(client: Client) -> None:
    form = client.get(f"{PAGE}?leave_out_channels=TV&leave_out_channels=Blog&leave_out_controls=Price").context["form"]
    kept = {
        name: [choice.data["value"] for choice in form[name] if choice.data["selected"]]
        for name in form.fields
        if "leave_out" in name
    }
    assert kept["leave_out_channels"] == ["Search"]
    assert kept["leave_out_controls"] == ["Strike"]
    assert form.open_parts == {"channels"}


# Countries


def test_the_country_of_the_time_zone_is_suggested_for_a_new_question_only(client: Client, shop: Workspace) -> None:
    Workspace.objects.update(timezone="Europe/Kyiv")
    assert client.get(PAGE).context["form"]["holidays"].value() == ["Ukraine"]
    assert client.get(f"{PAGE}?model=logistic").context["form"]["holidays"].value() == []
    assert client.get(f"{PAGE}?holidays=DE,AT").context["form"]["holidays"].value() == ["Austria", "Germany"]
    Workspace.objects.update(timezone="UTC")
    assert not client.get(PAGE).context["form"]["holidays"].value()


@pytest.mark.parametrize(
    ("zone", "country"), [("Europe/Berlin", "Germany"), ("Asia/Kolkata", "India"), ("Etc/GMT+5", ""), ("UTC", "")]
)
def test_zones_have_a_country_or_none(zone: str, country: str) -> None:
    assert home_country(Workspace(timezone=zone)) == country


def test_countries_are_those_whose_holidays_are_known_and_can_be_told_apart() -> None:
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    assert set(countries().values()) == set(known)
    assert not [name for name in countries() if "," in name]  # which parts several


@pytest.mark.parametrize("typed", [["Germany", "austria"], "DE,AT", ["Germany, AT", ""]])
def test_countries_may_be_typed_by_name_or_letters(typed: Any, client: Client) -> None:
    assert asked_for(client, holidays=typed)["holidays"] == ["AT", "DE"]


def test_a_country_that_there_is_not_stays_where_it_was_typed(client: Client) -> None:
    response = client.post(PAGE, ANSWERS | {"holidays": ["Germany", "Atlantis"]})
    assert response.status_code == 422
    assert "“ATLANTIS” is no country&#x27;s two letters" in response.text
    assert 'value="Atlantis"' in response.text
    assert 'aria-invalid="true"' in response.text


# A question that is reopened from its own address


def reopened(client: Client, shop: Workspace, **asked: Any) -> tuple[dict[str, Any], WeightingsForm]:
    """A question as it is kept, and the form of the page at its address."""
    params = clean(shop, asked)
    return params, client.get(PAGE, in_address(params)).context["form"]


def asked_again(client: Client, form: WeightingsForm) -> dict[str, Any]:
    values = {name: form[name].value() for name in form.fields}
    return asked_for(client, **{name: "" if value is None else value for name, value in values.items()})


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"by_geo": "yes"}, None),
        ({"by_geo": "yes", "folds": 3}, 3),
        ({"folds": 1}, 1),
        ({}, None),
        ({"model": "lightweight:adstock"}, None),
    ],
)
def test_what_is_usual_of_periods_held_back_depends_on_the_question(
    asked: dict[str, Any], shown: int | None, client: Client, shop: Workspace
) -> None:
    params, form = reopened(client, shop, **asked)
    assert form["folds"].value() == shown
    assert ("technical" in form.open_parts) is (shown is not None)
    assert asked_again(client, form) == params


@pytest.mark.parametrize(
    "bounds", ["0,1000000", "0,1234567", "0,100000.5", "0,999999999999.5", "0.00001,1", "-0.5,100000.1"]
)
def test_bounds_are_shown_as_they_were_typed(bounds: str, client: Client, shop: Workspace) -> None:
    params, form = reopened(client, shop, bounds=bounds)
    assert form["bounds"].value() == bounds
    assert clean(shop, params) == params
    assert asked_again(client, form) == params
    low, high = bounds.split(",")
    assert ("Bounds of the outcome", f"{low} to {high}") in settings(params)


@pytest.mark.parametrize("name", ["TV; linear", "TV (new); linear", "TV: 2024; linear"])
def test_a_channel_may_have_a_semicolon_in_its_name(name: str, client: Client, shop: Workspace) -> None:
    shop.channels.filter(name="TV").update(name=name)
    params, form = reopened(client, shop, roi=f"{name}: 1.5 (0.5-4); Search: 3 (1-8)")
    assert params["effects"].keys() == {name, "Search"}
    assert form["roi"].value() == f"Search: 3 (1-8); {name}: 1.5 (0.5-4)"
    assert asked_again(client, form) == params


# What the model learns from


@pytest.mark.parametrize(
    ("answers", "sentence", "problem"),
    [
        ({}, "up to 26 Feb 2023 (from 3 Jan 2022), 60 weeks;", "That is a little short: with 104 weeks or more"),
        ({"period": "last_90"}, "up to 26 Feb 2023 (from 3 Jan 2022), 60 weeks;", "That is a little short"),
        (
            {"period": "custom", "start": "2022-02-01", "end": "2022-12-31"},
            "up to 25 Dec 2022 (from 3 Jan 2022), 51 weeks;",
            "A model needs 52 weeks.",
        ),
        ({"granularity": "day"}, "420 days;", "“Sales” has one value a week. Choose weeks, or import it by day."),
        ({"granularity": "month"}, "up to 31 Jan 2023 (from 1 Feb 2022), 12 months;", "“Sales” has one value a week."),
        (
            {"period": "custom", "start": "2020-01-01", "end": "2020-02-01"},
            "There is no whole week of “Sales” up to 1 Feb 2020.",
            "Choose a period that ends later.",
        ),
    ],
)
def test_what_the_model_learns_from_is_said_with_the_numbers_of_the_question(
    answers: dict[str, str], sentence: str, problem: str, client: Client
) -> None:
    found = preview(client, **answers).context["learning"]
    assert sentence in found.sentence
    assert problem in found.problem
    assert found.is_blocked is not problem.startswith("That is")


@pytest.mark.parametrize(
    ("end", "short", "problem"),
    [
        ("2022-02-20", "no", "A model needs 52 weeks. Import older data."),
        ("2022-02-20", "yes", "A model needs 8 weeks, even where fewer than 52 are allowed. Import older data."),
        ("2022-02-27", "no", "A model needs 52 weeks. Import older data, or allow fewer under Technical."),
    ],
)
def test_too_few_periods_of_which_to_learn_anything_cannot_be_allowed(
    end: str, short: str, problem: str, client: Client
) -> None:
    found = preview(client, period="custom", start="2022-01-03", end=end, short_allowed=short).context["learning"]
    assert (found.problem, found.is_blocked) == (problem, True)


def test_the_fewest_periods_that_can_be_allowed_are_a_little_short(client: Client) -> None:
    custom = {"period": "custom", "start": "2022-01-03", "end": "2022-02-27"}
    found = preview(client, **custom, short_allowed="yes").context["learning"]
    assert "8 weeks;" in found.sentence
    assert found.problem.startswith("That is a little short")
    assert not found.is_blocked


def test_the_new_page_says_it_at_once(client: Client) -> None:
    assert (
        "The model learns from all data up to 26 Feb 2023 (from 3 Jan 2022), 60 weeks; the period only sets what is "
        "reported."
    ) in client.get(PAGE).text


def test_an_outcome_by_month_is_asked_about_by_month(client: Client) -> None:
    OutcomeValue.objects.all().delete()
    outcome, batch = Outcome.objects.get(), add_import(Outcome.objects.get().workspace, Dataset.OUTCOMES)
    months = np.arange("2019-01", "2023-01", dtype="datetime64[M]").astype("datetime64[D]").tolist()
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, date=day, value=place % 5 + 1) for place, day in enumerate(months)
    )
    response = client.get(PAGE)
    assert response.context["form"]["granularity"].value() == "month"
    assert "up to 31 Dec 2022 (from 1 Jan 2019), 48 months;" in response.text


def test_only_rows_of_active_imports_of_the_workspace_are_added_up(client: Client, shop: Workspace) -> None:
    outcome = Outcome.objects.get(workspace=shop)
    params = {"granularity": "week", "start": "2022-01-03", "end": "2023-02-26"}
    before = totals(shop, outcome, params)
    assert before is not None
    assert before.outcome == pytest.approx(market().outcome.sum())
    assert (list(before.spend), before.organic) == (["TV", "Search"], ("Blog",))
    add_spend(WorkspaceFactory.create())
    undone = add_import(shop, Dataset.SPEND, status=Import.Status.UNDONE)
    tv = shop.channels.get(name="TV")
    ChannelSpend.objects.create(batch=undone, channel=tv, date="2022-02-01", spend=5000)
    ChannelSpend.objects.create(
        batch=add_import(shop, Dataset.SPEND), channel=tv, date="2022-02-01", geo="x", spend=5000, shadowed=True
    )
    assert totals(shop, outcome, params) == before


def test_data_health_says_whether_the_data_are_ready(client: Client, shop: Workspace) -> None:
    page = client.get(PAGE).text
    assert "Data health has not looked at these data." in page
    assert '<a href="/w/acme/data/health/">See data health</a>' in page
    execute(job_id=submit(workspace=shop, kind=JOB_KIND, ring=False).pk)
    readiness = client.get(PAGE).context["readiness"]
    assert readiness.label == "Ready with reservations"
    assert "Spend and outcomes span 60 weeks." in readiness.sentence
    assert "not checked yet" not in readiness.sentence
    ChannelSpend.objects.create(
        batch=add_import(shop, Dataset.SPEND), channel=shop.channels.get(name="TV"), date="2023-02-27", spend=1
    )


# The newest answer


def keep(run: Run) -> Run:
    run.job.save()
    run.job, run.fingerprint = run.job, run.pk.hex  # the job has its key only now
    run.save()
    return run


def test_the_newest_answer_is_shown_with_how_far_to_believe_it(client: Client, shop: Workspace) -> None:
    assert "Newest result" not in client.get(PAGE).text
    keep(finished(shop, seed=1))
    newest = keep(finished(shop, checks=[a_check("VIF", 12.0, 5.0, "fail", "TV")], seed=2))
    request_run(workspace=shop, kind="weightings", params={}, by=None, trigger=Run.Trigger.CLI, ring=False)
    response = client.get(PAGE)
    shown = response.context["newest"]
    assert shown.url == f"/w/acme/runs/{newest.pk}/"
    assert (shown.verdict, shown.tone) == ("Model health: fails", "bad")
    assert "But the model fails checks" in shown.headline
    assert "Sales · Hill curve · by week" in shown.question
    assert shown.headline in response.text
    assert f'<a href="{shown.url}">Open the result</a>' in response.text


def test_an_answer_that_has_not_converged_says_so_first(client: Client, shop: Workspace) -> None:
    keep(finished(shop, converged=False))
    shown = client.get(PAGE).context["newest"]
    assert (shown.verdict, shown.tone) == ("Not converged", "bad")


def test_a_viewer_sees_the_newest_answer_and_no_form(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    keep(finished(shop))
    page = client_for(viewer).get(PAGE).text
    assert "Newest result" in page
    assert "weightings-form" not in page
    assert "Expected returns" not in page


def test_answers_of_other_workspaces_are_not_shown(client: Client) -> None:
    keep(finished(WorkspaceFactory.create()))
    assert client.get(PAGE).context["newest"] is None


def test_a_form_is_closed_unless_something_in_it_is_not_as_usual(client: Client) -> None:
    def opened(query: str) -> set[str]:
        form: WeightingsForm = client.get(f"{PAGE}{query}").context["form"]
        return form.open_parts

    assert opened("") == set()
    assert opened("?seed=3") == {"technical"}
    assert opened("?confidence=80&experiments=prior") == {"model", "experiments"}
    assert opened("?roi=TV:+1.5+(0.5-4)") == {"returns"}
