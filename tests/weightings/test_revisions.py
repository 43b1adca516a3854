"""What has changed between the data of two models."""

from dataclasses import replace

import numpy as np
import pytest

from marketing.frames import MediaPanel
from tests.weightings.demo_panels import up_to, with_spend_restated
from tests.weightings.forecasts import market
from tests.weightings.worlds import panel
from weightings.methods.revisions import Restated, revisions

MARKET = market(history=0)
SAME = {"TV": "TV", "Search": "Search", "Blog": "Blog"}


def test_nothing_has_changed() -> None:
    found = revisions(MARKET, MARKET, SAME)
    assert (found.common, found.added_before, found.added_after, found.removed) == (60, 0, 0, 0)
    assert (found.outcome, found.spend, found.appeared, found.left) == (None, (), (), ())
    assert (found.other_appeared, found.other_left) == ((), ())


def test_weeks_that_have_come_are_counted_at_both_ends() -> None:
    shorter = up_to(MARKET, 50)
    found = revisions(shorter, MARKET, SAME)
    assert (found.common, found.added_before, found.added_after, found.removed) == (50, 0, 10, 0)
    assert found.outcome is None
    back = revisions(MARKET, shorter, SAME)
    assert (back.common, back.added_after, back.removed) == (50, 0, 10)
    later = replace(MARKET, period_start=MARKET.period_start + 7 * 4)
    shifted = revisions(later, MARKET, SAME)
    assert (shifted.common, shifted.added_before, shifted.added_after, shifted.removed) == (56, 4, 0, 4)


def test_history_before_the_outcome_is_no_part_of_it() -> None:
    with_history = market(history=6)
    found = revisions(up_to_outcome(with_history, 40), with_history, SAME)
    assert (found.common, found.added_before, found.added_after) == (40, 0, 20)
    assert found.spend == ()


def up_to_outcome(of: MediaPanel, weeks: int) -> MediaPanel:
    """The first weeks of a panel with history."""
    tables = {
        name: getattr(of, name)[: of.history + weeks]
        for name in ("period_start", "spend", "exposure", "organic_exposure")
    }
    return replace(
        of, **tables, **{name: getattr(of, name)[:weeks] for name in ("outcome", "control", "event", "holiday")}
    )


def test_restated_values_by_hand() -> None:
    first = panel(np.array([10.0, 20.0, 30.0, np.nan]), np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]]))
    spend = first.spend.copy()
    spend[1:3, 0] = [4.0, 3.5]
    second = replace(first, outcome=np.array([10.0, 22.0, 30.0, 40.0]), spend=spend)
    found = revisions(first, second, {"Channel 1": "Channel 1", "Channel 2": "Channel 2"})
    assert found.outcome == Restated(name="Sales", before=60.0, after=102.0, periods=2), "one became known"
    assert found.spend == (Restated(name="Channel 1", before=10.0, after=12.5, periods=2),)


def test_an_outcome_that_does_not_add_up_has_means() -> None:
    bounded = market(history=0, bounded=True)
    outcome = bounded.outcome.copy()
    outcome[:30] += 10
    found = revisions(bounded, replace(bounded, outcome=outcome), SAME)
    assert found.outcome is not None
    assert found.outcome.after - found.outcome.before == pytest.approx(5.0)


def test_only_what_both_know_is_compared() -> None:
    """Weeks behind the earlier data's end are new, not restated."""
    shorter = up_to(MARKET, 50)
    found = revisions(shorter, with_spend_restated(MARKET, "TV", 2.0, 60), SAME)
    (tv,) = found.spend
    assert (tv.name, tv.periods) == ("TV", int((MARKET.spend[:50, 0] > 0).sum()))
    assert tv.after == pytest.approx(2 * tv.before)


def test_rounding_is_no_restatement() -> None:
    found = revisions(MARKET, replace(MARKET, outcome=MARKET.outcome * (1 + 1e-13)), SAME)
    assert found.outcome is None


def test_channels_come_and_go_under_their_present_names() -> None:
    named = replace(MARKET, channels=("Television", "Search"))
    assert revisions(MARKET, named, {**SAME, "TV": "Television"}).spend == ()
    as_new = revisions(MARKET, named, SAME)
    assert (as_new.appeared, as_new.left) == (("Television",), ("TV",))
    more = replace(MARKET, controls=("Weather",), events=(), event=np.zeros((60, 0)))
    others = revisions(MARKET, more, SAME)
    assert (others.other_appeared, others.other_left) == (("Weather",), ("Price", "Sale"))


def test_channels_that_are_one_now_are_not_compared() -> None:
    merged = replace(
        MARKET,
        channels=("Media",),
        spend=MARKET.spend.sum(axis=1, keepdims=True),
        exposure=MARKET.exposure.sum(axis=1, keepdims=True),
        exposure_units=("spend",),
    )
    found = revisions(MARKET, merged, {"TV": "Media", "Search": "Media", "Blog": "Blog"})
    assert (found.spend, found.appeared, found.left) == ((), (), ())


@pytest.mark.parametrize("by", ["month", "another weekday"])
def test_other_periods_cannot_be_compared(by: str) -> None:
    other = (
        replace(MARKET, granularity="month") if by == "month" else replace(MARKET, period_start=MARKET.period_start + 3)
    )
    with pytest.raises(ValueError, match="by different periods"):
        revisions(MARKET, other, SAME)
