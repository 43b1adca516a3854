"""What a Sankey diagram refuses to be, the table it gives, and how it is laid out."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charts import Colour, SankeyLink, SankeyNode, SankeySpec, TableCell, require_unique_ids
from charts.example_flows import FLOWS
from charts.sankey import CONVERSION, DROP_OFF, OTHER_CHANNELS
from charts.sankey_layout import FLOW_PX, FOOT_PX, GAP_PX, HEAD_PX, SankeyLayout, _crossings, lay_out
from tests.charts.sankeys import ENDS, NAMES, sankey, sankeys, two_steps

NEAR = 1e-6  # pixels
any_journeys = settings(deadline=None, max_examples=60)


def node(spec: SankeySpec, label: str) -> int:
    """The place of a node: "2 Email"."""
    return [one.label for one in spec.nodes].index(label)


def link(spec: SankeySpec, label: str) -> int:
    """The place of a link: "1 Search → 2 Email"."""
    return [spec.link_label(one) for one in spec.links].index(label)


def with_node(label: str, **changes: Any) -> Callable[[SankeySpec], SankeySpec]:
    def changed(spec: SankeySpec) -> SankeySpec:
        nodes = list(spec.nodes)
        place = node(spec, label)
        nodes[place] = replace(nodes[place], **changes)
        return replace(spec, nodes=tuple(nodes))

    return changed


def with_link(label: str, **changes: Any) -> Callable[[SankeySpec], SankeySpec]:
    def changed(spec: SankeySpec) -> SankeySpec:
        links = list(spec.links)
        place = link(spec, label)
        links[place] = replace(links[place], **changes)
        return replace(spec, links=tuple(links))

    return changed


def without_link(label: str) -> Callable[[SankeySpec], SankeySpec]:
    return lambda spec: replace(spec, links=tuple(one for one in spec.links if spec.link_label(one) != label))


def twice(label: str) -> Callable[[SankeySpec], SankeySpec]:
    return lambda spec: replace(spec, links=(*spec.links, spec.links[link(spec, label)]))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda spec: replace(spec, id="1st"), "cannot be the id"),
        (lambda spec: replace(spec, links=()), "has no links"),
        (with_link("1 Search → 2 Email", target=9), "leads from [0-4] to 9, of 5 nodes"),
        (with_link("1 Search → 2 Email", source=-1), "leads from -1 to"),
        (with_link("1 Search → 2 Email", target=0), "not “1 Search → 1 "),
        (with_link("2 Email → Conversion", target=0), "not “2 Email → 1 "),
        (with_link("1 Search → 2 Email", cells=()), "has 0 cells, not 1"),
        (with_link("1 Search → 2 Email", value=11), "“1 Search” is 30.0, but 31.0 flows through it"),
        (with_link("2 Email → Conversion", value=6), "30.0 flows into “2 Email”, but 31.0 out of it"),
        (without_link("2 Email → Conversion"), "30.0 flows into “2 Email”, but 25.0 out of it"),
        (twice("1 Search → 2 Email"), "Two links lead between the same nodes"),
        (with_node("2 Email", value=29), "“2 Email” is 29, but 30.0 flows through it"),
        (with_node("Conversion", value=0), "“Conversion” is 0, but 17.0"),
        (with_node("2 Email", step=4), "cannot stand at step 4"),
        (with_node("2 Email", step=0), "cannot stand at step 0"),
        (with_node("Conversion", step=2), "cannot stand at step 2"),
        (with_node("Conversion", is_end=False), "cannot stand at step 3"),
        (with_node("1 Search", name="Email"), "“1 Email” is there twice"),
        (lambda spec: replace(spec, step_titles=("1st touch", "End")), "cannot stand at step"),
    ],
)
def test_what_is_no_diagram_of_journeys_is_refused(change: Callable[[SankeySpec], SankeySpec], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        change(two_steps())


def test_only_an_end_can_be_reached_without_the_steps_between() -> None:
    with pytest.raises(ValueError, match="not “1 Search → 3 Email”"):
        sankey({((1, "Search"), (3, "Email")): 10, ((3, "Email"), (4, CONVERSION)): 10}, steps=3)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_link_is_wider_than_nothing(value: float) -> None:
    with pytest.raises(ValueError, match="finite width above zero"):
        SankeyLink(source=0, target=1, value=value, text="")


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_node_is_not_less_than_nothing(value: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        SankeyNode(step=1, name="Search", colour=Colour.CHANNEL_1, value=value, text="")


def test_an_end_that_nothing_reaches_can_be_shown() -> None:
    spec = two_steps()
    nothing = SankeyNode(step=3, name="Signup", colour=Colour.ACCENT, value=0, text="0", is_end=True)

    layout = lay_out(replace(spec, nodes=(*spec.nodes, nothing)))

    assert layout.boxes[-1].top == layout.boxes[-1].bottom


def test_a_diagram_stands_among_charts() -> None:
    spec = two_steps()

    assert spec.panels == (spec,)
    with pytest.raises(ValueError, match="have the id “example-flows”"):
        require_unique_ids([spec, spec])


def test_the_table_has_a_row_for_each_link() -> None:
    table = two_steps().table()

    assert (table.category_title, table.columns) == ("From → to", ("Journeys", "Share of where they come from"))
    rows = {category.label: cells for category, cells in table.rows}
    assert list(rows) == [
        "1 Search → 2 Email",
        "1 Search → Conversion",
        "1 Search → Drop-off",
        "1 Email → 2 Email",
        "2 Email → Conversion",
        "2 Email → Drop-off",
    ]
    assert rows["1 Search → Conversion"] == (TableCell(12, "12"), TableCell(0.4, "40.0%"))


@any_journeys
@given(sankeys())
def test_all_that_starts_ends(spec: SankeySpec) -> None:
    rows = [(category.label, cells[0].value or 0.0) for category, cells in spec.table().rows]

    starts = math.fsum(value for label, value in rows if label.startswith("1 "))
    ends = math.fsum(value for label, value in rows if label.endswith(tuple(f"→ {end}" for end in ENDS)))
    assert starts == pytest.approx(ends, rel=1e-9)


def columns_of(layout: SankeyLayout) -> list[list[int]]:
    """The nodes of each column, from top to bottom."""
    count = max(box.column for box in layout.boxes) + 1
    return [
        sorted(
            (place for place, box in enumerate(layout.boxes) if box.column == column),
            key=lambda place: (layout.boxes[place].top, layout.boxes[place].bottom),
        )
        for column in range(count)
    ]


@any_journeys
@given(sankeys())
def test_nodes_are_as_high_as_their_values_on_one_scale(spec: SankeySpec) -> None:
    layout = lay_out(spec)

    whole = math.fsum(one.value for one in spec.nodes if one.step == 1)
    for one, box in zip(spec.nodes, layout.boxes, strict=True):
        assert box.column == one.step - 1
        assert box.bottom - box.top == pytest.approx(one.value / whole * FLOW_PX, abs=NEAR)
    for each, ribbon in zip(spec.links, layout.ribbons, strict=True):
        assert ribbon.thickness == pytest.approx(each.value / whole * FLOW_PX, abs=NEAR)


@any_journeys
@given(sankeys())
def test_nodes_and_what_passes_them_stand_apart_within_the_picture(spec: SankeySpec) -> None:
    layout = lay_out(spec)

    for column in range(spec.last_step + 1):
        spans = [(box.top, box.bottom, True) for box in layout.boxes if box.column == column]
        for ribbon in layout.ribbons:
            inner = ribbon.tops[1:-1]
            if 0 <= (place := column - ribbon.column - 1) < len(inner):
                spans.append((inner[place], inner[place] + ribbon.thickness, False))
        spans.sort()
        assert spans[0][0] >= HEAD_PX - NEAR
        assert spans[-1][1] <= layout.height_px - FOOT_PX + NEAR
        for (_, above, is_node), (below, _, also_node) in itertools.pairwise(spans):
            assert below - above >= (GAP_PX if is_node or also_node else 0.0) - NEAR


@any_journeys
@given(sankeys())
def test_links_fill_their_nodes_at_both_ends(spec: SankeySpec) -> None:
    layout = lay_out(spec)

    for place, (one, box) in enumerate(zip(spec.nodes, layout.boxes, strict=True)):
        pairs = list(zip(spec.links, layout.ribbons, strict=True))
        leaving = sorted((ribbon.tops[0], ribbon.thickness) for each, ribbon in pairs if each.source == place)
        arriving = sorted((ribbon.tops[-1], ribbon.thickness) for each, ribbon in pairs if each.target == place)
        for side in filter(None, (leaving, arriving)):
            edge = box.top
            for top, thickness in side:
                assert top == pytest.approx(edge, abs=NEAR)
                edge += thickness
            assert edge == pytest.approx(box.bottom, abs=NEAR)
        assert bool(leaving) is not one.is_end
        assert bool(arriving) is (one.step > 1)


@any_journeys
@given(sankeys(), st.randoms(use_true_random=False))
def test_the_order_of_the_links_changes_nothing(spec: SankeySpec, chance: Random) -> None:
    links = list(spec.links)
    chance.shuffle(links)

    layout, other = lay_out(spec), lay_out(replace(spec, links=tuple(links)))

    assert other.boxes == layout.boxes
    assert dict(zip(links, other.ribbons, strict=True)) == dict(zip(spec.links, layout.ribbons, strict=True))
    assert [(one, [links[each] for each in leaving]) for one, leaving in other.reading] == [
        (one, [spec.links[each] for each in leaving]) for one, leaving in layout.reading
    ]


@any_journeys
@given(sankeys())
def test_other_channels_stand_last_and_conversions_above_what_drops_off(spec: SankeySpec) -> None:
    for column in columns_of(lay_out(spec)):
        names = [spec.nodes[place].name for place in column]
        assert names == sorted(names, key=lambda name: name in (OTHER_CHANNELS, DROP_OFF))


@any_journeys
@given(sankeys())
def test_reading_goes_through_columns_from_top_to_bottom_and_through_every_link_once(spec: SankeySpec) -> None:
    layout = lay_out(spec)

    assert [one for one, _ in layout.reading] == [place for column in columns_of(layout) for place in column]
    assert sorted(each for _, leaving in layout.reading for each in leaving) == list(range(len(spec.links)))
    for one, leaving in layout.reading:
        assert all(spec.links[each].source == one for each in leaving)
        tops = [layout.ribbons[each].tops[0] for each in leaving]
        assert tops == sorted(tops)


@any_journeys
@given(sankeys())
def test_crossings_are_those_that_are_seen(spec: SankeySpec) -> None:
    """Against every pair of ribbons that leave one column, compared at both of its ends."""
    layout = lay_out(spec)
    seen = 0.0
    for one, other in itertools.combinations(range(len(spec.links)), 2):
        ribbons = layout.ribbons[one], layout.ribbons[other]
        same_node = spec.links[one].source == spec.links[other].source
        same_end = spec.links[one].target == spec.links[other].target
        if ribbons[0].column == ribbons[1].column and not same_node and not same_end:
            (from_one, to_one), (from_other, to_other) = (ribbon.tops[:2] for ribbon in ribbons)
            if (from_one < from_other) != (to_one < to_other):
                seen += spec.links[one].value * spec.links[other].value

    assert _crossings(spec, spec.links, columns_of(layout)) == pytest.approx(seen, rel=1e-9)


def test_nodes_move_where_many_links_would_cross() -> None:
    """Email is the larger over all steps, and would stand first; what leads to it at the second comes from below."""
    spec = sankey(
        {
            ((1, "Search"), (2, "Video")): 60,
            ((1, "Social"), (2, "Email")): 50,
            ((2, "Video"), (3, "Email")): 60,
            ((2, "Email"), (3, "Email")): 50,
            ((3, "Email"), (4, CONVERSION)): 110,
        },
        steps=3,
    )

    columns = columns_of(lay_out(spec))

    assert [spec.nodes[place].name for place in columns[1]] == ["Video", "Email"]
    assert _crossings(spec, spec.links, columns) == 0


def test_channels_keep_their_order_from_step_to_step_where_little_would_be_gained() -> None:
    spec = FLOWS["journeys"]

    orders = [[spec.nodes[place].name for place in column] for column in columns_of(lay_out(spec))]

    assert orders[0] == orders[1] == orders[2] == orders[3] == orders[4]
    assert orders[5] == [CONVERSION, DROP_OFF]


@any_journeys
@given(sankeys())
def test_what_ends_early_runs_straight_along_the_edges(spec: SankeySpec) -> None:
    """All but what leads to an end between the upper and the lower one: others join above it."""
    layout = lay_out(spec)
    first = columns_of(layout)[-1][0]

    for one, ribbon in zip(spec.links, layout.ribbons, strict=True):
        assert len(ribbon.tops) == spec.nodes[one.target].step - spec.nodes[one.source].step + 1
        if one.target == first or spec.is_loss(one):
            assert ribbon.tops[1:] == pytest.approx([ribbon.tops[-1]] * (len(ribbon.tops) - 1), abs=NEAR)


def test_a_hand_worked_picture() -> None:
    """50 journeys on 280 pixels, 5.6 each; the second step has three things below each other, with two gaps."""
    spec = two_steps()
    layout = lay_out(spec)

    def box(label: str) -> tuple[float, float]:
        found = layout.boxes[node(spec, label)]
        return round(found.top - HEAD_PX, 6), round(found.bottom - HEAD_PX, 6)

    def tops(label: str) -> list[float]:
        return [round(top - HEAD_PX, 6) for top in layout.ribbons[link(spec, label)].tops]

    assert layout.height_px == HEAD_PX + 280 + 2 * 16 + FOOT_PX
    # Email is met twice and so comes first; 32 pixels are left between the two.
    assert (box("1 Email"), box("1 Search")) == ((0, 112), (144, 312))
    # What converts at once passes above, what drops off at once below.
    assert box("2 Email") == (67.2 + 16, 67.2 + 16 + 168)
    assert (box("Conversion"), box("Drop-off")) == ((0, 95.2), (127.2, 312))
    assert tops("1 Email → 2 Email") == [0, 83.2]
    assert tops("1 Search → Conversion") == [144, 0, 0]
    assert tops("1 Search → 2 Email") == [211.2, 195.2]
    assert tops("1 Search → Drop-off") == [267.2, 267.2, 267.2]
    assert tops("2 Email → Conversion") == [83.2, 67.2]
    assert tops("2 Email → Drop-off") == [111.2, 127.2]


@pytest.mark.parametrize(("end", "top"), [(CONVERSION, 0), (DROP_OFF, 32)])
def test_an_end_that_is_alone_stands_at_its_edge(end: str, top: float) -> None:
    spec = sankey({((1, name), (2, end)): 10 for name in NAMES[:3]}, steps=1)

    box = lay_out(spec).boxes[node(spec, end)]

    assert (box.top - HEAD_PX, box.bottom - HEAD_PX) == pytest.approx((top, top + 280))
