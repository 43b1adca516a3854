"""What a mail says: the finding, the figures and the key chart of a report; or the words of an alert or a notice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.invitations import clean_address
from analyses.documents import Card, Document
from charts import Chart, png
from reports.deliveries.clock_times import instant_in_words
from reports.deliveries.links import FILES_LAST, file_url, site_url, unsubscribe_url
from reports.deliveries.mime import Attachment, Mail, Picture, one_line, sender_domain
from reports.deliveries.outbox import source_of
from reports.deliveries.sending import CannotCompose
from reports.editions.composition import SUMMARY
from reports.editions.files import file_of, kept_beside, name_of
from reports.editions.snapshots import SnapshotLost, document_of
from reports.exports import FORMATS
from reports.models import Delivery, Occurrence

# Drawn narrower than it is shown on a large screen, 552 pixels, so that its words can be read on a telephone too.
CHART_WIDTH_PX, CHART_SCALE = 440, 2.5
NO_EDITION = "The report was deleted before it was sent."


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that was too large to attach."""

    label: str
    url: str


def compose(delivery: Delivery) -> Mail:
    """Return the mail of this delivery. Raises CannotCompose if what it is about is gone."""
    domain = sender_domain()
    context: dict[str, Any] = {
        "subject": delivery.subject,
        "title": delivery.subject,
        "workspace": one_line(delivery.workspace.name),
        "paragraphs": [one_line(part) for part in delivery.body.split("\n\n") if part.strip()],
        "unsubscribe_url": unsubscribe_url(delivery.recipient) if delivery.recipient else "",
        "reason": _reason(delivery),
    }
    picture: Picture | None = None
    attachments: tuple[Attachment, ...] = ()
    if delivery.purpose == Delivery.Purpose.REPORT:
        document, files = _made(delivery)
        attachments, links = _attached_or_linked(delivery, document, files)
        chart = next(iter(document.charts), None)
        picture = _picture(delivery, chart, f"chart.{delivery.pk.hex}@{domain}") if chart else None
        context |= _report(delivery, document) | {
            "attached": [file.name for file in attachments],
            "links": links,
            "link_days": FILES_LAST.days,
            "chart": chart,
            "picture": picture,
        }
    return Mail(
        message_id=f"<{delivery.pk}@{domain}>",
        to=_address(delivery.email),
        subject=delivery.subject,
        sender_name=delivery.workspace.name,
        text=render_to_string("reports/mail/letter.txt", context),
        html=render_to_string("reports/mail/letter.html", context),
        headers=tuple(_headers(delivery, domain, context["unsubscribe_url"])),
        picture=picture,
        attachments=attachments,
    )


def _made(delivery: Delivery) -> tuple[Document, dict[str, Path]]:
    """The document of the delivery's edition, and its files by format."""
    edition = delivery.edition
    if edition is None:
        raise CannotCompose(NO_EDITION)
    try:
        return document_of(edition), {form: file_of(edition, form) for form in delivery.formats if form in FORMATS}
    except SnapshotLost as lost:
        raise CannotCompose(str(lost)) from None


def _attached_or_linked(
    delivery: Delivery, document: Document, files: Mapping[str, Path]
) -> tuple[tuple[Attachment, ...], tuple[FileLink, ...]]:
    """All files, or, where they are too large together, links to all of them."""
    if sum(path.stat().st_size for path in files.values()) > settings.MAIL_ATTACHMENT_BYTES:
        return (), tuple(FileLink(FORMATS[form].label, file_url(delivery, form)) for form in files)
    attached = (
        Attachment(name_of(document, form), FORMATS[form].content_type.partition(";")[0], path.read_bytes())
        for form, path in files.items()
    )
    return tuple(attached), ()


def _picture(delivery: Delivery, chart: Chart, content_id: str) -> Picture:
    """The chart, drawn once for all mails of an edition."""

    def draw() -> bytes:
        return png.render(chart, width_px=CHART_WIDTH_PX, scale=CHART_SCALE)

    return Picture(content_id, kept_beside(delivery.edition, "mail.png", draw) if delivery.edition else draw())


def _report(delivery: Delivery, document: Document) -> dict[str, Any]:
    page = {"slug": delivery.workspace.slug, "edition_id": delivery.edition_id}
    summary = next((section.sentences for section in document.sections if section.title == SUMMARY), ())
    return {
        "title": one_line(document.title),
        "period": document.subtitle,
        "headline": document.headline,
        # The finding is that of the first part, which the summary says as well.
        "sentences": [sentence for sentence in summary if not sentence.endswith(document.headline)],
        "not_made": _not_made(document),
        "cards": [_card(card) for card in document.cards],
        "late": _late(delivery.occurrence) if delivery.occurrence else "",
        "page_url": site_url(reverse("reports:edition", kwargs=page)),
    }


def _not_made(document: Document) -> list[str]:
    """A line for each part of the report that could not be made, and why."""
    failed = [part for part in document.data.get("parts", ()) if part.get("problem")]
    why = (f"{one_line(part['title'])}: {one_line(part['problem'])}" for part in failed)
    return [f"{'Another' if place else 'One'} part could not be made: {said}" for place, said in enumerate(why)]


def _card(card: Card) -> dict[str, str]:
    label = f"{card.label}, {card.unit}" if card.unit else card.label
    return {"label": label, "value": card.figure.with_interval, "change": card.change}


def _late(occurrence: Occurrence) -> str:
    """Why it comes now, and not when it was due; and what it stands for besides."""
    sentences = []
    if occurrence.late:
        due = instant_in_words(occurrence.due_at, ZoneInfo(occurrence.schedule.zone))
        sentences.append(f"This report was due on {due} and comes late.")
    subject = "It" if sentences else "This report"
    if occurrence.missed == 1:
        sentences.append(f"{subject} stands for an earlier one as well, which is not sent.")
    elif occurrence.missed:
        sentences.append(f"{subject} stands for {occurrence.missed} earlier ones as well, which are not sent.")
    return " ".join(sentences)


def _reason(delivery: Delivery) -> str:
    """Why somebody gets this mail."""
    about, name = source_of(delivery), one_line(delivery.workspace.name)
    if delivery.purpose == Delivery.Purpose.NOTICE or about is None:
        return f"You get this as a member of the workspace {name}."
    what = "report" if delivery.purpose == Delivery.Purpose.REPORT else "alert"
    about_name = one_line(about.name)
    return f"You get this because somebody at {name} sends the {what} “{about_name}” to {one_line(delivery.email)}."


def _headers(delivery: Delivery, domain: str, unsubscribe: str) -> Iterator[tuple[str, str]]:
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "All"  # for programs that do not know the header above
    about = source_of(delivery)
    if unsubscribe and about is not None:
        yield "List-Id", f"<{type(about).__name__.lower()}-{about.pk}.reports.{domain}>"
        yield "List-Unsubscribe", f"<{unsubscribe}>"
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"  # RFC 8058


def _address(email: str) -> str:
    try:
        return clean_address(email)
    except ValidationError as error:
        raise CannotCompose(f"The address {one_line(email)} cannot be used: {' '.join(error.messages)}") from None
