"""Attribution > Custom models: the list, the form with its preview, versions, and who may do what."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from analyses.models import Run
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse
from attribution.models import CustomModel
from marketing.models import Channel
from tests.attribution.custom_page_forms import HTMX, LIST, NEW, ClientFor, sent
from tests.conftest import ImportRows

THOROUGH = {
    "position": {"nth": [3, 2], "rest": 0.5, "from": "end"},
    "half_life_days": 14,
    "channels": {"Email": 2, "Gone": 0},
    "channel_types": {"paid": 0.5},
    "rules": [
        {
            "when": {
                "channel": ["Email", "Lost"],
                "channel_type": ["owned"],
                "campaign": ["May", "June"],
                "interaction": ["click", "open"],
                "age_days": {"at_least": 1, "below": 7.5},
                "position": ["first", "only", {"nth": 2, "from": "start"}, {"nth": 1, "from": "end"}],
            },
            "factor": 0.25,
        },
        {"when": {"campaign": {"contains": "brand"}}, "factor": 3},
    ],
}


@pytest.fixture
def kept(shop: Workspace, analyst: User) -> CustomModel:
    definition = parse({"position": {"first": 50, "middle": 30, "last": 20}})
    return custom_models.create(workspace=shop, name="Ours", definition=definition, by=analyst)


# --- the list ---


def test_the_list_says_what_each_model_is(client_for: ClientFor, viewer: User, kept: CustomModel) -> None:
    text = client_for(viewer).get(LIST).text
    for said in ("Ours", "50% to the first touch", "Version 1", "analyst@example.com", "Not used yet"):
        assert said in text
    assert f"?model=custom%3A{kept.pk}" in text


def test_an_empty_list_says_what_to_do(client_for: ClientFor, viewer: User, analyst: User, shop: Workspace) -> None:
    assert "Create custom model</a>" in client_for(analyst).get(LIST).text
    text = client_for(viewer).get(LIST).text
    assert "you may not create them" in text
    assert "Create custom model</a>" not in text
    assert "Nothing is archived" in client_for(viewer).get(f"{LIST}?archived=1").text


def test_archived_models_are_listed_by_themselves(client_for: ClientFor, analyst: User, kept: CustomModel) -> None:
    custom_models.archive(model=custom_models.duplicate(model=kept, by=None), by=None)
    client = client_for(analyst)
    assert [row.model.name for row in client.get(LIST).context["rows"]] == ["Ours"]
    assert [row.model.name for row in client.get(f"{LIST}?archived=1").context["rows"]] == ["Ours (copy)"]


def test_ten_models_more_need_no_more_queries(client_for: ClientFor, viewer: User, kept: CustomModel) -> None:
    client = client_for(viewer)
    client.get(LIST)
    with CaptureQueriesContext(connection) as before:
        client.get(LIST)
    for number in range(10):
        copy = custom_models.duplicate(model=kept, by=None)
        custom_models.save_version(model=copy, definition=parse({"half_life_days": number + 1}), by=None)
    with CaptureQueriesContext(connection) as after:
        client.get(LIST)
    assert len(after) == len(before)


# --- making one ---


def test_the_form_starts_with_40_20_40(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    form = client_for(analyst).get(NEW).context["form"]
    assert [form.position[name].value() for name in ("first", "middle", "last")] == ["40", "20", "40"]
    assert "On your data" in client_for(analyst).get(NEW).text


def test_a_model_is_made(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    response = client_for(analyst).post(NEW, sent())
    model = CustomModel.objects.get()
    assert response.headers["Location"] == f"{LIST}{model.pk}/"
    version = model.versions.get()
    assert (model.name, model.created_by, version.number) == ("Mine", analyst, 1)
    assert version.definition["position"] == {"first": 50, "middle": 30, "last": 20}


def test_saved_and_run_stands_beside_the_default_model(
    client_for: ClientFor, analyst: User, shop: Workspace, import_rows: ImportRows
) -> None:
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-09T12:00Z,100")
    response = client_for(analyst).post(NEW, sent(action="run"))
    run, model = Run.objects.get(), CustomModel.objects.get()
    assert response.headers["Location"] == f"/w/acme/runs/{run.pk}/"
    assert run.params["model"] == [f"custom:{model.pk}@1", "last_non_direct"]
    assert (run.params["start"], run.params["end"]) == ("2025-12-10", "2026-03-09"), "the last 90 days of the data"


def test_saved_and_run_without_data_goes_where_it_is_said(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    response = client_for(analyst).post(NEW, sent(action="run"))
    assert response.headers["Location"] == f"/w/acme/attribution/?model=custom%3A{CustomModel.objects.get().pk}"
    assert not Run.objects.exists()


def test_weights_that_do_not_total_100_are_refused(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    response = client_for(analyst).post(NEW, sent(last="30"))
    assert response.status_code == 422
    assert "must total 100%, not 110%" in response.text
    assert 'value="30"' in response.text  # what was typed stays
    assert not CustomModel.objects.exists()


@pytest.mark.parametrize(
    ("fields", "where", "sentence"),
    [
        ({"name": ""}, "head", "This field is required."),
        ({"name": "Linear"}, "head", "what another model is called"),
        ({"first": ""}, "position", "Give a number"),
        ({"first": "nan"}, "position", "Enter a number."),
        ({"first": "-10", "last": "80"}, "position", "Give 0, or a number"),
        ({"shape": "spiral"}, "position", "Select a valid choice"),
        ({"shape": "nth", "nth": "3, x", "rest": "1"}, "position", "Give numbers of zero or more"),
        ({"shape": "nth", "nth": "", "rest": "1"}, "position", "Give numbers of zero or more"),
        ({"shape": "nth", "nth": "0", "rest": "0"}, "position", "must have a weight above zero"),
        ({"half_life_days": "0"}, "time", "days, or null"),
        ({"half_life_days": "1e400"}, "time", "Enter a number."),
        ({"paid": "-1"}, "types", "Give 0, or a number"),
        ({"paid": "0", "organic": "0", "owned": "0", "offline": "0"}, "types", "at least must have a multiplier"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_wrong(
    client_for: ClientFor, analyst: User, shop: Workspace, fields: dict[str, str], where: str, sentence: str
) -> None:
    response = client_for(analyst).post(NEW, sent(**fields))
    assert response.status_code == 422
    errors = getattr(response.context["form"], where).errors
    assert sentence in str(errors)
    assert not CustomModel.objects.exists()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"factor": "2"}, "Choose at least one condition"),
        ({"channel_type": ["paid"]}, "This field is required."),
        ({"factor": "2", "channel": ["Nobody"]}, "Select a valid choice"),
        ({"factor": "2", "nth": "0"}, "Give numbers of touches"),
        ({"factor": "2", "at_least": "5", "below": "5"}, "more than “From”"),
        ({"factor": "0", "channel_type": ["paid", "organic", "owned", "offline"]}, "leaves nothing to credit"),
        ({"factor": "-1", "channel_type": ["paid"]}, "Give 0, or a number"),
        ({"factor": "1", "campaign": "x" * 201}, "printable characters"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_there(
    client_for: ClientFor, analyst: User, shop: Workspace, rule: dict[str, Any], sentence: str
) -> None:
    response = client_for(analyst).post(NEW, sent({"factor": "2", "interaction": ["click"]}, rule))
    assert response.status_code == 422
    right, wrong = response.context["form"].rules
    assert not right.errors
    assert sentence in str(wrong.errors)
    assert not CustomModel.objects.exists()


def test_a_form_of_everything_comes_back_as_it_was_saved(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    for slot, name in enumerate(("Email", "Search")):
        Channel.objects.create(workspace=shop, name=name, colour_slot=slot)
    definition = parse(THOROUGH)
    model = custom_models.create(workspace=shop, name="All of it", definition=definition, by=None)
    client = client_for(analyst)
    form = client.get(f"{LIST}{model.pk}/").context["form"]
    data: dict[str, Any] = {
        "action": "save",
        "rule": [rule.place for rule in form.rules],
        "channel": form.channels.names,
    }
    for part in (form.head, form.position, form.time, form.types, form.channels, *form.rules):
        data |= {field.html_name: field.value() for field in part if field.value() is not None}
    response = client.post(f"{LIST}{model.pk}/", data, follow=True)
    assert "it means what it did before" in response.text
    assert parse(model.versions.get().definition) == definition


# --- rules come and go ---


def test_a_rule_is_added_and_what_was_typed_stays(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    rule = {"factor": "2", "interaction": ["click"]}
    response = client_for(analyst).post(NEW, sent(rule, action="add", name="Half a na"), headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in response.text
    form = response.context["form"]
    assert form.head["name"].value() == "Half a na"
    assert [each["factor"].value() for each in form.rules] == ["2", None]
    assert form.rules[0]["interaction"].value() == ["click"]
    assert "Complete the rules" in response.text
    assert not form.rules[1].errors


def test_a_rule_is_removed(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    rules = [{"factor": str(number), "interaction": ["click"]} for number in (2, 3, 4)]
    response = client_for(analyst).post(NEW, sent(*rules, action="remove:1"))
    assert [each["factor"].value() for each in response.context["form"].rules] == ["2", "4"]
    assert not CustomModel.objects.exists()


def test_there_is_an_end_to_rules(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    rules = [{"factor": "2", "interaction": ["click"]}] * 20
    response = client_for(analyst).post(NEW, sent(*rules, action="add"))
    assert len(response.context["form"].rules) == 20
    assert "no more rules" in response.text


def test_many_channels_are_written_down(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    Channel.objects.bulk_create(Channel(workspace=shop, name=f"Channel {slot}", colour_slot=slot) for slot in range(61))
    client = client_for(analyst)
    assert client.get(NEW).context["form"].channels.as_lines
    rule = {"factor": "2", "channel": "Channel 7\nChannel 9"}
    wrong = client.post(NEW, sent(rule, lines="Channel 3: 2"))
    assert "is not a channel and a number" in wrong.text
    client.post(NEW, sent(rule, lines="Channel 3 = 1.5\n Channel 4=0 "))
    definition = CustomModel.objects.get().versions.get().definition
    assert definition["channels"] == {"Channel 3": 1.5, "Channel 4": 0}
    assert definition["rules"][0]["when"]["channel"] == ["Channel 7", "Channel 9"]


def test_a_channel_that_goes_meanwhile_moves_no_number_to_another(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    Channel.objects.create(workspace=shop, name="Search", colour_slot=1)
    data = sent() | {"channel": ["Gone", "Search"], "channel_0": "3", "channel_1": "0.5"}
    client_for(analyst).post(NEW, data)
    assert CustomModel.objects.get().versions.get().definition["channels"] == {"Gone": 3, "Search": 0.5}


# --- versions ---


def test_saving_another_meaning_makes_a_version(client_for: ClientFor, analyst: User, kept: CustomModel) -> None:
    client = client_for(analyst)
    response = client.post(f"{LIST}{kept.pk}/", sent(name="Ours", half_life_days="7"), follow=True)
    assert "is saved as version 2" in response.text
    newest, first = response.context["versions"]
    assert list(newest.added) == ["A touch weighs half as much for every 7 days before the conversion."]
    assert list(newest.removed) == []
    assert first.is_first
    assert "Save as version 3" in response.text


def test_saving_another_name_makes_none(client_for: ClientFor, analyst: User, kept: CustomModel) -> None:
    response = client_for(analyst).post(f"{LIST}{kept.pk}/", sent(name="Renamed"), follow=True)
    assert "it means what it did before" in response.text
    kept.refresh_from_db()
    assert (kept.name, kept.versions.count()) == ("Renamed", 1)


def test_a_name_that_is_taken_is_refused_on_the_form(client_for: ClientFor, analyst: User, kept: CustomModel) -> None:
    custom_models.duplicate(model=kept, by=None)
    response = client_for(analyst).post(f"{LIST}{kept.pk}/", sent(name="ours (COPY)", half_life_days="7"))
    assert response.status_code == 422
    assert "already" in str(response.context["form"].head.errors)
    assert kept.versions.count() == 1


def test_a_model_is_copied_archived_and_restored(client_for: ClientFor, analyst: User, kept: CustomModel) -> None:
    client = client_for(analyst)
    copied = client.post(f"{LIST}{kept.pk}/duplicate/")
    copy = CustomModel.objects.exclude(pk=kept.pk).get()
    assert copied.headers["Location"] == f"{LIST}{copy.pk}/"
    text = client.post(f"{LIST}{kept.pk}/archive/", follow=True).text
    assert "is archived" in text
    page = client.get(f"{LIST}{kept.pk}/").text
    assert "has been archived since" in page
    assert 'id="custom-form"' not in page
    assert "is offered again" in client.post(f"{LIST}{kept.pk}/restore/", follow=True).text


def test_an_archived_model_takes_no_version(client_for: ClientFor, analyst: User, kept: CustomModel) -> None:
    custom_models.archive(model=kept, by=None)
    response = client_for(analyst).post(f"{LIST}{kept.pk}/", sent(name="Ours", half_life_days="7"))
    assert response.status_code == 422
    assert kept.versions.count() == 1


def test_no_room_for_another_is_said(
    client_for: ClientFor, analyst: User, kept: CustomModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_models, "MOST_ACTIVE", 1)
    client = client_for(analyst)
    for response in (client.post(NEW, sent()), client.post(f"{LIST}{kept.pk}/duplicate/", follow=True)):
        assert "at most 1 custom models" in response.text
    assert CustomModel.objects.count() == 1


# --- who may ---


def test_a_viewer_looks_and_changes_nothing(client_for: ClientFor, viewer: User, kept: CustomModel) -> None:
    client = client_for(viewer)
    page = client.get(f"{LIST}{kept.pk}/").text
    assert "50% to the first touch" in page
    for forbidden in ('id="custom-form"', "Archive", "Duplicate"):
        assert forbidden not in page
        assert forbidden not in client.get(LIST).text.replace("Archived", "")
    assert client.get(NEW).status_code == 403
    for path in ("", "duplicate/", "archive/", "restore/"):
        assert client.post(f"{LIST}{kept.pk}/{path}", sent()).status_code == 403
    assert client.post(NEW, sent()).status_code == 403
    kept.refresh_from_db()
    assert (kept.archived_at, CustomModel.objects.count(), kept.versions.count()) == (None, 1, 1)


@pytest.mark.parametrize("path", ["", "duplicate/", "archive/", "restore/"])
def test_an_outsider_finds_nothing(
    client_for: ClientFor, outsider: User, analyst: User, kept: CustomModel, path: str
) -> None:
    client = client_for(outsider)
    assert client.post(f"{LIST}{kept.pk}/{path}", sent()).status_code == 404
    # Nor by way of a workspace of one's own.
    assert client.post(f"/w/elsewhere/attribution/models/{kept.pk}/{path}", sent()).status_code == 404
    assert client_for(analyst).post(f"{LIST}{10**30}/{path}", sent()).status_code == 404


@pytest.mark.parametrize("path", ["duplicate/", "archive/", "restore/"])
def test_a_get_changes_nothing(client_for: ClientFor, analyst: User, kept: CustomModel, path: str) -> None:
    assert client_for(analyst).get(f"{LIST}{kept.pk}/{path}").status_code == 405
