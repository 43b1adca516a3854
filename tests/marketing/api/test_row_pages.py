"""Pages of rows: each row once, whatever arrives meanwhile; at any depth by an index; and all of them as CSV."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from marketing.api.rows import walking
from marketing.api.rows.filter_sets import FILTERS
from marketing.api.rows.kinds import KINDS
from marketing.api.rows.walking import Place, stream, walk
from marketing.importing.undo import undo_imports
from marketing.models import Dataset, Event, Import
from tests.factories import WorkspaceFactory
from tests.marketing.api.conftest import API, Importer, results
from tests.marketing.api.test_rows import HEADERS
from tests.marketing.batches import add_import

pytestmark = pytest.mark.usefixtures("media_root")
AddEvents = Callable[..., Import]


@pytest.fixture
def add_events(shop: Workspace) -> AddEvents:
    """Make an active import of events that are numbered on; with `hidden`, others of them say the same anew."""
    numbers = itertools.count(1)

    def add(count: int, *, hidden: bool = False, workspace: Workspace = shop) -> Import:
        batch = add_import(workspace, Dataset.EVENTS)
        Event.objects.bulk_create(
            Event(
                batch=batch,
                workspace=workspace,
                name=f"{next(numbers)}",
                start="2026-03-01",
                end="2026-03-01",
                shadowed=hidden,
            )
            for _ in range(count)
        )
        return batch

    return add


def pages(client: Client, path: str, link: str = "next") -> Iterator[list[str]]:
    """The names on each page, following the link."""
    while path:
        page = client.get(path).json()
        yield [row["name"] for row in page["results"]]
        path = page[link]


# --- the order ---


def test_pages_go_through_all_imports_and_back(program: Client, add_events: AddEvents) -> None:
    for count in (3, 1, 0, 7, 2):
        add_events(count)
        add_events(2, hidden=True)
    forth = list(pages(program, f"{API}/events/?page_size=3"))
    shown = [name for page in forth for name in page]
    assert [len(page) for page in forth] == [3, 3, 3, 3, 1]
    assert shown == sorted(shown, key=int, reverse=True)
    last = program.get(f"{API}/events/?page_size=3").json()
    while last["next"]:
        last = program.get(last["next"]).json()
    back = list(pages(program, last["previous"], "previous"))
    assert back == forth[-2::-1]


def test_a_whole_page_is_not_followed_by_an_empty_one(program: Client, add_events: AddEvents) -> None:
    add_events(4)
    assert [len(page) for page in pages(program, f"{API}/events/?page_size=2")] == [2, 2]
    assert program.get(f"{API}/events/?page_size=4").json()["next"] is None


def test_pages_stay_put_while_rows_arrive(program: Client, add_events: AddEvents) -> None:
    add_events(2)
    late = add_events(1)
    Import.objects.filter(pk=late.pk).update(status=Import.Status.LOADING)
    add_events(3)
    first = program.get(f"{API}/events/?page_size=2").json()
    Import.objects.filter(pk=late.pk).update(status=Import.Status.ACTIVE)  # asked for earlier than what has been shown
    add_events(3)
    assert list(pages(program, first["next"])) == [["4", "3"], ["2", "1"]]
    second = program.get(first["next"]).json()
    assert list(pages(program, second["previous"], "previous")) == [["6", "5"], ["8", "7"], ["9"]]


def test_a_place_that_is_gone_is_passed_over(program: Client, shop: Workspace, add_events: AddEvents) -> None:
    add_events(2)
    gone = add_events(3)
    add_events(1)
    page = program.get(f"{API}/events/?page_size=2").json()
    assert [row["name"] for row in page["results"]] == ["6", "5"]
    undo_imports(workspace=shop, imports=[gone], by=None)
    assert [row["name"] for row in program.get(page["next"]).json()["results"]] == ["2", "1"]


def test_an_empty_list_has_no_ends(program: Client) -> None:
    assert program.get(f"{API}/events/").json() == {"next": None, "previous": None, "results": []}


def test_a_page_takes_few_queries_however_many_imports_there_are(
    shop: Workspace, add_events: AddEvents, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_events(1)
    for _ in range(60):
        add_events(1, hidden=True)
    for _ in range(30):
        add_events(1)
    rows, imports = KINDS[Dataset.EVENTS].rows(), Import.objects.filter(workspace=shop)
    with django_assert_max_num_queries(2):
        assert len(walk(rows, imports, most=20)) == 20
    with django_assert_max_num_queries(5):
        found = walk(rows, imports, most=50)
    assert len(found) == 31
    with django_assert_max_num_queries(5):
        assert walk(rows, imports, most=50, beside=Place.of(found[4])) == found[5:]
    with django_assert_max_num_queries(5):
        assert walk(rows, imports, most=50, beside=Place.of(found[4]), backwards=True) == found[3::-1]


def test_all_rows_are_read_piece_by_piece(
    shop: Workspace, add_events: AddEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in (5, 1, 6):
        add_events(count)
    monkeypatch.setattr(walking, "ROWS_AT_ONCE", 4)
    rows, imports = KINDS[Dataset.EVENTS].rows(), Import.objects.filter(workspace=shop)
    pieces = list(stream(rows, imports))
    assert [len(piece) for piece in pieces] == [4, 4, 4]
    assert [row["name"] for piece in pieces for row in piece] == [str(number) for number in range(12, 0, -1)]


# --- by an index ---


def plan(rows: QuerySet[Any, Any]) -> str:
    """How the database finds these rows. PostgreSQL is asked how it could: a small table it would look through."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    return str(rows.explain())


@pytest.mark.parametrize("dataset", KINDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_no_page_is_sorted_or_looked_for_in_the_whole_table(
    shop: Workspace, dataset: Dataset, backwards: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [add_import(shop, dataset).pk for _ in range(3)]
    asked: list[QuerySet[Any, Any]] = []
    ordered = walking._ordered

    def watch(rows: Any, *, backwards: bool) -> Any:
        asked.append(ordered(rows, backwards=backwards)[:51])
        return asked[-1]

    monkeypatch.setattr(walking, "_ordered", watch)
    walk(KINDS[dataset].rows(), Import.objects.all(), most=51, backwards=backwards)
    place = Place(batches[1], 5)
    walk(KINDS[dataset].rows(), Import.objects.all(), most=51, beside=place, backwards=backwards)
    assert len(asked) == 3  # of all imports; of what is left of one; of the one beyond it
    index = f"{KINDS[dataset].model.__name__.lower()}_of_import"
    for rows in asked:
        found = plan(rows)
        assert index in found, found
        assert "TEMP B-TREE" not in found, found
        assert "Sort" not in found, found


@pytest.mark.parametrize("dataset", [Dataset.TOUCHPOINTS, Dataset.CONVERSIONS])
def test_a_customers_rows_are_looked_for_by_the_customer(program: Client, dataset: Dataset) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("It plans this by what the table holds, and here that is nothing.")
    asked = FILTERS[dataset]({"customer_id": "5"}, KINDS[dataset].rows())
    assert asked.is_valid()
    index = {"touchpoints": "touchpoint_natural_key", "conversions": "conversion_customer_time"}[dataset]
    for rows in (asked.qs.filter(batch=1), asked.qs.filter(batch__in=[1, 2, 3])):
        found = plan(rows.order_by("-batch_id", "-pk")[:51])
        assert index in found, found
        assert "SCAN marketing" not in found, found


# --- as CSV ---


def test_a_file_has_the_rows_of_all_pages(program: Client, import_rows: Importer) -> None:
    lines = {
        "touchpoints": "ann,2026-03-01T10:00Z,Email,,,May,open,\nbob,2026-03-02T10:00Z,,google,cpc,,,\n",
        "conversions": "ann,2026-03-01T11:00Z,Purchase,19.99,A-1,\nbob,2026-03-01T11:00Z,,,,false\n",
        "spend": '2026-03-01,"=TV, ""big""",Spring,DE,1234.5,1000,\n2026-03-01,Radio,,,5,,7\n',
        "outcomes": "2026-03-01,Sales,DE,1000.5\n2026-03-02,Sales,,-3\n",
        "controls": "2026-03-01,Price,,-0.5\n",
        "experiments": "TV,2026-02-01,2026-02-28,DE,-5200,900,1700\n",
        "events": "Carnival,2026-02-16,2026-02-17,\n",
        "paths": "2026-03-01,Email > TV,3,120.5,7\n,TV,1,,\n",
    }
    for dataset, text in lines.items():
        import_rows(dataset, HEADERS[dataset] + text)
        answer = program.get(f"{API}/{dataset}/", headers={"Accept": "text/csv"})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"] == f'attachment; filename="{dataset}.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
        listed = [{name: as_text(value) for name, value in row.items()} for row in results(program, f"/{dataset}/")]
        assert rows == [{name: value for name, value in row.items() if name != "steps"} for row in listed]
        assert rows


def as_text(value: object) -> str:
    """A value of JSON as CSV has it: text that a spreadsheet would take for a formula is kept from being one."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith("=") else str(value)


def test_a_file_is_narrowed_like_the_list_and_has_the_fields_asked_for(program: Client, import_rows: Importer) -> None:
    import_rows("spend", HEADERS["spend"] + "2026-03-01,TV,,,1,,\n2026-03-02,Radio,,,2,,\n")
    answer = program.get(f"{API}/spend/?channel=TV&fields=date,spend", headers={"Accept": "text/csv"})
    assert answer.getvalue().decode() == "date,spend\r\n2026-03-01,1.000000\r\n"
    assert results(program, "/spend/?channel=TV&fields=date,spend") == [{"date": "2026-03-01", "spend": "1.000000"}]


def test_a_file_begins_before_all_rows_are_read(
    program: Client, add_events: AddEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_events(9)
    monkeypatch.setattr(walking, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr("mmm_project.tables._ROWS_AT_ONCE", 3)
    answer = program.get(f"{API}/events/", headers={"Accept": "text/csv"})
    pieces = iter(answer.streaming_content)  # type: ignore[attr-defined]
    first = next(pieces).decode()
    Event.objects.filter(name="1").delete()  # seen by what is read later
    rest = b"".join(pieces).decode()
    assert (first.count("\r\n"), rest.count("\r\n")) == (3, 6)


def test_an_empty_file_has_a_header(program: Client) -> None:
    answer = program.get(f"{API}/events/", headers={"Accept": "text/csv"})
    assert answer.getvalue().decode() == "id,import,name,start,end,geo\r\n"


def test_other_workspaces_imports_are_not_walked_through(program: Client, add_events: AddEvents) -> None:
    add_events(2, workspace=WorkspaceFactory.create())
    add_events(1)
    assert [row["name"] for row in results(program, "/events/")] == ["3"]
