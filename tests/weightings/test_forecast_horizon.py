"""The periods that follow a model's data."""

import datetime as dt

import pytest

from weightings.forecasts.horizon import Horizon


@pytest.mark.parametrize(
    ("granularity", "last", "starts", "end"),
    [
        ("day", "2024-02-27", ["2024-02-28", "2024-02-29", "2024-03-01"], "2024-03-01"),
        ("week", "2024-12-22", ["2024-12-23", "2024-12-30", "2025-01-06"], "2025-01-12"),
        ("month", "2024-11-30", ["2024-12-01", "2025-01-01", "2025-02-01"], "2025-02-28"),
    ],
)
def test_periods_follow_one_another(granularity: str, last: str, starts: list[str], end: str) -> None:
    found = Horizon.after(dt.date.fromisoformat(last), granularity, 3)
    assert [day.isoformat() for day in found.starts] == starts
    assert found.end.isoformat() == end
    assert sum(found.days()) == (found.end - found.starts[0]).days + 1
    assert [end + dt.timedelta(1) for end in found.ends()[:-1]] == list(found.starts[1:])
