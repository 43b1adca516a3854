"""What is said about a result, from results written out by hand."""

import pytest

from accounts.models import Workspace
from attribution.presentation import presenters
from attribution.presentation.presenters import Credit, describe, settings
from tests.attribution.results import FIRST, LAST, PARAMS, finished


def test_the_headline_names_the_leader_and_its_share(shop: Workspace) -> None:
    assert presenters.headline(Credit(finished(shop))) == "Search gets 62.5% of Purchase revenue under Last Touch."
    by_conversions = Credit(finished(shop, metric="conversions"))
    assert presenters.headline(by_conversions) == "Email gets 50.0% of Purchase conversions under Last Touch."


def test_touches_without_a_campaign_are_no_campaign_of_that_name(shop: Workspace) -> None:
    credit = Credit(
        finished(shop, credit={"last": {"(not set)": (3.0, 300.0), "(none)": (1.0, 100.0)}}, dimension="campaign")
    )
    assert presenters.headline(credit) == ("Touches without a campaign get 75.0% of Purchase revenue under Last Touch.")


def test_the_first_model_chooses_leader_and_order(shop: Workspace) -> None:
    credit = Credit(finished(shop, credit={"first": FIRST, "last": LAST}))
    assert presenters.headline(credit) == "Email gets 75.0% of Purchase revenue under First Touch."
    assert [group.label for group in credit.shown(12)] == ["Email", "Display", "Search", "(none)"]


def test_equal_credit_is_ordered_by_name(shop: Workspace) -> None:
    equal = {"b": (1.0, 1.0), "c": (1.0, 1.0), "a": (1.0, 1.0), "(none)": (0.0, 0.0)}
    credit = Credit(finished(shop, credit={"last": equal}))
    assert [group.label for group in credit.groups] == ["a", "b", "c"]


def test_many_groups_are_folded_and_still_add_up(shop: Workspace) -> None:
    many = {f"Channel {n:03}": (1.0, 1.0 + n) for n in range(200)} | {"(none)": (1.0, 5.0)}
    credit = Credit(finished(shop, credit={"last": many}))
    shown = credit.shown(100)
    assert [group.label for group in shown[-3:]] == ["Channel 101", "101 others", "(none)"]
    assert len(shown) == 101
    assert sum(credit.of(group) for group in shown) == sum(value for _, value in many.values())
    assert [group.is_one for group in shown[-3:]] == [True, False, False]


def test_credit_that_does_not_add_up_is_neither_folded_nor_added_up(shop: Workspace) -> None:
    many = {f"Channel {n:03}": (1.0, 1.0 + n) for n in range(200)} | {"(none)": (1.0, 5.0)}
    credit = Credit(finished(shop, credit={"participation": many}))
    assert [group.label for group in credit.shown(100)[-2:]] == ["Channel 100", "(none)"]
    assert presenters.concentration(credit) == "Purchase revenue by channel"


def test_without_any_touch_the_headline_says_so(shop: Workspace) -> None:
    credit = Credit(finished(shop, credit={"last": {"(none)": (4.0, 400.0)}}, without_touch=4))
    assert presenters.headline(credit) == (
        "No channel gets credit: no touch precedes these conversions within the lookback window."
    )


def test_conversions_without_value_are_said_to_have_none(shop: Workspace) -> None:
    worthless = {"Email": (3.0, 0.0), "(none)": (1.0, 0.0)}
    credit = Credit(finished(shop, credit={"last": worthless}, totals=(4, 0.0)))
    assert presenters.headline(credit) == (
        "There is no Purchase revenue to credit: the 4 conversions of this period carry no value."
    )
    by_conversions = Credit(finished(shop, credit={"last": worthless}, totals=(4, 0.0), metric="conversions"))
    assert presenters.headline(by_conversions) == "Email gets 75.0% of Purchase conversions under Last Touch."


def test_models_are_said_to_differ_where_they_are_furthest_apart(shop: Workspace) -> None:
    credit = Credit(finished(shop, credit={"last": LAST, "first": FIRST}))
    # Email: 50 and 300, apart by 250; Search: 250 and 0, apart by as much, but the first of equals is named.
    assert presenters.disagreement(credit) == (
        "The models differ most on Search: €0 under First Touch, €250 under Last Touch"
    )
    alike = Credit(finished(shop, credit={"last": LAST, "linear": LAST}))
    assert presenters.disagreement(alike) == "Every model credits each channel alike"
    nobody = Credit(finished(shop, credit={"last": {"(none)": (4.0, 400.0)}, "first": {"(none)": (4.0, 400.0)}}))
    assert presenters.disagreement(nobody) == "Under every model no channel gets credit"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (30.0, "€50.00 less than Linear"),
        (80.5, "€0.50 more than Linear"),
        (80.0, "the same as Linear"),
        (80.001, "the same as Linear"),
    ],
)
def test_a_difference_is_said_in_words(shop: Workspace, value: float, words: str) -> None:
    assert presenters.difference(Credit(finished(shop)), value, 80.0, "Linear") == words


def test_of_many_channels_the_three_largest_are_named_together(shop: Workspace) -> None:
    four = {"a": (1.0, 50.0), "b": (1.0, 30.0), "c": (1.0, 10.0), "d": (1.0, 5.0), "(none)": (0.0, 5.0)}
    credit = Credit(finished(shop, credit={"last": four}, totals=(4, 100.0)))
    assert presenters.concentration(credit) == "a, b and c together get 90.0%"
    assert presenters.concentration(Credit(finished(shop))) == "Purchase revenue by channel"


def test_the_reconciliation_names_totals_and_how_exact_they_are(shop: Workspace) -> None:
    assert presenters.reconciliation(Credit(finished(shop))) == (
        "Credit adds up under every model: 4 conversions and €400.00, but for rounding in the last digits."
    )
    exact = Credit(finished(shop, totals=(1, 400.0), differences=(0.0, 0.0)))
    assert presenters.reconciliation(exact) == (
        "Credit adds up under every model: 1 conversion and €400.00, to the last digit."
    )


@pytest.mark.parametrize(
    ("untouched", "sentence"),
    [
        (0, ""),
        (1, "Without a touch in the 30 days before: 1 conversion (25.0%), in the row “(none)”."),
        (3, "Without a touch in the 30 days before: 3 conversions (75.0%), in the row “(none)”."),
    ],
)
def test_conversions_without_a_touch_are_counted(shop: Workspace, untouched: int, sentence: str) -> None:
    assert presenters.without_touch(Credit(finished(shop, without_touch=untouched))) == sentence


def test_a_question_is_described_in_a_line() -> None:
    assert describe(PARAMS | {"model": ["last", "linear"]}) == (
        "Last Touch, Linear · Purchase revenue · 1–31 Mar 2026 · 30-day window · by channel"
    )


def test_a_question_is_a_list_of_settings_too() -> None:
    assert settings(PARAMS | {"window_days": 1}) == [
        ("Models", "Last Touch"),
        ("Metric", "Purchase revenue"),
        ("Attribution window", "1 day"),
        ("Period", "1–31 Mar 2026"),
        ("Credit by", "channel"),
        ("Channel grouping", "the workspace's"),
        ("View-through", "included"),
        ("Segment", "All customers"),
    ]


def test_the_table_for_programs_has_a_row_for_each_model_and_group(shop: Workspace) -> None:
    run = finished(shop, credit={"last": {"Email": (1.0, 0.1 + 0.2), "(none)": (0.0, 0.0)}})
    assert list(presenters.rows(run)) == [
        ("model", "channel", "conversions", "value"),
        ("last", "Email", 1.0, 0.30000000000000004),
        ("last", "(none)", 0.0, 0.0),
    ]
