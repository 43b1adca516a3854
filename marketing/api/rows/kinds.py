"""Each dataset's rows: where they are stored, and what is said of one."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from marketing.api.rows.names import Names
from marketing.api.rows.walking import Row, Rows, visible
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Dataset,
    Event,
    Experiment,
    ImportedRow,
    Interaction,
    OutcomeValue,
    PathCount,
    Touchpoint,
)

Record = dict[str, Any]
INTERACTION_CODES: Mapping[int, str] = {each.value: each.name.lower() for each in Interaction}
STEPS_JOINED_BY = " > "


@dataclass(frozen=True)
class Kind:
    """A dataset as it is read. `columns`: what is read of each row beside its id and import; `say`: what of it is said.

    `brought_by`: the datasets of the imports that may hold such rows: a wide table has rows of several.
    """

    dataset: Dataset
    model: type[ImportedRow]
    columns: tuple[str, ...]
    say: Callable[[Row, Names], Record]
    brought_by: tuple[Dataset, ...]

    def rows(self) -> Rows:
        """The rows of all workspaces that count if their import does."""
        return visible(self.model).values("id", "batch_id", *self.columns)

    def records(self, rows: Iterable[Row], names: Names) -> list[Record]:
        """Say what is in some rows, in values that JSON has."""
        rows = list(rows)
        names.learn(rows)
        return [{"id": row["id"], "import": row["batch_id"], **self.say(row, names)} for row in rows]


def _touchpoint(row: Row, names: Names) -> Record:
    source = names.source(row["traffic_source_id"])
    return {
        "customer": str(row["customer_id"]),
        "occurred_at": _moment(row["occurred_at"]),
        **names.channel_of(source),
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign,
        "interaction": INTERACTION_CODES[row["interaction"]],
        "segment": names.of(row, "segment_id"),
    }


def _conversion(row: Row, names: Names) -> Record:
    return {
        "customer": str(row["customer_id"]),
        "occurred_at": _moment(row["occurred_at"]),
        "goal": names.of(row, "goal_id"),
        "value": _amount(row["value"]),
        "order_id": row["order_id"],
        "converted": row["converted"],
    }


def _spend(row: Row, names: Names) -> Record:
    return {
        "date": row["date"].isoformat(),
        **names.channel(row["channel_id"]),
        "campaign": names.of(row, "campaign_id"),
        "geo": row["geo"] or None,
        "spend": _amount(row["spend"]),
        "impressions": row["impressions"],
        "clicks": row["clicks"],
    }


def _series(name: str) -> Callable[[Row, Names], Record]:
    def say(row: Row, names: Names) -> Record:
        return {
            "date": row["date"].isoformat(),
            name: names.of(row, f"{name}_id"),
            "geo": row["geo"] or None,
            "value": row["value"],
        }

    return say


def _experiment(row: Row, names: Names) -> Record:
    return {
        **names.channel(row["channel_id"]),
        "start": row["start"].isoformat(),
        "end": row["end"].isoformat(),
        "geo": row["geo"] or None,
        "lift": row["lift"],
        "standard_error": row["standard_error"],
        "spend": _amount(row["spend"]),
    }


def _event(row: Row, _names: Names) -> Record:
    return {
        "name": row["name"],
        "start": row["start"].isoformat(),
        "end": row["end"].isoformat(),
        "geo": row["geo"] or None,
    }


def _path(row: Row, names: Names) -> Record:
    ids = np.frombuffer(bytes(row["channels"]), PathCount.CHANNEL_DTYPE).tolist()
    steps = [str(names.channel(pk)["channel"]) for pk in ids]
    return {
        "date": row["date"] and row["date"].isoformat(),
        "path": STEPS_JOINED_BY.join(steps),
        "steps": steps,
        "conversions": row["conversions"],
        "value": _amount(row["value"]),
        "null": row["nulls"],
    }


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


KINDS: Mapping[Dataset, Kind] = {
    kind.dataset: kind
    for kind in (
        Kind(
            Dataset.TOUCHPOINTS,
            Touchpoint,
            ("customer_id", "occurred_at", "traffic_source_id", "interaction", "segment_id"),
            _touchpoint,
            (Dataset.TOUCHPOINTS,),
        ),
        Kind(
            Dataset.CONVERSIONS,
            Conversion,
            ("customer_id", "occurred_at", "goal_id", "value", "order_id", "converted"),
            _conversion,
            (Dataset.CONVERSIONS,),
        ),
        Kind(
            Dataset.SPEND,
            ChannelSpend,
            ("date", "channel_id", "campaign_id", "geo", "spend", "impressions", "clicks"),
            _spend,
            (Dataset.SPEND, Dataset.MEDIA_TABLE),
        ),
        Kind(
            Dataset.OUTCOMES,
            OutcomeValue,
            ("date", "outcome_id", "geo", "value"),
            _series("outcome"),
            (Dataset.OUTCOMES, Dataset.MEDIA_TABLE),
        ),
        Kind(
            Dataset.CONTROLS,
            ControlValue,
            ("date", "control_id", "geo", "value"),
            _series("control"),
            (Dataset.CONTROLS, Dataset.MEDIA_TABLE),
        ),
        Kind(
            Dataset.EXPERIMENTS,
            Experiment,
            ("channel_id", "start", "end", "geo", "lift", "standard_error", "spend"),
            _experiment,
            (Dataset.EXPERIMENTS,),
        ),
        Kind(Dataset.EVENTS, Event, ("name", "start", "end", "geo"), _event, (Dataset.EVENTS, Dataset.MEDIA_TABLE)),
        Kind(
            Dataset.PATHS,
            PathCount,
            ("date", "channels", "conversions", "value", "nulls"),
            _path,
            (Dataset.PATHS,),
        ),
    )
}
