"""The dashboard and its detail pages as documents: all wording and formatting is finished here."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from django.urls import reverse

from accounts.models import Workspace
from analyses.documents import Card, Document, Figure, LazyRows, Section
from analyses.presenters import data_version
from attribution.cube.daily_cube import NAME as DAILY
from charts import Chart
from mmm_project import formats
from reports import dashboard_charts, records
from reports import dashboard_tables as tables
from reports.dashboard_charts import Frame
from reports.evidence import TITLE, Evidence, lift_sentence
from reports.method import method, with_method
from reports.numbers import Group, Subject
from reports.state import DashboardState
from reports.trend_words import trend_sentences

NO_SPEND = "No spend in this period"
ASSOCIATION = (
    "Credited revenue describes association along the observed paths. It does not say what would have happened "
    "without a channel: for that, look to experiments and the media mix model."
)
BLENDED = "Overall ROI is blended ROAS: all revenue of the goal for each unit of spend, whoever gets the credit."


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a document says about where its numbers come from. `computed_at_utc`: for programs."""

    window_days: int
    data_until: str
    computed_at: str
    computed_at_utc: str
    data_version: str
    run_id: str

    @property
    def origin(self) -> dict[str, str]:
        """The same for programs."""
        return {"run": self.run_id, "data_version": self.data_version, "computed_at": self.computed_at_utc}


class Presenter:
    """Builds the documents of one workspace in one state."""

    def __init__(self, workspace: Workspace, state: DashboardState, facts: Facts) -> None:
        self.workspace, self.state, self.facts = workspace, state, facts
        compared = state.choice.compared
        self.frame = Frame(
            currency=workspace.currency,
            period=state.choice.period.label,
            compared=compared.label if compared else "",
            comparison=state.choice.comparison_label.removeprefix("the "),
            model=state.models.label(state.model),
            models=state.models,
        )

    def dashboard(self, subject: Subject) -> Document:
        """Everything: cards, channels, campaigns, trends, evidence."""
        sections = [
            self._channels(subject),
            self._campaigns(subject),
            self._trends(subject),
            self._evidence(subject),
        ]
        return self._document(
            title="Dashboard",
            headline=self._headline(subject),
            subject=subject,
            sections=sections,
            cards=self._cards(subject, overall=True),
            notes=(BLENDED, ASSOCIATION),
            name="dashboard",
        )

    def channel(self, name: str, subject: Subject) -> Document:
        """One channel: its figures, its campaigns, its trends, and what each model credits it with."""
        sections = [self._models(name, subject), self._trends(subject), self._campaigns(subject)]
        return self._detail("channel", name, subject, sections)

    def campaign(self, name: str, subject: Subject) -> Document:
        """One campaign: its figures, its trends, the channels that it runs on, and what each model credits it with."""
        sections = [self._models(name, subject), self._trends(subject), self._runs_on(subject)]
        return self._detail("campaign", name, subject, sections)

    def _detail(self, what: str, name: str, subject: Subject, sections: list[Section]) -> Document:
        return self._document(
            title=name,
            headline=self._detail_headline(name, subject),
            subject=subject,
            sections=sections,
            cards=self._cards(subject, overall=False),
            notes=(ASSOCIATION,),
            name=f"{what}-{quote(name, safe='')}",
        )

    def _document(
        self,
        *,
        title: str,
        headline: str,
        subject: Subject,
        sections: list[Section],
        cards: tuple[Card, ...],
        notes: tuple[str, ...],
        name: str,
    ) -> Document:
        period = self.state.choice.period
        shown = tuple(section for section in sections if section.charts or section.tables or section.sentences)
        model, window_days, confidence = self.frame.model, self.facts.window_days, self.workspace.confidence
        found = Document(
            title=title,
            subtitle=" · ".join(self._subtitle()),
            headline=headline,
            workspace=self.workspace.name,
            currency=self.workspace.currency,
            facts=tuple(self._facts()),
            sections=shown,
            cards=cards,
            notes=notes,
            rows=LazyRows(partial(records.rows, subject)),
            data=records.data(
                subject,
                title=title,
                workspace=self.workspace,
                state=self.state,
                window_days=window_days,
                origin=self.facts.origin,
            ),
            file_name=f"{name}-{self.workspace.slug}-{period.start}-to-{period.end}",
            method=method(model=model, window_days=window_days, confidence=confidence),
        )
        return with_method(
            found,
            model=(model, self.state.models.sentence(self.state.model)),
            window_days=window_days,
            confidence=confidence,
            currency=self.workspace.currency,
        )

    def _subtitle(self) -> Iterator[str]:
        yield self.state.choice.period.label
        if self.frame.compared:
            yield f"compared with {self.frame.compared}"
        yield f"{self.state.goal.name}, {self.frame.model}, {self.facts.window_days}-day window"

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "Period", self.state.choice.period.label
        if self.frame.compared:
            weekdays = ", moved to the same weekdays" if self.state.choice.match_weekday else ""
            yield "Compared with", f"{self.frame.compared} ({self.frame.comparison}{weekdays})"
        yield "Goal", self.state.goal.name
        yield "Attribution model", f"{self.frame.model}, {self.facts.window_days}-day lookback window"
        yield "Currency", self.workspace.currency
        yield "Days by the clock of", self.workspace.timezone
        yield "Data until", self.facts.data_until
        yield "Customers", "all of them, whatever segment they are in"
        yield "Computed at", self.facts.computed_at
        yield "Data version", data_version(self.facts.data_version, kind=DAILY)
        yield "Run", self.facts.run_id

    # --- Words ---------------------------------------------------------------------------------------------------

    def _headline(self, subject: Subject) -> str:
        now = subject.now
        if not now.conversions and not now.spend:
            return f"Nothing was spent and nobody converted in {self.frame.period}."
        revenue = self.frame.money(now.revenue)
        if now.roas is None:
            conversions = formats.count(now.conversions, "conversion")
            return f"{conversions} brought {revenue}; no spend has been imported for this period."
        spend = self.frame.money(now.spend)
        sentence = (
            f"{revenue} of revenue from {spend} of spend: {formats.ratio(now.roas)} for each {self.frame.currency}"
        )
        if subject.before and subject.before.roas:
            sentence += f", {_direction(now.roas / subject.before.roas - 1)} the {self.frame.comparison}"
        return f"{sentence}."

    def _detail_headline(self, name: str, subject: Subject) -> str:
        now = subject.now
        if now.spend and not subject.has_roas:
            return f"No model credits {name}, on which {self.frame.money(now.spend)} were spent: it left no touches."
        credited = f"{name} is credited with {self.frame.money(now.revenue)} under {self.frame.model}"
        if subject.roas is None:
            return f"{credited}; nothing was spent on it."
        return f"{credited}, {formats.ratio(subject.roas)} for each {self.frame.currency} spent."

    # --- Cards ---------------------------------------------------------------------------------------------------

    def _cards(self, subject: Subject, *, overall: bool) -> tuple[Card, ...]:
        now, before = subject.now, subject.before
        kind = "blended ROAS" if overall else f"ROAS, {self.frame.model}"
        credited = "" if overall else "credited"
        return (
            self._card(
                "Overall ROI" if overall else "ROI",
                kind,
                subject.roas,
                subject.roas_before,
                lambda value: Figure(formats.ratio(value), f"{value:.4f}", value),
                good_when_up=True,
                why_none=tables.NOT_CREDITED if now.spend else NO_SPEND,
            ),
            self._money_card("Spend", "", now.spend, before.spend if before else None, good_when_up=None),
            self._money_card("Revenue", credited, now.revenue, before.revenue if before else None, good_when_up=True),
            self._card(
                "Conversions",
                credited or self.state.goal.name,
                now.conversions,
                before.conversions if before else None,
                tables.counted,
                good_when_up=True,
            ),
        )

    def _money_card(
        self, label: str, unit: str, value: float, before: float | None, *, good_when_up: bool | None
    ) -> Card:
        return self._card(
            label, unit, value, before, partial(tables.money, frame=self.frame), good_when_up=good_when_up
        )

    def _card(
        self,
        label: str,
        unit: str,
        value: float | None,
        before: float | None,
        figure: Callable[[float], Figure],
        *,
        good_when_up: bool | None,
        why_none: str = "",
    ) -> Card:
        if value is None:
            return Card(label=label, unit=unit, figure=Figure(tables.DASH, why_none))
        change, tone = tables.change(value, before, frame=self.frame, good_when_up=good_when_up)
        return Card(label=label, unit=unit, figure=figure(value), change=change, change_tone=tone)

    # --- Sections ------------------------------------------------------------------------------------------------

    def _channels(self, subject: Subject) -> Section:
        charts = [
            dashboard_charts.roas_chart(
                subject.channels, chart_id="roi-by-channel", what="Channel", frame=self.frame, link=self.channel_url
            ),
            dashboard_charts.distribution_chart(
                subject.channels,
                subject.now,
                chart_id="channel-distribution",
                frame=self.frame,
                link=self.channel_url,
            ),
        ]
        table = tables.table("Channels", "Channel", subject.channels, subject, self.channel_url, frame=self.frame)
        return Section(title="Channels", charts=_present(charts), tables=(table,) if table else ())

    def _campaigns(self, subject: Subject) -> Section:
        groups = subject.campaigns
        chart = dashboard_charts.roas_chart(
            groups, chart_id="roi-by-campaign", what="Campaign", frame=self.frame, link=self.campaign_url
        )
        table = tables.table("Top campaigns", "Campaign", groups, subject, self.campaign_url, frame=self.frame)
        return Section(title="Campaigns", charts=_present([chart]), tables=(table,) if table else ())

    def _runs_on(self, subject: Subject) -> Section:
        table = tables.table(
            "Channels that it runs on", "Channel", subject.channels, subject, self.channel_url, frame=self.frame
        )
        return Section(title="Channels", tables=(table,) if table else ())

    def _models(self, name: str, subject: Subject) -> Section:
        chart = dashboard_charts.models_chart(
            subject.revenue_by_model, chart_id="models", name=name, frame=self.frame, chosen=self.state.model
        )
        currency, confidence = self.frame.currency, self.workspace.confidence
        lifts = tuple(lift_sentence(lift, currency=currency, confidence=confidence) for lift in subject.lifts)
        return Section(title=TITLE, charts=_present([chart]), sentences=lifts)

    def _trends(self, subject: Subject) -> Section:
        if not (subject.history.now.revenue.any() or subject.history.now.spend.any()):
            return Section(title="Trends")
        sentences = trend_sentences(
            subject.history, confidence=self.workspace.confidence, currency=self.workspace.currency
        )
        titles = {measure: sentence.short for measure, sentence in sentences.items()}
        charts = dashboard_charts.history_charts(subject.history, chart_id="trends", frame=self.frame, titles=titles)
        return Section(
            title="Trends", sentences=tuple(sentence.long for sentence in sentences.values()), charts=(charts,)
        )

    def _evidence(self, subject: Subject) -> Section:
        return Evidence(
            subject,
            chosen=self.state.model,
            confidence=self.workspace.confidence,
            zone=self.workspace.zone,
            frame=self.frame,
            link=self.channel_url,
            link_to_run=self.run_url,
        ).section()

    # --- Links ---------------------------------------------------------------------------------------------------

    def channel_url(self, group: Group) -> str:
        """The page of a channel in this state; "" for conversions without a touch, which have none."""
        return self._url("reports:channel", channel_id=group.key) if group.key > 0 else ""

    def campaign_url(self, group: Group) -> str:
        return self._url("reports:campaign", campaign_id=group.key) if group.key > 0 else ""

    def run_url(self, run_id: uuid.UUID) -> str:
        """The page of a run."""
        return reverse("analyses:run", kwargs={"slug": self.workspace.slug, "run_id": run_id})

    def _url(self, name: str, **key: int) -> str:
        return f"{reverse(name, kwargs={'slug': self.workspace.slug, **key})}?{self.state.query()}"


def _present(charts: Sequence[Chart | None]) -> tuple[Chart, ...]:
    return tuple(chart for chart in charts if chart is not None)


def _direction(share: float) -> str:
    text = formats.change(share)
    if not text.startswith(("+", formats.MINUS)):
        return "level with"
    return f"{text[1:]} {'above' if text.startswith('+') else 'below'}"
