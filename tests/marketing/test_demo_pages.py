"""Loading and removing demo data by the pages: works, outsider 404, viewer 403 to write, wrong method 405."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from jobs.models import Job
from marketing import demo_data
from marketing.importing.demo import DATASETS
from marketing.models import Channel, Dataset, Import
from tests.marketing.batches import add_import
from tests.marketing.demo_worlds import small_world, work

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}
LOAD, REMOVE, STATUS = "/w/acme/demo/load/", "/w/acme/demo/remove/", "/w/acme/demo/status/"
PAGE = "/w/acme/runs/"  # any page of the workspace


@pytest.fixture(autouse=True)
def _world(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketing.demo.build_world", small_world)


@pytest.fixture
def loaded(shop: Workspace, analyst: User) -> Workspace:
    """The shop with demo data that the analyst loaded."""
    demo_data.load_demo_data(workspace=shop, by=analyst)
    work(shop)
    return shop


@pytest.mark.parametrize("address", [LOAD, REMOVE])
def test_demo_data_is_loaded_and_removed_by_those_who_may(
    address: str, shop: Workspace, client_for: ClientFor, viewer: User, analyst: User, outsider: User
) -> None:
    assert client_for(None).post(address)["Location"].startswith("/accounts/login/")
    assert client_for(outsider).post(address).status_code == 404
    refused = client_for(viewer).post(address)
    assert refused.status_code == 403
    assert "can" in refused.text
    assert client_for(analyst).put(address).status_code == 405
    assert not Job.objects.exists()
    response = client_for(analyst).post(address)
    assert (response.status_code, response["Location"]) == (302, "/w/acme/")


def test_members_see_how_it_stands(
    shop: Workspace, client_for: ClientFor, viewer: User, analyst: User, outsider: User
) -> None:
    assert client_for(viewer).get(STATUS).status_code == 200
    assert client_for(viewer).get(REMOVE).status_code == 403
    assert client_for(analyst).get(REMOVE).status_code == 200
    for address in (REMOVE, STATUS):
        assert client_for(outsider).get(address).status_code == 404
        assert client_for(None).get(address).status_code == 302


def test_loading_is_not_for_get_and_the_status_not_for_post(
    shop: Workspace, client_for: ClientFor, analyst: User
) -> None:
    assert client_for(analyst).get(LOAD).status_code == 405
    assert client_for(analyst).post(STATUS).status_code == 405


def test_from_the_empty_state_to_demo_data_and_back(shop: Workspace, client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    empty = client.get(STATUS).text
    assert "This workspace has no data yet" in empty
    assert f'action="{LOAD}"' in empty
    assert "taken as EUR" in empty
    assert "Demo data</span>" not in empty
    client.post(LOAD)
    work(shop)
    page = client.get(PAGE).text
    assert "Demo data</span>" in page
    assert f'href="{REMOVE}"' in page
    assert Channel.objects.count() >= 6
    asked = client.get(REMOVE).text
    assert "Loaded on" in asked
    assert "by analyst@example.com" in asked
    client.post(REMOVE)
    assert "is being removed" in client.get(PAGE).text
    work(shop)
    assert "Demo data</span>" not in client.get(PAGE).text
    assert client.get(STATUS).text.count("Load demo data") == 1


def test_a_double_click_loads_once(shop: Workspace, client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    for _ in range(2):
        assert client.post(LOAD).status_code == 302
    assert Job.objects.count() == len(DATASETS)
    assert set(Import.objects.values_list("requested_by", flat=True)) == {analyst.pk}


def test_a_double_click_removes_once(loaded: Workspace, client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    for _ in range(2):
        assert client.post(REMOVE).status_code == 302
    assert Job.objects.filter(kind=demo_data.REMOVAL_JOB).count() == 1


def test_loading_into_a_workspace_with_data_is_refused_with_a_sentence(
    shop: Workspace, client_for: ClientFor, analyst: User
) -> None:
    add_import(shop, Dataset.SPEND)
    client = client_for(analyst)
    assert "Load demo data" not in client.get(STATUS).text
    client.post(LOAD)
    assert "This workspace has data of its own." in client.get(PAGE).text
    assert not Import.objects.filter(origin=Import.Origin.DEMO).exists()


def test_loading_what_is_loaded_and_removing_what_is_not_say_so(
    loaded: Workspace, client_for: ClientFor, analyst: User
) -> None:
    client = client_for(analyst)
    client.post(LOAD)
    assert "already holds demo data" in client.get(PAGE).text
    client.post(REMOVE)
    work(loaded)
    client.post(REMOVE)
    assert "There is no demo data in this workspace." in client.get(PAGE).text
    assert "There is no demo data in this workspace." in client.get(REMOVE).text


def test_a_viewer_sees_the_badge_but_not_the_way_to_remove(
    loaded: Workspace, client_for: ClientFor, viewer: User
) -> None:
    page = client_for(viewer).get(PAGE).text
    assert "Demo data</span>" in page
    assert "Remove demo data" not in page
    refused = client_for(viewer).get(REMOVE)
    assert refused.status_code == 403
    assert "Whoever loaded the demo data, an owner or an admin of the workspace can remove it." in refused.text
    assert "The demo data is loaded" in client_for(viewer).get(STATUS).text


def test_a_viewer_of_an_empty_workspace_is_told_who_can_load_data(
    shop: Workspace, client_for: ClientFor, viewer: User
) -> None:
    page = client_for(viewer).get(STATUS).text
    assert "As a viewer you may not import data." in page
    assert "Load demo data" not in page


def test_an_analyst_does_not_remove_what_another_loaded(
    loaded: Workspace, client_for: ClientFor, analyst: User, admin: User
) -> None:
    Import.objects.update(requested_by=admin)
    client = client_for(analyst)
    assert "Remove demo data</a>" not in client.get(PAGE).text
    assert client.post(REMOVE).status_code == 403
    assert not Job.objects.filter(kind=demo_data.REMOVAL_JOB).exists()
    assert client_for(admin).post(REMOVE).status_code == 302


def test_the_status_is_asked_for_until_it_is_through_and_then_the_page_anew(
    shop: Workspace, client_for: ClientFor, analyst: User
) -> None:
    client = client_for(analyst)
    client.post(LOAD)
    fragment = client.get(STATUS, headers=HTMX)
    assert "HX-Refresh" not in fragment
    assert "HX-Request" in fragment["Vary"]
    assert fragment.text.strip().startswith("<section")
    assert f'hx-get="{STATUS}" hx-trigger="every 1s"' in fragment.text
    assert "Waiting for a worker" in fragment.text
    assert f'href="{REMOVE}"' in fragment.text
    work(shop)
    done = client.get(STATUS, headers=HTMX)
    assert done["HX-Refresh"] == "true"
    assert "hx-trigger" not in done.text
    assert "HX-Refresh" not in client.get(STATUS)


def test_the_badge_of_demo_data_on_its_way_out_asks_until_it_is_gone(
    loaded: Workspace, client_for: ClientFor, analyst: User
) -> None:
    client = client_for(analyst)
    assert "hx-trigger" not in client.get(PAGE).text
    client.post(REMOVE)
    assert f'hx-get="{STATUS}" hx-trigger="every 1s" hx-swap="none"' in client.get(PAGE).text
    assert f'hx-get="{STATUS}"' in client.get(REMOVE).text
    work(loaded)
    assert client.get(STATUS, headers=HTMX)["HX-Refresh"] == "true"


def test_a_failure_is_told_in_the_empty_state(
    shop: Workspace, client_for: ClientFor, analyst: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise OSError

    client = client_for(analyst)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("marketing.demo.build_world", fail)
        client.post(LOAD)
        work(shop)
    assert "The demo data could not be loaded. Something went wrong on our side." in client.get(STATUS).text
    client.post(LOAD)
    work(shop)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(demo_data, "remove_names", fail)
        client.post(REMOVE)
        work(shop)
    assert "not all of it could be deleted. Something went wrong on our side." in client.get(STATUS).text
    assert "The last removal did not come to its end." in client.get(REMOVE).text
    client.post(REMOVE)
    work(shop)
    assert "alert-error" not in client.get(STATUS).text


def test_a_page_asks_once_about_demo_data(loaded: Workspace, client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    with CaptureQueriesContext(connection) as asked:
        assert "Demo data</span>" in client.get(PAGE).text
    assert sum('"marketing_import"' in query["sql"] for query in asked.captured_queries) == 1
