"""Entering a lift test: by its lift, its interval or its groups; what is refused, what is asked again; once each."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent, User, Workspace
from analyses.models import Run
from jobs.execution import execute
from jobs.models import Job
from marketing.data_versions import data_version
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Dataset, Experiment, Import
from tests.marketing.batches import add_import
from tests.weightings.markets import add_outcome, add_spend
from tests.weightings.results import a_check
from tests.weightings.stored_runs import a_stored_run

PAGE, NEW = "/w/acme/weightings/experiments/", "/w/acme/weightings/experiments/new/"
TOKEN = "0123456789abcdef" * 2
# Four weeks in which about 2,000 were spent on TV and sales were about 35,000.
DAYS = {"start": "2022-05-02", "end": "2022-05-29"}
BASE = {"token": TOKEN, "channel": "TV", **DAYS, "spend": "1500", "level": "95"}
BY_LIFT = BASE | {"way": "lift", "lift": "2,400.50", "standard_error": "€ 600"}
BY_INTERVAL = BASE | {"way": "interval", "lift": "2400", "low": "1224.02", "high": "3575.98", "level": "95"}
GROUPS = {"test_size": "8000", "test_conversions": "240", "control_size": "4000", "control_conversions": "80"}
BY_GROUPS = BASE | {"way": "groups", **GROUPS, "value": "30", "value_spread": ""}
ClientFor = Callable[[User | None], Client]


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    add_outcome(workspace)
    add_spend(workspace)
    return workspace


def work() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


def entered() -> list[tuple[Any, ...]]:
    """The tests that count."""
    rows = Experiment.objects.filter(shadowed=False, batch__status=Import.Status.ACTIVE).order_by("pk")
    return list(rows.values_list("channel__name", "start", "end", "geo", "lift", "standard_error", "spend"))


@pytest.mark.usefixtures("shop")
def test_a_test_comes_in_as_an_import(client_for: ClientFor, analyst: User, workspace: Workspace) -> None:
    client = client_for(analyst)
    assert 'name="standard_error"' in client.get(NEW).text
    before = data_version(workspace=workspace, datasets=[Dataset.EXPERIMENTS])
    response = client.post(NEW, BY_LIFT)
    assert (response.status_code, response["Location"]) == (302, PAGE)
    batch = Import.objects.get(dataset=Dataset.EXPERIMENTS)
    assert (batch.origin, batch.requested_by, batch.status) == (Import.Origin.PAGE, analyst, Import.Status.PENDING)
    assert "Lift test of TV, 2–29 May 2022" in batch.file_name
    page = client.get(PAGE).text
    assert "is being saved" in page
    assert 'hx-trigger="every 1s"' in page
    work()
    (row,) = entered()
    assert row == ("TV", dt.date(2022, 5, 2), dt.date(2022, 5, 29), "", 2400.5, 600.0, 1500)
    assert data_version(workspace=workspace, datasets=[Dataset.EXPERIMENTS]) != before
    assert AuditEvent.objects.filter(action="import.requested", actor=analyst).exists()
    page = client.get(PAGE).text
    assert "every 1s" not in page
    assert "€2,400" in page
    assert "1.60" in page  # incremental ROI


@pytest.mark.usefixtures("shop")
def test_an_interval_is_brought_to_a_standard_error(client_for: ClientFor, analyst: User) -> None:
    """95%: 1.95996 standard errors to either side; 80%: 1.28155."""
    client = client_for(analyst)
    assert client.post(NEW, BY_INTERVAL).status_code == 302
    assert client.post(NEW, BY_INTERVAL | {"channel": "Search", "spend": "1000", "level": "80"}).status_code == 302
    work()
    by_channel = {row[0]: row[5] for row in entered()}
    assert by_channel["TV"] == pytest.approx(1175.98 / 1.959964, rel=1e-5)
    assert by_channel["Search"] == pytest.approx(1175.98 / 1.281552, rel=1e-5)


@pytest.mark.usefixtures("shop")
def test_groups_are_brought_to_a_lift(client_for: ClientFor, analyst: User) -> None:
    """3% of 8,000 against 2% of 4,000: 80 conversions more, of 30 each."""
    assert client_for(analyst).post(NEW, BY_GROUPS).status_code == 302
    work()
    (row,) = entered()
    one, other = 241 / 8002, 81 / 4002
    error = 30 * 8000 * (one * (1 - one) / 8002 + other * (1 - other) / 4002) ** 0.5
    assert row[4:6] == (pytest.approx(2400.0), pytest.approx(error))


@pytest.mark.usefixtures("shop")
def test_a_preview_says_what_follows_and_saves_nothing(client_for: ClientFor, analyst: User) -> None:
    response = client_for(analyst).post(NEW, BY_GROUPS | {"action": "preview"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "<form" not in response.text
    assert "80 conversions" in response.text
    assert "3.000% of the test group converted, 2.000% of the control group" in response.text
    assert "€2,400" in response.text
    assert "There is no model yet to hold it against." in response.text
    assert "HX-Request" in response["Vary"]
    assert not Import.objects.filter(dataset=Dataset.EXPERIMENTS).exists()


@pytest.mark.usefixtures("shop")
def test_a_preview_goes_as_far_as_what_has_been_entered(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)

    def preview(**changed: str) -> str:
        return client.post(NEW, BY_LIFT | {"action": "preview", **changed}, headers={"HX-Request": "true"}).text

    assert "Standard error" in preview(channel="", start="", end="")
    assert "Incremental ROI" not in preview(spend="")
    nothing = preview(channel="", start="", end="", spend="", lift="", standard_error="")
    assert "appear here as you enter the test" in nothing
    assert "Enter an amount" not in nothing  # that something is missing is no mistake yet
    assert "“abc” is not a number" in preview(lift="abc")


def test_a_preview_holds_it_against_the_newest_model(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    run = a_stored_run(shop)
    assert run.result is not None
    said = next(channel["roi"] for channel in run.result["channels"] if channel["channel"] == "TV")
    post = {**BY_LIFT, "action": "preview"}
    text = client_for(analyst).post(NEW, post, headers={"HX-Request": "true"}).text
    assert (
        f"The newest model of Sales says {said['median']:,.2f} ({said['low']:,.2f}–{said['high']:,.2f}) of TV" in text
    )
    assert "Incremental ROI of TV: 1.60 by this test" in text
    far = client_for(analyst).post(NEW, {**post, "lift": "-90000"}, headers={"HX-Request": "true"}).text
    assert "The test says less: the two intervals have nothing in common." in far


def test_a_preview_says_what_is_doubtful_about_the_model(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    post = {**BY_LIFT, "action": "preview"}
    a_stored_run(shop)
    text = client_for(analyst).post(NEW, post, headers={"HX-Request": "true"}).text
    assert "relied on" not in text
    assert "This is of" not in text
    run = a_stored_run(shop, checks=[a_check("VIF", 12.0, 5.0, "fail", "TV")])
    Run.objects.filter(pk=run.pk).update(created_at=dt.datetime(2022, 3, 1, 12, tzinfo=dt.UTC))
    Run.objects.exclude(pk=run.pk).update(void=True)
    text = client_for(analyst).post(NEW, post, headers={"HX-Request": "true"}).text
    assert "That model fails checks, so its numbers are not to be relied on." in text
    assert "This is of 1 Mar 2022, more than" in text


@pytest.mark.usefixtures("shop")
def test_what_looks_wrong_is_saved_only_if_it_is_confirmed(client_for: ClientFor, analyst: User) -> None:
    client, wrong = client_for(analyst), BY_LIFT | {"lift": "2400500", "standard_error": "600000"}
    asked = client.post(NEW, wrong)
    assert asked.status_code == 422
    assert "is more than all of Sales in these days" in asked.text
    assert not Import.objects.filter(dataset=Dataset.EXPERIMENTS).exists()
    confirmed = confirmation(asked.text)
    # That is a confirmation of these numbers, not of others.
    other = client.post(NEW, wrong | {"lift": "2600500", "confirmed": confirmed})
    assert other.status_code == 422
    assert client.post(NEW, wrong | {"confirmed": "yes"}).status_code == 422
    assert not Import.objects.filter(dataset=Dataset.EXPERIMENTS).exists()
    assert client.post(NEW, wrong | {"confirmed": confirmed}).status_code == 302
    work()
    assert [row[4] for row in entered()] == [2400500.0]
    # Once corrected there is nothing to confirm.
    assert client.post(NEW, BY_LIFT | {"lift": "2400.5", "confirmed": confirmed}).status_code == 302


def confirmation(text: str) -> str:
    found = re.search(r'name="confirmed" value="([0-9a-f]{32})"', text)
    assert found is not None
    return found[1]


NUMBERS = [
    "NaN",
    "inf",
    "1e400",
    "abc",
    "1_000",
    "١٢٣",
    "12,34,5",
    "1.234,56",
    "$ 5",
    "5 %",
    "9" * 13,
    "0x10",
    "9" * 80,
]
BAD = [
    *(("lift", text, BY_LIFT) for text in NUMBERS),
    *(("standard_error", text, BY_LIFT) for text in (*NUMBERS, "0", "-5")),
    *(("spend", text, BY_LIFT) for text in (*NUMBERS, "0", "-5", "", "n/a")),
    *((name, text, BY_INTERVAL) for name in ("low", "high") for text in ("NaN", "1e400", "١٢", "", "x")),
    ("low", "2500", BY_INTERVAL),  # above the lift
    ("low", "9000", BY_INTERVAL),  # above the upper end
    ("level", "50", BY_INTERVAL),
    *((name, text, BY_GROUPS) for name in GROUPS for text in ("NaN", "1e400", "-1", "1.5", "٣", "", "many")),
    ("test_size", "0", BY_GROUPS),
    ("test_conversions", "8001", BY_GROUPS),
    ("control_conversions", "4001", BY_GROUPS),
    *(("value", text, BY_GROUPS) for text in ("0", "-3", "NaN", "")),
    *(("value_spread", text, BY_GROUPS) for text in ("-3", "NaN", "x")),
    ("lift", "", BY_LIFT),
    ("standard_error", "", BY_LIFT),
    ("way", "magic", BY_LIFT),
    ("way", "", BY_LIFT),
    *(("channel", text, BY_LIFT) for text in ("", "Nobody knows", "tv\0")),
    ("geo", "Atlantis", BY_LIFT),
    *(("start", text, BY_LIFT) for text in ("", "soon", "2022-02-30", "1999-12-31", "2022-05-30", "0001-01-01")),
    *(("end", text, BY_LIFT) for text in ("", "2022-05-01", "9999-12-31", "2022-13-01")),
]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("name", "text", "base"), BAD, ids=lambda value: "" if isinstance(value, dict) else ascii(value)
)
def test_what_cannot_be_is_refused_with_a_sentence(
    client_for: ClientFor, analyst: User, name: str, text: str, base: dict[str, str]
) -> None:
    client = client_for(analyst)
    response = client.post(NEW, base | {name: text})
    assert response.status_code == 422
    assert re.search(r'<ul class="errorlist" id="[a-z_]+_error">\s*<li>[^<]{10,}', response.text)
    assert "Save all the same" not in response.text
    assert not Import.objects.filter(dataset=Dataset.EXPERIMENTS).exists()
    preview = client.post(NEW, base | {name: text, "action": "preview"}, headers={"HX-Request": "true"})
    assert preview.status_code == 200


@pytest.mark.usefixtures("shop")
def test_a_test_that_has_not_ended_is_refused(client_for: ClientFor, analyst: User) -> None:
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).date().isoformat()
    response = client_for(analyst).post(NEW, BY_LIFT | {"end": tomorrow})
    assert response.status_code == 422
    assert "ends in the future" in response.text


@pytest.mark.usefixtures("shop")
def test_sending_it_twice_counts_once(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    assert [client.post(NEW, BY_LIFT).status_code for _ in range(2)] == [302, 302]
    work()
    assert client.post(NEW, BY_LIFT).status_code == 302
    assert Import.objects.filter(dataset=Dataset.EXPERIMENTS).count() == 1
    # Gone back to, and corrected: another test.
    assert client.post(NEW, BY_LIFT | {"lift": "2000"}).status_code == 302
    assert Import.objects.filter(dataset=Dataset.EXPERIMENTS).count() == 2


@pytest.mark.usefixtures("shop")
def test_what_has_been_taken_back_is_not_taken_for_saved(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    client.post(NEW, BY_LIFT)
    work()
    batch = Import.objects.get(dataset=Dataset.EXPERIMENTS)
    client.post(f"/w/acme/data/imports/{batch.pk}/undo/")
    work()
    assert entered() == []
    again = client.post(NEW, BY_LIFT)
    assert again.status_code == 422
    assert "has been taken back since. Open the form anew" in again.text
    assert client.post(NEW, BY_LIFT | {"token": "f" * 32}).status_code == 302
    work()
    assert len(entered()) == 1


@pytest.mark.usefixtures("shop")
def test_a_token_of_somebody_elses_making_is_none(client_for: ClientFor, analyst: User) -> None:
    for token in ("", "x" * 400, "../../x", "é" * 32):
        assert client_for(analyst).post(NEW, BY_LIFT | {"token": token}).status_code == 302
    assert Import.objects.filter(dataset=Dataset.EXPERIMENTS).count() == 4


@pytest.mark.usefixtures("shop")
def test_a_correction_takes_the_place_until_it_is_undone(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    client.post(NEW, BY_LIFT)
    work()
    first = Experiment.objects.get()
    form = client.get(f"{NEW}?experiment={first.pk}").text
    for value in ("2400.5", "600", "1500", "2022-05-02", "2022-05-29"):
        assert f'value="{value}"' in form
    assert '<option value="TV" selected>' in form
    preview = client.post(NEW, BY_LIFT | {"lift": "1900", "action": "preview"}, headers={"HX-Request": "true"}).text
    assert "There is a test of TV of these days already: a lift of €2,400" in preview
    assert client.post(NEW, BY_LIFT | {"lift": "1900", "token": "a" * 32}).status_code == 302
    work()
    assert [row[4] for row in entered()] == [1900.0]
    newest = Import.objects.filter(dataset=Dataset.EXPERIMENTS).latest("pk")
    assert f"/w/acme/data/imports/{newest.pk}/undo/" in client.get(PAGE).text
    client.post(f"/w/acme/data/imports/{newest.pk}/undo/")
    assert "is being taken back" in client.get(PAGE).text
    work()
    assert [row[4] for row in entered()] == [2400.5]


def test_geos_are_offered_where_the_data_have_some(client_for: ClientFor, analyst: User, shop: Workspace) -> None:
    client = client_for(analyst)
    assert 'name="geo"' not in client.get(NEW).text
    (channel,) = ensure_channels(workspace=shop, names=["TV"])
    batch = add_import(shop, Dataset.SPEND)
    ChannelSpend.objects.create(batch=batch, channel=channel, date="2022-05-03", spend=5, geo="North")
    assert '<option value="North">' in client.get(NEW).text
    assert client.post(NEW, BY_LIFT | {"geo": "North", "spend": "4"}).status_code == 422  # a lift of 600 times that
    asked = client.post(NEW, BY_LIFT | {"geo": "North"})
    assert client.post(NEW, BY_LIFT | {"geo": "North", "confirmed": confirmation(asked.text)}).status_code == 302
    work()
    assert [row[3] for row in entered()] == ["North"]


@pytest.mark.usefixtures("shop")
def test_a_test_in_a_geo_that_only_tests_name_can_be_corrected(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    client.post(NEW, BY_LIFT)
    work()
    Experiment.objects.update(geo="North")
    assert '<option value="North" selected>' in client.get(f"{NEW}?experiment={Experiment.objects.get().pk}").text
    assert client.post(NEW, BY_LIFT | {"geo": "North", "lift": "1900", "token": "a" * 32}).status_code == 302
    work()
    assert [row[3:5] for row in entered()] == [("North", 1900.0)]


@pytest.mark.usefixtures("shop")
def test_only_those_who_may_import_enter_tests(
    client_for: ClientFor, viewer: User, outsider: User, owner: User, admin: User
) -> None:
    for method in ("get", "post"):
        refused = getattr(client_for(viewer), method)(NEW, BY_LIFT)
        assert refused.status_code == 403
        assert "you may not import data" in refused.text
        assert getattr(client_for(outsider), method)(NEW, BY_LIFT).status_code == 404
        asked = getattr(client_for(None), method)(NEW, BY_LIFT)
        assert (asked.status_code, asked["Location"][:23]) == (302, "/accounts/login/?next=/")
    assert not Import.objects.filter(dataset=Dataset.EXPERIMENTS).exists()
    for place, user in enumerate((owner, admin)):
        assert client_for(user).post(NEW, BY_LIFT | {"token": str(place) * 32}).status_code == 302


@pytest.mark.usefixtures("shop")
def test_there_is_nothing_else_to_ask_of_it(client_for: ClientFor, analyst: User) -> None:
    client = client_for(analyst)
    for method in ("put", "patch", "delete"):
        assert getattr(client, method)(NEW).status_code == 405
        assert getattr(client, method)(PAGE).status_code == 405
    assert client.post(PAGE).status_code == 405
    for asked in ("0", "x", "9" * 40, "%D9%A1"):
        assert client.get(f"{NEW}?experiment={asked}").status_code == 404


def test_an_experiment_of_another_workspace_does_not_exist(
    client_for: ClientFor, analyst: User, outsider: User, shop: Workspace
) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    (channel,) = ensure_channels(workspace=elsewhere, names=["TV"])
    theirs = Experiment.objects.create(
        batch=add_import(elsewhere, Dataset.EXPERIMENTS),
        channel=channel,
        start="2022-05-02",
        end="2022-05-29",
        lift=777_123,
        standard_error=5,
        spend=5,
    )
    assert client_for(analyst).get(f"{NEW}?experiment={theirs.pk}").status_code == 404
    assert "777" not in client_for(analyst).get(PAGE).text
    assert (
        client_for(outsider).get(f"/w/elsewhere/weightings/experiments/new/?experiment={theirs.pk}").status_code == 200
    )


@pytest.mark.usefixtures("workspace")
def test_without_channels_it_says_where_they_come_from(client_for: ClientFor, analyst: User) -> None:
    page = client_for(analyst).get(NEW).text
    assert "No channels yet" in page
    assert 'href="/w/acme/data/"' in page
