"""Renaming, merging and grouping channels: what counts for what, what is refused, and that no row changes."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, User, Workspace
from marketing.channel_index import channel_index
from marketing.channels import (
    change_grouping,
    ensure_grouped_channels,
    forget_name,
    merge_channels,
    rename_channel,
    set_channel_type,
    swap_colours,
    unmerge_channel,
)
from marketing.data_versions import data_version
from marketing.grouping_rules import InvalidRulesError
from marketing.importing.dimensions import create_channel, ensure_channels
from marketing.models import Channel, ChannelAlias, ChannelGrouping, ChannelSpend, Dataset, Import, TrafficSource
from marketing.selectors import load_daily_spend
from marketing.sources import custom_rules, source_lookup
from mmm_project.problems import Conflict, Invalid, NotFound
from tests.factories import WorkspaceFactory

Importer = Callable[..., Import]
pytestmark = pytest.mark.django_db
SPEND = [Dataset.SPEND]


@pytest.fixture
def add(workspace: Workspace) -> Callable[[str], Channel]:
    """`add("Email")` creates a channel."""
    return lambda name: create_channel(workspace=workspace, name=name, type=Channel.Type.PAID)


def named(name: str, workspace: Workspace) -> str | None:
    found = channel_index(workspace=workspace).named(name)
    return found.name if found else None


def version(workspace: Workspace) -> str:
    return data_version(workspace=workspace, datasets=SPEND)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_a_former_name_still_means_the_channel(
    workspace: Workspace, add: Callable[[str], Channel], owner: User
) -> None:
    channel = add("FB")
    rename_channel(channel=channel, name=" Meta ", by=owner)
    assert Channel.objects.get().name == channel.name == "Meta"
    assert (named("fb", workspace), named("META", workspace), named("Other", workspace)) == ("Meta", "Meta", None)
    event = AuditEvent.objects.get()
    assert (event.action, event.target, event.actor, event.detail) == (
        "channel.renamed",
        "Meta",
        owner,
        {"changes": {"name": {"before": "FB", "after": "Meta"}}},
    )


def test_a_channel_can_have_its_name_back(workspace: Workspace, add: Callable[[str], Channel]) -> None:
    channel = add("FB")
    rename_channel(channel=channel, name="Meta", by=None)
    rename_channel(channel=channel, name="fb", by=None)
    assert list(ChannelAlias.objects.values_list("name", flat=True)) == ["Meta"]
    assert (named("FB", workspace), named("meta", workspace)) == ("fb", "fb")


def test_the_same_name_is_no_change(workspace: Workspace, add: Callable[[str], Channel]) -> None:
    before = version(workspace)
    rename_channel(channel=add("FB"), name="FB", by=None)
    assert (version(workspace), ChannelAlias.objects.count(), actions()) == (before, 0, [])


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 101, "NUL\x00"])
def test_a_name_is_one_line_of_text(add: Callable[[str], Channel], name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rename_channel(channel=add("FB"), name=name, by=None)
    assert "one line" in refusal.value.errors["name"][0]
    assert Channel.objects.get().name == "FB"


def test_names_and_former_names_of_others_are_taken(add: Callable[[str], Channel]) -> None:
    email, other = add("Email"), add("Other")
    rename_channel(channel=email, name="Newsletter", by=None)
    for name, reason in (("NEWSLETTER", "merge them"), ("email", "former name of Newsletter")):
        with pytest.raises(Invalid) as refusal:
            rename_channel(channel=other, name=name, by=None)
        assert reason in refusal.value.errors["name"][0]


def test_another_workspace_has_names_of_its_own(add: Callable[[str], Channel]) -> None:
    elsewhere = WorkspaceFactory.create()
    create_channel(workspace=elsewhere, name="Meta", type=Channel.Type.PAID)
    rename_channel(channel=add("FB"), name="Meta", by=None)
    assert named("FB", elsewhere) is None


def test_a_forgotten_name_is_free_again(workspace: Workspace, add: Callable[[str], Channel]) -> None:
    channel = add("FB")
    rename_channel(channel=channel, name="Meta", by=None)
    forget_name(alias=channel.aliases.get(), by=None)
    assert named("FB", workspace) is None
    assert [each.name for each in ensure_channels(workspace=workspace, names=["FB", "Meta"])] == ["FB", "Meta"]
    assert actions() == ["channel.renamed", "channel.name_forgotten"]


@pytest.mark.parametrize("name", ["Meta", "fb"])  # another name, and the same in another case
def test_results_depend_on_names(workspace: Workspace, add: Callable[[str], Channel], name: str) -> None:
    channel = add("FB")
    before = version(workspace)
    rename_channel(channel=channel, name=name, by=None)
    assert version(workspace) != before


def test_imports_that_say_a_former_name_mean_the_channel(shop: Workspace, import_rows: Importer) -> None:
    import_rows("spend", "date,channel,spend\n2026-03-01,FB,5\n")
    rename_channel(channel=Channel.objects.get(), name="Meta", by=None)
    import_rows("spend", "date,channel,spend\n2026-03-02,fb,7\n2026-03-03,Meta,9\n")
    import_rows("touchpoints", "customer,occurred_at,channel\nanna,2026-03-01T10:00Z,FB\n")
    assert Channel.objects.get().name == "Meta"
    assert load_daily_spend(workspace=shop).spend.tolist() == [5, 7, 9]
    assert set(source_lookup(workspace=shop).channels) == {"Meta"}


def test_a_restatement_under_the_former_name_keeps_what_its_wide_table_does_not_say(import_rows: Importer) -> None:
    import_rows("media_table", "date,spend:TV,clicks:TV\n2026-03-01,5,50\n")
    rename_channel(channel=Channel.objects.get(), name="Television", by=None)
    import_rows("media_table", "date,spend:TV\n2026-03-01,6\n")
    row = ChannelSpend.objects.get(shadowed=False)
    assert row.channel.name == "Television"
    assert row.spend == 6
    assert row.clicks == 50


def test_what_the_grouping_calls_by_a_former_name_is_the_channel(
    workspace: Workspace, add: Callable[[str], Channel]
) -> None:
    rename_channel(channel=add("Direct"), name="Typed in", by=None)
    source = TrafficSource.objects.create(workspace=workspace)
    lookup = source_lookup(workspace=workspace)
    assert lookup.channels == ("Typed in",)
    assert lookup.direct_source()[source.pk], "it is still what Last Non-Direct passes over"


def test_rows_of_a_merged_channel_count_for_the_other_and_stay_as_they_are(
    shop: Workspace, import_rows: Importer, owner: User
) -> None:
    import_rows("spend", "date,channel,spend\n2026-03-01,FB,5\n2026-03-01,Meta,7\n2026-03-02,FB,1\n")
    import_rows("touchpoints", "customer,occurred_at,channel\na,2026-03-01T10:00Z,FB\nb,2026-03-01T10:00Z,Meta\n")
    rows = list(ChannelSpend.objects.order_by("pk").values())
    before = version(shop)
    fb, meta = Channel.objects.get(name="FB"), Channel.objects.get(name="Meta")

    merge_channels(source=fb, target=meta, by=owner)

    spend = load_daily_spend(workspace=shop)
    assert spend.channel.tolist() == [meta.pk, meta.pk]
    assert spend.spend.tolist() == [12, 1]
    lookup = source_lookup(workspace=shop)
    assert lookup.channels == ("Meta",)
    assert set(lookup.channel[list(TrafficSource.objects.values_list("pk", flat=True))]) == {0}
    assert list(ChannelSpend.objects.order_by("pk").values()) == rows
    assert version(shop) != before

    unmerge_channel(channel=fb, by=owner)

    assert version(shop) == before
    assert sorted(load_daily_spend(workspace=shop).spend.tolist()) == [1, 5, 7]
    assert actions()[-2:] == ["channel.merged", "channel.unmerged"]
    unmerge_channel(channel=fb, by=owner)
    assert actions()[-2:] == ["channel.merged", "channel.unmerged"], "nothing was left to undo"


def test_undoing_the_merge_of_a_renamed_channel_brings_back_the_version_too(
    workspace: Workspace, add: Callable[[str], Channel]
) -> None:
    one, two = add("One"), add("Two")
    rename_channel(channel=one, name="Uno", by=None)
    before = version(workspace)
    merge_channels(source=one, target=two, by=None)
    assert version(workspace) != before
    unmerge_channel(channel=one, by=None)
    assert version(workspace) == before


def test_a_merged_channel_takes_those_merged_into_it_along(workspace: Workspace, add: Callable[[str], Channel]) -> None:
    one, two, three = add("One"), add("Two"), add("Three")
    merge_channels(source=one, target=two, by=None)
    merge_channels(source=two, target=three, by=None)
    assert (named("One", workspace), named("Two", workspace)) == ("Three", "Three")
    assert channel_index(workspace=workspace).merged() == {one.pk: three.pk, two.pk: three.pk}
    unmerge_channel(channel=two, by=None)
    assert (named("One", workspace), named("Two", workspace)) == ("Two", "Two")


def test_later_imports_that_name_the_merged_channel_keep_its_rows_apart(shop: Workspace, import_rows: Importer) -> None:
    import_rows("spend", "date,channel,spend\n2026-03-01,FB,5\n2026-03-01,Meta,7\n")
    fb, meta = Channel.objects.get(name="FB"), Channel.objects.get(name="Meta")
    merge_channels(source=fb, target=meta, by=None)
    import_rows("spend", "date,channel,spend\n2026-03-01,FB,6\n")
    assert ChannelSpend.objects.filter(channel=fb, shadowed=False).get().spend == 6, "it restates what FB had"
    assert load_daily_spend(workspace=shop).spend.tolist() == [13]


def test_what_the_grouping_calls_by_the_name_of_a_merged_channel_counts_for_the_other(
    workspace: Workspace, add: Callable[[str], Channel]
) -> None:
    merge_channels(source=add("Paid Search"), target=add("Search"), by=None)
    source = TrafficSource.objects.create(workspace=workspace, source="google", medium="cpc")
    lookup = source_lookup(workspace=workspace)
    assert lookup.channels[lookup.channel[source.pk]] == "Search"


def test_merges_that_would_go_in_a_circle_or_nowhere_are_refused(add: Callable[[str], Channel]) -> None:
    one, two, three = add("One"), add("Two"), add("Three")
    merge_channels(source=one, target=two, by=None)
    for source, target, reason in (
        (three, three, "into itself"),
        (one, three, "merged into Two already"),
        (two, one, "itself merged into Two"),
        (three, one, "Choose that channel"),
    ):
        with pytest.raises(Conflict, match=reason):
            merge_channels(source=source, target=target, by=None)
    assert dict(Channel.objects.values_list("name", "merged_into__name")) == {
        "One": "Two",
        "Two": None,
        "Three": None,
    }


def test_a_circle_in_the_database_ends_nevertheless(workspace: Workspace, add: Callable[[str], Channel]) -> None:
    one, two = add("One"), add("Two")
    Channel.objects.filter(pk=one.pk).update(merged_into=two)
    Channel.objects.filter(pk=two.pk).update(merged_into=one)
    assert channel_index(workspace=workspace).counted_for(one.pk) in (one.pk, two.pk)


def test_channels_of_other_workspaces_are_not_there(add: Callable[[str], Channel]) -> None:
    theirs = create_channel(workspace=WorkspaceFactory.create(), name="Theirs", type=Channel.Type.PAID)
    with pytest.raises(NotFound):
        merge_channels(source=add("Ours"), target=theirs, by=None)
    with pytest.raises(NotFound):
        swap_colours(channel=Channel.objects.get(name="Ours"), other=theirs, by=None)


def test_two_channels_exchange_their_colours_and_no_other_moves(add: Callable[[str], Channel]) -> None:
    one, _, three = add("One"), add("Two"), add("Three")
    swap_colours(channel=one, other=three, by=None)
    assert list(Channel.objects.values_list("name", flat=True)) == ["Three", "Two", "One"]
    assert sorted(Channel.objects.values_list("colour_slot", flat=True)) == [0, 1, 2]
    swap_colours(channel=one, other=one, by=None)
    assert actions() == ["channel.colours_swapped"]


def test_a_type_is_changed_once(add: Callable[[str], Channel], owner: User) -> None:
    channel = add("TV")
    for _ in range(2):
        set_channel_type(channel=channel, type=Channel.Type.OFFLINE, by=owner)
    assert Channel.objects.get().type == "offline"
    assert AuditEvent.objects.get().detail == {"changes": {"type": {"before": "paid", "after": "offline"}}}


FB_IS_SOCIAL: list[dict[str, Any]] = [
    {"channel": "Social", "type": "owned", "conditions": [{"field": "source", "operator": "is", "value": "fb"}]}
]


def test_the_rules_count_while_the_grouping_is_custom(workspace: Workspace, owner: User) -> None:
    source = TrafficSource.objects.create(workspace=workspace, source="fb", medium="paid")

    def channel() -> str:
        lookup = source_lookup(workspace=workspace)
        return str(lookup.channels[lookup.channel[source.pk]])

    versions = [version(workspace)]
    for grouping, expected in (
        ("custom", "Social"),
        ("granular", "fb / paid / (not set)"),
        ("standard", "Paid Social"),
    ):
        change_grouping(workspace=workspace, grouping=grouping, rules=FB_IS_SOCIAL, by=owner)
        assert channel() == expected
        versions.append(version(workspace))
    assert versions[0] == versions[-1]
    assert len(set(versions)) == 3
    assert actions() == ["grouping.rules_changed", *["settings.changed"] * 3]
    assert ChannelGrouping.objects.get().changed_by == owner


def test_other_rules_are_another_version_only_while_they_count(workspace: Workspace) -> None:
    before = version(workspace)
    change_grouping(workspace=workspace, grouping="standard", rules=FB_IS_SOCIAL, by=None)
    assert version(workspace) == before
    change_grouping(workspace=workspace, grouping="custom", by=None)
    custom = version(workspace)
    change_grouping(workspace=workspace, grouping="custom", rules=[], by=None)
    assert len({before, custom, version(workspace)}) == 3


def test_rules_that_cannot_be_change_nothing(workspace: Workspace) -> None:
    with pytest.raises(InvalidRulesError):
        change_grouping(workspace=workspace, grouping="custom", rules=[{"channel": ""}], by=None)
    workspace.refresh_from_db()
    assert (workspace.channel_grouping, ChannelGrouping.objects.count(), actions()) == ("standard", 0, [])


def test_two_who_change_the_rules_at_once_do_not_overwrite_each_other(workspace: Workspace) -> None:
    seen = custom_rules(workspace=workspace).digest
    change_grouping(workspace=workspace, grouping="custom", rules=FB_IS_SOCIAL, seen=seen, by=None)
    with pytest.raises(Conflict, match="Somebody else"):
        change_grouping(workspace=workspace, grouping="custom", rules=[], seen=seen, by=None)
    assert ChannelGrouping.objects.get().rules == FB_IS_SOCIAL


def test_a_channel_that_a_rule_brings_into_being_has_the_type_that_it_says(workspace: Workspace) -> None:
    TrafficSource.objects.create(workspace=workspace, source="fb")
    change_grouping(workspace=workspace, grouping="custom", rules=FB_IS_SOCIAL, by=None)
    (channel,) = ensure_grouped_channels(workspace=workspace, sources=source_lookup(workspace=workspace))
    assert (channel.name, channel.type) == ("Social", "owned")
    set_channel_type(channel=channel, type=Channel.Type.PAID, by=None)
    ensure_grouped_channels(workspace=workspace, sources=source_lookup(workspace=workspace))
    assert Channel.objects.get().type == "paid", "one that is there keeps its own"
