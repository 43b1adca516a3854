"""Questions as people ask them, and as they are kept."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Workspace
from analyses.errors import InvalidParams
from attribution.catalogue import MODELS, OFFERED
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse
from attribution.params import KNOWN, clean
from marketing.models import Conversion, Dataset, Goal
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_customer, add_import

# Still 31 May in UTC: yesterday is another day in Berlin.
NOW = dt.datetime(2026, 5, 31, 22, 30, tzinfo=dt.UTC)

pytestmark = pytest.mark.usefixtures("_now")


@pytest.fixture
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def refusal(workspace: Workspace, **params: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidParams) as refused:
        clean(workspace, params)
    return {name: list(sentences) for name, sentences in refused.value.errors.items()}


def test_what_is_not_asked_is_the_workspaces_default(shop: Workspace) -> None:
    assert clean(shop, {}) == {
        "model": ["last_non_direct"],
        "goal": "Purchase",
        "metric": "revenue",
        "window_days": 30,
        "start": "2026-03-02",
        "end": "2026-05-30",
        "dimension": "channel",
        "confidence": 95,
        "replicates": 1000,
        "seed": 0,
    }


def test_the_workspaces_settings_are_the_defaults(shop: Workspace) -> None:
    shop.default_attribution_model, shop.window_days, shop.period_days, shop.confidence = "linear", 7, 2, 80
    cleaned = clean(shop, {})
    assert cleaned["confidence"] == 80
    assert (cleaned["model"], cleaned["window_days"]) == (["linear"], 7)
    assert (cleaned["start"], cleaned["end"]) == ("2026-05-29", "2026-05-30")


@pytest.mark.parametrize("empty", [None, "", []])
def test_an_empty_parameter_is_one_that_is_not_given(shop: Workspace, empty: object) -> None:
    assert clean(shop, dict.fromkeys(KNOWN, empty)) == clean(shop, {})


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("last", ["last"]),
        ("linear, first", ["linear", "first"]),
        (["first", "last"], ["first", "last"]),
        (["first", "last,linear"], ["first", "last", "linear"]),
        ("first,last,first", ["first", "last"]),
        (",".join(list(MODELS)[:12]), list(MODELS)[:12]),
        ("time_decay:14, time_decay, time_decay:14.0", ["time_decay:14", "time_decay"]),
        ("markov, markov:1, data_driven", ["markov:1", "data_driven"]),
    ],
)
def test_models_come_as_a_name_joined_by_commas_or_as_a_list(shop: Workspace, asked: object, kept: list[str]) -> None:
    assert clean(shop, {"model": asked})["model"] == kept


@pytest.mark.parametrize("asked", ["magic", "last,magic", ["last", "magic"], "Last", "last,", ",", 5, {"last": 1}])
def test_an_unknown_model_is_refused_with_those_that_exist(shop: Workspace, asked: object) -> None:
    (sentence,) = refusal(shop, model=asked)["model"]
    assert sentence.startswith("There is no model “")
    assert sentence.endswith(f". Choose from {', '.join(OFFERED)}.")


@pytest.mark.parametrize(
    ("asked", "goal", "metric"),
    [
        ({"metric": "revenue"}, "Purchase", "revenue"),
        ({"metric": "Conversions"}, "Purchase", "conversions"),
        ({"metric": "leads"}, "Lead", "conversions"),
        ({"metric": "Sign-up"}, "Sign-up", "conversions"),
        ({"metric": "sign-UP"}, "Sign-up", "conversions"),
        ({"goal": "lead"}, "Lead", "revenue"),
        ({"goal": "Sign-up", "metric": "revenue"}, "Sign-up", "revenue"),
        ({"goal": "Lead", "metric": "leads"}, "Lead", "conversions"),
        ({"goal": "Revenue", "metric": "conversions"}, "Revenue", "conversions"),
    ],
)
def test_a_metric_is_a_measure_or_a_goal(shop: Workspace, asked: dict[str, str], goal: str, metric: str) -> None:
    for name in ("Sign-up", "Revenue"):
        Goal.objects.create(workspace=shop, name=name)
    cleaned = clean(shop, asked)
    assert (cleaned["goal"], cleaned["metric"]) == (goal, metric)


def test_a_default_model_that_does_not_exist_gives_way_to_last_non_direct(shop: Workspace) -> None:
    shop.default_attribution_model = "magic"
    assert clean(shop, {})["model"] == ["last_non_direct"]


def test_without_a_default_goal_the_first_one_counts(shop: Workspace) -> None:
    Goal.objects.filter(workspace=shop).update(is_default=False)
    assert clean(shop, {})["goal"] == "Purchase"


def test_the_first_lead_goal_counts_the_leads(shop: Workspace) -> None:
    Goal.objects.create(workspace=shop, name="Another lead", kind=Goal.Kind.LEAD)
    assert clean(shop, {"metric": "leads"})["goal"] == "Lead"


def test_a_lead_goal_that_the_data_know_comes_before_an_empty_one(shop: Workspace) -> None:
    imported = Goal.objects.create(workspace=shop, name="Leads", kind=Goal.Kind.LEAD)
    Conversion.objects.create(
        batch=add_import(shop, Dataset.CONVERSIONS), customer=add_customer(shop, 1), goal=imported, occurred_at=NOW
    )
    assert clean(shop, {"metric": "leads"})["goal"] == "Leads"


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"goal": "Nothing"}, "goal", "There is no goal “Nothing”. Goals: Purchase, Lead."),
        (
            {"metric": "clicks"},
            "metric",
            "There is no metric “clicks”. Use revenue, conversions, leads, or a goal: Purchase",
        ),
        ({"metric": "\x00"}, "metric", "There is no metric"),
        ({"metric": "leads", "goal": "Purchase"}, "goal", "The metric “leads” counts the goal “Lead”, not “Purchase”."),
        ({"metric": "Lead", "goal": "Nothing"}, "goal", "The metric “Lead” counts the goal “Lead”, not “Nothing”."),
    ],
)
def test_a_goal_that_does_not_exist_or_fit_is_refused(
    shop: Workspace, asked: dict[str, str], field: str, sentence: str
) -> None:
    (said,) = refusal(shop, **asked)[field]
    assert said.startswith(sentence)


def test_goals_of_other_workspaces_do_not_exist(shop: Workspace) -> None:
    Goal.objects.create(workspace=WorkspaceFactory.create(), name="Theirs")
    assert "Theirs" not in refusal(shop, goal="Theirs")["goal"][0].partition("Goals:")[2]


@pytest.mark.parametrize(("asked", "kept"), [(1, 1), (365, 365), ("7", 7), (" 14 ", 14), ("030", 30)])
def test_a_window_is_1_to_365_days(shop: Workspace, asked: object, kept: int) -> None:
    assert clean(shop, {"window_days": asked})["window_days"] == kept


@pytest.mark.parametrize("asked", [0, 366, 1000, "0" * 5000, "9" * 5000])
def test_a_window_out_of_bounds_is_refused(shop: Workspace, asked: object) -> None:
    assert refusal(shop, window_days=asked) == {"window_days": ["The lookback window is 1 to 365 days."]}


@pytest.mark.parametrize("asked", ["3.5", 3.5, True, "１２", "-1", -1, "1e2", "week", [7], "7 days", float("nan")])  # noqa: RUF001
def test_a_window_that_is_no_whole_number_is_refused(shop: Workspace, asked: object) -> None:
    (sentence,) = refusal(shop, window_days=asked)["window_days"]
    assert sentence == f"The lookback window is a whole number of days, not “{asked}”."


@pytest.mark.parametrize("asked", ["last_30", "last_30_days", "30_days", "30", " Last_30_Days "])
def test_a_preset_ends_yesterday(shop: Workspace, asked: str) -> None:
    cleaned = clean(shop, {"period": asked})
    assert (cleaned["start"], cleaned["end"]) == ("2026-05-01", "2026-05-30")


def test_yesterday_is_that_of_the_workspaces_zone(shop: Workspace) -> None:
    shop.timezone = "Europe/Berlin"
    cleaned = clean(shop, {"period": "last_30"})
    assert (cleaned["start"], cleaned["end"]) == ("2026-05-02", "2026-05-31")


@pytest.mark.parametrize("asked", ["last_31", "yesterday", "custom", 7])
def test_an_unknown_period_is_refused_with_those_that_exist(shop: Workspace, asked: object) -> None:
    (sentence,) = refusal(shop, period=asked)["period"]
    assert sentence.endswith("choose one of last_30, last_60, last_90, last_180, last_365, or give start and end.")


@pytest.mark.parametrize("end", ["2026-02-28", dt.date(2026, 2, 28)])
def test_a_custom_period_is_kept_as_it_is(shop: Workspace, end: object) -> None:
    cleaned = clean(shop, {"start": "2026-02-01", "end": end})
    assert (cleaned["start"], cleaned["end"]) == ("2026-02-01", "2026-02-28")


def test_a_preset_and_a_custom_period_together_are_refused(shop: Workspace) -> None:
    errors = refusal(shop, start="2026-02-01", end="2026-02-28", period="last_30")
    assert errors == {"period": ["Give a period by name, or a start and an end, not both."]}


def test_a_period_may_be_one_day(shop: Workspace) -> None:
    assert clean(shop, {"start": "2026-02-01", "end": "2026-02-01"})["end"] == "2026-02-01"


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"start": "2026-02-01"}, "end", "A custom period needs both a start and an end."),
        ({"end": "2026-02-01"}, "start", "A custom period needs both a start and an end."),
        (
            {"start": "2026-03-01", "end": "2026-02-01"},
            "end",
            "The period ends (2026-02-01) before it starts (2026-03-01).",
        ),
        ({"start": "2026-02-01", "end": "2026-02-30"}, "end", "“2026-02-30” is not a day such as 2026-05-31."),
        ({"start": "01.02.2026", "end": "2026-02-03"}, "start", "“01.02.2026” is not a day such as 2026-05-31."),
        ({"start": "2026-02-01", "end": "9999-12-31"}, "end", "A period lies between 2000 and 2100."),
        ({"start": "0001-01-01", "end": "2026-02-01"}, "start", "A period lies between 2000 and 2100."),
    ],
)
def test_a_custom_period_that_cannot_be_is_refused_at_the_field(
    shop: Workspace, asked: dict[str, str], field: str, sentence: str
) -> None:
    assert refusal(shop, **asked) == {field: [sentence]}


def test_a_dimension_is_channel_or_campaign(shop: Workspace) -> None:
    assert clean(shop, {"dimension": "Campaign"})["dimension"] == "campaign"
    (sentence,) = refusal(shop, dimension="keyword")["dimension"]
    assert sentence == "The dimension is channel or campaign or channel_type, not “keyword”."


def test_an_unknown_parameter_is_refused(shop: Workspace) -> None:
    (sentence,) = refusal(shop, window=7)["window"]
    assert sentence == f"Unknown parameter. Known: {', '.join(KNOWN)}."


def test_everything_wrong_is_said_at_once(shop: Workspace) -> None:
    wrong = refusal(shop, model="magic", metric="magic", window_days=0, end="2026-01-01", dimension="magic", magic=1)
    assert wrong.keys() == {"model", "metric", "window_days", "start", "dimension", "magic"}


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"confidence": "90%"}, {"confidence": 90}),
        ({"confidence": 99}, {"confidence": 99}),
        ({"replicates": "200", "seed": 7}, {"replicates": 200, "seed": 7}),
        ({"grouping": "Granular"}, {"grouping": "granular"}),
        ({"grouping": "standard"}, {}),
        ({"view_through": "exclude"}, {"view_through": "exclude"}),
        ({"view_through": "include"}, {}),
        ({"data": "journeys"}, {}),
        ({"dimension": "channel_type"}, {"dimension": "channel_type"}),
    ],
)
def test_what_is_not_usual_is_kept(shop: Workspace, asked: dict[str, object], kept: dict[str, object]) -> None:
    assert clean(shop, asked) == clean(shop, {}) | kept


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"confidence": 94}, "The confidence level is one of 80, 90, 95, 99 percent, not “94”."),
        ({"confidence": True}, "The confidence level is one of"),
        ({"replicates": 99}, "“replicates” lies between 100 and 10000."),
        ({"replicates": 10**30}, "“replicates” lies between 100 and 10000."),
        ({"replicates": "many"}, "“replicates” is a whole number, not “many”."),
        ({"seed": -1}, "“seed” lies between 0 and 4294967295."),
        ({"seed": 2**32}, "“seed” lies between 0 and 4294967295."),
        ({"seed": True}, "“seed” is a whole number"),
        ({"grouping": "mine"}, "“grouping” is standard or custom or granular, not “mine”."),
        ({"view_through": "no"}, "“view_through” is include or exclude, not “no”."),
        ({"data": "clicks"}, "“data” is journeys or paths, not “clicks”."),
        ({"model": "position:50-30-30"}, "The weights of position must total 100%, not 110%."),
        ({"model": [f"time_decay:{days}" for days in range(1, 15)]}, "At most 12 models stand side by side, not 14."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(shop: Workspace, asked: dict[str, object], sentence: str) -> None:
    ((name, _),) = asked.items()
    assert refusal(shop, **asked)[name][0].startswith(sentence)


def test_aggregated_paths_have_neither_goal_nor_window(shop: Workspace) -> None:
    cleaned = clean(shop, {"data": "paths", "model": "last"})
    assert cleaned == {
        "model": ["last"],
        "metric": "conversions",
        "start": "2026-03-02",
        "end": "2026-05-30",
        "dimension": "channel",
        "data": "paths",
        "confidence": 95,
        "replicates": 1000,
        "seed": 0,
    }
    assert clean(shop, cleaned) == cleaned
    errors = refusal(shop, data="paths", goal="Lead", window_days=7, segment="x", dimension="campaign", metric="leads")
    assert errors["window_days"] == ["Aggregated paths have no lookback window, as they have no times: leave it out."]
    assert errors.keys() == {"goal", "window_days", "segment", "dimension", "metric"}


def test_a_custom_model_is_kept_with_its_definition(shop: Workspace) -> None:
    ours = custom_models.create(workspace=shop, name="Ours", definition=parse({"half_life_days": 3}), by=None)
    cleaned = clean(shop, {"model": "last, ours"})
    name = f"custom:{ours.pk}@1"
    assert cleaned["model"] == ["last", name]
    assert cleaned[custom_models.PARAM][name]["name"] == "Ours"
    assert clean(shop, cleaned) == cleaned
    assert clean(shop, {"model": f"custom:{ours.pk}"})["model"] == [name]
    custom_models.save_version(model=ours, definition=parse({"half_life_days": 4}), by=None)
    assert clean(shop, {"model": "Ours"})["model"] == [f"custom:{ours.pk}@2"]
    assert clean(shop, cleaned) == cleaned, "a version stays what it was"


def test_definitions_in_a_question_are_not_taken_for_the_models_own(shop: Workspace) -> None:
    ours = custom_models.create(workspace=shop, name="Ours", definition=parse({"half_life_days": 3}), by=None)
    cleaned = clean(shop, {"model": "ours"})
    forged = cleaned | {custom_models.PARAM: {f"custom:{ours.pk}@1": {"name": "x", "version": 1, "definition": {}}}}
    assert clean(shop, forged) == cleaned


def test_an_archived_custom_model_is_only_asked_for_by_its_version(shop: Workspace) -> None:
    ours = custom_models.create(workspace=shop, name="Ours", definition=parse({"half_life_days": 3}), by=None)
    cleaned = clean(shop, {"model": "ours"})
    custom_models.archive(model=ours, by=None)
    assert clean(shop, cleaned) == cleaned, "an earlier question can be asked again"
    said = "The custom model “Ours” is archived. Restore it to use it again."
    assert refusal(shop, model="ours") == {"model": [said]}
    shop.default_attribution_model = f"custom:{ours.pk}"
    assert clean(shop, {})["model"] == ["last_non_direct"]


def test_custom_models_of_other_workspaces_do_not_exist(shop: Workspace) -> None:
    theirs = custom_models.create(
        workspace=WorkspaceFactory.create(), name="Theirs", definition=parse({"half_life_days": 3}), by=None
    )
    for asked in (f"custom:{theirs.pk}", f"custom:{theirs.pk}@1", "Theirs"):
        assert refusal(shop, model=asked)["model"][0].startswith(f"There is no model “{asked}”.")


DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))
PERIODS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.sampled_from(["last_30", "60_days", "last_365_days"]).map(lambda name: {"period": name}),
    st.tuples(DAYS, DAYS).map(sorted).map(lambda days: {"start": days[0].isoformat(), "end": days[1]}),
)
CHOSEN = st.lists(st.sampled_from([*MODELS, "time_decay:2.50", "position:50-0-50"]), min_size=1, max_size=12)
REST = st.fixed_dictionaries(
    {},
    optional={
        "model": st.one_of(CHOSEN, CHOSEN.map(",".join)),
        "metric": st.sampled_from(["revenue", "conversions", "leads", "Lead", "purchase"]),
        "window_days": st.one_of(st.integers(1, 365), st.integers(1, 365).map(str)),
        "dimension": st.sampled_from(["channel", "campaign", "CHANNEL", "channel_type"]),
        "grouping": st.sampled_from(["standard", "granular", "custom"]),
        "view_through": st.sampled_from(["include", "exclude"]),
        "confidence": st.sampled_from([80, "90", "95%", 99]),
        "replicates": st.integers(100, 10_000),
        "seed": st.integers(0, 2**32 - 1).map(str),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(period=PERIODS, rest=REST)
def test_canonical_params_stay_as_they_are(shop: Workspace, period: dict[str, Any], rest: dict[str, Any]) -> None:
    canonical = clean(shop, period | rest)
    assert clean(shop, canonical) == canonical
