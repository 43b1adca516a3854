"""The channel grouping in the API: read, tried and replaced; what is wrong with a rule is said by its place."""

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from marketing.models import ChannelGrouping
from marketing.sources import custom_rules
from tests.marketing.api.conftest import API, Importer, WithKey, results, send

pytestmark = pytest.mark.usefixtures("media_root")
RULE = {
    "channel": "Ads",
    "type": "paid",
    "match": "any",
    "conditions": [
        {"field": "medium", "operator": "one_of", "value": ["cpc", "CPM"]},
        {"field": "source", "operator": "is_empty", "value": None},
    ],
}
CUSTOM = {"grouping": "custom", "rules": [RULE], "otherwise": "unassigned"}


def test_a_new_workspace_has_the_standard_grouping(program: Client) -> None:
    said = program.get(f"{API}/grouping/").json()
    assert len(said.pop("version")) == 64
    assert said == {
        "workspace": "acme", "grouping": "standard", "rules": [], "otherwise": "standard", "changed_at": None,
        "changed_by": None,
    }  # fmt: skip


def test_rules_are_replaced_and_read_back_as_they_were_written(
    shop: Workspace, program: Client, owner: User, import_rows: Importer
) -> None:
    import_rows("touchpoints", "customer,occurred_at,source,medium\nann,2026-03-01T10:00Z,google,cpm\n")
    replaced = send(program, "put", "/grouping/", CUSTOM)
    assert replaced.status_code == 200, replaced.json()
    said = replaced.json()
    assert {name: said[name] for name in CUSTOM} == CUSTOM
    assert (said["changed_by"], said["changed_at"] is not None) == (owner.email, True)
    assert program.get(f"{API}/grouping/").json() == said
    assert results(program, "/touchpoints/")[0]["channel"] == "Ads"
    shop.refresh_from_db()
    assert (shop.channel_grouping, custom_rules(workspace=shop).digest) == ("custom", said["version"])
    keys = AuditEvent.objects.filter(action__in=["grouping.rules_changed", "settings.changed"])
    assert [event.api_key_id is not None for event in keys] == [True, True]
    assert send(program, "put", "/grouping/", {"grouping": "standard", "rules": []}).json()["rules"] == []


def test_what_is_read_may_be_sent_again(shop: Workspace, program: Client) -> None:
    short = {"channel": " Ads ", "conditions": [{"field": "source", "operator": "is", "value": "x"}]}
    said = send(program, "put", "/grouping/", {"grouping": "custom", "rules": [short]}).json()
    assert said["rules"] == [short | {"channel": "Ads", "type": None, "match": "all"}]
    body = {name: said[name] for name in ("grouping", "rules", "otherwise", "version")}
    assert send(program, "put", "/grouping/", body).json() == said
    assert AuditEvent.objects.filter(action="grouping.rules_changed").count() == 1
    assert ChannelGrouping.objects.get().rules == [short | {"channel": "Ads", "match": "all"}]


def test_rules_of_somebody_else_are_not_lost(program: Client) -> None:
    version = program.get(f"{API}/grouping/").json()["version"]
    assert send(program, "put", "/grouping/", CUSTOM | {"version": version}).status_code == 200
    refused = send(program, "put", "/grouping/", {"grouping": "standard", "rules": [], "version": version})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert program.get(f"{API}/grouping/").json()["rules"] == [RULE]


@pytest.mark.parametrize("path", ["/grouping/", "/grouping/preview/"])
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"rules": []}, "grouping"),
        ({"grouping": "none", "rules": []}, "grouping"),
        ({"grouping": "custom"}, "rules"),
        ({"grouping": "custom", "rules": {}}, "rules"),
        ({"grouping": "custom", "rules": [7]}, "rules.0"),
        ({"grouping": "custom", "rules": [{"otherwise": "unassigned"}]}, "rules.0"),
        ({"grouping": "custom", "rules": [RULE, RULE | {"channel": ""}]}, "rules.1.channel"),
        ({"grouping": "custom", "rules": [RULE | {"channel": ["Ads"]}]}, "rules.0.channel"),
        ({"grouping": "custom", "rules": [RULE | {"channel": "a\0b"}]}, "rules.0.channel"),
        ({"grouping": "custom", "rules": [RULE | {"type": "free"}]}, "rules.0.type"),
        ({"grouping": "custom", "rules": [RULE | {"match": None}]}, "rules.0.match"),
        ({"grouping": "custom", "rules": [RULE | {"conditions": []}]}, "rules.0.conditions"),
        ({"grouping": "custom", "rules": [RULE | {"a\ud800": 1}]}, "rules.0"),
        ({"grouping": "custom", "rules": [RULE] * 201}, "rules"),
        ({"grouping": "standard", "rules": [], "otherwise": "nothing"}, "otherwise"),
        ({"grouping": "standard", "rules": [], "colour": "red"}, "colour"),
        (
            {"grouping": "custom", "rules": [RULE | {"conditions": [{"field": "source", "operator": "is"}]}]},
            "rules.0.conditions.0.value",
        ),
        (
            {
                "grouping": "custom",
                "rules": [RULE | {"conditions": [{"field": "source", "operator": "matches", "value": "("}]}],
            },
            "rules.0.conditions.0.value",
        ),
    ],
)
def test_what_is_wrong_is_said_by_its_place(program: Client, path: str, body: object, place: str) -> None:
    refused = send(program, "put" if path == "/grouping/" else "post", path, body)
    assert refused.status_code == 400
    assert place in refused.json()["errors"]
    assert not ChannelGrouping.objects.exists()


def test_a_version_is_a_digest(program: Client) -> None:
    refused = send(program, "put", "/grouping/", CUSTOM | {"version": "1"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["version"])


def test_a_grouping_is_tried_on_the_workspaces_own_traffic(
    program: Client, import_rows: Importer, with_key: WithKey, analyst: User
) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,source,medium\nann,2026-03-01T10:00Z,,google,cpc\n"
        "bob,2026-03-01T10:00Z,,google,organic\ncy,2026-03-01T10:00Z,Email,,\n",
    )
    tried = send(program, "post", "/grouping/preview/", CUSTOM)
    assert tried.status_code == 200, tried.json()
    said = tried.json()
    assert (said["touches"], said["changed"], said["unmatched"], said["named"]) == (2, 2, 1, 1)
    assert {row["after"]: row["rule"] for row in said["rows"]} == {"Ads": 1, "Unassigned": None}
    assert {row["channel"]: (row["before"], row["after"]) for row in said["channels"]} == {
        "Ads": (0, 1), "Unassigned": (0, 1), "Paid Search": (1, 0), "Organic Search": (1, 0),
    }  # fmt: skip
    assert not ChannelGrouping.objects.exists()
    assert program.get(f"{API}/grouping/").json()["grouping"] == "standard"
    assert send(with_key("settings:read"), "post", "/grouping/preview/", CUSTOM).status_code == 200
    assert send(with_key("settings:read", of=analyst), "post", "/grouping/preview/", CUSTOM).status_code == 403
