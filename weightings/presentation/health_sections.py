"""Whether a media mix model is to be believed: its checks, the periods held back, and what was believed beforehand."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Series, axis
from marketing.day_labels import span_label
from marketing.periods import EPOCH, day_number
from mmm_project import formats
from weightings.labels import VERDICTS
from weightings.params import is_lightweight
from weightings.presentation.results import Result, Text, category, extent, figure, listed, mark
from weightings.presentation.return_sections import percent

WORST_FIRST = ("fail", "review", "good")
MOST_MARKS = 15


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a check is read: on which side of its threshold a good value lies, and how its values are written."""

    side: str
    text: Text


def _three_digits(value: float) -> str:
    return (
        formats.count(value) if value == round(value) else f"{value:.3g}" if abs(value) < 1000 else formats.count(value)
    )


def _share(value: float) -> str:
    return f"{100 * value:.2g}%" if 0 < abs(value) < 0.01 else formats.percent(value)


AT_MOST, AT_LEAST = "at most", "at least"
READINGS = {
    "R-hat": _Reading(AT_MOST, lambda value: f"{value:.3f}"),
    "Effective draws": _Reading(AT_LEAST, lambda value: formats.count(round(value))),
    "Divergences": _Reading(AT_MOST, _share),
    "Agreement with an experiment": _Reading(AT_LEAST, _three_digits),
    "Negative baseline": _Reading(AT_MOST, _share),
    "R2": _Reading(AT_LEAST, _three_digits),
    "wMAPE": _Reading(AT_MOST, _share),
    "Residuals from period to period": _Reading(AT_LEAST, _three_digits),
    "Largest residual": _Reading(AT_LEAST, _three_digits),
    "Periods per medium": _Reading(AT_LEAST, _three_digits),
    "Variation": _Reading(AT_LEAST, _three_digits),
    "Learnt from the data": _Reading(AT_LEAST, _three_digits),
    "Spend without media units": _Reading(AT_MOST, _share),
    "Coverage of periods held back": _Reading(AT_LEAST, _share),
    "wMAPE of periods held back": _Reading(AT_MOST, _share),
}
OTHERWISE = _Reading(AT_MOST, _three_digits)
NAMES = {"R2": "R²"}


def model_health(result: Result) -> Section:
    """Every check, the worst first; what to do about those that are not good."""
    checks = sorted(result.data["health"], key=lambda check: WORST_FIRST.index(check["verdict"]))
    table = DataTable(
        title="Checks of the model",
        columns=("Check", "Of", "Value", "Should be", "Verdict"),
        rows=tuple(Row(label=_name(check), cells=_cells(check)) for check in checks),
    )
    advice = tuple(_advice(checks)) or ("Every check of the model is good.",)
    return Section(title="Model health", sentences=advice, tables=(table,))


def _name(check: Mapping[str, Any]) -> str:
    return NAMES.get(check["check"], str(check["check"]))


def _cells(check: Mapping[str, Any]) -> tuple[Figure, ...]:
    reading, value, threshold = READINGS.get(check["check"], OTHERWISE), check["value"], check["threshold"]
    return (
        Figure(check["subject"] or "the model"),
        Figure(NO_FIGURE, "Not known") if value is None else Figure(reading.text(value), repr(value), value),
        Figure(NO_FIGURE if threshold is None else f"{reading.side} {reading.text(threshold)}"),
        Figure(VERDICTS[check["verdict"]], check["advice"]),
    )


def _advice(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what to do, once for all that the same is said of."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for check in checks:
        if check["verdict"] != "good":
            subjects = said.setdefault((check["verdict"], _name(check), check["advice"]), [])
            subjects += [check["subject"]] if check["subject"] else []
    for (verdict, name, advice), subjects in said.items():
        of = f" ({listed(subjects)})" if subjects else ""
        yield f"{VERDICTS[verdict]}: {name}{of}. {advice}"


def held_back(result: Result) -> Section:
    """How well periods were predicted that a fit had not seen."""
    title, found, unit = "Trying it on periods held back", result.data["holdout"], result.granularity
    if found is None:
        return Section(title=title, sentences=(_why_none(result),))
    finding = _off_by(found, unit)
    covered = (
        f"{formats.percent(found['coverage'])} of them lie within the {found['level']:g}% interval of their prediction."
    )
    not_converged = sum(not fold["converged"] for fold in found["folds"])
    sentences = [finding, covered]
    if not_converged:
        fits = f"{not_converged} of the fits" if not_converged > 1 else "One of the fits"
        sentences.append(f"{fits} had not converged after the few draws that these take, so this is rough.")
    crps = f"CRPS, {result.unit}"
    table = DataTable(
        title="Periods held back",
        columns=(f"{unit.capitalize()}s held back", "Off by (wMAPE)", f"In the {found['level']:g}% interval", crps),
        rows=tuple(Row(label=_held(result, fold), cells=_fold_cells(result, fold)) for fold in found["folds"]),
        note="Each fit learns from all that came before. The CRPS is how far off predictions are, their spread "
        "counted: less is better.",
    )
    return Section(title=title, sentences=tuple(sentences), tables=(table,))


def _off_by(found: Mapping[str, Any], unit: str) -> str:
    predicted = f"Predictions of {formats.count(found['periods'], unit)} that the model had not seen"
    if found["wmape"] is None:
        return f"{predicted} are off by no percentage: the outcome was 0 in all of them."
    naive = found["naive_wmape"]
    beside = (
        "" if naive is None else f"; to say the same as a year before would have been off by {formats.percent(naive)}"
    )
    return f"{predicted} were off by {formats.percent(found['wmape'])} on average (wMAPE){beside}."


def _why_none(result: Result) -> str:
    if is_lightweight(result.params):
        return "LightweightMMM's models are not tried on periods held back."
    if not result.params["folds"]:
        return "It was asked to hold no periods back, so nobody knows how well this model predicts."
    return (
        "No periods could be held back: the data are too short, or what is left of them cannot be modelled. So nobody "
        "knows how well this model predicts."
    )


def _held(result: Result, fold: Mapping[str, Any]) -> str:
    starts: Sequence[int] = result.data["series"]["period_start"]
    after = [*starts, day_number(result.estimation.end) + 1][fold["origin"] + fold["periods"]]
    return span_label(_date(starts[fold["origin"]]), _date(after - 1))


def _date(day: int) -> dt.date:
    return EPOCH.date() + dt.timedelta(day)


def _fold_cells(result: Result, fold: Mapping[str, Any]) -> tuple[Figure, ...]:
    crps = result.factor * fold["crps"]
    return (
        Figure(NO_FIGURE)
        if fold["wmape"] is None
        else Figure(formats.percent(fold["wmape"]), f"{fold['wmape']:.6%}", fold["wmape"]),
        Figure(formats.percent(fold["coverage"]), f"{fold['coverage']:.6%}", fold["coverage"]),
        Figure(result.rounded(crps), result.in_full(crps), crps),
    )


def beliefs(result: Result) -> tuple[Section, ...]:
    """What was believed of each channel's effect beforehand, and what is believed now; none of another family."""
    channels = [channel for channel in result.channels if channel.get("prior") and channel.get("parameters")]
    if not channels:
        return ()
    table = DataTable(
        title="Believed before and after",
        columns=("Channel", "What is believed", "Beforehand", "With the data", "Learnt"),
        rows=tuple(
            Row(label=channel["channel"], cells=_belief(result, channel), href=result.href(channel["channel"]))
            for channel in channels
        ),
        note=f"Medians with {result.interval_words}s, over all data that the model has learnt from. Learnt: the "
        "distance between the two beliefs (Kolmogorov-Smirnov), from 0 for nothing to 1.",
    )
    sentences = list(_believed_together(result))
    charts = tuple(_beliefs_chart(result, [one for one in channels if one["prior"]["kind"] == "roi"]))
    return (Section(title="What was believed beforehand", sentences=tuple(sentences), charts=charts, tables=(table,)),)


KINDS = {
    "roi": "ROI",
    "contribution": "share of the outcome",
    "log_odds": "change of the log odds",
}


def _belief_text(kind: str) -> Text:
    return formats.percent if kind == "contribution" else formats.ratio


def _belief(result: Result, channel: Mapping[str, Any]) -> tuple[Figure, ...]:
    kind = channel["prior"]["kind"]
    text = _belief_text(kind)
    learnt = next(
        (
            check["value"]
            for check in result.data["health"]
            if (check["check"], check["subject"]) == ("Learnt from the data", channel["channel"])
        ),
        None,
    )
    return (
        Figure(KINDS.get(kind, kind)),
        figure(channel["prior"], text, repr),
        figure(channel["parameters"]["effect"], text, repr),
        Figure(NO_FIGURE) if learnt is None else Figure(formats.ratio(learnt), repr(learnt), learnt),
    )


def _believed_together(result: Result) -> Iterator[str]:
    found = result.data["prior_predictive"]
    if found is None:
        return
    before = percent(found["media_share"]).with_interval
    yield (
        f"Taken together, these beliefs made media account for {before} of {result.outcome}, before any of it was "
        "looked at."
    )


def _beliefs_chart(result: Result, channels: Sequence[Mapping[str, Any]]) -> Iterator[ChartSpec]:
    if not channels:
        return
    shown = channels[:MOST_MARKS]
    before, after = (
        tuple(mark(figure(of, formats.ratio, repr)) for of in found)
        for found in (
            [channel["prior"] for channel in shown],
            [channel["parameters"]["effect"] for channel in shown],
        )
    )
    narrower = [
        channel["channel"]
        for channel in shown
        if _width(channel["parameters"]["effect"]) < 0.5 * _width(channel["prior"])
    ]
    names = listed(narrower) if 0 < len(narrower) < 4 else formats.count(len(narrower), "channel")
    title = (
        f"The data have at least halved the range of {names}"
        if narrower
        else "The data have not narrowed any range by half"
    )
    yield ChartSpec(
        id="beliefs",
        kind=Kind.DOTS,
        title=title,
        subtitle=f"ROI per {result.spend_words} spent, over all data that the model has learnt from, "
        f"{result.interval_words}",
        summary=f"ROI by channel as it was believed beforehand, and with the data. {title}.",
        category_title="Channel",
        categories=tuple(category(channel["channel"]) for channel in shown),
        series=(
            Series(name="Believed beforehand", colour=Colour.OTHER, marks=before),
            Series(name="With the data", colour=Colour.ACCENT, marks=after),
        ),
        axis=axis(extent([*before, *after]), title="ROI", text=formats.ratio),
        interval=result.interval_words,
    )


def _width(of: Mapping[str, Any]) -> float:
    return float(of["high"]) - float(of["low"])
