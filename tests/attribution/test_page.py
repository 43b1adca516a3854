"""The attribution page: choose a question, ask it, see the latest answers."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape

from accounts.models import Plan, Subscription, User, Workspace
from analyses.models import Run
from attribution.methods.markov import MarkovModel, markov_credit
from attribution.presentation.document import document
from attribution.presentation.sample import sample_paths
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows

PAGE = "/w/acme/attribution/"
ANSWERS = {"model": "linear", "metric": "revenue", "window": "30", "period": "last_30", "dimension": "channel"}
ClientFor = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)):
        yield


@pytest.fixture
def journeys(import_rows: ImportRows) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T00:00Z,Email")
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-31T00:00Z,100")


@pytest.mark.usefixtures("journeys")
def test_an_analyst_asks_and_is_led_to_the_run(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Run analysis</button>" in page.text
    assert "No attribution has been run" in page.text
    response = client.post(PAGE, ANSWERS | {"compare": ["last"]})
    run = Run.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/w/acme/runs/{run.pk}/")
    assert (run.requested_by, run.trigger, run.params["model"]) == (analyst, "page", ["linear", "last"])
    assert (run.params["start"], run.params["end"]) == ("2026-03-02", "2026-03-31")


@pytest.mark.usefixtures("journeys")
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


@pytest.mark.usefixtures("journeys")
def test_a_viewer_sees_the_answers_but_asks_nothing(client_for: ClientFor, viewer: User, attribute: Attribute) -> None:
    run = attribute(model="first")
    page = client_for(viewer).get(PAGE)
    assert page.status_code == 200
    assert f"/w/acme/runs/{run.pk}/" in page.text
    assert "First Touch · Purchase revenue" in page.text
    assert "Run analysis" not in page.text
    assert "As a viewer" in page.text
    assert client_for(viewer).post(PAGE, ANSWERS).status_code == 403
    assert Run.objects.count() == 1


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(method: str, client_for: ClientFor, analyst: User) -> None:
    assert getattr(client_for(analyst), method)(PAGE).status_code == 405


@pytest.mark.usefixtures("journeys")
def test_an_invalid_form_comes_back_with_what_is_wrong_beside_the_fields(client_for: ClientFor, analyst: User) -> None:
    wrong = {"window": "custom", "window_days": "400", "period": "custom", "start": "2026-02-30", "metric": "leads"}
    response = client_for(analyst).post(PAGE, ANSWERS | wrong)
    assert response.status_code == 422
    for field, sentence in (
        ("window_days", "Ensure this value is less than or equal to 365."),
        ("start", "Enter a valid date."),
    ):
        assert f'id="id_{field}_error"' in response.text
        assert f'aria-describedby="id_{field}_error"' in response.text
        assert sentence in response.text
    assert 'value="400"' in response.text
    assert '<option value="leads" selected>' in response.text
    assert not Run.objects.exists()


@pytest.mark.usefixtures("journeys")
def test_the_address_holds_the_question(client_for: ClientFor, analyst: User) -> None:
    query = "model=first&model=last&metric=leads&window_days=7&start=2026-02-01&end=2026-02-28&dimension=campaign"
    text = client_for(analyst).get(f"{PAGE}?{query}").text
    for chosen in ("first", "leads", "7", "custom", "campaign"):
        assert f'<option value="{chosen}" selected>' in text
    assert 'name="start" value="2026-02-01"' in text
    assert 'name="end" value="2026-02-28"' in text
    (checked,) = (line for line in text.splitlines() if 'name="compare"' in line and "checked" in line)
    assert 'value="last"' in checked


@pytest.mark.usefixtures("journeys")
def test_an_address_that_makes_no_sense_shows_the_defaults(client_for: ClientFor, analyst: User) -> None:
    response = client_for(analyst).get(f"{PAGE}?model=magic&window_days=9999&metric=%00")
    assert response.status_code == 200
    assert '<option value="last_non_direct" selected>' in response.text


@pytest.mark.usefixtures("journeys")
def test_change_the_question_leads_back_to_the_question_of_the_run(
    client_for: ClientFor, analyst: User, attribute: Attribute
) -> None:
    run = attribute(model="first,last", window_days=14, metric="conversions")
    client = client_for(analyst)
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    (link,) = (line for line in page.splitlines() if "Change the question" in line)
    address = link.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    form = client.get(address)
    initial = form.context["form"].initial
    asked = {
        "model": "first",
        "compare": ["last"],
        "goal": "Purchase",
        "metric": "conversions",
        "window_days": 14,
        "window": "14",
        "period": "custom",
        "start": "2026-03-01",
        "end": "2026-03-31",
        "dimension": "channel",
        "segment": "",
    }
    assert initial | asked == initial


@pytest.mark.usefixtures("shop")
def test_a_workspace_without_data_offers_the_demo(client_for: ClientFor, analyst: User, viewer: User) -> None:
    text = client_for(analyst).get(PAGE).text
    assert "has no data yet" in text
    assert "Load demo data</button>" in text
    assert "Run analysis" not in text
    assert "Load demo data</button>" not in client_for(viewer).get(PAGE).text


@pytest.mark.usefixtures("journeys")
def test_data_driven_models_are_locked_where_the_plan_lacks_them(
    shop: Workspace, client_for: ClientFor, analyst: User
) -> None:
    client = client_for(analyst)
    text = client.get(PAGE).text
    assert '<option value="data_driven" disabled>' in text
    assert "Data-driven attribution is part of the Professional plan." in text
    assert f'href="{PAGE}data-driven/"' in text, "there is a sample"
    response = client.post(PAGE, ANSWERS | {"model": "data_driven"})
    assert response.status_code == 403
    assert "Data-driven attribution is part of the Professional plan." in response.text
    assert not Run.objects.exists()
    Subscription.objects.filter(workspace=shop).update(plan=Plan.objects.get(code="professional"))
    text = client.get(PAGE).text
    assert '<option value="data_driven">' in text
    assert "is part of the Professional plan" not in text
    assert client.post(PAGE, ANSWERS | {"model": "data_driven"}).status_code == 302
    assert Run.objects.get().params["model"] == ["data_driven"]


def test_the_sample_is_shown_on_every_plan_and_computed_by_the_same_methods(
    shop: Workspace, client_for: ClientFor, viewer: User
) -> None:
    client = client_for(viewer)
    text = client.get(f"{PAGE}data-driven/").text
    assert "This is a sample" in text
    assert "Data-driven attribution is part of the Professional plan." in text
    exact = markov_credit(paths=sample_paths(), model=MarkovModel("data_driven"))
    for credit in exact.conversions:
        assert f'data-value="{float(credit)!r}"' in text
    assert not Run.objects.exists()
    Subscription.objects.filter(workspace=shop).update(plan=Plan.objects.get(code="professional"))
    assert "is part of the Professional plan" not in client.get(f"{PAGE}data-driven/").text


@pytest.mark.usefixtures("journeys")
def test_data_that_reaches_to_yesterday_needs_no_offer(client_for: ClientFor, analyst: User) -> None:
    assert "The data ends" not in client_for(analyst).get(PAGE).text


@pytest.mark.usefixtures("journeys")
def test_data_that_ends_earlier_offers_its_last_days_for_the_same_question(
    client_for: ClientFor, analyst: User
) -> None:
    with time_machine.travel(dt.datetime(2026, 6, 1, 9, tzinfo=dt.UTC)):
        client = client_for(analyst)
        text = client.get(f"{PAGE}?model=first&period=last_30").text
        assert "The data ends on 31 Mar 2026." in text
        assert "Use its last 30 days" in text
        offer = f"{PAGE}?model=first&start=2026-03-02&end=2026-03-31"
        assert f'href="{offer.removeprefix(PAGE).replace("&", "&amp;")}"' in text
        assert "The data ends" not in client.get(offer).text


@pytest.mark.usefixtures("journeys")
def test_a_finished_run_shows_finding_chart_numbers_and_reconciliation(
    client_for: ClientFor, viewer: User, attribute: Attribute
) -> None:
    run = attribute(model="last,first")
    text = client_for(viewer).get(f"/w/acme/runs/{run.pk}/").text
    assert "Email gets 100.0% of Purchase revenue under Last Touch." in text
    assert text.count("<chart-figure>") == len(document(run).charts) > 1
    assert "the same as Last Touch" in text
    assert text.count('class="total"') >= 1
    assert "Credit adds up under every model: 1 conversion and €100.00" in text
    assert "association along the observed paths" in text
    for asset in ("css/charts.css", "css/document.css", "js/charts.js"):
        assert f"/static/{asset}" in text


@pytest.mark.usefixtures("journeys")
def test_the_page_carries_the_numbers_of_the_document(
    client_for: ClientFor, viewer: User, attribute: Attribute
) -> None:
    run = attribute(model="linear")
    text = client_for(viewer).get(f"/w/acme/runs/{run.pk}/").text
    tables = [table for section in document(run).sections for table in section.tables]
    assert len(tables) > 2
    for table in tables:
        for place, figure in ((place, figure) for row in table.rows for place, figure in enumerate(row.cells, start=1)):
            value = f' data-value="{figure.sort_value}"' if figure.value is not None else ""
            ends = f' <span class="interval">{figure.interval}</span>' if figure.interval else ""
            shown = f' class="number"{value} title="{escape(figure.in_full)}">{escape(figure.text)}{ends}'
            if place in table.text_columns:
                shown = f' title="{escape(figure.in_full)}"><span class="words">{escape(figure.text)}</span>'
            assert f"<td{shown}</td>" in text


@pytest.mark.usefixtures("journeys")
def test_the_latest_runs_are_listed_newest_first(client_for: ClientFor, viewer: User, attribute: Attribute) -> None:
    for days in range(1, 11):
        attribute(window_days=days)
    text = client_for(viewer).get(PAGE).text
    listed = [text.find(f" {days}-day window") for days in range(10, 0, -1)]
    assert listed[:8] == sorted(listed[:8])
    assert [place > 0 for place in listed] == [True] * 8 + [False] * 2


def test_more_runs_and_channels_need_no_more_queries(
    client_for: ClientFor,
    analyst: User,
    import_rows: ImportRows,
    attribute: Attribute,
    django_assert_max_num_queries: Any,
) -> None:
    touches = [f"{n},2026-03-02T00:00Z,Channel {n}" for n in range(20)]
    import_rows("conversions", "customer,occurred_at", *(f"{n},2026-03-03T00:00Z" for n in range(20)))
    import_rows("touchpoints", "customer,occurred_at,channel", *touches[:1])
    client = client_for(analyst)
    small = attribute(model="last")
    with django_assert_max_num_queries(18) as for_page:
        client.get(PAGE)
    with django_assert_max_num_queries(15) as for_run:
        client.get(f"/w/acme/runs/{small.pk}/")
    import_rows("touchpoints", "customer,occurred_at,channel", *touches[1:])
    large = attribute(model="last")
    for window in range(1, 12):
        attribute(model="first", window_days=window)
    with django_assert_max_num_queries(len(for_page)):
        client.get(PAGE)
    with django_assert_max_num_queries(len(for_run)):
        assert "Channel 19" in client.get(f"/w/acme/runs/{large.pk}/").text
