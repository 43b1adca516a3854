"""What people do in the end: purchases and leads, and the daily outcomes that a retailer watches."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketing.demo import seasons, world
from marketing.demo.journeys import Considerations
from marketing.demo.media import MediaPlan, intensity
from marketing.demo.seasons import Clock
from marketing.demo.world import BoolArray, FloatArray

PURCHASE, LEAD = "Purchase", "Lead"
SALES, BRAND_AWARENESS, WEBSITE_TRAFFIC, APP_INSTALLS = "Sales", "Brand awareness", "Website traffic", "App installs"

# Sessions: visits of identified customers are a part of all visits, and spots on air send people to the site at once.
SESSIONS_PER_TRACKED_CLICK = 4.5
OTHER_SESSIONS_PER_DAY = 900.0
SESSIONS_ON_AIR = {"TV": 260.0, "Radio": 80.0}
INSTALLS_PER_DAY = 22.0
INSTALLS_FROM_MEDIA = {"Paid Social": 9.0, "Paid Video": 4.0, "TV": 5.0}
AWARENESS_BASE = 31.0
AWARENESS_POINTS = {"TV": 9.0, "Paid Video": 3.5, "Radio": 1.5}  # gained in the long run at intensity 1
AWARENESS_RETENTION_PER_DAY = 0.97
AWARENESS_SURVEY_SD = 0.7


@dataclass(frozen=True)
class Behaviour:
    """What each consideration would come to, before its channels are counted; all arrays (E,).

    `purchase_log_odds` and `lead_log_odds` exclude touches, `expected_value` is the mean order value in euros given a
    purchase, `value` the order value drawn; `decides` and `inquires` say whether that moment lies in the reported days.
    """

    purchase_log_odds: FloatArray
    lead_log_odds: FloatArray
    expected_value: FloatArray
    value: FloatArray
    decides: BoolArray
    inquires: BoolArray


def behaviour(*, clock: Clock, seed: int, considerations: Considerations) -> Behaviour:
    """Segment, intent, price and promotion of the day: everything but the touches."""
    decision = np.where(np.isfinite(considerations.decision), considerations.decision, clock.hours - 1)
    day = clock.day_of(decision)
    price = seasons.price_index(clock=clock, seed=seed)[day] / 100
    discount = seasons.promotion(clock)[day]
    segment = considerations.segment
    offer = world.PRICE_ELASTICITY * np.log(price) + world.PROMOTION_LOG_ODDS_PER_POINT * discount
    median = np.array([item.median_order_value for item in world.SEGMENTS])[segment]
    typical = median * price * (1 - world.DISCOUNTED_SHARE * discount / 100)
    purchase = np.array([item.purchase_log_odds for item in world.SEGMENTS])[segment]
    lead = np.array([item.lead_log_odds for item in world.SEGMENTS])[segment]
    first = clock.first_reported_hour
    return Behaviour(
        purchase_log_odds=purchase + considerations.intent + offer,
        lead_log_odds=lead + considerations.intent + 0.5 * offer,
        expected_value=typical * np.exp(world.ORDER_VALUE_SD**2 / 2),
        value=np.round(typical * np.exp(world.ORDER_VALUE_SD * considerations.value_draw), 2),
        decides=np.isfinite(considerations.decision) & (considerations.decision >= first),
        inquires=np.isfinite(considerations.inquiry) & (considerations.inquiry >= first),
    )


def touch_log_odds(met: BoolArray, *, with_pairs: bool = True) -> FloatArray:
    """Log odds (E,) that the channels met (E, touch channels) add: own effects and, `with_pairs`, joint effects."""
    channels = world.touch_channels()
    added: FloatArray = met @ np.array([channel.log_odds for channel in channels])
    if with_pairs:
        column = {channel.name: index for index, channel in enumerate(channels)}
        for pair in world.PAIRS:
            added = added + pair.log_odds * (met[:, column[pair.first]] & met[:, column[pair.second]])
    return added


def logistic(log_odds: FloatArray) -> FloatArray:
    """Probability of given log odds."""
    probability: FloatArray = 1 / (1 + np.exp(-log_odds))
    return probability


def purchase_probability(*, behaviour: Behaviour, met: BoolArray, with_pairs: bool = True) -> FloatArray:
    """Probability (E,) of a purchase on a reported day, given the channels met."""
    log_odds = behaviour.purchase_log_odds + touch_log_odds(met, with_pairs=with_pairs)
    return np.where(behaviour.decides, logistic(log_odds), 0.0)


def lead_probability(*, behaviour: Behaviour, met: BoolArray) -> FloatArray:
    """Probability (E,) of a lead on a reported day, given the channels met."""
    log_odds = behaviour.lead_log_odds + world.LEAD_SENSITIVITY * touch_log_odds(met)
    return np.where(behaviour.inquires, logistic(log_odds), 0.0)


def daily_outcomes(
    *, clock: Clock, seed: int, plans: tuple[MediaPlan, ...], sales: FloatArray, tracked_clicks: FloatArray
) -> pd.DataFrame:
    """The outcomes by reported day. `sales` and `tracked_clicks` are (D,) sums over the purchases and the clicks."""
    reach = {plan.channel.name: intensity(spend=plan.spend, media=plan.media) for plan in plans}
    series = {
        SALES: np.round(sales, 2),
        BRAND_AWARENESS: _brand_awareness(clock=clock, seed=seed, reach=reach),
        WEBSITE_TRAFFIC: _website_traffic(clock=clock, seed=seed, reach=reach, tracked_clicks=tracked_clicks),
        APP_INSTALLS: _app_installs(clock=clock, seed=seed, reach=reach),
    }
    return _by_day(clock=clock, label="outcome", series=series)


def daily_controls(*, clock: Clock, seed: int) -> pd.DataFrame:
    """Price index (100 in the long run) and promotion (percentage points of discount) by reported day."""
    series = {"Price index": seasons.price_index(clock=clock, seed=seed), "Promotion": seasons.promotion(clock)}
    return _by_day(clock=clock, label="control", series=series)


def _brand_awareness(*, clock: Clock, seed: int, reach: dict[str, FloatArray]) -> FloatArray:
    """Percent of people who name the brand (D,): a stock that media fill and time empties, plus survey error."""
    pressure = np.sum([points * reach[name] for name, points in AWARENESS_POINTS.items()], axis=0)
    stock = np.empty_like(pressure)
    current = float(pressure.mean())
    for day, points in enumerate(pressure):
        current = AWARENESS_RETENTION_PER_DAY * current + (1 - AWARENESS_RETENTION_PER_DAY) * points
        stock[day] = current
    error = AWARENESS_SURVEY_SD * seasons.daily_normal(clock=clock, seed=seed, name="awareness survey")
    percent: FloatArray = np.round(np.clip(AWARENESS_BASE + stock + error, 0, 100), 2)
    return percent


def _website_traffic(
    *, clock: Clock, seed: int, reach: dict[str, FloatArray], tracked_clicks: FloatArray
) -> FloatArray:
    expected = OTHER_SESSIONS_PER_DAY * seasons.demand(clock=clock, seed=seed)
    expected = expected + SESSIONS_PER_TRACKED_CLICK * tracked_clicks
    for name, sessions in SESSIONS_ON_AIR.items():
        expected = expected + sessions * reach[name]
    return world.random_stream(seed=seed, name="website traffic").poisson(expected).astype(np.float64)


def _app_installs(*, clock: Clock, seed: int, reach: dict[str, FloatArray]) -> FloatArray:
    expected = INSTALLS_PER_DAY * seasons.demand(clock=clock, seed=seed)
    for name, installs in INSTALLS_FROM_MEDIA.items():
        expected = expected + installs * reach[name]
    return world.random_stream(seed=seed, name="app installs").poisson(expected).astype(np.float64)


def _by_day(*, clock: Clock, label: str, series: dict[str, FloatArray]) -> pd.DataFrame:
    """Stack daily series (D,) into rows of date, label and value, ordered by date."""
    dates = clock.dates[clock.first_reported_day :].astype("datetime64[us]")
    return pd.DataFrame(
        {
            "date": np.repeat(dates, len(series)),
            label: np.tile(np.array(list(series)), len(dates)),
            "value": np.stack([clock.reported(values) for values in series.values()], axis=1).ravel(),
        }
    )
