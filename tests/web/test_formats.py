"""Numbers as people read them."""

import pytest

from mmm_project import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (1234, "1,234"),
        (1234.5, "1,234.5"),
        (1234567.891, "1,234,567.89"),
        (-1234.5, "−1,234.5"),
        (0.004, "0"),
        (2.675, "2.68"),
        (0.125, "0.12"),
    ],
)
def test_a_count_has_thousands_and_two_decimals_at_most(value: float, text: str) -> None:
    assert formats.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 orders"), (1, "1 order"), (0.999, "1 order"), (1.5, "1.5 orders"), (1234, "1,234 orders")],
)
def test_a_count_agrees_with_its_noun(value: float, text: str) -> None:
    assert formats.count(value, "order") == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (1234.5, "EUR", "€1,234.50"),
        (-1234.5, "EUR", "−€1,234.50"),
        (1234.5, "USD", "$1,234.50"),
        (1234.6, "JPY", "¥1,235"),
        (1234.5678, "TND", "TND\N{NO-BREAK SPACE}1,234.568"),
        (1e12, "EUR", "€1,000,000,000,000.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(value: float, currency: str, text: str) -> None:
    assert formats.money(value, currency) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (1234.5, "EUR", "€1,234"),
        (1235.5, "EUR", "€1,236"),
        (-0.6, "EUR", "−€1"),
        (999.7, "JPY", "¥1,000"),
        (5, "CHF", "CHF\N{NO-BREAK SPACE}5"),
    ],
)
def test_round_money_is_in_whole_units_whatever_the_currency(value: float, currency: str, text: str) -> None:
    assert formats.round_money(value, currency) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0.0%"), (1, "100.0%"), (0.12345, "12.3%"), (-0.5, "−50.0%"), (12.5, "1,250.0%")]
)
def test_a_share_has_one_decimal(share: float, text: str) -> None:
    assert formats.percent(share) == text


def test_what_rounds_to_zero_has_no_sign() -> None:
    tiny = -0.0001
    assert formats.count(tiny) == "0"
    assert formats.money(tiny, "EUR") == "€0.00"
    assert formats.round_money(tiny, "JPY") == "¥0"
    assert formats.percent(tiny) == "0.0%"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12.345, "12.3"),
        (847.6, "848"),
        (9_999.4, "9,999"),
        (9_999.6, "10\N{NO-BREAK SPACE}k"),
        (12_345, "12.3\N{NO-BREAK SPACE}k"),
        (999_400, "999\N{NO-BREAK SPACE}k"),
        (999_600, "1\N{NO-BREAK SPACE}M"),
        (-1_234_000, "−1.23\N{NO-BREAK SPACE}M"),
        (2.5e9, "2.5\N{NO-BREAK SPACE}bn"),
        (1e16, "10,000\N{NO-BREAK SPACE}tn"),
    ],
)
def test_a_short_number_has_three_digits_that_matter(value: float, text: str) -> None:
    assert formats.short_count(value) == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (847.6, "EUR", "€848"),
        (9_876, "EUR", "€9,876"),
        (1_234_567, "EUR", "€1.23\N{NO-BREAK SPACE}M"),
        (-12_345, "CHF", "−CHF\N{NO-BREAK SPACE}12.3\N{NO-BREAK SPACE}k"),
    ],
)
def test_short_money_has_three_digits_that_matter(value: float, currency: str, text: str) -> None:
    assert formats.short_money(value, currency) == text


@pytest.mark.parametrize(("share", "text"), [(0.0421, "+4.2%"), (-0.03, "−3.0%"), (0.0004, "0.0%"), (-0.0004, "0.0%")])
def test_a_change_always_has_its_sign(share: float, text: str) -> None:
    assert formats.change(share) == text


def test_a_ratio_has_two_decimals() -> None:
    assert [formats.ratio(value) for value in (2.414, 1234.5, -0.001)] == ["2.41", "1,234.50", "0.00"]
