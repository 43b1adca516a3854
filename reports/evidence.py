"""The section Evidence of the dashboard: what models credit each channel with, beside what experiments measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from analyses.documents import Section
from charts import Category, ChartSpec, Colour, Kind, Mark, Series
from marketing.experiments import MeasuredLift
from mmm_project import formats
from reports.dashboard_charts import MOST_BARS, Frame, LinkTo, axis_of
from reports.data_driven import DataDriven
from reports.media_mix_evidence import LinkToRun, MediaMixEvidence
from reports.numbers import Group, Subject
from reports.ratios import Ratio

TITLE = "Evidence"
EXPERIMENT = "Experiment (incremental)"
RULE_COLOURS = (Colour.ACCENT, Colour.CHANNEL_5, Colour.CHANNEL_1)
DATA_DRIVEN_COLOUR, EXPERIMENT_COLOUR, MEDIA_MIX_COLOUR = Colour.CHANNEL_1, Colour.CHANNEL_6, Colour.CHANNEL_8


class Evidence:
    """Puts the section together. `chosen`: the model of the page. `confidence`: of experiments' intervals, percent."""

    def __init__(
        self,
        subject: Subject,
        *,
        chosen: str,
        confidence: int,
        zone: ZoneInfo,
        frame: Frame,
        link: LinkTo,
        link_to_run: LinkToRun,
    ) -> None:
        self._subject, self._frame, self._link = subject, frame, link
        self._chosen, self._confidence, self._zone = chosen, confidence, zone
        self._lifts: Mapping[str, MeasuredLift] = {lift.channel: lift for lift in subject.lifts}
        self._learned = subject.data_driven
        found = subject.media_mix
        self._modelled = MediaMixEvidence(found, zone=zone, link=link_to_run) if found else None
        # Beside what has learned from the data, first touch says little more than how far rules can lie apart.
        self._models = list(dict.fromkeys(["last", chosen] if self._learned else ["last", chosen, "first"]))

    def section(self) -> Section:
        """Return the section; without a chart where no channel that attribution sees has spend."""
        chart = self._chart()
        if chart is None:
            return Section(title=TITLE)
        groups = [group for group in self._subject.channels if group.name in self._lifts]
        sentences = [self._disagreement(group, self._lifts[group.name]) for group in groups]
        if self._modelled:
            sentences += self._modelled.disagreements(self._subject.channels, self._attributed())
            sentences += self._modelled.origin()
        if self._learned:
            sentences.append(self._origin(self._learned))
        return Section(title=TITLE, charts=(chart,), sentences=tuple(sentences))

    # --- The chart -----------------------------------------------------------------------------------------------

    def _chart(self) -> ChartSpec | None:
        shown = [group for group in self._subject.channels if group.now.spend > 0 and self._has_evidence(group)]
        shown = shown[:MOST_BARS]
        if not any(group.is_seen or self._is_modelled(group) for group in shown):
            return None
        series = list(self._series(shown))
        unit = f"Revenue for each {self._frame.currency} spent"
        title, numbers = self._finding(shown)
        own = (
            "media mix and experiments are of their own days"
            if self._modelled
            else "experiments measured their own days"
        )
        return ChartSpec(
            id="evidence",
            kind=Kind.DOTS,
            title=title,
            subtitle=f"{unit}, {self._frame.period}; {own}",
            summary=f"{title}{numbers}.",
            category_title="Channel",
            categories=tuple(Category(label=group.name) for group in shown),
            series=tuple(series),
            axis=axis_of(series, title=unit, text=formats.count),
            interval=self._level(series),
            horizontal=True,
        )

    def _has_evidence(self, group: Group) -> bool:
        return group.is_seen or group.name in self._lifts or self._is_modelled(group)

    def _is_modelled(self, group: Group) -> bool:
        return self._modelled is not None and self._modelled.of(group) is not None

    def _finding(self, shown: Sequence[Group]) -> tuple[str, str]:
        """On which channel attribution models lie furthest apart, and by how much."""
        credited = {group.name: self._ratios(group) for group in shown if group.is_seen}
        if not credited:
            return "Attribution sees none of these channels, and the media mix model does", ""
        spread = max(credited, key=lambda name: max(credited[name].values()) - min(credited[name].values()))
        apart = {formats.ratio(ratio) for ratio in credited[spread].values()}
        named = ", ".join(f"{formats.ratio(ratio)} by {label}" for label, ratio in credited[spread].items())
        title = f"The models disagree most about {spread}" if len(apart) > 1 else "The models agree on every channel"
        return title, f": {named}"

    def _series(self, shown: Sequence[Group]) -> Sequence[Series]:
        series = [
            self._of(shown, self._frame.models.label(model), colour, partial(_by_rule, model=model))
            for model, colour in zip(self._models, RULE_COLOURS, strict=False)
        ]
        learned = self._learned
        if learned and any(_by_data(group, learned) for group in shown):
            ratio_of = partial(_by_data, learned=learned)
            series.append(self._of(shown, learned.model, DATA_DRIVEN_COLOUR, ratio_of))
        if self._modelled and any(map(self._is_modelled, shown)):
            marks = tuple(self._modelled.mark(group) for group in shown)
            series.append(Series(name=self._modelled.name, colour=MEDIA_MIX_COLOUR, marks=marks))
        if any(group.name in self._lifts for group in shown):
            marks = tuple(_lift_mark(self._lifts.get(group.name), self._link(group)) for group in shown)
            series.append(Series(name=EXPERIMENT, colour=EXPERIMENT_COLOUR, marks=marks))
        return series

    def _of(
        self, shown: Sequence[Group], name: str, colour: Colour, ratio_of: Callable[[Group], Ratio | None]
    ) -> Series:
        marks = tuple(self._mark(group, name, ratio_of(group)) for group in shown)
        return Series(name=name, colour=colour, marks=marks)

    def _mark(self, group: Group, name: str, ratio: Ratio | None) -> Mark | None:
        if ratio is None:
            return None
        others = tuple(
            f"{formats.ratio(abs(ratio.value - other))} {'more' if ratio.value >= other else 'less'} than {label}"
            for label, other in self._ratios(group).items()
            if label != name
        )
        mark = Mark(value=ratio.value, text=formats.ratio(ratio.value), detail=others, href=self._link(group))
        if not ratio.has_interval:
            return mark
        low, high = formats.ratio(ratio.low), formats.ratio(ratio.high)
        return replace(mark, low=ratio.low, high=ratio.high, low_text=low, high_text=high)

    def _ratios(self, group: Group) -> dict[str, float]:
        """What each model, by its label, says of a channel."""
        found = {self._frame.models.label(model): _by_rule(group, model) for model in self._models}
        if self._learned:
            found[self._learned.model] = _by_data(group, self._learned)
        return {label: ratio.value for label, ratio in found.items() if ratio}

    def _level(self, series: Sequence[Series]) -> str:
        """What the intervals are; experiments' may be of another level than the run's."""
        whiskers = {one.name for one in series if any(mark and mark.low is not None for mark in one.marks)}
        levels = {}
        if EXPERIMENT in whiskers:
            levels["experiments"] = self._confidence
        if self._learned and self._learned.model in whiskers and self._learned.confidence:
            levels[self._learned.model] = self._learned.confidence
        if self._modelled and self._modelled.name in whiskers:
            levels["media mix"] = self._modelled.found.confidence
        if len(set(levels.values())) == 1:
            return f"{next(iter(levels.values()))}% interval"
        return ", ".join(f"{level}% interval of {what}" for what, level in levels.items())

    # --- Words ---------------------------------------------------------------------------------------------------

    def _disagreement(self, group: Group, lift: MeasuredLift) -> str:
        """Say where what attribution credits and what an experiment measured do not agree."""
        measured = lift_sentence(lift, currency=self._frame.currency, confidence=self._confidence)
        rule = _by_rule(group, self._chosen)
        clauses = (
            [_verdict(self._frame.model, rule, lift)] if rule else ["attribution cannot see it: it leaves no touches"]
        )
        if self._learned and (learned := _by_data(group, self._learned)):
            clauses.append(_verdict(self._learned.model, learned, lift, self._learned.confidence))
        if self._modelled and (verdict := self._modelled.verdict(group, lift)):
            clauses.append(verdict)
        said = "; ".join(clauses)
        return f"{measured} {said[:1].upper()}{said[1:]}."

    def _attributed(self) -> list[tuple[str, Callable[[Group], Ratio | None]]]:
        """What is held against the media mix model: the page's model, and what has learned from the data."""
        found: list[tuple[str, Callable[[Group], Ratio | None]]] = [
            (self._frame.model, partial(_by_rule, model=self._chosen))
        ]
        if self._learned:
            found.append((self._learned.model, partial(_by_data, learned=self._learned)))
        return found

    def _origin(self, learned: DataDriven) -> str:
        computed = f"{learned.finished_at.astimezone(self._zone):%-d %b %Y, %H:%M}"
        sentence = f"{learned.model} is what the run of {computed} credited in this period"
        return f"{sentence}; the data have changed since." if learned.is_outdated else f"{sentence}."


def lift_sentence(lift: MeasuredLift, *, currency: str, confidence: int) -> str:
    """Say what an experiment has measured."""
    return (
        f"{lift.channel}: an experiment of {lift.period.label} measured {formats.ratio(lift.roi)} of incremental "
        f"revenue for each {currency} ({confidence}% interval {formats.ratio(lift.low)} "
        f"to {formats.ratio(lift.high)})."
    )


def _verdict(model: str, ratio: Ratio, lift: MeasuredLift, confidence: int | None = None) -> str:
    """Hold what a model credits against an experiment: they agree where their intervals have a ratio in common."""
    credited = f"{model} credits {formats.ratio(ratio.value)}"
    if ratio.has_interval:
        credited += f" ({confidence}% interval {formats.ratio(ratio.low)} to {formats.ratio(ratio.high)})"
    if ratio.meets(lift.low, lift.high):
        return f"{credited}, which agrees"
    return f"{credited}, which is {'more' if ratio.low > lift.high else 'less'} than the experiment allows"


def _by_rule(group: Group, model: str) -> Ratio | None:
    """The ROAS of a channel under a rule; None without spend, and for what leaves no touches."""
    if group.now.spend <= 0 or not group.is_seen:
        return None
    ratio = group.revenue_by_model[model] / group.now.spend
    return Ratio(ratio, ratio, ratio)


def _by_data(group: Group, learned: DataDriven) -> Ratio | None:
    """The ROAS of a channel as the run credits it; None without spend, and for a channel that the run does not name."""
    credited = learned.by_channel.get(group.key)
    if credited is None or group.now.spend <= 0:
        return None
    ends = (credited.low, credited.high)
    low, high = (credited.value if end is None else end for end in ends)
    spend = group.now.spend
    return Ratio(credited.value / spend, low / spend, high / spend)


def _lift_mark(lift: MeasuredLift | None, href: str) -> Mark | None:
    if lift is None:
        return None
    return Mark(
        value=lift.roi,
        text=formats.ratio(lift.roi),
        low=lift.low,
        high=lift.high,
        low_text=formats.ratio(lift.low),
        high_text=formats.ratio(lift.high),
        detail=(f"Measured {lift.period.label}",),
        href=href,
    )
