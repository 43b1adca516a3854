"""What alerts say of themselves and of what they noticed."""

import pytest

from accounts.models import Workspace
from marketing.models import Channel, Goal
from reports.alerts.wording import watched_in_words
from reports.models import Alert


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"metric": "spend", "condition": "anomaly"}, "when spend of Search is unlike the days before"),
        ({"metric": "conversions", "condition": "anomaly"}, "when conversions of Search are unlike the days before"),
        (
            {"metric": "revenue", "condition": "below", "threshold": 1000, "days": 7},
            "when revenue of Search falls below €1,000.00 over the last 7 days",
        ),
        ({"metric": "roas", "condition": "above", "threshold": 2.5}, "when ROAS of Search rises above 2.50 on a day"),
        (
            {"metric": "conversions", "condition": "below", "threshold": 3, "days": 30, "goal": Goal(name="Lead")},
            "when conversions to Lead of Search fall below 3 over the last 30 days",
        ),
        (
            {"metric": "revenue", "condition": "anomaly", "goal": Goal(name="Purchase", is_default=True)},
            "when revenue of Search is unlike the days before",
        ),
    ],
)
def test_an_alert_says_when_it_is_raised(values: dict[str, object], says: str) -> None:
    alert = Alert(workspace=Workspace(currency="EUR"), channel=Channel(name="Search"), **values)
    assert watched_in_words(alert) == says
