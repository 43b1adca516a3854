"""What a cell may say of numbers, amounts, words and names, and the reason given when it cannot be read."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing.importing import cells
from marketing.importing.cells import Clock, Doubt, Parser
from marketing.importing.errors import FileRejected
from marketing.importing.fields import FIELDS, INTERACTIONS, SERIES
from tests.marketing.cell_reading import BERLIN, EUROS, read, reason

PARSERS = {field.parse for fields in FIELDS.values() for field in fields} | set(SERIES.values())


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
    assert read(cells.money, "999999999999").wrong == {}
    assert reason(cells.money, "1000000000000") == "1,000,000,000,000 or more: too large for an amount"
    assert reason(cells.money, "1e99") == "1,000,000,000,000 or more: too large for an amount"
    assert "is not a number" in reason(cells.money, "NaN")


@pytest.mark.parametrize("parser", [cells.number, cells.non_negative])
def test_figures_have_eighteen_digits_at_most(parser: Parser) -> None:
    assert read(parser, "999999999999999").wrong == {}
    assert reason(parser, "1e18") == "a number of more than 18 digits"
    assert reason(parser, 1e300, pa.float64()) == "a number of more than 18 digits"
    assert reason(parser, float("inf"), pa.float64()) == "not a finite number"
    assert read(cells.number, "-1e17").wrong == {}
    assert reason(cells.number, "-1e18") == "a number of more than 18 digits"


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


@pytest.mark.parametrize("word", ["NULL", "n/a", "nan", "None", "undefined", "(not set)", "-", r"\N"])
def test_a_word_for_nothing_is_nobody(word: str) -> None:
    found = read(cells.identifier(99), "ann", word, None)

    assert (found.values.tolist(), found.present.tolist()) == (["ann", "", ""], [True, False, False])
    assert found.doubts[Doubt.SAID_BLANK].tolist() == [False, True, False]
    assert found.wrong == {}


@pytest.mark.parametrize("number", ["1.23457E+16", "1,23457E+16", "1E+15", "1.2345678901234568e+16"])
def test_a_number_that_was_rounded_tells_nobody_from_others(number: str) -> None:
    said = f"“{number}” is a rounded number: format the column as text, and export it again"

    assert reason(cells.identifier(99), number) == said
    assert reason(cells.identifier(99), 12345678901234568.0, pa.float64()).startswith("“1.2345678901234568e+16” is")


def test_what_only_looks_like_a_rounded_number_identifies() -> None:
    kept = ["12345678901234567", "0012", "1e5", "3E+1", "12E+10", "a1E+10", "Nullmeier", "#1"]

    found = read(cells.identifier(99), *kept)

    assert (found.values.tolist(), found.wrong, found.doubts) == (kept, {}, {})


def test_a_customers_number_is_the_same_in_a_column_of_floats() -> None:
    number = 4_912_345_678_901
    for kind in (pa.float64(), pa.int64(), pa.decimal128(20, 0)):
        assert read(cells.text(99), number, None, type=kind).values.tolist() == ["4912345678901", ""]
    assert read(cells.text(99), 12.5, -3, type=pa.float64()).values.tolist() == ["12.5", "-3"]


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
