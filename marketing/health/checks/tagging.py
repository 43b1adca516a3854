"""Faults of tagging: unnamed campaigns, names in several spellings, ads that do not say that they are ads."""

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from marketing.frames import Int64Column
from marketing.grouping import NO_MEDIUM
from marketing.grouping import PAID as PAID_MEDIUM
from marketing.health.checks import names
from marketing.health.checks.coverage import TOUCHPOINTS
from marketing.health.checks.findings import Finding, Severity, counted, day_of, listed, quoted, share, whose
from marketing.health.checks.gaps import newest_stretch
from marketing.health.checks.observations import PAID, Observations

RECENT_DAYS = 90
FEWEST_TOUCHES = 50  # lately, of a channel whose tags are judged
MANY_WITHOUT = 0.2  # share of touches without a campaign
FEWEST_OF_SPELLING = 10
NOT_SET = {"", "(not set)", "(none)"}
# Names of ad platforms as sources: who clicks there, clicked an ad.
AD_PLATFORM = re.compile(
    r"(?:google|bing|microsoft|facebook|fb|meta|instagram|ig|tiktok|linkedin|twitter|x|pinterest|snapchat|amazon|apple"
    r"|reddit|youtube)[ ._-]?(?:search)?[ ._-]?ads?|adwords|gads|doubleclick|dv360|criteo|taboola|outbrain|adroll"
)
UNPAID_MEDIA = NO_MEDIUM | {"organic", "referral", "link", "social"}
PAID_MEDIA = {"display", "banner", "cpm", "affiliate", "expandable", "interstitial", "retargeting", "video", "audio"}


def recent_by_source(seen: Observations, days: int = RECENT_DAYS) -> Int64Column:
    """(S,) touches of each traffic source in the last days."""
    recent = seen.touches.day > seen.yesterday - days
    sums = np.bincount(seen.touches.source[recent], weights=seen.touches.count[recent], minlength=len(seen.sources))
    return sums.astype(np.int64)


def missing_campaigns(seen: Observations) -> Iterator[Finding]:
    """Yield the paid channels of which many recent touches name no campaign, though others of theirs do."""
    without = seen.touches_of(np.array([source.campaign.lower() in NOT_SET for source in seen.sources], np.bool_))
    recent = seen.last(RECENT_DAYS)
    for channel, named in enumerate(seen.channels):
        touches = seen.touches_by_channel[channel]
        total, bare = int(touches[recent].sum()), int(without[channel][recent].sum())
        if named.type != PAID or total < FEWEST_TOUCHES or bare < MANY_WITHOUT * total:
            continue
        never = int(without[channel].sum()) == int(touches.sum())
        lacking = without[channel] >= MANY_WITHOUT * np.maximum(touches, 1)
        stretch = newest_stretch(lacking) or (recent.start, seen.days - 1)
        yield Finding(
            code="missing_campaigns",
            severity=Severity.NOTE if never else Severity.WARNING,
            dataset=TOUCHPOINTS,
            channel=named.name,
            first_day=day_of(seen.first_day + stretch[0]),
            last_day=day_of(seen.first_day + stretch[1]),
            count=bare,
            sentence=(
                f"{share(bare / total)} of {whose(named.name)} touches of the last "
                f"{counted(RECENT_DAYS, 'day')} name no "
                "campaign, so its campaigns get less credit than they earned."
            ),
            advice="Add the campaign (utm_campaign) to the links of these ads, or switch on auto-tagging.",
        )


def spelling_of_channels(seen: Observations) -> Iterator[Finding]:
    """Yield channels whose name is likely another's, misspelt or written otherwise."""
    touches = seen.touches_by_channel.sum(axis=1)
    rows = np.bincount(seen.spend.channel, minlength=len(seen.channels))
    uses = {
        named.name: float(touches[channel] + rows[channel])
        for channel, named in enumerate(seen.channels)
        if touches[channel] + rows[channel]
    }
    pairs = dict(names.misspellings(uses))
    for group in names.variants(uses):
        common = max(group, key=lambda name: uses[name])
        pairs |= {name: common for name in group if name != common}
    position = {named.name: channel for channel, named in enumerate(seen.channels)}
    for name, common in pairs.items():
        # In touches or in spend, wherever it is.
        channel = position[name]
        days = np.flatnonzero((seen.touches_by_channel[channel] > 0) | np.isfinite(seen.spend_by_channel[channel]))
        yield Finding(
            code="channel_misspelt",
            severity=Severity.WARNING,
            dataset=TOUCHPOINTS if touches[channel] else "spend",
            channel=name,
            first_day=day_of(seen.first_day + days[0]),
            last_day=day_of(seen.first_day + days[-1]),
            count=int(uses[name]),
            sentence=f"“{name}” looks like another spelling of “{common}”: the two are counted as two channels.",
            advice=f"Merge “{name}” into “{common}” in Settings, Channels & grouping, and correct its tags.",
        )


def spelling_of_sources(seen: Observations) -> Iterator[Finding]:
    """Yield the paid channels whose links name one platform in several spellings."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for source, touches in zip(seen.sources, recent_by_source(seen).tolist(), strict=True):
        if touches and source.source.lower() not in NOT_SET and seen.channels[source.channel].type == PAID:
            counts[source.channel][source.source] += touches
    for channel, spellings in counts.items():
        often = [name for name, touches in spellings.items() if touches >= FEWEST_OF_SPELLING]
        for group in names.variants(often, key={name: names.platform(name) for name in often}):
            group.sort(key=lambda name: -spellings[name])
            name = seen.channel_name(channel)
            yield Finding(
                code="source_spellings",
                severity=Severity.WARNING,
                dataset=TOUCHPOINTS,
                channel=name,
                first_day=day_of(seen.yesterday - RECENT_DAYS + 1),
                last_day=day_of(seen.yesterday),
                count=sum(spellings[spelling] for spelling in group[1:]),
                sentence=(
                    f"{whose(name)} links name one source in {len(group)} ways "
                    f"in the last {counted(RECENT_DAYS, 'day')}: "
                    f"{listed(quoted(group))}."
                ),
                advice=f"Agree on one spelling (utm_source), such as “{names.platform(group[0])}”, for all links.",
            )


def spelling_of_campaigns(seen: Observations) -> Iterator[Finding]:
    """Yield campaigns of one channel whose names differ by case, punctuation or a typing error."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for source, touches in zip(seen.sources, recent_by_source(seen).tolist(), strict=True):
        if touches and source.campaign.lower() not in NOT_SET:
            counts[source.channel][source.campaign] += touches
    for channel, campaigns in counts.items():
        uses = {name: float(touches) for name, touches in campaigns.items()}
        pairs = dict(names.misspellings(uses))
        for group in names.variants(uses):
            common = max(group, key=lambda name: uses[name])
            pairs |= {name: common for name in group if name != common}
        if not pairs:
            continue
        examples = [f"“{name}” and “{common}”" for name, common in pairs.items()]
        name = seen.channel_name(channel)
        yield Finding(
            code="campaign_spellings",
            severity=Severity.WARNING,
            dataset=TOUCHPOINTS,
            channel=name,
            first_day=day_of(seen.yesterday - RECENT_DAYS + 1),
            last_day=day_of(seen.yesterday),
            count=len(pairs),
            sentence=(
                f"{counted(len(pairs), 'campaign')} of {name} {'looks' if len(pairs) == 1 else 'look'} like another "
                f"spelling of one that there is: {listed(examples, most=2)}."
            ),
            advice="Agree on one spelling (utm_campaign). Campaigns in two spellings each get a part of the credit.",
        )


def ads_without_medium(seen: Observations) -> Iterator[Finding]:
    """Yield ads that came in as unpaid traffic: an ad platform, or a campaign with spend, without a paid medium."""
    hits: dict[int, list[int]] = defaultdict(list)
    for position, source in enumerate(seen.sources):
        medium, campaign = source.medium.strip().lower(), source.campaign.strip().lower()
        booked = seen.booked.get(campaign) if campaign else None
        if source.named or medium in PAID_MEDIA or PAID_MEDIUM.fullmatch(medium):
            continue
        is_platform = AD_PLATFORM.fullmatch(source.source.strip().lower()) is not None
        is_booked = booked is not None and seen.channels[booked].type == PAID and medium in UNPAID_MEDIA
        if (is_platform or is_booked) and seen.channels[source.channel].type != PAID:
            hits[booked if booked is not None else source.channel].append(position)
    for channel, positions in hits.items():
        yield from _ads_of(seen, channel, np.array(positions, np.int64))


def _ads_of(seen: Observations, channel: int, positions: Int64Column) -> Iterator[Finding]:
    rows = np.isin(seen.touches.source, positions) & (seen.touches.day > seen.yesterday - RECENT_DAYS)
    touches = int(seen.touches.count[rows].sum())
    if touches < FEWEST_OF_SPELLING:
        return
    days = seen.touches.day[rows]
    largest = seen.sources[int(seen.touches.source[rows][np.argmax(seen.touches.count[rows])])]
    medium = largest.medium if largest.medium.lower() not in NO_MEDIUM else ""
    instead = "a paid channel" if channel == largest.channel else seen.channel_name(channel)
    said = f"medium “{medium}”" if medium else "no medium"
    yield Finding(
        code="ads_without_medium",
        severity=Severity.WARNING,
        dataset=TOUCHPOINTS,
        channel=seen.channel_name(channel),
        first_day=day_of(days.min()),
        last_day=day_of(days.max()),
        count=touches,
        sentence=(
            f"{counted(touches, 'click')} of ads (source “{largest.source}”) came with {said}, so they count as "
            f"{seen.channel_name(largest.channel)} instead of {instead}."
        ),
        advice="Tag the links of these ads with a paid medium (utm_medium=cpc), or add a rule for them in Settings.",
    )
