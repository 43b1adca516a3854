"""From a workspace's rows to a panel of geos: what is counted, where, and in how many queries."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from marketing.channels import merge_channels
from marketing.frames import MediaPanel
from marketing.importing.dimensions import ensure_channels
from marketing.importing.undo import undo_imports
from marketing.media_panels import LoadedGeoPanel, PanelProblem, PanelRequest, load_geo_panel, load_media_panel
from marketing.models import (
    Campaign,
    ChannelSpend,
    Control,
    ControlValue,
    Dataset,
    Event,
    Import,
    Outcome,
    OutcomeValue,
)
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import

MONDAY = dt.date(2021, 1, 4)
WEEKS = 10
GEOS = ("North", "South")
pytestmark = pytest.mark.django_db

Importer = Callable[..., Import]


def numbers(seed: int) -> list[int]:
    return [int(number) for number in np.random.default_rng(seed).integers(100, 1000, WEEKS)]


def on(week: int) -> dt.date:
    return MONDAY + dt.timedelta(7 * week)


def add_spend(workspace: Workspace, name: str, spend: Sequence[Any], **fields: Any) -> None:
    """One row a week."""
    channel = ensure_channels(workspace=workspace, names=[name])[0]
    batch = add_import(workspace, Dataset.SPEND)
    ChannelSpend.objects.bulk_create(
        ChannelSpend(batch=batch, channel=channel, date=on(week), spend=amount, **fields)
        for week, amount in enumerate(spend)
    )


def add_outcome(workspace: Workspace, by_geo: Mapping[str, Sequence[float]], **fields: Any) -> Outcome:
    outcome, _ = Outcome.objects.get_or_create(
        workspace=workspace, name="Sales", defaults={"kind": Outcome.Kind.SALES, "is_money": True}
    )
    batch = add_import(workspace, Dataset.OUTCOMES)
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, geo=geo, date=on(week), value=value, **fields)
        for geo, values in by_geo.items()
        for week, value in enumerate(values)
    )
    return outcome


def add_control(workspace: Workspace, name: str, values: Sequence[float], **fields: Any) -> None:
    control, _ = Control.objects.get_or_create(workspace=workspace, name=name)
    batch = add_import(workspace, Dataset.CONTROLS)
    ControlValue.objects.bulk_create(
        ControlValue(batch=batch, control=control, date=on(week), value=value, **fields)
        for week, value in enumerate(values)
    )


def add_event(workspace: Workspace, name: str, start: dt.date, end: dt.date, **fields: Any) -> None:
    batch = add_import(workspace, Dataset.EVENTS)
    Event.objects.create(batch=batch, workspace=workspace, name=name, start=start, end=end, **fields)


def wanted(outcome: Outcome, **request: Any) -> PanelRequest:
    defaults = {"start": None, "end": None, "granularity": "week", "history_periods": 0, "short_allowed": True}
    return PanelRequest(outcome=outcome, **(defaults | request))


def load(workspace: Workspace, outcome: Outcome, **request: Any) -> LoadedGeoPanel:
    return load_geo_panel(workspace=workspace, request=wanted(outcome, **request))


def of_geo(loaded: LoadedGeoPanel, geo: str) -> MediaPanel:
    return loaded.panel.panels[loaded.panel.geos.index(geo)]


def told(loaded: LoadedGeoPanel) -> list[Any]:
    """All that a panel says, to be compared."""
    panels = [
        [np.asarray(getattr(panel, name)).tolist() for name in MediaPanel.__slots__ if name != "bounds"]
        for panel in loaded.panel.panels
    ]
    return [loaded.panel.geos, loaded.panel.sizes.tolist(), panels, loaded.remarks]


@pytest.fixture
def sales(workspace: Workspace) -> Outcome:
    """Ten weeks of sales in the north and in the south, which is smaller, with spend on TV in both."""
    add_spend(workspace, "TV", numbers(3), geo="North")
    add_spend(workspace, "TV", numbers(4), geo="South")
    return add_outcome(workspace, {"North": numbers(1), "South": [value / 4 for value in numbers(2)]})


def test_rows_of_geos_become_a_panel_of_each(workspace: Workspace, sales: Outcome) -> None:
    loaded = load(workspace, sales)
    assert loaded.panel.geos == GEOS
    assert of_geo(loaded, "North").outcome.tolist() == numbers(1)
    assert of_geo(loaded, "South").spend[:, 0].tolist() == numbers(4)
    north = of_geo(loaded, "North")
    assert (north.outcome_name, north.is_money, north.channels) == ("Sales", True, ("TV",))
    assert {remark.code for remark in loaded.remarks} == {"short"}


def test_geos_add_up_to_the_panel_of_the_nation(workspace: Workspace, sales: Outcome) -> None:
    add_spend(workspace, "Radio", [Decimal(value) / 7 for value in numbers(5)], impressions=9.0)
    add_spend(workspace, "Search", [None] * WEEKS, geo="South", clicks=5.5)
    add_spend(workspace, "Search", [None, *[None] * 4], geo="North", clicks=1.25)
    add_event(workspace, "Strike", MONDAY, MONDAY)
    together = load(workspace, sales, holiday_countries=("US",)).panel.national()
    nation = load_media_panel(workspace=workspace, request=wanted(sales, holiday_countries=("US",))).panel
    for name in MediaPanel.__slots__:
        mine, theirs = getattr(together, name), getattr(nation, name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_allclose(mine, theirs, rtol=1e-14, err_msg=name)
        else:
            assert mine == theirs, name


def test_campaigns_and_merged_channels_are_added_up_in_their_geo(workspace: Workspace, sales: Outcome) -> None:
    spring = Campaign.objects.create(workspace=workspace, name="Spring")
    add_spend(workspace, "TV", numbers(5), geo="North", campaign=spring)
    add_spend(workspace, "Telly", numbers(6), geo="South")
    telly, television = ensure_channels(workspace=workspace, names=["Telly", "TV"])
    merge_channels(source=telly, target=television, by=None)
    loaded = load(workspace, sales)
    assert of_geo(loaded, "North").channels == ("TV",)
    assert of_geo(loaded, "North").spend[:, 0].tolist() == np.add(numbers(3), numbers(5)).tolist()
    assert of_geo(loaded, "South").spend[:, 0].tolist() == np.add(numbers(4), numbers(6)).tolist()


def test_rows_without_a_geo_are_of_all_geos(workspace: Workspace, sales: Outcome) -> None:
    add_outcome(workspace, {"": numbers(9)})
    add_spend(workspace, "Radio", numbers(5))
    add_control(workspace, "Heat", numbers(6))
    add_control(workspace, "Price", numbers(7), geo="North")
    add_control(workspace, "Price", numbers(8), geo="South")
    add_event(workspace, "Strike", MONDAY, MONDAY)
    add_event(workspace, "Fair", on(1), on(1) + dt.timedelta(1), geo="South")
    loaded = load(workspace, sales)
    north, south = of_geo(loaded, "North"), of_geo(loaded, "South")
    assert north.outcome.tolist() == numbers(1)
    shares = loaded.panel.sizes / loaded.panel.sizes.sum()
    assert south.spend[:, 1] == pytest.approx(shares[1] * np.array(numbers(5)), rel=1e-14)
    assert (south.controls, south.events) == (("Heat", "Price"), ("Fair", "Strike"))
    assert north.control.T.tolist() == [numbers(6), numbers(7)]
    assert south.control.T.tolist() == [numbers(6), numbers(8)]
    assert north.event[:2].tolist() == [[0, 1 / 7], [0, 0]]
    assert south.event[:2].tolist() == [[0, 1 / 7], [2 / 7, 0]]
    assert {remark.code for remark in loaded.remarks} == {"short", "outcome_without_geo", "media_without_geo"}


def test_people_tell_how_large_geos_are(workspace: Workspace, sales: Outcome) -> None:
    add_control(workspace, "Population", [1e6], geo="North")
    add_control(workspace, "Population", [3e6], geo="South")
    loaded = load(workspace, sales)
    assert (loaded.panel.geos, loaded.panel.sizes.tolist()) == (("South", "North"), [1.5, 0.5])
    assert of_geo(loaded, "North").controls == ()


def test_rows_of_other_workspaces_do_not_count(workspace: Workspace, sales: Outcome) -> None:
    before = told(load(workspace, sales))
    elsewhere = WorkspaceFactory.create()
    add_spend(elsewhere, "TV", numbers(5), geo="North")
    add_control(elsewhere, "Population", numbers(6), geo="North")
    add_event(elsewhere, "Strike", MONDAY, MONDAY, geo="North")
    theirs = add_outcome(elsewhere, {"North": numbers(7), "South": numbers(8)})
    assert told(load(workspace, sales)) == before
    with pytest.raises(PanelProblem, match="has values of no geo"):
        load(workspace, theirs)


def test_shadowed_rows_do_not_count(workspace: Workspace, sales: Outcome) -> None:
    before = told(load(workspace, sales))
    add_spend(workspace, "TV", numbers(5), geo="North", shadowed=True)
    add_control(workspace, "Population", numbers(6), geo="North", shadowed=True)
    add_event(workspace, "Strike", MONDAY, MONDAY, geo="North", shadowed=True)
    add_outcome(workspace, {"North": numbers(7), "East": numbers(8)}, shadowed=True)
    assert told(load(workspace, sales)) == before


def test_imports_that_are_undone_leave_what_was_before(shop: Workspace, import_rows: Importer) -> None:
    def rows(header: str, *lines: str) -> str:
        weeks = [{"n": week % 7 + 1, "m": week * 3 % 8 + 1} for week in range(WEEKS)]
        return "\n".join([header, *(line.format(on(week), **weeks[week]) for week in range(WEEKS) for line in lines)])

    import_rows("outcomes", rows("date,outcome,value,geo", "{},Sales,5{n},North", "{},Sales,1{n}, South "))
    import_rows("spend", rows("date,channel,spend,geo", "{},TV,{n}.25,North", "{},TV,{n},South", "{},Radio,1{m}.5,"))
    sales = Outcome.objects.get(workspace=shop, name="Sales")
    before = told(load(shop, sales))
    assert before[0] == GEOS, "blanks around a name are no part of it"
    table = "date,geo,spend:TV,outcome:Sales,control:Population"
    later = [
        import_rows("outcomes", rows("date,outcome,value,geo", "{},Sales,6{n},North", "{},Sales,7{n},East")),
        import_rows("media_table", rows(table, "{},North,9,8{n},100", "{},South,{n}9,2{n},300")),
    ]
    after = load(shop, sales)
    assert sorted(after.panel.geos) == ["East", "North", "South"]
    assert of_geo(after, "South").spend[:2, 0].tolist() == [19, 29]
    undo_imports(workspace=shop, imports=later, by=None)
    assert told(load(shop, sales)) == before


def test_only_chosen_days_count_for_the_outcome(workspace: Workspace, sales: Outcome) -> None:
    loaded = load(workspace, sales, start=on(1), end=on(9) + dt.timedelta(6), history_periods=5)
    north = of_geo(loaded, "North")
    assert (north.outcome.tolist(), north.history) == (numbers(1)[1:], 1)
    assert north.spend[:, 0].tolist() == numbers(3)
    with pytest.raises(PanelProblem, match="after its end") as caught:
        load(workspace, sales, start=on(1), end=on(0))
    assert caught.value.code == "start_after_end"


@pytest.mark.parametrize(
    ("kind", "request_for"), [(Outcome.Kind.BRAND_AWARENESS, {}), (Outcome.Kind.SALES, {"bounds": (0, 5)})]
)
def test_averages_have_no_geos(workspace: Workspace, sales: Outcome, kind: str, request_for: dict[str, Any]) -> None:
    Outcome.objects.filter(pk=sales.pk).update(kind=kind)
    sales.refresh_from_db()
    with pytest.raises(PanelProblem) as caught:
        load(workspace, sales, **request_for)
    assert caught.value.code == "geos_of_a_share"


def test_a_workspace_without_any_rows_has_no_geos(workspace: Workspace) -> None:
    outcome = Outcome.objects.create(workspace=workspace, name="Sales", kind=Outcome.Kind.SALES)
    with pytest.raises(PanelProblem) as caught:
        load(workspace, outcome, holiday_countries=("DE",))
    assert caught.value.code == "no_geos"


def test_a_panel_of_geos_takes_as_many_queries_for_many_rows(
    workspace: Workspace, sales: Outcome, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(6):
        load(workspace, sales)
    for seed in range(20, 32):
        for geo in (*GEOS, f"Geo {seed}", ""):
            add_spend(workspace, f"Channel {seed}", numbers(seed + len(geo)), geo=geo)
            add_control(workspace, f"Control {seed}", numbers(seed), geo=geo)
            add_event(workspace, f"Event {seed}", MONDAY, MONDAY, geo=geo)
        add_outcome(workspace, {f"Geo {seed}": numbers(seed)})
    with django_assert_num_queries(6):
        loaded = load(workspace, sales, holiday_countries=("US",))
    assert len(loaded.panel.geos) == 14
    north = of_geo(loaded, "North")
    assert [len(names) for names in (north.channels, north.controls, north.events)] == [13, 12, 12]
