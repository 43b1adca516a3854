"""The job of an edition, on the shop of tests/reports/conftest.py: March 2026 is worked out by hand."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from accounts.models import Workspace
from accounts.plans import PlanRequired
from analyses.models import Run
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from marketing.models import Campaign
from marketing.periods import Period
from reports.blocks.definition import clean_blocks
from reports.editions import files, snapshots
from reports.editions.actions import request_edition
from reports.editions.making import STILL_COMPUTING
from reports.editions.signals import edition_failed, edition_made
from reports.models import Edition
from tests.conftest import ImportRows
from tests.reports.conftest import NOW, Refresh

MARCH = Period(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
Ask = Callable[..., Edition]
pytestmark = pytest.mark.usefixtures("figures")


@pytest.fixture
def ask(shop: Workspace) -> Ask:
    def ask(*blocks: dict[str, Any], **options: Any) -> Edition:
        given: dict[str, Any] = {"title": "Review", "period": MARCH, "comparison": "previous", "by": None} | options
        return request_edition(
            workspace=shop,
            blocks=clean_blocks(shop, blocks, period=MARCH),
            trigger=Edition.Trigger.PAGE,
            ring=False,
            **given,
        )

    return ask


def made(edition: Edition) -> Edition:
    """The edition after its runs and its own job have been carried out."""
    for run_id in (block["run"] for block in edition.definition["blocks"] if block["run"]):
        execute(job_id=Run.objects.get(pk=run_id).job_id)
    execute(job_id=edition.job_id)
    return Edition.objects.select_related("job", "workspace").get(pk=edition.pk)


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Any]]]:
    """What the signals of editions say."""
    said: list[tuple[str, Any]] = []

    def on_made(edition: Edition, **_: object) -> None:
        said.append(("made", edition.pk))

    def on_failed(edition: Edition, sentence: str, **_: object) -> None:
        said.append(("failed", sentence))

    edition_made.connect(on_made)
    edition_failed.connect(on_failed)
    yield said
    edition_made.disconnect(on_made)
    edition_failed.disconnect(on_failed)


def test_an_edition_waits_for_its_runs(ask: Ask) -> None:
    edition = ask({"kind": "attribution", "params": {"model": "linear"}})
    execute(job_id=edition.job_id)
    edition.job.refresh_from_db()
    assert (edition.job.status, edition.job.attempt) == (Job.Status.QUEUED, 0)
    assert made(edition).job.status == Job.Status.DONE


def test_an_edition_has_the_figures_of_its_blocks(ask: Ask, heard: list[tuple[str, Any]]) -> None:
    edition = made(ask({"kind": "dashboard"}, {"kind": "attribution", "params": {"model": "linear"}}))
    document = snapshots.document_of(edition)
    assert {card.label: card.figure.value for card in document.cards} == {
        "Overall ROI": 2.5,
        "Spend": 180.0,
        "Revenue": 450.0,
        "Conversions": 3.0,
    }
    assert {section.part for section in document.sections} == {"Executive summary", "Dashboard", "Attribution"}
    run = Run.objects.get(kind="attribution")
    assert document.data["parts"][1]["data"]["id"] == str(run.pk)
    assert heard == [("made", edition.pk)]


def test_an_edition_stays_as_it_is_when_new_data_come_in(ask: Ask, import_rows: ImportRows, refresh: Refresh) -> None:
    edition = made(ask({"kind": "dashboard"}))
    before = snapshots.document_of(edition)
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    refresh()
    assert snapshots.document_of(edition) == before
    again = snapshots.document_of(made(ask({"kind": "dashboard"})))
    assert next(card.figure.value for card in again.cards if card.label == "Revenue") == 1450.0


def test_figures_that_are_on_their_way_are_waited_for(ask: Ask, import_rows: ImportRows, refresh: Refresh) -> None:
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    edition = ask({"kind": "dashboard"})
    execute(job_id=edition.job_id)
    edition.job.refresh_from_db()
    assert edition.job.status == Job.Status.QUEUED
    refresh()
    cards = snapshots.document_of(made(edition)).cards
    assert next(card.figure.value for card in cards if card.label == "Revenue") == 1450.0


def test_figures_are_not_waited_for_for_ever(ask: Ask, import_rows: ImportRows) -> None:
    edition = ask({"kind": "dashboard"})
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    with time_machine.travel(NOW + dt.timedelta(minutes=11), tick=False):
        cards = snapshots.document_of(made(edition)).cards
    assert next(card.figure.value for card in cards if card.label == "Revenue") == 450.0


def test_a_block_that_cannot_be_computed_says_why_beside_the_others(ask: Ask) -> None:
    january = Period(dt.date(2025, 1, 1), dt.date(2025, 1, 31))
    edition = made(ask({"kind": "dashboard"}, {"kind": "attribution", "title": "Credit"}, period=january))
    (credit,) = [part for part in snapshots.document_of(edition).sections if part.part == "Credit"]
    assert "conversions" in credit.sentences[0]
    assert edition.job.status == Job.Status.DONE


def test_an_edition_of_nothing_fails_with_the_reason(ask: Ask, heard: list[tuple[str, Any]]) -> None:
    january = Period(dt.date(2025, 1, 1), dt.date(2025, 1, 31))
    edition = made(ask({"kind": "attribution"}, period=january))
    assert edition.job.status == Job.Status.FAILED
    assert edition.job.error.startswith("None of the parts of this report could be made.")
    assert heard == [("failed", edition.job.error)]
    assert edition.snapshot == ""


def test_a_cancelled_edition_is_told_of(ask: Ask, heard: list[tuple[str, Any]]) -> None:
    edition = ask({"kind": "dashboard"})
    job_actions.request_cancel(job=edition.job, by=None)
    assert heard == [("failed", "Making the report was cancelled.")]


def test_what_the_plan_does_not_have_is_refused_and_nothing_written(ask: Ask) -> None:
    with pytest.raises(PlanRequired):
        ask({"kind": "dashboard"}, {"kind": "attribution", "params": {"model": "markov"}})
    assert not Edition.objects.exists()
    assert not Job.objects.filter(kind="reports.edition").exists()


def test_the_report_of_a_campaign_is_about_the_campaign(ask: Ask, shop: Workspace) -> None:
    brand = Campaign.objects.get(workspace=shop, name="Brand")
    document = snapshots.document_of(made(ask({"kind": "dashboard"}, campaign=brand)))
    assert next(card.figure.value for card in document.cards if card.label == "Spend") == 60.0
    assert ("Campaign", "Brand") in document.facts


def test_formats_are_made_with_the_edition_and_each_once(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    edition = made(ask({"kind": "dashboard"}, formats=["csv", "json"]))
    names = sorted(path.name for path in snapshots.folder(edition).iterdir())
    assert names == ["1.csv", "1.json", "1.json.gz"]
    monkeypatch.setattr(files, "write", None)  # not called: the file is there
    assert b"Dashboard" in files.file_of(edition, "csv").read_bytes()


def test_a_format_is_made_when_it_is_first_asked_for(ask: Ask) -> None:
    edition = made(ask({"kind": "dashboard"}))
    assert files.file_of(edition, "pptx").read_bytes().startswith(b"PK")
    with pytest.raises(ValueError, match="exe"):
        files.file_of(edition, "exe")


def test_a_claim_that_was_replaced_completes_nothing(ask: Ask, heard: list[tuple[str, Any]]) -> None:
    edition = ask({"kind": "dashboard"})
    Job.objects.filter(pk=edition.job_id).update(cancel_requested=True)
    execute(job_id=edition.job_id)
    edition.refresh_from_db()
    assert edition.snapshot == ""
    assert heard == [("failed", "Making the report was cancelled.")]


def test_a_question_that_was_asked_anew_meanwhile_is_answered_by_the_newer_run(
    ask: Ask, import_rows: ImportRows, refresh: Refresh, shop: Workspace
) -> None:
    block = {"kind": "attribution", "params": {"model": "linear"}}
    first = ask(block)
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    refresh()
    second = ask(block)
    older, newer = (Run.objects.get(pk=one.definition["blocks"][0]["run"]) for one in (first, second))
    assert older != newer
    execute(job_id=older.job_id)  # finds that its question has been asked of the newest data
    older.job.refresh_from_db()
    assert older.job.error_code == "superseded"
    execute(job_id=first.job_id)
    first.job.refresh_from_db()
    assert first.job.status == Job.Status.QUEUED  # waits for the other run
    execute(job_id=newer.job_id)
    document = snapshots.document_of(made(first))
    assert document.data["parts"][0]["data"]["id"] == str(newer.pk)


def test_parts_that_could_not_be_made_are_kept_with_the_edition(ask: Ask) -> None:
    january = Period(dt.date(2025, 1, 1), dt.date(2025, 1, 31))
    edition = made(ask({"kind": "dashboard"}, {"kind": "attribution", "title": "Credit"}, period=january))
    (problem,) = edition.problems
    assert problem.startswith("Credit: ")
    assert made(ask({"kind": "dashboard"})).problems == []


def test_a_part_of_older_data_says_so(ask: Ask, import_rows: ImportRows, refresh: Refresh) -> None:
    edition = ask({"kind": "attribution", "title": "Credit", "params": {"model": "linear"}})
    execute(job_id=Run.objects.get(kind="attribution").job_id)
    assert not any("have changed since" in note for note in snapshots.document_of(made(edition)).notes)
    other = ask({"kind": "attribution", "title": "Credit", "params": {"model": "linear"}})
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    refresh()
    assert "“Credit” was computed on 1 Apr 2026, 09:00. Data, or the method, have changed since." in (
        snapshots.document_of(made(other)).notes
    )


def test_figures_that_were_not_waited_for_are_said_to_be_the_ones_before(ask: Ask, import_rows: ImportRows) -> None:
    edition = ask({"kind": "dashboard"})
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    with time_machine.travel(NOW + dt.timedelta(minutes=11), tick=False):
        assert STILL_COMPUTING in snapshots.document_of(made(edition)).notes


def test_figures_are_waited_for_from_the_end_of_the_last_run_on(ask: Ask, import_rows: ImportRows) -> None:
    edition = ask({"kind": "dashboard"}, {"kind": "attribution", "params": {"model": "linear"}})
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        execute(job_id=Run.objects.get(kind="attribution").job_id)
        import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
        execute(job_id=edition.job_id)
        edition.job.refresh_from_db()
        assert edition.job.status == Job.Status.QUEUED
