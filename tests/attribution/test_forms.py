"""The form that asks for attribution, and what it starts with."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.http import QueryDict

from accounts.models import Workspace
from analyses.choices import as_form_says
from attribution.forms import AttributionForm, asked_for, initial
from marketing.models import Goal

ANSWERS = {"model": "linear", "metric": "revenue", "window": "30", "period": "last_30", "dimension": "channel"}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(dt.datetime(2026, 5, 31, 12, tzinfo=dt.UTC), tick=False):
        yield


def filled_in(workspace: Workspace, **answers: object) -> AttributionForm:
    return AttributionForm(ANSWERS | answers, workspace=workspace)


def starts_with(workspace: Workspace, query: str = "") -> dict[str, object]:
    return initial(workspace, asked_for(workspace, QueryDict(query)))


def test_answers_become_canonical_params(shop: Workspace) -> None:
    form = filled_in(shop, compare=["first", "last"])
    assert form.is_valid()
    assert form.params == {
        "model": ["linear", "first", "last"],
        "goal": "Purchase",
        "metric": "revenue",
        "window_days": 30,
        "start": "2026-05-01",
        "end": "2026-05-30",
        "dimension": "channel",
        "confidence": 95,
        "replicates": 1000,
        "seed": 0,
    }


def test_a_model_is_not_compared_with_itself(shop: Workspace) -> None:
    form = filled_in(shop, compare=["last", "linear"])
    assert form.is_valid()
    assert form.params["model"] == ["linear", "last"]


def test_the_metrics_are_two_measures_the_leads_and_other_goals(shop: Workspace) -> None:
    for name in ("Sign-up", "Revenue"):
        Goal.objects.create(workspace=shop, name=name)
    choices = AttributionForm(workspace=shop).fields["metric"].choices  # type: ignore[attr-defined]
    assert list(choices) == [
        ("revenue", "Revenue"),
        ("conversions", "Conversions"),
        ("leads", "Leads"),
        ("goal:Sign-up", "Sign-up"),
        ("goal:Revenue", "Revenue"),
    ]


def test_a_workspace_without_a_lead_goal_has_no_leads(shop: Workspace) -> None:
    Goal.objects.filter(workspace=shop, kind=Goal.Kind.LEAD).delete()
    choices = dict(AttributionForm(workspace=shop).fields["metric"].choices)  # type: ignore[attr-defined]
    assert "leads" not in choices


@pytest.mark.parametrize(
    ("choice", "goal", "metric"),
    [
        ("revenue", "Purchase", "revenue"),
        ("conversions", "Purchase", "conversions"),
        ("leads", "Lead", "conversions"),
        ("goal:Revenue", "Revenue", "conversions"),
    ],
)
def test_a_metric_asks_for_its_goal_and_comes_back_as_the_same_choice(
    shop: Workspace, choice: str, goal: str, metric: str
) -> None:
    Goal.objects.create(workspace=shop, name="Revenue")
    form = filled_in(shop, metric=choice)
    assert form.is_valid()
    assert (form.params["goal"], form.params["metric"]) == (goal, metric)
    assert starts_with(shop, f"goal={goal}&metric={metric}")["metric"] == choice


def test_a_custom_period_is_taken_from_its_two_days(shop: Workspace) -> None:
    form = filled_in(shop, period="custom", start="2026-02-01", end="2026-02-28")
    assert form.is_valid()
    assert (form.params["start"], form.params["end"]) == ("2026-02-01", "2026-02-28")


def test_a_custom_window_is_taken_from_its_days(shop: Workspace) -> None:
    form = filled_in(shop, window="custom", window_days="45")
    assert form.is_valid()
    assert form.params["window_days"] == 45


def test_the_days_of_a_window_do_not_count_beside_a_preset(shop: Workspace) -> None:
    form = filled_in(shop, window="7", window_days="45")
    assert form.is_valid()
    assert form.params["window_days"] == 7


@pytest.mark.parametrize(("days", "window"), [(7, "7"), (90, "90"), (45, "custom")])
def test_a_window_in_the_address_is_a_preset_or_custom(shop: Workspace, days: int, window: str) -> None:
    start = starts_with(shop, f"window_days={days}")
    assert (start["window"], start["window_days"]) == (window, days)


def test_the_days_do_not_count_beside_a_preset(shop: Workspace) -> None:
    form = filled_in(shop, start="2026-02-01", end="2026-02-28")
    assert form.is_valid()
    assert form.params["end"] == "2026-05-30"


@pytest.mark.parametrize(
    ("answers", "field", "sentence"),
    [
        ({"model": "magic"}, "model", "Select a valid choice. magic is not one of the available choices."),
        ({"compare": ["magic"]}, "compare", "Select a valid choice. magic is not one of the available choices."),
        ({"metric": "Lead"}, "metric", "Select a valid choice. Lead is not one of the available choices."),
        ({"window": "8"}, "window", "Select a valid choice. 8 is not one of the available choices."),
        ({"window": "custom"}, "window_days", "A custom window needs its number of days."),
        ({"window": "custom", "window_days": "0"}, "window_days", "Ensure this value is greater than or equal to 1."),
        ({"window": "custom", "window_days": "366"}, "window_days", "Ensure this value is less than or equal to 365."),
        ({"window": "custom", "window_days": "3.5"}, "window_days", "Enter a whole number."),
        ({"period": "last_31"}, "period", "Select a valid choice. last_31 is not one of the available choices."),
        (
            {"period": "custom", "start": "2026-02-01"},
            "end",
            "A custom period needs both a start and an end.",
        ),
        (
            {"model": "position", "first": "50", "middle": "30", "last": "30"},
            "first",
            "The three weights must total 100%, not 110%.",
        ),
        (
            {"compare": ["position"], "first": "0", "middle": "100", "last": "0"},
            "first",
            "The three weights must give something to the first or the last touch.",
        ),
        ({"model": "time_decay", "half_life_days": "0"}, "half_life_days", "The half-life must be more than 0 days."),
        ({"period": "custom", "start": "2026-02-30", "end": "2026-03-01"}, "start", "Enter a valid date."),
        (
            {"period": "custom", "start": "2026-03-01", "end": "2026-02-01"},
            "end",
            "The period ends (2026-02-01) before it starts (2026-03-01).",
        ),
        (
            {"period": "custom", "start": "1999-12-31", "end": "2026-02-01"},
            "start",
            "A period lies between 2000 and 2100.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    shop: Workspace, answers: dict[str, object], field: str, sentence: str
) -> None:
    form = filled_in(shop, **answers)
    assert not form.is_valid()
    assert form.errors == {field: [sentence]}
    assert form.params == {}


def test_an_address_without_a_question_starts_with_the_defaults(shop: Workspace) -> None:
    start = starts_with(shop)
    assert (start["model"], start["compare"], start["metric"]) == ("last_non_direct", [], "revenue")
    assert (start["window_days"], start["period"], start["dimension"]) == (30, "last_90", "channel")
    assert (start["start"], start["end"]) == ("2026-03-02", "2026-05-30")


def test_the_address_of_a_run_brings_its_question_back(shop: Workspace) -> None:
    start = starts_with(
        shop,
        "model=linear&model=first&goal=Lead&metric=conversions&window_days=7"
        "&start=2026-02-01&end=2026-02-28&dimension=campaign",
    )
    assert (start["model"], start["compare"], start["metric"]) == ("linear", ["first"], "leads")
    assert (start["window_days"], start["period"], start["dimension"]) == (7, "custom", "campaign")
    assert (start["start"], start["end"]) == ("2026-02-01", "2026-02-28")


@pytest.mark.parametrize("written", ["last_60", "60_days", "last_60_days"])
def test_a_preset_in_the_address_is_the_choice_of_the_form(shop: Workspace, written: str) -> None:
    assert starts_with(shop, f"period={written}")["period"] == "last_60"


def test_a_default_period_that_is_no_preset_starts_as_a_custom_one(shop: Workspace) -> None:
    shop.period_days = 45
    start = starts_with(shop)
    assert (start["period"], start["start"], start["end"]) == ("custom", "2026-04-16", "2026-05-30")


@pytest.mark.parametrize("query", ["model=magic", "window_days=x", "start=2026-02-01", "metric=%00", "period=last_31"])
def test_an_address_that_cannot_be_used_starts_with_the_defaults(shop: Workspace, query: str) -> None:
    assert starts_with(shop, query) == starts_with(shop)


def test_only_what_cannot_be_used_of_an_address_is_left_out(shop: Workspace) -> None:
    asked = asked_for(shop, QueryDict("goal=Renamed&model=first&model=magic&start=2026-04-01&end=2026-04-30"))
    assert [name for name, _why in asked.left_out] == ["model", "goal"]
    # The form has no field for a goal: it is a choice of the metric.
    assert [label for label, _why in as_form_says(AttributionForm, asked.left_out)] == ["Attribution model", "Goal"]
    assert (asked.params["start"], asked.params["end"]) == ("2026-04-01", "2026-04-30")
    shown = initial(shop, asked)
    assert (shown["period"], shown["model"], shown["goal"]) == ("custom", "last_non_direct", "Purchase")


def test_what_the_form_starts_with_is_a_valid_question(shop: Workspace) -> None:
    form = AttributionForm(starts_with(shop, "model=last,first&period=last_30"), workspace=shop)
    assert form.is_valid()
    assert form.params["model"] == ["last", "first"]
