"""What other analyses say of two channels: the newest attribution run, and the newest media mix model.

Their finished results are read as they are kept; neither knows of pairs.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT, KeyTransform
from django.urls import reverse

from analyses import registry, runs
from analyses.age import is_stale
from analyses.asking import period_of
from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from analyses.models import Run
from crosschannel.labels import channel_of
from crosschannel.presentation import figures
from jobs.models import Job
from marketing.channel_index import ChannelIndex
from marketing.periods import Period
from mmm_project import formats

ATTRIBUTION, MEDIA_MIX = "attribution", "weightings"
OF_ATTRIBUTION = ("models", "spend", "intervals")
OF_MEDIA_MIX = ("channels", "period", "confidence", "verdict")
# What an attribution run may be asked for that makes it one of other journeys.
NARROWED_BY = ("segment", "data")
MOST_MODELS = 8
MEANING = (
    "Credit is what a model divides among the channels of a path, ROAS that per unit of spend. The media mix model’s "
    "ROI is what spend brought on top. Neither allows for what two channels do together."
)
NOTHING = Figure(NO_FIGURE)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The two channels of a pair, and whether a name in another run stands for one of them by now."""

    index: ChannelIndex
    pair: tuple[str, str]

    def key(self, name: str) -> int | str:
        """The channel of the workspace that the name counts for now, else the name itself."""
        channel = self.index.named(name)
        return name.lower() if channel is None else channel.pk

    def rows(self, channels: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
        """Yield, of either channel, what another run has of it: several where channels have been merged since."""
        for name in self.pair:
            yield [row for row in channels if self.key(row["channel"]) == self.key(name)]


def section(run: Run, index: ChannelIndex, pair: tuple[str, str]) -> Section:
    """Return what attribution and the media mix model say of both channels, or that they say nothing."""
    names = Names(index, (channel_of(pair[0]), channel_of(pair[1])))
    rows: list[Row] = []
    sentences: list[str] = []
    levels: dict[str, int] = {}
    if attribution := _newest_attribution(run):
        rows += _of_attribution(attribution, names, run.workspace.currency)
        if intervals := _parts(attribution, OF_ATTRIBUTION)["intervals"]:
            levels["attribution"] = intervals["confidence"]
        sentences += _changed("attribution analysis", attribution)
    else:
        sentences.append(f"No attribution by channel of {run.params['goal']} has been computed yet.")
    if media_mix := _newest_media_mix(run):
        rows.append(_of_media_mix(media_mix, names, run.workspace.currency))
        levels["the media mix model"] = _parts(media_mix, OF_MEDIA_MIX)["confidence"]
        sentences += [*_changed("media mix model", media_mix), *_doubts(media_mix)]
    else:
        sentences.append("There is no media mix model of an outcome in money that has converged.")
    a, b = pair
    amounts = (f"{a}: credit", f"{a}: return on spend", f"{b}: credit", f"{b}: return on spend")
    table = DataTable(
        title="By attribution and by the media mix model",
        columns=("By", "Period", *amounts),
        rows=tuple(rows),
        note=f"{MEANING} Intervals: {', '.join(f'{level}% of {what}' for what, level in levels.items())}."
        if levels
        else MEANING,
    )
    return Section(title="What each channel brings alone", sentences=tuple(sentences), tables=(table,) if rows else ())


# --- Attribution ---


def _newest_attribution(run: Run) -> Run | None:
    """The newest credit of channels for the goal of `run`, by the same grouping."""
    asked = _finished(run, ATTRIBUTION).filter(params__goal=run.params["goal"], params__dimension="channel")
    asked = asked.exclude(params__has_any_keys=NARROWED_BY)
    if "grouping" in run.params:
        asked = asked.filter(params__grouping=run.params["grouping"])
    else:
        asked = asked.exclude(params__has_key="grouping")
    return _with_parts(asked, OF_ATTRIBUTION).first()


def _of_attribution(run: Run, names: Names, currency: str) -> Iterator[Row]:
    parts = _parts(run, OF_ATTRIBUTION)
    spend = [
        sum(amount for name, amount in (parts["spend"] or {}).items() if names.key(name) == names.key(channel))
        for channel in names.pair
    ]
    for model in list(parts["models"])[:MOST_MODELS]:
        # How a run's own page calls one of its models.
        label = dict(registry.get(ATTRIBUTION).settings({**run.params, "model": [model]}))["Models"]
        cells = [
            cell
            for found, spent in zip(names.rows(parts["models"][model]["channels"]), spend, strict=True)
            for cell in _credit(found, spent, run.params["metric"], currency)
        ]
        yield Row(label=label, href=_page(run), cells=(Figure(period_of(run.params).label), *cells))


def _credit(found: Sequence[Mapping[str, Any]], spent: float, metric: str, currency: str) -> tuple[Figure, Figure]:
    """A channel's credit, and its value per unit of spend."""
    if not found:
        return NOTHING, NOTHING
    value = sum(row["value"] for row in found)
    # Of channels merged since, the sum is known, but not its interval.
    low, high = (found[0].get(f"value_{end}") if len(found) == 1 else None for end in ("low", "high"))
    returned = _ratio(value / spent, low and low / spent, high and high / spent) if spent and value else NOTHING
    if metric != "revenue":
        conversions = sum(row["conversions"] for row in found)
        text = formats.count(round(conversions, 1), "conversion")
        return Figure(text, formats.count(conversions), conversions), returned
    return _money(value, low, high, currency), returned


# --- The media mix model ---


def _newest_media_mix(run: Run) -> Run | None:
    """The newest model of an outcome in money that has converged."""
    asked = _finished(run, MEDIA_MIX).filter(params__measured_in="money", params__bounds__isnull=True)
    # As text: PostgreSQL's `json`, which results are kept as, is not compared.
    converged = asked.annotate(converged=KT("result__diagnostics__converged")).filter(converged="true")
    return _with_parts(converged, OF_MEDIA_MIX).first()


def _of_media_mix(run: Run, names: Names, currency: str) -> Row:
    parts = _parts(run, OF_MEDIA_MIX)
    period = Period(*(dt.date.fromisoformat(parts["period"][end]) for end in ("start", "end")))
    cells = []
    for found in names.rows(parts["channels"]):
        brought, roi = (found[0].get(name) or {} if len(found) == 1 else {} for name in ("incremental", "roi"))
        cells += [
            NOTHING if brought.get("median") is None else _money(*_ends(brought), currency),
            NOTHING if roi.get("median") is None else _ratio(*_ends(roi)),
        ]
    return Row(
        label=f"Media mix model of {run.params['outcome']}",
        href=_page(run),
        cells=(Figure(period.label), *cells),
    )


def _doubts(run: Run) -> Iterator[str]:
    if _parts(run, OF_MEDIA_MIX)["verdict"] == "fail":
        yield "The media mix model fails checks, so do not act on it."
    if is_stale(run):
        yield "The media mix model is old: refresh it before you act on it."


def _ends(summary: Mapping[str, float]) -> tuple[float, float, float]:
    return summary["median"], summary["low"], summary["high"]


# --- Both ---


def _finished(run: Run, kind: str) -> QuerySet[Run]:
    done = Run.objects.filter(workspace=run.workspace, kind=kind, void=False, job__status=Job.Status.DONE)
    return done.select_related("workspace", "job").order_by("-created_at")


def _with_parts(asked: QuerySet[Run], names: Sequence[str]) -> QuerySet[Run]:
    """The runs with those parts of their results that are read: the whole is many times as long."""
    return asked.defer("result").annotate(**{f"result_{name}": KeyTransform(name, "result") for name in names})


def _parts(run: Run, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(run, f"result_{name}") for name in names}


def _changed(what: str, run: Run) -> Iterator[str]:
    if runs.inputs_changed(run):
        yield f"The data, or how they are computed, have changed since the {what}."


def _page(run: Run) -> str:
    return reverse("analyses:run", kwargs={"slug": run.workspace.slug, "run_id": run.pk})


def _money(value: float, low: float | None, high: float | None, currency: str) -> Figure:
    text, full = formats.short_money(value, currency), formats.money(value, currency)
    if low is None or high is None:
        return Figure(text, full, value)
    ends = (formats.short_money(end, currency) for end in (low, high))
    return Figure(text, full, value, low, high, *ends)


def _ratio(value: float, low: float | None, high: float | None) -> Figure:
    if low is None or high is None:
        return figures.ratio(value)
    return Figure(formats.ratio(value), f"{value:.4f}", value, low, high, formats.ratio(low), formats.ratio(high))
