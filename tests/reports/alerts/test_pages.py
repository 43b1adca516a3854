"""Settings > Alerts: works, outsider 404, viewer 403, wrong method 405; forms, states, the log; constant queries."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from marketing.models import Channel
from reports.models import Alert, Delivery, Recipient
from tests.conftest import ImportRows
from tests.reports.alerts.conftest import Figures, Watch
from tests.reports.conftest import NOW, Refresh

ClientFor = Callable[[User | None], Client]
Look = Callable[..., int]
LIST = "/w/acme/settings/alerts/"
NEW = f"{LIST}new/"
HTMX = {"HX-Request": "true"}
FILLED = {
    "name": "Revenue collapses",
    "metric": "revenue",
    "channel": "",
    "goal": "",
    "condition": "below",
    "threshold": "90",
    "days": "1",
    "recipients": "ceo@example.com, cfo@example.com",
    "action": "save",
}


def text_of(html: str) -> str:
    """What the page says, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def chart_of(html: str) -> Any:
    """The chart's payload for the browser."""
    (payload,) = re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    return json.loads(payload)


# --- the matrix ---


def test_pages_are_for_members_who_may_schedule(
    client_for: ClientFor, figures_of: Figures, watch: Watch, analyst: User, viewer: User, outsider: User
) -> None:
    figures_of()
    alert = watch()
    reading = [LIST, NEW, f"{LIST}{alert.pk}/", f"{LIST}{alert.pk}/edit/", f"{LIST}{alert.pk}/delete/"]
    doing = [f"{LIST}{alert.pk}/pause/", f"{LIST}{alert.pk}/resume/"]
    for path in reading:
        assert client_for(analyst).get(path).status_code == 200
        assert client_for(analyst).put(path).status_code == 405
    for path in doing:
        assert client_for(analyst).get(path).status_code == 405
        assert client_for(viewer).post(path).status_code == 403
        assert client_for(outsider).post(path).status_code == 404
    for path in reading:
        assert client_for(viewer).get(path).status_code == 403
        assert client_for(outsider).get(path).status_code == 404
        assert client_for(None).get(path).headers["Location"].startswith("/accounts/login/")
    for path in (LIST, f"{LIST}{alert.pk}/"):
        assert client_for(analyst).post(path).status_code == 405
    assert client_for(viewer).post(NEW, FILLED).status_code == 403
    assert Alert.objects.count() == 1


def test_an_alert_of_another_workspace_does_not_exist(client_for: ClientFor, watch: Watch, outsider: User) -> None:
    alert = watch()
    for page in ("", "edit/", "delete/"):
        assert client_for(outsider).get(f"/w/elsewhere/settings/alerts/{alert.pk}/{page}").status_code == 404
    assert client_for(outsider).get(f"/w/elsewhere/settings/alerts/{uuid.uuid4()}/").status_code == 404


def test_an_alert_of_somebody_else_can_be_read_and_not_changed(
    client_for: ClientFor, watch: Watch, analyst: User, admin: User
) -> None:
    alert = watch()
    Alert.objects.update(created_by=admin)
    page = client_for(analyst).get(f"{LIST}{alert.pk}/")
    assert "An owner or admin of the workspace can change it." in page.text
    assert "Pause" not in page.text
    assert client_for(analyst).get(f"{LIST}{alert.pk}/edit/").status_code == 403
    for deed in ("pause", "resume", "delete", "edit"):
        assert client_for(analyst).post(f"{LIST}{alert.pk}/{deed}/", FILLED).status_code == 403
    Alert.objects.update(created_by=analyst)
    assert client_for(admin).post(f"{LIST}{alert.pk}/pause/").status_code == 302


def test_the_tab_stands_beside_scheduled_reports(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    assert f'<a href="{LIST}" aria-current="page">Alerts</a>' in client_for(analyst).get(LIST).text


# --- the list ---


def test_without_alerts_the_list_says_why_and_what_next(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    text = client_for(analyst).get(LIST).text
    assert "No alerts yet" in text
    assert f'href="{NEW}"' in text


def test_the_list_says_how_each_alert_stands(
    client_for: ClientFor, figures_of: Figures, watch: Watch, look: Look, analyst: User
) -> None:
    figures_of(spend={f"2026-03-{day}": 0 for day in (30, 31)})
    search = Channel.objects.get(name="Search")
    watch("revenue", name="Quiet one")
    watch("spend", name="Raised one", channel=search)
    watch("roas", name="Silent one", channel=search)
    watch("revenue", name="Empty one", channel=Channel.objects.get(name="TV"))
    paused = watch("spend", name="Paused one")
    Alert.objects.filter(pk=paused.pk).update(paused_at=NOW)
    look()
    entries = map(text_of, client_for(analyst).get(LIST).text.split("<li>"))
    rows = {entry.partition(" one ")[0].strip(): entry for entry in entries if " one " in entry}
    assert (
        "Raised when revenue is unlike the days before · 1 recipient Quiet Nothing to tell up to 31 Mar 2026."
        in rows["Quiet"]
    )
    assert (
        "Raised Since 30 Mar 2026. Spend of Search on 30 Mar 2026 was €0.00: less than the €80 to €120"
        in rows["Raised"]
    )
    assert "No verdict On 31 Mar 2026: Nothing was spent, so there is no ROAS." in rows["Silent"]
    assert "No data There are no figures of it yet." in rows["Empty"]
    assert "Paused Since 1 Apr 2026." in rows["Paused"]


def test_more_alerts_take_no_more_queries(
    client_for: ClientFor, figures_of: Figures, watch: Watch, look: Look, analyst: User
) -> None:
    figures_of(spend={"2026-03-31": 900})
    client = client_for(analyst)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(LIST).status_code == 200
        return len(asked)

    watch("revenue", channel=Channel.objects.get(name="Search"))
    look()
    queries()  # the first one notes which workspace was entered
    before = queries()
    for metric in ("revenue", "spend", "conversions", "roas"):
        watch(metric, channel=Channel.objects.get(name="Search"))
        watch(metric)
    look()
    assert queries() == before


# --- the form ---


def test_saving_an_alert_shows_when_it_would_have_been_raised(
    client_for: ClientFor, figures_of: Figures, analyst: User
) -> None:
    figures_of(revenue={"2026-02-10": 0, "2026-02-11": 0, "2026-03-31": 0})
    response = client_for(analyst).post(NEW, FILLED, follow=True)
    alert = Alert.objects.get()
    assert response.redirect_chain == [(f"{LIST}{alert.pk}/", 302)]
    text = text_of(response.text)
    assert "In the last 60 days it would have been raised on 2 days: 31 Mar 2026, 10 Feb 2026." in text
    assert "Raised when revenue falls below €90.00 on a day." in text
    assert (alert.days, alert.channel, alert.goal, alert.created_by) == (1, None, None, analyst)
    assert [recipient.email for recipient in alert.recipients.all()] == ["ceo@example.com", "cfo@example.com"]


def test_it_can_be_tried_on_past_days_before_it_is_saved(
    client_for: ClientFor, figures_of: Figures, analyst: User
) -> None:
    figures_of(revenue={"2026-03-10": 0})
    trying = {**FILLED, "action": "preview", "name": "", "recipients": ""}
    page = client_for(analyst).post(NEW, trying)
    fragment = client_for(analyst).post(NEW, trying, headers=HTMX)
    for response in (page, fragment):
        assert response.status_code == 200
        assert "it would have been raised on 1 day: 10 Mar 2026." in text_of(response.text)
    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert "HX-Request" in fragment.headers["Vary"]
    unfit = client_for(analyst).post(NEW, {**trying, "threshold": ""}, headers=HTMX)
    assert "Say first what is to be watched" in unfit.text
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "This field is required."),
        ({"threshold": ""}, "Enter a number to compare with."),
        ({"threshold": "-5"}, "greater than or equal to 0"),
        ({"threshold": "0"}, "Nothing of this ever falls below 0."),
        ({"threshold": "NaN"}, "Enter a number."),
        ({"threshold": "1e400"}, "Ensure that there are no more than"),
        ({"metric": "profit"}, "is not one of the available choices"),
        ({"days": "2"}, "is not one of the available choices"),
        ({"channel": "99999"}, "not one of the available choices"),
        ({"goal": "x"}, "not one of the available choices"),
        ({"recipients": "nobody"}, "Line 1, “nobody”: Enter a valid email address."),
        ({"recipients": "a@example.com\rBcc: b"}, "neither spaces nor line breaks"),
        ({"recipients": "\n".join(f"a{number}@example.com" for number in range(51))}, "50 recipients at most"),
    ],
)
def test_a_form_that_cannot_be_saved_says_why(
    change: dict[str, str], says: str, client_for: ClientFor, shop: Workspace, analyst: User
) -> None:
    response = client_for(analyst).post(NEW, FILLED | change)
    assert response.status_code == 422
    assert says in text_of(response.text)
    assert not Alert.objects.exists()


def test_a_name_that_is_taken_is_refused_beside_its_field(
    client_for: ClientFor, shop: Workspace, watch: Watch, analyst: User
) -> None:
    watch(name="Revenue collapses")
    response = client_for(analyst).post(NEW, FILLED)
    assert response.status_code == 422
    assert "“Revenue collapses” is there already" in text_of(response.text)


def test_the_form_of_an_alert_shows_what_it_is_and_changes_it(
    client_for: ClientFor, figures_of: Figures, watch: Watch, analyst: User
) -> None:
    figures_of()
    search = Channel.objects.get(name="Search")
    alert = watch("spend", "above", 1250.5, days=7, channel=search)
    edit = f"{LIST}{alert.pk}/edit/"
    html = client_for(analyst).get(edit).text
    assert 'value="1250.5"' in html
    assert f'<option value="{search.pk}" selected>Search</option>' in html
    assert 'value="above" checked' in re.sub(r" (required|aria-\S+|id=\S+)", "", html)
    response = client_for(analyst).post(edit, FILLED | {"channel": str(search.pk)})
    assert response.headers["Location"] == f"{LIST}{alert.pk}/"
    alert.refresh_from_db()
    assert (alert.name, alert.metric, alert.condition, alert.days, alert.channel) == (
        "Revenue collapses", "revenue", "below", 1, search,
    )  # fmt: skip
    assert client_for(analyst).post(edit, FILLED | {"name": ""}).status_code == 422


# --- the page of one ---


def test_the_page_shows_the_days_the_band_and_the_log(
    client_for: ClientFor, figures_of: Figures, watch: Watch, look: Look, analyst: User
) -> None:
    figures_of(spend={"2026-03-27": 900, "2026-03-29": 900, "2026-03-31": 900})
    alert = watch("spend", recipients=["a@example.com", "b@example.com"])
    look()
    Delivery.objects.filter(email="b@example.com").update(status=Delivery.Status.FAILED)
    Recipient.objects.filter(email="b@example.com").update(rejected_at=NOW, rejected_because="no such mailbox")
    html = client_for(analyst).get(f"{LIST}{alert.pk}/").text
    text = text_of(html)
    assert (
        "Raised Raised when spend is unlike the days before. Since 31 Mar 2026. Spend on 31 Mar 2026 was €950.00"
        in text
    )
    assert text.count(": more than the €120 to €180 that were expected.") == 4  # in the state, and of each event
    assert "a@example.com: Sent" not in text
    assert "a@example.com: Waiting" in text
    assert "b@example.com: Failed" in text
    assert "Not mailed: two mails had gone out that day" in text
    assert "Cannot be reached: no such mailbox" in text
    chart = chart_of(html)
    names = [series["name"] for series in chart["series"]]
    assert names == ["Spend", "Expected", "Would raise it"]
    assert len(chart["categories"]) == 60
    last = chart["series"][1]["marks"][-1]
    assert (last["value"], last["low"], last["high"]) == (150.0, 120.0, 180.0)
    assert [place for place, mark in enumerate(chart["series"][2]["marks"]) if mark] == [55, 57, 59]
    assert "View as table" in text
    assert 'href="/w/acme/dashboard/?start=2026-03-25&amp;end=2026-03-31"' in html


def test_the_page_of_a_changed_alert_is_about_what_it_watches_now(
    client_for: ClientFor, figures_of: Figures, watch: Watch, look: Look, analyst: User
) -> None:
    figures_of(spend={"2026-03-29": 900, "2026-03-31": 900})
    alert = watch("spend")
    look()
    client, page = client_for(analyst), f"{LIST}{alert.pk}/"
    quiet = client.post(f"{page}edit/", FILLED, follow=True)
    assert "Quiet Raised when revenue falls below €90.00 on a day. Nothing to tell up to 31 Mar 2026." in text_of(
        quiet.text
    )
    assert text_of(quiet.text).count("Before the alert was changed") == 2
    assert [series["name"] for series in chart_of(quiet.text)["series"]] == ["Revenue", "Threshold"]
    raised = client.post(f"{page}edit/", FILLED | {"threshold": "110"}, follow=True)
    # It has not been looked at: the state is that of the day, and no event of before is taken for it.
    assert "Since 31 Mar 2026. Revenue on 31 Mar 2026 was €100.00, below €110.00." in text_of(raised.text)
    look()
    assert text_of(client.get(page).text).count("Revenue on 31 Mar 2026 was €100.00, below €110.00.") == 2


def test_an_event_of_an_earlier_run_is_not_taken_for_todays(
    client_for: ClientFor, figures_of: Figures, watch: Watch, look: Look, analyst: User
) -> None:
    figures_of(spend={"2026-03-20": 900, "2026-03-31": 900})
    watch("spend")
    look(-10)
    assert "Since 31 Mar 2026. Spend on 31 Mar 2026 was" in text_of(client_for(analyst).get(LIST).text)


def test_a_level_is_not_known_right_after_a_pause(
    client_for: ClientFor, import_rows: ImportRows, refresh: Refresh, watch: Watch, look: Look, analyst: User
) -> None:
    """Four weeks without spend before the last day: its ROAS has nothing to be held against."""
    days = [dt.date(2025, 3, 1) + dt.timedelta(day) for day in range(396)]
    pause = dt.date(2026, 3, 3), dt.date(2026, 3, 30)
    import_rows("spend", "date,channel,spend", *(f"{d},Search,100" for d in days if not pause[0] <= d <= pause[1]))
    import_rows("touchpoints", "customer,occurred_at,channel", *(f"s{d},{d}T10:00Z,Search" for d in days))
    import_rows("conversions", "customer,occurred_at,value", *(f"s{d},{d}T12:00Z,60" for d in days))
    refresh()
    alert = watch("roas")
    look()
    for path in (LIST, f"{LIST}{alert.pk}/"):
        text = text_of(client_for(analyst).get(path).text)
        assert "No verdict" in text
        assert "On 31 Mar 2026: There are too few days before it to tell what is usual." in text


def test_a_threshold_is_drawn_as_a_line(
    client_for: ClientFor, figures_of: Figures, watch: Watch, analyst: User
) -> None:
    figures_of()
    alert = watch("revenue", "below", 90)
    chart = chart_of(client_for(analyst).get(f"{LIST}{alert.pk}/").text)
    assert [series["name"] for series in chart["series"]] == ["Revenue", "Threshold"]
    assert {mark["value"] for mark in chart["series"][1]["marks"]} == {90.0}


def test_days_that_nothing_can_be_said_about_are_said_to_be_such(
    client_for: ClientFor, figures_of: Figures, watch: Watch, analyst: User
) -> None:
    figures_of(until=dt.date(2026, 1, 5))
    alert = watch("revenue")
    text = text_of(client_for(analyst).get(f"{LIST}{alert.pk}/").text)
    assert "No verdict" in text
    assert "It could not have been raised in the last 36 days. There are too few days before it to tell" in text


def test_an_alert_without_figures_says_so(client_for: ClientFor, watch: Watch, analyst: User) -> None:
    alert = watch()
    text = text_of(client_for(analyst).get(f"{LIST}{alert.pk}/").text)
    assert "No data Raised when revenue is unlike the days before. There are no figures of it yet." in text
    assert "It watches days from 1 Mar 2026 on." in text


def test_an_alert_is_paused_resumed_and_deleted(client_for: ClientFor, watch: Watch, analyst: User) -> None:
    alert = watch(name="It")
    client, page = client_for(analyst), f"{LIST}{alert.pk}/"
    assert "“It” is paused." in unescape(client.post(f"{page}pause/", follow=True).text)
    alert.refresh_from_db()
    assert alert.paused_at == NOW
    assert "“It” watches again." in unescape(client.post(f"{page}resume/", follow=True).text)
    assert "Delete “It”?" in client.get(f"{page}delete/").text
    assert Alert.objects.exists()
    assert "“It” is deleted." in unescape(client.post(f"{page}delete/", follow=True).text)
    assert not Alert.objects.exists()


def test_names_with_markup_are_only_text(
    client_for: ClientFor, figures_of: Figures, watch: Watch, look: Look, analyst: User
) -> None:
    figures_of(spend={"2026-03-31": 900})
    alert = watch("spend", name="<img src=x onerror=alert(1)>")
    look()
    for path in (LIST, f"{LIST}{alert.pk}/", f"{LIST}{alert.pk}/delete/"):
        assert "<img src=x" not in client_for(analyst).get(path).text
