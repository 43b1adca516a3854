"""What tables of touches and conversions must hold, and the sentence for each that does not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from analyses.errors import AnalysisError
from marketing.models import Interaction
from mmm_project import formats

Table: TypeAlias = Literal["touches", "conversions"]
Kind: TypeAlias = Literal[
    "text", "whole number", "number", "time", "time without a zone", "time in nanoseconds", "yes or no", "other"
]
# Which kind each column of a table is, by name.
Kinds: TypeAlias = Mapping[str, Kind]

_NUMBERS: tuple[Kind, ...] = ("number", "whole number")
COLUMNS: Mapping[Table, Mapping[str, tuple[Kind, ...]]] = {
    "touches": {
        "customer": ("text", "whole number"),
        "occurred_at": ("time",),
        "channel": ("text",),
        "campaign": ("text",),
        "interaction": ("text",),
        "sequence": ("whole number",),
    },
    "conversions": {
        "customer": ("text", "whole number"),
        "occurred_at": ("time",),
        "goal": ("text",),
        "value": _NUMBERS,
        "converted": ("yes or no",),
        "order_id": ("text", "whole number"),
        "sequence": ("whole number",),
    },
}
REQUIRED: Mapping[Table, tuple[str, ...]] = {
    "touches": ("customer", "occurred_at", "channel"),
    "conversions": ("customer", "occurred_at", "goal"),
}
UNSPECIFIED = Interaction.UNSPECIFIED.name.lower()
INTERACTIONS = {each.name.lower(): each.value for each in Interaction}
MOST_SOURCES = 60_000  # pairs of channel and campaign, each of which is a number of 16 bits at most


@dataclass(frozen=True, slots=True)
class Reading:
    """Which columns a question reads, where the tables have them, and the times that it looks at, in microseconds."""

    campaign: bool
    interaction: bool
    from_us: int
    stop_us: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at the tables finds.

    `touches`: of the times that the question looks at. `sources`: their channels with their campaigns, None where there
    is none. `interactions`: the words there are, None among them. `empty`: by table and column, rows with an empty cell
    that must not be. `goals`: the time of the last conversion to each, by its text, microseconds; None without any.
    `unusable_values`: values that are no finite number. `repeated_orders`: how many orders of one goal come twice or
    oftener, and one of them.
    """

    touches: int
    sources: Collection[tuple[str | None, str | None]]
    interactions: Collection[str | None]
    empty: Mapping[tuple[Table, str], int]
    goals: Mapping[str, int | None]
    unusable_values: int = 0
    repeated_orders: tuple[int, str] = field(default=(0, ""))


def check_columns(table: Table, found: Kinds, needed: Collection[str] = ()) -> None:
    """Raise AnalysisError for a column that is missing or of the wrong kind.

    `needed`: columns that the question needs beyond the required ones.
    """
    expected = COLUMNS[table]
    for name in (*REQUIRED[table], *needed):
        if name not in found:
            there = ", ".join(sorted(found)) or "none"
            raise AnalysisError(f"The table “{table}” has no column “{name}”. Its columns: {there}.", code="no_column")
    for name, kinds in expected.items():
        if name not in found or found[name] in kinds:
            continue
        if found[name] == "time without a zone":
            raise AnalysisError(
                f"The times in “{table}.{name}” have no zone, so nobody knows when they were. "
                "Write them as UTC, with the zone in the column's type.",
                code="no_zone",
            )
        if found[name] == "time in nanoseconds":
            raise AnalysisError(
                f"The times in “{table}.{name}” are in nanoseconds. Write them in microseconds.", code="column_type"
            )
        wanted, there = " or ".join(kinds), "of another" if found[name] == "other" else found[name]
        raise AnalysisError(
            f"The column “{table}.{name}” must be of the kind {wanted}, and it is {there}.", code="column_type"
        )


def check_customers_alike(touches: Kinds, conversions: Kinds) -> None:
    """Raise AnalysisError where customers are text in one table and numbers in the other: none would be found again."""
    if touches["customer"] != conversions["customer"]:
        raise AnalysisError(
            f"Customers are of the kind {touches['customer']} in “touches”, "
            f"but {conversions['customer']} in “conversions”. Write them alike.",
            code="column_type",
        )


def check_survey(survey: Survey) -> None:
    """Raise AnalysisError for cells that cannot be used."""
    for (table, column), rows in survey.empty.items():
        if rows:
            raise AnalysisError(
                f"{formats.count(rows, 'row')} of “{table}” {_has(rows)} nothing in “{column}”. "
                "Fill it in, or leave such rows out.",
                code="empty_cells",
            )
    if survey.unusable_values:
        raise AnalysisError(
            f"{formats.count(survey.unusable_values, 'row')} of “conversions” {_has(survey.unusable_values)} a value "
            "that cannot be added up (NaN or infinite).",
            code="unusable_values",
        )
    unknown = sorted(
        word for word in survey.interactions if word is not None and word.strip().lower() not in INTERACTIONS
    )
    if unknown:
        raise AnalysisError(
            f"There is no interaction “{unknown[0][:60]}”. Use one of: {', '.join(INTERACTIONS)}.",
            code="unknown_interaction",
        )
    if len(survey.sources) > MOST_SOURCES:
        raise AnalysisError(
            f"There are {formats.count(len(survey.sources))} channels and campaigns, and at most "
            f"{formats.count(MOST_SOURCES)} can be told apart. Credit by channel, or write fewer.",
            code="too_many_groups",
        )
    number, example = survey.repeated_orders
    if number:
        raise AnalysisError(
            f"{formats.count(number, 'order')} {'comes' if number == 1 else 'come'} twice or oftener in “conversions”, "
            f"“{example[:60]}” among them. Each would count as often: leave the repeated rows out.",
            code="repeated_orders",
        )


def _has(rows: int) -> str:
    return "has" if rows == 1 else "have"
