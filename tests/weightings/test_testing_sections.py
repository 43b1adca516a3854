"""What to test next, as a section of a run's document: its ranking, its sentences, and when nothing is said."""

from typing import Any

import numpy as np
import pytest

from accounts.models import Workspace
from analyses.documents import Section
from tests.factories import WorkspaceFactory
from tests.weightings.results import a_check, around, finished
from weightings.methods.quantities import Quantities, Window
from weightings.presentation.results import Result
from weightings.presentation.testing_sections import (
    MEANING,
    NO_TEST,
    first_to_test,
    precision_needed,
    withheld,
    worth_testing,
)

SPACE = "\N{NO-BREAK SPACE}"


def worth(channel: str, value: float, *, spend: float, low: float, high: float, moves: float) -> dict[str, Any]:
    return {
        "channel": channel,
        "value": value,
        "spend": spend,
        "spend_low": low,
        "spend_high": high,
        "moves": moves,
    }


FIRST = worth("TV", 900.0, spend=3600.0, low=2800.0, high=4200.0, moves=450.0)
SECOND = worth("Search", 500.0, spend=1400.0, low=1300.0, high=2200.0, moves=100.0)
UNMOVED = worth("Search", 0.0, spend=1400.0, low=1400.0, high=1400.0, moves=0.0)


def result_of(*ranked: dict[str, Any], budget_problem: str = "", **how: Any) -> Result:
    more = {"worth_testing": list(ranked), "budget_problem": budget_problem}
    return Result(finished(how.pop("workspace"), result=more | how.pop("result", {}), **how))


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return workspace


def only(sections: tuple[Section, ...]) -> Section:
    (section,) = sections
    return section


def test_the_first_is_named_with_what_it_would_change(shop: Workspace) -> None:
    section = only(worth_testing(result_of(FIRST, SECOND, workspace=shop)))
    assert section.title == "What to test next"
    assert section.sentences[0] == (
        "Knowing what TV adds would be worth about €900 over these 12 weeks (5 Jan – 29 Mar 2026): its recommended "
        "budget would move between €2,800 and €4,200. Not knowing, it is €3,600."
    )
    assert section.sentences[1] == "Search is worth more than half as much."
    assert section.sentences[-1] == MEANING
    (chart,) = section.charts
    assert chart.title == "TV is what a test would tell most about"
    (table,) = section.tables
    assert [row.label for row in table.rows] == ["TV", "Search"]
    values = [[figure.value for figure in row.cells] for row in table.rows]
    assert values == [[900.0, 3600.0, 450.0, 0.5], [500.0, 1400.0, 100.0, 2.0]]
    budgets = table.rows[0].cells[1]
    assert (budgets.low, budgets.high) == (2800.0, 4200.0)


def test_the_chart_says_what_the_table_says(shop: Workspace) -> None:
    section = only(worth_testing(result_of(FIRST, SECOND, workspace=shop)))
    (chart,) = section.charts
    cells = [cell.value for _category, cells in chart.panels[0].table().rows for cell in cells]
    assert cells == [row.cells[0].value for row in section.tables[0].rows]


def test_channels_whose_budget_stays_whatever_is_learnt(shop: Workspace) -> None:
    section = only(worth_testing(result_of(FIRST, UNMOVED, workspace=shop)))
    assert "Whatever a test of Search said, its recommended budget would stay." in section.sentences


@pytest.mark.parametrize("first", [UNMOVED, FIRST | {"value": 4.0}], ids=["unmoved", "worth next to nothing"])
def test_where_knowledge_changes_nothing_no_test_is_proposed(shop: Workspace, first: dict[str, Any]) -> None:
    result = result_of(first, UNMOVED, workspace=shop)
    section = only(worth_testing(result))
    assert section.sentences[0] == NO_TEST
    assert not section.charts
    assert first_to_test(result) is None


def test_of_an_outcome_not_in_money_worth_is_in_its_unit(shop: Workspace) -> None:
    section = only(worth_testing(result_of(FIRST | {"value": 25_300.0}, workspace=shop, is_money=False)))
    assert f"worth about 25.3{SPACE}k of Sales over these 12 weeks" in section.sentences[0]
    assert section.charts[0].panels[0].axis.title == "Worth, Sales"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"converged": False}, "The model has not converged, so no test is recommended from it."),
        ({"checks": [a_check("VIF", 12.0, 5.0, "fail", "TV")]}, "The model fails checks, so no test is recommended"),
    ],
)
def test_a_result_not_to_be_acted_on_proposes_nothing(shop: Workspace, how: dict[str, Any], reason: str) -> None:
    result = result_of(FIRST, SECOND, workspace=shop, **how)
    section = only(worth_testing(result))
    assert section.sentences[0].startswith(reason)
    assert not section.charts
    assert not section.tables
    assert first_to_test(result) is None
    assert precision_needed(result, quantities()) == ()


def test_where_no_budget_can_be_found_the_reason_is_given(shop: Workspace) -> None:
    result = result_of(workspace=shop, budget_problem="Two channels are needed.")
    assert only(worth_testing(result)).sentences == ("Two channels are needed.",)


def test_earlier_versions_said_nothing_of_tests(shop: Workspace) -> None:
    run = finished(shop)
    assert run.result is not None
    run.result.pop("worth_testing", None)
    result = Result(run)
    assert worth_testing(result) == ()
    assert "made by an earlier version" in withheld(result)


def quantities() -> Quantities:
    """Twelve weeks in which 4,800 were spent on TV, whose return is 1, 2 or 3, equally often."""
    returns = np.repeat([[1.0, 0.5], [2.0, 0.5], [3.0, 0.5]], 200, axis=0)
    spend = np.array([4800.0, 1200.0])
    nothing = np.zeros_like(returns)
    return Quantities(
        window=Window(0, 12),
        media=("TV", "Search"),
        expected=np.full(600, 20_000.0),
        baseline=np.full(600, 15_000.0),
        contribution=nothing,
        incremental=returns * spend,
        carry_over=nothing,
        marginal=nothing,
        spend=spend,
        exposure=spend,
    )


def test_how_precise_a_test_has_to_be(shop: Workspace) -> None:
    """400 a week, a standard deviation of the return of 0.8172 (the root of 2/3, of 600 draws): over four weeks
    1,600 x 0.8172 / 1.7321 = 754.9. The outcome deviates by 100 in a week, so by 200 in four."""
    section = only(precision_needed(result_of(FIRST, SECOND, workspace=shop), quantities()))
    (table,) = section.tables
    assert [row.label for row in table.rows] == ["2 weeks", "4 weeks", "8 weeks"]
    four = [figure.value for figure in table.rows[1].cells]
    error = 1600 * np.sqrt(2 / 3 * 600 / 599) / np.sqrt(3)
    assert four == pytest.approx([1600.0, 3200.0, error, 200.0])
    lift = table.rows[1].cells[1]
    assert (lift.low, lift.high) == pytest.approx((1600.0, 4800.0))
    assert "has to know its lift to a standard error of €755 or less, 23.6% of the lift" in section.sentences[0]
    assert section.sentences[1].startswith("Over 2 weeks Sales varies by less than what is needed")


def test_an_outcome_that_varies_too_much_needs_groups(shop: Workspace) -> None:
    noisy = {"fit": {"r2": 0.9, "wmape": 0.05, "mae": 800.0, "rmse": 1000.0, "coverage": 0.9}}
    section = only(precision_needed(result_of(FIRST, SECOND, workspace=shop, result=noisy), quantities()))
    assert "cannot tell. Hold it back from a part of the people or geos" in section.sentences[1]


def test_a_channel_that_the_draws_do_not_have_needs_nothing(shop: Workspace) -> None:
    elsewhere = FIRST | {"channel": "Radio"}
    assert precision_needed(result_of(elsewhere, workspace=shop), quantities()) == ()
    certain = quantities()
    certain.incremental[:] = 2.0 * certain.spend
    assert precision_needed(result_of(FIRST, workspace=shop), certain) == ()


def test_workspaces_in_other_currencies_are_told_in_theirs(db: None) -> None:
    shop = WorkspaceFactory.create(currency="CHF")
    result = result_of(FIRST, SECOND, workspace=shop, result={"paid_media": {"roi": around(1.0)}})
    assert f"CHF{SPACE}900" in only(worth_testing(result)).sentences[0]
