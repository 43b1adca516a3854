"""What a file seems to hold, and what its columns seem to mean."""

from collections.abc import Sequence

import pytest

from marketing.importing.appearance import folded
from marketing.importing.guessing import guess_dataset, guess_mapping, signature
from marketing.importing.synonyms import SYNONYMS
from marketing.models import Dataset


def guessed(header: str, *rows: str) -> tuple[Dataset | None, dict[str, str]]:
    """The dataset and mapping for columns and rows that are written with bars between their cells."""
    names, sample = header.split("|"), [row.split("|") for row in rows]
    dataset = guess_dataset(names, sample)
    return dataset, guess_mapping(dataset, names, sample) if dataset else {}


@pytest.mark.parametrize(
    ("header", "row", "dataset", "mapping"),
    [
        (
            "Day|Channel|Campaign|Cost|Impr.|Clicks",
            "2026-03-01|Paid Search|Brand|12.50|1,200|40",
            Dataset.SPEND,
            {
                "date": "Day",
                "channel": "Channel",
                "campaign": "Campaign",
                "spend": "Cost",
                "impressions": "Impr.",
                "clicks": "Clicks",
            },
        ),
        (
            "Tag|Kanal|Kampagne|Kosten (EUR)|Einblendungen|Klicks",
            "01.03.2026|TV|Frühling|1.234,56|20.000|",
            Dataset.SPEND,
            {
                "date": "Tag",
                "channel": "Kanal",
                "campaign": "Kampagne",
                "spend": "Kosten (EUR)",
                "impressions": "Einblendungen",
                "clicks": "Klicks",
            },
        ),
        (
            "Semaine|Canal|Dépense|Clics",
            "02/03/2026|Affichage|99,90|7",
            Dataset.SPEND,
            {"date": "Semaine", "channel": "Canal", "spend": "Dépense", "clicks": "Clics"},
        ),
        (
            "Fecha|Canal|Importe gastado (EUR)|Impresiones",
            "2026-03-01|Radio|5,00|10",
            Dataset.SPEND,
            {"date": "Fecha", "channel": "Canal", "spend": "Importe gastado (EUR)", "impressions": "Impresiones"},
        ),
        (
            "Dag|Kanaal|Besteed bedrag|Vertoningen",
            "2026-03-01|Radio|5,00|10",
            Dataset.SPEND,
            {"date": "Dag", "channel": "Kanaal", "spend": "Besteed bedrag", "impressions": "Vertoningen"},
        ),
        (
            "Order ID|Order date|Customer email|Order total",
            "A-1|2026-03-01|ann@example.com|19.90",
            Dataset.CONVERSIONS,
            {"order_id": "Order ID", "occurred_at": "Order date", "customer": "Customer email", "value": "Order total"},
        ),
        (
            "User ID|Timestamp|utm_source|utm_medium|utm_campaign",
            "u1|2026-03-01 10:00:00|google|cpc|brand",
            Dataset.TOUCHPOINTS,
            {
                "customer": "User ID",
                "occurred_at": "Timestamp",
                "source": "utm_source",
                "medium": "utm_medium",
                "campaign": "utm_campaign",
            },
        ),
        (
            "Week|KPI|Value",
            "2026-03-02|Sales|120",
            Dataset.OUTCOMES,
            {"date": "Week", "outcome": "KPI", "value": "Value"},
        ),
        (
            "Date|Variable|Level",
            "2026-03-02|Price|9.90",
            Dataset.CONTROLS,
            {"date": "Date", "control": "Variable", "value": "Level"},
        ),
        (
            "Channel|Start date|End date|Uplift|SE|Spend",
            "TV|2026-01-01|2026-01-31|500|120|9000",
            Dataset.EXPERIMENTS,
            {
                "channel": "Channel",
                "start": "Start date",
                "end": "End date",
                "lift": "Uplift",
                "standard_error": "SE",
                "spend": "Spend",
            },
        ),
        (
            "Holiday|Date|Country",
            "Christmas Day|2026-12-25|DE",
            Dataset.EVENTS,
            {"name": "Holiday", "start": "Date", "geo": "Country"},
        ),
        (
            "Week|TV spend|Radio cost (EUR)|Facebook impressions|Search clicks|Sales|Price|Holidays",
            "2026-03-02|100|50|9000|30|1200|9.90|Easter",
            Dataset.MEDIA_TABLE,
            {
                "date": "Week",
                "spend:TV": "TV spend",
                "spend:Radio": "Radio cost (EUR)",
                "impressions:Facebook": "Facebook impressions",
                "clicks:Search": "Search clicks",
                "outcome:Sales": "Sales",
                "control:Price": "Price",
                "events": "Holidays",
            },
        ),
        (
            "date|new_customers|revenue",
            "2026-03-02|4|120.50",
            Dataset.MEDIA_TABLE,
            {"date": "date", "outcome:new_customers": "new_customers", "outcome:revenue": "revenue"},
        ),
    ],
)
def test_ordinary_files_are_told_by_their_columns(
    header: str, row: str, dataset: Dataset, mapping: dict[str, str]
) -> None:
    assert guessed(header, row) == (dataset, mapping)


def test_a_file_of_strange_columns_is_anybodys_guess() -> None:
    assert guessed("foo|bar", "x|y") == (None, {})


def test_spend_without_a_column_of_channels_is_spend_all_the_same() -> None:
    dataset, mapping = guessed("Day|Campaign|Cost", "2026-03-01|Brand|5")

    assert dataset == Dataset.SPEND
    assert "channel" not in mapping


def test_a_field_of_that_very_name_comes_before_synonyms() -> None:
    header = ["Cost", "spend", "date", "channel"]

    assert guess_mapping(Dataset.SPEND, header, [["1", "2", "2026-03-01", "TV"]])["spend"] == "spend"


def test_a_cost_per_click_is_no_cost() -> None:
    header = ["date", "channel", "Cost per click", "Average cost", "Cost share"]

    assert "spend" not in guess_mapping(Dataset.SPEND, header, [["2026-03-01", "TV", "1", "2", "3"]])


def test_a_name_is_not_believed_against_the_values() -> None:
    header = ["date", "Channel", "Cost"]

    mapping = guess_mapping(Dataset.SPEND, header, [["2026-03-01", "TV", "high"], ["2026-03-02", "TV", "low"]])

    assert mapping == {"date": "date", "channel": "Channel"}


def test_days_and_people_are_found_by_their_values_where_names_say_nothing() -> None:
    sample = [["2026-03-01T10:00", "ann@example.com", "TV"], ["2026-03-02T11:00", "bob@example.com", "TV"]]

    mapping = guess_mapping(Dataset.TOUCHPOINTS, ["A", "B", "channel"], sample)

    assert mapping == {"occurred_at": "A", "customer": "B", "channel": "channel"}


@pytest.mark.parametrize("dataset", Dataset.values)
def test_no_column_is_given_to_two_fields(dataset: str) -> None:
    names = [name for names in SYNONYMS[dataset].values() for name in names]

    mapping = guess_mapping(dataset, names, [])

    assert mapping
    assert len(set(mapping.values())) == len(mapping)


@pytest.mark.parametrize("dataset", SYNONYMS)
def test_synonyms_are_written_as_names_are_compared(dataset: str) -> None:
    assert [name for names in SYNONYMS[dataset].values() for name in names if folded(name) != name or not name] == []


def test_columns_without_a_name_mean_nothing() -> None:
    sample = [["0", "2026-03-01", "5"]]

    assert guess_mapping(Dataset.MEDIA_TABLE, ["", "date", "tv_S"], sample) == {"date": "date", "spend:tv": "tv_S"}


def test_two_columns_of_one_series_leave_the_second_to_a_person() -> None:
    header = ["date", "tv_S", "TV spend"]

    mapping = guess_mapping(Dataset.MEDIA_TABLE, header, [["2026-03-01", "1", "2"]])

    assert mapping == {"date": "date", "spend:tv": "tv_S"}


@pytest.mark.parametrize(
    ("column", "series"),
    [
        ("spend:TV", "spend:TV"),
        ("SPEND: TV", "spend:TV"),
        ("tv_S", "spend:tv"),
        ("facebook_I", "impressions:facebook"),
        ("search_clicks_P", "clicks:search"),
        ("competitor_sales_B", "control:competitor_sales"),
        ("Channel0_impression", "impressions:Channel0"),
        ("Channel0_spend", "spend:Channel0"),
        ("spend_tv", "spend:tv"),
        ("Paid Search - Cost", "spend:Paid Search"),
        ("sentiment_score_control", "control:sentiment_score"),
        ("revenue_per_conversion", "control:revenue_per_conversion"),
        ("newsletter", "impressions:newsletter"),
        ("TV reach", None),
        ("cost_per_click", "control:cost_per_click"),
        ("dayofyear", None),
        ("x1", None),
    ],
)
def test_wide_columns_say_what_they_measure_and_of_what(column: str, series: str | None) -> None:
    mapping = guess_mapping(Dataset.MEDIA_TABLE, ["date", column], [["2026-03-01", "5"]])

    assert {field: name for field, name in mapping.items() if field != "date"} == ({series: column} if series else {})


@pytest.mark.parametrize(
    "other", [["Cost", "Day"], [" day", "COST"], ["Day", "Cost", ""]], ids=["order", "case and blanks", "unnamed"]
)
def test_files_of_one_source_have_one_signature(other: Sequence[str]) -> None:
    assert signature(other) == signature(["Day", "Cost"])


def test_another_column_makes_another_signature() -> None:
    assert signature(["Day", "Cost"]) != signature(["Day", "Cost", "Clicks"])
