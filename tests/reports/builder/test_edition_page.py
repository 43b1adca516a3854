"""An edition's page: on its way, failed, lost and finished; and its files."""

import json
import re
import shutil
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from accounts.models import User, Workspace
from jobs.models import Job
from marketing.models import Campaign
from reports.builder import actions
from reports.editions import snapshots
from reports.exports import FORMATS
from reports.models import Edition
from tests.reports.builder.conftest import MakeReport
from tests.reports.builder.steps import made
from tests.reports.schedules.conftest import of

ClientFor = Callable[[User | None], Client]
HTMX = {"HX-Request": "true"}
HTML = "<script>alert(1)</script>"
MakeEdition = Callable[..., Edition]


@pytest.fixture
def make_edition(analyst: User, make_report: MakeReport, figures: None) -> MakeEdition:
    """An edition of March that the analyst asks for, not made yet: `make_edition("dashboard", "text")`."""

    def make_edition(*kinds: str, name: str = "Review", **options: object) -> Edition:
        report = make_report(name, *kinds, **{"period": "previous_month", "comparison": "previous", **options})
        return actions.preview(report=report, by=analyst, ring=False)

    return make_edition


def address(edition: Edition) -> str:
    return f"/w/acme/editions/{edition.pk}/"


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_while_it_is_made_the_page_says_how_far_it_is(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = make_edition("dashboard", "attribution", "crosschannel")
    first, second = (block["run"] for block in edition.definition["blocks"] if block["run"])
    Job.objects.filter(run__pk=first).update(status=Job.Status.DONE)
    Job.objects.filter(run__pk=second).update(status=Job.Status.RUNNING, progress=0.5)
    html = client_for(viewer).get(address(edition)).content.decode()
    assert f'hx-get="{address(edition)}" hx-trigger="every 1s"' in html
    assert 'value="52"' in html  # three quarters of what its runs are of the whole
    assert "Waiting for its analyses: 1 of 2 done" in html
    assert f'href="/w/acme/runs/{first}/"' in html
    for word in ("Read at the end", "Done", "Running"):
        assert word in html
    assert "export.pdf" not in html


def test_the_fragment_asks_no_more_once_it_is_finished(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = make_edition("dashboard")
    client = client_for(viewer)
    waiting = client.get(address(edition), headers=HTMX)
    assert "hx-trigger" in waiting.content.decode()
    assert "HX-Request" in waiting.headers["Vary"]
    made(edition)
    finished = client.get(address(edition), headers=HTMX).content.decode()
    assert "hx-trigger" not in finished
    assert "<html" not in finished
    assert "Executive summary" in finished
    assert f'href="{address(edition)}export.pdf"' in finished


def test_once_its_runs_are_done_its_own_job_counts(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = make_edition("dashboard")
    Job.objects.filter(pk=edition.job_id).update(status=Job.Status.RUNNING, progress=0.8, phase="Making the PDF")
    html = client_for(viewer).get(address(edition)).content.decode()
    assert "Making the PDF" in html
    assert 'value="80"' in html


def test_a_finished_edition_is_read_by_its_parts(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = make_edition("text", "dashboard", "attribution")
    edition.definition["blocks"][0]["params"]["text"] = "First words.\n\nSecond words."
    edition.save()
    html = client_for(viewer).get(address(made(edition))).content.decode()
    text = text_of(html)
    assert "€450 of revenue from €180 of spend: 2.50 for each EUR" in text
    for number, title in enumerate(("Text", "Dashboard", "Attribution"), start=1):
        assert f'<a href="#part-{number}">{title}</a>' in html
        assert f'<h2 id="part-{number}" tabindex="-1">{title}</h2>' in html
    assert "<p>First words.</p>" in html
    assert "<p>Second words.</p>" in html
    assert "data version" in text
    assert "Asked by analyst@example.com" in text
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert sorted(set(ids)) == sorted(ids)


def test_parts_of_one_title_are_told_apart(viewer: User, client_for: ClientFor, make_edition: MakeEdition) -> None:
    edition = make_edition("text", "text", "dashboard")
    for block, title in zip(edition.definition["blocks"], ("Us", "Us", "Executive summary"), strict=True):
        block["title"] = title
    for block, words in zip(edition.definition["blocks"], ("First words.", "Second words."), strict=False):
        block["params"]["text"] = words
    edition.save()
    html = client_for(viewer).get(address(made(edition))).content.decode()
    first, second = (html.split(f'<h2 id="part-{number}"')[1].split("</section>")[0] for number in (1, 2))
    assert ("First words." in first, "Second words." in first) == (True, False)
    assert ("First words." in second, "Second words." in second) == (False, True)
    assert 'tabindex="-1">Us (2)</h2>' in html
    assert '<h2 id="part-3" tabindex="-1">Executive summary (2)</h2>' in html


def test_the_sidebar_shows_editions_as_part_of_reports(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    html = client_for(viewer).get(address(make_edition("dashboard"))).content.decode()
    assert '<a href="/w/acme/reports/" aria-current="page">' in html


def test_numbers_of_the_summary_lead_to_where_they_stand(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("dashboard", "attribution"))
    html = client_for(viewer).get(address(edition)).content.decode()
    summary = html.split('<ul class="sentences edition-summary">')[1].split("</ul>")[0]
    links = re.findall(r'<a href="#([^"]+)"(?: title="([^"]+)")?>([^<]+)</a>', summary)
    by_number = {number: (target, unescape(where)) for target, where, number in links}
    assert by_number["€450"] == ("figures", "€450.00: Dashboard › Revenue")
    assert by_number["€180"] == ("figures", "€180.00: Dashboard › Spend")
    of_attribution = [where for target, where in by_number.values() if target.startswith("part-2-")]
    assert of_attribution
    assert all(": Attribution › " in where for where in of_attribution)
    assert all(f' id="{target}"' in html for target, _where in by_number.values())


def test_a_part_that_cannot_be_made_says_why_beside_the_others(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("dashboard", "weightings"))
    html = client_for(viewer).get(address(edition)).content.decode()
    part = html.split('<h2 id="part-2"')[1].split("</section>")[0]
    assert 'class="alert alert-warning"' in part
    assert "outcome" in part
    assert "€450 of revenue" in text_of(html)


def test_what_failed_says_why_and_can_be_made_again(
    analyst: User, viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("weightings"))
    assert edition.job.status == Job.Status.FAILED
    html = client_for(analyst).get(address(edition)).content.decode()
    assert "None of the parts of this report could be made." in html
    assert "Make it again" in html
    assert "hx-trigger" not in html
    assert "Make it again" not in client_for(viewer).get(address(edition)).content.decode()
    response = client_for(analyst).post(f"{address(edition)}again/")
    again = Edition.objects.exclude(pk=edition.pk).get()
    assert response.headers["Location"] == address(again)
    assert (again.start, again.end, again.report, again.title) == (
        edition.start,
        edition.end,
        edition.report,
        edition.title,
    )
    assert again.requested_by == analyst


def test_making_it_again_reads_the_present_data(
    analyst: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("dashboard"))
    brand = Campaign.objects.get(name="Brand")
    edition.definition["campaign"] = {"id": brand.pk, "name": "Brand"}
    edition.save()
    client_for(analyst).post(f"{address(edition)}again/")
    again = made(Edition.objects.exclude(pk=edition.pk).get())
    cards = {card.label: card.figure.value for card in snapshots.document_of(again).cards}
    assert cards["Spend"] == 60.0
    edition.definition["campaign"] = {"id": 0, "name": "Gone"}
    edition.save()
    assert client_for(analyst).post(f"{address(edition)}again/").status_code == 404


def test_what_the_plan_does_not_have_is_refused_with_a_sentence(
    analyst: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("attribution"))
    edition.definition["blocks"][0]["params"] = {"model": ["data_driven"]}
    edition.save()
    response = client_for(analyst).post(f"{address(edition)}again/")
    assert response.status_code == 403
    assert "Data-driven attribution is part of the Professional plan" in response.content.decode()
    assert Edition.objects.count() == 1


def test_what_is_lost_says_so(shop: Workspace, analyst: User, client_for: ClientFor, make_edition: MakeEdition) -> None:
    edition = made(make_edition("dashboard"))
    shutil.rmtree(snapshots.folder(edition))
    html = client_for(analyst).get(address(edition)).content.decode()
    assert "What was kept of this edition cannot be read any more." in html
    assert ">Lost<" in html
    assert ">Ready<" not in html
    assert "Make it again" in html
    assert client_for(analyst).get(f"{address(edition)}export.csv").status_code == 404


def test_whoever_asked_may_cancel_and_others_may_not(
    analyst: User,
    second_analyst: User,
    viewer: User,
    admin: User,
    client_for: ClientFor,
    make_edition: MakeEdition,
) -> None:
    edition = make_edition("dashboard")
    for other in (viewer, second_analyst):
        assert f"{address(edition)}cancel/" not in client_for(other).get(address(edition)).content.decode()
        assert client_for(other).post(f"{address(edition)}cancel/").status_code == 403
    assert f"{address(edition)}cancel/" in client_for(admin).get(address(edition)).content.decode()
    assert client_for(analyst).post(f"{address(edition)}cancel/").headers["Location"] == address(edition)
    edition.job.refresh_from_db()
    assert edition.job.status == Job.Status.CANCELLED
    assert "Making this edition was cancelled." in client_for(analyst).get(address(edition)).content.decode()


def test_for_outsiders_there_is_no_such_edition(
    outsider: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("dashboard"))
    client = client_for(outsider)
    for path in (address(edition), f"/w/elsewhere/editions/{edition.pk}/"):
        assert client.get(path).status_code == 404
        assert client.get(f"{path}export.csv").status_code == 404
        assert client.post(f"{path}cancel/").status_code == 404
        assert client.post(f"{path}again/").status_code == 404


def test_other_methods_are_not_allowed(
    owner: User, viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = make_edition("dashboard")
    client = client_for(owner)
    assert client.post(address(edition)).status_code == 405
    assert client.post(f"{address(edition)}export.csv").status_code == 405
    assert client.get(f"{address(edition)}cancel/").status_code == 405
    assert client.get(f"{address(edition)}again/").status_code == 405
    assert client_for(viewer).post(f"{address(edition)}again/").status_code == 403


@pytest.mark.parametrize("form", FORMATS)
def test_a_viewer_downloads_it_in_every_format(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition, form: str
) -> None:
    edition = made(make_edition("dashboard", "attribution"))
    response = client_for(viewer).get(f"{address(edition)}export.{form}")
    assert response.headers["Content-Type"] == FORMATS[form].content_type
    assert response.headers["Cache-Control"] == "private, no-store"
    name = f"review-acme-2026-03-01-to-2026-03-31.{form}"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    content = response.getvalue()
    assert len(content) > 500
    if form == "json":
        assert json.loads(content)["parts"][0]["headline"].startswith("€450 of revenue")


def test_there_is_nothing_to_download_before_it_is_made(
    viewer: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = make_edition("dashboard")
    assert client_for(viewer).get(f"{address(edition)}export.csv").status_code == 404
    made(edition)
    assert client_for(viewer).get(f"{address(edition)}export.exe").status_code == 404


def test_an_edition_without_a_report_is_read_all_the_same(
    viewer: User, owner: User, client_for: ClientFor, make_edition: MakeEdition
) -> None:
    edition = made(make_edition("dashboard"))
    assert edition.report is not None
    actions.delete(report=edition.report, by=of(owner))
    html = client_for(viewer).get(address(edition)).content.decode()
    assert "€450 of revenue" in text_of(html)
    assert ">The report</a>" not in html


def test_html_is_only_text(viewer: User, client_for: ClientFor, make_edition: MakeEdition) -> None:
    edition = make_edition("text", "dashboard", name=HTML)
    edition.definition["blocks"][0] |= {"title": HTML, "params": {"text": HTML}}
    edition.save()
    client = client_for(viewer)
    waiting = client.get(address(edition)).content.decode()
    finished = client.get(address(made(edition))).content.decode()
    for html in (waiting, finished):
        assert HTML not in html
        assert "&lt;script&gt;" in html
