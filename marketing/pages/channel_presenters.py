"""What the pages of Settings > Channels & grouping show: all queries are finished and all numbers are words here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from accounts.models import Workspace
from charts import Colour, channel_colour
from marketing.channel_figures import NOTHING, ChannelFigures, channel_figures
from marketing.channel_index import ChannelIndex, channel_index
from marketing.grouping_rules import FIELDS, OPERATORS, OTHERWISE, Condition, Rule, Rules
from marketing.models import Channel, ChannelAlias
from marketing.sources import MOST_GROUPS, custom_rules
from marketing.traffic import TrafficPreview, TrafficRow
from mmm_project import formats

ROWS_ON_A_PAGE = 50
MOST_CHANNELS = 12
VALUES_SHOWN = 5
GROUPINGS: dict[str, str] = {
    "standard": "The default channels of Google Analytics, by source, medium and campaign: Paid Search, Organic "
    "Social, Email and so on.",
    "custom": "Your own rules, in order. The first rule that fits decides.",
    "granular": "Every combination of source, medium and campaign is a channel of its own, such as “google / cpc / "
    "brand”.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel as the list shows it. `includes`: the channels merged into it; `former`: other names of it."""

    channel: Channel
    colour: Colour
    includes: Sequence[Channel]
    former: Sequence[str]
    touches: str
    share: str
    spend: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelList:
    """The channels of a workspace, a page of them at a time. `is_counted`: whether touches are counted.

    `coming`, `more_coming`: channels that the grouping names and that get their row and colour in a moment.
    """

    rows: Sequence[ChannelRow]
    page: Page  # type: ignore[type-arg]  # not generic at run time
    is_counted: bool
    coming: Sequence[str]
    more_coming: int


def channel_list(*, workspace: Workspace, page: str | None) -> ChannelList:
    """Return a page of the list; as many queries whatever the number of channels."""
    index = channel_index(workspace=workspace)
    figures = channel_figures(workspace=workspace, index=index)
    of_channel = figures or {}
    standing = sorted(index.standing(), key=lambda each: -of_channel.get(each.name, NOTHING).touches)
    total = sum(each.touches for each in of_channel.values())
    found = Paginator(standing, ROWS_ON_A_PAGE).get_page(page)
    merged: dict[int, list[Channel]] = {}
    for source, target in index.merged().items():
        merged.setdefault(target, []).append(index.channels[source])
    former: dict[int, list[str]] = {}
    for channel, name in (
        ChannelAlias.objects.filter(workspace=workspace).order_by("name").values_list("channel", "name")
    ):
        former.setdefault(channel, []).append(name)
    rows = [
        ChannelRow(
            channel=each,
            colour=channel_colour(each.colour_slot),
            includes=merged.get(each.pk, []),
            former=former.get(each.pk, []),
            origin=_origin(of_channel.get(each.name, NOTHING)) if figures is not None else "",
            **_figures(of_channel.get(each.name, NOTHING), total, workspace, is_counted=figures is not None),
        )
        for each in found
    ]
    coming = [name for name, each in of_channel.items() if index.named(name) is None and each.touches]
    return ChannelList(
        rows=rows,
        page=found,
        is_counted=figures is not None,
        coming=coming[:MOST_CHANNELS],
        more_coming=max(len(coming) - MOST_CHANNELS, 0),
    )


def _figures(figures: ChannelFigures, total: int, workspace: Workspace, *, is_counted: bool) -> dict[str, str]:
    if not is_counted:
        return {"touches": "…", "share": "", "spend": "…"}
    return {
        "touches": formats.count(figures.touches),
        "share": formats.percent(figures.touches / total) if total else "",
        "spend": formats.round_money(figures.spend, workspace.currency) if figures.spend else "–",
    }


def _origin(figures: ChannelFigures) -> str:
    origins = [text for holds, text in ((figures.named, "your data"), (figures.grouped, "the grouping")) if holds]
    return " and ".join(origins).capitalize() if origins else "Nothing at present"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeEffect:
    """What merging one channel into another would change: (name, touches, spend) of both, and of the two together."""

    source: Channel
    target: Channel
    rows: Sequence[tuple[str, str, str]]
    includes: Sequence[str]


def merge_effect(*, workspace: Workspace, index: ChannelIndex, source: Channel, target: Channel) -> MergeEffect:
    """Return what would be counted for the target."""
    known = channel_figures(workspace=workspace, index=index)
    figures = known or {}
    one, other = figures.get(source.name, NOTHING), figures.get(target.name, NOTHING)
    together = ChannelFigures(touches=one.touches + other.touches, spend=one.spend + other.spend)
    rows = []
    for name, each in ((source.name, one), (target.name, other), (f"{target.name}, merged", together)):
        words = _figures(each, 0, workspace, is_counted=known is not None)
        rows.append((name, words["touches"], words["spend"]))
    includes = [index.channels[pk].name for pk in index.counting_for(source.pk) if pk != source.pk]
    return MergeEffect(source=source, target=target, rows=rows, includes=includes)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingSummary:
    """How traffic is grouped at present. `rules`: the workspace's own as sentences, where they count."""

    label: str
    text: str
    rules: Sequence[tuple[str, str]]
    otherwise: str


def grouping_summary(*, workspace: Workspace) -> GroupingSummary:
    """Return what the workspace's grouping is; one query at most."""
    grouping = workspace.channel_grouping
    is_custom = grouping == Workspace.Grouping.CUSTOM
    rules = custom_rules(workspace=workspace) if is_custom else Rules()
    return GroupingSummary(
        label=workspace.get_channel_grouping_display(),
        text=GROUPINGS[grouping],
        rules=[(rule.channel, rule_sentence(rule)) for rule in rules.rules],
        otherwise=OTHERWISE[rules.otherwise] if is_custom else "",
    )


def rule_sentence(rule: Rule) -> str:
    """Write a rule's conditions in words: "Source is one of fb, ig and medium contains paid"."""
    words = (" and " if rule.match == "all" else " or ").join(map(_condition, rule.conditions))
    return words[:1].upper() + words[1:]


def _condition(condition: Condition) -> str:
    shown = ", ".join(f"“{value}”" for value in condition.values[:VALUES_SHOWN])
    more = len(condition.values) - VALUES_SHOWN
    values = f" {shown}{f' and {more:,} more' if more > 0 else ''}" if shown else ""
    return f"{FIELDS[condition.field].lower()} {OPERATORS[condition.operator]}{values}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """A traffic source in the preview: how many touches, from which channel to which, by which rule."""

    label: str
    touches: str
    before: str
    after: str
    changes: bool
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """The preview in words. `channels`: (name, before, after) of the largest; `notes`: what it leaves out."""

    headline: str
    is_counted: bool
    is_empty: bool
    rows: Sequence[PreviewRow]
    unmatched_headline: str
    unmatched: Sequence[PreviewRow]
    channels: Sequence[tuple[str, str, str]]
    notes: Sequence[str]


def preview_page(preview: TrafficPreview, *, grouping: str) -> PreviewPage:
    """Return the words for what a grouping would make of the workspace's traffic."""
    unit = "touchpoint" if preview.is_counted else "traffic source"
    total = f"{formats.count(preview.touches, unit)} without a channel in the data"
    changed = f"{formats.count(preview.changed)} of {total} would change channel."
    is_custom = grouping == Workspace.Grouping.CUSTOM
    unmatched = "no rule fits" if is_custom else "Unassigned"
    return PreviewPage(
        headline=changed if preview.changed else f"Nothing would change for the {total}.",
        is_counted=preview.is_counted,
        is_empty=not preview.touches,
        rows=[_preview_row(row) for row in preview.rows],
        unmatched_headline=f"{formats.count(preview.unmatched)} of {total}: {unmatched}",
        unmatched=[_preview_row(row) for row in preview.unmatched_rows],
        channels=[
            (name, formats.count(before), formats.count(after))
            for name, before, after in preview.channels[:MOST_CHANNELS]
        ],
        notes=list(_notes(preview, unit)),
    )


def _preview_row(row: TrafficRow) -> PreviewRow:
    return PreviewRow(
        label=row.traffic.label,
        touches="…" if row.touches is None else formats.count(row.touches),
        before=row.before,
        after=row.after,
        changes=row.changes,
        rule="" if row.rule is None else f"Rule {row.rule}",
    )


def _notes(preview: TrafficPreview, unit: str) -> Iterator[str]:
    if not preview.is_counted:
        yield "Touchpoints are being counted after an import; until then, traffic sources are."
    if preview.looked_at < preview.sources:
        yield (
            f"These are the {preview.looked_at:,} largest of {preview.sources:,} traffic sources: there was not the "
            "time for more."
        )
    if preview.too_many_groups:
        yield f"At most {MOST_GROUPS:,} channels are made by a grouping; the rarest of more are one channel, Other."
    if len(preview.channels) > MOST_CHANNELS:
        yield f"Not shown: {formats.count(len(preview.channels) - MOST_CHANNELS, 'more channel')}."
    if preview.named:
        yield f"Another {formats.count(preview.named, unit)} came with a channel, which counts whatever the grouping."
