"""The pages as their readers meet them: the question, its answer, the journeys behind it; and who may see what."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Membership, Role, Workspace
from analyses.models import Run
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import END, PERIOD, START, journeys
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
QUESTION = {
    "period": "custom",
    "start": START.isoformat(),
    "end": END.isoformat(),
    "goal": "Purchase",
    "window": "30",
    "converting": "all",
}


@pytest.fixture
def viewer(shop: Workspace) -> Client:
    user = UserFactory.create()
    Membership.objects.create(workspace=shop, user=user, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    return client


def test_without_data_the_page_says_how_to_begin(shop: Workspace, client: Client) -> None:
    page = client.get("/w/acme/crosschannel/").content.decode()
    assert "Show journeys" not in page
    assert "/w/acme/data/" in page


def test_a_question_is_asked_and_comes_back_to_the_page_with_its_answer(busy_shop: Workspace, client: Client) -> None:
    response = client.post("/w/acme/crosschannel/", QUESTION | {"path_contains": "Email, Search", "steps": "3"})
    run = Run.objects.get(kind="crosschannel")
    assert response.status_code == 302
    assert run.params["path_contains"] == ["Email", "Search"]
    assert run.params["steps"] == 3
    page = client.get(response["Location"]).content.decode()
    assert "Waiting for a worker" in page
    assert 'value="Email, Search"' in page
    assert f"/w/acme/runs/{run.pk}/" in page


def test_an_answer_is_shown_at_once_and_the_newest_one_where_there_is_none(
    busy_shop: Workspace, client: Client, follow: Follow
) -> None:
    follow()
    dates = f"start={PERIOD['start']}&end={PERIOD['end']}"
    page = client.get(f"/w/acme/crosschannel/?{dates}").content.decode()
    assert "Synergy and cannibalisation" in page
    assert "These filters have no answer yet" not in page
    other = client.get(f"/w/acme/crosschannel/?{dates}&converting=yes").content.decode()
    assert "These filters have no answer yet" in other
    assert "Synergy and cannibalisation" in other


def test_a_mistake_is_said_beside_its_field_and_what_was_typed_stays(busy_shop: Workspace, client: Client) -> None:
    response = client.post("/w/acme/crosschannel/", QUESTION | {"path_starts": "Email > > Search", "top": "99"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Email &gt; &gt; Search" in page
    assert "less than or equal to 20" in page
    assert not Run.objects.filter(kind="crosschannel").exists()
    only_path = client.post("/w/acme/crosschannel/", QUESTION | {"path_starts": "Email > > Search"})
    assert "names channels, such as Email &gt; Direct" in only_path.content.decode()


def test_a_viewer_sees_the_answer_and_asks_nothing(busy_shop: Workspace, viewer: Client, follow: Follow) -> None:
    run = follow()
    page = viewer.get("/w/acme/crosschannel/").content.decode()
    assert "Show journeys" not in page
    assert "Synergy and cannibalisation" in page
    assert viewer.get(f"/w/acme/crosschannel/{run.pk}/journeys/").status_code == 200
    assert viewer.post("/w/acme/crosschannel/", QUESTION).status_code == 403


def test_other_workspaces_and_other_kinds_are_not_found(busy_shop: Workspace, client: Client, follow: Follow) -> None:
    run, other = follow(), follow("attribution", model="last")
    stranger = Client()
    stranger.force_login(UserFactory.create())
    for place in ("journeys/", "journeys.csv", "pair/?a=Email&b=Search"):
        assert stranger.get(f"/w/acme/crosschannel/{run.pk}/{place}").status_code == 404
        assert client.get(f"/w/acme/crosschannel/{other.pk}/{place}").status_code == 404
        assert client.post(f"/w/acme/crosschannel/{run.pk}/{place}").status_code == 405


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        ("", lambda j: bool(j.channels)),
        ("?at=1:Email", lambda j: j.channels[0] == "Email"),
        ("?at=1:Email&at=2:Search", lambda j: j.channels[:2] == ("Email", "Search")),
        ("?at=2:Search&at=3:Conversion", lambda j: len(j.channels) == 2 and j.channels[1] == "Search" and j.converted),
        ("?end=Drop-off", lambda j: not j.converted),
        ("?with=Email&with=Display", lambda j: {"Email", "Display"} <= set(j.channels)),
        ("?search=ema", lambda j: "Email" in j.channels),
        ("?at=1:Social&search=radio", lambda j: j.channels[0] == "Social" and "Radio" in j.channels),
    ],
)
def test_journeys_behind_a_node_a_link_or_words_are_those_of_plain_counting(
    busy_shop: Workspace, client: Client, follow: Follow, query: str, keeps: object
) -> None:
    run = follow()
    chosen = [journey for journey in journeys() if keeps(journey)]  # type: ignore[operator]
    page = client.get(f"/w/acme/crosschannel/{run.pk}/journeys/{query}").content.decode()
    assert f'data-figure="journeys">{len(chosen)}<' in page
    assert f'data-figure="conversions">{sum(journey.converted for journey in chosen)}<' in page
    response = client.get(f"/w/acme/crosschannel/{run.pk}/journeys.csv{query}")
    rows = list(csv.DictReader(StringIO(b"".join(response).decode())))
    counted: dict[str, int] = {}
    for journey in chosen:
        path = " > ".join(journey.channels)
        counted[path] = counted.get(path, 0) + 1
    assert {row["path"]: float(row["journeys"]) for row in rows} == counted
    assert [float(row["journeys"]) for row in rows] == sorted(counted.values(), reverse=True)


@pytest.mark.parametrize(
    "query", ["?at=1:Pigeon", "?at=Email", "?at=99:Email", "?end=Nowhere", "?with=Pigeon", "?at=%00:%00"]
)
def test_what_no_journey_of_the_run_knows_is_not_found(
    busy_shop: Workspace, client: Client, follow: Follow, query: str
) -> None:
    run = follow()
    for place in ("journeys/", "journeys.csv"):
        assert client.get(f"/w/acme/crosschannel/{run.pk}/{place}{query}").status_code == 404


def test_the_list_of_paths_has_pages(busy_shop: Workspace, client: Client, follow: Follow) -> None:
    run = follow()
    distinct = len({journey.channels for journey in journeys()})
    page = client.get(f"/w/acme/crosschannel/{run.pk}/journeys/?page=2").content.decode()
    assert f"Page 2 of {-(-distinct // 50)}" in page


def test_where_the_figures_are_lost_the_page_says_so(busy_shop: Workspace, client: Client, follow: Follow) -> None:
    run = follow()
    (Path(settings.MEDIA_ROOT) / run.artifact).unlink()
    response = client.get(f"/w/acme/crosschannel/{run.pk}/journeys/?at=1:Email")
    assert response.status_code == 200
    assert "no longer on disk" in response.content.decode()
    assert client.get(f"/w/acme/crosschannel/{run.pk}/journeys.csv").status_code == 404
