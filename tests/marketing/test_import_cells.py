"""What a cell may say: every reading of it, and the reason given when it cannot be read."""

import datetime as dt
import zoneinfo
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing.importing import cells
from marketing.importing.cells import Cells, Clock, Doubt, Parser
from marketing.importing.errors import FileRejected
from marketing.importing.fields import FIELDS, INTERACTIONS, SERIES

BERLIN = Clock(zone=zoneinfo.ZoneInfo("Europe/Berlin"), now=dt.datetime(2026, 6, 1, 23, tzinfo=dt.UTC))
EUROS = replace(BERLIN, currency="EUR")
PARSERS = {field.parse for fields in FIELDS.values() for field in fields} | set(SERIES.values())


def read(
    parser: Parser,
    *values: object,
    type: pa.DataType | None = None,  # noqa: A002 - pyarrow's word
    clock: Clock = BERLIN,
) -> Cells:
    return parser(pa.array(values, type or pa.string()), clock)


def moments(*values: object, type: pa.DataType | None = None) -> list[str]:  # noqa: A002 - pyarrow's word
    """The moments read, in UTC; fails if any cell is wrong."""
    found = read(cells.moment, *values, type=type)
    assert found.wrong == {}
    return [str(moment) for moment in found.values.astype("datetime64[us]").astype("datetime64[s]")]


def reason(parser: Parser, value: object, type: pa.DataType | None = None) -> str:  # noqa: A002 - pyarrow's word
    """Why a cell, alone between two blank ones, is wrong."""
    found = read(parser, None, value, None, type=type)
    assert set(found.wrong) == {1}
    return found.wrong[1]


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31T14:05:00+02:00",
        "2026-05-31 14:05:00+0200",
        "2026-05-31T12:05Z",
        "2026-05-31 12:05:00 UTC",
        "2026-05-31T12:05:00.000000Z",
        "2026-05-31T05:05:00 -07:00",
        " 2026-05-31T14:05:00 ",
        "1780229100",
        "1780229100000",
        "1780229100000000",
    ],
)
def test_a_moment_is_read_in_every_notation(text: str) -> None:
    assert moments(text) == ["2026-05-31T12:05:00"]


def test_a_moment_keeps_its_microseconds() -> None:
    assert read(cells.moment, "2026-05-31T12:05:00.123456Z").values.tolist() == [1780229100123456]


def test_notations_may_change_from_cell_to_cell() -> None:
    assert moments("2026-01-01T00:00:00Z", "2026-01-01 01:00", "1767225600") == ["2026-01-01T00:00:00"] * 3


def test_a_time_without_an_offset_is_one_of_the_workspaces_zone() -> None:
    assert moments("2026-01-15 12:00", "2026-05-15 12:00") == ["2026-01-15T11:00:00", "2026-05-15T10:00:00"]


def test_a_day_alone_is_its_first_moment_in_the_workspaces_zone() -> None:
    assert moments("2026-05-15") == ["2026-05-14T22:00:00"]


def test_a_time_in_the_hour_that_clocks_skip_is_the_moment_after_the_gap() -> None:
    assert moments("2026-03-29 01:59", "2026-03-29 02:30", "2026-03-29 03:00") == [
        "2026-03-29T00:59:00",
        "2026-03-29T01:00:00",
        "2026-03-29T01:00:00",
    ]


def test_a_time_in_the_hour_that_clocks_repeat_is_its_first_pass() -> None:
    assert moments("2025-10-26 02:30", "2025-10-26T02:30+01:00") == ["2025-10-26T00:30:00", "2025-10-26T01:30:00"]


def test_typed_timestamps_are_moments() -> None:
    noon = dt.datetime.fromisoformat("2026-01-15 12:00")

    assert moments(noon, type=pa.timestamp("ns")) == ["2026-01-15T11:00:00"]
    assert moments(noon, type=pa.timestamp("s", tz="UTC")) == ["2026-01-15T12:00:00"]
    assert moments(dt.date(2026, 1, 15), type=pa.date32()) == ["2026-01-14T23:00:00"]
    assert moments(1768474800, type=pa.int64()) == ["2026-01-15T11:00:00"]


def test_blank_moments_are_absent_not_wrong() -> None:
    for kind in (pa.string(), pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        found = read(cells.moment, None, None, type=kind)

        assert found.wrong == {}
        assert found.present.tolist() == [False, False]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("45000", "“45000” is a spreadsheet's number for a day"),
        ("31/05/2026", "“31/05/2026” is not a time such as"),
        ("05/31/2026 12:00", "is not a time such as"),
        ("2026-02-30", "is not a time such as"),
        ("2026-02-30T10:00Z", "is not a time such as"),
        ("2026-05-31T25:00:00Z", "is not a time such as"),
        ("yesterday", "is not a time such as"),
        ("٢٠٢٦-05-31", "is not a time such as"),
        ("1999-12-31T23:59:59Z", "before the year 2000"),
        ("2026-06-03T12:00:00Z", "later than now"),
        ("x" * 5000, f"“{'x' * 40}...” is not a time such as"),
    ],
)
def test_what_is_not_a_moment_says_why(text: str, why: str) -> None:
    assert why in reason(cells.moment, text)


def test_the_years_far_out_of_range_are_rejected() -> None:
    assert reason(cells.moment, "9999-12-31")
    assert reason(cells.moment, "0001-01-01")
    assert reason(cells.moment, dt.datetime.fromisoformat("9999-01-01"), pa.timestamp("us")) == "later than now"


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31",
        "2026-05-31 00:00",
        "2026-05-31T00:00:00",
        "2026-05-31 00:00:00.000",
        "2026-05-31T00:00:00Z",
        "2026/05/31",
        "2026.5.31",
        "20260531",
    ],
)
def test_a_day_that_begins_with_its_year_has_one_reading_and_may_carry_its_midnight(text: str) -> None:
    assert read(cells.day, text).values.tolist() == [dt.date(2026, 5, 31)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-05-31 12:00", "“2026-05-31 12:00” is not a day such as 2026-05-31"),
        ("31.05.2026", "is not a day"),
        ("2026-02-30", "is not a day"),
        ("31/05/2026", "“31/05/2026” is not a day such as 2026-05-31"),
        ("31.05.26", "has a year of two digits"),
        ("45000", "“45000” is a spreadsheet's number for a day"),
        ("٢٠٢٦-05-31", "is not a day"),
        ("9999-12-31", "later than today"),
        ("1999-12-31", "before the year 2000"),
        ("2026-06-03", "later than today"),
    ],
)
def test_what_is_not_a_day_says_why(text: str, why: str) -> None:
    assert why in reason(cells.day, text)


@pytest.mark.parametrize("text", ["31/05/2026", "31.05.2026", "31-5-2026", "2026-05-31", "31/05/2026 00:00"])
def test_a_day_is_read_in_the_order_that_the_file_has(text: str) -> None:
    found = read(cells.day, text, clock=replace(BERLIN, date_order="dmy"))

    assert (found.values.tolist(), found.wrong) == ([dt.date(2026, 5, 31)], {})


def test_the_order_decides_what_a_day_means() -> None:
    day_first, month_first = (replace(BERLIN, date_order=order) for order in ("dmy", "mdy"))

    assert read(cells.day, "03/04/2026", clock=day_first).values.tolist() == [dt.date(2026, 4, 3)]
    assert read(cells.day, "03/04/2026", clock=month_first).values.tolist() == [dt.date(2026, 3, 4)]
    assert read(cells.day, "31/05/2026", clock=month_first).wrong == {0: "“31/05/2026” is not a day such as 05/31/2026"}
    assert read(cells.day, "30/02/2026", clock=day_first).wrong == {0: "“30/02/2026” is not a day such as 31/05/2026"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("05/31/2026 14:05", "2026-05-31T12:05:00"),
        ("5/1/2026 2:05 PM", "2026-05-01T12:05:00"),
        ("5/1/2026 12:05:30 am", "2026-04-30T22:05:30"),
        ("5/1/2026 9:05", "2026-05-01T07:05:00"),
        ("05/31/2026", "2026-05-30T22:00:00"),
        ("2026-05-31T12:05Z", "2026-05-31T12:05:00"),
    ],
)
def test_moments_follow_the_order_of_the_file(text: str, moment: str) -> None:
    found = read(cells.moment, text, clock=replace(BERLIN, date_order="mdy"))

    assert found.wrong == {}
    assert str(found.values.astype("datetime64[us]").astype("datetime64[s]")[0]) == moment


def test_half_days_have_twelve_hours() -> None:
    assert read(cells.moment, "5/1/2026 14:05 PM", clock=replace(BERLIN, date_order="mdy")).wrong


def test_times_without_an_offset_are_told_and_those_that_clocks_change_over() -> None:
    found = read(
        cells.moment,
        "2026-01-15 12:00",
        "2026-03-29 02:30",
        "2025-10-26 02:30",
        "2026-01-15T12:00Z",
        None,
        "1767225600",
    )

    assert found.doubts[Doubt.NO_OFFSET].tolist() == [True, True, True, False, False, False]
    assert found.doubts[Doubt.SKIPPED_HOUR].tolist() == [False, True, False, False, False, False]
    assert found.doubts[Doubt.REPEATED_HOUR].tolist() == [False, False, True, False, False, False]


def test_today_is_a_day_of_the_workspaces_zone() -> None:
    found = read(cells.day, "2026-06-02")  # in Berlin it is tomorrow already

    assert found.wrong == {}


def test_typed_days_follow_the_same_rule() -> None:
    midnight, noon = map(dt.datetime.fromisoformat, ("2026-05-31", "2026-05-31 12:00"))
    berlin = pa.timestamp("us", tz="Europe/Berlin")

    assert read(cells.day, midnight.date(), type=pa.date32()).values.tolist() == [midnight.date()]
    assert read(cells.day, midnight, type=pa.timestamp("ns")).values.tolist() == [midnight.date()]
    assert read(cells.day, midnight.replace(tzinfo=BERLIN.zone), type=berlin).values.tolist() == [midnight.date()]
    assert "is not a day" in reason(cells.day, noon, pa.timestamp("us"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("+3.5", 3.5),
        (" 1234.56 ", 1234.56),
        (".5", 0.5),
        ("5.", 5),
        ("1e-5", 1e-5),
        ("1.5E+10", 1.5e10),
        ("99999999999999999", 99999999999999999.0),
    ],
)
def test_a_number_has_a_decimal_point(text: str, value: float) -> None:
    found = read(cells.number, text)

    assert (found.values.tolist(), found.wrong) == ([value], {})


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "nan", "inf", "-Infinity", "#REF!", "1e400", "1_000", "1,5", "0,125", "1.234,56", "1,23,456", "12,34",
        "0x10", "1,234 567", "1234,567", "1 00", "١٢٣", "12\u066b5", "\uff11\uff12", "½", "1e", "e5", "--1", "€5",
        "5 EUR", "true", "9" * 19, "1" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_a_number_says_why(text: str) -> None:
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    assert reason(cells.number, text) == f"“{shown}” is not a number such as 1234.56"


def test_typed_numbers_are_numbers_unless_they_are_not_finite() -> None:
    assert read(cells.number, 3, None, type=pa.int32()).values.tolist()[0] == 3
    assert read(cells.number, Decimal("3.25"), type=pa.decimal128(10, 2)).values.tolist() == [3.25]
    assert reason(cells.number, float("nan"), pa.float64()) == "not a finite number"
    assert reason(cells.number, float("inf"), pa.float32()) == "not a finite number"
    assert reason(cells.number, True, pa.bool_()) == "“true” is not a number such as 1234.56"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.56", 1234.56),
        ("1,234", 1234),
        ("12,345,678", 12345678),
        ("1 234 567.8", 1234567.8),
        ("1\u00a0234", 1234),
        ("1\u202f234.5", 1234.5),
        ("1'234.50", 1234.5),
        ("1\u2019234", 1234),
        ("-1,234", -1234),
        ("−12.5", -12.5),
    ],
)
def test_thousands_may_be_grouped_if_all_of_them_are(text: str, value: float) -> None:
    found = read(cells.number, text)

    assert (found.values.tolist(), found.wrong) == ([value], {})


@pytest.mark.parametrize(
    ("text", "value"),
    [("1234,56", 1234.56), ("1.234,56", 1234.56), ("1.234", 1234), ("1 234,5", 1234.5), (",5", 0.5), ("1,5e3", 1500)],
)
def test_where_the_decimal_sign_is_a_comma_points_group(text: str, value: float) -> None:
    found = read(cells.number, text, clock=replace(BERLIN, decimal=","))

    assert (found.values.tolist(), found.wrong) == ([value], {})


@pytest.mark.parametrize("text", ["1.5", "1,234.56", "1,234,567", "0.25"])
def test_a_number_that_contradicts_the_decimal_sign_is_not_guessed(text: str) -> None:
    found = read(cells.number, text, clock=replace(BERLIN, decimal=","))

    assert found.wrong == {0: f"“{text}” is not a number such as 1234,56"}


@pytest.mark.parametrize("text", ["€5", "€ 5", "5€", "5 €", "EUR 5", "5 EUR", "EUR5", "+€5", "5.00\u00a0€"])
def test_the_workspaces_currency_may_stand_beside_an_amount(text: str) -> None:
    found = read(cells.money, text, clock=EUROS)

    assert (found.values.tolist(), found.wrong) == ([5_000_000], {})


def test_the_same_sign_may_stand_for_several_currencies() -> None:
    assert read(cells.number, "$5", "-$1,234.50", clock=replace(BERLIN, currency="CAD")).values.tolist() == [5, -1234.5]
    assert read(cells.number, "C$5", clock=replace(BERLIN, currency="CAD")).values.tolist() == [5]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["$5"], "Amounts are in \\$, but the workspace counts in EUR"),
        (["5 USD", "6 USD"], "Amounts are in USD, but the workspace counts in EUR"),
        (["US$ 5"], "Amounts are in US\\$"),
        (["€5", "£6"], "mixes currencies: £, €"),
        (["5 XQZ"], "“XQZ” beside an amount is no currency"),
    ],
)
def test_another_currency_refuses_the_file(values: list[str], sentence: str) -> None:
    with pytest.raises(FileRejected, match=sentence):
        read(cells.money, *values, clock=EUROS)


def test_a_currency_beside_a_count_of_things_makes_it_no_number() -> None:
    assert read(cells.non_negative, "€5", clock=EUROS).wrong == {0: "“€5” is not a number such as 1234.56"}


@pytest.mark.parametrize("text", ["na", "NA", "N/A", "n/a", "null", "-", "--", "–"])
def test_words_for_nothing_count_as_blank_and_are_told(text: str) -> None:
    found = read(cells.money, "1", text, None)

    assert found.present.tolist() == [True, False, False]
    assert found.doubts[Doubt.SAID_BLANK].tolist() == [False, True, False]
    assert found.wrong == {}


def test_a_percentage_and_an_amount_in_brackets_say_what_they_are() -> None:
    assert reason(cells.number, "5%") == "“5%” is a percentage, not a number"
    assert reason(cells.money, "(12.50)") == "“(12.50)” is negative, being in brackets: write a minus sign instead"


def test_negative_amounts_are_rejected() -> None:
    assert reason(cells.money, "-0.01") == "negative: take credits and refunds off the amounts that they belong to"
    assert reason(cells.non_negative, "-1") == "negative"
    assert read(cells.money, "-0").wrong == {}
    assert read(cells.non_negative, "-0").wrong == {}


def test_money_is_counted_in_millionths() -> None:
    found = read(cells.money, "19.99", "0.000001", "123456789012.34", None)
    assert found.values.tolist() == [19_990_000, 1, 123_456_789_012_340_000, 0]
    assert found.present.tolist() == [True, True, True, False]
    assert not found.wrong


def test_money_has_an_upper_limit() -> None:
    assert reason(cells.money, "1000000000000") == "larger than 1,000,000,000,000"
    assert reason(cells.money, "1e99") == "larger than 1,000,000,000,000"
    assert "is not a number" in reason(cells.money, "NaN")


def test_what_a_spreadsheet_shows_for_an_error_is_no_name() -> None:
    assert reason(cells.text(100), "#REF!") == "the cell shows the error #REF!"
    assert reason(cells.text(100), "#N/A") == "the cell shows the error #N/A"
    assert read(cells.text(100), "#1 brand", "=cmd|' /C calc'!A0").wrong == {}


def test_booleans_are_words_or_digits() -> None:
    found = read(cells.boolean, "true", "YES", "1", "t", "false", "No", "0", "F", None, "")

    assert found.values.tolist() == [True] * 4 + [False] * 4 + [True] * 2
    assert found.present.tolist() == [True] * 8 + [False] * 2
    assert reason(cells.boolean, "maybe") == "“maybe” is neither true nor false"
    assert read(cells.boolean, True, False, type=pa.bool_()).values.tolist() == [True, False]


def test_choices_are_named_in_any_case() -> None:
    parser = cells.choice(INTERACTIONS)

    assert read(parser, "click", " Store_Visit ", None).values.tolist() == [1, 6, 0]
    assert reason(parser, "tap").startswith("“tap” is not one of unspecified, click")


def test_text_is_trimmed_and_measured_in_characters() -> None:
    found = read(cells.text(3), " äöü ", "  ", None)

    assert found.values.tolist() == ["äöü", "", ""]
    assert found.present.tolist() == [True, False, False]
    assert reason(cells.text(3), "äöüß") == "longer than 3 characters"
    assert reason(cells.text(3), "a\0b") == "holds a NUL character"
    assert read(cells.text(9), 12, 3.0, type=pa.float64()).values.tolist() == ["12", "3"]


TYPED = (
    st.lists(st.text(max_size=30) | st.none(), max_size=5).map(lambda values: pa.array(values, pa.string()))
    | st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=5).map(
        lambda values: pa.array(values, pa.int64())
    )
    | st.lists(st.floats() | st.none(), max_size=5).map(lambda values: pa.array(values, pa.float64()))
    | st.lists(st.dates() | st.none(), max_size=5).map(lambda values: pa.array(values, pa.date32()))
    | st.lists(st.datetimes() | st.none(), max_size=5).map(lambda values: pa.array(values, pa.timestamp("us")))
    | st.lists(st.datetimes() | st.none(), max_size=5).map(
        lambda values: pa.array(values, pa.timestamp("us", tz="UTC"))
    )
    | st.lists(st.booleans() | st.none(), max_size=5).map(lambda values: pa.array(values, pa.bool_()))
)


@settings(deadline=None)
@given(column=TYPED, clock=st.sampled_from([BERLIN, replace(BERLIN, decimal=",", date_order="dmy")]))
def test_no_column_of_any_type_breaks_a_parser(column: Any, clock: Clock) -> None:
    for parser in PARSERS:
        found = parser(column, clock)

        assert len(found.values) == len(found.present) == len(column)
        assert set(found.wrong) <= set(np.flatnonzero(found.present).tolist())
