"""Where time comes in, for an attribution result's document: how steady shares are, and how long sales take."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from attribution.labels import NONE
from attribution.presentation import evidence_charts as charts
from attribution.presentation import evidence_words as words
from attribution.presentation.evidence_charts import Frame
from attribution.presentation.evidence_words import part_label
from attribution.presentation.presenters import metric_label, model_of
from marketing.periods import Period
from mmm_project import formats


def over_time(stability: Mapping[str, Any], params: Mapping[str, Any], frame: Frame) -> Section:
    parts = [
        Period(dt.date.fromisoformat(part["start"]), dt.date.fromisoformat(part["end"])) for part in stability["parts"]
    ]
    if len(parts) < 2:
        return Section(
            title="Over time",
            sentences=("The period is too short to be cut into parts: at least two weeks show how steady credit is.",),
        )
    (name, groups), *others = stability["models"].items()
    label, unit = model_of(name, params).label, stability["unit"]
    metric = metric_label(params) if "metric" in params else stability["of"]
    if not groups:
        return Section(title="Over time", sentences=(f"There is no {metric} in any {unit} to take shares of.",))
    finding = _movement(groups, parts, unit)
    sentences = [f"Under {label}: {finding}.", *_under_others(groups, others, parts, unit, params)]
    if name not in params["model"]:
        sentences.append(f"Only rule models are followed over time; {label} stands in for the chosen ones.")
    drawn = [group for group in groups if group["is_one"]] or list(groups)
    drawn.sort(key=lambda group: -max(share or 0.0 for share in group["shares"]))
    return Section(
        title="Over time",
        sentences=tuple(sentences),
        charts=(
            charts.shares_chart(
                drawn,
                parts,
                title=finding[:1].upper() + finding[1:],
                subtitle=f"Share of {metric} by {unit} under {label}",
                level=f"{stability['confidence']:.0%} interval",
                frame=frame,
            ),
        ),
        tables=(_steadiness(groups, parts, unit, label, frame),),
    )


def _movement(groups: Sequence[Mapping[str, Any]], parts: Sequence[Period], unit: str) -> str:
    """Which share moved most, if any moved more than chance."""
    most = _moved_most(groups)
    if most is None:
        if all(group["p_value"] is None for group in groups):
            return f"there are too few conversions to tell movement between {unit}s from chance"
        return f"no share moved more between {unit}s than chance would move it"
    (low, low_at), (high, high_at) = _ends(most, parts)
    first, then = sorted(((low_at, low), (high_at, high)))
    return (
        f"{_name(most)} moved most, from {formats.percent(first[1])} in {part_label(first[0])} to "
        f"{formats.percent(then[1])} in {part_label(then[0])}, more than chance would"
    )


def _under_others(
    groups: Sequence[Mapping[str, Any]],
    others: Sequence[tuple[str, Sequence[Mapping[str, Any]]]],
    parts: Sequence[Period],
    unit: str,
    params: Mapping[str, Any],
) -> Iterator[str]:
    """Yield what the other models say; those that name the same share, or none as the first, in one sentence."""
    most = _moved_most(groups)
    same, different = [], []
    for other, shares in others:
        label, others_most = model_of(other, params).label, _moved_most(shares)
        if (most and most["group"]) == (others_most and others_most["group"]):
            same.append(label)
        else:
            different.append(f"Under {label}: {_movement(shares, parts, unit)}.")
    if same:
        labels = words.listed(same)
        yield f"The same moved most under {labels}." if most else f"None did under {labels} either."
    yield from different


def _moved_most(groups: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return max((group for group in groups if group["is_clear"]), key=lambda group: group["moved"], default=None)


def _ends(group: Mapping[str, Any], parts: Sequence[Period]) -> tuple[tuple[float, Period], tuple[float, Period]]:
    """The lowest and the highest share of a group, each with the part of the period where it is."""
    known = [(share, part) for share, part in zip(group["shares"], parts, strict=True) if share is not None]
    return min(known), max(known)


def _steadiness(
    groups: Sequence[Mapping[str, Any]], parts: Sequence[Period], unit: str, label: str, frame: Frame
) -> DataTable:
    rows = []
    for group in groups:
        (low, low_at), (high, high_at) = _ends(group, parts)
        verdict = "Moved" if group["is_clear"] else "Within chance"
        rows.append(
            Row(
                label=group["group"],
                href=frame.href(group),
                cells=(
                    Figure(formats.percent(low), part_label(low_at), low),
                    Figure(formats.percent(high), part_label(high_at), high),
                    words.points(group["moved"]),
                    words.points(group["by_chance"]),
                    Figure("Too little to say" if group["p_value"] is None else verdict),
                ),
            )
        )
    return DataTable(
        title=f"How steady shares are under {label}",
        columns=(
            *(frame.dimension_label, f"Lowest {unit}", f"Highest {unit}", f"Moved between {unit}s"),
            *("Chance alone", "Verdict"),
        ),
        rows=tuple(rows),
        note=f"Moved: how far the {unit}s lie from the whole period, as a root mean square. Chance alone: how far they "
        "would lie if nothing changed, by how much random groups of customers differ. “Moved” is said where chance "
        "would move any of the shares so far in one of twenty cases at most.",
    )


def _name(group: Mapping[str, Any]) -> str:
    return f"the share of “{NONE}”" if group["group"] == NONE and not group["is_one"] else str(group["group"])


def sales_cycle(cycle: Mapping[str, Any]) -> Section:
    chosen = cycle["window_days"]
    windows = [
        window
        for window in cycle["windows"]
        if window["days"] in (chosen, cycle["longest_days"]) or window["is_preset"]
    ]
    at = next(window for window in windows if window["days"] == chosen)
    compared = [window for window in windows if window["days"] != cycle["longest_days"] or window is at]
    back = f"as far as {words.days(cycle['seen_days'])} back"
    finding = _best_window(cycle)
    judged = any(window["held"] is not None for window in compared)
    return Section(
        title="Sales cycle",
        sentences=tuple(_cycle_sentences(cycle, at, finding)),
        charts=(
            charts.windows_chart(
                compared,
                title=finding,
                subtitle=f"Share of touches since the customer's previous conversion that each window holds, {back}",
                chosen=chosen,
            ),
        )
        if judged
        else (),
        tables=(_windows(compared, cycle, chosen),),
    )


def _best_window(cycle: Mapping[str, Any]) -> str:
    holds, best = f"{cycle['holds']:.0%}", cycle["smallest_preset"]
    if best is not None:
        return f"A window of {words.days(best)} is the shortest that holds {holds} of touches"
    judged = [window for window in cycle["windows"] if window["is_preset"] and window["held"] is not None]
    if not judged:
        return "The data do not reach far enough back to compare windows"
    longest = judged[-1]
    return (
        f"None of the usual windows holds {holds} of touches: {words.days(longest['days'])} hold "
        f"{formats.percent(longest['held'])}"
    )


def _cycle_sentences(cycle: Mapping[str, Any], at: Mapping[str, Any], finding: str) -> Iterator[str]:
    yield f"{finding}."
    older = cycle["touches"] - at["touches"]
    if at["days"] >= cycle["longest_days"]:
        yield f"Touches more than {words.days(cycle['longest_days'])} before a conversion are not looked at."
    elif older:
        share = formats.percent(older / cycle["touches"])
        conversions = formats.percent(at["conversions_outside"] / cycle["conversions"])
        yield (
            f"Of the touches seen in the {words.days(cycle['longest_days'])} before conversions, {share} lie outside "
            f"the chosen window of {words.days(at['days'])}; {conversions} of conversions have at least one there."
        )
        if at["touches_before_previous"]:
            repeated = formats.percent(at["touches_before_previous"] / older)
            yield (
                f"Of those touches, {repeated} came before the customer's previous conversion, and belong to that one "
                "rather. A window is judged by what it holds of the touches since."
            )
    else:
        yield f"No touch seen before these conversions is older than the chosen window of {words.days(at['days'])}."
    if cycle["fully_seen"] < cycle["conversions"]:
        share = formats.percent(cycle["fully_seen"] / cycle["conversions"])
        begins, longest = f"{dt.date.fromisoformat(cycle['data_starts']):%-d %b %Y}", words.days(cycle["longest_days"])
        yield f"Touches are known from {begins} on, so only {share} of conversions can be seen {longest} back. " + (
            "The shares held count each age only where it can be seen, up to "
            f"{words.days(cycle['seen_days'])}; what is older than that is unknown."
            if cycle["seen_days"]
            else "That is too little to compare windows by."
        )


def _windows(windows: Sequence[Mapping[str, Any]], cycle: Mapping[str, Any], chosen: int) -> DataTable:
    return DataTable(
        title="Lookback windows",
        columns=("Window", "Touches held", "All touches seen", "Conversions with an older touch"),
        rows=tuple(
            Row(
                label=f"{words.days(window['days'])}{' (chosen)' if window['days'] == chosen else ''}",
                cells=(
                    Figure(NO_FIGURE, "The data do not reach so far back")
                    if window["held"] is None
                    else words.percent(window["held"]),
                    words.count(window["touches"]),
                    Figure(NO_FIGURE, "Nothing older is looked at")
                    if window["days"] >= cycle["longest_days"]
                    else words.percent(window["conversions_outside"] / cycle["conversions"]),
                ),
            )
            for window in windows
        ),
    )
