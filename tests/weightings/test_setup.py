"""Setting up a model on the page: what can be chosen, what it learns from, and what is believed beforehand."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.actions import submit
from jobs.execution import execute
from marketing.health.reports import JOB_KIND
from marketing.importing.dimensions import ensure_channels
from marketing.models import (
    ChannelSpend,
    Control,
    ControlValue,
    Dataset,
    Event,
    Experiment,
    Import,
    Outcome,
    OutcomeValue,
)
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.markets import add_channels, add_outcome, add_spend, market_weeks
from tests.weightings.questions import market
from tests.weightings.results import a_check, finished
from weightings.forms import WeightingsForm
from weightings.methods.priors import ROI, LogNormal
from weightings.setup.choices import countries, home_country
from weightings.setup.learning import totals
from weightings.setup.preview import OWN_BELIEFS

pytestmark = pytest.mark.django_db
PAGE = "/w/acme/weightings/"
ANSWERS = {"outcome": "Sales", "period": "all", "granularity": "week", "model": "hill"}
HTMX = {"HX-Request": "true"}
ClientFor = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(dt.datetime(2023, 3, 1, 9, tzinfo=dt.UTC)):
        yield


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Sixty weeks of sales and spend on TV and Search, clicks on a blog, a control, an event and a lift test."""
    add_outcome(workspace)
    add_spend(workspace)
    (blog,) = ensure_channels(workspace=workspace, names=["Blog"])
    batch = add_import(workspace, Dataset.SPEND)
    ChannelSpend.objects.bulk_create(
        ChannelSpend(batch=batch, channel=blog, date=week, clicks=5 + place % 9)
        for place, week in enumerate(market_weeks())
    )
    price = Control.objects.create(workspace=workspace, name="Price")
    Control.objects.create(workspace=workspace, name="Never imported")
    ControlValue.objects.create(
        batch=add_import(workspace, Dataset.CONTROLS), control=price, date=market_weeks()[0], value=3
    )
    start = market_weeks()[10]
    Event.objects.create(
        workspace=workspace, batch=add_import(workspace, Dataset.EVENTS), name="Strike", start=start, end=start
    )
    (tv,) = ensure_channels(workspace=workspace, names=["TV"])
    Experiment.objects.create(
        batch=add_import(workspace, Dataset.EXPERIMENTS),
        channel=tv,
        start=start,
        end=start + dt.timedelta(27),
        lift=900,
        standard_error=90,
        spend=500,
    )
    return workspace


@pytest.fixture
def client(client_for: ClientFor, analyst: User, shop: Workspace) -> Client:
    return client_for(analyst)


def returns(workspace: Workspace, name: str, low: Any, high: Any, sure: Any = 90) -> dict[str, Any]:
    """What a channel's row sends."""
    pk = workspace.channels.get(name=name).pk
    return {f"return_low_{pk}": low, f"return_high_{pk}": high, f"return_sure_{pk}": sure}


def ticked(offered: list[str], kept: list[str], field: str) -> dict[str, list[str]]:
    return {f"{field}_offered": offered, f"{field}_kept": kept}


def asked_for(client: Client, **answers: Any) -> dict[str, Any]:
    response = client.post(PAGE, ANSWERS | answers)
    assert response.status_code == 302, response.context["form"].errors
    return dict(Run.objects.get().params)


def preview(client: Client, **answers: Any) -> Any:
    response = client.post(PAGE, ANSWERS | {"action": "preview"} | answers, headers=HTMX)
    assert response.status_code == 200
    return response


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


# Expected returns in plain words


def test_a_range_in_plain_words_becomes_what_the_model_believes(client: Client, shop: Workspace) -> None:
    params = asked_for(client, **returns(shop, "TV", "0.5", "3", "80"))
    effects = params["effects"]
    assert effects.keys() == {"TV"}
    assert LogNormal.from_range(**effects["TV"]).interval(0.8) == pytest.approx((0.5, 3), rel=1e-10)
    assert effects["TV"]["median"] == pytest.approx(1.5**0.5, rel=1e-11)


def test_the_question_comes_back_in_the_words_that_it_was_said_in(client: Client, shop: Workspace) -> None:
    asked_for(client, **returns(shop, "TV", "0.5", "3", "80"), roi="Search: 1.5 (0.5-4)")
    run = Run.objects.get()
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    (link,) = (line for line in page.splitlines() if "Change the question" in line)
    address = link.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    form = client.get(address).context["form"]
    values = {name: form[name].value() for name in form.fields}
    tv = shop.channels.get(name="TV").pk
    assert [values[f"return_{part}_{tv}"] for part in ("low", "high", "sure")] == [0.5, 3, 80]
    assert values["roi"] == "Search: 1.5 (0.5-4)"  # its median is not that of a range alone
    assert form.open_parts == {"returns"}
    response = client.post(PAGE, {name: "" if value is None else value for name, value in values.items()})
    assert response["Location"] == f"/w/acme/runs/{run.pk}/"


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        ("0.5", "", "Give both ends, or neither."),
        ("", "3", "Give both ends, or neither."),
        ("3", "0.5", "The range must rise from above 0, not go from 3 to 0.5."),
        ("0", "3", "The range must rise from above 0, not go from 0 to 3."),
        ("-1", "3", "greater than or equal to 0"),
        ("two", "3", "Enter a number."),
        ("1", "nan", "Enter a number."),
        ("1", "1e300", "less than or equal to"),
    ],
)
def test_a_range_that_is_none_is_said_in_its_row(
    low: str, high: str, sentence: str, client: Client, shop: Workspace
) -> None:
    response = client.post(PAGE, ANSWERS | returns(shop, "TV", low, high))
    assert response.status_code == 422
    (row,) = (row for row in response.context["form"].return_rows() if row.errors)
    assert row.channel == "TV"
    assert sentence in row.errors[0]
    assert sentence in response.text
    assert "returns" in response.context["form"].open_parts
    assert (row.low.value(), row.high.value()) == (low, high)
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("more", "field", "sentence"),
    [
        ({"roi": "TV: 2 (1-3)"}, "roi", "What you expect of “TV” is in its row already. Say it once."),
        ({"roi": "tv: 2 (1-3)"}, "roi", "The channel “TV” is there twice."),
        ({"roi": "TV"}, "roi", "is not of the form"),
        ({"model": "lightweight:adstock"}, "roi", "LightweightMMM's models have their own beliefs"),
        (ticked(["TV"], [], "leave_out_channels"), "roi", "A return is expected of “TV”, which is left out."),
    ],
)
def test_what_contradicts_a_range_is_refused(
    more: dict[str, Any], field: str, sentence: str, client: Client, shop: Workspace
) -> None:
    response = client.post(PAGE, ANSWERS | returns(shop, "TV", 1, 3) | more)
    assert response.status_code == 422
    assert sentence in response.context["form"].errors[field][0]


def test_a_return_of_what_is_no_money_is_not_asked_for_and_the_page_says_why(client: Client, shop: Workspace) -> None:
    Outcome.objects.update(is_money=False)
    page = client.get(PAGE).text
    assert "return_low" not in page
    assert "“Sales” is not in money, so there is no return on spend to expect" in page
    response = client.post(PAGE, ANSWERS | {"action": "returns"}, headers=HTMX)
    assert "<html" not in response.text
    assert "“Sales” is not in money" in response.text
    refused = client.post(PAGE, ANSWERS | returns(shop, "TV", 1, 3))
    assert refused.status_code == 422
    assert "Returns can be expected of an outcome in money, and “Sales” is none." in refused.text


def test_the_usual_belief_is_said(client: Client) -> None:
    usual = LogNormal(*ROI)
    low, high = usual.interval()
    text = f"between {low:.2f} and {high:.2f} per €1 spent, 90% sure, with {usual.median:.2f} in the middle"
    assert text == "between 0.28 and 5.37 per €1 spent, 90% sure, with 1.22 in the middle"
    assert text in client.get(PAGE).text


# What is believed beforehand


def test_the_preview_is_a_fragment_with_the_numbers_of_the_range(client: Client, shop: Workspace) -> None:
    response = preview(client, **returns(shop, "TV", "0.5", "3"))
    assert "<html" not in response.text
    assert {"HX-Request", "HX-Boosted"} <= {name.strip() for name in response["Vary"].split(",")}
    shown = response.context["preview"]
    rows = {row.label: row.cells for row in shown.table.rows}
    prior = LogNormal.from_range(median=1.5**0.5, low=0.5, high=3)
    who, expected, loses, spend, brings = rows["TV"]
    assert who.text == "As you say"
    assert (expected.value, expected.low, expected.high) == pytest.approx((1.5**0.5, 0.5, 3))
    assert loses.value == pytest.approx(prior.below(1.0))
    assert spend.value == pytest.approx(market().spend[:, 0].sum(), abs=0.5)
    assert brings.value == pytest.approx(1.5**0.5 * spend.value)
    usual = LogNormal(*ROI)
    assert rows["Search"][0].text == "As usual"
    assert (rows["Search"][1].value, rows["Search"][2].value) == pytest.approx((usual.median, usual.below(1.0)))
    assert not Run.objects.exists()


def test_the_share_of_all_media_is_that_of_returns_times_spend(client: Client, shop: Workspace) -> None:
    answers = returns(shop, "TV", "0.999", "1.001") | returns(shop, "Search", "1.999", "2.001")
    without_blog = ticked(["TV", "Search", "Blog"], ["TV", "Search"], "leave_out_channels")
    shown = preview(client, **answers, **without_blog).context["preview"]
    share = market().spend.sum(axis=0) @ [1, 2] / market().outcome.sum()
    assert f"these beliefs make media account for {share:.1%} ({share:.1%}–{share:.1%}) of Sales" in shown.sentences[0]
    (histogram,) = (chart for chart in shown.charts if chart.kind == "histogram")
    assert sum(mark.value for mark in histogram.series[0].marks) == pytest.approx(1)


def test_a_shorter_past_and_channels_that_are_left_out_change_what_is_added_up(client: Client, shop: Workspace) -> None:
    custom = {"period": "custom", "start": "2022-01-03", "end": "2022-07-03"}
    response = preview(client, **custom, **ticked(["TV"], [], "leave_out_channels"))
    (row,) = response.context["preview"].table.rows
    assert row.label == "Search"
    assert row.cells[3].value == pytest.approx(market().spend[:26, 1].sum(), abs=0.5)
    assert "up to 3 Jul 2022 (from 3 Jan 2022), 26 weeks" in response.text
    assert 'hx-swap-oob="true"' in response.text


@pytest.mark.parametrize(
    ("low", "high", "warning"),
    [
        ("40", "90", "make media bring more than all of Sales"),
        ("1", "1.1", "What you expect of TV is so narrow that data can hardly move it"),
        ("0.5", "3", ""),
    ],
)
def test_what_is_hard_to_believe_is_warned_about_and_not_refused(
    low: str, high: str, warning: str, client: Client, shop: Workspace
) -> None:
    shown = preview(client, **returns(shop, "TV", low, high)).context["preview"]
    assert any(warning in one for one in shown.warnings) if warning else not shown.warnings
    assert "effects" in asked_for(client, **returns(shop, "TV", low, high))


def test_spend_in_another_currency_is_warned_about(client: Client) -> None:
    OutcomeValue.objects.update(value=5e9)
    shown = preview(client).context["preview"]
    assert "as if spend were in another currency" in shown.warnings[0]


@pytest.mark.parametrize(
    ("answers", "why_not"),
    [
        ({"model": "lightweight:adstock"}, OWN_BELIEFS),
        ({"bounds": "0,90000"}, "Returns cannot be expected of an outcome that does not add up over time"),
        ({"folds": "9"}, "Times to hold periods back: Ensure this value is less than or equal to 6."),
        ({"period": "custom", "start": "2020-01-01", "end": "2020-02-01"}, "There is no spend, or no “Sales”"),
    ],
)
def test_where_there_is_nothing_to_show_it_is_said_why(answers: dict[str, str], why_not: str, client: Client) -> None:
    response = preview(client, **answers)
    assert response.context["preview"].why_not[0].startswith(why_not)
    assert response.context["preview"].table is None


def test_without_a_script_the_preview_comes_with_its_page(client: Client, shop: Workspace) -> None:
    response = client.post(PAGE, ANSWERS | {"action": "preview"} | returns(shop, "TV", "0.5", "3"))
    assert response.status_code == 200
    assert "<html" in response.text
    assert "What is believed of each channel" in response.text
    assert 'value="0.5"' in response.text


def test_the_preview_asks_the_same_of_the_database_however_much_there_is(client: Client, shop: Workspace) -> None:
    preview(client)
    with CaptureQueriesContext(connection) as few:
        preview(client)
    add_channels(shop, {f"More {place}": [float(10 + place)] * 60 for place in range(10)})
    with CaptureQueriesContext(connection) as many:
        preview(client)
    assert len(many) == len(few)


@pytest.mark.parametrize("action", ["preview", "returns"])
def test_viewers_and_strangers_see_no_preview(
    action: str, client_for: ClientFor, viewer: User, outsider: User, shop: Workspace
) -> None:
    answers = ANSWERS | {"action": action}
    assert client_for(viewer).post(PAGE, answers, headers=HTMX).status_code == 403
    assert client_for(outsider).post(PAGE, answers, headers=HTMX).status_code == 404
    anonymous = client_for(None).post(PAGE, answers, headers=HTMX)
    assert anonymous["HX-Redirect"].startswith("/accounts/login/")
    assert not anonymous.content


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
