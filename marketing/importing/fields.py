"""The fields of each dataset: what a column may hold, under the names that people map their columns to."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from babel.numbers import list_currencies

from marketing.importing import cells, paths
from marketing.importing.appearance import folded
from marketing.importing.errors import FileRejected
from marketing.importing.synonyms import CURRENCY
from marketing.models import Dataset, Interaction

INTERACTIONS = {choice.name.lower(): choice.value for choice in Interaction}
CODE = re.compile(r"[A-Za-z]{3}")
CODE_AT_END = re.compile(r"(?:[(\[]\s*|[\s_-])([A-Za-z]{3})\s*[)\]]?$")
WORDS = ("all", "try", "top")  # which are currencies in capitals only
YEARS_AHEAD = 2  # holidays and promotions are known before they come
NO_EVENT = ("na", "n/a", "nan", "none", "null", "no", "false", "0", "-")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataset. `required`: a row without it is rejected."""

    name: str
    parse: cells.Parser
    required: bool = False


def _planned_day(column: pa.Array, clock: cells.Clock) -> cells.Cells:
    """A calendar day, which may lie ahead."""
    ahead = replace(clock, now=clock.now + dt.timedelta(days=365 * YEARS_AHEAD))
    parsed = cells.day(column, ahead)
    latest = np.datetime64(ahead.now.astimezone(clock.zone).date(), "D")
    for i in np.flatnonzero(parsed.values > latest):
        parsed.wrong[int(i)] = f"more than {YEARS_AHEAD} years ahead"
    return parsed


def _event_name(column: pa.Array, clock: cells.Clock) -> cells.Cells:
    """What happened, in words; blank where nothing did."""
    names = cells.text(100, blank=NO_EVENT)(column, clock)
    numeric = pc.match_substring_regex(pa.array(names.values, pa.string()), r"^[\d.,]+$")
    for i in np.flatnonzero(numeric.to_numpy(zero_copy_only=False).astype(bool) & names.present):
        names.wrong[int(i)] = f"“{names.values[i]}” is a number, not the name of an event"
    return names


NAME = cells.text(100)
LONG_NAME = cells.text(200)
# What exports from Google Analytics write where there is nothing; as a source or medium such words mean something.
UNSAID = ("(not set)", "(none)")
CHANNEL = cells.text(100, blank=UNSAID)
CAMPAIGN = cells.text(200, blank=UNSAID)
GEO = Field("geo", NAME)
DATE = Field("date", cells.day, required=True)
EVENT_NAMES = "events"  # of a wide table: what happened in the row's period, if anything did

FIELDS: dict[str, tuple[Field, ...]] = {
    Dataset.TOUCHPOINTS: (
        Field("customer", cells.identifier(200), required=True),
        Field("occurred_at", cells.moment, required=True),
        Field("channel", CHANNEL),
        Field("source", LONG_NAME),
        Field("medium", LONG_NAME),
        Field("campaign", CAMPAIGN),
        Field("interaction", cells.choice(INTERACTIONS)),
        Field("segment", NAME),
    ),
    Dataset.CONVERSIONS: (
        Field("customer", cells.identifier(200), required=True),
        Field("occurred_at", cells.moment, required=True),
        Field("goal", NAME),
        Field("value", cells.money),
        Field("order_id", cells.identifier(100)),
        Field("converted", cells.boolean),
    ),
    Dataset.SPEND: (
        DATE,
        Field("channel", CHANNEL, required=True),
        Field("campaign", CAMPAIGN),
        GEO,
        Field("spend", cells.money, required=True),
        Field("impressions", cells.non_negative),
        Field("clicks", cells.non_negative),
    ),
    Dataset.OUTCOMES: (DATE, Field("outcome", NAME, required=True), GEO, Field("value", cells.number, required=True)),
    Dataset.CONTROLS: (DATE, Field("control", NAME, required=True), GEO, Field("value", cells.number, required=True)),
    Dataset.EXPERIMENTS: (
        Field("channel", CHANNEL, required=True),
        Field("start", cells.day, required=True),
        Field("end", cells.day, required=True),
        GEO,
        Field("lift", cells.number, required=True),
        Field("standard_error", cells.number, required=True),
        Field("spend", cells.money, required=True),
    ),
    Dataset.MEDIA_TABLE: (DATE, GEO, Field(EVENT_NAMES, _event_name)),
    Dataset.EVENTS: (
        Field("name", NAME, required=True),
        Field("start", _planned_day, required=True),
        Field("end", _planned_day),
        GEO,
    ),
    Dataset.PATHS: (
        Field("date", cells.day),
        Field("path", paths.parse, required=True),
        Field("conversions", cells.non_negative, required=True),
        Field("value", cells.money),
        Field("null", cells.non_negative),
    ),
}
SERIES = {
    "spend": cells.money,
    "impressions": cells.non_negative,
    "clicks": cells.non_negative,
    "outcome": cells.number,
    "control": cells.number,
}


def mapped_fields(*, dataset: str, header: list[str], mapping: dict[str, str]) -> dict[Field, str]:
    """Return {field: column} from the mapping, and for the rest from columns that bear a field's own name.

    A field that is mapped to "" gets no column, not even one of its name. Raises FileRejected for a field that the
    dataset lacks, a column that the file lacks, a required field unmapped.
    """
    known = {field.name: field for field in FIELDS[dataset]}
    if dataset == Dataset.MEDIA_TABLE:
        _refuse_repeated_series(mapping)
        _refuse_repeated_series(header)
        mapping = {series_name(name) or name: column for name, column in mapping.items()}
        known |= _series_fields([*mapping, *header])
    if unknown := [name for name in mapping if name not in known]:
        raise FileRejected(f"{dataset} has no field “{unknown[0]}”. Its fields: {', '.join(known)}.")
    if absent := [column for column in mapping.values() if column and column not in header]:
        raise FileRejected(f"The file has no column “{absent[0]}”. Its columns: {', '.join(filter(None, header))}.")
    by_name = _columns_by_field_name(known, header)
    taken = set(mapping.values())
    columns = {
        name: column
        for name, column in (by_name | mapping).items()
        if column and (name in mapping or known[name].required or column not in taken)
    }
    if missing := [field.name for field in known.values() if field.required and field.name not in columns]:
        raise FileRejected(
            f"No column for “{missing[0]}”. Name a column “{missing[0]}”, or map one to it. "
            f"The file's columns: {', '.join(filter(None, header))}."
        )
    if dataset == Dataset.TOUCHPOINTS and not {"channel", "source", "medium"} & set(columns):
        raise FileRejected("Touchpoints need a channel, or a source and medium. Map a column to one of them.")
    if dataset == Dataset.MEDIA_TABLE and not any(series_name(name) or name == EVENT_NAMES for name in columns):
        raise FileRejected("Map at least one column to spend:<channel>, impressions:<channel>, outcome:<name> ...")
    _refuse_repeated_series(columns)
    return {known[name]: column for name, column in columns.items()}


def columns_of_amounts(fields: Mapping[Field, str]) -> list[str]:
    """Return the columns that may hold money: outcomes are revenue as often as not."""
    of_outcomes = any(field.name == "outcome" for field in fields)
    return [
        column
        for field, column in fields.items()
        if field.parse is cells.money or field.name.startswith("outcome:") or (of_outcomes and field.name == "value")
    ]


def currency_column(fields: Mapping[Field, str], header: Iterable[str]) -> str | None:
    """Return the column that says in which currency the amounts are, None if there is none, or are no amounts."""
    return next((name for name in header if folded(name) in CURRENCY), None) if columns_of_amounts(fields) else None


def require_currency_of_rows(column: str, said: pa.Array, *, currency: str) -> None:
    """Raise FileRejected if one of the cells of the column names another currency."""
    codes = {code.upper() for code in pc.unique(said).to_pylist() if CODE.fullmatch(code)}
    if foreign := sorted(codes - {currency}):
        raise FileRejected(
            f"“{column}” says {foreign[0]}, but the workspace counts in {currency}. Convert the amounts to {currency}, "
            "and say so in that column."
        )


def require_currency_of_columns(fields: Mapping[Field, str], *, currency: str) -> None:
    """Raise FileRejected if the name of a column of amounts, such as “Cost (USD)”, says another currency."""
    named = {column: code for column in columns_of_amounts(fields) if (code := _code(column))}
    if foreign := [column for column, code in named.items() if code != currency]:
        raise FileRejected(
            f"“{foreign[0]}” says {named[foreign[0]]}, but the workspace counts in {currency}. Convert the amounts to "
            f"{currency}, and rename the column."
        )


def _code(column: str) -> str | None:
    """Return the currency that a column's name ends with: “Cost (EUR)”, “spend_usd”, “Cost in USD”."""
    found = CODE_AT_END.search(column)
    if found is None or found.group(1).lower() == found.group(1) in WORDS:
        return None
    code = found.group(1).upper()
    return code if code in list_currencies() else None


def _columns_by_field_name(known: dict[str, Field], header: list[str]) -> dict[str, str]:
    """Return {field name: column} for the columns that bear a field's name; one in its exact case comes first."""
    by_lower_case = {(series_name(column) or column).lower(): column for column in reversed(header)}
    exact = {column: column for column in header}
    return {name: column for name in known if (column := exact.get(name) or by_lower_case.get(name.lower()))}


def _refuse_repeated_series(names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        series = series_name(name)
        same = seen.setdefault(series.lower(), name) if series else name
        if same != name:
            raise FileRejected(f"“{same}” and “{name}” are the same series. Map one column to it.")


def _series_fields(names: list[str]) -> dict[str, Field]:
    """Return the fields of a wide table that are named by what they measure, such as `spend:Paid Search`."""
    series = dict.fromkeys(filter(None, map(series_name, names)))
    return {name: Field(name, SERIES[name.partition(":")[0]]) for name in series}


def series_name(name: str) -> str | None:
    """Return `kind:label`, the kind in lower case and no blanks around either, or None if the name is no series."""
    kind, _, label = (part.strip() for part in name.partition(":"))
    return f"{kind.lower()}:{label}" if kind.lower() in SERIES and 0 < len(label) <= 100 else None
