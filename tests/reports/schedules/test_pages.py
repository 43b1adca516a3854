"""Settings > Scheduled reports: who sees and does what, and what the pages say."""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.models import Job
from reports.models import Delivery, Edition, Occurrence, Recipient, Report, Schedule
from reports.schedules import actions
from reports.schedules.calendar import Recurrence
from reports.schedules.contents import Content
from reports.schedules.tick import claim_due
from tests.reports.schedules.conftest import LIST, ClientFor, Keep, of, utc

NEW, UPCOMING = f"{LIST}new/", f"{LIST}upcoming/"
WHEN = {"frequency": "weekly", "weekday": "0", "month_day": "1", "time": "09:00", "zone": "Europe/Berlin"}
HTMX = {"HX-Request": "true"}
DUE = utc("2026-04-06T07:00")


def form(**changed: object) -> dict[str, Any]:
    usual = {"what": "dashboard", "period": "last_7", "formats": ["pdf"], "recipients": "a@b.co, c@d.co", "name": ""}
    return {**usual, **WHEN, **changed}


def page_of(schedule: Schedule, rest: str = "") -> str:
    return f"{LIST}{schedule.pk}/{rest}"


PAGES = ["", "edit/", "delete/"]
POSTS = ["edit/", "preview/", "send/", "pause/", "resume/", "delete/"]


@pytest.mark.parametrize("rest", PAGES)
def test_who_sees_the_pages_of_a_schedule(
    client_for: ClientFor, keep: Keep, analyst: User, owner: User, viewer: User, outsider: User, rest: str
) -> None:
    path = page_of(keep(), rest)
    statuses = {who: client_for(who).get(path).status_code for who in (analyst, owner, viewer, outsider)}
    assert statuses == {analyst: 200, owner: 200, viewer: 403, outsider: 404}
    assert client_for(analyst).put(path).status_code == 405
    assert client_for(None).get(path).status_code == 302


@pytest.mark.parametrize("path", [LIST, NEW, UPCOMING])
def test_who_sees_the_other_pages(
    client_for: ClientFor, shop: Workspace, analyst: User, viewer: User, outsider: User, path: str
) -> None:
    statuses = {who: client_for(who).get(path).status_code for who in (analyst, viewer, outsider)}
    assert statuses == {analyst: 200, viewer: 403, outsider: 404}
    assert client_for(analyst).put(path).status_code == 405


@pytest.mark.parametrize("rest", POSTS)
def test_who_may_change_a_schedule(
    client_for: ClientFor, keep: Keep, admin: User, analyst: User, viewer: User, outsider: User, rest: str
) -> None:
    path = page_of(keep(by=admin), rest)
    assert client_for(viewer).post(path, form()).status_code == 403
    assert client_for(outsider).post(path, form()).status_code == 404
    # Analysts see what others have set up, and change their own.
    assert client_for(analyst).post(path, form()).status_code == (302 if rest == "preview/" else 403)
    assert client_for(admin).post(path, form()).status_code == 302


@pytest.mark.parametrize("rest", ["preview/", "send/", "pause/", "resume/"])
def test_what_changes_something_is_only_posted(client_for: ClientFor, keep: Keep, analyst: User, rest: str) -> None:
    assert client_for(analyst).get(page_of(keep(), rest)).status_code == 405


def test_a_schedule_of_another_workspace_is_not_found(client_for: ClientFor, keep: Keep, outsider: User) -> None:
    theirs = page_of(keep()).replace("/acme/", "/elsewhere/")
    assert client_for(outsider).get(theirs).status_code == 404
    assert client_for(outsider).post(f"{theirs}send/").status_code == 404
    unknown = f"/w/elsewhere/settings/schedules/{uuid.uuid4()}/"
    assert client_for(outsider).get(unknown).status_code == 404


def test_the_tab_is_there_for_those_who_may_schedule(
    client_for: ClientFor, shop: Workspace, analyst: User, viewer: User
) -> None:
    general = "/w/acme/settings/"
    assert "Scheduled reports" in client_for(analyst).get(general).text
    assert "Scheduled reports" not in client_for(viewer).get(general).text


def test_an_empty_list_says_why_and_what_next(client_for: ClientFor, shop: Workspace, analyst: User) -> None:
    page = client_for(analyst).get(LIST).text
    assert "Nothing is scheduled yet" in page
    assert f'href="{NEW}"' in page
    assert "Create new schedule" in page


def test_saving_a_schedule_leads_to_its_page(client_for: ClientFor, shop: Workspace, analyst: User) -> None:
    client = client_for(analyst)
    response = client.post(NEW, form(what="attribution", formats=["pdf", "xlsx"]))
    schedule = Schedule.objects.get()
    assert response.headers["Location"] == page_of(schedule)
    page = client.get(page_of(schedule)).text
    for said in (
        "Attribution",
        "Mondays at 09:00, Europe/Berlin",
        "Mon 6 Apr 2026, 09:00 (UTC+02:00)",
        "Mon 13 Apr 2026, 09:00 (UTC+02:00)",
        "Mon 20 Apr 2026, 09:00 (UTC+02:00)",
        "Excel, PDF",
        "Last 7 days (today: 25\N{EN DASH}31 Mar 2026)",
        "a@b.co",
        "c@d.co",
        analyst.email,
    ):
        assert said in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"recipients": "a@b.co\nnobody"}, "Line 2, “nobody”"),
        ({"recipients": "a@b.co\r\nBcc: all@b.co"}, "Line 2, “Bcc: all@b.co”"),
        ({"recipients": ", ".join(f"p{number}@b.co" for number in range(51))}, "50 recipients at most"),
        ({"recipients": ""}, "This field is required."),
        ({"zone": "Mars/Olympus"}, "is not an IANA time zone"),
        ({"zone": "localtime"}, "is not an IANA time zone"),
        ({"zone": "Factory"}, "is not an IANA time zone"),
        ({"frequency": "hourly"}, "Select a valid choice"),
        ({"weekday": ""}, "Choose a day of the week."),
        ({"frequency": "monthly", "month_day": ""}, "Choose a day of the month."),
        ({"frequency": "monthly", "month_day": "32"}, "Select a valid choice"),
        ({"time": "25:00"}, "Enter a valid time."),
        ({"formats": []}, "This field is required."),
        ({"formats": ["docx"]}, "Select a valid choice"),
        ({"period": "tomorrow"}, "Select a valid choice"),
        ({"what": "report:999"}, "Select a valid choice"),
        ({"what": f"run:{uuid.uuid4()}"}, "Select a valid choice"),
        ({"name": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_cannot_be_saved_is_said_in_the_form(
    client_for: ClientFor, shop: Workspace, analyst: User, changed: dict[str, object], said: str
) -> None:
    response = client_for(analyst).post(NEW, form(**changed))
    assert response.status_code == 422
    assert said in response.text
    assert not Schedule.objects.exists()


def test_a_name_that_is_taken_is_said_beside_it(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    keep(name="Board")
    response = client_for(analyst).post(NEW, form(name="board"))
    assert response.status_code == 422
    assert "“board” is there already" in response.text


def test_what_the_plan_lacks_is_said_in_the_form(client_for: ClientFor, shop: Workspace, analyst: User) -> None:
    block = {"id": "a", "kind": "attribution", "title": "Credit", "params": {"model": ["data_driven"]}}
    report = Report.objects.create(workspace=shop, name="Premium", period="last_7", blocks=[block])
    response = client_for(analyst).post(NEW, form(what=f"report:{report.pk}"))
    assert response.status_code == 422
    assert "is part of the Professional plan" in response.text


def test_names_are_shown_and_not_obeyed(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule = keep(name="<script>alert(1)</script>")
    for path in (LIST, page_of(schedule), page_of(schedule, "edit/"), page_of(schedule, "delete/")):
        page = client_for(analyst).get(path).text
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page


def test_the_next_runs_are_shown_as_the_form_changes(client_for: ClientFor, shop: Workspace, analyst: User) -> None:
    client = client_for(analyst)
    asked = {**WHEN, "frequency": "monthly", "month_day": "31", "zone": "America/New_York"}
    fragment = client.get(UPCOMING, asked, headers=HTMX).text
    assert "<html" not in fragment
    assert "On the 31st of every month at 09:00, America/New_York" in fragment
    assert "on the last day of shorter months" in fragment
    times = ["Thu 30 Apr 2026, 09:00 (UTC\N{MINUS SIGN}04:00)", "Sun 31 May 2026", "Tue 30 Jun 2026"]
    assert [time in fragment for time in times] == [True] * 3
    assert "Complete the fields" in client.get(UPCOMING, {**asked, "time": ""}, headers=HTMX).text
    whole = client.get(UPCOMING, asked).text
    assert "<html" in whole
    assert times[0] in whole


def test_the_next_runs_are_shown_without_a_script_and_nothing_is_saved(
    client_for: ClientFor, shop: Workspace, analyst: User
) -> None:
    response = client_for(analyst).post(NEW, form(action="upcoming", frequency="daily", recipients=""))
    assert response.status_code == 200
    assert "Every day at 09:00, Europe/Berlin" in response.text
    assert not Schedule.objects.exists()


TOKYO = {"frequency": "monthly", "month_day": "1", "time": "08:00", "zone": "Asia/Tokyo"}
STILL_THE_DAY_BEFORE = (
    "When it goes out on 1 May 2026, it is still 30 Apr 2026 by the days of the workspace (America/Los_Angeles), "
    "which count for the period."
)


def plain(html: str) -> str:
    """The words of a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@pytest.fixture
def in_los_angeles(shop: Workspace) -> Workspace:
    Workspace.objects.filter(pk=shop.pk).update(timezone="America/Los_Angeles")
    shop.refresh_from_db()
    return shop


def test_the_next_runs_say_which_days_each_will_cover(client_for: ClientFor, shop: Workspace, analyst: User) -> None:
    asked = {**WHEN, "frequency": "monthly", "month_day": "1", "period": "previous_month"}
    text = plain(client_for(analyst).get(UPCOMING, asked, headers=HTMX).text)
    for said in (
        "Fri 1 May 2026, 09:00 (UTC+02:00) covers 1\N{EN DASH}30 Apr 2026",
        "Mon 1 Jun 2026, 09:00 (UTC+02:00) covers 1\N{EN DASH}31 May 2026",
        "Wed 1 Jul 2026, 09:00 (UTC+02:00) covers 1\N{EN DASH}30 Jun 2026",
    ):
        assert said in text
    assert "by the days of the workspace" not in text
    for period in ({"period": ""}, {"period": "tomorrow"}, {}):
        without = client_for(analyst).get(UPCOMING, {**WHEN, **period}, headers=HTMX).text
        assert "Mon 6 Apr 2026, 09:00" in without
        assert "covers" not in without


@pytest.mark.usefixtures("in_los_angeles")
def test_a_zone_with_another_date_than_the_workspaces_is_warned_of(client_for: ClientFor, analyst: User) -> None:
    asked = {**TOKYO, "period": "previous_month"}
    text = plain(client_for(analyst).get(UPCOMING, asked, headers=HTMX).text)
    assert "Fri 1 May 2026, 08:00 (UTC+09:00) covers 1\N{EN DASH}31 Mar 2026" in text
    assert STILL_THE_DAY_BEFORE in text
    ahead = {**asked, "time": "23:00", "zone": "Pacific/Honolulu"}
    said = "When it goes out on 1 Apr 2026, it is already 2 Apr 2026 by the days of the workspace"
    assert said in plain(client_for(analyst).get(UPCOMING, ahead, headers=HTMX).text)
    same = {**asked, "time": "20:00"}
    assert "by the days of the workspace" not in client_for(analyst).get(UPCOMING, same, headers=HTMX).text


@pytest.mark.usefixtures("in_los_angeles")
def test_a_schedules_page_says_which_days_its_next_runs_cover(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    recurrence = Recurrence("monthly", dt.time(8), ZoneInfo("Asia/Tokyo"), month_day=1)
    schedule, client = keep(recurrence=recurrence, period="previous_month"), client_for(analyst)
    for path in (page_of(schedule), page_of(schedule, "edit/")):
        text = plain(client.get(path).text)
        assert "Mon 1 Jun 2026, 08:00 (UTC+09:00) covers 1\N{EN DASH}30 Apr 2026" in text
        assert STILL_THE_DAY_BEFORE in text
    assert "Whole days of the workspace (America/Los_Angeles)" in client.get(page_of(schedule, "edit/")).text
    claim_due(utc("2026-05-31T23:00"))
    edition = Edition.objects.get()
    assert (str(edition.start), str(edition.end)) == ("2026-04-01", "2026-04-30")


def test_the_form_asks_again_when_the_period_is_changed(client_for: ClientFor, shop: Workspace, analyst: User) -> None:
    page = client_for(analyst).get(NEW).text
    assert 'id="id_period"' in page
    assert 'hx-include="#frequency, #id_period"' in page


def test_resuming_what_nobody_would_get_says_so(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule = keep()
    schedule.recipients.update(unsubscribed_at=utc("2026-04-02T00:00"))
    claim_due(DUE)
    page = client_for(analyst).post(page_of(schedule, "resume/"), follow=True).text
    assert "Nobody would get “Weekly note”" in page
    assert "goes out again" not in page


def test_names_of_zones_that_every_machine_reads_alike_are_taken(
    client_for: ClientFor, shop: Workspace, analyst: User
) -> None:
    for zone in ("UTC", "Etc/UTC", "Asia/Kathmandu"):
        assert client_for(analyst).post(NEW, form(zone=zone)).status_code == 302
    offered = client_for(analyst).get(NEW).text
    assert '<option value="Etc/UTC">' in offered
    assert '<option value="localtime">' not in offered


def test_a_new_form_shows_the_next_runs_of_what_it_begins_with(
    client_for: ClientFor, shop: Workspace, analyst: User
) -> None:
    page = client_for(analyst).get(NEW).text
    assert "Mondays at 09:00, UTC" in page
    assert "Mon 6 Apr 2026, 09:00 (UTC+00:00)" in page


def test_editing_shows_what_is_set_and_saves_what_is_changed(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule, client = keep(), client_for(analyst)
    page = client.get(page_of(schedule, "edit/")).text
    assert "ann@example.com\nbob@example.com" in page
    assert 'value="09:00"' in page
    sent = form(name="Daily", frequency="daily", what=f"report:{schedule.report_id}")
    assert client.post(page_of(schedule, "edit/"), sent).headers["Location"] == page_of(schedule)
    schedule.refresh_from_db()
    assert (schedule.name, schedule.frequency, schedule.weekday) == ("Daily", "daily", None)
    assert client.post(page_of(schedule, "edit/"), form(time="")).status_code == 422


@pytest.fixture
def finished_run(shop: Workspace, analyst: User) -> Run:
    asked = {"model": ["linear"], "window_days": 7}
    run = request_run(
        workspace=shop, kind="attribution", params=asked, by=analyst, trigger=Run.Trigger.PAGE, ring=False
    )
    Job.objects.filter(pk=run.job_id).update(status=Job.Status.DONE, finished_at=timezone.now())
    return run


def test_a_finished_runs_question_can_be_scheduled(client_for: ClientFor, finished_run: Run, analyst: User) -> None:
    client, path = client_for(analyst), f"{NEW}?run={finished_run.pk}"
    assert "Attribution, as in the run of 1 Apr 2026, 09:00" in client.get(path).text
    client.post(path, form(what=f"run:{finished_run.pk}"))
    schedule = Schedule.objects.get()
    assert (schedule.kind, schedule.params["model"], schedule.params["window_days"]) == ("attribution", ["linear"], 7)
    assert not {"start", "end", "period"} & schedule.params.keys()
    page = client.get(page_of(schedule)).text
    assert "Attribution, with settings of its own" in page
    assert "<dd>Linear</dd>" in page
    edit = page_of(schedule, "edit/")
    assert "Attribution, with the settings that it has" in client.get(edit).text
    client.post(edit, form(what="as_it_is", name="Kept"))
    again = Schedule.objects.get()
    assert (again.name, again.params) == ("Kept", schedule.params)
    assert actions.preview(schedule=again, by=of(analyst), ring=False).definition["blocks"][0]["run"]


def test_a_run_that_is_not_finished_or_not_there_is_not_offered(
    client_for: ClientFor, finished_run: Run, analyst: User, outsider: User
) -> None:
    Job.objects.filter(pk=finished_run.job_id).update(status=Job.Status.RUNNING)
    for asked in (finished_run.pk, uuid.uuid4(), "nonsense"):
        assert "as in the run of" not in client_for(analyst).get(f"{NEW}?run={asked}").text
    Job.objects.filter(pk=finished_run.job_id).update(status=Job.Status.DONE)
    elsewhere = NEW.replace("/acme/", "/elsewhere/")
    assert "as in the run of" not in client_for(outsider).get(f"{elsewhere}?run={finished_run.pk}").text


def test_another_workspaces_report_cannot_be_scheduled(client_for: ClientFor, note: Report, outsider: User) -> None:
    client, elsewhere = client_for(outsider), NEW.replace("/acme/", "/elsewhere/")
    assert note.name not in client.get(f"{elsewhere}?report={note.pk}").text
    assert client.post(elsewhere, form(what=f"report:{note.pk}")).status_code == 422
    assert not Schedule.objects.exists()


def test_a_report_comes_chosen_from_its_own_page(client_for: ClientFor, note: Report, analyst: User) -> None:
    assert f'<option value="report:{note.pk}" selected>' in client_for(analyst).get(f"{NEW}?report={note.pk}").text


def test_a_preview_leads_to_what_was_made(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    response = client_for(analyst).post(page_of(keep(), "preview/"))
    assert str(Edition.objects.get().pk) in response.headers["Location"]
    assert not Delivery.objects.exists()


def test_pausing_sending_and_deleting_say_what_they_did(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule, client = keep(), client_for(analyst)
    for rest, said in (
        ("pause/", "“Weekly note” is paused."),
        ("resume/", "“Weekly note” goes out again."),
        ("send/", "“Weekly note” is being made"),
        ("send/", "on its way already"),
    ):
        response = client.post(page_of(schedule, rest), follow=True)
        assert response.redirect_chain == [(page_of(schedule), 302)]
        assert said in response.text
    assert "Delete “Weekly note”?" in client.get(page_of(schedule, "delete/")).text
    assert "“Weekly note” is deleted." in client.post(page_of(schedule, "delete/"), follow=True).text


def test_a_paused_schedule_says_why(client_for: ClientFor, keep: Keep, analyst: User, owner: User) -> None:
    schedule = keep()
    schedule.recipients.update(unsubscribed_at=utc("2026-04-02T00:00"))
    claim_due(DUE)
    for path in (LIST, page_of(schedule)):
        page = client_for(owner).get(path).text
        assert "Paused" in page
        assert "Nobody is left who gets it" in page
    assert "Unsubscribed on 2 Apr 2026" in client_for(owner).get(page_of(schedule)).text


def _sent(schedule: Schedule, *, at: str = "2026-04-06T07:00", **of_occurrence: object) -> Occurrence:
    return Occurrence.objects.create(schedule=schedule, due_at=utc(at), claimed_at=utc(at), **of_occurrence)


def _mail(occurrence: Occurrence, status: Delivery.Status, email: str) -> Delivery:
    return Delivery.objects.create(
        workspace=occurrence.schedule.workspace,
        purpose=Delivery.Purpose.REPORT,
        occurrence=occurrence,
        recipient=Recipient.objects.filter(email=email).first(),
        email=email,
        subject="Weekly note",
        status=status,
    )


@pytest.mark.parametrize(
    ("statuses", "said", "tone"),
    [
        (["sent", "sent"], "Sent to 2 recipients", "good"),
        (["sent", "failed"], "1 of 2 mails not delivered", "bad"),
        (["unknown", "rejected"], "2 of 2 mails not delivered", "bad"),
        (["sent", "waiting"], "1 of 2 mails being sent", ""),
        (["withdrawn", "sent"], "Sent to 1 recipient", "good"),
        (["withdrawn", "withdrawn"], "Sent to nobody", "warn"),
    ],
)
def test_the_last_outcome_has_a_sign_and_words(
    client_for: ClientFor, keep: Keep, analyst: User, statuses: list[str], said: str, tone: str
) -> None:
    schedule = keep()
    occurrence = _sent(schedule)
    for status, email in zip(statuses, ["ann@example.com", "bob@example.com"], strict=True):
        _mail(occurrence, Delivery.Status(status), email)
    for path in (LIST, page_of(schedule)):
        page = client_for(analyst).get(path).text
        assert said in page
        assert f'class="outcome{f" outcome-{tone}" if tone else ""}"' in page


def test_what_was_sent_again_counts_as_it_came_out(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule = keep()
    occurrence = _sent(schedule)
    failed = _mail(occurrence, Delivery.Status.FAILED, "ann@example.com")
    with time_machine.travel(utc("2026-04-06T08:00"), tick=False):
        Delivery.objects.create(
            workspace=schedule.workspace,
            purpose=Delivery.Purpose.REPORT,
            occurrence=occurrence,
            email="ann@example.com",
            subject="Weekly note",
            status=Delivery.Status.SENT,
            resend_of=failed,
        )
    assert "Sent to 1 recipient" in client_for(analyst).get(LIST).text


def test_late_and_missed_times_are_labelled(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule = keep()
    Occurrence.objects.create(
        schedule=schedule, due_at=DUE, claimed_at=utc("2026-04-06T11:40"), late=True, missed=2, problem="No figures."
    )
    page = client_for(analyst).get(page_of(schedule)).text
    assert "Late: on Mon 6 Apr 2026, 13:40 (UTC+02:00); stands for 2 earlier times as well" in page
    assert "Not sent. No figures." in page
    assert 'class="is-bad"' in page


def test_analysts_see_what_others_have_set_up_without_its_controls(
    client_for: ClientFor, keep: Keep, admin: User, analyst: User
) -> None:
    schedule = keep(by=admin)
    page = client_for(analyst).get(page_of(schedule)).text
    assert "Somebody else set it up" in page
    for rest in ("send/", "pause/", "edit/", "delete/"):
        assert page_of(schedule, rest) not in page
        assert page_of(schedule, rest) in client_for(admin).get(page_of(schedule)).text


def test_the_list_asks_as_often_however_many_schedules_there_are(
    client_for: ClientFor, keep: Keep, analyst: User
) -> None:
    client = client_for(analyst)

    def add() -> None:
        schedule = keep()
        for day in (6, 13):
            occurrence = _sent(schedule, at=f"2026-04-{day:02}T07:00")
            _mail(occurrence, Delivery.Status.SENT, "ann@example.com")

    def queries(get: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as captured:
            get()
        return len(captured)

    add()
    client.get(LIST)
    few = queries(lambda: client.get(LIST))
    for _ in range(10):
        add()
    assert queries(lambda: client.get(LIST)) == few


def test_the_page_asks_as_often_however_much_has_gone_out(client_for: ClientFor, keep: Keep, analyst: User) -> None:
    schedule, client = keep(content=Content(kind="dashboard")), client_for(analyst)
    client.get(page_of(schedule))
    counts = []
    for rounds in (1, 8):
        for number in range(rounds):
            occurrence = _sent(schedule, at=f"2026-{rounds + 3:02}-{number + 1:02}T07:00")
            for email in ("ann@example.com", "bob@example.com"):
                _mail(occurrence, Delivery.Status.SENT, email)
        with CaptureQueriesContext(connection) as captured:
            client.get(page_of(schedule))
        counts.append(len(captured))
    assert counts[0] == counts[1]
