"""What lies behind an attribution result, for its document: paths, roles, shares over time and the sales cycle."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from attribution.labels import DIMENSION_LABELS
from attribution.methods.evidence import Role
from attribution.params import PATHS
from attribution.presentation import evidence_charts as charts
from attribution.presentation import evidence_words as words
from attribution.presentation.evidence_charts import ROLE_LABELS, Frame
from attribution.presentation.evidence_time_sections import over_time, sales_cycle
from charts import Colour
from mmm_project import formats

MOST_PATHS = 25
MOST_STEPS = 8
MOST_NAMED = 4
BETWEEN_STEPS = " > "
MOSTLY = {  # of one, and of several
    Role.OPENS: ("opens journeys", "open journeys"),
    Role.CLOSES: ("closes journeys", "close journeys"),
    Role.BETWEEN: ("comes between other touches", "come between other touches"),
    Role.ONLY: ("is the only touch before a conversion", "are the only touch before a conversion"),
}


def sections(
    evidence: Mapping[str, Any],
    *,
    params: Mapping[str, Any],
    currency: str,
    dimension: str,
    colours: Mapping[str, Colour] | None = None,
    hrefs: Mapping[str, str] | None = None,
) -> tuple[Section, ...]:
    """Return the evidence that a run has kept; nothing for a run of before there was any.

    `colours`, `hrefs`: of channels or campaigns by name, where the workspace knows them.
    """
    frame = Frame(
        currency=currency,
        dimension_label=DIMENSION_LABELS.get(dimension, dimension),
        colours=colours or {},
        hrefs=hrefs or {},
        of_paths=params.get("data") == PATHS,
    )
    return tuple(_sections(evidence, params, frame))


def _sections(evidence: Mapping[str, Any], params: Mapping[str, Any], frame: Frame) -> Iterator[Section]:
    if "paths" in evidence:
        yield _paths(evidence, params, frame)
    if evidence.get("roles", {}).get("groups"):
        yield _roles(evidence["roles"], frame)
        if "stability" in evidence:
            yield over_time(evidence["stability"], params, frame)
    if evidence.get("sales_cycle", {}).get("touches"):
        yield sales_cycle(evidence["sales_cycle"])


# --- Paths ---


def _paths(evidence: Mapping[str, Any], params: Mapping[str, Any], frame: Frame) -> Section:
    paths = evidence["paths"]
    if not paths["top"]:
        window = (
            f" within the lookback window of {words.days(params['window_days'])}" if "window_days" in params else ""
        )
        return Section(
            title="Paths to conversion",
            sentences=(f"No touch precedes these conversions{window}, so there are no paths to show.",),
        )
    lengths = evidence["lengths"]
    touches = lengths["touches"][1:]
    drawn = [charts.lengths_chart(touches, title=_length_finding(touches, lengths["median_touches"]), frame=frame)]
    tables = [_top_paths(evidence, frame), _by_length(lengths["touches"], frame)]
    sentences = [_path_finding(paths, frame), f"{words.touches(lengths['mean_touches'])} on average."]
    if "lags" in evidence:
        lags = evidence["lags"]
        sentences.append(_lag_finding(lags) + ".")
        drawn.append(charts.lags_chart(lags["bins"], title=_lag_finding(lags)))
        tables.insert(1, _lags(lags))
    return Section(title="Paths to conversion", sentences=tuple(sentences), charts=tuple(drawn), tables=tuple(tables))


def _path_finding(paths: Mapping[str, Any], frame: Frame) -> str:
    top = paths["top"][0]
    share = formats.percent(top["conversions"] / paths["with_touches"])
    if paths["distinct"] == 1:
        return f"All {frame.conversions} took one path: {_path(top)}."
    return (
        f"{formats.count(paths['distinct'])} different paths led to a conversion; the most frequent, {_path(top)}, "
        f"to {share} of {'them all' if frame.of_paths else 'those with a touch'}."
    )


def _length_finding(lengths: Sequence[Mapping[str, Any]], median: float) -> str:
    total = sum(row["conversions"] for row in lengths)
    single = formats.percent(lengths[0]["conversions"] / total)
    return f"{single} of conversions follow a single touch; the median is {words.touches(median)}"


def _lag_finding(lags: Mapping[str, Any]) -> str:
    first = lags["first_touch"]
    half, most = words.days(first["p50"]), words.days(first["p95"])
    return f"Half of the conversions come within {half} of the first touch, 95% within {most}"


def _top_paths(evidence: Mapping[str, Any], frame: Frame) -> DataTable:
    paths = evidence["paths"]
    shown = paths["top"][:MOST_PATHS]
    figures: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
        "Conversions": lambda path: words.count(path["conversions"]),
        "Share of conversions": lambda path: words.percent(path["share"]),
        "Revenue": lambda path: words.money(path["value"], frame.currency),
    }
    if "lags" in evidence:  # aggregated paths have no times, and may have left repeats out
        figures["Median days from first touch"] = lambda path: words.number(path["median_days"])
        figures["Median touches"] = lambda path: words.number(path["median_touches"])
    if paths["has_null_paths"]:
        figures["Null paths"] = lambda path: words.count(path["null_paths"])
        figures["Conversion rate"] = lambda path: words.percent(path["conversion_rate"])
    return DataTable(
        title="Top paths",
        columns=("Path", *figures),
        rows=tuple(Row(label=_path(path), cells=tuple(figure(path) for figure in figures.values())) for path in shown),
        note=f"Touches of the same {frame.dimension_label.lower()} in a row count as one step. Shares are of "
        f"{frame.conversions}. {_coverage(paths, shown)}"
        + (" The conversion rate is that of all journeys along the path." if paths["has_null_paths"] else ""),
    )


def _coverage(paths: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]) -> str:
    if len(shown) == paths["distinct"]:
        return "These are all paths that converted."
    held = sum(path["conversions"] for path in shown) / paths["with_touches"]
    return f"The {formats.count(len(shown), 'path')} shown hold {formats.percent(held)} of them."


def _path(path: Mapping[str, Any]) -> str:
    """The steps of a path, its middle left out where it is long."""
    steps, left_out = list(path["steps"]), path["left_out"]
    if len(steps) > MOST_STEPS:
        left_out += len(steps) - MOST_STEPS
        steps = steps[: MOST_STEPS // 2] + steps[-MOST_STEPS // 2 :]
    if left_out:
        steps.insert(MOST_STEPS // 2, f"… {formats.count(left_out)} more …")
    return BETWEEN_STEPS.join(steps)


def _by_length(lengths: Sequence[Mapping[str, Any]], frame: Frame) -> DataTable:
    total = sum(row["conversions"] for row in lengths)
    return DataTable(
        title="Conversions by number of touches",
        columns=("Touches", "Conversions", "Share of conversions", "Revenue", "Revenue for each conversion"),
        rows=tuple(
            Row(
                label=f"{row['length']} or more" if row["or_more"] else f"{row['length']}",
                cells=(
                    words.count(row["conversions"]),
                    words.percent(row["conversions"] / total),
                    words.money(row["value"], frame.currency),
                    words.money(row["value"] / row["conversions"], frame.currency),
                ),
            )
            for row in lengths
            if row["conversions"]
        ),
    )


def _lags(lags: Mapping[str, Any]) -> DataTable:
    names = ("p50", "p75", "p90", "p95")
    return DataTable(
        title="Days to conversion",
        columns=("Days", "Half within", "75% within", "90% within", "95% within"),
        rows=tuple(
            Row(label=label, cells=tuple(words.number(lags[touch][name]) for name in names))
            for label, touch in (("From the first touch", "first_touch"), ("From the last touch", "last_touch"))
        ),
        note="Over conversions with a touch in the lookback window.",
    )


# --- Roles ---


def _roles(roles: Mapping[str, Any], frame: Frame) -> Section:
    groups = sorted(roles["groups"], key=lambda group: (not group["is_one"], -group["journeys"], group["group"]))
    clear = list(_clear_roles(groups))
    title = "; ".join(clear[:2]) or f"No {frame.dimension_label.lower()} has one clear place in journeys"
    return Section(
        title="Roles",
        sentences=tuple(f"{sentence}." for sentence in clear or [title]),
        charts=(charts.roles_chart(groups, title=title, frame=frame),),
        tables=(
            DataTable(
                title=f"Place of each {frame.dimension_label.lower()} in journeys",
                columns=(
                    *(frame.dimension_label, "Journeys", "Only touch", "First (early)"),
                    *("Between (mid)", "Last (late)", "Mostly"),
                ),
                rows=tuple(
                    Row(
                        label=group["group"],
                        href=frame.href(group),
                        cells=(
                            *(words.count(group[name]) for name in ("journeys", "only", "first", "middle", "last")),
                            Figure(ROLE_LABELS[Role(group["mostly"])] if group["mostly"] else NO_FIGURE),
                        ),
                    )
                    for group in groups
                ),
                note="First, between and last are counted in journeys of several touches, and one journey may count in "
                "all three. “Mostly” is said where more than half of its journeys are so, by three standard errors.",
            ),
        ),
    )


def _clear_roles(groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each role that some groups clearly have, naming the largest of these."""
    for role, (of_one, of_several) in MOSTLY.items():
        if names := [group["group"] for group in groups if group["mostly"] == role][:MOST_NAMED]:
            yield f"{words.listed(names)} mostly {of_one if len(names) == 1 else of_several}"
