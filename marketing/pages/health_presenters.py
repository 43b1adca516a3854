"""What the page Data health shows; all queries and wording are finished here."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Max
from django.urls import reverse

from accounts.models import Workspace
from marketing.channel_index import ChannelIndex, channel_index
from marketing.day_labels import span_label
from marketing.health.checks import Finding, Need, Readiness, Severity, Status
from marketing.health.checks.coverage import WORDS
from marketing.health.report import DatasetDays, Report, SeriesDays
from marketing.health.reports import KeptReport, Situation, kept_report, situation_of
from marketing.models import Dataset, Import
from marketing.pages.health_calendar import Calendar, build_calendar, dataset_label, gap_at
from marketing.pages.health_gap import ChosenGap, explain_gap
from marketing.period_choice import PeriodChoice
from marketing.periods import PRESET_DAYS, Period
from mmm_project import formats
from mmm_project.problems import NotFound

DEFAULT_PERIOD = "last_90"
MOST_STRIPS = 30  # of each dataset, unless all are asked for
DASH = "\N{EN DASH}"
SEVERITIES = {
    Severity.PROBLEM: ("Problem", "bad"),
    Severity.WARNING: ("Warning", "warn"),
    Severity.NOTE: ("Note", "quiet"),
}
STATUSES = {
    Status.READY: ("Ready", "good"),
    Status.LIMITED: ("With reservations", "warn"),
    Status.BLOCKED: ("Not yet", "bad"),
}
WORST_FIRST = (Status.BLOCKED, Status.LIMITED, Status.READY)
CHECKED = (
    "Looked for: missing, late and repeated data; days and levels out of line; wrong units; conversions without "
    "touches; clocks that are late; tags that are missing or spelt in several ways; spend without touches, and "
    "touches without spend."
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A link to the page in another state."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """A finding. `about_url`: the page about its channel; `gap_url`: its days in the calendar."""

    severity: str
    tone: str
    sentence: str
    advice: str
    dataset: str
    about: str
    about_url: str
    days: str
    gap_url: str


@dataclass(frozen=True, kw_only=True)
class ReadinessCard:
    """An analysis: whether the data are ready for it, and each of its needs, unmet ones first."""

    label: str
    status: str
    tone: str
    needs: Sequence[tuple[str, Need]]


@dataclass(frozen=True, kw_only=True)
class DatasetRow:
    """A dataset: what there is of it, and how new it is."""

    label: str
    last_import: str
    days: str
    rhythm: str
    missing: str


@dataclass(frozen=True, kw_only=True)
class HealthPage:
    """Data health in one state of its address."""

    situation: Situation
    updating: bool = False
    errors: Sequence[str] = ()
    title: str = "Data health"
    parent_url: str = ""
    channel_url: str = ""
    summary: str = ""
    provenance: str = ""
    periods: Sequence[Choice] = ()
    period_label: str = ""
    datasets: Sequence[Choice] = ()
    channels: Sequence[tuple[str, str]] = ()
    channel: str = ""
    kept: Sequence[tuple[str, str]] = ()
    readiness: Sequence[ReadinessCard] = ()
    findings: Sequence[FindingRow] = ()
    elsewhere: int = 0
    elsewhere_url: str = ""
    nothing_found: str = ""
    gap: ChosenGap | None = None
    calendar: Calendar | None = None
    all_strips_url: str = ""
    rows: Sequence[DatasetRow] = ()


def health_page(workspace: Workspace, query: Mapping[str, str], *, now: dt.datetime) -> HealthPage:
    """Return the page in the state that its address says. Raises NotFound for a channel that there is not."""
    kept = kept_report(workspace=workspace)
    if kept is None or kept.report is None:
        situation = situation_of(workspace=workspace, kept=kept)
        return HealthPage(situation=situation, updating=situation == "preparing")
    return _Page(workspace, query, kept, kept.report, now).build()


class _Page:
    """Puts a page together."""

    def __init__(
        self, workspace: Workspace, query: Mapping[str, str], kept: KeptReport, report: Report, now: dt.datetime
    ) -> None:
        self._workspace, self._query, self._kept, self._report = workspace, query, kept, report
        self._path = reverse("marketing:health", kwargs={"slug": workspace.slug})
        self._choice = PeriodChoice.from_query(_with_default_period(query), workspace=workspace, now=now)
        self._period = self._choice.period
        self._index = channel_index(workspace=workspace)
        self._channel = _channel(self._index, query.get("channel", ""))
        asked = query.get("dataset", "")
        self._dataset = asked if asked in WORDS else ""
        self._series = "" if self._channel else query.get("series", "")
        self._chosen = self._chosen_day()

    def build(self) -> HealthPage:
        findings = [finding for finding in self._report.findings if self._is_shown(finding)]
        in_period = [finding for finding in findings if finding.concerns(self._period.start, self._period.end)]
        return HealthPage(
            situation="ready",
            updating=self._kept.is_outdated,
            errors=self._choice.errors,
            title=f"Data health of {self._subject}" if self._subject else "Data health",
            parent_url=self._url(channel=None, series=None, dataset=None, day=None) if self._subject else "",
            channel_url=self._results_url(),
            summary=_summary(in_period, self._choice),
            provenance=self._provenance(),
            periods=list(self._periods()),
            period_label=self._choice.label,
            datasets=list(self._datasets()),
            channels=[(str(channel.pk), channel.name) for channel in self._index.standing()],
            channel=str(self._channel[0]) if self._channel else "",
            kept=[(name, value) for name, value in self._state(channel=None, day=None).items() if value],
            readiness=[] if self._subject else [_card(one) for one in self._report.readiness],
            findings=[self._row(finding) for finding in in_period],
            elsewhere=len(findings) - len(in_period),
            elsewhere_url=self._url(period=None, start=self._report.first_day, end=self._report.last_day),
            nothing_found=self._nothing_found(),
            gap=self._gap(),
            calendar=self._calendar(),
            all_strips_url=self._url(strips="all"),
            rows=[] if self._subject else list(self._dataset_rows()),
        )

    @property
    def _subject(self) -> str:
        """The channel, or other series, that the page is about; "" if it is about all."""
        return self._channel[1] if self._channel else self._series

    # --- The state of the address --------------------------------------------------------------------------------

    def _state(self, **changed: object) -> dict[str, str]:
        """The state as a query: what is None is left out."""
        state: dict[str, object] = {
            **{name: value for name, value in self._choice.query().items() if name in ("period", "start", "end")},
            "dataset": self._dataset,
            "channel": self._channel[0] if self._channel else "",
            "series": self._series,
        }
        if self._query.get("strips") == "all":
            state["strips"] = "all"
        return {name: str(value) for name, value in (state | changed).items() if value not in (None, "")}

    def _url(self, *, anchor: str = "", **changed: object) -> str:
        query = urlencode(self._state(**changed))
        return f"{self._path}{'?' if query else ''}{query}{anchor}"

    def _periods(self) -> Iterator[Choice]:
        for name, days in PRESET_DAYS.items():
            url = self._url(period=name, start=None, end=None, day=None)
            yield Choice(label=f"{days} days", url=url, is_current=name == self._choice.preset)
        whole = Period(self._report.first_day, self._report.last_day)
        yield Choice(
            label="All",
            url=self._url(period=None, start=whole.start, end=whole.end, day=None),
            is_current=self._period == whole,
        )

    def _datasets(self) -> Iterator[Choice]:
        yield Choice(label="All", url=self._url(dataset=None, day=None), is_current=not self._dataset)
        for one in self._report.datasets:
            if one.first_day:
                url = self._url(dataset=one.dataset, day=None)
                yield Choice(label=dataset_label(one.dataset), url=url, is_current=one.dataset == self._dataset)

    def _results_url(self) -> str:
        """The channel's page on the dashboard, for the same days: by name, as that app lies above."""
        if self._channel is None:
            return ""
        path = reverse("reports:channel", kwargs={"slug": self._workspace.slug, "channel_id": self._channel[0]})
        dates = urlencode({"start": self._period.start.isoformat(), "end": self._period.end.isoformat()})
        return f"{path}?{dates}"

    # --- Findings ------------------------------------------------------------------------------------------------

    def _is_shown(self, finding: Finding) -> bool:
        if self._dataset and finding.dataset != self._dataset:
            return False
        # What is wrong with a whole dataset is wrong with each channel's part of it.
        if self._channel is None:
            return self._series in ("", finding.series) or not (finding.series or finding.channel)
        whole = not finding.channel and finding.dataset in (Dataset.TOUCHPOINTS, Dataset.SPEND)
        return whole or self._resolved(finding.channel) == self._channel

    def _resolved(self, name: str) -> tuple[int, str] | None:
        channel = self._index.named(name) if name else None
        return (channel.pk, channel.name) if channel else None

    def _row(self, finding: Finding) -> FindingRow:
        label, tone = SEVERITIES[finding.severity]
        channel = self._resolved(finding.channel)
        days = span_label(finding.first_day, finding.last_day) if finding.first_day and finding.last_day else ""
        return FindingRow(
            severity=label,
            tone=tone,
            sentence=finding.sentence,
            advice=finding.advice,
            dataset=dataset_label(finding.dataset),
            about=finding.channel or finding.series,
            about_url=self._url(channel=channel[0], dataset=None, day=None) if channel and not self._channel else "",
            days=days,
            gap_url=self._gap_url_of(finding),
        )

    def _gap_url_of(self, finding: Finding) -> str:
        """The finding's days in the calendar, if they are a gap of one series."""
        if finding.code not in ("missing_days", "series_stopped") or finding.first_day is None:
            return ""
        name = finding.channel or finding.series
        for one in self._report.series:
            if (one.dataset, one.name) == (finding.dataset, name):
                return self._explain(one, finding.first_day)
        return ""

    def _nothing_found(self) -> str:
        seen = self._report.seen
        amounts = f"{formats.count(seen['channels'], 'channel')}, {seen['touches']:,} touches and "
        amounts += f"{formats.count(seen['conversions'], 'conversion')} of {formats.count(seen['days'], 'day')}"
        return f"{amounts} were looked at. {CHECKED}"

    # --- The calendar --------------------------------------------------------------------------------------------

    def _calendar(self) -> Calendar:
        shown = [
            one
            for one in self._report.series
            if (not self._dataset or one.dataset == self._dataset) and self._is_subject(one)
        ]
        return build_calendar(
            self._report,
            shown,
            self._period,
            week_start=self._workspace.week_start,
            most=len(shown) if self._query.get("strips") == "all" else MOST_STRIPS,
            link=self._series_url,
            explain=self._explain,
            chosen=self._chosen,
        )

    def _is_subject(self, one: SeriesDays) -> bool:
        if self._channel is not None:
            return one.is_channel and self._resolved(one.name) == self._channel
        return self._series in ("", one.name)

    def _series_url(self, one: SeriesDays) -> str:
        channel = self._resolved(one.name) if one.is_channel else None
        if self._subject or (one.is_channel and channel is None):
            return ""
        if channel:
            return self._url(channel=channel[0], dataset=None, day=None)
        return self._url(series=one.name, dataset=one.dataset, day=None)

    def _explain(self, one: SeriesDays, day: dt.date) -> str:
        channel = self._resolved(one.name) if one.is_channel else None
        about = {"channel": channel[0]} if channel else {"series": one.name}
        return self._url(**{**about, "dataset": one.dataset, "day": day.isoformat()}, anchor="#gap")

    def _chosen_day(self) -> tuple[SeriesDays, dt.date] | None:
        """The series and day that the address asks about; of several series that which lacks the day."""
        try:
            day = dt.date.fromisoformat(self._query.get("day", ""))
        except ValueError:
            return None
        asked = [
            one
            for one in self._report.series
            if self._subject and self._is_subject(one) and self._dataset in ("", one.dataset)
        ]
        lacking = [one for one in asked if gap_at(self._report, one, day)]
        chosen = next(iter(lacking or asked), None)
        return (chosen, day) if chosen else None

    def _gap(self) -> ChosenGap | None:
        if self._chosen is None:
            return None
        return explain_gap(self._report, *self._chosen, close_url=self._url(day=None, anchor="#calendar"))

    # --- Datasets ------------------------------------------------------------------------------------------------

    def _dataset_rows(self) -> Iterator[DatasetRow]:
        active = Import.objects.filter(workspace=self._workspace, status=Import.Status.ACTIVE).order_by()
        newest = dict(active.values_list("dataset").annotate(Max("activated_at")))
        for one in self._report.datasets:
            at = newest.get(one.dataset) or (newest.get(Dataset.MEDIA_TABLE) if one.first_day else None)
            yield _dataset_row(one, at.astimezone(self._workspace.zone) if at else None)

    def _provenance(self) -> str:
        at = self._kept.computed_at.astimezone(self._workspace.zone)
        seen = self._report.last_day
        return f"Looked at on {at:%-d %b %Y, %H:%M %Z}; data up to {seen:%-d %b %Y}."


def _with_default_period(query: Mapping[str, str]) -> Mapping[str, str]:
    named = any(query.get(name) for name in ("period", "start", "end"))
    return query if named else {**query, "period": DEFAULT_PERIOD}


def _channel(index: ChannelIndex, asked: str) -> tuple[int, str] | None:
    """The channel that the address names, by id; of a merged one that which it counts for. Raises NotFound."""
    if not asked:
        return None
    pk = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 20 else 0
    if pk not in index.channels:
        raise NotFound("There is no such channel in this workspace.")
    channel = index.channels[index.counted_for(pk)]
    return channel.pk, channel.name


def _summary(findings: Sequence[Finding], choice: PeriodChoice) -> str:
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in Severity}
    parts = [
        formats.count(counts[severity], noun)
        for severity, noun in ((Severity.PROBLEM, "problem"), (Severity.WARNING, "warning"), (Severity.NOTE, "note"))
        if counts[severity]
    ]
    when = f"the {choice.label[0].lower()}{choice.label[1:]}" if choice.preset else choice.label
    if not parts:
        return f"Nothing was found that concerns {when}."
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{listed} that {'concerns' if sum(counts.values()) == 1 else 'concern'} {when}."


def _card(one: Readiness) -> ReadinessCard:
    label, tone = STATUSES[one.status]
    needs = sorted(one.needs, key=lambda need: WORST_FIRST.index(need.status))
    return ReadinessCard(
        label=one.label, status=label, tone=tone, needs=[(STATUSES[need.status][1], need) for need in needs]
    )


def _dataset_row(one: DatasetDays, last_import: dt.datetime | None) -> DatasetRow:
    days = span_label(one.first_day, one.last_day) if one.first_day and one.last_day else DASH
    rhythm = {"daily": "By day", "weekly": "By week", "rare": "Now and then"}[one.cadence]
    return DatasetRow(
        label=dataset_label(one.dataset),
        last_import=f"{last_import:%-d %b %Y}" if last_import else DASH,
        days=days,
        rhythm=rhythm if one.first_day else DASH,
        missing=f"{one.missing:,}" if one.first_day else DASH,
    )
