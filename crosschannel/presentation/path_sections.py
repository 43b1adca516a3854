"""The path explorer of a cross-channel document: which paths journeys take, how long they are and where they lead."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour
from crosschannel.labels import CONVERSION, OTHER
from crosschannel.presentation import figures, path_charts
from crosschannel.presentation.figures import days
from crosschannel.presentation.rows import path_text
from mmm_project import formats

MOST_PATHS = 25
MOST_STEPS = 8
BETWEEN_STEPS = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
LEAST_MOVES = 100  # touches of a channel, for a title to name what follows them
LEAST_CONVERSIONS = 20  # of a channel, for a title to name how long they take


def sections(
    result: Mapping[str, Any],
    *,
    params: Mapping[str, Any],
    currency: str,
    colours: Mapping[str, Colour],
    hrefs: Mapping[str, str],
) -> Iterator[Section]:
    """Yield the paths of a run's result.

    `colours`, `hrefs`: of channels by name, where the workspace knows them.
    """
    totals = result["totals"]
    yield Section(
        title="Top paths",
        sentences=(path_finding(result),),
        tables=(paths_table(result["paths"][:MOST_PATHS], result, currency),),
    )
    yield Section(
        title="How long journeys are",
        charts=(path_charts.lengths_chart(result["lengths"], title=_length_finding(result), currency=currency),),
    )
    if totals["conversions"]:
        yield Section(title="How long conversions take", charts=tuple(_lags(result["lags"])))
    else:
        sentence = "None of these journeys converts, so there is no time to be measured."
        yield Section(title="How long conversions take", sentences=(sentence,))
    first_last = result["first_last"]
    yield Section(
        title="Where journeys begin and end",
        charts=(path_charts.first_last_chart(first_last, title=_first_last_finding(first_last), hrefs=hrefs),),
    )
    yield Section(title="What comes next", charts=(_transitions(result["transitions"]),))
    if channels := result["time_to_convert"]:
        window = formats.count(params["window_days"], "day")
        yield Section(
            title="Time to convert by channel",
            sentences=(f"Touches more than {window} before the conversion do not count, so no time is longer.",),
            charts=(
                path_charts.time_to_convert_chart(
                    channels, title=_time_finding(channels), colours=colours, hrefs=hrefs
                ),
            ),
        )


# --- Paths ---


def paths_table(
    paths: Sequence[Mapping[str, Any]], result: Mapping[str, Any], currency: str, *, title: str = "Most frequent paths"
) -> DataTable:
    """Paths as a table, in their order, as shares of the result's journeys."""
    total = result["totals"]["journeys"]
    has_days = any("median_days" in path for path in paths)
    last = ("Median days to convert",) if has_days else ()
    return DataTable(
        title=title,
        columns=("Path", "Journeys", "Share of journeys", "Conversions", "Conversion rate", "Value", *last),
        rows=tuple(
            Row(
                label=path_label(path),
                cells=(
                    figures.count(path["journeys"]),
                    figures.percent(path["journeys"] / total),
                    figures.count(path["conversions"]),
                    figures.percent(path["conversion_rate"]),
                    figures.money(path["value"], currency),
                    *((_median_days(path),) if has_days else ()),
                ),
            )
            for path in paths
        ),
        note="Each touch is a step, the oldest first."
        + (" Days are counted from the first touch, over the path’s conversions." if has_days else ""),
    )


def path_label(path: Mapping[str, Any]) -> str:
    """The steps of a path in a line, its middle left out where it is long."""
    steps, half = list(path["steps"]), MOST_STEPS // 2
    if len(steps) <= MOST_STEPS:
        return path_text(path, BETWEEN_STEPS)
    left_out = path["left_out"] + len(steps) - MOST_STEPS
    return path_text({"steps": [*steps[:half], *steps[-half:]], "left_out": left_out}, BETWEEN_STEPS)


def path_finding(result: Mapping[str, Any]) -> str:
    """Say which path most journeys take, and how many paths there are."""
    top, distinct = result["paths"][0], result["distinct_paths"]
    if distinct == 1:
        return f"All journeys take one path: {path_label(top)}."
    share = formats.percent(top["journeys"] / result["totals"]["journeys"])
    shown = result["paths"][:MOST_PATHS]
    held = formats.percent(sum(path["journeys"] for path in shown) / result["totals"]["journeys"])
    coverage = (
        "all are shown"
        if len(shown) == distinct
        else f"the {formats.count(len(shown))} most frequent of {formats.count(distinct)} hold {held}"
    )
    return f"{share} of journeys take the path {path_label(top)}; {coverage}."


def _median_days(path: Mapping[str, Any]) -> Figure:
    found = path.get("median_days")
    return Figure(NO_FIGURE, "No conversion") if found is None else figures.number_of_days(found)


# --- How long, how old ---


def _length_finding(result: Mapping[str, Any]) -> str:
    single = result["lengths"][0]["journeys"] / result["totals"]["journeys"]
    mean = formats.count(round(result["mean_touches"], 1))
    return f"{formats.percent(single)} of journeys have a single touch; on average they have {mean}"


def _lags(lags: Mapping[str, Any]) -> Iterator[ChartSpec]:
    for touch in ("first", "last"):
        found = lags[f"{touch}_touch"]
        if found["p50"] is not None:
            half, most = days(found["p50"]), days(found["p95"])
            title = f"Half of conversions come within {half} of the {touch} touch, 95% within {most}"
            yield path_charts.lags_chart(lags["bins"], touch, title=title)


# --- Where to ---


def _first_last_finding(found: Mapping[str, Any]) -> str:
    """How many journeys end where they began, and what most of the others do."""
    names, journeys = found["channels"], found["journeys"]
    total = sum(map(sum, journeys))
    same = sum(journeys[place][place] for place, name in enumerate(names) if name != OTHER)
    # Of lesser channels that are counted together, nobody knows whether they are one and the same.
    start = f"{'At least ' if OTHER in names else ''}{formats.percent(same / total)} of journeys end with the channel"
    count, first, last = max(
        (
            (journeys[row][column], names[row], names[column])
            for row in range(len(names))
            for column in range(len(names))
            if row != column
        ),
        key=lambda cell: cell[0],
        default=(0, "", ""),
    )
    if not count:
        return f"{start} they began with"
    share = formats.percent(count / total)
    return f"{start} they began with; of the others, most go from {first} to {last} ({share})"


def _transitions(found: Mapping[str, Any]) -> ChartSpec:
    """The moves of journeys, their start as the first row."""
    *rows, start = zip(found["from"], found["counts"], strict=True)
    rows.insert(0, start)
    return path_charts.transitions_chart(rows, found["to"], title=_transition_finding(rows, found["to"]))


def _transition_finding(rows: Sequence[tuple[str, Sequence[float]]], columns: Sequence[str]) -> str:
    """Where journeys begin, and which channel's touches are most often followed by the conversion."""
    _start, begun = rows[0]
    opener = max(range(len(begun)), key=lambda column: begun[column])
    begin = f"{formats.percent(begun[opener] / sum(begun))} of journeys begin with {columns[opener]}"
    conversion = columns.index(CONVERSION)
    closing = [
        (counts[conversion] / sum(counts), name)
        for name, counts in rows[1:]
        if name != OTHER and sum(counts) >= LEAST_MOVES and counts[conversion]
    ]
    if not closing:
        return begin
    share, closer = max(closing)
    return f"{begin}; {formats.percent(share)} of the touches of {closer} are followed by a conversion, the most"


# --- Time to convert ---


def _time_finding(channels: Sequence[Mapping[str, Any]]) -> str:
    """Which channel comes longest before the conversion, and which shortest."""
    shown = channels[: path_charts.MOST_DOTS]
    clear = [row for row in shown if row["conversions"] >= LEAST_CONVERSIONS] or shown
    longest, shortest = max(clear, key=lambda row: row["p50"]), min(clear, key=lambda row: row["p50"])
    if longest["channel"] == shortest["channel"]:
        return f"From the first touch of {longest['channel']} to the conversion the median is {days(longest['p50'])}"
    return (
        f"The median is longest for {longest['channel']}, {days(longest['p50'])}, and shortest for "
        f"{shortest['channel']}, {days(shortest['p50'])}"
    )
