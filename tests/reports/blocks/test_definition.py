import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from accounts.models import Workspace
from accounts.plans import PlanRequired
from marketing.periods import Period
from mmm_project.problems import Invalid
from reports.blocks.definition import LONGEST_TEXT, MOST_BLOCKS, analysis_params, clean_blocks
from reports.blocks.templates import TEMPLATES
from tests.factories import WorkspaceFactory
from tests.weightings.results import finished
from weightings.models import Scenario

MARCH = Period(dt.date(2026, 3, 1), dt.date(2026, 3, 31))


def cleaned(workspace: Workspace, *blocks: Mapping[str, Any]) -> list[dict[str, Any]]:
    return clean_blocks(workspace, blocks, period=MARCH)


def refusal(workspace: Workspace, *blocks: Mapping[str, Any]) -> Any:
    with pytest.raises(Invalid) as caught:
        cleaned(workspace, *blocks)
    return caught.value.errors or caught.value.detail


@pytest.fixture
def scenario(shop: Workspace) -> Scenario:
    run = finished(shop)
    run.job.save()
    run.save()
    return Scenario.objects.create(workspace=shop, run=run, name="More TV", plan={})


def test_blocks_get_ids_of_their_own_and_titles(shop: Workspace) -> None:
    blocks = cleaned(shop, {"kind": "dashboard"}, {"kind": "text", "title": " My  words\n"}, {"kind": "dashboard"})
    assert [(block["id"], block["title"]) for block in blocks] == [
        ("block", "Dashboard"),
        ("block2", "My words"),
        ("block3", "Dashboard"),
    ]
    assert cleaned(shop, *blocks) == blocks


def test_an_id_that_a_chart_could_not_have_is_replaced(shop: Workspace) -> None:
    assert [block["id"] for block in cleaned(shop, {"kind": "dashboard", "id": '"><script>'})] == ["block"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_can_be_used_as_it_is(shop: Workspace, template: str) -> None:
    blocks = cleaned(shop, *TEMPLATES[template].blocks)
    assert [block["kind"] for block in blocks] == [block["kind"] for block in TEMPLATES[template].blocks]


def test_settings_that_make_no_sense_are_refused_by_block(shop: Workspace) -> None:
    errors = refusal(shop, {"kind": "dashboard"}, {"kind": "attribution", "params": {"window_days": "0"}})
    assert errors == {"blocks.1.window_days": ["The lookback window is 1 to 365 days."]}


def test_a_block_of_no_kind_is_refused(shop: Workspace) -> None:
    assert "There is no block “chart”" in refusal(shop, {"kind": "chart"})["blocks.0"][0]
    assert refusal(shop, {"kind": "text", "params": ["text"]}) == {
        "blocks.0": ["The settings of a block are names and values."]
    }


def test_too_many_blocks_and_too_long_texts_are_refused(shop: Workspace) -> None:
    assert refusal(shop, *[{"kind": "dashboard"}] * (MOST_BLOCKS + 1)) == "A report has at most 20 blocks."
    long = {"kind": "text", "params": {"text": "a" * (LONGEST_TEXT + 1)}}
    assert refusal(shop, long) == {"blocks.0.text": ["A text has at most 10,000 characters; this one has 10,001."]}


def test_text_keeps_its_lines_and_loses_control_characters(shop: Workspace) -> None:
    (block,) = cleaned(shop, {"kind": "text", "params": {"text": "One\r\n\r\n=2+2\x00\x1b[31m <b>\u202e"}})
    assert block["params"] == {"text": "One\n\n=2+2[31m <b>"}


def test_scenarios_are_those_of_the_workspace(shop: Workspace, scenario: Scenario) -> None:
    (block,) = cleaned(shop, {"kind": "scenarios", "params": {"scenarios": [str(scenario.pk), scenario.pk]}})
    assert block["params"] == {"scenarios": [scenario.pk]}
    elsewhere = WorkspaceFactory.create()
    for workspace, ids in ((elsewhere, [scenario.pk]), (shop, [scenario.pk, 10**30])):
        assert "blocks.0.scenarios" in refusal(workspace, {"kind": "scenarios", "params": {"scenarios": ids}})
    for no_ids in ([-1], "1", ["one"]):
        assert refusal(shop, {"kind": "scenarios", "params": {"scenarios": no_ids}}) == {
            "blocks.0.scenarios": ["Scenarios are chosen by their ids."]
        }
    assert refusal(shop, {"kind": "scenarios"}) == {"blocks.0.scenarios": ["Choose one scenario at least."]}


def test_the_period_is_the_reports_alone(shop: Workspace) -> None:
    params = {"model": "linear", "period": "last_30", "start": "2020-01-01"}
    (block,) = cleaned(shop, {"kind": "attribution", "params": params})
    assert block["params"] == {"model": "linear"}
    assert analysis_params(block, MARCH) == {"model": "linear", "start": "2026-03-01", "end": "2026-03-31"}


def test_media_mix_models_are_about_all_data(shop: Workspace) -> None:
    (block,) = cleaned(shop, {"kind": "weightings", "params": {"granularity": "week"}})
    assert analysis_params(block, MARCH) == {"granularity": "week"}


def test_models_that_the_plan_does_not_have_are_refused(shop: Workspace) -> None:
    with pytest.raises(PlanRequired, match="Data-driven attribution is part of the Professional plan"):
        cleaned(shop, {"kind": "attribution", "params": {"model": "markov"}})
