"""Paths that were counted elsewhere: what a row says, which rows are rejected, and which counts hold."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Workspace
from marketing.channels import rename_channel
from marketing.importing.removal import imports_to_clear, sweep_ended_imports
from marketing.importing.settle import add_up_paths
from marketing.importing.undo import undo_imports
from marketing.models import Channel, Dataset, DatasetVersion, Import, PathChannel, PathCount
from marketing.selectors import load_paths
from tests.marketing.settled import Importer, counts

HEADER = "path,conversions,value,null\n"
DATED = "date,path,conversions,null\n"


def held(workspace: Workspace, start: str | None = None, end: str | None = None) -> dict[str, tuple[float, ...]]:
    """The visible paths of some days: path -> conversions, value, nulls."""
    first, last = (dt.date.fromisoformat(day) if day else None for day in (start, end))
    table, names = load_paths(workspace=workspace, start=first, end=last)
    return {
        " > ".join(names[step] for step in table.steps[table.offsets[path] : table.offsets[path + 1]]): (
            table.conversions[path],
            table.value[path],
            table.nulls[path],
        )
        for path in range(len(table))
    }


def test_a_row_says_how_often_a_path_was_taken_and_what_came_of_it(import_rows: Importer, shop: Workspace) -> None:
    batch = import_rows("paths", HEADER + "Email > Direct,3,120.50,7\nDirect,0.5,,\nTV,0,,4\n")

    assert counts(batch) == (3, 0, 0)
    assert batch.warnings == []
    assert (batch.first_day, batch.last_day) == (None, None)
    assert held(shop) == {"Email > Direct": (3, 120.5, 7), "Direct": (0.5, 0, 0), "TV": (0, 0, 4)}


def test_channels_are_created_in_the_order_of_the_file_and_looked_up_in_any_case(
    import_rows: Importer, shop: Workspace
) -> None:
    import_rows("spend", "date,channel,spend\n2026-01-01,tv,5\n")

    import_rows("paths", HEADER + "Radio > TV,1,,\nRADIO>tv >  E-Mail,1,,\n")

    assert list(Channel.objects.values_list("name", "type")) == [
        ("tv", "offline"),
        ("Radio", "offline"),
        ("E-Mail", "owned"),
    ]
    assert held(shop).keys() == {"Radio > tv", "Radio > tv > E-Mail"}


def test_a_file_with_more_channels_than_anybody_has_is_refused(import_rows: Importer) -> None:
    refused = import_rows("paths", HEADER + "".join(f"/page/{n} > Direct,1,,\n" for n in range(501)))

    assert refused.status == Import.Status.FAILED
    assert refused.job.error.startswith("The file names more than 500 new channels, ")


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",1,,", "path", "missing"),
        (" > ,1,,", "path", "step 1 is empty"),
        ("A >  > B,1,,", "path", "step 2 is empty"),
        ("A > B >,1,,", "path", "step 3 is empty"),
        ("A > (Not set) > B,1,,", "path", "step 2 is “(Not set)”: write Unassigned where the channel is not known"),
        (f"A > {'x' * 101},1,,", "path", "step 2 is longer than 100 characters"),
        (" > ".join(["A"] * 1_001) + ",1,,", "path", "1,001 steps; a path has 1,000 at most"),
        ("#REF!,1,,", "path", "the cell shows the error #REF!"),
        ("A,,5,", "conversions", "missing"),
        ("A,-1,,", "conversions", "negative"),
        ("A,nan,,", "conversions", "“nan” is not a number such as 1234.56"),
        ("A,1e400,,", "conversions", "“1e400” is not a number such as 1234.56"),
        ("A,1,-5,", "value", "negative: take credits and refunds off the amounts that they belong to"),
        ("A,1,,-2", "null", "negative"),
        ("A,0,5,0", "conversions", "the path was never taken: it has no journey at all"),
        ("A,0,,", "conversions", "the path was never taken: it has no journey at all"),
    ],
)
def test_a_row_that_cannot_be_is_rejected_with_its_reason(
    import_rows: Importer, shop: Workspace, row: str, column: str, reason: str
) -> None:
    batch = import_rows("paths", HEADER + f"A > B,1,,\n{row}\n")

    assert counts(batch) == (1, 1, 0)
    assert batch.errors == [{"row": 3, "column": column, "reason": reason}]
    assert held(shop) == {"A > B": (1, 0, 0)}


def test_a_path_may_have_a_thousand_steps(import_rows: Importer, shop: Workspace) -> None:
    path = " > ".join(["Email", "Direct"] * 500)

    assert counts(import_rows("paths", HEADER + f"{path},1,,\n")) == (1, 0, 0)
    assert held(shop) == {path: (1, 0, 0)}


def test_a_day_ahead_or_of_no_calendar_is_rejected(import_rows: Importer) -> None:
    batch = import_rows("paths", DATED + "2026-02-30,A,1,\n2999-01-01,A,1,\n2026-02-01,A,1,\n,A,1,\n")

    assert counts(batch) == (2, 2, 0)
    assert {error["column"] for error in batch.errors} == {"date"}
    assert (batch.first_day, batch.last_day) == (dt.date(2026, 2, 1), dt.date(2026, 2, 1))


def test_a_value_without_conversions_is_imported_with_a_warning(import_rows: Importer) -> None:
    batch = import_rows("paths", HEADER + "A,0,5,3\nB,1,5,3\n")

    assert counts(batch) == (2, 0, 0)
    assert batch.warnings == ["1 row has a value in “value”, but no conversions (row 2)."]


def test_rows_of_one_path_in_a_file_are_added_up_with_a_warning(import_rows: Importer, shop: Workspace) -> None:
    batch = import_rows("paths", HEADER + "A > B,1,0.1,2\nB,1,,\na>b,2,0.2,\nA > B,0,,1\n")

    assert counts(batch) == (4, 0, 0)
    assert batch.warnings == [
        "2 rows have a path in “path” that an earlier row of the file has: their counts are added up (first: row 4)."
    ]
    assert held(shop) == {"A > B": (3, 0.3, 3), "B": (1, 0, 0)}
    assert sorted(PathCount.objects.values_list("value", "file_rows")) == [(0, 1), (Decimal("0.3"), 3)]


def test_rows_of_one_path_are_added_up_across_chunks_of_the_file(
    import_rows: Importer, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketing.importing.files.BLOCK_BYTES", 64)
    rows = "".join(f"A > B,1,0.1,2\nOnly {n},1,,\n" for n in range(20))

    batch = import_rows("paths", HEADER + rows)

    assert counts(batch) == (40, 0, 0)
    assert held(shop)["A > B"] == (20, 2, 40)
    assert PathCount.objects.count() == 21
    assert counts(import_rows("paths", HEADER + rows)) == (0, 0, 40)


def test_the_largest_amounts_are_added_up_without_an_end(import_rows: Importer, shop: Workspace) -> None:
    batch = import_rows("paths", HEADER + "A > B,1,999999999999,\n" * 12)

    assert counts(batch) == (12, 0, 0)
    assert held(shop) == {"A > B": (12, 12 * 999_999_999_999, 0)}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite always looks ids up")
def test_many_paths_are_added_up_in_time_when_the_database_knows_how_many_there_are(
    import_rows: Importer, shop: Workspace
) -> None:
    batch = import_rows("paths", HEADER + "".join(f"{path},1,,\n" for path in distinct_paths(40_000)))
    again = PathCount.objects.filter(batch=batch).order_by("pk").first()
    assert again is not None
    again.pk = None
    again.shadowed = True
    again.save()
    PathCount.objects.filter(batch=batch).update(shadowed=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE marketing_pathcount")
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute("SET LOCAL hash_mem_multiplier = 1")
        cursor.execute("SET LOCAL statement_timeout = '10s'")

    add_up_paths(batch)

    assert PathCount.objects.count() == 40_000
    assert list(PathCount.objects.filter(file_rows=2).values_list("conversions", flat=True)) == [2]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite always looks rows up by their key")
def test_many_paths_are_undone_in_time_before_the_database_knows_of_them(
    import_rows: Importer, shop: Workspace
) -> None:
    rows = "".join(f"{path},{{}},,\n" for path in distinct_paths(20_000))
    import_rows("paths", HEADER + rows.replace("{}", "1"))
    newer = import_rows("paths", HEADER + rows.replace("{}", "2"))
    PathCount.objects.update(shadowed=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE marketing_pathcount")  # no row holds so far
        cursor.execute("SET LOCAL statement_timeout = '5s'")
    PathCount.objects.filter(batch=newer).update(shadowed=False)

    undo_imports(workspace=shop, imports=[newer], by=None)

    assert PathCount.objects.filter(shadowed=False, conversions=1).count() == 20_000


def distinct_paths(count: int) -> list[str]:
    """Different paths of three channels out of 100."""
    return [f"C{n % 100} > C{n // 100 % 100} > C{n // 10_000}" for n in range(count)]


def test_repeats_are_told_by_what_channels_are_called_now(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", HEADER + "Mail,1,,\n")
    rename_channel(channel=shop.channels.get(), name="Email", by=None)

    batch = import_rows("paths", HEADER + "Email > TV,1,,\nTV > Mail,1,,\nmail > tv,2,,\n")

    assert batch.warnings == [
        "1 row has a path in “path” that an earlier row of the file has: their counts are added up (row 4)."
    ]
    assert held(shop) == {"Email": (1, 0, 0), "Email > TV": (3, 0, 0), "TV > Email": (1, 0, 0)}


def test_a_rejected_row_is_no_earlier_one(import_rows: Importer) -> None:
    batch = import_rows("paths", DATED + "2026-01-01,A,-1,\n2026-01-01,A,1,\n2026-02-30,A,1,\n")

    assert batch.warnings == []


def test_a_path_of_another_day_or_of_none_is_another(import_rows: Importer, shop: Workspace) -> None:
    batch = import_rows("paths", DATED + "2026-01-01,A,1,\n2026-02-01,A,2,\n,A,4,\n")

    assert batch.warnings == ["1 row has no day in “date”: it counts in every period (row 4)."]
    assert PathCount.objects.count() == 3
    assert held(shop) == {"A": (7, 0, 0)}


def test_the_newest_file_holds_for_the_paths_that_it_names(import_rows: Importer, shop: Workspace) -> None:
    first = import_rows("paths", HEADER + "A > B,1,10,5\nB > A,1,10,5\nC,1,10,5\n")
    version = DatasetVersion.objects.get(workspace=shop, dataset=Dataset.PATHS).digest

    second = import_rows("paths", HEADER + "a > b,9,90,45\nC,1,10.00,5\nD,1,,\n")

    assert counts(second) == (2, 0, 1)  # that of C says nothing new
    restated = {"A > B": (9, 90, 45), "B > A": (1, 10, 5), "C": (1, 10, 5), "D": (1, 0, 0)}
    assert held(shop) == restated

    undo_imports(workspace=shop, imports=[second], by=None)

    assert held(shop) == {"A > B": (1, 10, 5), "B > A": (1, 10, 5), "C": (1, 10, 5)}
    assert DatasetVersion.objects.get(workspace=shop, dataset=Dataset.PATHS).digest == version
    undo_imports(workspace=shop, imports=[first], by=None)
    assert held(shop) == {}


def test_a_restated_row_holds_as_a_whole(import_rows: Importer, shop: Workspace) -> None:
    import_rows("paths", HEADER + "A,1,10,5\n")
    import_rows("paths", "path,conversions\nA,2\n")

    assert held(shop) == {"A": (2, 0, 0)}


def test_the_same_file_again_is_all_duplicates(import_rows: Importer, shop: Workspace) -> None:
    rows = HEADER + "A > B,1,0.1,2\nA > B,1,0.2,2\nB,1,,\n"
    import_rows("paths", rows)

    assert counts(import_rows("paths", rows)) == (0, 0, 3)
    assert held(shop) == {"A > B": (2, 0.3, 4), "B": (1, 0, 0)}


def test_the_database_refuses_a_path_that_holds_twice_and_negative_counts(import_rows: Importer) -> None:
    for _ in range(2):
        import_rows("paths", HEADER + "A,1,,\n")

    with pytest.raises(IntegrityError), transaction.atomic():
        PathCount.objects.update(shadowed=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        PathCount.objects.update(nulls=-1)


def test_rows_and_channels_go_with_an_import_that_is_undone(import_rows: Importer, shop: Workspace) -> None:
    kept = import_rows("paths", HEADER + "A > B,1,,\n")
    undone = import_rows("paths", HEADER + "B > C,1,,\n")

    undo_imports(workspace=shop, imports=[undone], by=None)
    while imports_to_clear().exists():
        sweep_ended_imports()

    assert set(shop.channels.values_list("name", flat=True)) == {"A", "B"}
    assert set(PathChannel.objects.values_list("batch", "channel__name")) == {(kept.pk, "A"), (kept.pk, "B")}
    assert PathCount.objects.count() == 1


def test_a_channel_that_later_paths_say_stays_when_the_import_that_brought_it_is_undone(
    import_rows: Importer, shop: Workspace
) -> None:
    undone = import_rows("spend", "date,channel,spend\n2026-01-01,TV,5\n2026-01-01,Radio,5\n")
    import_rows("paths", HEADER + "TV > Email,1,,\n")

    undo_imports(workspace=shop, imports=[undone], by=None)
    while imports_to_clear().exists():
        sweep_ended_imports()

    assert set(shop.channels.values_list("name", flat=True)) == {"TV", "Email"}


def test_an_interrupted_import_starts_anew(
    queue_import: Importer, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.execution import execute
    from marketing.importing import actions

    def fail(_batch: Import) -> None:
        raise RuntimeError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "add_up_paths", fail)
        execute(job_id=queue_import("paths", HEADER + "A > B,1,,\n").job_id)
    assert held(shop) == {}

    execute(job_id=queue_import("paths", HEADER + "A > C,1,,\n").job_id)

    assert held(shop) == {"A > C": (1, 0, 0)}
    assert PathCount.objects.count() == 1
    assert set(shop.channels.values_list("name", flat=True)) == {"A", "C"}
