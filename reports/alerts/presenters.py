"""What the pages of alerts show, finished: states, sentences, the chart, the log."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.models import Membership, Workspace
from charts import ChartSpec
from mmm_project import formats
from reports.alerts import wording
from reports.alerts.actions import may_change
from reports.alerts.charting import alert_chart
from reports.alerts.checking import dashboard_path
from reports.alerts.judging import DAYS_SHOWN, DayJudged, NoVerdict, days_that_raise, judge_days, run_of
from reports.alerts.reach import DAYS_OF_GRACE
from reports.alerts.series import Series, SeriesReader
from reports.deliveries.recipients import listed
from reports.models import Alert, AlertEvent, Delivery, Recipient

MOST_EVENTS = 100
LISTED_DAYS = 5


class Standing(StrEnum):
    """How an alert stands, for programs. `NO_FIGURES`: they have stopped."""

    RAISED = "raised"
    QUIET = "quiet"
    NO_FIGURES = "no_figures"
    NO_VERDICT = "no_verdict"
    NO_DATA = "no_data"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class State:
    """How an alert stands. `tone`: the class of its badge, "" for a plain one."""

    standing: Standing
    label: str
    tone: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """An alert in the list."""

    alert: Alert
    watched: str
    state: State
    told: str


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """An event in the log. `notes`: what has become of it. `mails`: what became of each, as (address, status).

    `no_mails`: why there are none.
    """

    event: AlertEvent
    day: str
    url: str
    notes: Sequence[str]
    mails: Sequence[tuple[str, str]]
    no_mails: str


@dataclass(frozen=True, kw_only=True)
class RecipientRow:
    """Somebody who is told, or no longer."""

    email: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an alert would have raised in the last days: a sentence, and its chart if there are figures."""

    sentence: str
    chart: ChartSpec | None


@dataclass(frozen=True, kw_only=True)
class AlertPage:
    """An alert: what it watches, how it stands, what it would have raised, what it noticed, and who was told."""

    alert: Alert
    watched: str
    basis: str
    state: State
    preview: Preview
    events: Sequence[EventRow]
    more_events: int
    recipients: Sequence[RecipientRow]
    may_change: bool


def alerts_of(workspace: Workspace) -> QuerySet[Alert, Any]:
    """The workspace's alerts by name, with what the list needs."""
    reached = Count("recipients", filter=Q(recipients__unsubscribed_at=None, recipients__rejected_at=None))
    listed = Alert.objects.filter(workspace=workspace).select_related("workspace", "channel", "goal", "created_by")
    return listed.annotate(reached=reached).prefetch_related("events").order_by("name")


def present_rows(workspace: Workspace, *, now: dt.datetime) -> list[Row]:
    """Return the rows of the list; as many queries whatever the number of alerts."""
    reader = SeriesReader(workspace, now=now)
    return [
        Row(
            alert=alert,
            watched=wording.watched_in_words(alert),
            state=state_of(alert, reader),
            told=formats.count(alert.reached, "recipient") if alert.reached else "Nobody is told by mail",
        )
        for alert in alerts_of(workspace)
    ]


def present_alert(alert: Alert, by: Membership, *, now: dt.datetime) -> AlertPage:
    """Return the page of an alert."""
    series, judged = _judged(alert, SeriesReader(alert.workspace, now=now))
    deliveries = Prefetch("deliveries", queryset=Delivery.objects.order_by("email", "created_at"))
    events = list(alert.events.prefetch_related(deliveries)[:MOST_EVENTS])
    return AlertPage(
        alert=alert,
        watched=wording.watched_in_words(alert),
        basis=wording.basis_in_words(alert, series),
        state=_state(alert, series, judged),
        preview=_preview(alert, series, judged, raised=_standing(alert, events)),
        events=[_event_row(alert, series, event) for event in events],
        more_events=max(alert.events.count() - len(events), 0),
        recipients=[_recipient_row(recipient) for recipient in listed(alert).order_by("pk")],
        may_change=may_change(alert, by),
    )


def present_preview(alert: Alert, *, now: dt.datetime) -> Preview:
    """Return what an alert that may not be saved yet would have raised in the last days."""
    series, judged = _judged(alert, SeriesReader(alert.workspace, now=now))
    return _preview(alert, series, judged, raised=set())


def state_of(alert: Alert, reader: SeriesReader) -> State:
    """Return how an alert stands, by the figures that `reader` has of its workspace."""
    return _state(alert, *_judged(alert, reader))


def _judged(alert: Alert, reader: SeriesReader) -> tuple[Series | None, list[DayJudged]]:
    series = reader.series(alert)
    return series, judge_days(alert, series) if series else []


def _state(alert: Alert, series: Series | None, judged: Sequence[DayJudged]) -> State:
    if alert.paused_at is not None:
        day = wording.day_in_words(alert.paused_at.astimezone(alert.workspace.zone).date())
        return State(
            standing=Standing.PAUSED,
            label="Paused",
            tone="",
            sentence=f"Since {day}. Nothing is looked at until it is resumed.",
        )
    if series is None or not judged:
        return State(
            standing=Standing.NO_DATA, label="No data", tone="badge-warn", sentence="There are no figures of it yet."
        )
    last = judged[-1]
    day = wording.day_in_words(last.day)
    # As long as a day or two are on their way, that is as usual.
    stopped = wording.no_figures_in_words(series) if series.days_missing > DAYS_OF_GRACE else ""
    if last.no_verdict is not None:
        reason = wording.no_verdict_in_words(last.no_verdict)
        sentence = _together(f"On {day}: {reason}", stopped)
        return State(standing=Standing.NO_VERDICT, label="No verdict", tone="badge-warn", sentence=sentence)
    standing = _standing(alert, alert.events.all())
    if last.is_beyond:
        run = run_of(judged)
        raised = next((standing[day.day] for day in run if day.day in standing), None)
        # A run may have begun before the alert was there, or may not have been looked at yet.
        sentence = raised.sentence if raised else wording.event_in_words(alert, series, last)
        since = wording.day_in_words(raised.day if raised else last.day)
        sentence = _together(f"Since {since}. {sentence}", stopped)
        return State(standing=Standing.RAISED, label="Raised", tone="badge-bad", sentence=sentence)
    before = f"Last raised on {wording.day_in_words(max(standing))}." if standing else ""
    if stopped:
        sentence = _together(stopped, "Up to then there was nothing to tell.", before)
        return State(standing=Standing.NO_FIGURES, label="No figures", tone="badge-warn", sentence=sentence)
    sentence = _together(f"Nothing to tell up to {day}.", before)
    return State(standing=Standing.QUIET, label="Quiet", tone="badge-good", sentence=sentence)


def _standing(alert: Alert, events: Iterable[AlertEvent]) -> dict[dt.date, AlertEvent]:
    """The events, by day, of what the alert watches now that later data have not taken back."""
    return {event.day: event for event in events if event.revision == alert.revision and event.taken_back_at is None}


def _together(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _preview(
    alert: Alert, series: Series | None, judged: Sequence[DayJudged], *, raised: Collection[dt.date]
) -> Preview:
    """The last days: those that would have raised it, and those that did."""
    if series is None or not judged:
        return Preview(sentence="There are no figures of it yet, so it cannot be tried on past days.", chart=None)
    shown = judged[-DAYS_SHOWN:]
    would = {day.day for day in days_that_raise(judged, raised=(), since=shown[0].day)}
    chart = alert_chart(alert, series, shown, raised=would.union(raised))
    if all(day.no_verdict is not None for day in shown):
        reason = wording.no_verdict_in_words(_reason(shown))
        return Preview(sentence=f"It could not have been raised in the last {len(shown)} days. {reason}", chart=chart)
    if not would:
        return Preview(sentence=f"In the last {len(shown)} days it would not have been raised.", chart=chart)
    days = [wording.day_in_words(day) for day in sorted(would, reverse=True)]
    listed = ", ".join(days[:LISTED_DAYS]) + (f" and {len(days) - LISTED_DAYS} more" if days[LISTED_DAYS:] else "")
    times = formats.count(len(days), "day")
    return Preview(
        sentence=f"In the last {len(shown)} days it would have been raised on {times}: {listed}.", chart=chart
    )


def _reason(shown: Sequence[DayJudged]) -> NoVerdict:
    """Why nothing could be said about the last of them."""
    reason = shown[-1].no_verdict
    assert reason is not None  # noqa: S101 - none of them has a verdict
    return reason


def _event_row(alert: Alert, series: Series | None, event: AlertEvent) -> EventRow:
    mails = [(delivery.email, delivery.get_status_display()) for delivery in event.deliveries.all()]
    notes = []
    if event.taken_back_at is not None:
        notes.append("Later data took it back")
    if event.revision != alert.revision:
        notes.append("Before the alert was changed")
    no_mails = ""
    if not event.mailed:
        no_mails = "Not mailed: two mails had gone out that day"
    elif not mails:
        no_mails = "Nobody was told by mail"
    return EventRow(
        event=event,
        day=wording.day_in_words(event.day).replace(" ", "\N{NO-BREAK SPACE}"),
        url=dashboard_path(alert, series, event.day) if series else "",
        notes=notes,
        mails=mails,
        no_mails=no_mails,
    )


def _recipient_row(recipient: Recipient) -> RecipientRow:
    note = ""
    if recipient.unsubscribed_at is not None:
        note = "Unsubscribed"
    elif recipient.rejected_at is not None:
        note = f"Cannot be reached: {recipient.rejected_because}" if recipient.rejected_because else "Cannot be reached"
    return RecipientRow(email=recipient.email, note=note)
