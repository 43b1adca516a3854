"""The demo world as tables whose columns are the import fields of each dataset."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from marketing.demo import media, outcomes, world
from marketing.demo.outcomes import LEAD, PURCHASE
from marketing.demo.seasons import Clock
from marketing.demo.simulation import Simulation
from marketing.demo.world import Channel, FloatArray, IntArray

LabelArray = npt.NDArray[np.object_]

TOUCH_KEY = ["customer", "occurred_at", "channel", "campaign", "interaction"]
FIRST_ORDER, FIRST_LEAD = 100_001, 5_001


def touchpoints_table(simulation: Simulation) -> pd.DataFrame:
    """All touches of the reported days, by time; the natural key occurs once."""
    clock, touches = simulation.clock, simulation.touches
    segments = np.array([segment.name for segment in world.SEGMENTS])
    parts = []
    for column, channel in enumerate(world.touch_channels()):
        kept = np.flatnonzero((touches.channel == column) & (touches.at >= clock.first_reported_hour))
        owner = touches.consideration[kept]
        rng = world.random_stream(seed=simulation.seed, name=f"labels {channel.name}")
        part = pd.DataFrame(
            {
                "customer": customer_keys(simulation.considerations.customer[owner]),
                "occurred_at": clock.timestamps(touches.at[kept]),
                "channel": channel.name,
                **_origins(rng=rng, channel=channel, size=len(kept)),
                "campaign": _campaigns(rng=rng, clock=clock, channel=channel, at=touches.at[kept]),
                "interaction": np.where(rng.random(len(kept)) < channel.impression_share, "impression", "click"),
                "segment": segments[simulation.considerations.segment[owner]],
            }
        )
        parts.append(part)
    table = pd.concat(parts, ignore_index=True).astype({"campaign": "str"}).drop_duplicates(TOUCH_KEY)
    return table.sort_values(["occurred_at", "customer"], kind="stable").reset_index(drop=True)


def conversions_table(simulation: Simulation) -> pd.DataFrame:
    """Purchases with their order value and leads with value 0, by time; order ids count up within each goal."""
    considerations = simulation.considerations
    goals = (
        (PURCHASE, simulation.buys, considerations.decision, simulation.behaviour.value, "O", FIRST_ORDER),
        (LEAD, simulation.inquires, considerations.inquiry, np.zeros(len(considerations)), "L", FIRST_LEAD),
    )
    parts = []
    for goal, happened, moment, value, prefix, first_number in goals:
        who = np.flatnonzero(happened)
        who = who[np.argsort(moment[who], kind="stable")]
        part = pd.DataFrame(
            {
                "customer": customer_keys(considerations.customer[who]),
                "occurred_at": simulation.clock.timestamps(moment[who]),
                "goal": goal,
                "value": value[who],
                "order_id": [f"{prefix}-{first_number + number}" for number in range(len(who))],
                "converted": True,
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True).sort_values("occurred_at", kind="stable").reset_index(drop=True)


def spend_table(simulation: Simulation) -> pd.DataFrame:
    """Daily spend, impressions and clicks by channel and campaign."""
    return media.spend_table(clock=simulation.clock, seed=simulation.seed, plans=simulation.plans)


def outcomes_table(simulation: Simulation) -> pd.DataFrame:
    """Daily outcomes; Sales of a local day is exactly the sum of its purchases."""
    clock, considerations, touches = simulation.clock, simulation.considerations, simulation.touches
    days = len(clock.dates)
    buyers = np.flatnonzero(simulation.buys)
    sales = np.bincount(
        clock.day_of(considerations.decision[buyers]), weights=simulation.behaviour.value[buyers], minlength=days
    )
    clicked = np.array([1 - channel.impression_share for channel in world.touch_channels()])
    clicks = np.bincount(clock.day_of(touches.at), weights=clicked[touches.channel], minlength=days)
    return outcomes.daily_outcomes(
        clock=clock,
        seed=simulation.seed,
        plans=simulation.plans,
        sales=sales.astype(np.float64),
        tracked_clicks=clicks.astype(np.float64),
    )


def controls_table(simulation: Simulation) -> pd.DataFrame:
    """Daily price index and promotion."""
    return outcomes.daily_controls(clock=simulation.clock, seed=simulation.seed)


def channels_table() -> pd.DataFrame:
    """Every channel with its type, in the world's order."""
    return pd.DataFrame(
        {
            "channel": [channel.name for channel in world.CHANNELS],
            "type": [channel.type for channel in world.CHANNELS],
        }
    )


def customer_keys(numbers: IntArray) -> LabelArray:
    """Customer keys such as C-004213 for customer numbers."""
    distinct, position = np.unique(numbers, return_inverse=True)
    return np.array([f"C-{number:06d}" for number in distinct], dtype=object)[position]


def _origins(*, rng: np.random.Generator, channel: Channel, size: int) -> dict[str, LabelArray]:
    shares = np.array([origin.share for origin in channel.origins])
    choice = rng.choice(len(shares), size=size, p=shares / shares.sum())
    return {
        "source": np.array([origin.source for origin in channel.origins], dtype=object)[choice],
        "medium": np.array([origin.medium for origin in channel.origins], dtype=object)[choice],
    }


def _campaigns(*, rng: np.random.Generator, clock: Clock, channel: Channel, at: FloatArray) -> LabelArray:
    """Campaign of each touch, by the channel's campaign shares of the day; missing where the channel runs none."""
    if not channel.campaigns:
        return np.full(len(at), None, dtype=object)
    ladder = media.campaign_shares(clock=clock, channel=channel).cumsum(axis=1)[clock.day_of(at)]
    choice = (rng.random(len(at))[:, None] >= ladder[:, :-1]).sum(axis=1)
    campaigns: LabelArray = np.array([campaign.name for campaign in channel.campaigns], dtype=object)[choice]
    return campaigns
