"""Random files that overlap, and which of their rows must hold: by the rules, in plain Python, a row at a time."""

import itertools
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from django.conf import settings

from accounts.models import Workspace
from marketing.importing.customers import customer_ids
from marketing.models import (
    Channel,
    ChannelSpend,
    ControlValue,
    Conversion,
    Experiment,
    Import,
    ImportedRow,
    Interaction,
    OutcomeValue,
    PathCount,
    Touchpoint,
)

Row: TypeAlias = dict[str, str]
Key: TypeAlias = tuple[object, ...]

CUSTOMERS = ("ann", "bob")
MOMENTS = ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z", "2026-01-02T10:00:00Z")
DAYS = ("2026-01-01", "2026-01-02")
CHANNELS = ("TV", "Radio")
MEASURES = ("spend", "impressions", "clicks")


@dataclass
class File:
    """What an import was made of: `columns` is its header."""

    dataset: str
    columns: list[str]
    rows: list[Row]

    @property
    def text(self) -> str:
        lines = [self.columns, *([row.get(column, "") for column in self.columns] for row in self.rows)]
        return "\n".join(",".join(line) for line in lines) + "\n"


def random_file(rng: random.Random, kinds: Sequence[str]) -> File:
    """A file of one of these kinds, from so few values that every two are likely to overlap."""
    return MAKERS[rng.choice(kinds)](rng)


def _touchpoints(rng: random.Random) -> File:
    origins = [("TV", "google", "cpc"), ("TV", "", ""), ("", "google", "cpc"), ("", "google", "email")]
    rows = []
    for _ in range(rng.randrange(1, 20)):
        channel, source, medium = rng.choice(origins)
        moment, customer = rng.choice(MOMENTS), rng.choice(CUSTOMERS)
        rows.append(
            {"customer": customer, "occurred_at": moment, "channel": channel, "source": source, "medium": medium}
            | {"campaign": rng.choice(["", "Spring"]), "interaction": rng.choice(["click", "visit"])}
        )
    return File("touchpoints", list(rows[0]), rows)


def _conversions(rng: random.Random) -> File:
    rows = [
        {
            "customer": rng.choice(CUSTOMERS),
            "occurred_at": rng.choice(MOMENTS),
            "goal": rng.choice(["Purchase", "Lead"]),
            "value": rng.choice(["1", "2.5"]),
            "order_id": rng.choice(["", "", "A1", "A2"]),
            "converted": rng.choice(["true", "true", "false"]),
        }
        for _ in range(rng.randrange(1, 20))
    ]
    return File("conversions", list(rows[0]), rows)


def _spend(rng: random.Random) -> File:
    keys = rng.sample(list(itertools.product(DAYS, CHANNELS, ["", "Spring"], ["", "DE"])), rng.randrange(1, 12))
    rows = [
        {"date": day, "channel": channel, "campaign": campaign, "geo": geo, "spend": str(rng.randrange(100))}
        | {name: rng.choice(["", str(rng.randrange(100))]) for name in ("impressions", "clicks")}
        for day, channel, campaign, geo in keys
    ]
    columns = ["date", "channel", "campaign", "geo", "spend"]
    return File("spend", columns + rng.choice([[], ["impressions"], ["clicks"], ["impressions", "clicks"]]), rows)


def _media_table(rng: random.Random) -> File:
    series = [f"{measure}:{channel}" for measure in MEASURES for channel in CHANNELS]
    columns = [*rng.sample(series, rng.randrange(1, 5)), "outcome:Sales", "control:Price"]
    rows = [
        {"date": day, "geo": geo} | {name: rng.choice(["", str(rng.randrange(100))]) for name in columns}
        for day, geo in rng.sample(list(itertools.product(DAYS, ["", "DE"])), rng.randrange(1, 5))
    ]
    return File("media_table", ["date", "geo", *columns], rows)


def _series(rng: random.Random) -> File:
    if rng.random() < 0.3:
        starts = rng.sample(DAYS, rng.randrange(1, 3))
        number = str(rng.randrange(1, 100))
        rows = [
            {"channel": "TV", "start": start, "end": DAYS[-1], "lift": number, "standard_error": "1", "spend": "1"}
            for start in starts
        ]
        return File("experiments", list(rows[0]), rows)
    dataset, name = rng.choice([("outcomes", "outcome"), ("controls", "control")])
    keys = rng.sample(list(itertools.product(DAYS, ["Sales", "Price"])), rng.randrange(1, 5))
    rows = [{"date": day, name: label, "value": str(rng.randrange(100))} for day, label in keys]
    return File(dataset, list(rows[0]), rows)


def _paths(rng: random.Random) -> File:
    keys = [
        (rng.choice(["", *DAYS]), rng.choice(["TV", "TV > Radio", "Radio > TV"])) for _ in range(rng.randrange(1, 9))
    ]
    rows = [
        {"date": day, "path": path, "conversions": str(rng.randrange(1, 9)), "value": rng.choice(["", "0.1", "2.5"])}
        for day, path in keys
    ]
    return File("paths", list(rows[0]), rows)


MAKERS: dict[str, Callable[[random.Random], File]] = {
    "touchpoints": _touchpoints,
    "conversions": _conversions,
    "spend": _spend,
    "media_table": _media_table,
    "series": _series,
    "paths": _paths,
}


def held_by_rule(files: Iterable[tuple[int, File]], workspace: Workspace) -> dict[type[ImportedRow], object]:
    """What holds of these (import id, file) in the order in which they became active."""
    known = list(files)
    return {
        Touchpoint: _first(known, "touchpoints", lambda row: _touch_key(row, workspace)),
        Conversion: _first(known, "conversions", lambda row: _conversion_key(row, workspace)),
        ChannelSpend: _spend_by_rule(known),
        OutcomeValue: _newest(known, "outcome"),
        ControlValue: _newest(known, "control"),
        Experiment: {row["start"]: row["lift"] for _, file in known for row in file.rows if "lift" in row},
        PathCount: _paths_by_rule(known),
    }


def _first(files: list[tuple[int, File]], dataset: str, key: Callable[[Row], Key]) -> dict[Key, int]:
    """The import that each thing was said by first."""
    first: dict[Key, int] = {}
    for batch, file in files:
        for row in file.rows if file.dataset == dataset else []:
            first.setdefault(key(row), batch)
    return first


def _customer(row: Row, workspace: Workspace) -> int:
    (found,) = customer_ids([row["customer"]], workspace_id=workspace.pk, secret=settings.CUSTOMER_HASH_KEY)
    return int(found)


def _moment(row: Row) -> str:
    return row["occurred_at"].replace("Z", "+00:00").replace(".5+", ".500000+")


def _touch_key(row: Row, workspace: Workspace) -> Key:
    origin = (row["channel"],) if row["channel"] else (row["source"], row["medium"])
    return _customer(row, workspace), _moment(row), origin, row["campaign"], row["interaction"].upper()


def _conversion_key(row: Row, workspace: Workspace) -> Key:
    if row["order_id"]:
        return row["goal"], row["order_id"]
    converted = row["converted"] == "true"
    value = Decimal(row["value"]) if converted else Decimal(0)
    return _customer(row, workspace), _moment(row), row["goal"], value, converted


def _spend_by_rule(files: list[tuple[int, File]]) -> dict[Key, list[float | None]]:
    """The newest row of each key; what its file has no column for is what the one before it says."""
    held: dict[Key, list[float | None]] = {}
    for _, file in files:
        for key, said in _spend_rows(file):
            before = held.get(key, [None] * len(MEASURES))
            held[key] = [said.get(name, before[place]) for place, name in enumerate(MEASURES)]
    return held


def _spend_rows(file: File) -> Iterator[tuple[Key, dict[str, float | None]]]:
    """Each row's key, and the measures that its file has a column for."""
    for row in file.rows:
        if file.dataset == "spend":
            measures = {name: _number(row[name]) for name in MEASURES if name in file.columns}
            yield (row["channel"], row["date"], row["campaign"], row["geo"]), measures
        if file.dataset == "media_table":
            for channel in CHANNELS:
                columns = {name: f"{name}:{channel}" for name in MEASURES if f"{name}:{channel}" in file.columns}
                measures = {name: _number(row[column]) for name, column in columns.items()}
                if any(value is not None for value in measures.values()):
                    yield (channel, row["date"], "", row["geo"]), measures


def _paths_by_rule(files: list[tuple[int, File]]) -> dict[Key, tuple[float, Decimal]]:
    """The newest file with a path says its counts, which are those of all of its rows together."""
    held: dict[Key, tuple[float, Decimal]] = {}
    for _, file in files:
        said: dict[Key, tuple[float, Decimal]] = {}
        for row in file.rows if file.dataset == "paths" else []:
            conversions, value = said.get((row["date"], row["path"]), (0.0, Decimal(0)))
            whole = conversions + float(row["conversions"]), value + Decimal(row["value"] or 0)
            said[row["date"], row["path"]] = whole
        held |= said
    return held


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _newest(files: list[tuple[int, File]], name: str) -> dict[Key, float]:
    held: dict[Key, float] = {}
    for _, file in files:
        for row in file.rows:
            if file.dataset == "media_table" and (
                cell := row.get(f"{name}:{'Sales' if name == 'outcome' else 'Price'}")
            ):
                held["Sales" if name == "outcome" else "Price", row["date"], row["geo"]] = float(cell)
            elif name in file.columns:
                held[row[name], row["date"], ""] = float(row["value"])
    return held


def held_in_database(workspace: Workspace) -> dict[type[ImportedRow], object]:
    """The same, as the visible rows have it. Raises ValueError if two of them have one key."""
    visible = {"batch__workspace": workspace, "batch__status": Import.Status.ACTIVE, "shadowed": False}
    touches = Touchpoint.objects.filter(**visible).select_related("traffic_source__channel", "traffic_source__campaign")
    conversions = Conversion.objects.filter(**visible).select_related("goal")
    channels = dict(Channel.objects.filter(workspace=workspace).values_list("pk", "name"))
    spend = ChannelSpend.objects.filter(**visible).values_list(
        "channel__name", "date", "campaign__name", "geo", *MEASURES
    )
    return {
        Touchpoint: _unique((_held_touch_key(row), row.batch_id) for row in touches),
        Conversion: _unique((_held_conversion_key(row), row.batch_id) for row in conversions),
        ChannelSpend: _unique(
            ((channel, str(date), campaign or "", geo), [None if value is None else float(value) for value in measures])
            for channel, date, campaign, geo, *measures in spend
        ),
        OutcomeValue: _unique(
            ((row.outcome.name, str(row.date), row.geo), row.value)
            for row in OutcomeValue.objects.filter(**visible).select_related("outcome")
        ),
        ControlValue: _unique(
            ((row.control.name, str(row.date), row.geo), row.value)
            for row in ControlValue.objects.filter(**visible).select_related("control")
        ),
        Experiment: _unique(
            (str(row.start), str(int(row.lift))) for row in Experiment.objects.filter(**visible)
        ),
        PathCount: _unique(
            ((str(row.date or ""), _path_of(row, channels)), (row.conversions, row.value))
            for row in PathCount.objects.filter(**visible)
        ),
    }  # fmt: skip


def _path_of(row: PathCount, channels: Mapping[int, str]) -> str:
    return " > ".join(channels[pk] for (pk,) in struct.iter_unpack("<I", row.channels))


def _held_touch_key(row: Touchpoint) -> Key:
    source = row.traffic_source
    origin = (source.channel.name,) if source.channel else (source.source, source.medium)
    campaign = source.campaign.name if source.campaign else ""
    return row.customer_id, row.occurred_at.isoformat(), origin, campaign, Interaction(row.interaction).name


def _held_conversion_key(row: Conversion) -> Key:
    if row.order_id:
        return row.goal.name, row.order_id
    return row.customer_id, row.occurred_at.isoformat(), row.goal.name, row.value, row.converted


def _unique(pairs: Iterable[tuple[object, object]]) -> dict[object, object]:
    known = list(pairs)
    if twice := [key for key, count in Counter(key for key, _ in known).items() if count > 1]:
        raise ValueError(f"Two rows hold for {twice}.")
    return dict(known)


def counts_by_rule(files: Iterable[tuple[int, File]], workspace: Workspace) -> dict[int, tuple[int, int]]:
    """Accepted and duplicates of each import of touchpoints or conversions."""
    known = list(files)
    touches = _first(known, "touchpoints", lambda row: _touch_key(row, workspace))
    conversions = _first(known, "conversions", lambda row: _conversion_key(row, workspace))
    accepted = Counter([*touches.values(), *conversions.values()])
    return {
        batch: (accepted[batch], len(file.rows) - accepted[batch])
        for batch, file in known
        if file.dataset in ("touchpoints", "conversions")
    }
