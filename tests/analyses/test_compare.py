"""Two runs side by side: what differs in settings and data, and their numbers."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from analyses import registry
from analyses.comparison import DASH, TableOfCells, differences, side_by_side
from analyses.documents import Section
from analyses.models import Run
from tests.analyses.conftest import Ask, Sums, carry_out

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/runs/compare/"


def address(*run_ids: object) -> str:
    return f"{PAGE}?{'&'.join(f'run={run_id}' for run_id in run_ids)}"


@pytest.fixture
def pair(ask: Ask) -> tuple[Run, Run]:
    return carry_out(ask(terms=[1])), carry_out(ask(terms=[2]))


def test_comparing_is_for_members(pair: tuple[Run, Run], client_for: ClientFor, viewer: User, outsider: User) -> None:
    url = address(*(run.pk for run in pair))
    assert client_for(viewer).get(url).status_code == 200
    assert client_for(outsider).get(url).status_code == 404
    assert client_for(None).get(url).status_code == 302
    assert client_for(viewer).post(url).status_code == 405


def test_runs_of_another_workspace_are_not_found(
    pair: tuple[Run, Run], client_for: ClientFor, viewer: User, outsider: User
) -> None:
    one, other = pair
    assert client_for(outsider).get(address(one.pk, other.pk).replace("acme", "elsewhere")).status_code == 404
    assert client_for(viewer).get(address(one.pk, uuid.uuid4())).status_code == 404


def test_the_earlier_run_is_a_whatever_the_order(pair: tuple[Run, Run], client_for: ClientFor, viewer: User) -> None:
    for ids in ((run.pk for run in pair), (run.pk for run in reversed(pair))):
        comparison = client_for(viewer).get(address(*ids)).context["comparison"]
        assert (comparison.earlier.run, comparison.later.run) == pair


def test_runs_with_other_settings_come_with_a_warning(
    pair: tuple[Run, Run], client_for: ClientFor, viewer: User
) -> None:
    response = client_for(viewer).get(address(*(run.pk for run in pair)))
    assert "their numbers answer different questions" in response.text
    (difference,) = response.context["comparison"].settings
    assert (difference.setting, difference.earlier, difference.later) == ("Terms", "1.0", "2.0")
    assert response.context["comparison"].origins == []
    for run in pair:
        assert f'href="/w/acme/runs/{run.pk}/"' in response.text


def test_runs_of_one_question_differ_in_their_data_or_method(
    ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = carry_out(ask())
    sums.version = "v2"
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(method_version="2")})
    later = carry_out(ask())
    response = client_for(viewer).get(address(earlier.pk, later.pk))
    assert "Both runs ask the same question; what changed is where the numbers come from." in response.text
    origins = response.context["comparison"].origins
    assert [(one.setting, one.earlier, one.later) for one in origins] == [
        ("Data version", "v1", "v2"),
        ("Method version", "1", "2"),
    ]


def test_the_numbers_stand_side_by_side(
    pair: tuple[Run, Run], sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(run: Run) -> list[tuple[object, ...]]:
        assert run.result is not None
        return [("name", "sum"), ("all", run.result["sum"])]

    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(rows=rows)})
    table = client_for(viewer).get(address(*(run.pk for run in pair))).context["comparison"].table
    assert table.columns == ("Name", "Sum, A", "Sum, B", "Sum, B − A", "Sum, change")
    assert [(row.label, [cell.text for cell in row.cells]) for row in table.rows] == [
        ("all", ["1", "2", "+1", "+100.0%"])
    ]


def test_what_the_kind_says_of_both_stands_above_the_numbers(
    pair: tuple[Run, Run], sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(earlier: Run, later: Run) -> list[Section]:
        terms = (run.params["terms"] for run in (earlier, later))
        return [Section(title="Terms", sentences=("From {} to {}.".format(*terms),))]

    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(compare=compare)})
    text = client_for(viewer).get(address(*(run.pk for run in reversed(pair)))).text
    assert "From [1.0] to [2.0]." in text
    assert text.index(">Terms</h2>") < text.index("Numbers side by side")


def test_what_cannot_be_compared_is_said(
    pair: tuple[Run, Run], ask: Ask, sums: Sums, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    client = client_for(viewer)

    def problem(*ids: object) -> str:
        response = client.get(address(*ids))
        assert response.status_code == 200
        assert "comparison" not in response.context
        said: str = response.context["problem"]
        assert said in response.text
        return said

    assert problem() == problem(one.pk) == problem(one.pk, one.pk) == problem(one.pk, other.pk, uuid.uuid4())
    assert problem() == "Choose two finished runs in the history to compare them."
    assert problem("x", one.pk).startswith("The address does not name runs.")
    assert problem(one.pk, ask(terms=[3]).pk).startswith("A run that has no result cannot be compared.")
    Run.objects.filter(pk=other.pk).update(kind="products")
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(), "products": sums.kind(name="products")})
    assert problem(one.pk, other.pk).startswith("Runs of different kinds have nothing to compare.")


def test_larger_results_need_no_more_queries(
    pair: tuple[Run, Run], sums: Sums, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client = client_for(viewer)
    url = address(*(run.pk for run in pair))
    with django_assert_max_num_queries(12) as small:
        client.get(url)
    sums.rows += [(f"row {n}", n) for n in range(100)]
    with django_assert_max_num_queries(len(small)):
        assert "row 99" in client.get(url).text


def test_tables_are_joined_on_their_texts() -> None:
    header = ("model", "channel", "conversions", "value")
    earlier: TableOfCells = [
        header,
        ("last", "Email", 4.0, 10),
        ("last", "Search", 0.0, 3),
        ("last", "Radio", 1.0, None),
    ]
    later: TableOfCells = [
        header,
        ("last", "Search", 2.0, 3),
        ("last", "Email", 3.0, 10),
        ("last", "Video", 0.1 + 0.2, 5),
    ]
    table = side_by_side(earlier, later)
    assert table is not None
    assert table.columns[:5] == (
        "Model · Channel",
        "Conversions, A",
        "Conversions, B",
        "Conversions, B − A",
        "Conversions, change",
    )
    assert {row.label: [cell.text for cell in row.cells] for row in table.rows} == {
        "last · Email": ["4", "3", "−1", "−25.0%", "10", "10", "0", "0.0%"],
        "last · Search": ["0", "2", "+2", DASH, "3", "3", "0", "0.0%"],
        "last · Radio": ["1", DASH, DASH, DASH, DASH, DASH, DASH, DASH],
        "last · Video": [DASH, "0.3", DASH, DASH, DASH, "5", DASH, DASH],
    }
    assert table.rows[3].cells[1].full == "0.30000000000000004"


def test_a_text_that_only_tells_the_sides_apart_does_not_keep_their_rows_apart() -> None:
    header = ("model", "channel", "value")
    earlier: TableOfCells = [header, ("last", "Email", 1), ("last", "Search", 2)]
    later: TableOfCells = [header, ("linear", "Email", 3), ("linear", "Video", 4)]
    table = side_by_side(earlier, later)
    assert table is not None
    assert table.columns[0] == "Channel"
    assert [(row.label, row.cells[0].value, row.cells[1].value) for row in table.rows] == [
        ("Email", 1, 3),
        ("Search", 2, None),
        ("Video", None, 4),
    ]


def test_a_single_row_keeps_its_name() -> None:
    table = side_by_side([("name", "n"), ("before", 1)], [("name", "n"), ("after", 2)])
    assert table is not None
    assert [row.label for row in table.rows] == ["before", "after"]


def test_texts_that_repeat_are_joined_by_their_order() -> None:
    earlier: TableOfCells = [("campaign", "n"), ("(not set)", 1), ("(not set)", 2)]
    later: TableOfCells = [("campaign", "n"), ("(not set)", 10), ("(not set)", 20), ("(not set)", 30)]
    table = side_by_side(earlier, later)
    assert table is not None
    assert [[cell.text for cell in row.cells[:2]] for row in table.rows] == [["1", "10"], ["2", "20"], [DASH, "30"]]


def test_tables_of_other_columns_are_not_joined() -> None:
    assert side_by_side([("channel", "n"), ("Email", 1)], [("campaign", "n"), ("Spring", 1)]) is None


def test_rows_without_texts_are_joined_by_their_place() -> None:
    table = side_by_side([("n",), (1,), (2,)], [("n",), (3,), (4,)])
    assert table is not None
    assert [(row.label, row.cells[2].value) for row in table.rows] == [("1", 2), ("2", 2)]


def test_of_very_many_rows_the_first_are_shown_and_the_rest_counted() -> None:
    rows: TableOfCells = [("name", "n"), *((f"row {n}", n) for n in range(600))]
    table = side_by_side(rows, rows)
    assert table is not None
    assert (len(table.rows), table.note) == (500, "The first 500 of 600 rows.")


def test_a_setting_of_one_side_alone_is_a_difference() -> None:
    (same, other) = ({"Period": "May", "Models": "Linear"}, {"Period": "May", "Seed": "1"})
    assert [(one.setting, one.earlier, one.later) for one in differences(same, other)] == [
        ("Models", "Linear", DASH),
        ("Seed", DASH, "1"),
    ]


def test_plain_settings_are_said_in_words() -> None:
    params = {"window_days": 7, "models": ["a", "b"], "premium": False, "segment": None}
    assert registry.plain_settings(params) == [
        ("Window days", "7"),
        ("Models", "a, b"),
        ("Premium", "no"),
        ("Segment", DASH),
    ]
