"""Alerts in the API: set up, looked at, changed, paused and removed as on their pages, by those who may."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, Goal
from reports.models import Alert, AlertEvent
from tests.api.conftest import WithKey
from tests.reports.alerts.conftest import Figures, Watch, analyst_there, figures_of, look, watch
from tests.reports.api.conftest import READ, V1, WRITE, ClientFor, listed, patch, post, refused

__all__ = ["analyst_there", "figures_of", "look", "watch"]

SPEND = {"name": "Search stands still", "metric": "spend", "condition": "below", "recipients": ["Ann@Example.com"]}


@pytest.fixture
def search(shop: Workspace) -> Channel:
    return create_channel(workspace=shop, name="Search", type=Channel.Type.PAID)


def make(client: Client, **body: object) -> dict[str, Any]:
    answer = post(client, "alerts/", SPEND | {"threshold": "50.00"} | body)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    assert answer["Location"] == made["url"]
    return made


def test_an_alert_of_a_threshold(program: Client, search: Channel, owner: User) -> None:
    made = make(program, channel=search.pk, days=7, threshold="99.5")
    assert program.get(made["url"]).json() == made
    expected = {
        "workspace": "acme",
        "name": "Search stands still",
        "metric": "spend",
        "channel": search.pk,
        "channel_name": "Search",
        "goal": None,
        "goal_name": None,
        "condition": "below",
        "threshold": "99.5",
        "days": 7,
        "when": "when spend of Search falls below €99.50 over the last 7 days",
        "state": {"status": "no_data", "sentence": "There are no figures of it yet."},
        "recipients": ["ann@example.com"],
        "unreached": [],
        "watched_from": "2026-03-31",
        "paused_at": None,
        "created_by": owner.email,
        "events": [],
    }
    assert expected.items() <= made.items()
    event = AuditEvent.objects.get(action="alert.created")
    assert (event.actor, event.api_key is not None) == (owner, True)


@pytest.mark.parametrize(
    ("sent", "kept"), [("50", "50"), (50, "50"), (0.1, "0.1"), (1.00005, "1"), ("9999999999999.9", "9999999999999.9")]
)
def test_amounts_are_text_or_numbers(program: Client, shop: Workspace, sent: object, kept: str) -> None:
    made = make(program, threshold=sent)
    assert made["threshold"] == kept
    assert program.get(made["url"]).json()["threshold"] == kept


def test_an_anomaly_has_no_threshold(program: Client, shop: Workspace) -> None:
    goal = Goal.objects.get(workspace=shop, is_default=False)
    made = make(program, metric="conversions", condition="anomaly", threshold=None, goal=goal.pk)
    assert (made["threshold"], made["days"], made["goal_name"]) == (None, 1, goal.name)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": None}, "name"),
        ({"metric": "clicks"}, "metric"),
        ({"condition": "sideways"}, "condition"),
        ({"condition": ["below"]}, "condition"),
        ({"threshold": None}, "threshold"),
        ({"threshold": ""}, "threshold"),
        ({"threshold": "-1"}, "threshold"),
        ({"threshold": -1}, "threshold"),
        ({"threshold": "0"}, "threshold"),
        ({"threshold": "1e3"}, "threshold"),
        ({"threshold": "1.00001"}, "threshold"),
        ({"threshold": "NaN"}, "threshold"),
        ({"threshold": "١٢"}, "threshold"),
        ({"threshold": "10000000000000"}, "threshold"),
        ({"threshold": 10**13}, "threshold"),
        ({"threshold": 10**400}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": {}}, "threshold"),
        ({"days": 2}, "days"),
        ({"days": "7"}, "days"),
        ({"days": True}, "days"),
        ({"channel": 999}, "channel"),
        ({"channel": "Search"}, "channel"),
        ({"goal": 2**70}, "goal"),
        ({"goal": 999}, "goal"),
        ({"recipients": ["a@b.co, c@d.co"]}, "recipients"),
        ({"recipients": ["a@b.co\r\nX: y"]}, "recipients"),
        ({"recipients": []}, "recipients"),
        ({"recipients": [f"p{number}@example.com" for number in range(51)]}, "recipients"),
        ({"chanel": 1}, "chanel"),
    ],
)
def test_bad_bodies_name_the_field(program: Client, shop: Workspace, change: dict[str, Any], field: str) -> None:
    assert refused(post(program, "alerts/", SPEND | {"threshold": "50.00"} | change)) == [field]
    assert not Alert.objects.exists()


def test_what_is_raised_stands_in_the_list_and_among_the_events(
    program: Client, figures_of: Figures, watch: Watch, look: Callable[..., int]
) -> None:
    figures_of(spend={"2026-03-30": 20})
    search = Channel.objects.get(name="Search")
    alert = watch("spend", "below", 50, channel=search)
    quiet = watch("spend", "above", 500, channel=search)
    look()
    states = {row["id"]: row["state"]["status"] for row in listed(program, "alerts/")}
    assert states == {str(alert.pk): "quiet", str(quiet.pk): "quiet"}
    (event,) = program.get(f"{V1}alerts/{alert.pk}/").json()["events"]
    assert (
        event.items() >= {"day": "2026-03-30", "value": 20.0, "low": None, "is_current": True, "mailed": True}.items()
    )
    assert event["sentence"].startswith("Spend of Search on 30 Mar 2026 was €20")
    assert listed(program, f"alerts/{alert.pk}/events/") == [event]
    assert listed(program, f"alerts/{alert.pk}/events/?day_before=2026-03-30") == []
    assert refused(program.get(f"{V1}alerts/{alert.pk}/events/?day_after=soon")) == ["day_after"]
    (mail,) = listed(program, f"deliveries/?alert={alert.pk}")
    assert (mail["purpose"], mail["email"]) == ("alert", "ceo@example.com")
    changed = patch(program, f"alerts/{alert.pk}/", {"threshold": 40}).json()
    assert (changed["events"][0]["is_current"], changed["watched_from"]) == (False, "2026-03-31")


def test_only_what_is_given_changes(program: Client, search: Channel) -> None:
    made = make(program, channel=search.pk)
    address = f"alerts/{made['id']}/"
    assert patch(program, address, {}).json() == made
    assert patch(program, address, {"name": "Other"}).json() == made | {"name": "Other"}
    body = patch(program, address, {"channel": None, "recipients": ["bob@example.com"]}).json()
    assert (body["channel"], body["recipients"]) == (None, ["bob@example.com"])
    assert patch(program, address, {"condition": "anomaly"}).json()["threshold"] is None
    assert refused(patch(program, address, {"condition": "below"})) == ["threshold"]
    assert patch(program, address, {"condition": "below", "threshold": "5"}).json()["threshold"] == "5"
    events = AuditEvent.objects.filter(action="alert.changed")
    assert {event.api_key is not None for event in events} == {True}


def test_paused_resumed_and_removed(program: Client, shop: Workspace) -> None:
    made = make(program)
    address = f"alerts/{made['id']}/"
    for _ in range(2):
        paused = post(program, f"{address}pause/").json()
        assert (paused["paused_at"], paused["state"]["status"]) == ("2026-04-01T09:00:00Z", "paused")
    assert post(program, f"{address}resume/").json()["paused_at"] is None
    assert program.delete(made["url"]).status_code == 204
    assert program.get(made["url"]).status_code == 404
    actions = ["alert.paused", "alert.resumed", "alert.deleted"]
    events = AuditEvent.objects.filter(action__in=actions)
    assert [(event.action, event.api_key is not None) for event in events.order_by("pk")] == [
        (action, True) for action in actions
    ]


def test_the_list_is_narrowed(program: Client, search: Channel) -> None:
    of_search, revenue = make(program, channel=search.pk), make(program, name="Revenue", metric="revenue")
    post(program, f"alerts/{revenue['id']}/pause/")

    def ids(query: str) -> list[str]:
        return [row["id"] for row in listed(program, f"alerts/?{query}")]

    assert ids("") == [revenue["id"], of_search["id"]] or ids("") == [of_search["id"], revenue["id"]]
    assert ids("metric=spend") == ids(f"channel={search.pk}") == ids("paused=false") == [of_search["id"]]
    assert ids("paused=true") == [revenue["id"]]
    assert refused(program.get(f"{V1}alerts/?metric=clicks")) == ["metric"]
    assert set(program.get(f"{V1}alerts/?fields=id,state").json()["results"][0]) == {"id", "state"}


def test_analysts_change_their_own_and_admins_any(
    program: Client, watch: Watch, client_for: ClientFor, analyst: User, admin: User
) -> None:
    own, other = watch("spend", "above", 5), make(program)
    client = client_for(analyst)
    assert len(listed(client, "alerts/")) == 2
    address = f"alerts/{other['id']}/"
    assert patch(client, address, {"name": 5}).status_code == 403
    assert client.delete(f"{V1}{address}").status_code == 403
    assert [post(client, f"{address}{verb}/").status_code for verb in ("pause", "resume")] == [403, 403]
    assert patch(client, f"alerts/{own.pk}/", {"name": "Mine"}).status_code == 200
    assert post(client, f"alerts/{own.pk}/pause/").status_code == 200
    assert client.delete(f"{V1}alerts/{own.pk}/").status_code == 204
    assert patch(client_for(admin), address, {"name": "Ours"}).status_code == 200


def test_viewers_strangers_and_other_scopes_get_nothing(
    watch: Watch, with_key: WithKey, client_for: ClientFor, viewer: User, outsider: User
) -> None:
    one = f"alerts/{watch('spend', 'above', 5).pk}/"
    for path in ("alerts/", one, f"{one}events/"):
        assert client_for(viewer).get(f"{V1}{path}").status_code == 403
        assert with_key(WRITE).get(f"{V1}{path}").status_code == 403
    for method, path in ((post, "alerts/"), (patch, one), (post, f"{one}pause/"), (post, f"{one}resume/")):
        assert method(client_for(viewer), path, {}).status_code == 403
        assert method(with_key(READ), path, {}).status_code == 403
        if path != "alerts/":
            assert method(client_for(outsider), path, {}).status_code == 404
    assert listed(client_for(outsider), "alerts/") == []


def test_channels_and_goals_of_others_do_not_exist(program: Client, shop: Workspace, outsider: User) -> None:
    elsewhere = outsider.memberships.get().workspace
    theirs = {
        "channel": create_channel(workspace=elsewhere, name="Theirs", type=Channel.Type.PAID).pk,
        "goal": Goal.objects.create(workspace=elsewhere, name="Theirs").pk,
    }
    for field, pk in theirs.items():
        answer = post(program, "alerts/", SPEND | {"threshold": "5", field: pk})
        assert refused(answer) == [field]
        assert answer.json() == post(program, "alerts/", SPEND | {"threshold": "5", field: pk + 999}).json()


def test_events_of_long_are_in_pages(program: Client, watch: Watch) -> None:
    alert = watch("spend", "above", 5)
    days = [dt.date(2025, 1, 1) + dt.timedelta(day) for day in range(105)]
    AlertEvent.objects.bulk_create([AlertEvent(alert=alert, day=day, value=1, sentence="So.") for day in days])
    assert len(program.get(f"{V1}alerts/{alert.pk}/").json()["events"]) == 100
    page = program.get(f"{V1}alerts/{alert.pk}/events/?page_size=100").json()
    assert [row["day"] for row in program.get(page["next"]).json()["results"]][-1] == "2025-01-01"
