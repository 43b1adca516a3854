"""Where datasets contradict each other: spend without touches, ads that cost nothing, channels without history."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from marketing.health.checks.coverage import SPEND
from marketing.health.checks.findings import Finding, Severity, amount_of, counted, day_of, listed
from marketing.health.checks.observations import OFFLINE, PAID, Observations

RECENT_DAYS = 90
FEWEST_TOUCHES = 30
LINGERING = 0.1  # of the touches of days with spend: old links and bookmarks of a channel that was switched off
FEWEST_DAYS_SPENT = 7
MOST_NAMED = 10  # channels without spend, each by a finding of its own
WEEK = 7
WEEKS_FOR_MEDIA_MIX = 52
FEWEST_WEEKS_SPENT = 10


def spend_without_touches(seen: Observations) -> Iterator[Finding]:
    """Yield channels, not offline ones, on which money was spent lately while nobody was seen to come from them."""
    recent = seen.last(RECENT_DAYS)
    if not seen.touches_by_channel[:, recent].any():
        return
    for channel, named in enumerate(seen.channels):
        spend = np.nan_to_num(seen.spend_by_channel[channel][recent])
        if named.type == OFFLINE or (spend > 0).sum() < FEWEST_DAYS_SPENT:
            continue
        if seen.touches_by_channel[channel][recent].any():
            continue
        days = np.flatnonzero(spend > 0) + recent.start + seen.first_day
        yield Finding(
            code="spend_without_touches",
            severity=Severity.WARNING,
            dataset=SPEND,
            channel=named.name,
            first_day=day_of(days[0]),
            last_day=day_of(days[-1]),
            count=len(days),
            sentence=(
                f"{named.name} cost {amount_of(float(spend.sum()), seen.currency)} in the last "
                f"{counted(RECENT_DAYS, 'day')}, but not one touch came from it. Attribution sees nothing that it did."
            ),
            advice=(
                "Tag its links, or see whether its touches come in under another name. If nobody can click on it, "
                "make it an offline channel in Settings."
            ),
        )


def touches_without_spend(seen: Observations, *, misspelt: Collection[str] = ()) -> Iterator[Finding]:
    """Yield paid channels with touches lately of which no spend is known, while that of others is; very many as one.

    `misspelt`: channels whose spend stands under another spelling of their name.
    """
    recent = seen.last(RECENT_DAYS)
    if not np.any(seen.spend_by_channel[:, recent] > 0):
        return
    lacking = [
        channel
        for channel, named in enumerate(seen.channels)
        if named.type == PAID
        and named.name not in misspelt
        and seen.touches_by_channel[channel][recent].sum() >= FEWEST_TOUCHES
        and not np.nansum(seen.spend_by_channel[channel][recent]) > 0
        and not _lingers(seen, channel)
    ]
    if len(lacking) > MOST_NAMED:
        yield _without_spend(seen, lacking)
    else:
        for channel in lacking:
            yield _without_spend(seen, [channel])


def _without_spend(seen: Observations, channels: Sequence[int]) -> Finding:
    """That these channels have touches and no spend: one by its name, or very many, as a granular grouping makes."""
    recent = seen.last(RECENT_DAYS)
    touches = seen.touches_by_channel[list(channels)][:, recent].sum(axis=0)
    days = np.flatnonzero(touches) + recent.start + seen.first_day
    found = f"{counted(touches.sum(), 'touch|touches')} in the last {counted(RECENT_DAYS, 'day')}, but no spend"
    name = seen.channel_name(channels[0]) if len(channels) == 1 else ""
    if name:
        sentence = (
            f"{name} is a paid channel with {found}. Its return cannot be computed, and the media mix leaves it out."
        )
        advice = "Import what it costs. If it costs nothing, make it an organic channel in Settings."
    else:
        sentence = (
            f"{len(channels)} paid channels have {found}. Their return cannot be computed, and the media mix leaves "
            "them out."
        )
        advice = "Import what they cost under the same names, or choose a coarser grouping in Settings."
    return Finding(
        code="touches_without_spend",
        severity=Severity.WARNING,
        dataset=SPEND,
        channel=name,
        first_day=day_of(days[0]),
        last_day=day_of(days[-1]),
        count=int(touches.sum()),
        sentence=sentence,
        advice=advice,
    )


def _lingers(seen: Observations, channel: int) -> bool:
    """Whether the channel's touches lately are but a rest of what there was while money was spent on it."""
    spent = seen.spend_by_channel[channel] > 0  # NaN is not above 0
    counts = seen.touches_by_channel[channel]
    return bool(spent.any() and np.mean(counts[seen.last(RECENT_DAYS)]) < LINGERING * np.mean(counts[spent]))


def left_out_of_media_mix(seen: Observations) -> Iterator[Finding]:
    """Yield the channels whose spend is of too few weeks for the media mix, where that of others is not."""
    known = np.flatnonzero((np.nan_to_num(seen.spend_by_channel) > 0).any(axis=0))
    if not len(known) or (seen.days - int(known[0])) / WEEK < WEEKS_FOR_MEDIA_MIX:
        return  # that all of it is too young is said once, where it is said what the media mix needs
    for channel, named in enumerate(seen.channels):
        days = np.flatnonzero(np.nan_to_num(seen.spend_by_channel[channel]) > 0)
        if not len(days):
            continue
        weeks = (seen.days - int(days[0])) / WEEK
        spent = len(np.unique(days // WEEK))
        reasons = []
        if weeks < WEEKS_FOR_MEDIA_MIX:
            reasons.append(f"its spend is known for {counted(int(weeks), 'week')} only")
        if spent < FEWEST_WEEKS_SPENT:
            reasons.append(f"money was spent in {counted(spent, 'week')} only")
        if reasons:
            yield Finding(
                code="left_out_of_media_mix",
                severity=Severity.NOTE,
                dataset=SPEND,
                channel=named.name,
                first_day=day_of(seen.first_day + days[0]),
                last_day=day_of(seen.first_day + days[-1]),
                count=spent,
                sentence=f"{named.name} will be left out of the media mix: {listed(reasons)}.",
                advice=(
                    f"Import its spend of {WEEKS_FOR_MEDIA_MIX} weeks or more if you have it, or merge it with a "
                    "channel like it in Settings."
                ),
            )
