"""Every change to channels and to what groups traffic into them: atomic, audited; imported rows stay as they are."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts.actions import change_settings
from accounts.audit import record
from accounts.models import ApiKey, User, Workspace
from marketing.channel_index import channel_index
from marketing.frames import SourceLookup
from marketing.grouping_rules import parse_rules
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel, ChannelAlias, ChannelGrouping
from marketing.sources import custom_rules
from mmm_project.problems import Conflict, Invalid, NotFound

LONGEST_NAME = 100


@transaction.atomic
def rename_channel(*, channel: Channel, name: str, by: User | None, api_key: ApiKey | None = None) -> None:
    """Give a channel another name; the one that it had stays known, so that imports which say it mean this channel.

    Raises Invalid (field `name`) for a name that cannot be or that is, or was, another channel's.
    """
    stored = _lock(channel)
    name = name.strip()
    if name == stored.name:
        return
    _require_free(stored, name)
    before, stored.name = stored.name, name
    stored.save(update_fields=["name"])
    if before.lower() != name.lower():
        stored.aliases.filter(pk__in=_named(stored.aliases.all(), name)).delete()
    if not _named(stored.aliases.all(), before):
        stored.aliases.create(workspace=stored.workspace, name=before)
    channel.name = name
    record(
        workspace=stored.workspace,
        action="channel.renamed",
        target=name,
        actor=by,
        api_key=api_key,
        changes={"name": {"before": before, "after": name}},
    )


@transaction.atomic
def forget_name(*, alias: ChannelAlias, by: User | None, api_key: ApiKey | None = None) -> None:
    """Let a former name go: what says it from now on is a channel of its own."""
    _lock(alias.channel)
    alias.delete()
    record(
        workspace=alias.workspace,
        action="channel.name_forgotten",
        target=alias.name,
        actor=by,
        api_key=api_key,
        of=alias.channel.name,
    )


@transaction.atomic
def set_channel_type(
    *,
    channel: Channel,
    type: Channel.Type,  # noqa: A002 - the field's name
    by: User | None,
    api_key: ApiKey | None = None,
) -> None:
    """Say whether the channel is paid, organic, owned or offline."""
    stored = _lock(channel)
    if stored.type == type:
        return
    before, stored.type = stored.type, type
    stored.save(update_fields=["type"])
    channel.type = type
    record(
        workspace=stored.workspace,
        action="channel.type_changed",
        target=stored.name,
        actor=by,
        api_key=api_key,
        changes={"type": {"before": before, "after": type}},
    )


@transaction.atomic
def swap_colours(*, channel: Channel, other: Channel, by: User | None) -> None:
    """Exchange the colours of two channels of a workspace. Raises NotFound for one of another workspace."""
    one, two = _lock(channel), _reread(channel.workspace, other)
    if one.pk == two.pk:
        return
    last = Channel.objects.filter(workspace=channel.workspace).order_by("-colour_slot").values_list("colour_slot")[0][0]
    slots = one.colour_slot, two.colour_slot
    for each, slot in ((one, last + 1), (two, slots[0]), (one, slots[1])):  # no colour is two channels', not even now
        Channel.objects.filter(pk=each.pk).update(colour_slot=slot)
    channel.colour_slot, other.colour_slot = slots[1], slots[0]
    record(
        workspace=channel.workspace,
        action="channel.colours_swapped",
        target=one.name,
        actor=by,
        other=two.name,
        changes={"colour_slot": {"before": slots[0], "after": slots[1]}},
    )


@transaction.atomic
def merge_channels(*, source: Channel, target: Channel, by: User | None, api_key: ApiKey | None = None) -> None:
    """Count all rows of `source`, and of what was merged into it, for `target` from now on. No row changes.

    Raises Conflict if either is merged already or both are the same, and NotFound for channels of different workspaces.
    """
    merged, into = _lock(source), _reread(source.workspace, target)
    if merged.pk == into.pk:
        raise Conflict("A channel cannot be merged into itself.")
    if merged.merged_into is not None:
        raise Conflict(f"{merged.name} is merged into {merged.merged_into.name} already. Undo that first.")
    if into.merged_into is not None:  # besides, this is why merges cannot go round in a circle
        raise Conflict(f"{into.name} is itself merged into {into.merged_into.name}. Choose that channel instead.")
    merged.merged_into = source.merged_into = into
    merged.save(update_fields=["merged_into"])
    record(
        workspace=merged.workspace,
        action="channel.merged",
        target=merged.name,
        actor=by,
        api_key=api_key,
        into=into.name,
    )


@transaction.atomic
def unmerge_channel(*, channel: Channel, by: User | None, api_key: ApiKey | None = None) -> None:
    """Let a merged channel stand on its own again, as if it had never been merged."""
    stored = _lock(channel)
    if stored.merged_into is None:
        return
    into = stored.merged_into
    stored.merged_into = channel.merged_into = None
    stored.save(update_fields=["merged_into"])
    record(
        workspace=stored.workspace,
        action="channel.unmerged",
        target=stored.name,
        actor=by,
        api_key=api_key,
        out_of=into.name,
    )


@transaction.atomic
def change_grouping(
    *,
    workspace: Workspace,
    grouping: str,
    by: User | None,
    rules: list[Any] | None = None,
    seen: str | None = None,
    api_key: ApiKey | None = None,
) -> None:
    """Group traffic differently, and keep the workspace's own rules if some are given.

    `seen`: the digest of the rules that were on the page. Raises InvalidRulesError for rules that cannot be, and
    Conflict if somebody else changed them since.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if rules is not None:
        before, after = custom_rules(workspace=workspace), parse_rules(rules)
        if seen is not None and seen != before.digest:
            raise Conflict("Somebody else changed the rules in the meantime. Load the page again to see theirs.")
        stored, _ = ChannelGrouping.objects.get_or_create(workspace=workspace)
        if stored.rules != rules:
            stored.rules, stored.changed_by = rules, by
            stored.save(update_fields=["rules", "changed_by", "changed_at"])
            counts = {"before": len(before.rules), "after": len(after.rules)}
            record(
                workspace=workspace,
                action="grouping.rules_changed",
                target=workspace.slug,
                actor=by,
                api_key=api_key,
                changes={"number_of_rules": counts},
            )
    change_settings(workspace=workspace, values={"channel_grouping": grouping}, by=by, api_key=api_key)


def ensure_grouped_channels(*, workspace: Workspace, sources: SourceLookup) -> list[Channel]:
    """Return the channels that traffic resolves to, in the look-up's order; those that only the grouping names so far
    get a row, and with it a colour, and the type that the workspace's own rules say."""
    is_custom = workspace.channel_grouping == Workspace.Grouping.CUSTOM
    types = custom_rules(workspace=workspace).types if is_custom else {}
    return ensure_channels(workspace=workspace, names=sources.channels, types=types)


def _lock(channel: Channel) -> Channel:
    """Let one transaction at a time change the workspace's channels, and see the channel as it is now."""
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=channel.workspace_id)
    return _reread(workspace, channel)


def _reread(workspace: Workspace, channel: Channel) -> Channel:
    found = (
        Channel.objects.filter(workspace=workspace, pk=channel.pk).select_related("workspace", "merged_into").first()
    )
    if found is None:
        raise NotFound("There is no such channel in this workspace.")
    return found


def _require_free(channel: Channel, name: str) -> None:
    """Raise Invalid unless the channel may be called that."""
    sentence = ""
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        sentence = f"A name is one line of 1 to {LONGEST_NAME} characters."
    else:
        index = channel_index(workspace=channel.workspace)
        holder = index.channels.get(index.ids.get(name.lower(), channel.pk), channel)
        if holder.pk != channel.pk and holder.name.lower() == name.lower():
            sentence = f"There is a channel “{holder.name}” already. To count the two as one, merge them."
        elif holder.pk != channel.pk:
            sentence = f"“{name}” is a former name of {holder.name}, which imports may still use."
    if sentence:
        raise Invalid("The channel cannot be renamed.", errors={"name": [sentence]})


def _named(aliases: Iterable[ChannelAlias], name: str) -> list[int]:
    return [alias.pk for alias in aliases if alias.name.lower() == name.lower()]
