"""What is said of the days that a click in the calendar is about."""

import datetime as dt

import numpy as np

from marketing.health.checks import examine
from marketing.health.report import Report, SeriesDays
from marketing.pages.health_gap import ChosenGap, explain_gap
from tests.marketing.health.small import small

GAP = dt.date(2026, 4, 12)  # 20,555 days after 1970-01-01, 555 after the first


def panel(report: Report, dataset: str, name: str) -> ChosenGap:
    (series,) = (one for one in report.series if (one.dataset, one.name) == (dataset, name))
    assert isinstance(series, SeriesDays)
    return explain_gap(report, series, GAP, close_url="/")


def test_it_tells_what_analyses_lack_because_of_this_series_and_no_other() -> None:
    brand, search, sales = np.full(735, 40.0), np.full(735, 100.0), np.full(735, 900.0)
    brand[555:558] = np.nan
    search[555] = 3.0
    seen = small(735, spend={"Search": search, "Search Brand": brand}, outcomes={"Sales": sales})
    report = Report.of(seen, examine(seen))
    missing = panel(report, "spend", "Search Brand")
    assert missing.sentence == "Search Brand has no spend on 3 days: 12–14 Apr 2026."
    assert missing.consequences == [("Media mix", "1 of 105 weeks lacks days: Search Brand, 12–14 Apr 2026.")]
    low = panel(report, "spend", "Search")
    assert low.sentence == "Search has far less spend than usual on 1 day: 12 Apr 2026."
    assert low.consequences == []


def test_what_a_whole_dataset_lacks_each_series_of_it_lacks() -> None:
    orders, visits = np.full(735, 900.0), np.full(735, 5000.0)
    orders[555:560] = visits[555:560] = np.nan
    seen = small(
        735, spend={"TV": np.full(735, 40.0)}, types={"TV": "offline"}, outcomes={"Sales": orders, "Visits": visits}
    )
    report = Report.of(seen, examine(seen))
    assert panel(report, "outcomes", "Sales").consequences == [
        ("Media mix", "1 of 105 weeks lacks days: all outcomes, 12–16 Apr 2026."),
        ("Forecast", "There are no outcomes at all on 5 days: 12–16 Apr 2026."),
    ]


def test_of_what_is_counted_there_are_fewer() -> None:
    clicks = np.full(735, 100)
    clicks[555] = 12
    seen = small(735, touches={"Search": clicks})
    low = panel(Report.of(seen, examine(seen)), "touchpoints", "Search")
    assert low.sentence == "Search has far fewer touches than usual on 1 day: 12 Apr 2026."
