"""The fields of each dataset: what a column may hold, under the names that people map their columns to."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketing.importing import cells
from marketing.importing.errors import FileRejected
from marketing.models import Dataset, Interaction

INTERACTIONS = {choice.name.lower(): choice.value for choice in Interaction}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataset. `required`: a row without it is rejected."""

    name: str
    parse: cells.Parser
    required: bool = False


NAME = cells.text(100)
LONG_NAME = cells.text(200)
# What exports from Google Analytics write where there is nothing; as a source or medium such words mean something.
UNSAID = ("(not set)", "(none)")
CHANNEL = cells.text(100, blank=UNSAID)
CAMPAIGN = cells.text(200, blank=UNSAID)
GEO = Field("geo", NAME)
DATE = Field("date", cells.day, required=True)

FIELDS: dict[str, tuple[Field, ...]] = {
    Dataset.TOUCHPOINTS: (
        Field("customer", LONG_NAME, required=True),
        Field("occurred_at", cells.moment, required=True),
        Field("channel", CHANNEL),
        Field("source", LONG_NAME),
        Field("medium", LONG_NAME),
        Field("campaign", CAMPAIGN),
        Field("interaction", cells.choice(INTERACTIONS)),
        Field("segment", NAME),
    ),
    Dataset.CONVERSIONS: (
        Field("customer", LONG_NAME, required=True),
        Field("occurred_at", cells.moment, required=True),
        Field("goal", NAME),
        Field("value", cells.money),
        Field("order_id", NAME),
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
    Dataset.MEDIA_TABLE: (DATE, GEO),
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

    Raises FileRejected for a field that the dataset lacks, a column that the file lacks, a required field unmapped.
    """
    known = {field.name: field for field in FIELDS[dataset]}
    if dataset == Dataset.MEDIA_TABLE:
        _refuse_repeated_series(mapping)
        _refuse_repeated_series(header)
        mapping = {_series_name(name) or name: column for name, column in mapping.items()}
        known |= _series_fields([*mapping, *header])
    if unknown := [name for name in mapping if name not in known]:
        raise FileRejected(f"{dataset} has no field “{unknown[0]}”. Its fields: {', '.join(known)}.")
    if absent := [column for column in mapping.values() if column not in header]:
        raise FileRejected(f"The file has no column “{absent[0]}”. Its columns: {', '.join(header)}.")
    columns = _columns_by_field_name(known, header) | mapping
    if missing := [field.name for field in known.values() if field.required and field.name not in columns]:
        raise FileRejected(
            f"No column for “{missing[0]}”. Name a column “{missing[0]}”, or map one to it. "
            f"The file's columns: {', '.join(header)}."
        )
    if dataset == Dataset.TOUCHPOINTS and not {"channel", "source", "medium"} & set(columns):
        raise FileRejected("Touchpoints need a channel, or a source and medium. Map a column to one of them.")
    if dataset == Dataset.MEDIA_TABLE and not any(":" in name for name in columns):
        raise FileRejected("Map at least one column to spend:<channel>, impressions:<channel>, outcome:<name> ...")
    _refuse_repeated_series(columns)
    return {known[name]: column for name, column in columns.items()}


def _columns_by_field_name(known: dict[str, Field], header: list[str]) -> dict[str, str]:
    """Return {field name: column} for the columns that bear a field's name; one in its exact case comes first."""
    by_lower_case = {(_series_name(column) or column).lower(): column for column in reversed(header)}
    exact = {column: column for column in header}
    return {name: column for name in known if (column := exact.get(name) or by_lower_case.get(name.lower()))}


def _refuse_repeated_series(names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        series = _series_name(name)
        same = seen.setdefault(series.lower(), name) if series else name
        if same != name:
            raise FileRejected(f"“{same}” and “{name}” are the same series. Map one column to it.")


def _series_fields(names: list[str]) -> dict[str, Field]:
    """Return the fields of a wide table that are named by what they measure, such as `spend:Paid Search`."""
    series = dict.fromkeys(filter(None, map(_series_name, names)))
    return {name: Field(name, SERIES[name.partition(":")[0]]) for name in series}


def _series_name(name: str) -> str | None:
    """Return `kind:label`, the kind in lower case and no blanks around either, or None if the name is no series."""
    kind, _, label = (part.strip() for part in name.partition(":"))
    return f"{kind.lower()}:{label}" if kind.lower() in SERIES and 0 < len(label) <= 100 else None
