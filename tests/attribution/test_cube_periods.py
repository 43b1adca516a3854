"""The cube against what it stands for: attribution runs of any period, and the spend in the database."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from django.db.models import Sum

from accounts.models import Workspace
from attribution.cube.daily_cube import latest_cube, refresh_cube
from attribution.cube.kept_models import RULES
from attribution.custom import custom_models
from attribution.labels import NONE
from attribution.methods.cube import NO_CAMPAIGN, UNTOUCHED, Part, Sums
from attribution.methods.custom_definition import parse
from jobs.execution import execute
from marketing.importing.undo import undo_imports
from marketing.models import Campaign, Channel, ChannelSpend, Goal, Import
from marketing.periods import day_number
from marketing.sources import NO_CAMPAIGN as NOT_SET
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows

SOURCES = ("Email,,,Spring", "Search,,,", "Direct,,,", ",google,organic,Spring", ",newsletter,email,=Sum", "TV,,,TV")
GOALS = ("Purchase", "Lead")
PERIODS = (
    ("2026-02-20", "2026-04-10"),
    ("2026-03-28", "2026-03-29"),  # clocks go forward at the end of it
    ("2026-03-29", "2026-03-29"),
    ("2026-03-30", "2026-04-01"),
)
# It looks at channels, their types and campaigns, and leaves journeys of Email alone without any weight.
OURS = {
    "position": {"first": 50, "middle": 20, "last": 30},
    "channels": {"Email": 0, "Search": 2},
    "channel_types": {"offline": 3},
    "half_life_days": 5,
    "rules": [{"when": {"campaign": {"contains": "spring"}, "age_days": {"below": 4}}, "factor": 1.5}],
}


@pytest.fixture
def berlin(shop: Workspace, import_rows: ImportRows) -> Workspace:
    """Touches and conversions at all hours of two months in Berlin, some to the minute of midnight."""
    shop.timezone, shop.window_days = "Europe/Berlin", 10
    shop.save(update_fields=["timezone", "window_days"])
    rng = np.random.default_rng(20260329)
    start = dt.datetime(2026, 2, 20, tzinfo=dt.UTC)

    def moments(count: int) -> list[str]:
        minutes = rng.integers(0, 48 * 24 * 60, count).tolist()
        return [f"{start + dt.timedelta(minutes=minute):%Y-%m-%dT%H:%MZ}" for minute in minutes]

    midnights = ("2026-03-28T22:59Z", "2026-03-28T23:00Z", "2026-03-29T21:59Z", "2026-03-29T22:00Z")
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,source,medium,campaign",
        *(f"c{rng.integers(40)},{at},{SOURCES[rng.integers(len(SOURCES))]}" for at in moments(600)),
    )
    import_rows(
        "conversions",
        "customer,occurred_at,goal,value",
        *(
            f"c{rng.integers(45)},{at},{GOALS[n % 2]},{rng.integers(1, 30000) / 100:.2f}"
            for n, at in enumerate([*moments(200), *midnights, *midnights])
        ),
    )
    return shop


def part_of(workspace: Workspace, start: str, end: str, goal: str = "Purchase") -> Part:
    daily = latest_cube(workspace=workspace)
    assert daily is not None
    first, last = (day_number(dt.date.fromisoformat(day)) for day in (start, end))
    return daily.cube.part(first_day=first, last_day=last, goal=Goal.objects.get(workspace=workspace, name=goal).pk)


def compute(workspace: Workspace) -> None:
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)


def by_name(sums: Sums, model: int, names: dict[int, str]) -> dict[str, Any]:
    """Group -> (conversions, value) where there is any credit, and "(none)" in any case."""
    figures = zip(sums.conversions[:, model].tolist(), sums.value[:, model].tolist(), strict=True)
    credited = {names[key]: row for key, row in zip(sums.key.tolist(), figures, strict=True) if any(row)}
    return {NONE: (0.0, 0.0)} | credited


def names_of(rows: Iterable[tuple[int, str]]) -> dict[int, str]:
    return {NO_CAMPAIGN: NOT_SET, UNTOUCHED: NONE} | dict(rows)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize(("start", "end"), PERIODS)
def test_any_period_of_the_cube_is_the_attribution_run_of_that_period(
    berlin: Workspace, attribute: Attribute, start: str, end: str, goal: str
) -> None:
    ours = custom_models.create(workspace=berlin, name="Ours", definition=parse(OURS), by=None)
    compute(berlin)
    part = part_of(berlin, start, end, goal)
    channels = names_of(Channel.objects.filter(workspace=berlin).values_list("pk", "name"))
    campaigns = names_of(Campaign.objects.filter(workspace=berlin).values_list("pk", "name"))
    for dimension, sums, names in (
        ("channel", part.by_channel(), channels),
        ("campaign", part.by_campaign(), campaigns),
    ):
        question = {"goal": goal, "start": start, "end": end, "dimension": dimension, "window_days": 10}
        run = attribute(model=[*RULES, f"custom:{ours.pk}"], replicates=100, **question)
        assert run.result is not None, run.job.error
        assert run.result["totals"]["conversions"] > 0
        for row, name in enumerate([*RULES, f"custom:{ours.pk}@1"]):
            groups = run.result["models"][name][f"{dimension}s"]
            figures = {group[dimension]: (group["conversions"], group["value"]) for group in groups}
            expected = {group: pair for group, pair in figures.items() if any(pair) or group == NONE}
            found = by_name(sums, row, names)
            assert found.keys() == expected.keys()
            for group, pair in expected.items():
                assert found[group] == pytest.approx(pair, rel=1e-9, abs=1e-9)


def test_spend_is_what_the_database_adds_up_to(shop: Workspace, import_rows: ImportRows) -> None:
    """Geos are added up; what was restated, undone or never said counts for nothing."""
    channels, campaigns, geos = ("TV", "Email", "Search"), ("", "Spring"), ("", "North")
    lines = [
        f"2026-03-{1 + n % 9:02},{channels[n % 3]},{campaigns[n % 2]},{geos[n % 4 // 2]},{n + 1}.25" for n in range(36)
    ]
    import_rows("spend", "date,channel,campaign,geo,spend", *lines)
    import_rows("spend", "date,channel,campaign,geo,spend", "2026-03-01,TV,,,1000", "2026-03-20,TV,,,500")
    import_rows("media_table", "date,impressions:Radio", "2026-03-02,900")  # its spend is null
    undone = import_rows("spend", "date,channel,spend", "2026-03-03,Cinema,77", "2026-03-04,TV,88")
    undo_imports(workspace=shop, imports=[undone], by=None)
    compute(shop)
    visible = ChannelSpend.objects.filter(batch__status=Import.Status.ACTIVE, shadowed=False)
    for start, end in (("2026-03-01", "2026-03-31"), ("2026-03-02", "2026-03-05"), ("2026-03-20", "2026-03-20")):
        part = part_of(shop, start, end)
        within = visible.filter(date__range=(start, end), spend__gt=0)
        for column, sums in (("channel", part.by_channel()), ("campaign", part.by_campaign())):
            expected = within.order_by().values_list(column).annotate(Sum("spend"))
            found = dict(zip(sums.key.tolist(), sums.spend.tolist(), strict=True))
            assert found == {key or NO_CAMPAIGN: pytest.approx(float(spend)) for key, spend in expected}
        days = dict(within.order_by().values_list("date").annotate(Sum("spend")))
        dates = [dt.date.fromisoformat(start) + dt.timedelta(n) for n in range(len(part.by_day().spend))]
        assert part.by_day().spend.tolist() == pytest.approx([float(days.get(date, 0)) for date in dates])
    assert part_of(shop, "2026-03-20", "2026-03-20").total().spend.tolist() == [500.0]
