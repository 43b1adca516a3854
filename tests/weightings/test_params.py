"""What people ask for, and what is kept of it."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import time_machine

from accounts.models import Workspace
from analyses.errors import InvalidParams
from marketing.importing.dimensions import ensure_channels
from marketing.models import Dataset, Outcome, OutcomeValue
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.markets import add_outcome
from weightings.analysis import easier, in_address
from weightings.params import clean

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)):
        yield


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """A workspace with sixty weeks of sales in money, and two channels."""
    add_outcome(workspace)
    ensure_channels(workspace=workspace, names=["TV", "Search: brand"])
    return workspace


def refusal(workspace: Workspace, **params: Any) -> Mapping[str, Sequence[str]]:
    with pytest.raises(InvalidParams) as caught:
        clean(workspace, params)
    return caught.value.errors


def test_without_any_choice_all_sales_are_asked_about_by_week(shop: Workspace) -> None:
    assert clean(shop, {}) == {
        "outcome": "Sales",
        "measured_in": "money",
        "start": "2022-01-03",
        "end": "2023-02-26",  # the Sunday of the last week
        "granularity": "week",
        "model": "hill",
        "confidence": shop.confidence,
        "folds": 3,
        "draws": 4000,
        "seed": 0,
    }


EVERYTHING = {
    "outcome": "sales",
    "start": "2022-05-01",
    "end": "2022-12-31",
    "granularity": "Month",
    "model": "DELAYED",
    "confidence": "80%",
    "exposure": "spend",
    "holidays": "de, at,DE",
    "roi": "TV: 1.5 (0.5-4); search: brand: 3 (1–8)",
    "knots": "7",
    "folds": "0",
    "draws": "900",
    "seed": "5",
    "short_allowed": "yes",
}


def test_everything_that_can_be_chosen_is_kept(shop: Workspace) -> None:
    assert clean(shop, EVERYTHING) == {
        "outcome": "Sales",
        "measured_in": "money",
        "start": "2022-05-01",
        "end": "2022-12-31",
        "granularity": "month",
        "model": "delayed",
        "confidence": 80,
        "folds": 0,
        "draws": 900,
        "seed": 5,
        "exposure": "spend",
        "holidays": ["AT", "DE"],
        "knots": 7,
        "short_allowed": "yes",
        "effects": {
            "Search: brand": {"median": 3.0, "low": 1.0, "high": 8.0},
            "TV": {"median": 1.5, "low": 0.5, "high": 4.0},
        },
    }


def test_canonical_params_are_left_as_they_are(shop: Workspace) -> None:
    for asked in ({}, EVERYTHING, {"bounds": "-0.5,100"}):
        canonical = clean(shop, asked)
        assert clean(shop, canonical) == canonical


def test_the_address_says_the_same_question(shop: Workspace) -> None:
    for asked in (EVERYTHING, {"bounds": [0, 99.5]}):
        canonical = clean(shop, asked)
        address = dict(in_address(canonical))
        assert all(isinstance(value, str | int) for value in address.values())
        assert clean(shop, address) == canonical


def test_the_smallest_return_that_can_be_expected_is_said_in_the_address(shop: Workspace) -> None:
    canonical = clean(shop, {"roi": {"TV": {"median": 1, "low": 1e-12, "high": 4}}})
    address = in_address(canonical)
    assert address["roi"] == "TV: 1 (0.000000000001-4)"
    assert clean(shop, address) == canonical


def test_defaults_that_are_said_change_nothing(shop: Workspace) -> None:
    said = {"exposure": "auto", "short_allowed": "no", "folds": 3, "period": "all", "holidays": "", "roi": ""}
    assert clean(shop, said) == clean(shop, {})


def test_an_outcome_is_known_by_its_kind_and_the_first_in_money_is_usual(shop: Workspace) -> None:
    traffic = Outcome.objects.create(workspace=shop, name="Visits", kind=Outcome.Kind.WEBSITE_TRAFFIC)
    batch = add_import(shop, Dataset.OUTCOMES)
    OutcomeValue.objects.create(batch=batch, outcome=traffic, date=dt.date(2026, 3, 1), value=3)
    found = clean(shop, {"outcome": "WEBSITE_traffic"})
    assert (found["outcome"], found["measured_in"]) == ("Visits", "number")
    assert (found["start"], found["end"]) == ("2026-03-01", "2026-03-01")
    Outcome.objects.filter(name="Sales").update(is_money=False)
    assert clean(shop, {})["outcome"] == "Sales"
    Outcome.objects.filter(name="Visits").update(is_money=True)
    assert clean(shop, {})["outcome"] == "Visits"


@pytest.mark.parametrize(
    ("today", "start", "end"),
    [
        (dt.date(2023, 2, 27), "2022-11-29", "2023-02-26"),
        (dt.date(2023, 5, 27), "2023-02-26", "2023-05-26"),  # one day of the data is in it
    ],
)
def test_relative_periods_become_dates(today: dt.date, start: str, end: str, shop: Workspace) -> None:
    with time_machine.travel(dt.datetime(today.year, today.month, today.day, 9, tzinfo=dt.UTC)):
        found = clean(shop, {"period": "last_90_days"})
    assert (found["start"], found["end"]) == (start, end)


def test_a_relative_period_after_the_end_of_the_data_is_refused_with_one_that_has_some(shop: Workspace) -> None:
    sentence = (
        "“Sales” has no values from 27 Feb – 27 May 2023: they end on 26 Feb 2023. Choose 2022-11-29 as the start and "
        "2023-02-26 as the end, 90 days up to then."
    )
    with time_machine.travel(dt.datetime(2023, 5, 28, 9, tzinfo=dt.UTC)):
        assert refusal(shop, period="last_90") == {"period": [sentence]}
        offered = clean(shop, {"start": "2022-11-29", "end": "2023-02-26"})
    assert (offered["start"], offered["end"]) == ("2022-11-29", "2023-02-26")


def test_what_the_settings_say_of_the_outcome_is_part_of_the_question(shop: Workspace) -> None:
    before = clean(shop, {})
    Outcome.objects.update(is_money=False)
    assert clean(shop, before) == before | {"measured_in": "number"}


def test_lightweight_models_hold_nothing_back(shop: Workspace) -> None:
    assert clean(shop, {"model": "lightweight:carryover"})["folds"] == 0


@pytest.mark.parametrize(
    ("params", "field", "sentence"),
    [
        ({"outcome": "Profit"}, "outcome", "There is no outcome “Profit”. Outcomes with values: Sales."),
        ({"outcome": "custom"}, "outcome", "There is no outcome “custom”"),
        ({"granularity": "year"}, "granularity", "The granularity is day, week, month, not “year”."),
        ({"model": "robyn"}, "model", "There is no model “robyn”. Models: hill, "),
        ({"confidence": "93"}, "confidence", "The confidence level is one of 80, 90, 95, 99 percent, not “93”."),
        ({"period": "last_7"}, "period", "“last_7” is not a period; choose one of"),
        ({"period": "all", "start": "2022-01-01"}, "period", "Give a period by name, or a start and an end, not both."),
        ({"start": "2022-01-01"}, "end", "A custom period needs both a start and an end."),
        ({"start": "2022-02-30", "end": "2022-03-01"}, "start", "“2022-02-30” is not a day such as 2026-05-31."),
        ({"start": "2022-03-02", "end": "2022-03-01"}, "end", "The period ends (2022-03-01) before it starts"),
        ({"start": "1999-01-01", "end": "2022-03-01"}, "start", "A period lies between 2000 and 2100."),
        ({"exposure": "reach"}, "exposure", "The exposure is auto, spend, impressions, not “reach”."),
        ({"holidays": "DE,Germany"}, "holidays", "“GERMANY” is no country's two letters, such as DE."),
        ({"holidays": "001"}, "holidays", "“001” is no country's two letters, such as DE."),
        ({"bounds": "0"}, "bounds", "Bounds are two numbers such as 0,100, not “0”."),
        ({"bounds": "nan,1"}, "bounds", "Bounds are two numbers such as 0,100, not “nan,1”."),
        ({"bounds": "100,0"}, "bounds", "The lower bound must lie below the upper one, not 100 and 0."),
        ({"bounds": "1000000,1"}, "bounds", "The lower bound must lie below the upper one, not 1000000 and 1."),
        ({"knots": "51"}, "knots", "“knots” lies between 0 and 50."),
        ({"knots": 3, "model": "lightweight:adstock"}, "knots", "LightweightMMM's models have a trend of their own"),
        ({"folds": True}, "folds", "“folds” is a whole number, not “True”."),
        ({"folds": 2, "model": "lightweight:adstock"}, "folds", "LightweightMMM's models are not tried on periods"),
        ({"draws": "499"}, "draws", "“draws” lies between 500 and 20000."),
        ({"draws": "9" * 5000}, "draws", "“draws” lies between 500 and 20000."),
        ({"seed": "-1"}, "seed", "“seed” lies between 0 and 4294967295."),
        ({"short_allowed": "perhaps"}, "short_allowed", "“short_allowed” is yes or no, not “perhaps”."),
        ({"roi": "TV 1.5"}, "roi", "“TV 1.5” is not of the form TV: 1.5 (0.5-4); Search: 3 (1-8)."),
        ({"roi": "Radio: 1.5 (0.5-4)"}, "roi", "There is no channel “Radio”."),
        (
            {"roi": "TV: 1.5; Search: brand: 3 (1-8)"},
            "roi",
            "There is no channel “TV: 1.5; Search: brand”. Say each as in TV: 1.5 (0.5-4); Search: 3 (1-8).",
        ),
        ({"roi": "TV: 1.5 (0.5-4); tv: 2 (1-3)"}, "roi", "The channel “TV” is there twice."),
        ({"roi": "TV: 1.5"}, "roi", "The expected return of “TV” is not of the form 1.5 (0.5-4): “1.5”."),
        ({"roi": "TV: 5 (0.5-4)"}, "roi", "lie between the ends of its 90% range, not 5 (0.5-4)."),
        ({"roi": "TV: 1 (0-4)"}, "roi", "must be above 0"),
        ({"roi": {"TV": {"median": 1, "low": 0.5, "high": float("inf")}}}, "roi", "lie between the ends"),
        ({"roi": {"TV": {"median": 1, "low": 0.5, "high": 10**400}}}, "roi", "is not of the form 1.5 (0.5-4)"),
        ({"roi": {"TV": {"median": -(10**400), "low": 0.5, "high": 4}}}, "roi", "is not of the form 1.5 (0.5-4)"),
        ({"roi": {"TV": 10**400}}, "roi", "is not of the form 1.5 (0.5-4): “1000"),
        (
            {"roi": {"TV": {"median": 1, "low": 9e-13, "high": 4}}},
            "roi",
            "The expected return of “TV” has a number that is too small: 1e-12 at least.",
        ),
        ({"roi": {"TV": {"median": 1, "low": 5e-324, "high": 4}}}, "roi", "too small: 1e-12 at least."),
        ({"roi": {"TV": {"median": 1}}}, "roi", "is not of the form 1.5 (0.5-4)"),
        ({"roi": {"TV": 3}}, "roi", "is not of the form 1.5 (0.5-4): “3”."),
        ({"roi": "TV: 2 (1-3)", "effects": {"TV": {}}}, "roi", "not both."),
        (
            {"roi": "TV: 2 (1-3)", "model": "lightweight:adstock"},
            "roi",
            "LightweightMMM's models have their own beliefs",
        ),
        ({"roi": "TV: 2 (1-3)", "bounds": "0,9000000"}, "roi", "“Sales” is none."),
        ({"priors": "TV"}, "priors", "Unknown parameter. Known: outcome, period, "),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    params: dict[str, Any], field: str, sentence: str, shop: Workspace
) -> None:
    errors = refusal(shop, **params)
    assert errors.keys() == {field}
    assert sentence in errors[field][0]
    assert errors[field][0].endswith(".")


def test_every_wrong_field_is_named_at_once(shop: Workspace) -> None:
    assert refusal(shop, outcome="x", model="y", seed="z").keys() == {"outcome", "model", "seed"}


def test_returns_cannot_be_expected_of_what_is_no_money(shop: Workspace) -> None:
    Outcome.objects.update(is_money=False)
    assert "“Sales” is none." in refusal(shop, roi="TV: 2 (1-3)")["roi"][0]


@pytest.mark.parametrize(
    ("params", "field", "sentence"),
    [
        ({"outcome": "Profit"}, "outcome", "There is no outcome “Profit”. Outcomes with values: Sales."),
        ({"outcome": "app_installs"}, "outcome", "There is no outcome “app_installs”. Outcomes with values: Sales."),
        ({"roi": "Radio: 2 (1-3)"}, "roi", "There is no channel “Radio”."),
    ],
)
def test_what_only_another_workspace_has_is_refused_as_what_nobody_has(
    params: dict[str, Any], field: str, sentence: str, shop: Workspace
) -> None:
    before = refusal(shop, **params)
    elsewhere = WorkspaceFactory.create()
    add_outcome(elsewhere, name="Profit")
    Outcome.objects.filter(workspace=elsewhere).update(kind=Outcome.Kind.APP_INSTALLS)
    ensure_channels(workspace=elsewhere, names=["Radio"])
    assert clean(elsewhere, params)["outcome"] == "Profit"
    assert refusal(shop, **params) == before == {field: [sentence]}


WITH_HILL = "With the Hill curve, the plain model"


@pytest.mark.parametrize("model", ["hill", "logistic"])
def test_a_plain_model_has_no_easier_one(model: str, shop: Workspace) -> None:
    params = clean(shop, {"model": model})
    assert easier(params) == [
        ("By month instead of by week", params | {"granularity": "month"}),
        ("Without trying it on periods held back", params | {"folds": 0}),
    ]
    assert easier(params | {"granularity": "month", "folds": 0}) == []


def test_the_hill_curve_is_easier_than_a_delayed_peak(shop: Workspace) -> None:
    params = clean(shop, {"model": "delayed", "granularity": "month", "folds": 0, "draws": 700, "knots": 3})
    assert easier(params) == [(WITH_HILL, params | {"model": "hill"})]


@pytest.mark.parametrize("model", ["hill_adstock", "adstock", "carryover"])
def test_the_hill_curve_is_easier_than_lightweight_models_and_takes_its_own_defaults(
    model: str, shop: Workspace
) -> None:
    params = clean(shop, {"model": f"lightweight:{model}", "granularity": "month", "draws": 700, "seed": 4})
    ((label, offered),) = easier(params)
    assert label == WITH_HILL
    assert clean(shop, in_address(offered)) == clean(shop, {"granularity": "month", "seed": 4})


def test_without_values_there_is_nothing_to_ask_about(workspace: Workspace) -> None:
    assert refusal(workspace)["outcome"] == ["There is no outcome with values yet. Import some, such as sales by day."]
    Outcome.objects.create(workspace=workspace, name="Installs", kind=Outcome.Kind.APP_INSTALLS)
    for asked in ("installs", "app_installs"):
        assert refusal(workspace, outcome=asked)["outcome"] == [
            "“Installs” has no values yet. Import some, or choose another outcome: none."
        ]
