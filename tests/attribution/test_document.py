"""An attribution result as a document: its chart and table, from results written out by hand."""

import json
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Workspace
from analyses.documents import DataTable, Document
from attribution.analysis import KIND
from attribution.labels import MODEL_LABELS
from attribution.presentation.comparison import compare, compared_charts
from attribution.presentation.credit_charts import MODEL_COLOURS
from attribution.presentation.document import document
from charts import ChartSpec, Colour, Kind
from marketing.models import Campaign, Channel
from tests.attribution.conftest import Attribute
from tests.attribution.results import FIRST, LAST, PARAMS, a_run, finished
from tests.conftest import ImportRows


def shown(workspace: Workspace, **result: Any) -> Document:
    return document(finished(workspace, **result))


def chart(shown: Document) -> ChartSpec:
    (found,) = shown.sections[0].charts
    assert isinstance(found, ChartSpec)
    return found


def table(shown: Document) -> DataTable:
    (found,) = (table for section in shown.sections for table in section.tables if section.title == "In numbers")
    return found


def texts(shown: Document) -> dict[str, list[str]]:
    return {row.label: [figure.text for figure in row.cells] for row in table(shown).rows}


def marks(shown: Document) -> dict[str, dict[str, str]]:
    """Series -> category -> the mark's text."""
    spec = chart(shown)
    return {
        series.name: {
            category.label: mark.text
            for category, mark in zip(spec.categories, series.marks, strict=True)
            if mark is not None
        }
        for series in spec.series
    }


def test_one_model_is_shown_as_bars_in_the_channels_colours(shop: Workspace) -> None:
    for name, slot in (("Email", 0), ("Search", 7), ("Display", 8)):
        Channel.objects.create(workspace=shop, name=name, colour_slot=slot)
    spec = chart(shown(shop))
    assert (spec.kind, spec.horizontal) == (Kind.BARS, True)
    (series,) = spec.series
    assert {
        category.label: mark.colour for category, mark in zip(spec.categories, series.marks, strict=True) if mark
    } == {
        "Search": Colour.CHANNEL_8,
        "Email": Colour.CHANNEL_1,
        "Display": Colour.OTHER,
        "(none)": Colour.OTHER,
    }
    assert series.marks[0] is not None
    assert series.marks[0].detail == ("€250.00, 62.5% of Purchase revenue",)


def test_several_models_are_shown_as_dots_the_main_one_first(shop: Workspace) -> None:
    result = shown(shop, credit={"last": LAST, "first": FIRST})
    assert chart(result).kind == Kind.DOTS
    assert marks(result) == {
        "Last Touch": {"Search": "€250", "Email": "€50", "Display": "€0", "(none)": "€100"},
        "First Touch": {"Search": "€0", "Email": "€300", "Display": "€0", "(none)": "€100"},
    }


def test_hovering_says_each_models_credit_and_the_difference(shop: Workspace) -> None:
    last, first = chart(shown(shop, credit={"last": LAST, "first": FIRST})).series
    details = [[mark.detail if mark else () for mark in series.marks[:2]] for series in (last, first)]
    assert details == [
        [("€250.00, 62.5% of Purchase revenue",), ("€50.00, 12.5% of Purchase revenue",)],
        [
            ("€0.00, 0.0% of Purchase revenue", "€250.00 less than Last Touch"),
            ("€300.00, 75.0% of Purchase revenue", "€250.00 more than Last Touch"),
        ],
    ]


def test_models_can_be_told_apart(shop: Workspace) -> None:
    assert len(MODEL_COLOURS) >= len(MODEL_LABELS)
    series = chart(shown(shop, credit=dict.fromkeys(MODEL_LABELS, LAST))).series
    assert series[0].colour == Colour.ACCENT
    assert len({one.colour.hex for one in series}) == len(MODEL_LABELS)


@pytest.mark.parametrize("model", [{"last": LAST}, {"last": LAST, "first": FIRST}])
def test_a_mark_leads_to_the_channels_page_with_the_filters_kept(shop: Workspace, model: Any) -> None:
    email = Channel.objects.create(workspace=shop, name="Email", colour_slot=0)
    result = shown(shop, credit=model)
    address = reverse("reports:channel", kwargs={"slug": "acme", "channel_id": email.pk})
    expected = f"{address}?start=2026-03-01&end=2026-03-31&model=last&goal=Purchase"
    for series in chart(result).series:
        assert [mark.href if mark else "" for mark in series.marks] == ["", expected, "", ""]
    assert [row.href for row in table(result).rows] == ["", expected, "", "", ""]


def test_a_campaign_leads_to_its_page_and_has_no_channels_colour(shop: Workspace) -> None:
    Channel.objects.create(workspace=shop, name="Email", colour_slot=0)
    campaigns = {name: Campaign.objects.create(workspace=shop, name=name) for name in ("Email", "(not set)")}
    credit = {"Email": (2.0, 200.0), "(not set)": (1.0, 100.0), "(none)": (1.0, 100.0)}
    spec = chart(shown(shop, credit={"last": credit}, dimension="campaign"))
    assert spec.category_title == "Campaign"
    hrefs = [mark.href for mark in spec.series[0].marks if mark]
    address = reverse("reports:campaign", kwargs={"slug": "acme", "campaign_id": campaigns["Email"].pk})
    assert hrefs[0].startswith(f"{address}?")
    assert hrefs[1:] == ["", ""]  # by its name, “(not set)” may be the campaign or none at all
    assert {mark.colour for mark in spec.series[0].marks if mark} == {Colour.OTHER}


def test_a_channel_of_another_workspace_lends_neither_colour_nor_page(shop: Workspace) -> None:
    elsewhere = Workspace.objects.create(name="Elsewhere", slug="elsewhere")
    Channel.objects.create(workspace=elsewhere, name="Email", colour_slot=0)
    assert {(mark.href, mark.colour) for mark in chart(shown(shop)).series[0].marks if mark} == {("", Colour.OTHER)}


def test_charts_fold_what_is_past_a_dozen(shop: Workspace) -> None:
    many = {f"Channel {n:03}": (1.0, 1.0 + n) for n in range(20)} | {"(none)": (1.0, 5.0)}
    total = sum(value for _, value in many.values())
    result = shown(shop, credit={"last": many}, totals=(21, total))
    spec = chart(result)
    assert [category.label for category in spec.categories][-3:] == ["Channel 009", "9 others", "(none)"]
    assert len(spec.categories) == 13
    assert sum(mark.value for mark in spec.series[0].marks if mark) == total
    assert len(table(result).rows) == 22


def test_a_long_name_is_cut_on_the_axis_alone(shop: Workspace) -> None:
    name = "Spring 2026 retargeting of lapsed customers"
    spec = chart(shown(shop, credit={"last": {name: (3.0, 300.0), "(none)": (1.0, 100.0)}}))
    assert (spec.categories[0].label, spec.categories[0].tick_text) == (name, "Spring 2026 retargeting of …")


def test_one_model_has_conversions_revenue_and_share_in_numbers(shop: Workspace) -> None:
    result = shown(shop)
    assert table(result).columns == ("Channel", "Conversions", "Revenue", "Share of revenue")
    assert texts(result) == {
        "Search": ["1", "€250", "62.5%"],
        "Email": ["2", "€50", "12.5%"],
        "Display": ["0", "€0", "0.0%"],
        "(none)": ["1", "€100", "25.0%"],
        "Total": ["4", "€400", "100.0%"],
    }


def test_the_share_is_of_the_chosen_metric(shop: Workspace) -> None:
    result = shown(shop, metric="conversions")
    assert table(result).columns[-1] == "Share of conversions"
    assert texts(result)["Email"] == ["2", "€50", "50.0%"]


def test_several_models_stand_side_by_side_with_their_differences(shop: Workspace) -> None:
    result = shown(shop, credit={"last": LAST, "first": FIRST}, metric="conversions")
    assert table(result).columns == ("Channel", "Last Touch", "First Touch", "First Touch against Last Touch")
    assert texts(result) == {
        "Email": ["2", "0.5", "−1.5"],
        "Search": ["1", "1.5", "+0.5"],
        "Display": ["0", "1", "+1"],
        "(none)": ["1", "1", "0"],
        "Total": ["4", "4", "0"],
    }


def test_only_the_total_is_a_total(shop: Workspace) -> None:
    for credit in ({"last": LAST}, {"last": LAST, "first": FIRST}):
        assert [row.label for row in table(shown(shop, credit=credit)).rows if row.is_total] == ["Total"]


def test_none_comes_last_even_if_it_is_the_largest(shop: Workspace) -> None:
    credit = {"Email": (1.0, 10.0), "(none)": (3.0, 390.0)}
    assert list(texts(shown(shop, credit={"last": credit}))) == ["Email", "(none)", "Total"]


def test_two_groups_of_one_name_keep_their_own_numbers(shop: Workspace) -> None:
    names = ["(none)", "(not set)", "(not set)", "(none)"]
    campaigns = [(name, 1.0, 10.0 * n) for n, name in enumerate(names)]
    result = document(a_run(shop, PARAMS | {"dimension": "campaign"}, {"last": campaigns}, totals=(4, 60.0)))
    amounts = [("(not set)", "€20"), ("(not set)", "€10"), ("(none)", "€0"), ("(none)", "€30")]
    assert [(row.label, row.cells[1].text) for row in table(result).rows] == [*amounts, ("Total", "€60")]
    spec = chart(result)
    drawn = zip(spec.categories, spec.series[0].marks, strict=True)
    assert [(category.label, mark.text) for category, mark in drawn if mark] == amounts


def test_a_rounded_figure_is_given_in_full_beside_it(shop: Workspace) -> None:
    result = shown(shop, credit={"last": {"Email": (1.2345, 12.345), "(none)": (0.0, 0.0)}}, totals=(1.2345, 12.345))
    conversions, value, share = table(result).rows[0].cells
    assert (conversions.text, conversions.full, conversions.value) == ("1.2", "1.23", 1.2345)
    assert (value.text, value.full, value.value) == ("€12", "€12.34", 12.345)
    assert (share.text, share.full) == ("100.0%", "100.000000%")


def test_money_is_in_the_workspaces_currency(shop: Workspace) -> None:
    shop.currency = "JPY"
    assert texts(shown(shop))["Search"][1] == "¥250"
    assert chart(shown(shop)).axis.title == "Purchase revenue, JPY"


@pytest.mark.parametrize("models", [["last"], ["last", "first"]])
def test_a_result_without_any_touch_or_value_can_be_shown(shop: Workspace, models: list[str]) -> None:
    nobody = shown(shop, credit={key: {"(none)": (4.0, 400.0)} for key in models}, without_touch=4)
    assert [category.label for category in chart(nobody).categories] == ["(none)"]
    assert nobody.cards[2].figure.text == "100.0%"
    worthless = shown(
        shop, credit={key: {"Email": (3.0, 0.0), "(none)": (1.0, 0.0)} for key in models}, totals=(4, 0.0)
    )
    assert texts(worthless)["Total"] == (["4", "€0", "0.0%"] if len(models) == 1 else ["€0", "€0", "€0"])
    assert {mark.value for series in chart(worthless).series for mark in series.marks if mark} == {0.0}


def test_the_document_says_what_it_is_about_and_where_it_comes_from(shop: Workspace) -> None:
    run = finished(shop)
    result = document(run)
    assert result.headline == "Search gets 62.5% of Purchase revenue under Last Touch."
    assert result.facts == (
        ("Models", "Last Touch"),
        ("Metric", "Purchase revenue"),
        ("Attribution window", "30 days"),
        ("Period", "1–31 Mar 2026"),
        ("Credit by", "channel"),
        ("Channel grouping", "the workspace's"),
        ("View-through", "included"),
        ("Segment", "All customers"),
        ("Asked at", "1 Apr 2026, 09:30 UTC"),
        ("Data version", f"{'d' * 12} (touchpoints, conversions, paths, spend, experiments)"),
        ("Method version", "1"),
        ("Run", str(run.pk)),
    )
    assert [(card.label, card.figure.in_full) for card in result.cards] == [
        ("Conversions", "4"),
        ("Revenue", "€400.00"),
        ("Conversions without a touch", "25.000000%"),
    ]
    assert chart(result).subtitle == (
        "Purchase revenue by channel under Last Touch, 1–31 Mar 2026. "
        "All credit goes to the last touch before the conversion."
    )
    assert shown(shop, credit={"last": LAST, "first": FIRST}).sections[0].sentences == (
        "Last Touch: All credit goes to the last touch before the conversion.",
        "First Touch: All credit goes to the first touch in the lookback window.",
    )
    assert "adds up under every model" in table(result).note
    assert "in the row “(none)”" in table(result).note
    assert "association" in result.notes[0]
    assert result.file_name == "attribution-acme-2026-03-01-to-2026-03-31"


def test_documents_rows_and_data_are_the_api_and_the_csv(
    shop: Workspace, import_rows: ImportRows, attribute: Attribute
) -> None:
    import_rows(
        "touchpoints", "customer,occurred_at,channel", "a,2026-03-01T00:00Z,Email", "a,2026-03-02T00:00Z,Search"
    )
    import_rows("conversions", "customer,occurred_at,value", "a,2026-03-03T00:00Z,100")
    run = attribute(model="linear,last")
    result = document(run)
    assert list(result.rows) == list(KIND.rows(run))
    assert json.loads(json.dumps(result.data["result"], default=str)) == run.result
    rows = {(row[0], row[1]): row[3] for row in list(result.rows)[1:]}
    for series, model in zip(chart(result).series, ("linear", "last"), strict=True):
        for place, mark in zip(chart(result).categories, series.marks, strict=True):
            assert mark is not None
            assert mark.value == rows[model, place.label]
    for row in table(result).rows[:-1]:
        assert [figure.value for figure in row.cells[:2]] == [rows["linear", row.label], rows["last", row.label]]
    *groups, total = table(result).rows
    for column in (0, 1):
        assert sum(row.cells[column].value or 0 for row in groups) == total.cells[column].value == 100


def test_more_channels_and_models_need_no_more_queries(shop: Workspace, django_assert_num_queries: Any) -> None:
    many = {f"Channel {n:03}": (1.0, 1.0 + n) for n in range(50)} | {"(none)": (1.0, 5.0)}
    for n in range(50):
        Channel.objects.create(workspace=shop, name=f"Channel {n:03}", colour_slot=n)
    for credit in ({"last": LAST}, {"last": many}, {"last": many, "first": many}):
        run = finished(shop, credit=credit)
        with django_assert_num_queries(2):
            document(run)


def test_two_runs_are_compared_under_their_main_models(shop: Workspace) -> None:
    earlier, later = finished(shop, credit={"last": LAST, "first": FIRST}), finished(shop, credit={"first": FIRST})
    (spec,) = compared_charts(earlier, later)
    assert spec.title == "Search leads in A, Email in B"
    assert [series.name for series in spec.series] == ["A: Last Touch", "B: First Touch"]
    rows = {category.label: [cell.value for cell in cells] for category, cells in spec.table().rows}
    assert rows == {
        "Email": [50.0, 300.0],
        "Search": [250.0, 0.0],
        "Display": [0.0, 0.0],
        "(none)": [100.0, 100.0],
    }
    mark = spec.series[1].marks[0]
    assert mark is not None
    assert mark.detail == ("€300.00", "€250.00 more than A: Last Touch")


def test_runs_that_measure_different_things_have_no_common_chart(shop: Workspace) -> None:
    assert compare(finished(shop), finished(shop, metric="conversions")) == ()
    assert compare(finished(shop), finished(shop, dimension="campaign")) == ()


def test_a_group_of_one_run_alone_has_no_credit_in_the_other(shop: Workspace) -> None:
    other = {"Radio": (3.0, 300.0), "(none)": (1.0, 100.0)}
    (spec,) = compared_charts(finished(shop), finished(shop, credit={"last": other}))
    rows = {category.label: [cell.value for cell in cells] for category, cells in spec.table().rows}
    assert rows["Radio"] == [0.0, 300.0]
    assert rows["Search"] == [250.0, 0.0]


def test_compared_groups_past_a_dozen_are_folded(shop: Workspace) -> None:
    many = {f"Channel {n:03}": (1.0, 1.0 + n) for n in range(20)} | {"(none)": (1.0, 5.0)}
    (spec,) = compared_charts(finished(shop, credit={"last": many}), finished(shop, credit={"last": many}))
    assert [category.label for category in spec.categories][-2:] == ["9 others", "(none)"]
    for series in spec.series:
        assert sum(mark.value for mark in series.marks if mark) == sum(value for _, value in many.values())
