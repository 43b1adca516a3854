"""Channels whose names are words that results have for something else: they are marked, and lead where others lead."""

import csv
import html
import json
from collections import Counter
from io import StringIO
from itertools import pairwise

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from analyses.models import Run
from charts import ChartSpec, Colour, SankeySpec, channel_colour
from crosschannel.labels import CONVERSION, DROP_OFF, OTHER, START, channel_of, is_own_word, label_of
from crosschannel.presentation.document import document
from crosschannel.presentation.pair_page import present_pair
from marketing.models import Channel
from tests.conftest import ImportRows
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import PERIOD, Journey, conversion_rows, journeys, touch_rows

WORDS = (OTHER, START, CONVERSION, DROP_OFF)
TOP = 2  # so that there are other channels
EACH = (OTHER, START.lower(), CONVERSION, DROP_OFF.lower())
OTHERWISE = [pytest.param(word.swapcase(), marks=pytest.mark.full) for word in EACH]
each_word_in_either_case = pytest.mark.parametrize("name", [*EACH, *OTHERWISE], indirect=True)
each_word = pytest.mark.parametrize("name", EACH, indirect=True)


# --- Names alone ---


def names() -> st.SearchStrategy[str]:
    """Names of all kinds; most are such words, whatever their case, marked several times or not."""
    turned = st.sampled_from((str, str.upper, str.lower))
    marks = st.lists(st.sampled_from((" (channel)", " (Channel)")), max_size=3).map("".join)
    words = st.builds(lambda word, turn, mark: turn(word) + mark, st.sampled_from(WORDS), turned, marks)
    return words | st.text()


@given(names())
def test_a_label_stands_for_its_channel_and_for_nothing_else(name: str) -> None:
    assert channel_of(label_of(name)) == name
    assert not is_own_word(label_of(name))


@given(names(), names())
def test_no_two_channels_have_one_label(one: str, other: str) -> None:
    assert (label_of(one).casefold() == label_of(other).casefold()) == (one.casefold() == other.casefold())


def test_only_names_that_are_taken_are_marked() -> None:
    assert label_of("Email") == "Email"
    assert label_of("Email (channel)") == "Email (channel)" == channel_of("Email (channel)")
    assert label_of("Start") == "Start (channel)"
    assert label_of("Start (channel)") == "Start (channel) (channel)"


# --- In every way out ---


@pytest.fixture
def name(request: pytest.FixtureRequest, import_rows: ImportRows) -> str:
    """The name that the channel Email of the shop has instead."""
    name: str = request.param
    import_rows("touchpoints", *(row.replace(",Email", f",{name}") for row in touch_rows()))
    import_rows("conversions", *conversion_rows())
    return name


def called(journey: Journey, name: str) -> tuple[str, ...]:
    return tuple(f"{name} (channel)" if channel == "Email" else channel for channel in journey.channels)


def charts_of(run: Run) -> list[ChartSpec | SankeySpec]:
    charts = [chart for section in document(run).sections for chart in section.charts]
    return [chart for chart in charts if isinstance(chart, ChartSpec | SankeySpec)]


def diagrams(run: Run) -> list[SankeySpec]:
    return [chart for chart in charts_of(run) if isinstance(chart, SankeySpec)]


@each_word
def test_flows_count_the_channel_apart_from_the_word(name: str, follow: Follow) -> None:
    result = follow(top=20).result
    assert result is not None
    expected: Counter[tuple[int, str, str]] = Counter()
    for journey in journeys():
        shown = called(journey, name)[:5]
        expected.update((step, *link) for step, link in enumerate(pairwise(shown), start=1))
        expected[len(shown), shown[-1], CONVERSION if journey.converted else DROP_OFF] += 1
    assert {(flow["step"], flow["from"], flow["to"]): flow["journeys"] for flow in result["flows"]} == expected
    moves = result["transitions"]
    assert len(set(moves["from"])) == len(moves["from"])
    assert len(set(moves["to"])) == len(moves["to"])


@each_word_in_either_case
def test_each_page_and_each_export_tells_the_channel_from_the_word(name: str, client: Client, follow: Follow) -> None:
    run = follow(top=TOP)
    assert run.result is not None
    dates = f"start={PERIOD['start']}&end={PERIOD['end']}&window_days=30&top={TOP}"
    for address in (f"/w/acme/runs/{run.pk}/", f"/w/acme/crosschannel/?{dates}"):
        page = client.get(address)
        assert page.status_code == 200
        assert f"{name} (channel)" in html.unescape(page.content.decode())
    for diagram in diagrams(run):
        if diagram.id == "flows":
            assert {node.name for node in diagram.nodes} >= {OTHER, CONVERSION, DROP_OFF, f"{name} (channel)"}
            for node in diagram.nodes:
                journeys_of_node = client.get(node.href).content.decode()
                assert f'data-figure="journeys">{node.value:.0f}<' in journeys_of_node
    exported = {}
    for form in ("csv", "xlsx", "json", "pptx"):
        response = client.get(f"/w/acme/runs/{run.pk}/export.{form}")
        assert response.status_code == 200
        exported[form] = b"".join(response)
    assert json.loads(exported["json"])["result"]["flows"] == run.result["flows"]
    table = csv.DictReader(StringIO(exported["csv"].decode()))
    assert sum(float(row["journeys"]) for row in table if (row["what"], row["step"]) == ("flow", "1")) == len(
        journeys()
    )


@each_word
def test_the_channel_has_its_colour_its_page_and_its_pairs(name: str, client: Client, follow: Follow) -> None:
    follow(kind="attribution", model="last", replicates=100)
    run, channel, label = follow(top=TOP), Channel.objects.get(name=name), f"{name} (channel)"
    nodes = {node.name: node for node in diagrams(run)[0].nodes}
    assert nodes[label].colour == channel_colour(channel.colour_slot)
    assert nodes[OTHER].colour == nodes[DROP_OFF].colour == Colour.OTHER
    (matrix,) = (chart for chart in charts_of(run) if isinstance(chart, ChartSpec) and chart.id == "first-last")
    hrefs = {category.label: category.href for category in matrix.categories}
    assert f"/channels/{channel.pk}/" in hrefs[label]
    for asked in (name, label):
        page = present_pair(run, asked, "Search")
        assert page.title in (f"{label} × Search", f"Search × {label}")
        (beside,) = (section for section in page.sections if section.title == "What each channel brings alone")
        (row,) = beside.tables[0].rows
        last = sum(one.value for one in journeys() if one.converted and one.channels[-1] == "Email")
        credit = row.cells[1 if page.title.startswith(label) else 3]
        assert credit.value == pytest.approx(last)
        response = client.get(f"/w/acme/crosschannel/{run.pk}/pair/", {"a": asked, "b": "Search"})
        assert response.status_code == 200
        of_both = client.get(page.links[1].url).content.decode()
        holding = [one for one in journeys() if {"Email", "Search"} <= set(one.channels)]
        assert f'data-figure="journeys">{len(holding)}<' in of_both


@each_word
def test_paths_are_filtered_by_the_channels_name_and_its_data_are_looked_at(name: str, follow: Follow) -> None:
    run = follow(path_starts=name)
    assert run.result is not None
    assert run.result["totals"]["journeys"] == sum(one.channels[0] == "Email" for one in journeys())
    health = next(section for section in document(run).sections if section.title == "Data health")
    assert name in {row.label for table in health.tables for row in table.rows}
    by_label = follow(path_starts=f"{name} (channel)").result
    assert by_label is not None
    assert by_label["totals"] == run.result["totals"]
