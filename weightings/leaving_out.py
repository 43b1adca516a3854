"""What a question leaves out of the data: channels, controls and experiments, by names that stay valid.

A question keeps what is left out, not what is in, so that what is imported later comes in by itself. What is known from
rows that do not count, shadowed ones or those of undone imports, may be left out too: questions of before stay valid.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from accounts.models import Workspace
from marketing.channel_index import ChannelIndex, channel_index
from marketing.experiments import VisibleExperiment
from marketing.models import Channel, ChannelSpend, Control, Event, Experiment, Import
from marketing.periods import Period

LONGEST_SHOWN = 60
# A channel's name may hold anything; the days of the test come behind it.
_EXPERIMENT = re.compile(r"(?P<channel>.+?) +(?P<start>[\d-]{10})/(?P<end>[\d-]{10})(?: in (?P<geo>.+))?", re.DOTALL)


def channels(workspace: Workspace, asked: Any) -> list[str]:
    """Return the channels that are meant, by the names that they have now, in the order of these.

    Raises ValueError with a sentence for a name that no channel ever had, and where no spend would be left.
    """
    index = channel_index(workspace=workspace)
    found: dict[int, str] = {}
    for name in _names(asked, lambda text: text.lower() in index.ids):
        channel = index.named(name)
        if channel is None:
            raise ValueError(f"There is no channel “{_cut(name)}”.")
        found[channel.pk] = channel.name
    spending = set(paid_channels(workspace, index))
    if spending and spending <= found.keys():
        raise ValueError("All channels with spend are left out, which leaves nothing to measure. Keep at least one.")
    return sorted(found.values())


def controls(workspace: Workspace, asked: Any) -> list[str]:
    """Return the controls and events that are meant, as they are called, in the order of their names.

    Raises ValueError with a sentence for a name that nothing has.
    """
    rows = Event.objects.filter(workspace=workspace).order_by("name")
    named = Control.objects.filter(workspace=workspace).order_by("name")
    known: dict[str, dict[str, None]] = {}  # names that differ in capitals only may be two
    for name in (*named.values_list("name", flat=True), *rows.values_list("name", flat=True).distinct()):
        known.setdefault(name.lower(), {})[name] = None
    found: dict[str, None] = {}
    for name in _names(asked, lambda text: text.lower() in known):
        alike = known.get(name.lower())
        if alike is None:
            raise ValueError(f"There is no control and no event “{_cut(name)}”.")
        found |= {name: None} if name in alike else alike
    return sorted(found)


def experiments(workspace: Workspace, asked: Any) -> list[str]:
    """Return the experiments that are meant as `experiment_name` has them, in the order of their names.

    Raises ValueError with a sentence for one that was never imported.
    """
    index = channel_index(workspace=workspace)
    rows = Experiment.objects.filter(channel__workspace=workspace).values_list("channel", "start", "end", "geo")
    known = {
        (index.counted_for(channel), start.isoformat(), end.isoformat(), geo): Period(start, end)
        for channel, start, end, geo in rows
        if channel in index.channels
    }

    def one(text: str) -> tuple[int, str, str, str] | None:
        said = _EXPERIMENT.fullmatch(text)
        channel = index.named(said["channel"]) if said else None
        key = (channel.pk, said["start"], said["end"], said["geo"] or "") if said and channel else None
        return key if key in known else None

    found: dict[str, None] = {}
    for name in _names(asked, lambda text: one(text) is not None):
        key = one(name)
        if key is None:
            raise ValueError(
                f"There is no experiment “{_cut(name)}”. They are called by channel and days, such as “TV "
                "2026-03-02/2026-03-29”, and “… in North” where they were in one geo."
            )
        found[experiment_name(index.channels[key[0]].name, known[key], key[3])] = None
    return sorted(found)


def experiment_name(channel: str, period: Period, geo: str) -> str:
    """Return how an experiment is called: no two that count are of one channel, the same days and geo."""
    return f"{channel} {period.start.isoformat()}/{period.end.isoformat()}{f' in {geo}' if geo else ''}"


def kept(found: Iterable[VisibleExperiment], left_out: Sequence[str]) -> list[VisibleExperiment]:
    """Return the experiments that are not among those that are left out."""
    return [one for one in found if experiment_name(one.channel, one.period, one.geo) not in left_out]


def paid_channels(workspace: Workspace, index: ChannelIndex) -> list[int]:
    """Return the ids of the channels that rows with spend count for, in the order of their colours."""
    return _with_rows(workspace, index, spend__gt=0)


def media_channels(workspace: Workspace, index: ChannelIndex) -> list[int]:
    """Return the ids of the channels that any rows of spend, impressions or clicks count for."""
    return _with_rows(workspace, index)


def _with_rows(workspace: Workspace, index: ChannelIndex, **of_rows: Any) -> list[int]:
    visible = ChannelSpend.objects.filter(batch__status=Import.Status.ACTIVE, shadowed=False, **of_rows)
    some = Channel.objects.filter(Exists(visible.filter(channel=OuterRef("pk"))), workspace=workspace)
    counted = {index.counted_for(pk) for pk in some.values_list("pk", flat=True) if pk in index.channels}
    return [pk for pk in index.channels if pk in counted]


def _names(asked: Any, is_name: Callable[[str], bool]) -> list[str]:
    """The names in a list, or in a text: one, or several that are parted by semicolons, or else by commas.

    `is_name`: whether a text is one name as it stands, whatever it holds.
    """
    if isinstance(asked, list) and all(isinstance(name, str) for name in asked):
        return [name.strip() for name in asked if name.strip()]
    if not isinstance(asked, str):
        raise ValueError(f"What is left out is a list of names, not “{_cut(asked)}”.")
    if is_name(asked.strip()):
        return [asked.strip()]
    return [name.strip() for name in asked.split(";" if ";" in asked else ",") if name.strip()]


def _cut(asked: object) -> str:
    return str(asked)[:LONGEST_SHOWN]
