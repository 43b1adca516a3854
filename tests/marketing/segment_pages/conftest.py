"""A shop with some channels, a segment and, if asked for, data to count."""

from collections.abc import Callable

import pytest

from accounts.models import Workspace
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, Import, SavedSegment, Segment
from marketing.receivers import create_default_goals
from marketing.selectors import load_touches_and_conversions
from tests.marketing.segment_pages.sending import NEWNESS, keep


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """A workspace with the goals that a new one has, three channels and an attribute."""
    create_default_goals(workspace=workspace)
    for name in ("Email", "Search", "Display"):
        create_channel(workspace=workspace, name=name, type=Channel.Type.OWNED)
    Segment.objects.create(workspace=workspace, name="Loyal")
    return workspace


@pytest.fixture
def saved(shop: Workspace) -> SavedSegment:
    return keep(shop, "First-timers", NEWNESS)


@pytest.fixture
def some_data(shop: Workspace, import_rows: Callable[..., Import]) -> None:
    """Three conversions of March 2026, all there is to count, and a snapshot of them."""
    import_rows("touchpoints", "customer,occurred_at,channel\nanna,2026-03-01T10:00Z,Email\n")
    rows = ("anna,2026-03-02T12:00Z,100", "anna,2026-03-20T12:00Z,50", "ben,2026-03-03T12:00Z,30")
    import_rows("conversions", "\n".join(["customer,occurred_at,value", *rows, ""]))
    shop.period_days = 3650
    shop.save(update_fields=["period_days"])
    load_touches_and_conversions(workspace=shop)
