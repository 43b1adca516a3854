"""Look up, or create, what rows refer to by name: channels, campaigns, traffic sources, segments, goals and so on."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Max, Model

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.grouping import CHANNEL_TYPES
from marketing.importing.errors import FileRejected
from marketing.models import Campaign, Channel, Control, Goal, Outcome, Segment, TrafficSource

Names = Iterable[str]
SourceNames = tuple[str, str, str, str]
Spans = list[list[int]]
MAX_NEW_CHANNELS = 500  # in one file: far more than anybody has, so another column was taken for the channel's
TYPE_HINTS = (  # the first that fits holds: direct mail before direct
    (Channel.Type.OFFLINE, r"tv|radio|print|out.of.home|d?ooh|billboards?|direct mail|cinema|events?"),
    (Channel.Type.OWNED, r"e-?mails?|newsletters?|sms|push|crm|app"),
    (Channel.Type.ORGANIC, r"organic|direct|referrals?|seo|unassigned"),
)
OUTCOME_HINTS = (
    (Outcome.Kind.APP_INSTALLS, r"installs?|installations?|downloads?"),
    (Outcome.Kind.BRAND_AWARENESS, r"awareness|recall|brand searches|consideration"),
    (Outcome.Kind.WEBSITE_TRAFFIC, r"visits?|sessions?|visitors?|page ?views?|traffic|users?"),
    (Outcome.Kind.SALES, r"sales?|revenue|turnover|orders?|purchases?|transactions?|umsatz|ventes|ventas|omzet"),
)
MONEY_WORDS = r"revenue|turnover|gmv|umsatz|chiffre d affaires|ingresos|omzet"


@dataclass(slots=True)
class Dimensions:
    """Ids by name for one workspace, remembered for the length of an import. Names match without regard to case.

    `created`: for each kind, the ids of the names that had to be created, as `spans_of` has them.
    """

    workspace: Workspace
    created: dict[str, Spans] = field(default_factory=dict)
    _known: dict[type[Model], dict[str, int]] = field(default_factory=dict)
    _sources: dict[tuple[int, str, str, int], int] | None = None
    _created_channels: int = 0

    def channels(self, names: Names) -> dict[str, int]:
        return self._ids(Channel, names)

    def campaigns(self, names: Names) -> dict[str, int]:
        return self._ids(Campaign, names)

    def segments(self, names: Names) -> dict[str, int]:
        return self._ids(Segment, names)

    def goals(self, names: Names) -> dict[str, int]:
        return self._ids(Goal, names)

    def outcomes(self, names: Names) -> dict[str, int]:
        return self._ids(Outcome, names)

    def controls(self, names: Names) -> dict[str, int]:
        return self._ids(Control, names)

    def default_goal(self) -> int:
        """Return the id of the goal that conversions without a goal count towards. Raises FileRejected if none is."""
        goal = Goal.objects.filter(workspace=self.workspace, is_default=True).first()
        if goal is None:
            raise FileRejected("Some rows name no goal, and the workspace has no default goal. Fill in the goals.")
        return goal.pk

    def traffic_sources(self, described: Sequence[SourceNames]) -> list[int]:
        """Return the id of each traffic source, given as channel, source, medium and campaign ("" for unsaid)."""
        channels = {"": 0} | self.channels(dict.fromkeys(channel for channel, _, _, _ in described if channel))
        campaigns = {"": 0} | self.campaigns(dict.fromkeys(campaign for _, _, _, campaign in described if campaign))
        keys = [
            (channels[channel], source, medium, campaigns[campaign]) for channel, source, medium, campaign in described
        ]
        known = self._known_sources()
        if new := [key for key in dict.fromkeys(keys) if key not in known]:
            created = TrafficSource.objects.bulk_create(
                TrafficSource(
                    workspace=self.workspace,
                    channel_id=channel or None,
                    source=source,
                    medium=medium,
                    campaign_id=campaign or None,
                )
                for channel, source, medium, campaign in new
            )
            known.update(zip(new, (source.pk for source in created), strict=True))
            self._note(TrafficSource, created)
        return [known[key] for key in keys]

    def _known_sources(self) -> dict[tuple[int, str, str, int], int]:
        if self._sources is None:
            rows = TrafficSource.objects.filter(workspace=self.workspace).values_list(
                "channel_id", "source", "medium", "campaign_id", "pk"
            )
            self._sources = {
                (channel or 0, source, medium, camp or 0): pk for channel, source, medium, camp, pk in rows
            }
        return self._sources

    def _ids(self, model: type[Model], names: Names) -> dict[str, int]:
        known = self._known.get(model)
        if known is None:
            known = self._known[model] = ids_by_name(workspace=self.workspace, model=model)
        wanted = {name: name.lower() for name in names}
        new: dict[str, str] = {}
        for name, folded in wanted.items():
            if folded not in known:
                new.setdefault(folded, name)  # the first spelling becomes its name
        if new:
            created = self._create(model, list(new.values()))
            known.update(zip(new, (row.pk for row in created), strict=True))
            self._note(model, created)
        return {name: known[folded] for name, folded in wanted.items()}

    def _note(self, model: type[Model], created: Iterable[Model]) -> None:
        key = str(model._meta.model_name)
        self.created[key] = spans_of((row.pk for row in created), after=self.created.get(key, []))

    def _create(self, model: type[Model], names: list[str]) -> Sequence[Model]:
        if model is Channel:
            return self._create_channels(names)
        if model is Goal:
            return Goal.objects.bulk_create(
                Goal(workspace=self.workspace, name=name, kind=guess_goal_kind(name)) for name in names
            )
        if model is Outcome:
            return Outcome.objects.bulk_create(
                Outcome(workspace=self.workspace, name=name, kind=guess_outcome_kind(name), is_money=says_money(name))
                for name in names
            )
        return model._default_manager.bulk_create(model(workspace=self.workspace, name=name) for name in names)

    def _create_channels(self, names: list[str]) -> list[Channel]:
        """Create channels with the next free colours. Raises FileRejected if the file names too many new ones."""
        self._created_channels += len(names)
        if self._created_channels > MAX_NEW_CHANNELS:
            raise FileRejected(
                f"The file names more than {MAX_NEW_CHANNELS} new channels, “{names[0]}” among them. "
                "Is its column of channels the right one?"
            )
        return ensure_channels(workspace=self.workspace, names=names)


def spans_of(ids: Iterable[int], *, after: Spans | None = None) -> Spans:
    """Return the ids as the first and last of each run of successive ones, behind those of `after`."""
    spans = [list(span) for span in after or []]
    for pk in ids:
        if spans and spans[-1][1] == pk - 1:
            spans[-1][1] = pk
        else:
            spans.append([pk, pk])
    return spans


def ids_in(spans: Spans) -> Iterator[int]:
    """Yield the ids that `spans_of` made spans of."""
    return (pk for first, last in spans for pk in range(first, last + 1))


def ids_by_name(*, workspace: Workspace, model: type[Model]) -> dict[str, int]:
    """Return the ids of what the workspace has of this kind, by name in lower case; channels also by former names."""
    if model is Channel:
        return dict(channel_index(workspace=workspace).ids)
    rows = model._default_manager.filter(workspace=workspace).values_list("name", "pk")
    return {name.lower(): pk for name, pk in rows}


def create_channel(*, workspace: Workspace, name: str, type: Channel.Type) -> Channel:  # noqa: A002 - the field's name
    """Create a channel with the next free colour."""
    return Channel.objects.create(workspace=workspace, name=name, type=type, colour_slot=_next_colour_slot(workspace))


def ensure_channels(
    *, workspace: Workspace, names: Sequence[str], types: Mapping[str, str] | None = None
) -> list[Channel]:
    """Return the channels that have, or had, these names, no two alike, in their order.

    Missing ones get a row, the next colours, and the type that `types` has for their name in lower case, else a guess.
    Safe while others create channels of the workspace, as an import and the daily cube may at the same time.
    """
    tries = 3
    while True:
        index = channel_index(workspace=workspace)
        missing = [name for name in names if name.lower() not in index.ids]
        if not missing:
            return [index.channels[index.ids[name.lower()]] for name in names]
        tries -= 1
        try:
            with transaction.atomic():
                _create_channels(workspace, missing, types or {})
        except IntegrityError:  # somebody else took one of the names, or a colour, at this moment: look again
            if not tries:
                raise


def _create_channels(workspace: Workspace, names: list[str], types: Mapping[str, str]) -> None:
    first = _next_colour_slot(workspace)
    Channel.objects.bulk_create(
        Channel(workspace=workspace, name=name, type=types.get(name.lower()) or guess_type(name), colour_slot=slot)
        for slot, name in enumerate(names, start=first)
    )


def _next_colour_slot(workspace: Workspace) -> int:
    last: int | None = Channel.objects.filter(workspace=workspace).aggregate(last=Max("colour_slot"))["last"]
    return 0 if last is None else last + 1


def guess_goal_kind(name: str) -> Goal.Kind:
    """Guess a new goal's kind from its name. People can correct it."""
    return Goal.Kind.LEAD if re.fullmatch("leads?", name, re.IGNORECASE) else Goal.Kind.OTHER


def guess_outcome_kind(name: str) -> Outcome.Kind:
    """Guess what a new outcome is from its name. People can correct it."""
    return next(
        (kind for kind, words in OUTCOME_HINTS if re.search(rf"\b({words})\b", _words(name), re.IGNORECASE)),
        Outcome.Kind.CUSTOM,
    )


def says_money(name: str) -> bool:
    """Whether a new outcome's name says that it counts money: revenue does, sales may be units."""
    words = _words(name)
    return bool(re.search(rf"\b({MONEY_WORDS})\b", words, re.IGNORECASE)) and " per " not in words.lower()


def _words(name: str) -> str:
    return re.sub(r"[_\W]+", " ", name)


def guess_type(name: str) -> Channel.Type:
    """Guess a new channel's type from its name; paid unless the name says otherwise. People can correct it."""
    if name in CHANNEL_TYPES:
        return Channel.Type(CHANNEL_TYPES[name])
    return next(
        (kind for kind, words in TYPE_HINTS if re.search(rf"\b({words})\b", name, re.IGNORECASE)), Channel.Type.PAID
    )
