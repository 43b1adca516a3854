"""Guess what a file holds, and what its columns mean, from their names and the first rows.

A guess is an offer: people see it, and change it, before anything is imported.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from marketing.importing.appearance import (
    Looks,
    folded,
    like_answer,
    like_date,
    like_moment,
    like_name,
    like_number,
    like_path,
    like_person,
    mostly,
    says_only,
)
from marketing.importing.synonyms import SYNONYMS
from marketing.importing.wide_guessing import guess_series
from marketing.models import Dataset

Sample = Sequence[Sequence[str]]
Fits = Callable[[dict[str, str], Sequence[str], Sample], bool]

DERIVED_FIGURES = re.compile(r"\b(per|rate|avg|average|share|cpc|cpm|ctr|cpa|roas|roi|pct|percent|index)\b|%")
WORD_IN_NAME = 4  # letters that a name needs before it counts inside a longer one
# “New customers” are nobody in particular, and a page's path is none of channels.
WHOLE_NAMES_ONLY = ("customer", "goal", "name", "outcome", "control", "path")
INSIDE_A_NAME = 1_000  # the rank of such a match: after all whole names


def signature(header: Sequence[str]) -> str:
    """Return a digest of the column names, whatever their order: files of one source have the same."""
    names = sorted({" ".join(name.split()).casefold() for name in header if name.strip()})
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


def guess_dataset(header: Sequence[str], sample: Sample) -> Dataset | None:
    """Return the dataset that the file seems to hold, None if that is anybody's guess."""
    found = {dataset: guess_mapping(dataset, header, sample) for dataset in Dataset}
    return next((dataset for dataset, fits in SIGNS if fits(found[dataset], header, sample)), None)


def guess_mapping(dataset: str, header: Sequence[str], sample: Sample) -> dict[str, str]:
    """Return {field: column} for the columns that can be told; no column is given to two fields."""
    columns = {name: [row[i] for row in sample if i < len(row)] for i, name in enumerate(header) if name.strip()}
    taken: dict[str, str] = {}
    for _rank, field, column in sorted(_candidates(dataset, columns)):
        if field not in taken and column not in taken.values():
            taken[field] = column
    taken |= _by_their_values(dataset, _without(columns, taken.values()), taken)
    if dataset == Dataset.MEDIA_TABLE:
        taken |= guess_series(_without(columns, taken.values()))
    return taken


def _without(columns: Mapping[str, Sequence[str]], taken: Collection[str]) -> dict[str, Sequence[str]]:
    return {name: cells for name, cells in columns.items() if name not in taken}


# What the cells of a field look like; any text will do for those left out.
LOOKS: dict[str, Looks] = {
    "date": like_date,
    "start": like_date,
    "end": like_date,
    "occurred_at": like_moment,
    "spend": like_number,
    "impressions": like_number,
    "clicks": like_number,
    "value": like_number,
    "lift": like_number,
    "standard_error": like_number,
    "converted": like_answer,
    "channel": like_name,
    "outcome": like_name,
    "control": like_name,
    "name": like_name,
    "goal": like_name,
    "source": like_name,
    "medium": like_name,
    "path": like_path,
    "conversions": like_number,
    "null": like_number,
}
FIGURES = ("spend", "impressions", "clicks", "value", "lift", "conversions", "null")


def _candidates(dataset: str, columns: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, str, str]]:
    """Yield (rank, field, column): the smaller the rank, the surer the match."""
    for field, names in SYNONYMS[dataset].items():
        for column, cells in columns.items():
            if (rank := _rank(field, names, column)) is not None and mostly(cells, LOOKS.get(field, bool)):
                yield rank, field, column


def _rank(field: str, names: Sequence[str], column: str) -> int | None:
    if column == field:
        return -1
    words = folded(column)
    if words in names:
        return names.index(words)
    if field in FIGURES and DERIVED_FIGURES.search(words):
        return None  # the cost per click is no cost
    if field in WHOLE_NAMES_ONLY:
        return None
    inside = (i for i, name in enumerate(names) if len(name) >= WORD_IN_NAME and f" {name} " in f" {words} ")
    place = next(inside, None)
    return None if place is None else INSIDE_A_NAME + place


def _by_their_values(dataset: str, columns: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> dict[str, str]:
    """Find a day, a moment or a customer among columns whose names say nothing."""
    found: dict[str, str] = {}
    for field, looks in (("date", like_date), ("occurred_at", like_date), ("customer", like_person)):
        if field in SYNONYMS[dataset] and field not in known:
            for column, cells in columns.items():
                if column not in found.values() and says_only(cells, looks):
                    found[field] = column
                    break
    return found


def _has(*fields: str) -> Fits:
    return lambda mapping, _header, _sample: mapping.keys() >= set(fields)


def _is_touches(mapping: dict[str, str], header: Sequence[str], sample: Sample) -> bool:
    del header, sample
    return mapping.keys() >= {"customer", "occurred_at"} and bool(mapping.keys() & {"channel", "source", "medium"})


def _is_conversions(mapping: dict[str, str], header: Sequence[str], sample: Sample) -> bool:
    """A person and a time, and what people do; visits may bring a value as well, but orders bring no medium."""
    if not mapping.keys() >= {"customer", "occurred_at"}:
        return False
    touches = guess_mapping(Dataset.TOUCHPOINTS, header, sample)
    return "order_id" in mapping or bool(
        mapping.keys() & {"value", "goal", "converted"} and not touches.keys() & {"channel", "source", "medium"}
    )


def _is_spend(mapping: dict[str, str], header: Sequence[str], sample: Sample) -> bool:
    """Without a column of channels, campaigns will do: somebody can say which column has the channels."""
    del header, sample
    return mapping.keys() >= {"date", "spend"} and bool(mapping.keys() & {"channel", "campaign"})


def _is_events(mapping: dict[str, str], header: Sequence[str], sample: Sample) -> bool:
    """Names and days, and no figures."""
    columns = ([row[i] for row in sample if i < len(row)] for i in range(len(header)))
    figures = any(says_only(cells, like_number) for cells in columns)
    return mapping.keys() >= {"name", "start"} and not figures


def _is_wide(mapping: dict[str, str], header: Sequence[str], sample: Sample) -> bool:
    del header, sample
    return "date" in mapping and any(":" in field for field in mapping)


# In the order in which they are asked: the more a dataset needs, the surer the sign.
SIGNS: tuple[tuple[Dataset, Fits], ...] = (
    (Dataset.EXPERIMENTS, _has("channel", "start", "end", "lift", "standard_error")),
    (Dataset.CONVERSIONS, _is_conversions),
    (Dataset.TOUCHPOINTS, _is_touches),
    (Dataset.PATHS, _has("path", "conversions")),
    (Dataset.SPEND, _is_spend),
    (Dataset.OUTCOMES, _has("date", "outcome", "value")),
    (Dataset.CONTROLS, _has("date", "control", "value")),
    (Dataset.MEDIA_TABLE, _is_wide),
    (Dataset.EVENTS, _is_events),
)
