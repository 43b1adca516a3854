"""What is in a mail: the finding, figures, chart and files, in HTML and in words; nothing that anybody slipped in."""

import email
import io
from email.header import decode_header, make_header
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any

import pytest
from PIL import Image
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from analyses.documents import Card, Figure, Section
from charts import Chart, png
from charts.examples import EXAMPLES
from reports.deliveries.mime import one_line
from reports.deliveries.outbox import send_due
from reports.editions.composition import SUMMARY
from reports.editions.files import file_of
from reports.models import Delivery, Occurrence, Recipient, Schedule
from tests.reports.deliveries.conftest import Enqueue, MakeEdition
from tests.reports.deliveries.steps import carry_out, fresh
from tests.reports.documents import a_document
from tests.smtp_server import MailServer, Received

HOSTILE = '<script>alert(1)</script><img src="http://x.example/p.png"><a href="javascript:1">&'


class Elements(HTMLParser):
    """The elements of an HTML text, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def only(mail_server: MailServer) -> Received:
    carry_out()
    (received,) = mail_server.received
    return received


def test_both_parts_say_the_finding_the_summary_and_the_figures(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, mail_server: MailServer
) -> None:
    summary = Section(title=SUMMARY, sentences=("Dashboard: revenue rose.", "Attribution: paid search leads."))
    document = a_document(sections=(summary, *a_document().sections))
    send(ann, edition=make_edition(document))
    received = only(mail_server)
    for words in (received.text("plain"), received.text("html")):
        assert "Paid search gets 60.1% of Purchase revenue under Data-driven." in words
        assert "Dashboard: revenue rose." in words
        assert "Attribution: paid search leads." in words
        assert "€685.9 k" in words
        assert "▲ +4.2% vs previous period" in words
        assert "Acme" in words
        assert "Attached: attribution-acme-2025-06-01-to-2025-06-30.csv" in words
    assert "ROI, blended ROAS: 2.41" in received.text("plain")


def test_what_the_summary_repeats_of_the_finding_is_said_once(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, mail_server: MailServer
) -> None:
    document = a_document()
    summary = Section(title=SUMMARY, sentences=(f"Attribution: {document.headline}", "Media mix: TV leads."))
    send(ann, edition=make_edition(a_document(sections=(summary, *document.sections))))
    words = only(mail_server).text("plain")
    assert words.count(document.headline) == 1
    assert "- Media mix: TV leads." in words


def test_the_key_chart_stands_in_the_html_with_its_words(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    send(ann)
    received = only(mail_server)
    chart = EXAMPLES["dots"]  # the first of the document
    (image,) = Elements(received.text("html")).of("img")
    assert image["alt"] == chart.summary
    (part,) = (part for part in received.message.walk() if part.get_content_type() == "image/png")
    assert image["src"] == f"cid:{part['Content-ID'].strip('<>')}"
    assert part.get_content_disposition() == "inline"
    picture = Image.open(io.BytesIO(part.get_content()))
    assert picture.size[0] == 1100  # sharp where it is shown 552 pixels wide, on screens with two dots a pixel
    kinds = [part.get_content_type() for part in received.message.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "text/csv",
    ]  # fmt: skip
    assert chart.summary in received.text("plain")


def test_fifty_mails_of_a_report_cost_one_drawing(
    send: Enqueue, ann: Recipient, bob: Recipient, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    render = png.render

    def noted(chart: Chart, **size: Any) -> bytes:
        drawn.append(chart.title)
        return render(chart, **size)

    monkeypatch.setattr(png, "render", noted)
    (of_ann, of_bob) = send(ann, bob)
    carry_out()
    assert drawn == [EXAMPLES["dots"].title]
    pictures = {
        part.get_payload(decode=True)
        for received in mail_server.received
        for part in received.message.walk()
        if part.get_content_type() == "image/png"
    }
    assert (len(mail_server.received), len(pictures)) == (2, 1)
    assert of_ann.edition == of_bob.edition
    send(ann, occurrence=None)  # of another edition
    carry_out()
    assert len(drawn) == 2


def test_parts_that_could_not_be_made_are_named_after_the_summary(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, mail_server: MailServer
) -> None:
    parts = [
        {"kind": "dashboard", "title": "Figures", "headline": "Revenue rose.", "data": {}},
        {"kind": "attribution", "title": "Credit", "problem": "Something went wrong. Report it as error <ab12cd34>."},
    ]
    send(ann, edition=make_edition(a_document(data={"parts": parts})))
    received = only(mail_server)
    line = "One part could not be made: Credit: Something went wrong. Report it as error <ab12cd34>."
    assert line in received.text("plain")
    assert line.replace("<", "&lt;").replace(">", "&gt;") in received.text("html")
    for words in (received.text("plain"), received.text("html")):
        assert words.index("Paid search gets 60.1%") < words.index("One part could not") < words.index("€685.9 k")


def test_each_of_several_parts_is_named(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, mail_server: MailServer
) -> None:
    parts = [{"kind": "attribution", "title": title, "problem": f"No {title}."} for title in ("A", "B")]
    send(ann, edition=make_edition(a_document(data={"parts": parts})))
    words = only(mail_server).text("plain").replace("\r\n", "\n")
    assert "One part could not be made: A: No A.\nAnother part could not be made: B: No B.\n" in words


def test_a_report_that_is_whole_names_no_part(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    send(ann)
    assert "could not be made" not in only(mail_server).text("plain")


def test_a_document_without_charts_has_no_picture(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, mail_server: MailServer
) -> None:
    send(ann, edition=make_edition(a_document(sections=())), formats=())
    received = only(mail_server)
    assert "image/png" not in [part.get_content_type() for part in received.message.walk()]
    assert "<img" not in received.text("html")


def test_the_files_are_attached_as_they_are(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, mail_server: MailServer
) -> None:
    document = a_document(file_name="bericht-größe")
    send(ann, edition=make_edition(document), formats=("csv", "json"))
    files = {part.get_filename(): part for part in only(mail_server).message.iter_attachments()}
    assert list(files) == ["bericht-größe.csv", "bericht-größe.json"]
    assert files["bericht-größe.csv"].get_content_type() == "text/csv"
    assert b"data-driven,Paid search,1234.54" in files["bericht-größe.csv"].get_payload(decode=True)
    assert files["bericht-größe.json"].get_content_type() == "application/json"


def test_files_that_are_too_large_together_are_linked(
    send: Enqueue, ann: Recipient, mail_server: MailServer, settings: Settings
) -> None:
    settings.MAIL_ATTACHMENT_BYTES = 100
    settings.SITE_URL = "https://mmm.example.com"
    send(ann, formats=("csv", "json"))
    received = only(mail_server)
    assert not list(received.message.iter_attachments())
    links = [link["href"] or "" for link in Elements(received.text("html")).of("a")]
    files = [link for link in links if link.startswith("https://mmm.example.com/deliveries/")]
    assert [link.rpartition("/")[2] for link in files] == ["csv", "json"]
    assert all(link in received.text("plain") for link in files)
    assert "These links work for 14 days" in received.text("plain")


def test_files_are_attached_up_to_the_limit(
    send: Enqueue, ann: Recipient, mail_server: MailServer, settings: Settings
) -> None:
    (delivery,) = send(ann)
    assert delivery.edition is not None
    settings.MAIL_ATTACHMENT_BYTES = file_of(delivery.edition, "csv").stat().st_size
    assert len(list(only(mail_server).message.iter_attachments())) == 1


def test_a_mail_has_the_headers_that_programs_need(
    send: Enqueue, ann: Recipient, schedule: Schedule, mail_server: MailServer, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Reports <reports@mmm.example.com>"
    settings.SITE_URL = "https://mmm.example.com"
    (delivery,) = send(ann)
    received = only(mail_server)
    message = received.message
    assert received.sender == "reports@mmm.example.com"
    assert message["To"] == "ann@example.org"
    assert message["From"] == "Acme via Reports <reports@mmm.example.com>"
    assert message["Subject"] == "Weekly report: 1–30 Jun 2025"
    assert message["Message-ID"] == f"<{delivery.pk}@mmm.example.com>"
    assert message["Date"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] is None
    assert message["List-Id"] == f"<schedule-{schedule.pk}.reports.mmm.example.com>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # As it went over the wire: programs look for the address as it is, on one line.
    (line,) = (line for line in received.content.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    assert line.startswith(b"List-Unsubscribe: <https://mmm.example.com/unsubscribe/")
    assert line.endswith(b"/>")


def test_a_second_try_has_the_same_message_id(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    mail_server.answer_to_data = "451 Later"
    (delivery,) = send(ann)
    carry_out()
    mail_server.answer_to_data = "250 OK"
    waiting = fresh(delivery)
    assert waiting.next_try_at is not None
    send_due(waiting.next_try_at)
    assert only(mail_server).message["Message-ID"] == f"<{delivery.pk}@localhost>"


@pytest.mark.parametrize(
    "subject",
    [
        "Weekly\r\nBcc: eve@example.com",
        "Weekly\nBcc: eve@example.com\n\nBody",
        "Weekly\x0b\x0c\x85\u2028Bcc: eve@example.com",
        "Größe\r\nBcc: eve@example.com",
        "\u202eylkeeW\r\nBcc: eve@example.com",
    ],
)
def test_a_subject_adds_no_header(send: Enqueue, ann: Recipient, mail_server: MailServer, subject: str) -> None:
    send(ann, subject=subject)
    received = only(mail_server)
    assert received.recipient == "ann@example.org"
    assert received.message["Bcc"] is None
    assert "Bcc: eve@example.com" in received.message["Subject"]
    assert "\u202e" not in received.message["Subject"]


def test_a_subject_that_was_stored_with_line_breaks_adds_no_header_either(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(subject="Weekly\r\nBcc: eve@example.com")
    assert only(mail_server).message["Bcc"] is None


def test_a_long_subject_is_cut(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    send(ann, subject="ü" * 300)
    received = only(mail_server)
    assert received.message["Subject"] == "ü" * 199 + "…"
    assert max(map(len, received.content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "name",
    [
        'Acme "the best", Inc. <boss@example.com>',
        "Acme\r\nBcc: eve@example.com",
        "Größe & Söhne\r\nX-Evil: 1",
        "店" * 100,
        "=?utf-8?q?Acme?=",
    ],
)
def test_the_name_of_a_workspace_stays_a_name(
    send: Enqueue, ann: Recipient, shop: Workspace, mail_server: MailServer, name: str
) -> None:
    shop.name = name
    shop.save()
    send(ann)
    received = only(mail_server)
    message = received.message
    assert message["Bcc"] is None
    assert message["X-Evil"] is None
    assert received.sender == "noreply@localhost"
    head, _, _ = received.content.partition(b"\r\n\r\n")
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    # Decoded by the older parser: the newer one keeps the spaces between encoded words (RFC 2047, 6.2, says not to).
    shown, address = parseaddr(email.message_from_bytes(received.content)["From"])
    assert address == "noreply@localhost"
    assert str(make_header(decode_header(shown))).endswith("via Mixed Media Modeling")


def test_a_recipient_with_an_international_domain_is_written_to_in_ascii(
    send: Enqueue, schedule: Schedule, mail_server: MailServer
) -> None:
    send(Recipient.objects.create(schedule=schedule, email="ann@müller.example"))
    received = only(mail_server)
    assert received.recipient == "ann@xn--mller-kva.example"
    assert received.message["To"] == "ann@xn--mller-kva.example"


@pytest.mark.parametrize("email", ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "jörg@example.org"])
def test_what_is_no_address_gets_no_mail(
    send: Enqueue, schedule: Schedule, mail_server: MailServer, email: str
) -> None:
    (delivery,) = send(Recipient.objects.create(schedule=schedule, email=email))
    carry_out()
    assert fresh(delivery).status == Delivery.Status.FAILED
    assert "cannot be used" in fresh(delivery).error
    assert [received.recipient for received in mail_server.received] in ([], ["analyst@example.com"])


def test_html_in_names_and_figures_is_only_text(
    send: Enqueue,
    make_edition: MakeEdition,
    ann: Recipient,
    shop: Workspace,
    schedule: Schedule,
    mail_server: MailServer,
) -> None:
    shop.name = HOSTILE
    shop.save()
    schedule.name = HOSTILE
    schedule.save()
    document = a_document(
        title=HOSTILE,
        subtitle=HOSTILE,
        headline=HOSTILE,
        cards=(Card(label=HOSTILE, figure=Figure(HOSTILE), change=HOSTILE),),
        sections=(Section(title=SUMMARY, sentences=(HOSTILE, HOSTILE)),),
    )
    send(ann, edition=make_edition(document), subject=HOSTILE)
    html = only(mail_server).text("html")
    elements = Elements(html)
    assert not elements.of("script")
    assert not elements.of("img")
    assert all((link["href"] or "").startswith("http://localhost") for link in elements.of("a"))
    assert html.count("&lt;script&gt;") >= 7
    assert not [attributes for _, attributes in elements.found if any(name.startswith("on") for name in attributes)]


def test_a_late_report_says_so(send: Enqueue, ann: Recipient, occurrence: Occurrence, mail_server: MailServer) -> None:
    occurrence.late, occurrence.missed = True, 2
    occurrence.save()
    send(ann)
    received = only(mail_server)
    assert received.message["Subject"] == "Late: Weekly report: 1–30 Jun 2025"
    sentence = "This report was due on Mon 30 Mar 2026, 09:00 (UTC+02:00) and comes late."
    for words in (received.text("plain"), received.text("html")):
        assert sentence in words
        assert "It stands for 2 earlier ones as well, which are not sent." in words


@pytest.mark.parametrize(
    ("missed", "sentence"),
    [
        (1, "This report stands for an earlier one as well, which is not sent."),
        (3, "This report stands for 3 earlier ones as well, which are not sent."),
    ],
)
def test_a_report_on_time_says_what_it_stands_for(
    send: Enqueue, ann: Recipient, occurrence: Occurrence, mail_server: MailServer, missed: int, sentence: str
) -> None:
    occurrence.missed = missed
    occurrence.save()
    send(ann)
    received = only(mail_server)
    assert received.message["Subject"] == "Weekly report: 1–30 Jun 2025"
    for words in (received.text("plain"), received.text("html")):
        assert sentence in words
        assert "comes late" not in words


def test_a_mail_reads_without_styles_of_a_page(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    send(ann)
    html = only(mail_server).text("html")
    elements = Elements(html)
    assert not elements.of("link")
    assert not elements.of("table")
    assert "var(--" not in html
    assert {"name": "color-scheme", "content": "light dark"} in elements.of("meta")
    assert all(element.get("style") for element in (*elements.of("p"), *elements.of("h1"), *elements.of("img")))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\n b", "a b"),
        ("a\x00b", "a b"),
        ("\u202eabc\u200b", "abc"),
        ("क्\u200dष", "क्\u200dष"),
        ("\ud800x", "x"),
        ("  ", ""),
    ],
)
def test_a_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("abcdef", 5) == "abcd…"
    assert one_line("abcde", 5) == "abcde"
