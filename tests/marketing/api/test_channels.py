"""Channels in the API: read, renamed, merged and taken apart, as on the page, and traced to the key."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User, Workspace
from marketing.channels import merge_channels, rename_channel
from marketing.importing.dimensions import ensure_channels
from marketing.models import Campaign, Channel, TrafficSource
from tests.factories import WorkspaceFactory
from tests.marketing.api.conftest import API, Importer, results, send

pytestmark = pytest.mark.usefixtures("media_root")


@pytest.fixture
def channels(shop: Workspace) -> list[Channel]:
    return ensure_channels(workspace=shop, names=["Email", "Facebook", "TV"])


def address(channel: Channel, rest: str = "") -> str:
    return f"/channels/{channel.pk}/{rest}"


def test_channels_are_listed_by_their_colours(shop: Workspace, program: Client, channels: list[Channel]) -> None:
    email, facebook, tv = channels
    merge_channels(source=facebook, target=tv, by=None)
    rename_channel(channel=tv, name="Television", by=None)
    rows = results(program, "/channels/")
    assert [row["name"] for row in rows] == ["Email", "Facebook", "Television"]
    assert rows[0] == {
        "id": email.pk, "url": f"/api/v1/channels/{email.pk}/", "workspace": "acme", "name": "Email", "type": "owned",
        "colour_slot": email.colour_slot, "merged_into": None, "former_names": [],
    }  # fmt: skip
    assert rows[1]["merged_into"] == {"id": tv.pk, "name": "Television"}
    assert [name["name"] for name in rows[2]["former_names"]] == ["TV"]
    assert program.get(rows[2]["url"]).json() == rows[2]
    assert [row["name"] for row in results(program, "/channels/?merged=true")] == ["Facebook"]
    assert [row["name"] for row in results(program, "/channels/?merged=false&type=owned")] == ["Email"]
    assert [row["type"] for row in results(program, "/channels/?type=paid")] == ["paid"]
    assert program.get(f"{API}/channels/?merged=perhaps").status_code == 400


def test_queries_do_not_grow_with_channels(
    shop: Workspace, program: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 12):
        for channel in ensure_channels(workspace=shop, names=[f"Channel {count} {number}" for number in range(count)]):
            rename_channel(channel=channel, name=f"{channel.name} now", by=None)
        program.get(f"{API}/channels/")
        with django_assert_num_queries(5):
            program.get(f"{API}/channels/")


def test_a_channel_gets_another_name_and_type(program: Client, channels: list[Channel], owner: User) -> None:
    tv = channels[2]
    changed = send(program, "patch", address(tv), {"name": " Television ", "type": "owned"})
    assert (changed.status_code, changed.json()["name"], changed.json()["type"]) == (200, "Television", "owned")
    assert [name["name"] for name in changed.json()["former_names"]] == ["TV"]
    renamed = AuditEvent.objects.get(action="channel.renamed")
    assert (renamed.actor, renamed.api_key_id is not None, renamed.target) == (owner, True, "Television")
    assert AuditEvent.objects.get(action="channel.type_changed").api_key_id == renamed.api_key_id


def test_a_change_is_made_as_a_whole_or_not_at_all(program: Client, channels: list[Channel]) -> None:
    refused = send(program, "patch", address(channels[2]), {"type": "organic", "name": "email"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["name"])
    assert Channel.objects.get(pk=channels[2].pk).type == channels[2].type
    assert send(program, "patch", address(channels[2]), {}).json()["name"] == "TV"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": ["TV"]}, "name"),
        ({"name": {"en": "TV"}}, "name"),
        ({"type": "free"}, "type"),
        ({"type": 7}, "type"),
        ({"colour_slot": 1}, "colour_slot"),
        ({"nam\ud800": 1}, "nam�"),
        ([1], ""),
    ],
)
def test_a_channel_is_not_changed_by_nonsense(
    program: Client, channels: list[Channel], body: object, field: str
) -> None:
    refused = send(program, "patch", address(channels[0]), body)
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    assert list(refused.json().get("errors", {"": 1})) == [field]
    assert not AuditEvent.objects.filter(action__startswith="channel.").exists()


def test_channels_are_merged_and_stand_on_their_own_again(program: Client, channels: list[Channel]) -> None:
    email, facebook, tv = channels
    merged = send(program, "post", address(facebook, "merge/"), {"into": tv.pk})
    assert (merged.status_code, merged.json()["merged_into"]) == (200, {"id": tv.pk, "name": "TV"})
    for source, into in ((facebook, email), (tv, tv), (email, facebook)):
        assert send(program, "post", address(source, "merge/"), {"into": into.pk}).status_code == 409
    alone = send(program, "post", address(facebook, "unmerge/"))
    assert (alone.status_code, alone.json()["merged_into"]) == (200, None)
    assert send(program, "post", address(facebook, "unmerge/")).status_code == 409
    events = AuditEvent.objects.filter(action__in=["channel.merged", "channel.unmerged"])
    assert [event.api_key_id is not None for event in events] == [True, True]


def test_a_merge_is_asked_for_once(program: Client, channels: list[Channel]) -> None:
    """Sent again under its key, it is answered the same, although the channel is merged by then."""
    path, body = address(channels[1], "merge/"), {"into": channels[2].pk}
    first = send(program, "post", path, body, **{"Idempotency-Key": "one"})
    again = send(program, "post", path, body, **{"Idempotency-Key": "one"})
    assert (again.status_code, again["Idempotent-Replayed"], again.json()) == (200, "true", first.json())


@pytest.mark.parametrize("into", [None, "TV", 0, -1, 1.5, 10**30, {}, True])
def test_a_channel_is_not_merged_into_nonsense(program: Client, channels: list[Channel], into: object) -> None:
    refused = send(program, "post", address(channels[0], "merge/"), {"into": into})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["into"])


def test_channels_of_two_workspaces_are_never_merged(program: Client, channels: list[Channel]) -> None:
    (other,) = ensure_channels(workspace=WorkspaceFactory.create(), names=["Elsewhere"])
    refused = send(program, "post", address(channels[0], "merge/"), {"into": other.pk})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["into"])
    for method, rest, body in (
        ("get", "", None),
        ("patch", "", {"name": "Mine"}),
        ("post", "merge/", {"into": channels[0].pk}),
        ("post", "unmerge/", None),
        ("get", "names/", None),
        ("delete", "names/1/", None),
    ):
        assert send(program, method, address(other, rest), body).status_code == 404


def test_former_names_are_listed_and_forgotten(program: Client, channels: list[Channel]) -> None:
    email, _, tv = channels
    for name in ("Television", "Linear TV"):
        rename_channel(channel=tv, name=name, by=None)
    names = results(program, address(tv, "names/"))
    assert [name["name"] for name in names] == ["TV", "Television"]
    assert program.delete(f"{API}/channels/{email.pk}/names/{names[0]['id']}/").status_code == 404
    assert program.delete(f"{API}/channels/{tv.pk}/names/{10**30}/").status_code == 404
    assert program.delete(names[0]["url"]).status_code == 204
    assert program.delete(names[0]["url"]).status_code == 404
    assert [name["name"] for name in results(program, address(tv, "names/"))] == ["Television"]
    assert AuditEvent.objects.get(action="channel.name_forgotten").api_key_id is not None


def test_campaigns_are_read_by_name(
    shop: Workspace, program: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Campaign.objects.create(workspace=WorkspaceFactory.create(), name="Elsewhere")
    for names in (("May", "April"), [f"Campaign {number:02}" for number in range(12)]):
        Campaign.objects.bulk_create(Campaign(workspace=shop, name=name) for name in names)
        program.get(f"{API}/campaigns/")
        with django_assert_num_queries(4):
            listed = [row["name"] for row in results(program, "/campaigns/")]
        assert listed == sorted(listed)
    (may,) = results(program, "/campaigns/?name=May")
    assert program.get(may["url"]).json() == may == {
        "id": may["id"], "url": f"/api/v1/campaigns/{may['id']}/", "workspace": "acme", "name": "May",
    }  # fmt: skip
    assert results(program, "/campaigns/?name=may") == []
    other = Campaign.objects.get(name="Elsewhere")
    assert program.get(f"{API}/campaigns/{other.pk}/").status_code == 404
    page = program.get(f"{API}/campaigns/?page_size=5").json()
    assert program.get(page["next"]).json()["results"][0]["name"] == "Campaign 04"


def test_traffic_sources_say_what_they_count_for(shop: Workspace, program: Client, import_rows: Importer) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,source,medium,campaign\nann,2026-03-01T10:00Z,Fb,,,\n"
        "ann,2026-03-01T11:00Z,Social,,,\nbob,2026-03-01T12:00Z,,google,cpc,May\n",
    )
    fb, social = (Channel.objects.get(name=name) for name in ("Fb", "Social"))
    merge_channels(source=fb, target=social, by=None)
    said = {row.pop("id"): row for row in results(program, "/traffic-sources/")}
    by_channel = {source.channel_id: said[source.pk] for source in TrafficSource.objects.all()}
    nothing = {"source": None, "medium": None, "campaign": None}
    assert by_channel == {
        fb.pk: {"channel": "Social", "original_channel": "Fb", "names_channel": True, **nothing},
        social.pk: {"channel": "Social", "original_channel": None, "names_channel": True, **nothing},
        None: {
            "channel": "Paid Search", "original_channel": None, "names_channel": False, "source": "google",
            "medium": "cpc", "campaign": "May",
        },
    }  # fmt: skip
    (ungrouped,) = results(program, "/traffic-sources/?names_channel=false")
    assert ungrouped["source"] == "google"
