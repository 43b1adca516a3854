"""The preview of a custom model: example journeys, and the workspace's own data."""

import datetime as dt

import pytest

from accounts.models import User, Workspace
from attribution.custom import custom_models
from attribution.custom import preview as custom_preview
from attribution.methods.custom_definition import parse
from attribution.models import CustomModel
from marketing import selectors
from marketing.channels import set_channel_type
from marketing.models import Channel
from tests.attribution.custom_page_forms import EVEN, HTMX, LIST, NEW, ClientFor, sent
from tests.conftest import ImportRows


@pytest.fixture
def kept(shop: Workspace, analyst: User) -> CustomModel:
    definition = parse({"position": {"first": 50, "middle": 30, "last": 20}})
    return custom_models.create(workspace=shop, name="Ours", definition=definition, by=analyst)


@pytest.fixture
def some_data(shop: Workspace, import_rows: ImportRows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anna touches Display, Email and Search before she buys; Ben nothing; the data is ready to be credited."""
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        "anna,2026-03-01T12:00Z,Display",
        "anna,2026-03-05T12:00Z,Email",
        "anna,2026-03-08T12:00Z,Search",
    )
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-09T12:00Z,100", "ben,2026-03-09T12:00Z,50")
    monkeypatch.setattr("marketing.segments.preview.yesterday", lambda **_at: dt.date(2026, 3, 31))
    selectors.load_touches_and_conversions(workspace=shop)


def test_the_preview_weighs_example_journeys(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    response = client_for(analyst).post(NEW, sent(action="preview"), headers=HTMX)
    assert response.status_code == 200
    assert "<form" not in response.text
    one, three, six = response.context["preview"].examples
    assert [touch.text for touch in one.touches] == ["100.0%"]
    assert [touch.text for touch in three.touches] == ["50.0%", "30.0%", "20.0%"]
    assert [touch.label for touch in three.touches] == [
        "Display, 20 days before",
        "Email, 5 days before",
        "Direct, at the conversion",
    ]
    assert [touch.text for touch in six.touches] == ["50.0%", "7.5%", "7.5%", "7.5%", "7.5%", "20.0%"]


def test_examples_name_kinds_of_interaction_where_a_rule_asks_for_them(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    rule = {"factor": "0", "interaction": ["impression"]}
    response = client_for(analyst).post(NEW, sent(rule, action="preview"), headers=HTMX)
    three = response.context["preview"].examples[1]
    assert (three.touches[0].label, three.touches[0].text) == ("Display, 20 days before (impression)", "0.0%")


def test_examples_are_in_the_workspaces_channels(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    for slot, name in enumerate(("Newspaper", "email")):
        Channel.objects.create(workspace=shop, name=name, colour_slot=slot)
    three = client_for(analyst).get(NEW).context["preview"].examples[1]
    assert [touch.label.split(",")[0] for touch in three.touches] == ["Newspaper", "email", "Direct"]


def test_the_preview_credits_the_workspaces_own_data(
    client_for: ClientFor, analyst: User, shop: Workspace, some_data: None
) -> None:
    response = client_for(analyst).post(NEW, sent(action="preview"), headers=HTMX)
    preview = response.context["preview"]
    assert (preview.state, tuple(preview.columns)) == ("counted", ("This model", "Last Touch", "Linear"))
    assert {row.label: list(row.shares) for row in preview.rows} == {
        "Display": ["25.0%", "0.0%", "16.7%"],
        "Email": ["15.0%", "0.0%", "16.7%"],
        "Search": ["10.0%", "50.0%", "16.7%"],
        "(none)": ["50.0%", "50.0%", "50.0%"],
    }
    assert "Share of 2 conversions" in response.text
    assert "sample" not in response.text


def test_the_preview_says_how_many_journeys_are_left_with_nothing(
    client_for: ClientFor, analyst: User, shop: Workspace, some_data: None
) -> None:
    rule = {"factor": "0", "channel": ["Search", "Email", "Display"]}
    response = client_for(analyst).post(NEW, sent(rule, action="preview", shape="even"), headers=HTMX)
    assert "1 of them has touches, but none with any weight" in response.text
    (none,) = (row for row in response.context["preview"].rows if row.label == "(none)")
    assert none.shares[0] == "100.0%"


def test_the_preview_names_what_nothing_is_called(
    client_for: ClientFor, analyst: User, shop: Workspace, some_data: None
) -> None:
    rule = {"factor": "2", "campaign_relation": "is", "campaign": "Nowhere"}
    response = client_for(analyst).post(NEW, sent(rule, action="preview"), headers=HTMX)
    assert "Nothing is called “Nowhere”" in response.text


@pytest.mark.usefixtures("some_data")
def test_a_channels_new_type_is_seen_in_the_preview(client_for: ClientFor, analyst: User) -> None:
    client, asked = client_for(analyst), sent(action="preview") | EVEN | {"paid": "0"}

    def display() -> str:
        return client.post(NEW, asked, headers=HTMX).text.partition("Display</th>")[2][:200]

    before = display()
    set_channel_type(channel=Channel.objects.get(name="Display"), type=Channel.Type.OWNED, by=None)
    assert display() != before


def test_much_data_is_previewed_on_a_sample(
    client_for: ClientFor, analyst: User, shop: Workspace, import_rows: ImportRows, some_data: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        *(f"c{number},2026-03-0{1 + number % 9}T12:00Z,Email" for number in range(60)),
    )
    import_rows(
        "conversions", "customer,occurred_at,value", *(f"c{number},2026-03-20T12:00Z,1" for number in range(60))
    )
    selectors.load_touches_and_conversions(workspace=shop)
    monkeypatch.setattr(custom_preview, "MOST_TOUCHES", 20)
    response = client_for(analyst).post(NEW, sent(action="preview"), headers=HTMX)
    assert "Estimated from a random sample of" in response.text
    assert "Share of about" in response.text


def test_data_that_is_not_ready_is_asked_for_again(
    client_for: ClientFor, analyst: User, shop: Workspace, import_rows: ImportRows
) -> None:
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-02T12:00Z,100")
    client = client_for(analyst)
    response = client.post(NEW, sent(action="preview"), headers=HTMX)
    assert "being prepared" in response.text
    assert 'hx-trigger="every 3s"' in response.text
    selectors.load_touches_and_conversions(workspace=shop)
    assert "every 3s" not in client.post(NEW, sent(action="preview"), headers=HTMX).text


def test_without_conversions_the_preview_says_so(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    response = client_for(analyst).post(NEW, sent(action="preview"), headers=HTMX)
    assert "no conversions to credit" in response.text
    shop.goals.all().delete()
    response = client_for(analyst).post(NEW, sent(action="preview"), headers=HTMX)
    assert "no conversions to credit" in response.text


def test_the_preview_says_what_is_missing(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    rule = {"factor": "2"}
    response = client_for(analyst).post(NEW, sent(action="preview", last="30"), headers=HTMX)
    assert "must total 100%, not 110%" in response.text
    response = client_for(analyst).post(NEW, sent(rule, action="preview"), headers=HTMX)
    assert "Rule 1: Choose at least one condition" in response.text
    assert "Examples" not in response.text


def test_the_page_asks_for_the_data_by_itself(
    client_for: ClientFor, viewer: User, kept: CustomModel, some_data: None
) -> None:
    client = client_for(viewer)
    page = client.get(f"{LIST}{kept.pk}/").text
    assert 'hx-trigger="load"' in page
    assert "25.0%" not in page
    fragment = client.get(f"{LIST}{kept.pk}/", headers=HTMX).text
    assert "<html" not in fragment
    assert "25.0%" in fragment


def test_the_same_data_is_credited_once(
    client_for: ClientFor, analyst: User, shop: Workspace, some_data: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for(analyst)
    first = client.post(NEW, sent(action="preview"), headers=HTMX)

    def credit_again(*_args: object) -> None:
        raise AssertionError

    monkeypatch.setattr(custom_preview, "_credit", credit_again)
    again = client.post(NEW, sent(action="preview", name="Another name"), headers=HTMX)
    assert again.context["preview"] == first.context["preview"]
