"""What the media mix model says, for the section Evidence of the dashboard: its marks, and where others disagree."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from zoneinfo import ZoneInfo

from charts import Mark
from marketing.experiments import MeasuredLift
from mmm_project import formats
from reports.media_mix import MediaMix
from reports.numbers import Group
from reports.ratios import Ratio

NAME = "Media mix (incremental)"
LinkToRun = Callable[[uuid.UUID], str]


class MediaMixEvidence:
    """The model beside what else there is. `zone`: whose days are said; `link`: to the page of its run."""

    def __init__(self, found: MediaMix, *, zone: ZoneInfo, link: LinkToRun) -> None:
        self.found, self._zone, self._link = found, zone, link

    @property
    def name(self) -> str:
        """What its series is called, with what keeps it from being acted on."""
        marked = [*(["failed checks"] if self.found.doubts else []), *(["stale"] if self.found.is_stale else [])]
        return f"Media mix (incremental; {', '.join(marked)})" if marked else NAME

    def of(self, group: Group) -> Ratio | None:
        """What it says of a channel; None if it does not know it."""
        return self.found.by_channel.get(group.key)

    def mark(self, group: Group) -> Mark | None:
        """The same as a mark that leads to the run."""
        returned = self.of(group)
        if returned is None:
            return None
        return Mark(
            value=returned.value,
            text=formats.ratio(returned.value),
            low=returned.low,
            high=returned.high,
            low_text=formats.ratio(returned.low),
            high_text=formats.ratio(returned.high),
            detail=(f"Incremental ROI of {self.found.outcome}, {self.found.period.label}",),
            href=self._link(self.found.run_id),
        )

    def verdict(self, group: Group, lift: MeasuredLift) -> str:
        """Hold it against an experiment: they agree where their intervals meet. "" for a channel it does not know."""
        returned = self.of(group)
        if returned is None:
            return ""
        said = f"the media mix model says {_with_interval(returned, self.found.confidence)}"
        if returned.meets(lift.low, lift.high):
            return f"{said}, which agrees"
        return f"{said}, which is {'more' if returned.low > lift.high else 'less'} than the experiment allows"

    def disagreements(
        self, channels: Sequence[Group], attributed: Sequence[tuple[str, Callable[[Group], Ratio | None]]]
    ) -> Iterator[str]:
        """Say of which channels an attribution model credits what the media mix model's interval does not hold.

        `attributed`: the label of each attribution model, and its ROAS of a channel.
        """
        known = [(group, returned) for group in channels if (returned := self.of(group))]
        pairs = [
            (label, group, ratio, returned)
            for label, ratio_of in attributed
            for group, returned in known
            if (ratio := ratio_of(group)) and not ratio.meets(returned.low, returned.high)
        ]
        said: dict[tuple[str, str], list[str]] = {}
        for label, group, ratio, returned in pairs:
            more = "more" if ratio.low > returned.high else "less"
            against = f"{group.name} ({formats.ratio(ratio.value)}, not {_interval(returned)})"
            said.setdefault((label, more), []).append(against)
        for (label, more), of in said.items():
            yield (
                f"{label} credits {more} than the media mix model's {self.found.confidence}% interval allows: "
                f"{', '.join(of)}."
            )
        if known and not said:
            yield "What attribution credits lies within the media mix model's interval for every channel."

    def origin(self) -> Iterator[str]:
        """Say what its numbers are about, and what keeps them from being acted on."""
        found = self.found
        asked = f"{found.asked_at.astimezone(self._zone):%-d %b %Y, %H:%M}"
        sentence = (
            f"{NAME} is the ROI of {found.outcome} that the run of {asked} found for {found.period.label}, whatever "
            "the period of this page"
        )
        yield f"{sentence}; the data have changed since." if found.is_outdated else f"{sentence}."
        if found.doubts:
            yield "Its model has failed checks, so do not act on it."
        if found.is_stale:
            yield "Its model is more than 90 days old: refresh it before you act on it."
        if found.unsplit:
            yield f"It knows several channels that are one now, so it says nothing of {', '.join(found.unsplit)}."


def _with_interval(of: Ratio, confidence: int) -> str:
    return f"{formats.ratio(of.value)} ({confidence}% interval {_interval(of)})"


def _interval(of: Ratio) -> str:
    return f"{formats.ratio(of.low)} to {formats.ratio(of.high)}"
