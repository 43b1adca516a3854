"""Holidays, promotions and the like: their own files, and the column of wide tables."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import Workspace
from jobs.execution import execute
from marketing.importing.loading import period_ends
from marketing.importing.undo import undo_imports
from marketing.models import Control, Dataset, DatasetVersion, Event, Import
from marketing.selectors import load_events
from tests.factories import WorkspaceFactory

Importer = Callable[..., Import]
HEADER = "name,start,end,geo\n"


def held() -> list[tuple[str, str, str, str]]:
    """The events that hold: name, start, end and geo."""
    return [
        (event.name, event.start.isoformat(), event.end.isoformat(), event.geo)
        for event in Event.objects.filter(shadowed=False, batch__status=Import.Status.ACTIVE).order_by("start", "name")
    ]


def test_an_event_without_an_end_is_that_days(import_rows: Importer) -> None:
    batch = import_rows("events", HEADER + "Sale,2026-03-01,2026-03-07,\nStrike,2026-04-02,,Geo1\n")

    assert (batch.accepted, batch.rejected, batch.duplicates) == (2, 0, 0)
    assert held() == [
        ("Sale", "2026-03-01", "2026-03-07", ""),
        ("Strike", "2026-04-02", "2026-04-02", "Geo1"),
    ]
    assert (batch.first_day, batch.last_day) == (dt.date(2026, 3, 1), dt.date(2026, 4, 2))


def test_events_may_lie_ahead_but_not_for_ever(import_rows: Importer) -> None:
    next_year = timezone.now().year + 1

    batch = import_rows("events", f"name,start\nChristmas,{next_year}-12-25\nMillennium,2999-01-01\nEaster,\n")

    assert batch.accepted == 1
    assert [error["reason"] for error in batch.errors] == ["more than 2 years ahead", "missing"]


def test_an_event_cannot_end_before_it_starts(import_rows: Importer) -> None:
    batch = import_rows("events", HEADER + "Sale,2026-03-07,2026-03-01,\nStrike,2026-03-01,,\n")

    assert batch.accepted == 1
    assert batch.errors == [{"row": 2, "column": "end", "reason": "ends before it starts"}]


def test_the_same_event_twice_in_a_file_is_rejected_even_with_another_end(import_rows: Importer) -> None:
    batch = import_rows("events", HEADER + "Sale,2026-03-01,2026-03-07,\nSale,2026-03-01,2026-03-09,\n")

    assert (batch.accepted, batch.rejected) == (1, 1)
    assert batch.errors[0]["reason"] == "the same name, start, geo as row 2"
    assert held() == [("Sale", "2026-03-01", "2026-03-07", "")]


def test_the_newest_file_restates_an_event_and_undoing_it_brings_the_former_back(
    import_rows: Importer, shop: Workspace
) -> None:
    import_rows("events", HEADER + "Sale,2026-03-01,2026-03-07,\nStrike,2026-04-02,,\n")
    before = DatasetVersion.objects.get(workspace=shop, dataset=Dataset.EVENTS).digest

    second = import_rows("events", HEADER + "Sale,2026-03-01,2026-03-09,\nStrike,2026-04-02,,\n")

    assert held()[0] == ("Sale", "2026-03-01", "2026-03-09", "")
    assert (second.accepted, second.duplicates) == (1, 1)  # the strike says nothing new

    undo_imports(workspace=shop, imports=[second], by=None)

    assert held() == [("Sale", "2026-03-01", "2026-03-07", ""), ("Strike", "2026-04-02", "2026-04-02", "")]
    assert DatasetVersion.objects.get(workspace=shop, dataset=Dataset.EVENTS).digest == before


def test_events_of_another_workspace_are_left_alone(import_rows: Importer, shop: Workspace) -> None:
    other = WorkspaceFactory.create()
    import_rows("events", HEADER + "Sale,2026-03-01,2026-03-07,\n")
    Event.objects.update(workspace=other)

    import_rows("events", HEADER + "Sale,2026-03-01,2026-03-08,\n")

    assert Event.objects.filter(shadowed=False).count() == 2
    assert [event.end.day for event in load_events(workspace=shop)] == [8]


def test_a_wide_tables_words_are_events_and_its_blanks_are_none(import_rows: Importer, shop: Workspace) -> None:
    batch = import_rows(
        "media_table",
        "date,spend:TV,events\n2026-03-02,5,na\n2026-03-09,6,Spring sale\n2026-03-16,7,\n",
    )

    assert (batch.accepted, batch.rejected) == (3, 0)
    assert held() == [("Spring sale", "2026-03-09", "2026-03-15", "")]
    assert DatasetVersion.objects.filter(workspace=shop, dataset=Dataset.EVENTS).exists()


def test_a_wide_table_without_events_leaves_their_version_as_it_is(import_rows: Importer, shop: Workspace) -> None:
    import_rows("media_table", "date,spend:TV\n2026-03-02,5\n2026-03-09,6\n")

    assert not DatasetVersion.objects.filter(workspace=shop, dataset=Dataset.EVENTS).exists()


def test_a_number_is_no_event(import_rows: Importer) -> None:
    batch = import_rows("media_table", "date,spend:TV,events\n2026-03-02,5,1\n2026-03-03,6,0\n")

    assert (batch.accepted, batch.rejected) == (1, 1)
    assert batch.errors[0]["reason"] == "“1” is a number, not the name of an event"


def test_a_column_named_events_can_be_left_out_or_be_a_control(import_rows: Importer) -> None:
    table = "date,spend:TV,events\n2026-03-02,5,1\n2026-03-03,6,0\n"

    assert import_rows("media_table", table, events="").rejected == 0
    assert import_rows("media_table", table, **{"control:Events": "events"}).rejected == 0
    assert Control.objects.get().name == "Events"
    assert not Event.objects.exists()


def test_importing_a_wide_table_again_counts_its_rows_as_duplicates(import_rows: Importer) -> None:
    table = "date,spend:TV,events\n2026-03-02,5,na\n2026-03-09,6,Spring sale\n"
    import_rows("media_table", table)

    again = import_rows("media_table", table)

    assert (again.accepted, again.rejected, again.duplicates) == (0, 0, 2)

    changed = import_rows("media_table", table.replace("Spring", "Easter"))

    assert (changed.accepted, changed.duplicates) == (1, 1)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (["2026-03-02", "2026-03-09"], ["2026-03-08", "2026-03-15"]),
        (["2026-03-02", "2026-03-03", "2026-03-09"], ["2026-03-02", "2026-03-03", "2026-03-09"]),
        (["2026-01-01", "2026-02-01", "2026-03-01"], ["2026-01-31", "2026-02-28", "2026-03-31"]),
        (["2026-03-02"], ["2026-03-02"]),
        (["2026-03-09", "2026-03-02", "2026-03-09"], ["2026-03-15", "2026-03-08", "2026-03-15"]),
        ([], []),
    ],
    ids=["weeks", "days", "months", "a single row", "in any order, more regions than one", "no rows"],
)
def test_a_period_lasts_until_the_next_one(starts: list[str], ends: list[str]) -> None:
    assert period_ends(np.array(starts, "datetime64[D]")).tolist() == np.array(ends, "datetime64[D]").tolist()


def test_events_are_selected_by_the_days_that_they_touch(import_rows: Importer, shop: Workspace) -> None:
    import_rows("events", HEADER + "Sale,2026-03-01,2026-03-07,\nStrike,2026-04-02,,Geo1\n")

    def names(start: str | None, end: str | None) -> list[str]:
        first, last = (dt.date.fromisoformat(day) if day else None for day in (start, end))
        return [event.name for event in load_events(workspace=shop, start=first, end=last)]

    assert names(None, None) == ["Sale", "Strike"]
    assert names("2026-03-07", "2026-03-31") == ["Sale"]
    assert names("2026-03-08", "2026-04-01") == []
    assert names("2026-03-08", None) == ["Strike"]


def test_events_of_an_import_that_does_not_count_are_not_selected(
    import_rows: Importer, queue_import: Importer, shop: Workspace
) -> None:
    pending = queue_import("events", HEADER + "Sale,2026-03-01,,\n")
    assert load_events(workspace=shop) == []

    execute(job_id=pending.job_id)

    assert [event.name for event in load_events(workspace=shop)] == ["Sale"]
