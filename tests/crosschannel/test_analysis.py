"""The kind of analysis: its parameters, its sums against plain loops, and the same numbers in every way out."""

import csv
import io
import json
from collections import Counter
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from openpyxl import load_workbook

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from crosschannel.params import clean
from jobs.execution import execute
from tests.conftest import ImportRows
from tests.crosschannel.conftest import Follow
from tests.crosschannel.shop import PERIOD, Journey, journeys

pytestmark = pytest.mark.django_db


# --- Parameters ---


def test_paths_are_given_as_text_or_as_lists(shop: Workspace) -> None:
    asked = clean(shop, {"path_contains": "Email, Display", "path_starts": "Email > Email", "path_ends": ["Display"]})
    assert asked["path_contains"] == ["Email", "Display"]
    assert asked["path_starts"] == ["Email", "Email"]
    assert asked["path_ends"] == ["Display"]
    assert clean(shop, asked) == asked


def test_a_channel_whose_name_holds_a_comma_is_one_channel(busy_shop: Workspace) -> None:
    channel = busy_shop.channels.get(name="Email")
    channel.name = "Email, weekly"
    channel.save(update_fields=["name"])
    assert clean(busy_shop, {"path_contains": "email, weekly"})["path_contains"] == ["Email, weekly"]


def test_what_is_usual_is_left_out(shop: Workspace) -> None:
    asked = clean(shop, {"converting": "all", "min_journeys": 1, "view_through": "include"})
    assert set(asked) == {"start", "end", "goal", "window_days", "confidence", "top", "steps"}


@pytest.mark.parametrize(
    ("params", "field", "sentence"),
    [
        ({"paths": "Email"}, "paths", "Unknown parameter"),
        ({"converting": "perhaps"}, "converting", "all or yes or no"),
        ({"top": 0}, "top", "between 1 and 20"),
        ({"steps": "many"}, "steps", "whole number"),
        ({"min_journeys": -1}, "min_journeys", "between 1 and 1000000"),
        ({"path_starts": "Email > > Search"}, "path_starts", "names channels"),
        ({"path_contains": ["Email"] * 21}, "path_contains", "at most 20"),
        ({"confidence": 42}, "confidence", "80, 90, 95, 99"),
        ({"goal": "World peace"}, "goal", "no goal"),
        ({"window_days": 0}, "window_days", "1 to 365"),
        ({"segment": "Nobody"}, "segment", "no segment"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    shop: Workspace, params: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidParams) as refused:
        clean(shop, params)
    assert sentence in refused.value.errors[field][0]


# --- Sums ---


def flows_by_hand(chosen: list[Journey], *, steps: int) -> Counter[tuple[int, str, str]]:
    """Journeys by link, counted one by one; every channel of this shop is shown."""
    links: Counter[tuple[int, str, str]] = Counter()
    for journey in chosen:
        shown = journey.channels[:steps]
        for step, (one, other) in enumerate(pairwise(shown), start=1):
            links[step, one, other] += 1
        links[len(shown), shown[-1], "Conversion" if journey.converted else "Drop-off"] += 1
    return links


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_flows_are_those_of_plain_counting(busy_shop: Workspace, follow: Follow, steps: int) -> None:
    result = follow(steps=steps).result
    assert result is not None
    expected = flows_by_hand(list(journeys()), steps=steps)
    assert {(flow["step"], flow["from"], flow["to"]): flow["journeys"] for flow in result["flows"]} == expected
    assert result["totals"]["journeys"] == len(journeys())
    assert result["totals"]["conversions"] == sum(journey.converted for journey in journeys())
    assert result["totals"]["value"] == pytest.approx(sum(journey.value for journey in journeys()))


def test_what_flows_into_a_node_flows_out_of_it(busy_shop: Workspace, follow: Follow) -> None:
    result = follow(top=2).result
    assert result is not None
    for field in ("journeys", "conversions", "value"):
        into: Counter[tuple[int, str]] = Counter()
        out: Counter[tuple[int, str]] = Counter()
        for flow in result["flows"]:
            out[flow["step"], flow["from"]] += flow[field]
            if not flow["ends"]:
                into[flow["step"] + 1, flow["to"]] += flow[field]
        for node, amount in into.items():
            assert out[node] == pytest.approx(amount)
        assert sum(amount for (step, _), amount in out.items() if step == 1) == pytest.approx(result["totals"][field])
    assert {flow["from"] for flow in result["flows"]} >= {"Other channels"}


@pytest.mark.parametrize(
    ("params", "keeps"),
    [
        ({"path_contains": "search, email"}, lambda j: {"Email", "Search"} <= set(j.channels)),
        (
            {"path_order": "Email > Search"},
            lambda j: ("Email", "Search") in pairwise(j.channels),
        ),
        ({"path_starts": "Email"}, lambda j: j.channels[0] == "Email"),
        ({"path_ends": "Display > Email"}, lambda j: j.channels[-2:] == ("Display", "Email")),
        ({"converting": "yes"}, lambda j: j.converted),
        ({"converting": "no"}, lambda j: not j.converted),
        ({"min_journeys": 5}, lambda j: sum(other.channels == j.channels for other in journeys()) >= 5),
    ],
)
def test_filters_choose_what_flows_and_paths_are_of_but_not_the_pairs(
    busy_shop: Workspace, follow: Follow, params: dict[str, Any], keeps: Any
) -> None:
    everything, run = follow().result, follow(**params).result
    assert everything is not None
    assert run is not None
    chosen = [journey for journey in journeys() if keeps(journey)]
    assert run["totals"]["journeys"] == len(chosen)
    assert run["totals"]["conversions"] == sum(journey.converted for journey in chosen)
    counted = {(flow["step"], flow["from"], flow["to"]): flow["journeys"] for flow in run["flows"]}
    assert counted == flows_by_hand(chosen, steps=5)
    paths = Counter(journey.channels for journey in chosen)
    assert {tuple(path["steps"]): path["journeys"] for path in run["paths"]}.items() <= paths.items()
    assert run["pairs"] == everything["pairs"]


def test_a_pair_that_does_more_together_is_called(busy_shop: Workspace, follow: Follow) -> None:
    result = follow(confidence=90).result
    assert result is not None
    pairs = {(pair["a"], pair["b"]): pair for pair in result["pairs"]}
    together = pairs["Email", "Search"]
    assert together["effect_per_1000"] > 0
    assert together["journeys_both"] == sum({"Email", "Search"} <= set(journey.channels) for journey in journeys())
    assert together["low"] < together["effect_per_1000"] < together["high"]
    assert set(together) >= {"a", "b", "effect_per_1000", "low", "high", "p_adjusted", "verdict", "journeys_both"}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"path_contains": "Audio"}, "no journey of this period meets “Audio”"),
        ({"path_starts": "Radio > Radio"}, "No journey of this period passes the filters"),
        ({"start": "2020-01-01", "end": "2020-01-31"}, "There are no conversions"),
    ],
)
def test_what_cannot_be_answered_ends_in_a_sentence(
    busy_shop: Workspace, params: dict[str, Any], sentence: str
) -> None:
    run = request_run(
        workspace=busy_shop, kind="crosschannel", params=PERIOD | params, by=None, trigger=Run.Trigger.CLI, ring=False
    )
    execute(job_id=run.job_id)
    run.job.refresh_from_db()
    assert run.job.status == "failed"
    assert sentence in run.job.error


def test_a_channel_that_no_journey_of_the_question_meets_is_no_fault(
    busy_shop: Workspace, import_rows: ImportRows, follow: Follow
) -> None:
    """It has traffic, but of another time."""
    import_rows("touchpoints", "customer,occurred_at,channel", "somebody,2025-01-01T00:00Z,Podcast")
    result = follow().result
    assert result is not None
    assert "Podcast" not in result["interactions"]["channels"]


def test_granular_groups_are_followed_as_well(busy_shop: Workspace, follow: Follow) -> None:
    result = follow(grouping="granular").result
    assert result is not None
    assert result["totals"]["journeys"] == len(journeys())


# --- Every way out ---


def test_every_way_out_carries_the_same_numbers(busy_shop: Workspace, owner: User, follow: Follow) -> None:
    run = follow()
    assert run.result is not None
    command = StringIO()
    call_command(
        "analyse",
        "crosschannel",
        "--workspace=acme",
        "--format=json",
        *(f"--param={name}={value}" for name, value in PERIOD.items()),
        stdout=command,
        stderr=StringIO(),
    )
    _key, token = create_api_key(workspace=busy_shop, created_by=owner, name="Reader", scopes=["crosschannel:read"])
    of_api = Client(headers={"Authorization": f"Bearer {token}"}).get(f"/api/v1/runs/{run.pk}/").json()["result"]
    assert json.loads(command.getvalue())["flows"] == of_api["flows"] == run.result["flows"]
    assert json.loads(command.getvalue())["pairs"] == of_api["pairs"] == run.result["pairs"]

    browser = Client()
    browser.force_login(owner)
    export = f"/w/acme/runs/{run.pk}/export"
    table = list(csv.DictReader(StringIO(b"".join(browser.get(f"{export}.csv")).decode())))
    flows = [row for row in table if row["what"] == "flow"]
    assert [(int(row["step"]), row["from"], row["to"], float(row["journeys"])) for row in flows] == [
        (flow["step"], flow["from"], flow["to"], flow["journeys"]) for flow in run.result["flows"]
    ]
    pairs = [row for row in table if row["what"] == "pair"]
    assert [(row["a"], row["b"], float(row["effect_per_1000"]), row["verdict"]) for row in pairs] == [
        (pair["a"], pair["b"], pair["effect_per_1000"], pair["verdict"]) for pair in run.result["pairs"]
    ]
    book = load_workbook(io.BytesIO(b"".join(browser.get(f"{export}.xlsx"))))
    data = list(book["Data"].iter_rows(values_only=True))
    assert len(data) == len(table) + 1
    assert sum(row[data[0].index("journeys")] for row in data[1:] if row[0] == "flow" and row[1] == 1) == sum(
        flow["journeys"] for flow in run.result["flows"] if flow["step"] == 1
    )
    for form in ("pdf", "pptx", "json"):
        assert browser.get(f"{export}.{form}").status_code == 200
