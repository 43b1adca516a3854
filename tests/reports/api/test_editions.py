"""Editions in the API: asked for, followed, read as JSON and as files, stopped and made again."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses.models import Run
from jobs.models import Job
from reports.builder.actions import preview
from reports.editions import snapshots
from reports.models import Edition, Report
from tests.api.conftest import WithKey
from tests.reports.api.conftest import READ, V1, WRITE, ClientFor, listed, patch, post, refused
from tests.reports.deliveries.conftest import MakeEdition
from tests.reports.schedules.conftest import work

TEXT_PARAMS = {"text": "All is well."}
BINARY = ("xlsx", "pdf", "pptx")


@pytest.fixture
def note(note: Report) -> Report:
    """The same as the actions keep it."""
    note.blocks = [block | {"extent": "brief"} for block in note.blocks]
    note.save()
    return note


def ask(client: Client, note: Report) -> dict[str, Any]:
    answer = post(client, f"reports/{note.pk}/editions/")
    assert answer.status_code == 202, answer.content
    asked: dict[str, Any] = answer.json()
    assert answer["Location"] == asked["url"]
    return asked


def test_it_is_asked_for_made_and_read(program: Client, note: Report, client_for: ClientFor, viewer: User) -> None:
    asked = ask(program, note)
    expected = {"status": "queued", "report": note.pk, "title": "Weekly note", "trigger": "api", "files": {}}
    assert expected.items() <= asked.items()
    assert (asked["start"], asked["end"]) == ("2026-03-23", "2026-03-29")
    waiting = program.get(asked["url"]).json()
    assert (waiting["document"], waiting["finished_at"], waiting["error"]) == (None, None, None)
    assert refused(program.get(f"{asked['url']}files/pdf/"), 409) == []
    work()
    made = program.get(asked["url"]).json()
    assert (made["status"], made["progress"], made["problems"]) == ("done", 1, [])
    assert made["blocks"] == [
        {"id": "note", "kind": "text", "title": "Note", "params": TEXT_PARAMS, "run": None, "problem": ""}
    ]
    of_page = client_for(viewer).get(f"/w/acme/editions/{asked['id']}/export.json").getvalue()
    assert program.get(made["files"]["json"]).getvalue() == of_page
    assert made["document"]["parts"] == [{"kind": "text", "title": "Note", "text": "All is well."}]
    assert set(program.get(f"{asked['url']}?fields=status,progress").json()) == {"status", "progress"}
    assert [row["id"] for row in listed(program, f"reports/{note.pk}/editions/")] == [asked["id"]]


@pytest.mark.usefixtures("figures")
def test_its_runs_are_the_keys_and_its_numbers_the_dashboards(program: Client, shop: Workspace, note: Report) -> None:
    blocks = [
        {"kind": "dashboard", "params": {"model": "last"}},
        {"kind": "attribution", "params": {"model": "last,linear"}},
        {"kind": "weightings"},
    ]
    assert patch(program, f"reports/{note.pk}/", {"period": "previous_month", "blocks": blocks}).status_code == 200
    asked = ask(program, note)
    run = Run.objects.get(kind="attribution")
    assert (run.trigger, run.api_key is not None) == (Run.Trigger.API, True)
    work()
    made = program.get(asked["url"]).json()
    dashboard, attribution, media = made["document"]["parts"]
    assert dashboard["data"] == program.get(f"{V1}dashboard/?start=2026-03-01&end=2026-03-31&model=last").json()
    assert attribution["data"]["id"] == str(run.pk)
    assert media["problem"] in made["problems"][0]
    assert [block["run"] for block in made["blocks"]] == [None, str(run.pk), None]
    assert made["blocks"][2]["problem"]


@pytest.mark.parametrize("form", ["csv", "json", *BINARY])
def test_files_are_those_of_the_page(
    program: Client, make_edition: MakeEdition, client_for: ClientFor, viewer: User, form: str
) -> None:
    edition = make_edition()
    answer = program.get(f"{V1}editions/{edition.pk}/files/{form}/", headers={"Accept": "text/html"})
    of_page = client_for(viewer).get(f"/w/acme/editions/{edition.pk}/export.{form}")
    for header in ("Content-Type", "Content-Disposition", "Cache-Control"):
        assert answer[header] == of_page[header]
    assert answer.getvalue() == of_page.getvalue()


def test_an_edition_whose_file_is_lost_says_so(program: Client, make_edition: MakeEdition) -> None:
    edition = make_edition()
    (snapshots.folder(edition) / "1.json.gz").unlink()
    body = program.get(f"{V1}editions/{edition.pk}/").json()
    assert (body["status"], body["document"]) == ("done", None)
    lost = program.get(f"{V1}editions/{edition.pk}/files/csv/")
    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
    assert program.get(f"{V1}editions/{edition.pk}/files/docx/").status_code == 404


def test_a_report_without_blocks_is_not_made(program: Client, note: Report) -> None:
    note.blocks = []
    note.save()
    assert refused(post(program, f"reports/{note.pk}/editions/")) == []
    assert not Edition.objects.exists()


def test_it_is_stopped_and_made_again(program: Client, note: Report) -> None:
    asked = ask(program, note)
    stopped = post(program, f"editions/{asked['id']}/cancel/")
    assert (stopped.status_code, stopped.json()["status"]) == (202, "cancelled")
    assert stopped.json()["error"]["code"] == "cancelled"
    assert refused(post(program, f"editions/{asked['id']}/cancel/"), 409) == []
    again = post(program, f"editions/{asked['id']}/again/")
    assert (again.status_code, again["Location"]) == (202, again.json()["url"])
    assert again.json()["id"] != asked["id"]
    work()
    assert program.get(again["Location"]).json()["document"]["parts"][0]["text"] == "All is well."


def test_lists_are_narrowed(program: Client, note: Report, make_edition: MakeEdition, analyst: User) -> None:
    single = make_edition()
    made = preview(report=note, by=analyst, ring=False)
    by_api = ask(program, note)["id"]
    Edition.objects.filter(pk=single.pk).update(created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    def ids(query: str) -> list[str]:
        return [row["id"] for row in listed(program, f"editions/?{query}")]

    assert set(ids("")) == {str(single.pk), str(made.pk), by_api}
    assert ids("")[-1] == str(single.pk)
    assert ids("status=done") == [str(single.pk)]
    assert ids("trigger=api") == [by_api]
    assert set(ids(f"report={note.pk}")) == {str(made.pk), by_api}
    assert ids("created_before=2026-01-01T00:00:01Z") == [str(single.pk)]
    assert ids("report=999") == []
    assert refused(program.get(f"{V1}editions/?status=lost")) == ["status"]
    assert refused(program.get(f"{V1}reports/{note.pk}/editions/?report=1")) == ["report"]


def test_who_may(
    with_key: WithKey,
    client_for: ClientFor,
    note: Report,
    viewer: User,
    analyst: User,
    owner: User,
    outsider: User,
) -> None:
    edition = preview(report=note, by=owner, ring=False)
    address = f"editions/{edition.pk}/"
    assert with_key(WRITE).get(f"{V1}{address}").status_code == 403
    for action in ("cancel/", "again/"):
        assert post(with_key(READ), f"{address}{action}").status_code == 403
        assert post(client_for(viewer), f"{address}{action}").status_code == 403
        assert post(client_for(outsider), f"{address}{action}").status_code == 404
    assert post(client_for(analyst), f"{address}cancel/").status_code == 403  # somebody else's
    assert post(client_for(analyst), f"{address}again/").status_code == 202
    assert client_for(viewer).get(f"{V1}{address}").status_code == 200
    for path in (address, f"{address}files/csv/", f"editions/{uuid.uuid4()}/"):
        assert client_for(outsider).get(f"{V1}{path}").status_code == 404
    assert Job.objects.get(pk=edition.job_id).status == Job.Status.QUEUED
