"""Panels without channels, controls and events that somebody leaves out: what stays, and what is said."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from marketing.channels import merge_channels, rename_channel
from marketing.media_panels import LoadedPanel, PanelProblem
from marketing.models import Outcome
from tests.marketing import test_geo_panel_loading as by_geo
from tests.marketing.test_media_panels import (
    MONDAY,
    add_control,
    add_event,
    add_outcome,
    add_spend,
    by_week,
    channel,
    load,
    numbers,
)

pytestmark = pytest.mark.django_db
DAYS = dt.timedelta(1)


@pytest.fixture
def sales(workspace: Workspace) -> Outcome:
    """Ten weeks of sales with spend on TV, Radio and Search, clicks on a blog, a control and an event."""
    for seed, name in enumerate(("TV", "Radio", "Search"), 1):
        add_spend(workspace, name, numbers(seed))
    add_spend(workspace, "Blog", [None] * 70, clicks=[float(one) for one in numbers(7)])
    add_control(workspace, "Price", numbers(5))
    add_event(workspace, "Strike", MONDAY + 9 * DAYS, MONDAY + 11 * DAYS)
    return add_outcome(workspace, numbers(0))


def said(loaded: LoadedPanel, code: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(remark.sentence, remark.names) for remark in loaded.remarks if remark.code == code]


def test_a_channel_is_as_if_it_had_never_been_imported(workspace: Workspace, sales: Outcome) -> None:
    whole = load(workspace, sales).panel
    loaded = load(workspace, sales, leave_out_channels=("Radio",))
    panel = loaded.panel
    assert (whole.channels, panel.channels) == (("TV", "Radio", "Search"), ("TV", "Search"))
    assert panel.spend.tolist() == whole.spend[:, [0, 2]].tolist()
    assert panel.spend[:, 1].tolist() == by_week(numbers(3))
    assert panel.outcome.tolist() == whole.outcome.tolist() == by_week(numbers(0))
    assert (panel.organic, panel.controls, panel.events) == (("Blog",), ("Price",), ("Strike",))
    assert not any("nothing was spent" in remark.sentence for remark in loaded.remarks)


def test_what_that_means_is_said_with_its_share_of_spend(workspace: Workspace, sales: Outcome) -> None:
    part = sum(numbers(2)) / sum(sum(numbers(seed)) for seed in (1, 2, 3))
    ((sentence, names),) = said(load(workspace, sales, leave_out_channels=("Radio",)), "left_out_channel")
    assert sentence == (
        "“Radio” is left out, as asked: what it brings counts as baseline, or for channels that rise and fall with it. "
        f"It has {part:.0%} of all spend of that time."
    )
    assert names == ("Radio",)
    ((sentence, names),) = said(load(workspace, sales, leave_out_channels=("Blog", "TV")), "left_out_channel")
    assert sentence.startswith("“Blog” and “TV” are left out, as asked: what they bring counts as baseline")
    ((sentence, _),) = said(load(workspace, sales, leave_out_channels=("Blog",)), "left_out_channel")
    assert sentence.endswith("rise and fall with it.")


def test_organic_media_controls_and_events_are_left_out_too(workspace: Workspace, sales: Outcome) -> None:
    loaded = load(workspace, sales, leave_out_channels=("Blog",), leave_out_controls=("Price", "Strike"))
    assert (loaded.panel.organic, loaded.panel.controls, loaded.panel.events) == ((), (), ())
    ((sentence, names),) = said(loaded, "left_out_control")
    assert sentence == (
        "“Price” and “Strike” are left out, as asked: what they move counts as baseline, or for channels that go along "
        "with them."
    )
    assert names == ("Price", "Strike")
    one = load(workspace, sales, leave_out_controls=("Strike",)).panel
    assert (one.controls, one.events) == (("Price",), ())


def test_of_what_has_nothing_in_these_days_nothing_is_said(workspace: Workspace, sales: Outcome) -> None:
    add_spend(workspace, "Cinema", numbers(8), start=MONDAY + 200 * DAYS)
    add_event(workspace, "Later", MONDAY + 200 * DAYS, MONDAY + 201 * DAYS)
    loaded = load(workspace, sales, leave_out_channels=("Cinema", "Unheard of"), leave_out_controls=("Later", "Never"))
    assert not [remark for remark in loaded.remarks if remark.code.startswith("left_out")]


def test_merged_and_renamed_channels_go_by_the_names_that_they_have_now(workspace: Workspace, sales: Outcome) -> None:
    merge_channels(source=channel(workspace, "Radio"), target=channel(workspace, "TV"), by=None)
    rename_channel(channel=channel(workspace, "TV"), name="Broadcast", by=None)
    for name in ("Broadcast", "tv", "Radio"):
        loaded = load(workspace, sales, leave_out_channels=(name,))
        assert loaded.panel.channels == ("Search",)
        assert said(loaded, "left_out_channel")[0][1] == ("Broadcast",)


def test_without_any_spend_there_is_no_panel(workspace: Workspace, sales: Outcome) -> None:
    with pytest.raises(PanelProblem, match="nothing can be measured") as caught:
        load(workspace, sales, leave_out_channels=("TV", "Radio", "Search"))
    assert caught.value.code == "no_media"


def test_only_rows_of_this_workspace_are_in_the_share_of_spend(workspace: Workspace, sales: Outcome) -> None:
    from tests.factories import WorkspaceFactory

    before = said(load(workspace, sales, leave_out_channels=("Radio",)), "left_out_channel")
    add_spend(WorkspaceFactory.create(), "Radio", [10_000] * 70)
    assert said(load(workspace, sales, leave_out_channels=("Radio",)), "left_out_channel") == before


def test_nothing_left_out_costs_no_query(
    workspace: Workspace, sales: Outcome, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(6):
        load(workspace, sales)


def test_by_geo_it_is_the_same(workspace: Workspace) -> None:
    values = {geo: by_geo.numbers(seed) for seed, geo in enumerate(by_geo.GEOS)}
    outcome = by_geo.add_outcome(workspace, values)
    for seed, geo in enumerate(by_geo.GEOS, 3):
        by_geo.add_spend(workspace, "TV", by_geo.numbers(seed), geo=geo)
        by_geo.add_spend(workspace, "Radio", by_geo.numbers(seed + 10), geo=geo)
        by_geo.add_control(workspace, "Price", by_geo.numbers(seed + 20), geo=geo)
    by_geo.add_event(workspace, "Strike", MONDAY, MONDAY + 3 * DAYS, geo="North")
    loaded = by_geo.load(workspace, outcome, leave_out_channels=("Radio",), leave_out_controls=("Price", "Strike"))
    for seed, geo in enumerate(by_geo.GEOS, 3):
        panel = by_geo.of_geo(loaded, geo)
        assert panel.channels == ("TV",)
        assert panel.spend[:, 0].tolist() == by_geo.numbers(seed)
        assert panel.outcome.tolist() == values[geo]
        assert (panel.controls, panel.events) == ((), ())
    codes: dict[str, Any] = {remark.code: remark.names for remark in loaded.remarks}
    assert (codes["left_out_channel"], codes["left_out_control"]) == (("Radio",), ("Price", "Strike"))
    assert np.isfinite(loaded.panel.sizes).all()
