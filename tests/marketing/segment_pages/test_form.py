"""The form of a segment, with and without a script: saving, adding and removing conditions, and its preview."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from marketing.models import Channel, ChannelAlias, SavedSegment, Segment
from tests.marketing.segment_pages.sending import (
    FIRST_CHANNEL,
    HTMX,
    LIST,
    NEW,
    TOUCHES,
    VALUE,
    keep,
    sent,
)

ClientFor = Callable[[User | None], Client]


def definition() -> dict[str, Any]:
    found: dict[str, Any] = SavedSegment.objects.get().definition
    return found


# Saving


def test_a_segment_is_created_from_the_form(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    client = client_for(analyst)
    response = client.post(NEW, sent(FIRST_CHANNEL, TOUCHES, VALUE, match="any"), follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert "“Mine” is saved." in response.text
    assert definition() == {
        "match": "any",
        "conditions": [
            {"type": "first_channel", "any_of": ["Email", "Search"]},
            {"type": "touches", "at_least": 2},
            {"type": "value", "at_least": 10.5, "below": 99, "not": True},
        ],
    }
    assert AuditEvent.objects.get().actor == analyst


@pytest.mark.parametrize(
    ("condition", "saved_as"),
    [
        ({"what": "customer", "kind": "returning"}, {"type": "customer", "is": "returning"}),
        (
            {"what": "channels", "relation": "all", "names": ["Email", "Search"]},
            {"type": "channels", "all_of": ["Email", "Search"]},
        ),
        (
            {"what": "channels", "relation": "not_all", "names": ["Email", "Search"]},
            {"type": "channels", "all_of": ["Email", "Search"], "not": True},
        ),
        (
            {"what": "acquired_by", "relation": "not_any", "names": ["Email"]},
            {"type": "acquired_by", "any_of": ["Email"], "not": True},
        ),
        (
            {"what": "interactions", "relation": "any", "names": ["click"]},
            {"type": "interactions", "any_of": ["click"]},
        ),
        ({"what": "attribute", "relation": "any", "names": ["Loyal"]}, {"type": "attribute", "any_of": ["Loyal"]}),
        ({"what": "touches", "relation": "in", "low": "", "high": "3"}, {"type": "touches", "at_most": 3}),
    ],
)
def test_every_kind_of_condition_can_be_saved_and_edited(
    client_for: ClientFor, analyst: User, shop: Workspace, condition: dict[str, Any], saved_as: dict[str, Any]
) -> None:
    client = client_for(analyst)
    client.post(NEW, sent(condition))
    assert definition()["conditions"] == [saved_as]
    page = client.get(f"{LIST}{SavedSegment.objects.get().pk}/")
    (form,) = page.context["form"].conditions
    again = {"what": form.what, **{name: form.initial[name] or "" for name in form.initial}}
    client.post(f"{LIST}{SavedSegment.objects.get().pk}/", sent(again, name="Renamed"))
    assert definition()["conditions"] == [saved_as]
    assert SavedSegment.objects.get().name == "Renamed"


WRONG: list[tuple[dict[str, Any], str]] = [
    (sent(TOUCHES, name=""), "This field is required."),
    (sent(), "Add at least one condition"),
    (sent({**FIRST_CHANNEL, "names": []}), "This field is required."),
    (sent({**FIRST_CHANNEL, "names": ["Fax"]}), "Select a valid choice. Fax"),
    (sent({**FIRST_CHANNEL, "relation": "all"}), "Select a valid choice. all"),
    (sent({**TOUCHES, "low": ""}), "Fill in “At least”, “At most” or both."),
    (sent({**TOUCHES, "low": "1.5"}), "whole number of touches"),
    (sent({**TOUCHES, "low": "many"}), "Enter a number."),
    (sent({**TOUCHES, "low": "nan"}), "Enter a number."),
    (sent({**TOUCHES, "low": "5", "high": "4"}), "“At most” must be no less than “At least”."),
    (sent({**VALUE, "low": "-1"}), "zero or more"),
    (sent({**VALUE, "low": "99"}), "“Below” must be more than “At least”."),
    (sent({"what": "customer"}), "This field is required."),
    (sent(TOUCHES, match="most"), "Select a valid choice. most"),
    (sent(TOUCHES, name="First-timers"), "There is a segment called"),
]


@pytest.mark.parametrize(("data", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_and_nothing_is_saved(
    client_for: ClientFor, analyst: User, saved: SavedSegment, data: dict[str, Any], words: str
) -> None:
    response = client_for(analyst).post(NEW, data)
    assert response.status_code == 422
    assert words in response.text
    assert SavedSegment.objects.count() == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        {"condition": ["0", "x", "9" * 50], "c0-what": "horoscope"},
        {"condition": ["0"] * 50, "c0-what": "touches", "c0-low": "1", "c0-relation": "in"},
        {"condition": [str(place) for place in range(60)]}
        | {f"c{place}-what": "customer" for place in range(60)}
        | {f"c{place}-kind": "new" for place in range(60)},
        {"action": "add:horoscope"},
        {"action": "remove:99"},
        {"action": "dance"},
        {"name": "a\x00b", "condition": ["0"], "c0-what": "customer", "c0-kind": "new", "action": "save"},
    ],
)
def test_nonsense_is_no_fault(client_for: ClientFor, analyst: User, shop: Workspace, nonsense: dict[str, Any]) -> None:
    for headers in ({}, HTMX):
        response = client_for(analyst).post(NEW, {"match": "all", **nonsense}, headers=headers)
        assert response.status_code in (200, 422)


def test_saving_an_edit_keeps_the_segment_and_changes_its_meaning(
    client_for: ClientFor, analyst: User, saved: SavedSegment
) -> None:
    client_for(analyst).post(f"{LIST}{saved.pk}/", sent(TOUCHES, name="Curious"))
    saved.refresh_from_db()
    assert (saved.name, saved.definition["conditions"]) == ("Curious", [{"type": "touches", "at_least": 2}])


def test_a_channel_that_was_renamed_is_ticked_under_its_new_name(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    segment = keep(shop, "By mail", {"type": "first_channel", "any_of": ["Email", "Fax"]})
    email = Channel.objects.get(workspace=shop, name="Email")
    ChannelAlias.objects.create(workspace=shop, channel=email, name="Email")
    Channel.objects.filter(pk=email.pk).update(name="Newsletter")
    response = client_for(analyst).get(f"{LIST}{segment.pk}/")
    (form,) = response.context["form"].conditions
    assert form.initial["names"] == ["Newsletter", "Fax"]
    assert ("Fax", "Fax (no longer there)") in form.fields["names"].choices


def test_many_names_are_written_down_instead_of_ticked(
    client_for: ClientFor, analyst: User, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketing.pages.segment_condition_forms.MOST_BOXES", 2)
    client = client_for(analyst)
    client.post(NEW, sent({**FIRST_CHANNEL, "names": "email\n\n Search \n"}))
    assert definition()["conditions"] == [{"type": "first_channel", "any_of": ["Email", "Search"]}]
    edited = client.get(f"{LIST}{SavedSegment.objects.get().pk}/").text
    assert "Email\nSearch</textarea>" in edited
    refused = client.post(NEW, sent({**FIRST_CHANNEL, "names": "Email\nFax"}, name="Other"))
    assert "There is no “Fax”" in refused.text


# Adding and removing conditions, without a script and with HTMX


def test_a_condition_is_added_and_what_was_typed_stays(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    incomplete = {**TOUCHES, "low": "not a number"}
    response = client_for(analyst).post(NEW, sent(incomplete, FIRST_CHANNEL, action="add:value", name=""))
    assert response.status_code == 200
    touches, first, value = response.context["form"].conditions
    assert touches["low"].value() == "not a number"
    assert first["names"].value() == ["Email", "Search"]
    assert value.what == "value"
    assert "errorlist" not in response.text
    assert "autofocus" in response.text
    assert "Complete the conditions" in response.text


def test_a_condition_is_removed_and_the_others_move_up(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    response = client_for(analyst).post(NEW, sent(TOUCHES, FIRST_CHANNEL, VALUE, action="remove:1"))
    assert [(form.what, form.place) for form in response.context["form"].conditions] == [
        ("touches", "0"),
        ("value", "1"),
    ]
    assert response.context["preview"].meaning == "2 or more touches; value not from 10.5 to below 99"
    assert not SavedSegment.objects.exists()


def test_htmx_gets_the_editor_alone(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    fragment = client_for(analyst).post(NEW, sent(action="add:customer"), headers=HTMX).text
    assert fragment.strip().startswith('<div class="segment-editor"')
    assert "<html" not in fragment


def test_no_more_conditions_than_there_may_be(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    twenty = [{**TOUCHES, "low": str(number)} for number in range(20)]
    response = client_for(analyst).post(NEW, sent(*twenty, action="add:value"))
    assert len(response.context["form"].conditions) == 20
    assert "no more conditions than these" in response.text


def test_without_attributes_in_the_data_none_can_be_chosen(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    assert 'value="add:attribute"' in client_for(analyst).get(NEW).text
    Segment.objects.all().delete()
    text = client_for(analyst).get(NEW).text
    assert 'value="add:attribute"' not in text
    assert "Customer attributes can be chosen once" in text


# The preview


def preview(response: Any) -> list[tuple[str, str, str]]:
    return [(share.label, share.text, share.of_all) for share in response.context["preview"].shares]


def test_the_preview_counts_what_is_typed_and_saves_nothing(
    client_for: ClientFor, analyst: User, shop: Workspace, some_data: None
) -> None:
    data = sent({"what": "customer", "kind": "new"}, action="preview", name="")
    response = client_for(analyst).post(NEW, data, headers=HTMX)
    assert preview(response) == [
        ("Conversions", "2", "66.7% of 3"),
        ("Revenue", "€130", "72.2% of €180"),
        ("Paths without conversion", "0", "none of 0"),
    ]
    assert "<form" not in response.text
    assert not SavedSegment.objects.exists()


def test_the_page_of_a_segment_begins_with_its_preview(
    client_for: ClientFor, analyst: User, saved: SavedSegment, some_data: None
) -> None:
    response = client_for(analyst).get(f"{LIST}{saved.pk}/")
    assert preview(response)[0] == ("Conversions", "2", "66.7% of 3")


def test_an_incomplete_condition_is_not_counted(
    client_for: ClientFor, analyst: User, shop: Workspace, some_data: None
) -> None:
    response = client_for(analyst).post(NEW, sent({**TOUCHES, "low": ""}, action="preview"), headers=HTMX)
    assert response.status_code == 200
    assert "Complete the conditions" in response.text


def test_without_data_the_preview_says_so(
    client_for: ClientFor, analyst: User, saved: SavedSegment, media_root: Path
) -> None:
    assert "no journeys to count" in client_for(analyst).get(f"{LIST}{saved.pk}/").text
