"""Parameters of the demo world: one home and living retailer in Germany, its channels, segments and economics.

Everything that the simulation treats as a cause is a number in this file, so that the truth can be stated and changed
in one place. Rates are per day, money is euros, log odds are added to the purchase log odds of a consideration.
"""

import datetime
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CURRENCY = "EUR"
TIME_ZONE = "Europe/Berlin"
HOLIDAY_COUNTRY = "DE"

DEFAULT_SEED = 7
DEFAULT_DAYS = 730
MINIMUM_DAYS = 180
EARLIEST_START = datetime.date(2001, 1, 1)
BURN_IN_DAYS = (
    60  # simulated before the first reported day, so that carry-over and open considerations exist on day one
)

EVERY_MONTH = tuple(range(1, 13))


@dataclass(frozen=True)
class Origin:
    """Where a touch comes from, as an analytics tool records it; `share` is relative within the channel."""

    source: str
    medium: str
    share: float


@dataclass(frozen=True)
class Campaign:
    """A campaign that takes `share` (relative) of its channel's spend and touches in `months`."""

    name: str
    share: float
    months: tuple[int, ...] = EVERY_MONTH


@dataclass(frozen=True)
class Flight:
    """ISO weeks `first_week`..`last_week` of every year in which a flighted channel runs at `level` x its budget."""

    first_week: int
    last_week: int
    level: float


@dataclass(frozen=True)
class Media:
    """A channel's spend plan and its response.

    Daily spend is `daily_budget` x season ** `season_exponent` x noise x the level of
    the flights, or of deliberate pulses for a channel without flights. Intensity is the
    Hill curve of the adstocked spend: retention per day, half saturation in multiples of `daily_budget`, 1 at budget.
    `considerations_per_day` are the extra purchase considerations that the channel sparks at intensity 1.
    """

    daily_budget: float
    retention_per_day: float
    half_saturation: float
    slope: float
    cost_per_mille: float
    click_rate: float
    season_exponent: float = 0.5
    considerations_per_day: float = 0.0
    flights: tuple[Flight, ...] = ()


@dataclass(frozen=True)
class Channel:
    """A channel: how its touches arise within a consideration, and what a touch does.

    `touches_per_day` is the expected number per day of consideration at intensity 1; `intent_slope` makes touches more
    likely for people who would buy anyway (selection, not effect); `placement` are the Beta parameters of a touch's
    position in the consideration; `log_odds` is the causal effect of at least one touch.
    """

    name: str
    type: str
    touches_per_day: float = 0.0
    log_odds: float = 0.0
    intent_slope: float = 0.0
    placement: tuple[float, float] = (1.0, 1.0)
    impression_share: float = 0.0
    segment_affinity: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origins: tuple[Origin, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    media: Media | None = None


@dataclass(frozen=True)
class Segment:
    """A customer segment: its share of customers, how often it considers buying, and how it buys."""

    name: str
    share: float
    activity: float
    purchase_log_odds: float
    lead_log_odds: float
    median_order_value: float


@dataclass(frozen=True)
class Pair:
    """Two channels whose joint presence adds `log_odds` beyond the sum of their own effects."""

    kind: str
    first: str
    second: str
    log_odds: float


SEGMENTS = (
    Segment("New", 0.62, 1.0, -2.94, -3.00, 320.0),
    Segment("Returning", 0.28, 1.5, -2.49, -3.20, 355.0),
    Segment("Loyal", 0.10, 2.4, -2.14, -3.50, 390.0),
)

CHANNELS = (
    Channel(
        name="Paid Search",
        type="paid",
        touches_per_day=0.061,
        log_odds=0.5,
        intent_slope=0.25,
        placement=(1.6, 1.1),
        origins=(Origin("google", "cpc", 0.86), Origin("bing", "cpc", 0.14)),
        campaigns=(
            Campaign("Brand", 0.45),
            Campaign("Generic Living Room", 0.30),
            Campaign("Generic Bedroom", 0.25),
            Campaign("Garden Season", 0.20, (3, 4, 5, 6, 7)),
        ),
        media=Media(230.0, 0.05, 1.6, 1.1, 24.0, 0.040, season_exponent=0.8),
    ),
    Channel(
        name="Paid Shopping",
        type="paid",
        touches_per_day=0.051,
        log_odds=0.42,
        intent_slope=0.10,
        placement=(1.4, 1.1),
        origins=(Origin("google", "cpc", 0.90), Origin("bing", "cpc", 0.10)),
        campaigns=(
            Campaign("Shopping Bestsellers", 0.55),
            Campaign("Shopping Full Range", 0.45),
            Campaign("Shopping Christmas", 0.50, (11, 12)),
        ),
        media=Media(190.0, 0.05, 1.4, 1.1, 9.0, 0.011, season_exponent=0.7),
    ),
    Channel(
        name="Paid Social",
        type="paid",
        touches_per_day=0.061,
        log_odds=0.18,
        placement=(1.0, 1.7),
        impression_share=0.35,
        segment_affinity=(1.15, 0.85, 0.70),
        origins=(
            Origin("instagram", "paid_social", 0.46),
            Origin("facebook", "paid_social", 0.38),
            Origin("pinterest", "paid_social", 0.16),
        ),
        campaigns=(
            Campaign("Prospecting Inspiration", 0.60),
            Campaign("Prospecting Catalogue", 0.40),
            Campaign("Spring Collection", 0.35, (3, 4, 5)),
            Campaign("Christmas Gifts", 0.45, (11, 12)),
        ),
        media=Media(240.0, 0.45, 1.5, 1.3, 7.5, 0.009, season_exponent=0.4, considerations_per_day=6.0),
    ),
    Channel(
        name="Paid Video",
        type="paid",
        touches_per_day=0.029,
        log_odds=0.1,
        placement=(1.0, 2.2),
        impression_share=0.85,
        segment_affinity=(1.20, 0.80, 0.60),
        origins=(Origin("youtube", "cpv", 1.0),),
        campaigns=(
            Campaign("Room Makeovers", 1.0),
            Campaign("Garden Stories", 0.8, (4, 5, 6)),
            Campaign("Christmas Film", 0.8, (11, 12)),
        ),
        media=Media(
            115.0,
            0.70,
            1.8,
            1.4,
            11.0,
            0.002,
            season_exponent=0.2,
            considerations_per_day=3.2,
            flights=(
                Flight(2, 5, 0.8),
                Flight(9, 13, 1.4),
                Flight(17, 21, 1.2),
                Flight(25, 27, 0.9),
                Flight(33, 37, 1.3),
                Flight(42, 44, 1.1),
                Flight(47, 50, 1.9),
            ),
        ),
    ),
    Channel(
        name="Display",
        type="paid",
        touches_per_day=0.051,
        log_odds=0.06,
        intent_slope=0.62,
        placement=(3.2, 1.0),
        impression_share=0.60,
        origins=(Origin("criteo", "display", 0.64), Origin("dv360", "display", 0.36)),
        campaigns=(
            Campaign("Retargeting Basket", 0.60),
            Campaign("Retargeting Viewed Products", 0.40),
            Campaign("Retargeting Sale", 0.30, (1, 7, 11, 12)),
        ),
        media=Media(125.0, 0.15, 1.3, 1.2, 3.6, 0.0022, season_exponent=0.6),
    ),
    Channel(
        name="Affiliates",
        type="paid",
        touches_per_day=0.018,
        log_odds=0.26,
        intent_slope=0.25,
        placement=(2.2, 1.0),
        origins=(Origin("awin", "affiliate", 0.70), Origin("cj", "affiliate", 0.30)),
        campaigns=(Campaign("Cashback Partners", 0.55), Campaign("Content Partners", 0.45)),
        media=Media(62.0, 0.10, 1.6, 1.1, 14.0, 0.016, season_exponent=0.7),
    ),
    Channel(
        name="Organic Search",
        type="organic",
        touches_per_day=0.076,
        log_odds=0.45,
        intent_slope=0.12,
        placement=(1.2, 1.2),
        origins=(Origin("google", "organic", 0.90), Origin("bing", "organic", 0.06), Origin("ecosia", "organic", 0.04)),
    ),
    Channel(
        name="Organic Social",
        type="organic",
        touches_per_day=0.022,
        log_odds=0.12,
        placement=(1.0, 1.6),
        segment_affinity=(1.05, 1.0, 0.9),
        origins=(
            Origin("instagram", "social", 0.55),
            Origin("facebook", "social", 0.25),
            Origin("pinterest", "social", 0.20),
        ),
    ),
    Channel(
        name="Referral",
        type="organic",
        touches_per_day=0.015,
        log_odds=0.22,
        origins=(Origin("schoener-wohnen.de", "referral", 0.6), Origin("testberichte.de", "referral", 0.4)),
    ),
    Channel(
        name="Direct",
        type="organic",
        touches_per_day=0.044,
        intent_slope=0.45,
        placement=(1.9, 1.0),
        segment_affinity=(0.75, 1.25, 1.70),
        origins=(Origin("(direct)", "(none)", 1.0),),
    ),
    Channel(
        name="Email",
        type="owned",
        touches_per_day=0.044,
        log_odds=0.26,
        intent_slope=0.08,
        placement=(1.3, 1.0),
        segment_affinity=(0.70, 1.40, 1.90),
        origins=(Origin("newsletter", "email", 0.75), Origin("crm", "email", 0.25)),
        campaigns=(
            Campaign("Weekly Newsletter", 0.60),
            Campaign("Abandoned Basket", 0.25),
            Campaign("Sale Mailing", 0.40, (1, 6, 7, 11, 12)),
        ),
    ),
    Channel(
        name="TV",
        type="offline",
        campaigns=(
            Campaign("Spring Spot", 1.0, (1, 2, 3, 4, 5, 6)),
            Campaign("Autumn Spot", 1.0, (7, 8, 9, 10, 11, 12)),
        ),
        media=Media(
            215.0,
            0.85,
            1.9,
            1.3,
            12.0,
            0.0,
            season_exponent=0.0,
            considerations_per_day=11.0,
            flights=(
                Flight(3, 5, 1.6),
                Flight(11, 15, 2.6),
                Flight(22, 24, 1.8),
                Flight(35, 39, 2.8),
                Flight(46, 50, 3.2),
            ),
        ),
    ),
    Channel(
        name="Radio",
        type="offline",
        campaigns=(Campaign("Regional Spots", 1.0),),
        media=Media(
            70.0,
            0.60,
            1.6,
            1.2,
            6.0,
            0.0,
            season_exponent=0.0,
            considerations_per_day=4.4,
            flights=(
                Flight(2, 3, 1.6),
                Flight(7, 9, 2.2),
                Flight(14, 16, 1.8),
                Flight(20, 21, 2.4),
                Flight(27, 30, 1.9),
                Flight(37, 38, 2.0),
                Flight(41, 43, 2.6),
                Flight(48, 49, 1.6),
            ),
        ),
    ),
)

PAIRS = (
    Pair("synergy", "Paid Social", "Email", 0.60),
    Pair("cannibalisation", "Paid Search", "Organic Search", -0.60),
)

CUSTOMERS = 90_000  # people in the market; those who never leave a trace do not appear in any table
DEMAND_PER_DAY = 78.0  # considerations that arise without media, on an average day of the first reported year
GROWTH_PER_YEAR = 0.06
INTENT_SD = 0.55  # spread of the unobserved readiness to buy, in log odds
SPARKED_INTENT = -0.10  # people set thinking by an ad are a little less ready than those who came by themselves
DURATION_SHAPE, DURATION_SCALE_DAYS, DURATION_LIMIT_DAYS = 1.7, 3.1, 28.0
TOUCH_LIMIT = 3  # frequency cap: touches of one channel within one consideration
DECISION_DELAY_DAYS = 0.12
PRICE_ELASTICITY = -2.2  # log odds per log of the price index / 100
PROMOTION_LOG_ODDS_PER_POINT = 0.018  # per percentage point of discount
ORDER_VALUE_SD = 0.45  # of the log order value
DISCOUNTED_SHARE = 0.6  # part of a basket that a promotion discounts
LEAD_SENSITIVITY = 0.8  # of the lead log odds to touches, relative to the purchase log odds


def channel_named(name: str) -> Channel:
    """The channel called `name`; raises KeyError if the world has none."""
    return _CHANNEL_BY_NAME[name]


def media_channels() -> tuple[tuple[Channel, Media], ...]:
    """Channels that cost money, with their plan, in the world's order."""
    return tuple((channel, channel.media) for channel in CHANNELS if channel.media is not None)


def touch_channels() -> tuple[Channel, ...]:
    """Channels that leave touches, in the world's order: the columns of every presence matrix."""
    return tuple(channel for channel in CHANNELS if channel.touches_per_day > 0)


def random_stream(*, seed: int, name: str) -> np.random.Generator:
    """An independent generator for each named part of the world.

    One stream per part gives common random numbers: a world without one channel draws the same numbers for all others.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


_CHANNEL_BY_NAME = {channel.name: channel for channel in CHANNELS}
