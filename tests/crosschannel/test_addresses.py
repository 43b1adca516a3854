"""What an address asks for: all of it that can be used, and a word about the rest. And which settings stand open."""

import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import Membership, Role, Workspace
from analyses.choices import as_form_says
from analyses.errors import InvalidParams
from analyses.models import Run
from crosschannel.forms import CrosschannelForm, asked_for
from crosschannel.params import KNOWN, clean
from marketing.importing.dimensions import ensure_channels
from marketing.models import Goal
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import PERIOD
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/w/acme/crosschannel/"
WARNING = "Part of what this page’s address asks for cannot be used"
DATES = {"start": str(PERIOD["start"]), "end": str(PERIOD["end"])}


def visit(client: Client, **query: str) -> str:
    response = client.get(f"{PAGE}?{urlencode(query)}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("wrong", "label", "sentence"),
    [
        ({"goal": "Renamed"}, "Goal", "There is no goal “Renamed”"),
        ({"top": "99"}, "Channels told apart", "“top” lies between 1 and 20."),
        ({"min_journeys": "-1"}, "Fewest journeys of a path", "“min_journeys” lies between 1 and 1000000."),
        ({"window_days": "0"}, "Attribution window", "1 to 365"),
        ({"segment": "Nobody"}, "Segment", "There is no segment “Nobody”"),
        ({"segment": '{"conditions": [{"type": "moon"}]}'}, "Segment", "A condition is about one of"),
        ({"path_starts": "Emial"}, "Path starts with", "Did you mean Email?"),
        ({"path_ends": '"Email'}, "Path ends with", "quotation mark"),
        ({"grouping": "coarse"}, "Channel grouping", "not “coarse”"),
        ({"confidence": "\0"}, "Confidence level", "one of 80"),
    ],
)
def test_only_what_cannot_be_used_is_left_out_and_the_page_says_so(
    busy_shop: Workspace, wrong: dict[str, str], label: str, sentence: str
) -> None:
    right = DATES | {"path_contains": "Search, Display", "steps": "3", "converting": "yes"}
    asked = asked_for(busy_shop, right | wrong)
    assert asked.params == clean(busy_shop, right)
    [(said, why)] = as_form_says(CrosschannelForm, asked.left_out)
    assert said == label
    assert sentence in why


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": "foo"},
        {"start": "2026-03-01"},
        {"end": "2026-03-01"},
        {"start": "yesterday", "end": "2026-03-01"},
        {"start": "2026-03-02", "end": "2026-03-01"},
        {"start": "2026-03-01", "end": "never", "period": "foo"},
    ],
)
def test_a_period_that_is_none_leaves_the_usual_one(shop: Workspace, wrong: dict[str, str]) -> None:
    asked = asked_for(shop, wrong | {"top": "3"})
    assert asked.params == clean(shop, {"top": 3})
    assert {label for label, _ in as_form_says(CrosschannelForm, asked.left_out)} == {"Time period"}
    assert not asked.given.keys() & {"period", "start", "end"}


def test_all_that_is_wrong_with_a_segment_is_said(shop: Workspace) -> None:
    asked = asked_for(shop, {"segment": '{"conditions": [{"type": "moon"}, {"type": "sun"}]}'})
    assert [name for name, _ in asked.left_out] == ["segment", "segment"]
    assert "segment" not in asked.params


def test_dates_count_where_a_period_is_named_too(shop: Workspace) -> None:
    asked = asked_for(shop, DATES | {"period": "last_30"})
    assert (asked.params["start"], asked.params["end"]) == (DATES["start"], DATES["end"])
    assert asked.left_out == [("period", "Give a period by name, or a start and an end, not both.")]


def test_where_everything_is_wrong_the_usual_question_is_left(shop: Workspace) -> None:
    asked = asked_for(shop, dict.fromkeys(KNOWN, "?"))
    assert asked.params == clean(shop, {})
    assert asked.given == {}


def test_where_there_is_no_usual_question_either_the_page_says_why(shop: Workspace) -> None:
    Goal.objects.filter(workspace=shop).delete()
    with pytest.raises(InvalidParams, match="no goal"):
        asked_for(shop, {"top": "99", "goal": "Gone"})


def test_the_page_does_not_pass_an_answer_off_as_that_to_another_question(
    busy_shop: Workspace, client: Client, follow: Follow
) -> None:
    follow()
    page = visit(client, **DATES, goal="Renamed", top="99")
    assert WARNING in page
    assert "Goal: There is no goal “Renamed”" in page
    assert "Channels told apart: “top” lies between 1 and 20." in page
    assert "Synergy and cannibalisation" in page
    assert "These filters have no answer yet" not in page  # the dates of the address still count
    assert WARNING not in visit(client, **DATES)


def test_who_may_not_ask_is_told_as_well(busy_shop: Workspace, follow: Follow) -> None:
    follow()
    user = UserFactory.create()
    Membership.objects.create(workspace=busy_shop, user=user, role=Role.VIEWER)
    viewer = Client()
    viewer.force_login(user)
    assert WARNING in visit(viewer, **DATES, segment="Nobody")


def test_what_is_sent_with_mistakes_gets_them_beside_its_fields_only(busy_shop: Workspace, client: Client) -> None:
    response = client.post(
        f"{PAGE}?top=99", {"period": "last_30", "goal": "Purchase", "window": "30", "path_contains": "Emial"}
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert "Did you mean Email?" in page
    assert WARNING not in page
    assert not Run.objects.exists()


def test_a_channel_with_a_comma_goes_round_the_form_and_the_address(busy_shop: Workspace, client: Client) -> None:
    ensure_channels(workspace=busy_shop, names=["Email, Search"])
    page = visit(client)
    assert 'value="&quot;Email, Search&quot;"></option>' in page
    for text, channels in (('"Email, Search"', ["Email, Search"]), ("Email, Search", ["Email", "Search"])):
        question = {"period": "last_30", "goal": "Purchase", "window": "30", "path_contains": text}
        response = client.post(PAGE, question)
        assert Run.objects.latest("created_at").params["path_contains"] == channels
        page = client.get(response["Location"]).content.decode()
        assert WARNING not in page
        assert "These filters have no answer yet" not in page
        assert f'value="{text.replace(chr(34), "&quot;")}"' in page


# --- More settings ---


def is_open(page: str) -> bool:
    found = re.search(r"<details( open)?>\s*<summary>More settings", page)
    assert found is not None
    return bool(found[1])


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"path_contains": "Email", "converting": "yes", "window_days": "7"},
        {"min_journeys": "1", "top": "8", "steps": "5"},
        {"grouping": "standard", "view_through": "include", "confidence": "95"},
    ],
)
def test_more_settings_are_closed_where_they_are_as_usual(
    busy_shop: Workspace, client: Client, query: dict[str, str]
) -> None:
    assert not is_open(visit(client, **query))


@pytest.mark.parametrize(
    "query",
    [
        {"path_order": "Email > Search"},
        {"min_journeys": "2"},
        {"top": "3"},
        {"steps": "2"},
        {"grouping": "granular"},
        {"view_through": "exclude"},
        {"confidence": "90"},
    ],
)
def test_more_settings_are_open_where_one_of_them_is_not_as_usual(
    busy_shop: Workspace, client: Client, query: dict[str, str]
) -> None:
    assert is_open(visit(client, **query))


def test_a_mistake_elsewhere_does_not_close_what_was_set(busy_shop: Workspace, client: Client) -> None:
    question = {"period": "last_30", "goal": "Purchase", "window": "30", "path_contains": "Emial"}
    usual = {"min_journeys": "", "top": "8", "steps": "", "path_order": "", "confidence": "95"}
    for sent, opens in (({}, False), (usual, False), (usual | {"top": "4"}, True), ({"steps": "many"}, True)):
        response = client.post(PAGE, question | sent)
        assert response.status_code == 422
        assert is_open(response.content.decode()) == opens
