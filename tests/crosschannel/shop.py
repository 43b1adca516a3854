"""Some hundred journeys as rows to import, and one by one, so that plain loops can count them."""

import datetime as dt
import random
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

START, END = dt.date(2026, 3, 1), dt.date(2026, 5, 10)
PERIOD = {"start": START.isoformat(), "end": END.isoformat(), "window_days": 30}
CUSTOMERS = 500
CHANNELS = ("Email", "Search", "Display", "Social")
RARE, RARE_EVERY = "Radio", 25  # a fifth channel, which only every so many customers meet
RATE, RATE_WITH_BOTH = 0.25, 0.6  # of journeys with Email and Search

_BEGINS = dt.datetime.combine(START, dt.time(), tzinfo=dt.UTC)


class Touched(NamedTuple):
    at: dt.datetime
    channel: str


class Journey(NamedTuple):
    """`at`: of the conversion, or of the last touch of a journey that does not convert."""

    customer: str
    touches: tuple[Touched, ...]
    at: dt.datetime
    converted: bool
    value: int

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(touch.channel for touch in self.touches)

    def first(self, channel: str) -> dt.datetime:
        return next(touch.at for touch in self.touches if touch.channel == channel)


@cache
def journeys() -> tuple[Journey, ...]:
    """All journeys; every tenth customer who converts does so twice, after the same touches."""
    rng = random.Random(7)
    found: list[Journey] = []
    for number in range(CUSTOMERS):
        at = _BEGINS + dt.timedelta(hours=rng.randrange(24 * 45))
        touches = []
        for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
            touches.append(Touched(at, rng.choice(CHANNELS)))
            at += dt.timedelta(minutes=rng.randrange(10, 7 * 24 * 60))
        if number % RARE_EVERY == 0:
            touches.append(Touched(at, RARE))
        customer, touched = f"customer-{number}", tuple(touches)
        both = {"Email", "Search"} <= {touch.channel for touch in touched}
        if rng.random() >= (RATE_WITH_BOTH if both else RATE):
            found.append(Journey(customer, touched, touched[-1].at, False, 0))
            continue
        times = 2 if number % 10 == 0 else 1
        for which in range(times):
            bought_at = touched[-1].at + dt.timedelta(hours=6 + 30 * which)
            found.append(Journey(customer, touched, bought_at, True, 10 + number % 90))
    return tuple(found)


def holding(*channels: str) -> list[Journey]:
    """The journeys that hold all of these channels."""
    return [journey for journey in journeys() if set(channels) <= set(journey.channels)]


def touch_rows() -> Iterator[str]:
    yield "customer,occurred_at,channel"
    for customer, touches in {journey.customer: journey.touches for journey in journeys()}.items():
        yield from (f"{customer},{touch.at:%Y-%m-%dT%H:%M:%SZ},{touch.channel}" for touch in touches)


def conversion_rows() -> Iterator[str]:
    yield "customer,occurred_at,value"
    for journey in journeys():
        if journey.converted:
            yield f"{journey.customer},{journey.at:%Y-%m-%dT%H:%M:%SZ},{journey.value}"
