"""Small worlds of journeys over four traffic sources, for tests of the rule models."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from attribution.methods.rules import RuleCredit, RuleModel, rule_credit
from marketing.frames import NO_LEAD, Int64Column, Journeys
from tests.marketing.rows import DAY_US, JourneyRow, Touch, journeys_from, touches_from

# Four sources: two of group 0, of which source 0 is Direct; one of group 1; one of group 2.
GROUP_OF_SOURCE = np.array([0, 1, 2, 0])
DIRECT_SOURCE = np.array([True, False, False, False])
GROUPS = 3
NONE = GROUPS
# Values have six decimals in the database: smaller than that they are zero.
AMOUNTS = st.floats(-100, 1000).map(lambda amount: round(amount, 6))


def credit_of(
    journeys: Journeys,
    models: Sequence[RuleModel],
    *,
    threads: int = 1,
    group_of_source: Int64Column = GROUP_OF_SOURCE,
) -> RuleCredit:
    return rule_credit(
        journeys=journeys,
        models=models,
        group_of_source=group_of_source,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        threads=threads,
    )


def one_journey(
    touches: Sequence[tuple[int, int]],
    value: float = 1.0,
    converted: bool = True,
    *,
    lead_at: int | None = None,
    end: int | None = None,
) -> Journeys:
    """A single journey of (time, source) touches that ends at `end`, else a microsecond after the last of them."""
    if end is None:
        end = max((at for at, _ in touches), default=0) + 1
    columns = touches_from([Touch(0, at, source) for at, source in touches])
    journey = JourneyRow(0, end, converted, value, tuple(range(len(touches))))
    return journeys_from([journey], columns, leads=None if lead_at is None else [lead_at])


@st.composite
def worlds(draw: st.DrawFn) -> Journeys:
    """Journeys over the histories of up to six customers, some with a lead; several journeys may share touches."""
    rows = st.lists(st.builds(Touch, st.integers(0, 5), st.integers(0, 40 * DAY_US), st.integers(0, 3)), max_size=40)
    touches = touches_from(draw(rows))
    size = len(touches.source)
    interaction = draw(st.lists(st.integers(0, 7), min_size=size, max_size=size))
    touches = replace(touches, interaction=np.array(interaction, np.uint8))
    found, leads = [], []
    for customer in range(len(touches.customer_ids)):
        low, high = int(touches.offsets[customer]), int(touches.offsets[customer + 1])
        for start, stop in draw(st.lists(st.tuples(st.integers(low, high), st.integers(low, high)), max_size=3)):
            path = tuple(range(min(start, stop), max(start, stop)))
            found.append(JourneyRow(customer, 41 * DAY_US, draw(st.booleans()), draw(AMOUNTS), path))
            leads.append(draw(st.just(NO_LEAD) | st.integers(0, 41 * DAY_US)))
    return journeys_from(found, touches, leads=leads)
