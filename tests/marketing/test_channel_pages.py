"""Settings > Channels & grouping: for admins, read-only for others, 404 for strangers; each form and its refusals."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from marketing.channels import change_grouping, ensure_grouped_channels, merge_channels, rename_channel
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel, ChannelAlias, ChannelGrouping, Import
from marketing.selectors import load_touches
from marketing.sources import source_lookup

ClientFor = Callable[[User | None], Client]
Importer = Callable[..., Import]
PAGE = "/w/acme/settings/channels/"
GROUPING = f"{PAGE}grouping/"
HTMX = {"HX-Request": "true"}
TOUCHES = """customer,occurred_at,source,medium,campaign,channel
anna,2026-03-01T10:00Z,google,cpc,brand,
anna,2026-03-02T10:00Z,google,cpc,brand,
bert,2026-03-02T10:00Z,fb,paid,,
bert,2026-03-03T10:00Z,qr,flyer,,
carl,2026-03-03T10:00Z,,,,Podcast
"""


@pytest.fixture
def shop_with_channels(shop: Workspace, import_rows: Importer) -> Workspace:
    """Channels of the data, of the grouping, and of spend alone; all touches counted."""
    import_rows("touchpoints", TOUCHES)
    import_rows("spend", "date,channel,spend\n2026-03-01,Podcast,20\n2026-03-01,TV,1234.5\n")
    load_touches(workspace=shop)
    ensure_grouped_channels(workspace=shop, sources=source_lookup(workspace=shop))
    return shop


def channel(name: str) -> Channel:
    return Channel.objects.get(name=name)


def rows_of(text: str) -> list[list[str]]:
    """The cells of the tables on a page as text, row by row."""
    rows = re.findall(r"<tr.*?</tr>", text, re.DOTALL)
    cells = (re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in rows)
    return [[" ".join(unescape(re.sub(r"<[^>]*>", " ", cell)).split()) for cell in row] for row in cells]


def fields(*rules: tuple[str, str, str, str], **more: str) -> dict[str, str]:
    """A posted form with a rule for each (channel, field, operator, value)."""
    posted = {"grouping": "custom", "otherwise": "standard"}
    for number, (name, field, operator, value) in enumerate(rules):
        posted |= {
            f"rule-{number}-channel": name,
            f"rule-{number}-type": "",
            f"rule-{number}-match": "all",
            f"rule-{number}-0-field": field,
            f"rule-{number}-0-operator": operator,
            f"rule-{number}-0-value": value,
        }
    return posted | more


META, BRAND = ("Meta", "source", "one_of", "fb\nig"), ("Brand", "campaign", "contains", "brand")


def typed(text: str) -> list[str]:
    """The names of the rules' channels in the editor."""
    return re.findall(r'name="rule-\d+-channel"[^>]* value="([^"]*)"', text)


def test_the_list_says_what_each_channel_has_and_who_named_it(
    client_for: ClientFor, viewer: User, shop_with_channels: Workspace
) -> None:
    rows = rows_of(client_for(viewer).get(PAGE).text)
    assert rows == [
        ["Channel", "Type", "Touchpoints", "Share", "Spend", "Named by"],
        ["Paid Search", "Paid", "2", "40.0%", "–", "The grouping"],
        ["Podcast", "Paid", "1", "20.0%", "€20", "Your data"],
        ["Paid Social", "Paid", "1", "20.0%", "–", "The grouping"],
        ["Unassigned", "Organic", "1", "20.0%", "–", "The grouping"],
        ["TV", "Offline", "0", "0.0%", "€1,234", "Your data"],
    ]


def test_merged_channels_and_former_names_stand_with_what_they_count_for(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    rename_channel(channel=channel("Podcast"), name="Audio", by=None)
    merge_channels(source=channel("TV"), target=channel("Audio"), by=None)
    rows = rows_of(client_for(owner).get(PAGE).text)
    assert ["Audio includes TV also known as Podcast", "Paid", "1", "20.0%", "€1,254"] in [row[:5] for row in rows]
    assert not [row for row in rows if row[0] == "TV"]


def test_channels_of_a_new_grouping_are_announced_until_they_have_their_row(
    client_for: ClientFor, viewer: User, shop_with_channels: Workspace
) -> None:
    rules = [{"channel": "Meta", "conditions": [{"field": "source", "operator": "is", "value": "fb"}]}]
    change_grouping(workspace=shop_with_channels, grouping="custom", rules=rules, by=None)
    client = client_for(viewer)
    before = client.get(PAGE).text
    assert "computed again: Meta." in before
    assert ["Paid Search", "Paid", "2", "40.0%"] in [row[:4] for row in rows_of(before)]
    ensure_grouped_channels(workspace=shop_with_channels, sources=source_lookup(workspace=shop_with_channels))
    after = client.get(PAGE).text
    assert "computed again" not in after
    assert ["Meta", "Paid", "1", "20.0%"] in [row[:4] for row in rows_of(after)]


def test_until_touches_are_counted_the_list_says_so(
    client_for: ClientFor, viewer: User, shop: Workspace, import_rows: Importer
) -> None:
    import_rows("touchpoints", TOUCHES)
    text = client_for(viewer).get(PAGE).text
    assert "Touchpoints are being counted" in text
    assert ["Podcast", "Paid", "…", "", "…", ""] in rows_of(text)


def test_a_workspace_without_channels_says_where_they_come_from(client_for: ClientFor, viewer: User) -> None:
    assert "No channels yet" in client_for(viewer).get(PAGE).text


def test_more_channels_need_no_more_queries_and_come_in_pages(
    client_for: ClientFor, viewer: User, shop_with_channels: Workspace
) -> None:
    client = client_for(viewer)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    made = ensure_channels(workspace=shop_with_channels, names=[f"Channel {n}" for n in range(60)])
    for one, other in zip(made[:20], made[20:40], strict=True):
        merge_channels(source=one, target=other, by=None)
        rename_channel(channel=other, name=f"{other.name} now", by=None)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as many:
        first = client.get(PAGE).text
    assert len(many) == len(few)
    assert "Page 1 of 1" not in first
    assert len(rows_of(first)) == 1 + 45


def test_fifty_channels_are_on_a_page(client_for: ClientFor, viewer: User, workspace: Workspace) -> None:
    ensure_channels(workspace=workspace, names=[f"Channel {n:02}" for n in range(51)])
    client = client_for(viewer)
    assert "Page 1 of 2" in client.get(PAGE).text
    assert [row[0] for row in rows_of(client.get(f"{PAGE}?page=2").text)[1:]] == ["Channel 50"]
    assert "Page 1 of 2" in client.get(f"{PAGE}?page=nonsense").text


@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/merge/", "grouping/"])
def test_strangers_find_nothing(
    client_for: ClientFor, outsider: User, shop_with_channels: Workspace, path: str
) -> None:
    theirs = path.format(pk=channel("TV").pk)
    assert client_for(outsider).get(f"{PAGE}{theirs}").status_code == 404
    elsewhere = client_for(outsider).get(f"/w/elsewhere/settings/channels/{theirs}")
    assert elsewhere.status_code == (404 if "{pk}" in path else 200)


@pytest.mark.parametrize("path", ["{pk}/", "{pk}/merge/", "{pk}/unmerge/", "{pk}/colours/", "grouping/"])
@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_only_owners_and_admins_change_channels(
    client_for: ClientFor, shop_with_channels: Workspace, request: pytest.FixtureRequest, path: str, role: str
) -> None:
    client = client_for(request.getfixturevalue(role))
    before = list(Channel.objects.values())
    response = client.post(f"{PAGE}{path.format(pk=channel('TV').pk)}", {"name": "X", "type": "paid", "action": "save"})
    assert response.status_code == 403
    assert list(Channel.objects.values()) == before
    assert "Change the grouping" not in client.get(PAGE).text


def test_a_channel_gets_another_name_and_type(
    client_for: ClientFor, admin: User, shop_with_channels: Workspace
) -> None:
    tv = channel("TV")
    response = client_for(admin).post(f"{PAGE}{tv.pk}/", {"name": "Television", "type": "paid"})
    assert response.headers["Location"] == PAGE
    tv.refresh_from_db()
    assert (tv.name, tv.type) == ("Television", "paid")
    assert "Former names" in client_for(admin).get(f"{PAGE}{tv.pk}/").text


def test_a_name_that_is_taken_is_said_at_its_field_and_changes_nothing(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    tv = channel("TV")
    response = client_for(owner).post(f"{PAGE}{tv.pk}/", {"name": "podcast", "type": "paid"})
    assert response.status_code == 422
    assert "There is a channel “Podcast” already" in response.text
    assert channel("TV").type == "offline"
    assert client_for(owner).post(f"{PAGE}{tv.pk}/", {"name": "", "type": "print"}).status_code == 422


def test_a_merge_is_shown_before_it_is_made_and_can_be_undone(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    client, tv, podcast = client_for(owner), channel("TV"), channel("Podcast")
    text = client.get(f"{PAGE}{tv.pk}/merge/?other={podcast.pk}").text
    assert rows_of(text)[1:] == [
        ["TV", "0", "€1,234"],
        ["Podcast", "1", "€20"],
        ["Podcast, merged", "1", "€1,254"],
    ]
    assert Channel.objects.filter(merged_into=None).count() == Channel.objects.count(), "looking changes nothing"
    assert client.post(f"{PAGE}{tv.pk}/merge/", {"other": podcast.pk}).headers["Location"] == PAGE
    assert channel("TV").merged_into == podcast
    assert "TV is merged into" in client.get(f"{PAGE}{tv.pk}/").text
    assert client.post(f"{PAGE}{tv.pk}/unmerge/").headers["Location"] == f"{PAGE}{tv.pk}/"
    assert channel("TV").merged_into is None


def test_only_what_stands_on_its_own_can_be_merged_with(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    client, tv, podcast = client_for(owner), channel("TV"), channel("Podcast")
    merge_channels(source=podcast, target=channel("Paid Search"), by=None)
    for other in ("", "x", str(tv.pk), str(podcast.pk), "999999"):
        assert client.post(f"{PAGE}{tv.pk}/merge/", {"other": other}).status_code == 422
        assert client.get(f"{PAGE}{tv.pk}/merge/?other={other}").status_code == 200
    response = client.post(f"{PAGE}{podcast.pk}/merge/", {"other": tv.pk}, follow=True)
    assert "Podcast is merged into Paid Search already" in response.text
    assert channel("Podcast").merged_into == channel("Paid Search")


def test_colours_are_exchanged(client_for: ClientFor, owner: User, shop_with_channels: Workspace) -> None:
    tv, podcast = channel("TV"), channel("Podcast")
    before = tv.colour_slot, podcast.colour_slot
    client = client_for(owner)
    client.post(f"{PAGE}{tv.pk}/colours/", {"other": podcast.pk})
    assert (channel("Podcast").colour_slot, channel("TV").colour_slot) == before
    assert "Choose another channel" in client.post(f"{PAGE}{tv.pk}/colours/", {"other": tv.pk}, follow=True).text


def test_a_former_name_is_forgotten_but_not_that_of_another_channel(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    rename_channel(channel=channel("TV"), name="Television", by=None)
    alias, client = ChannelAlias.objects.get(), client_for(owner)
    assert client.post(f"{PAGE}{channel('Podcast').pk}/names/{alias.pk}/forget/").status_code == 404
    assert client.post(f"{PAGE}{channel('Television').pk}/names/{alias.pk}/forget/").status_code == 302
    assert not ChannelAlias.objects.exists()


def test_the_editor_starts_from_what_counts(client_for: ClientFor, owner: User, shop_with_channels: Workspace) -> None:
    rules = [
        {"channel": "Meta", "conditions": [{"field": "source", "operator": "one_of", "value": ["fb", "ig"]}]},
        {"otherwise": "unassigned"},
    ]
    change_grouping(workspace=shop_with_channels, grouping="custom", rules=rules, by=None)
    text = client_for(owner).get(GROUPING).text
    assert typed(text) == ["Meta"]
    assert "fb\nig</textarea>" in text
    assert '<option value="unassigned" selected>' in text
    assert re.search(r'value="custom" checked', text)
    assert "Traffic that no rule fits is Unassigned" in client_for(owner).get(PAGE).text
    assert "Source is one of “fb”, “ig”" in unescape(client_for(owner).get(PAGE).text)


def test_saving_changes_the_grouping_and_keeps_the_rules(
    client_for: ClientFor, admin: User, shop_with_channels: Workspace
) -> None:
    client = client_for(admin)
    seen = re.search(r'name="seen" value="(\w+)"', client.get(GROUPING).text)
    assert seen
    posted = fields(META, BRAND, action="save", seen=seen[1], otherwise="unassigned")
    assert client.post(GROUPING, posted).headers["Location"] == PAGE
    stored = ChannelGrouping.objects.get()
    assert stored.changed_by == admin
    assert [rule.get("channel") for rule in stored.rules] == ["Meta", "Brand", None]
    shop_with_channels.refresh_from_db()
    assert shop_with_channels.channel_grouping == "custom"
    again = client.post(GROUPING, fields(META, action="save", seen=seen[1]))
    assert again.status_code == 409
    assert "Somebody else changed the rules" in again.text
    assert typed(again.text) == ["Meta"], "what was typed is still there"


@pytest.mark.parametrize("grouping", ["standard", "granular"])
@pytest.mark.parametrize("unfinished", [{}, fields(("", "source", "is", ""))])
def test_rules_that_do_not_count_need_not_be_finished_to_save_another_grouping(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace, grouping: str, unfinished: dict[str, str]
) -> None:
    rules = [{"channel": "Meta", "conditions": [{"field": "source", "operator": "is", "value": "fb"}]}]
    change_grouping(workspace=shop_with_channels, grouping="custom", rules=rules, by=None)
    posted = unfinished | {"grouping": grouping, "action": "save"}
    assert client_for(owner).post(GROUPING, posted).status_code == 302
    shop_with_channels.refresh_from_db()
    assert shop_with_channels.channel_grouping == grouping
    assert ChannelGrouping.objects.get().rules == (rules if unfinished else [])


def test_a_grouping_that_is_none_is_refused(client_for: ClientFor, owner: User, shop_with_channels: Workspace) -> None:
    response = client_for(owner).post(GROUPING, {"grouping": "nonsense", "action": "save"})
    assert response.status_code == 422
    assert "Choose how traffic is grouped." in response.text


def test_rules_that_cannot_be_are_told_where_they_are(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    wrong = fields(("", "source", "is", "fb"), ("Brand", "campaign", "matches", "(brand"), action="save")
    response = client_for(owner).post(GROUPING, wrong)
    assert response.status_code == 422
    text = unescape(response.text)
    assert "Rule 1: Name the channel." in text
    assert "Rule 2: There is a “(” without its “)”." in text
    assert 'aria-describedby="rule-0-channel-error"' in text
    assert 'aria-describedby="rule-1-0-error"' in text
    assert not ChannelGrouping.objects.exists()


@pytest.mark.parametrize(
    ("action", "order", "focus"),
    [
        ("add", ["Meta", "Brand", "QR", ""], r'name="rule-3-channel"[^>]*autofocus'),
        ("up-2", ["Meta", "QR", "Brand"], r'value="up-1"[^>]*autofocus'),
        ("up-1", ["Brand", "Meta", "QR"], r'value="down-0"[^>]*autofocus'),
        ("up-0", ["Meta", "Brand", "QR"], r'value="down-0"[^>]*autofocus'),
        ("down-0", ["Brand", "Meta", "QR"], r'value="down-1"[^>]*autofocus'),
        ("down-1", ["Meta", "QR", "Brand"], r'value="up-2"[^>]*autofocus'),
        ("down-2", ["Meta", "Brand", "QR"], r'value="up-2"[^>]*autofocus'),
        ("remove-2", ["Meta", "Brand"], r'value="remove-1"[^>]*autofocus'),
        ("remove-9", ["Meta", "Brand", "QR"], ""),
        ("add-condition-1", ["Meta", "Brand", "QR"], r'name="rule-1-1-field"[^>]*autofocus'),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_buttons_of_the_editor_give_the_form_back_changed_and_keep_nothing(
    client_for: ClientFor,
    owner: User,
    shop_with_channels: Workspace,
    headers: dict[str, str],
    action: str,
    order: list[str],
    focus: str,
) -> None:
    posted = fields(META, BRAND, ("QR", "source", "is", "qr"), action=action)
    response = client_for(owner).post(GROUPING, posted, headers=headers)
    assert response.status_code == 200
    assert typed(response.text) == order
    assert re.search(focus, response.text)
    assert len(re.findall(r"\bautofocus\b", response.text)) == (1 if focus else 0)
    assert ("<html" in response.text) is not bool(headers)
    assert not ChannelGrouping.objects.exists()


def test_a_condition_is_removed_and_the_last_rule_leaves_the_way_to_a_new_one(
    client_for: ClientFor, owner: User, workspace: Workspace
) -> None:
    client = client_for(owner)
    two = fields(META) | {"rule-0-1-field": "medium", "rule-0-1-operator": "is", "rule-0-1-value": "paid"}
    text = client.post(GROUPING, two | {"action": "remove-condition-0-0"}).text
    assert re.findall(r"<textarea[^>]*>([^<]*)<", text) == ["paid"]
    assert re.search(r'value="add"[^>]*autofocus', client.post(GROUPING, fields(META, action="remove-0")).text)


def test_the_preview_is_a_part_of_the_page_and_shows_what_would_change(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    client = client_for(owner)
    part = client.post(GROUPING, fields(META), headers=HTMX)
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["Vary"]
    text = unescape(part.text)
    assert "1 of 4 touchpoints without a channel in the data would change channel." in text
    assert "Another 1 touchpoint came with a channel" in text
    assert ["fb / paid / (not set) Paid Social → becomes Meta (Rule 1)", "1"] in rows_of(part.text)
    assert ["Paid Social", "1", "0"] in rows_of(part.text)
    assert "3 of 4 touchpoints without a channel in the data: no rule fits" in text
    whole = client.post(GROUPING, fields(META, action="preview"))
    assert "<html" in whole.text
    assert rows_of(whole.text) == rows_of(part.text)
    assert not ChannelGrouping.objects.exists()


def test_the_preview_of_unfinished_rules_says_what_is_missing(
    client_for: ClientFor, owner: User, shop_with_channels: Workspace
) -> None:
    part = client_for(owner).post(GROUPING, fields(("", "source", "is", "fb")), headers=HTMX).text
    assert "Once every rule is complete" in part
    assert "Rule 1: Name the channel." in part


def test_a_workspace_without_traffic_has_nothing_to_preview(
    client_for: ClientFor, owner: User, workspace: Workspace
) -> None:
    assert "nothing to group" in client_for(owner).get(GROUPING).text


def test_looking_at_the_pages_writes_nothing(client_for: ClientFor, owner: User, shop_with_channels: Workspace) -> None:
    client, tv = client_for(owner), channel("TV")
    client.get(PAGE)  # remembers the workspace
    for path in (PAGE, GROUPING, f"{PAGE}{tv.pk}/", f"{PAGE}{tv.pk}/merge/?other={channel('Podcast').pk}"):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
