"""What the page says about a result, from results written out by hand."""

from collections.abc import Mapping
from typing import Any

import pytest

from accounts.models import Workspace
from analyses.models import Run
from attribution.presenters import AttributionResult, describe, present
from marketing.models import Channel

PARAMS = {
    "model": ["last"],
    "goal": "Purchase",
    "metric": "revenue",
    "window_days": 30,
    "start": "2026-03-01",
    "end": "2026-03-31",
    "dimension": "channel",
}
Credit = Mapping[str, tuple[float, float]]
LAST: Credit = {"Email": (2.0, 50.0), "Search": (1.0, 250.0), "Display": (0.0, 0.0), "(none)": (1.0, 100.0)}
FIRST: Credit = {"Email": (0.5, 300.0), "Search": (1.5, 0.0), "Display": (1.0, 0.0), "(none)": (1.0, 100.0)}


def shown(
    workspace: Workspace,
    *,
    credit: Mapping[str, Credit] | None = None,
    totals: tuple[float, float] = (4, 400.0),
    without_touch: int = 1,
    differences: tuple[float, float] = (0.0, 5.7e-14),
    **params: object,
) -> AttributionResult:
    """Present a finished run with this credit: model -> group -> (conversions, value)."""
    credit = credit or {"last": LAST}
    asked: dict[str, Any] = PARAMS | {"model": list(credit)} | params
    dimension = asked["dimension"]
    result = {
        "totals": {"conversions": totals[0], "value": totals[1]},
        "models": {
            model: {
                f"{dimension}s": [
                    {dimension: name, "conversions": conversions, "value": value}
                    for name, (conversions, value) in groups.items()
                ]
            }
            for model, groups in credit.items()
        },
        "reconciliation": {
            "ok": True,
            "largest_difference_conversions": differences[0],
            "largest_difference_value": differences[1],
            "conversions_without_touch": without_touch,
        },
    }
    return present(Run(workspace=workspace, kind="attribution", params=asked, result=result))


def texts(result: AttributionResult) -> dict[str, list[str]]:
    return {row.label: [figure.text for figure in row.figures] for row in result.table}


def test_the_headline_names_the_leader_and_its_share(shop: Workspace) -> None:
    assert shown(shop).headline == "Search gets 62.5% of Purchase revenue under Last Touch."
    by_conversions = shown(shop, metric="conversions")
    assert by_conversions.headline == "Email gets 50.0% of Purchase conversions under Last Touch."


def test_the_first_model_chooses_leader_and_order(shop: Workspace) -> None:
    result = shown(shop, credit={"first": FIRST, "last": LAST})
    assert result.headline == "Email gets 75.0% of Purchase revenue under First Touch."
    for panel in result.panels:
        assert [bar.label for bar in panel.bars] == ["Email", "Display", "Search", "(none)"]


def test_none_comes_last_even_if_it_is_the_largest(shop: Workspace) -> None:
    credit = {"Email": (1.0, 10.0), "(none)": (3.0, 390.0)}
    assert [row.label for row in shown(shop, credit={"last": credit}).table] == ["Email", "(none)", "Total"]


def test_two_groups_of_one_name_keep_their_own_numbers(shop: Workspace) -> None:
    run = Run(workspace=shop, kind="attribution", params=PARAMS | {"dimension": "campaign"})
    names = ["(none)", "(not set)", "(not set)", "(none)"]
    campaigns = [{"campaign": name, "conversions": 1.0, "value": 10.0 * n} for n, name in enumerate(names)]
    run.result = {
        "totals": {"conversions": 4, "value": 60.0},
        "models": {"last": {"campaigns": campaigns}},
        "reconciliation": {
            "largest_difference_conversions": 0.0,
            "largest_difference_value": 0.0,
            "conversions_without_touch": 1,
        },
    }
    assert [(row.label, row.figures[1].text) for row in present(run).table] == [
        ("(not set)", "€20"),
        ("(not set)", "€10"),
        ("(none)", "€0"),
        ("(none)", "€30"),
        ("Total", "€60"),
    ]


def test_many_groups_are_folded_and_still_add_up(shop: Workspace) -> None:
    credit = {f"Channel {n:03}": (1.0, 1.0 + n) for n in range(200)} | {"(none)": (1.0, 5.0)}
    total = sum(value for _, value in credit.values())
    result = shown(shop, credit={"last": credit}, totals=(201, total))
    *rows, whole = result.table
    assert [row.label for row in rows[-3:]] == ["Channel 101", "101 others", "(none)"]
    assert len(rows) == 101
    amounts = [float(row.figures[1].full.removeprefix("€").replace(",", "")) for row in rows]
    assert sum(amounts) == total == float(whole.figures[1].full.removeprefix("€").replace(",", ""))
    assert [bar.label for bar in result.panels[0].bars][-3:] == ["Channel 189", "189 others", "(none)"]
    assert max(bar.percent for bar in result.panels[0].bars) == 100


def test_equal_credit_is_ordered_by_name(shop: Workspace) -> None:
    result = shown(shop, credit={"last": {"b": (1.0, 1.0), "c": (1.0, 1.0), "a": (1.0, 1.0), "(none)": (0.0, 0.0)}})
    assert [row.label for row in result.table] == ["a", "b", "c", "(none)", "Total"]


def test_one_model_shows_conversions_revenue_and_share(shop: Workspace) -> None:
    result = shown(shop)
    assert result.columns == ["Conversions", "Revenue", "Share of revenue"]
    assert texts(result) == {
        "Search": ["1", "€250", "62.5%"],
        "Email": ["2", "€50", "12.5%"],
        "Display": ["0", "€0", "0.0%"],
        "(none)": ["1", "€100", "25.0%"],
        "Total": ["4", "€400", "100.0%"],
    }


def test_the_share_is_of_the_chosen_metric(shop: Workspace) -> None:
    result = shown(shop, metric="conversions")
    assert result.columns[-1] == "Share of conversions"
    assert texts(result)["Email"] == ["2", "€50", "50.0%"]


def test_several_models_stand_side_by_side_in_the_chosen_metric(shop: Workspace) -> None:
    result = shown(shop, credit={"last": LAST, "first": FIRST}, metric="conversions")
    assert result.columns == ["Last Touch", "First Touch"]
    assert texts(result) == {
        "Email": ["2", "0.5"],
        "Search": ["1", "1.5"],
        "Display": ["0", "1"],
        "(none)": ["1", "1"],
        "Total": ["4", "4"],
    }


def test_only_the_total_is_a_total(shop: Workspace) -> None:
    for credit in ({"last": LAST}, {"last": LAST, "first": FIRST}):
        assert [row.label for row in shown(shop, credit=credit).table if row.is_total] == ["Total"]


def test_a_rounded_figure_is_given_in_full_beside_it(shop: Workspace) -> None:
    result = shown(shop, credit={"last": {"Email": (1.2345, 12.345), "(none)": (0.0, 0.0)}}, totals=(1.2345, 12.345))
    conversions, value, share = result.table[0].figures
    assert (conversions.text, conversions.full) == ("1.2", "1.23")
    assert (value.text, value.full) == ("€12", "€12.34")
    assert (share.text, share.full) == ("100.0%", "100.000000%")


def test_money_is_in_the_workspaces_currency(shop: Workspace) -> None:
    shop.currency = "JPY"
    assert texts(shown(shop))["Search"][1] == "¥250"


def test_bars_share_one_scale_over_all_models(shop: Workspace) -> None:
    last, first = shown(shop, credit={"last": LAST, "first": FIRST}).panels
    assert [bar.percent for bar in last.bars] == [83.33, 16.67, 0.0, 33.33]
    assert [bar.percent for bar in first.bars] == [0.0, 100.0, 0.0, 33.33]
    assert [bar.share for bar in first.bars] == ["0.0%", "75.0%", "0.0%", "25.0%"]


def test_panels_say_what_their_model_does(shop: Workspace) -> None:
    (panel,) = shown(shop).panels
    assert (panel.label, panel.rule) == (
        "Last Touch",
        "All credit goes to the last touch before the conversion.",
    )


def test_a_channel_keeps_its_own_colour(shop: Workspace) -> None:
    for name, slot in (("Email", 0), ("Search", 7), ("Display", 8)):
        Channel.objects.create(workspace=shop, name=name, colour_slot=slot)
    (panel,) = shown(shop).panels
    assert {bar.label: bar.colour for bar in panel.bars} == {
        "Email": "1",
        "Search": "8",
        "Display": "other",
        "(none)": "other",
    }


def test_campaigns_have_no_colours_of_channels(shop: Workspace) -> None:
    Channel.objects.create(workspace=shop, name="Email", colour_slot=0)
    result = shown(shop, dimension="campaign")
    assert result.dimension_label == "Campaign"
    assert {bar.colour for bar in result.panels[0].bars} == {"other"}


def test_without_any_touch_the_headline_says_so(shop: Workspace) -> None:
    result = shown(shop, credit={"last": {"(none)": (4.0, 400.0)}}, without_touch=4)
    assert result.headline == (
        "No channel gets credit: no touch precedes these conversions within the lookback window."
    )
    assert texts(result)["(none)"] == ["4", "€400", "100.0%"]
    assert result.panels[0].bars[0].percent == 100.0


def test_conversions_without_value_are_said_to_have_none(shop: Workspace) -> None:
    worthless = {"Email": (3.0, 0.0), "(none)": (1.0, 0.0)}
    result = shown(shop, credit={"last": worthless}, totals=(4, 0.0))
    assert result.headline == "There is no Purchase revenue to credit: the 4 conversions of this period carry no value."
    assert texts(result)["Total"] == ["4", "€0", "0.0%"]
    assert [bar.percent for bar in result.panels[0].bars] == [0.0, 0.0]
    by_conversions = shown(shop, credit={"last": worthless}, totals=(4, 0.0), metric="conversions")
    assert by_conversions.headline == "Email gets 75.0% of Purchase conversions under Last Touch."


def test_the_reconciliation_names_totals_and_the_largest_difference(shop: Workspace) -> None:
    assert shown(shop).reconciliation == (
        "Credit adds up under every model: 4 conversions and €400.00, with a largest rounding difference of 5.7e-14."
    )
    exact = shown(shop, totals=(1, 400.0), differences=(0.0, 0.0))
    assert exact.reconciliation == "Credit adds up under every model: 1 conversion and €400.00, to the last digit."


@pytest.mark.parametrize(
    ("untouched", "sentence"),
    [
        (0, ""),
        (1, "Without a touch in the 30 days before: 1 conversion (25.0%), in the row “(none)”."),
        (3, "Without a touch in the 30 days before: 3 conversions (75.0%), in the row “(none)”."),
    ],
)
def test_conversions_without_a_touch_are_counted(shop: Workspace, untouched: int, sentence: str) -> None:
    assert shown(shop, without_touch=untouched).without_touch == sentence


def test_a_question_is_described_in_a_line() -> None:
    assert describe(PARAMS | {"model": ["last", "linear"]}) == (
        "Last Touch, Linear · Purchase revenue · 1–31 Mar 2026 · 30-day window · by channel"
    )
