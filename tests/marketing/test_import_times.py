"""What a cell may say of a day or a moment, and the reason given when it cannot be read."""

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest

from marketing.importing import cells
from marketing.importing.cells import Doubt
from tests.marketing.cell_reading import BERLIN, read, reason


def moments(*values: object, type: pa.DataType | None = None) -> list[str]:  # noqa: A002 - pyarrow's word
    """The moments read, in UTC; fails if any cell is wrong."""
    found = read(cells.moment, *values, type=type)
    assert found.wrong == {}
    return [str(moment) for moment in found.values.astype("datetime64[us]").astype("datetime64[s]")]


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31T14:05:00+02:00",
        "2026-05-31 14:05:00+0200",
        "2026-05-31T12:05Z",
        "2026-05-31 12:05:00 UTC",
        "2026-05-31T12:05:00.000000Z",
        "2026-05-31T05:05:00 -07:00",
        "2026-05-31 14:05:00+02",
        "2026-05-31 12:05:00.000+00",
        " 2026-05-31T14:05:00 ",
        "1780229100",
        "1780229100000",
        "1780229100000000",
        "1780229100.0",
        "1780229100000.0",
        "1780229100000000.0",
    ],
)
def test_a_moment_is_read_in_every_notation(text: str) -> None:
    assert moments(text) == ["2026-05-31T12:05:00"]


def test_a_moment_keeps_its_microseconds() -> None:
    assert read(cells.moment, "2026-05-31T12:05:00.123456Z").values.tolist() == [1780229100123456]


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1780229100.5", 1780229100500000),
        ("1780229100.123", 1780229100123000),
        ("1780229100.1234567", 1780229100123456),
        ("1780229100.000029", 1780229100000029),
        ("1780229100.999999999", 1780229100999999),
        ("1780229100123.4567", 1780229100123456),
        ("1780229100123456.9", 1780229100123456),
        ("946684800.25", 946684800250000),
    ],
)
def test_an_epoch_may_have_a_fraction_and_keeps_its_microseconds(text: str, microseconds: int) -> None:
    assert read(cells.moment, "1780229100", text).values.tolist() == [1780229100000000, microseconds]


def test_floating_numbers_are_epochs_with_a_fraction() -> None:
    assert moments(1780229100.5, 1780229100.0, type=pa.float64()) == ["2026-05-31T12:05:00"] * 2


@pytest.mark.parametrize(
    "text", ["1780229100.", ".5", "17802291.5", "1780229100.5.5", "1234567890.1700000000", "1780229100,5"]
)
def test_what_only_looks_like_an_epoch_is_no_time(text: str) -> None:
    assert reason(cells.moment, text).startswith(f"“{text}” is not a time such as")


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
    for unit in ("ms", "us", "ns"):
        for kind in (pa.timestamp(unit), pa.timestamp(unit, tz="UTC")):
            assert reason(cells.moment, 2**63 - 1, kind) == "later than now"
            assert reason(cells.moment, 1 - 2**63, kind) == "before the year 2000"
    assert "is not a day" in reason(cells.day, 10**7, pa.date32())


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31",
        "2026-05-31 00:00",
        "2026-05-31T00:00:00",
        "2026-05-31 00:00:00.000",
        "2026-05-31T00:00:00Z",
        "2026-05-31T00:00:00+02:00",
        "2026-05-31 00:00:00 -0500",
        "2026-05-31 00:00:00 UTC",
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
        ("2026-05-31T02:00:00+02:00", "is not a day"),
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
