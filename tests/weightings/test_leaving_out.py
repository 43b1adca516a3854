"""Questions that leave channels, controls and experiments out: what is kept of them, and what a model is given then."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.runs import request_run
from jobs.children import ChildAnswer
from jobs.execution import execute
from marketing.channels import merge_channels, rename_channel
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel, Control, ControlValue, Dataset, Event, Experiment, Import
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.markets import add_channels, add_outcome, add_spend, market_weeks
from tests.weightings.questions import market
from tests.weightings.results import PARAMS
from weightings import computation
from weightings.analysis import KIND, in_address
from weightings.methods.storing import unpack_panel
from weightings.params import LEAVE_OUT, clean
from weightings.presentation.words import describe, settings

pytestmark = pytest.mark.django_db
TV_TEST = "TV 2022-03-14/2022-04-10"


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    """Sixty weeks of sales, spend on TV, Search and one with a comma, a control, an event, and two lift tests."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    add_outcome(workspace)
    add_spend(workspace)
    add_channels(workspace, {"Print, regional": [float(100 + (7 * week) % 50) for week in range(60)]})
    price = Control.objects.create(workspace=workspace, name="Price")
    batch = add_import(workspace, Dataset.CONTROLS)
    ControlValue.objects.bulk_create(
        ControlValue(batch=batch, control=price, date=week, value=place % 7)
        for place, week in enumerate(market_weeks())
    )
    add_event(workspace, "Strike")
    add_test(workspace, "TV")
    add_test(workspace, "Search", geo="North, east")
    return workspace


def add_event(workspace: Workspace, name: str) -> None:
    start = market_weeks()[5]
    Event.objects.create(
        workspace=workspace, batch=add_import(workspace, Dataset.EVENTS), name=name, start=start, end=start
    )


def add_test(workspace: Workspace, channel: str, *, status: str = Import.Status.ACTIVE, **changed: Any) -> None:
    """Four weeks from the eleventh on."""
    (of,) = ensure_channels(workspace=workspace, names=[channel])
    start = market_weeks()[10]
    row = {"start": start, "end": start + dt.timedelta(27), "lift": 900.0, "standard_error": 90.0, "spend": 500}
    Experiment.objects.create(
        batch=add_import(workspace, Dataset.EXPERIMENTS, status=status), channel=of, **(row | changed)
    )


def refusal(workspace: Workspace, **params: Any) -> Mapping[str, Sequence[str]]:
    with pytest.raises(InvalidParams) as caught:
        clean(workspace, params)
    return caught.value.errors


LEFT_OUT = {
    "leave_out_channels": ["Print, regional", "TV"],
    "leave_out_controls": ["Price", "Strike"],
    "leave_out_experiments": ["Search 2022-03-14/2022-04-10 in North, east"],
}


def test_what_is_left_out_is_kept_by_name_and_said_in_the_address(shop: Workspace) -> None:
    canonical = clean(shop, LEFT_OUT)
    assert {name: canonical[name] for name in LEAVE_OUT} == LEFT_OUT
    assert clean(shop, canonical) == canonical
    address = dict(in_address(canonical))
    assert {name: address[name] for name in LEAVE_OUT} == LEFT_OUT
    assert clean(shop, address) == canonical
    assert set(LEAVE_OUT) <= set(KIND.optional)


@pytest.mark.parametrize("nothing", [[], "", None, [""], " ; "])
def test_nothing_left_out_is_no_parameter(nothing: Any, shop: Workspace) -> None:
    assert clean(shop, dict.fromkeys(LEAVE_OUT, nothing)) == clean(shop, {})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("tv", ["TV"]),
        ("TV; search", ["Search", "TV"]),
        ("TV,Search", ["Search", "TV"]),
        ("Print, regional", ["Print, regional"]),
        ("print, REGIONAL; tv", ["Print, regional", "TV"]),
        (["TV", "tv"], ["TV"]),
    ],
)
def test_channels_may_be_said_as_text(asked: Any, found: list[str], shop: Workspace) -> None:
    assert clean(shop, {"leave_out_channels": asked})["leave_out_channels"] == found


def test_experiments_may_be_said_as_text(shop: Workspace) -> None:
    both = clean(shop, {"leave_out_experiments": f"{TV_TEST}; Search 2022-03-14/2022-04-10 in North, east"})
    assert both["leave_out_experiments"] == ["Search 2022-03-14/2022-04-10 in North, east", TV_TEST]
    one = clean(shop, {"leave_out_experiments": "search 2022-03-14/2022-04-10 in North, east"})
    assert one["leave_out_experiments"] == ["Search 2022-03-14/2022-04-10 in North, east"]


def test_renamed_and_merged_channels_go_by_the_names_that_they_have_now(shop: Workspace) -> None:
    asked = clean(shop, {"leave_out_channels": ["TV"], "leave_out_experiments": [TV_TEST]})
    rename_channel(channel=Channel.objects.get(name="TV"), name="Broadcast", by=None)
    again = clean(shop, asked)
    assert again["leave_out_channels"] == ["Broadcast"]
    assert again["leave_out_experiments"] == ["Broadcast 2022-03-14/2022-04-10"]
    merge_channels(source=Channel.objects.get(name="Search"), target=Channel.objects.get(name="Broadcast"), by=None)
    assert clean(shop, {"leave_out_channels": "Search"})["leave_out_channels"] == ["Broadcast"]


def test_what_an_undone_import_brought_can_still_be_left_out(shop: Workspace) -> None:
    asked = clean(shop, LEFT_OUT)
    Import.objects.exclude(dataset=Dataset.OUTCOMES).update(status=Import.Status.UNDONE)
    assert clean(shop, asked) == asked


@pytest.mark.parametrize(
    ("params", "field", "sentence"),
    [
        ({"leave_out_channels": "Radio"}, "leave_out_channels", "There is no channel “Radio”."),
        (
            {"leave_out_channels": ["TV", 3]},
            "leave_out_channels",
            "What is left out is a list of names, not “['TV', 3]”.",
        ),
        ({"leave_out_channels": {"TV": 1}}, "leave_out_channels", "What is left out is a list of names, not"),
        ({"leave_out_channels": ["TV\x00"]}, "leave_out_channels", "There is no channel “TV\x00”."),
        (
            {"leave_out_channels": ["TV", "Search", "Print, regional"]},
            "leave_out_channels",
            "All channels with spend are left out, which leaves nothing to measure. Keep at least one.",
        ),
        ({"leave_out_controls": "Weather"}, "leave_out_controls", "There is no control and no event “Weather”."),
        ({"leave_out_controls": True}, "leave_out_controls", "What is left out is a list of names, not “True”."),
        ({"leave_out_experiments": "TV"}, "leave_out_experiments", "There is no experiment “TV”. They are called by"),
        (
            {"leave_out_experiments": "TV 2022-03-14/2022-04-11"},
            "leave_out_experiments",
            "There is no experiment “TV 2022-03-14/2022-04-11”.",
        ),
        ({"leave_out_experiments": f"{TV_TEST} in North"}, "leave_out_experiments", "There is no experiment “TV"),
        (
            {"leave_out_channels": "TV", "roi": "TV: 2 (1-3)"},
            "roi",
            "A return is expected of “TV”, which is left out. Say nothing of it, or keep it in.",
        ),
    ],
)
def test_what_cannot_be_left_out_is_refused_with_a_sentence(
    params: dict[str, Any], field: str, sentence: str, shop: Workspace
) -> None:
    errors = refusal(shop, **params)
    assert errors.keys() == {field}
    assert sentence in errors[field][0]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("leave_out_channels", "Radio"),
        ("leave_out_controls", "Weather"),
        ("leave_out_controls", "Storm"),
        ("leave_out_experiments", "Radio 2022-03-14/2022-04-10"),
    ],
)
def test_what_only_another_workspace_has_is_refused_as_what_nobody_has(field: str, name: str, shop: Workspace) -> None:
    before = refusal(shop, **{field: name})
    elsewhere = WorkspaceFactory.create()
    add_outcome(elsewhere)
    Control.objects.create(workspace=elsewhere, name="Weather")
    add_event(elsewhere, "Storm")
    add_test(elsewhere, "Radio")
    assert field in clean(elsewhere, {field: name})
    assert refusal(shop, **{field: name}) == before


def test_experiments_that_are_not_used_need_not_be_left_out(shop: Workspace) -> None:
    for params in ({"experiments": "none"}, {"model": "lightweight:adstock"}):
        assert clean(shop, params | {"leave_out_experiments": [TV_TEST]}) == clean(shop, params)


def test_lightweight_models_can_do_without_a_channel(shop: Workspace) -> None:
    found = clean(shop, {"model": "lightweight:adstock", "leave_out_channels": ["TV"]})
    assert found["leave_out_channels"] == ["TV"]


def test_the_question_says_in_words_what_it_leaves_out() -> None:
    plain = dict(settings(PARAMS))
    assert not [label for label in plain if "left out" in label]
    params = PARAMS | LEFT_OUT
    found = dict(settings(params))
    assert found["Channels left out"] == "Print, regional, TV"
    assert found["Controls left out"] == "Price, Strike"
    assert found["Experiments left out"] == "Search 2022-03-14/2022-04-10 in North, east"
    assert describe(params).endswith(
        "· without 2 channels · without 2 controls · without Search 2022-03-14/2022-04-10 in North, east"
    )
    assert "· without TV" in describe(PARAMS | {"leave_out_channels": ["TV"]})


# What a model is given


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The question that the child process is given, with its arrays; it answers at once, and with nothing."""
    given: dict[str, Any] = {}

    def keep(*, question: dict[str, Any], arrays: Mapping[str, Any], **_rest: Any) -> ChildAnswer:
        given.update(question, panel_given=unpack_panel(question["panel"], arrays))
        return ChildAnswer({"timings": {"total_seconds": 0.0}}, {})

    monkeypatch.setattr(computation, "compute_in_child", keep)
    return given


def carried_out(workspace: Workspace, **params: Any) -> dict[str, Any]:
    run = request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )
    execute(job_id=run.job_id)
    run.refresh_from_db()
    assert run.result is not None
    return dict(run.result)


def test_a_model_learns_nothing_of_what_is_left_out(shop: Workspace, asked: dict[str, Any]) -> None:
    result = carried_out(shop, **LEFT_OUT)
    panel = asked["panel_given"]
    assert panel.channels == ("Search",)
    assert panel.spend[:, 0] == pytest.approx(market().spend[:, 1], abs=0.005)
    assert panel.outcome.tolist() == market().outcome.tolist()
    assert (panel.controls, panel.events) == ((), ())
    remarks = {remark["code"]: remark for remark in result["remarks"]}
    assert remarks["left_out_channel"]["names"] == ["Print, regional", "TV"]
    assert remarks["left_out_control"]["names"] == ["Price", "Strike"]


def test_experiments_on_a_channel_that_is_left_out_are_remarked_on(shop: Workspace, asked: dict[str, Any]) -> None:
    result = carried_out(shop, leave_out_channels=["TV"])
    assert [test["channel"] for test in asked["experiments"]] == ["Search"]
    of_tv = [remark for remark in result["remarks"] if remark["names"] == ["TV"] and remark["code"] == "experiments"]
    assert [remark["sentence"] for remark in of_tv] == [
        "Experiments on “TV” are not used: the channel is left out of the model, as asked."
    ]


def test_single_experiments_can_be_left_out(shop: Workspace, asked: dict[str, Any]) -> None:
    carried_out(shop)
    assert [test["channel"] for test in asked["experiments"]] == ["TV", "Search"]
    carried_out(shop, leave_out_experiments=[TV_TEST])
    assert [test["channel"] for test in asked["experiments"]] == ["Search"]
