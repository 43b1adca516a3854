"""Guess what the columns of a wide media table measure: spend, impressions or clicks of a channel, outcomes, controls.

Beside words (`tv_spend`, “Radio cost”, `Channel0_impression`) the suffixes of Meta's Robyn are known: `tv_S` is spend,
`facebook_I` impressions, `search_clicks_P` clicks, and `competitor_sales_B` a baseline, which is a control.
"""

import re
from collections.abc import Mapping, Sequence

from marketing.importing.appearance import folded, like_number, mostly, says_only
from marketing.importing.fields import EVENT_NAMES, SERIES, series_name
from marketing.importing.synonyms import CLICKS, CONTROL_WORDS, IMPRESSIONS, OUTCOME_NAMES, OWNED_MEDIA, SPEND

ROBYN = {"S": "spend", "I": "impressions", "P": "clicks", "B": "control"}
MEASURES = {
    "spend": (*SPEND[:-1], "budget", "net", "gross"),  # “amount” alone says too little here
    "impressions": (*IMPRESSIONS, "grp", "grps", "trp", "trps", "opens", "sends", "sent"),
    "clicks": CLICKS,
    "control": ("control",),
    "outcome": ("outcome", "kpi"),
}
CALENDAR = ("t", "index", "id", "row", "year", "quarter", "month", "week", "day", "weekday", "dayofyear", "day of year")
EVENT_COLUMNS = ("event", "events", "holiday", "holidays", "event name", "holiday name")
SEPARATORS = " _-./:|"
NOT_COUNTED = re.compile(r"reach|frequency|rate|share|avg|average|cpc|cpm|ctr|roas|roi|%", re.IGNORECASE)


def guess_series(columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return {`kind:label`: column} for the columns, given with their first cells, that can be told."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for column, cells in columns.items():
        series = _series_of(column, cells)
        if series and series.lower() not in seen:
            seen.add(series.lower())
            found[series] = column
    return found


def _series_of(column: str, cells: Sequence[str]) -> str | None:
    if series := series_name(column):
        return series
    words = folded(column)
    if words in EVENT_COLUMNS and not says_only(cells, like_number):
        return EVENT_NAMES
    if not mostly(cells, like_number):
        return None
    if words in OUTCOME_NAMES:
        return _named("outcome", column)
    if NOT_COUNTED.search(column) or words in CALENDAR:
        return None
    if " per " in f" {words} ":
        return _named("control", column)
    if measured := _measured(column):
        return _named(*measured)
    if words in OWNED_MEDIA:
        return _named("impressions", column)
    return _named("control", column) if CONTROL_WORDS & set(words.split()) else None


def _measured(column: str) -> tuple[str, str] | None:
    """Split a column's name into what is measured, told by its last or first words, and of what."""
    label, _, suffix = column.rpartition("_")
    if label and suffix in ROBYN:
        kind = ROBYN[suffix]
        return kind, (_without_word(label, MEASURES[kind]) if kind != "control" else label)
    for kind, words in MEASURES.items():
        label = _without_word(column, words)
        if label != column:
            return kind, label
    return None


def _without_word(column: str, words: Sequence[str]) -> str:
    """Return the column's name without one of these words at its end or beginning; as it is if it has none."""
    for word in sorted(words, key=len, reverse=True):
        pattern = r"[ _-]".join(map(re.escape, word.split()))
        at_end = rf"(?<=[ _\-./]){pattern}\.?(\s*[(\[][^)\]]*[)\]])?$"
        for place in (at_end, rf"^{pattern}(?=[ _\-./])"):
            rest = re.sub(place, "", column, flags=re.IGNORECASE).strip(SEPARATORS)
            if rest and rest != column:
                return rest
    return column


def _named(kind: str, label: str) -> str:
    assert kind in SERIES  # noqa: S101 - what is spelled wrong here would be offered as a field that there is not
    return f"{kind}:{label.strip()}"
