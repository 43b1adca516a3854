"""Paths as people write them: names in quotes, what is no text, and channels that cannot be there."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from crosschannel import path_text
from crosschannel.labels import PATH_FILTERS
from crosschannel.params import LONGEST_PATH, clean, path_in_words
from marketing.channels import change_grouping, merge_channels, rename_channel
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel

# Names that are hard to tell from several, from each other, or from their own quotes.
NASTY = (
    "Email",
    "Direct",
    "Email, Direct",
    "Email > Direct",
    '"Email"',
    '12" TV',
    '"',
    '""',
    ",",
    ">",
    "a,b>c",
    '"a", "b"',
)
names = st.text(min_size=1).map(str.strip).filter(bool) | st.text(',>" ab', min_size=1).map(str.strip).filter(bool)


@pytest.fixture
def nasty_shop(shop: Workspace) -> Workspace:
    ensure_channels(workspace=shop, names=NASTY)
    return shop


def refusal(workspace: Workspace, **params: Any) -> Mapping[str, Sequence[str]]:
    with pytest.raises(InvalidParams) as refused:
        clean(workspace, params)
    return refused.value.errors


# --- As text and back ---


@given(st.sampled_from(sorted(PATH_FILTERS)), st.lists(names, min_size=1))
@example("path_starts", ['12" TV', "Email, weekly", "a > b"])
def test_a_path_comes_back_from_its_text(name: str, channels: list[str]) -> None:
    assert path_text.read(path_in_words(name, channels)) == channels


@pytest.mark.django_db
def test_a_question_comes_back_from_its_text(nasty_shop: Workspace) -> None:
    @given(st.sampled_from(sorted(PATH_FILTERS)), st.lists(st.sampled_from(NASTY), min_size=1, max_size=LONGEST_PATH))
    def comes_back(name: str, channels: list[str]) -> None:
        asked = clean(nasty_shop, {name: channels})[name]
        assert asked == (list(dict.fromkeys(channels)) if name == "path_contains" else channels)
        assert clean(nasty_shop, {name: path_in_words(name, asked)})[name] == asked

    comes_back()


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("Email, Direct", ["Email", "Direct"]),
        ("Email>Direct", ["Email", "Direct"]),
        ("Email, weekly > Direct", ["Email, weekly", "Direct"]),
        ('"Email, weekly", Direct', ["Email, weekly", "Direct"]),
        (' "Email, weekly" >"a > b"', ["Email, weekly", "a > b"]),
        ('x, "a > b"', ["x", "a > b"]),
        ('12" TV, Radio', ['12" TV', "Radio"]),
        ('"12"" TV"', ['12" TV']),
        ("Email,", ["Email", ""]),
        ('""', [""]),
        ('"Email', None),
        ('"Email" weekly', None),
        ('Email > "', None),
    ],
)
def test_quotes_hold_together_what_would_be_several_names(text: str, channels: list[str] | None) -> None:
    assert path_text.read(text) == channels


def test_only_names_that_need_them_are_in_quotes() -> None:
    assert path_in_words("path_contains", ["Email", "Paid Search"]) == "Email, Paid Search"
    assert path_in_words("path_order", ["Email, weekly", '12" TV']) == '"Email, weekly" > "12"" TV"'


@pytest.mark.django_db
@pytest.mark.parametrize("text", ['"Email', 'Email, "Direct', '"Email" weekly, Direct', '"' * 2001])
def test_a_quote_that_does_not_end_is_refused(nasty_shop: Workspace, text: str) -> None:
    assert "quotation mark" in refusal(nasty_shop, path_contains=text)["path_contains"][0]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["TV, radio", '"Best" ads', "Home > shop", '"Open'])
def test_a_whole_text_that_is_a_channels_name_is_that_channel(shop: Workspace, name: str) -> None:
    ensure_channels(workspace=shop, names=[name])
    assert clean(shop, {"path_contains": f" {name.lower()} "})["path_contains"] == [name]


# --- What is no name ---


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [["Email", None], [["Email"]], {"a": 1}, {}, 1, 0, True, ["Email", 1], [{}], 1.5])
@pytest.mark.parametrize("name", sorted(PATH_FILTERS))
def test_what_is_no_text_is_no_channel(shop: Workspace, name: str, asked: object) -> None:
    assert "list of names" in refusal(shop, **{name: asked})[name][0]


@pytest.mark.django_db
def test_the_api_refuses_what_is_no_text(shop: Workspace, owner: User) -> None:
    _key, token = create_api_key(workspace=shop, created_by=owner, name="Asker", scopes=["crosschannel:write"])
    response = Client(headers={"Authorization": f"Bearer {token}"}).post(
        "/api/v1/runs/",
        {"kind": "crosschannel", "params": {"path_contains": [1, None]}},
        content_type="application/json",
    )
    assert response.status_code == 400
    assert "list of names" in response.json()["errors"]["path_contains"][0]
    assert not Run.objects.exists()


# --- Channels that cannot be there ---


@pytest.mark.django_db
def test_a_misspelt_channel_is_refused_with_what_may_be_meant(shop: Workspace) -> None:
    ensure_channels(workspace=shop, names=["Newsletter, weekly", "Radio"])
    assert refusal(shop, path_contains="Emial, Radio") == {
        "path_contains": ["There is no channel “Emial”. Did you mean Email?"]
    }
    assert refusal(shop, path_ends=["newsletter weekly"])["path_ends"] == [
        'There is no channel “newsletter weekly”. Did you mean "Newsletter, weekly"?'
    ]
    assert refusal(shop, path_starts="Xyzzy")["path_starts"] == [
        'There is no channel “Xyzzy”. Channels: "Newsletter, weekly", Radio.'
    ]


@pytest.mark.django_db
def test_of_many_channels_some_are_named(shop: Workspace) -> None:
    ensure_channels(workspace=shop, names=[f"{number:03}" for number in range(100)])
    assert refusal(shop, path_starts="Xyzzy")["path_starts"][0].endswith("018, 019 and 80 more.")


@pytest.mark.django_db
def test_names_that_channels_had_are_known(shop: Workspace, owner: User) -> None:
    ensure_channels(workspace=shop, names=["Mail", "Post", "Radio"])
    mail, post = (Channel.objects.get(workspace=shop, name=name) for name in ("Mail", "Post"))
    rename_channel(channel=mail, name="Letters", by=owner)
    merge_channels(source=post, target=mail, by=owner)
    assert clean(shop, {"path_order": "mail > post > LETTERS"})["path_order"] == ["Letters"] * 3


@pytest.mark.django_db
def test_a_channel_that_results_mark_is_found_by_what_they_call_it(shop: Workspace) -> None:
    ensure_channels(workspace=shop, names=["Conversion"])
    assert clean(shop, {"path_contains": "conversion (channel)"})["path_contains"] == ["Conversion"]


@pytest.mark.django_db
def test_what_the_grouping_of_the_question_can_make_is_known(shop: Workspace, owner: User) -> None:
    rule = {"channel": "Brand", "match": "all", "conditions": [{"field": "source", "operator": "is", "value": "us"}]}
    assert clean(shop, {"path_contains": "paid search, Unassigned"})["path_contains"] == ["Paid Search", "Unassigned"]
    assert "path_contains" in refusal(shop, path_contains="Brand")
    change_grouping(workspace=shop, grouping="custom", rules=[rule], by=owner)
    assert clean(shop, {"path_contains": "brand, Paid Search"})["path_contains"] == ["Brand", "Paid Search"]
    assert "path_contains" in refusal(shop, path_contains="Brand", grouping="standard")
    change_grouping(workspace=shop, grouping="custom", rules=[rule, {"otherwise": "unassigned"}], by=owner)
    assert clean(shop, {"path_contains": "brand, unassigned"})["path_contains"] == ["Brand", "Unassigned"]
    assert "path_contains" in refusal(shop, path_contains="Paid Search")


@pytest.mark.django_db
def test_granular_names_are_those_of_sources(shop: Workspace) -> None:
    """Which ones there are only the data tell; what no source can be called is refused."""
    ensure_channels(workspace=shop, names=["Radio"])
    asked = ["google / cpc / sale, 50%", "direct", "Other", "radio", f"{'long' * 23}… 0a1b2c"]
    found = clean(shop, {"path_order": asked, "grouping": "granular"})["path_order"]
    assert found == [asked[0], "Direct", "Other", "Radio", asked[4]]
    text = path_in_words("path_order", found)
    assert clean(shop, {"path_order": text, "grouping": "granular"})["path_order"] == found
    for name in ("Paid Search", "Emial", "google / cpc"):
        assert "path_order" in refusal(shop, path_order=name, grouping="granular")


@pytest.mark.django_db
def test_a_grouping_that_there_is_not_is_the_only_mistake(shop: Workspace) -> None:
    assert set(refusal(shop, path_contains="Emial", grouping="coarse")) == {"grouping"}
