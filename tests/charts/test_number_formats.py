"""Number formats for PowerPoint and Excel, read off the texts that people see."""

import pytest

from charts.number_formats import number_format, number_formats


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([(0.0, "0"), (2.0, "2"), (1200.0, "1,200")], "#,##0"),
        ([(2.4, "2.4"), (3.0, "3.00")], "#,##0.00"),
        ([(1234.4, "€1,234")], '"€"#,##0'),
        ([(1234.0, "CHF\N{NO-BREAK SPACE}1,234")], '"CHF\N{NO-BREAK SPACE}"#,##0'),
        ([(0.0, "€0"), (20_000.0, "€20 k")], '"€"#,##0," k";-"€"#,##0," k";"€0"'),
        ([(2_500_000.0, "€2.5 M")], '"€"#,##0.0,," M"'),
        ([(0.123, "12.3%")], "#,##0.0%"),
        ([(12.3, "12.3%")], '#,##0.0"%"'),
        ([(-0.04, "\N{MINUS SIGN}4.0%"), (0.1, "+10.0%")], "+#,##0.0%;-#,##0.0%;#,##0.0%"),
        ([(5000.0, "€5,000"), (20_000.0, "€20 k")], '[>=20000]"€"#,##0," k";"€"#,##0'),
    ],
)
def test_a_format_reads_as_the_texts_do(readings: list[tuple[float, str]], expected: str) -> None:
    assert number_format(readings) == expected


@pytest.mark.parametrize(
    "readings",
    [
        [],
        [(0.0, "0")],
        [(3.0, "about three")],
        [(3.0, "7")],
        [(0.5, "50 points")],
        [(-5000.0, "\N{MINUS SIGN}€5,000"), (20_000.0, "€20 k")],
        [(1.0, "1 d"), (2.0, "2 h"), (3.0, "3 min")],
    ],
)
def test_texts_that_no_format_can_follow_leave_the_number_plain(readings: list[tuple[float, str]]) -> None:
    assert number_format(readings) == "General"


def test_where_no_format_follows_all_texts_each_number_has_its_own() -> None:
    readings = [(-5234.5, "\N{MINUS SIGN}€5,235"), (20_000.0, "€20 k"), (3.0, "about three")]
    assert number_formats(readings) == ['"€"#,##0', '"€"#,##0," k"', "General"]


def test_where_one_format_follows_all_texts_it_is_that_of_each() -> None:
    assert number_formats([(5000.0, "€5,000"), (20_000.0, "€20 k")]) == ['[>=20000]"€"#,##0," k";"€"#,##0'] * 2
    assert number_formats([]) == []
