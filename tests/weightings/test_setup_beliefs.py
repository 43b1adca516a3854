"""Setting up a model on the page: what returns are expected, and what is believed beforehand."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from analyses.models import Run
from marketing.models import Outcome, OutcomeValue
from tests.weightings.markets import add_channels, add_outcome
from tests.weightings.questions import market
from tests.weightings.setup_page import ANSWERS, HTMX, NOW, PAGE, ClientFor, asked_for, preview, shop_to_set_up, ticked
from weightings.methods.priors import ROI, LogNormal
from weightings.setup.preview import OWN_BELIEFS

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


def returns(workspace: Workspace, name: str, low: Any, high: Any, sure: Any = 90) -> dict[str, Any]:
    """What a channel's row sends."""
    pk = workspace.channels.get(name=name).pk
    return {f"return_low_{pk}": low, f"return_high_{pk}": high, f"return_sure_{pk}": sure}


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


# What was said, where no return can be expected


KEPT = "What you have said of returns is kept, but not used."


@pytest.fixture
def visits(shop: Workspace) -> Outcome:
    return add_outcome(shop, name="Visits", is_money=False)


def sent_by(html: str) -> dict[str, str]:
    """What the hidden and visible fields of returns in the page would send."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", html):
        said = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        found[said.get("name", "")] = said.get("value", "")
    return {name: value for name, value in found.items() if name.startswith("return") or name == "roi"}


def switch(client: Client, **answers: Any) -> str:
    """The fragment that takes the place of the returns when another outcome is chosen."""
    (block,) = re.findall(r'<div id="expected-returns"[^>]*>', client.get(PAGE).text)
    values = json.loads(unescape(block.partition("hx-vals='")[2].partition("'")[0]))
    response = client.post(PAGE, ANSWERS | answers | values, headers=HTMX)
    assert response.status_code == 200
    return str(response.text)


@pytest.mark.usefixtures("visits")
def test_what_was_said_comes_back_with_an_outcome_in_money(client: Client, shop: Workspace) -> None:
    said = returns(shop, "TV", "0.5", "3", "80") | {"roi": "Search: 1.5 (0.5-4)"}
    away = switch(client, outcome="Visits", **said)
    assert KEPT in away
    assert "errorlist" not in away
    assert "Returns can be expected" not in away
    assert sent_by(away) == said | {"returns_kept": "on"}
    back = switch(client, **sent_by(away))
    assert 'value="0.5"' in back
    assert '<option value="80" selected>' in back
    assert "Search: 1.5 (0.5-4)</textarea>" in back
    assert KEPT not in back
    assert "returns_kept" not in sent_by(back)


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(("low", "high", "roi"), [("0.5", "3", ""), ("two", "", "TV"), ("3", "0.5", "x" * 5000)])
def test_what_is_kept_is_neither_used_nor_refused(
    low: str, high: str, roi: str, client: Client, shop: Workspace
) -> None:
    away = switch(client, outcome="Visits", **returns(shop, "TV", low, high), roi=roi)
    assert sent_by(away)["roi" if roi else "returns_kept"] == (roi or "on")
    assert "effects" not in asked_for(client, **ANSWERS | {"outcome": "Visits"} | sent_by(away))


@pytest.mark.usefixtures("visits")
def test_where_nothing_was_said_nothing_is_kept(client: Client) -> None:
    away = switch(client, outcome="Visits")
    assert KEPT not in away
    assert sent_by(away) == {"returns_kept": "on"}


@pytest.mark.usefixtures("visits")
def test_without_a_script_what_was_said_is_refused_once_and_kept(client: Client, shop: Workspace) -> None:
    said = returns(shop, "TV", "two", "3", "90") | {"roi": "Search: 1.5 (0.5-4)"}
    refused = client.post(PAGE, ANSWERS | said | {"outcome": "Visits"})
    assert refused.status_code == 422
    assert refused.context["form"].errors == {
        "roi": ["Returns can be expected of an outcome in money, and “Visits” is none."]
    }
    assert KEPT in refused.text
    again = client.post(PAGE, ANSWERS | sent_by(refused.text) | {"outcome": "Visits", "folds": "9"})
    assert again.context["form"].errors.keys() == {"folds"}
    assert sent_by(again.text) == said | {"returns_kept": "on"}
    back = client.post(PAGE, ANSWERS | sent_by(again.text))
    assert back.status_code == 422
    assert "Enter a number." in back.text
    assert 'value="two"' in back.text
    params = asked_for(client, **sent_by(again.text) | returns(shop, "TV", "1", "3"))
    assert params["effects"].keys() == {"Search", "TV"}


def test_bounds_keep_what_was_said_until_they_are_gone(client: Client, shop: Workspace) -> None:
    refused = client.post(PAGE, ANSWERS | returns(shop, "TV", "1", "3") | {"bounds": "0,90000"})
    assert refused.status_code == 422
    assert KEPT in refused.text
    assert "effects" in asked_for(client, **sent_by(refused.text), bounds=" ")


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
