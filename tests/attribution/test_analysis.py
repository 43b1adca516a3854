"""Attribution from imported files to the result, on journeys small enough to credit by hand."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import request_run
from attribution.analysis import easier
from jobs.execution import execute
from marketing.models import Import
from marketing.receivers import create_default_goals
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

TOUCHES = (
    "customer,occurred_at,channel,campaign",
    "anna,2026-03-01T00:00Z,Email,Spring",
    "anna,2026-03-08T00:00Z,Search,",
    "anna,2026-03-15T00:00Z,Direct,",
    "ben,2026-03-03T00:00Z,Search,",
    "dora,2026-03-04T00:00Z,Direct,",
    "dora,2026-03-05T00:00Z,Direct,",
    "emil,2026-03-03T00:00Z,Display,Summer",
    "emil,2026-03-10T00:00Z,Email,Spring",
)
CONVERSIONS = (
    "customer,occurred_at,value",
    "anna,2026-03-15T00:00Z,100",
    "ben,2026-03-04T00:00Z,50",
    "cleo,2026-03-20T00:00Z,30",
    "dora,2026-03-06T00:00Z,20",
    "emil,2026-03-10T00:00Z,200",
)
Credit = dict[str, tuple[float, float]]
# By channel: (conversions, value). Time decay: anna's touches are 14, 7 and 0 days old and weigh 1:2:4; emil's 1:2.
BY_CHANNEL: dict[str, Credit] = {
    "last": {"Email": (1, 200), "Search": (1, 50), "Direct": (2, 120)},
    "first": {"Email": (1, 100), "Search": (1, 50), "Direct": (1, 20), "Display": (1, 200)},
    "linear": {
        "Email": (1 / 3 + 1 / 2, 100 / 3 + 100),
        "Search": (1 / 3 + 1, 100 / 3 + 50),
        "Direct": (1 / 3 + 1, 100 / 3 + 20),
        "Display": (1 / 2, 100),
    },
    "time_decay": {
        "Email": (1 / 7 + 2 / 3, 100 / 7 + 400 / 3),
        "Search": (2 / 7 + 1, 200 / 7 + 50),
        "Direct": (4 / 7 + 1, 400 / 7 + 20),
        "Display": (1 / 3, 200 / 3),
    },
    "position": {"Email": (0.9, 140), "Search": (1.2, 70), "Direct": (1.4, 60), "Display": (0.5, 100)},
    "last_non_direct": {"Email": (1, 200), "Search": (2, 150), "Direct": (1, 20)},
}
BY_CAMPAIGN: dict[str, Credit] = {
    "last": {"Spring": (1, 200), "(not set)": (3, 170), "Summer": (0, 0)},
    "linear": {"Spring": (1 / 3 + 1 / 2, 100 / 3 + 100), "(not set)": (2 / 3 + 2, 200 / 3 + 70), "Summer": (0.5, 100)},
}
WITHOUT_TOUCH: Credit = {"(none)": (1, 30)}


@pytest.fixture
def journeys(import_rows: ImportRows) -> None:
    import_rows("touchpoints", *TOUCHES)
    import_rows("conversions", *CONVERSIONS)


def credit_of(run: Run, model: str) -> Credit:
    """Return group -> (conversions, value)."""
    dimension = run.params["dimension"]
    groups = result_of(run)["models"][model][f"{dimension}s"]
    return {group[dimension]: (group["conversions"], group["value"]) for group in groups}


def result_of(run: Run) -> dict[str, Any]:
    assert run.job.status == "done", run.job.error
    assert run.result is not None
    return dict(run.result)


def approximately(credit: Credit) -> dict[str, Any]:
    return {name: pytest.approx(pair, abs=1e-12) for name, pair in credit.items()}


@pytest.mark.usefixtures("journeys")
@pytest.mark.parametrize("model", BY_CHANNEL)
def test_each_model_credits_channels_as_worked_out_by_hand(model: str, attribute: Attribute) -> None:
    assert credit_of(attribute(model=model), model) == approximately(BY_CHANNEL[model] | WITHOUT_TOUCH)


@pytest.mark.usefixtures("journeys")
def test_six_models_at_once_equal_each_alone(attribute: Attribute) -> None:
    together = attribute(model=list(BY_CHANNEL))
    assert list(result_of(together)["models"]) == list(BY_CHANNEL)
    for model in BY_CHANNEL:
        alone = {name: pair for name, pair in credit_of(attribute(model=model), model).items() if any(pair)}
        credit = credit_of(together, model)
        assert {name: pair for name, pair in credit.items() if any(pair)} == alone
        assert list(credit) == list(credit_of(together, "last"))


@pytest.mark.usefixtures("journeys")
def test_campaigns_are_credited_and_touches_without_one_stand_in_a_row(attribute: Attribute) -> None:
    run = attribute(model="last,linear", dimension="campaign")
    for model, credit in BY_CAMPAIGN.items():
        assert credit_of(run, model) == approximately(credit | WITHOUT_TOUCH)


@pytest.mark.usefixtures("journeys")
def test_credit_adds_up_to_the_totals_under_every_model(attribute: Attribute) -> None:
    for dimension in ("channel", "campaign"):
        run = attribute(model=list(BY_CHANNEL), dimension=dimension)
        result = result_of(run)
        assert result["totals"] == {"conversions": 5, "value": 400.0}
        assert result["reconciliation"]["ok"] is True
        assert result["reconciliation"]["conversions_without_touch"] == 1
        assert result["reconciliation"]["largest_difference_value"] < 1e-9
        for model in BY_CHANNEL:
            conversions, value = zip(*credit_of(run, model).values(), strict=True)
            assert (sum(conversions), sum(value)) == pytest.approx((5, 400), abs=1e-9)


@pytest.mark.usefixtures("journeys")
def test_none_is_the_last_row_even_if_nothing_stands_in_it(attribute: Attribute) -> None:
    run = attribute(model="last", end="2026-03-15")
    assert list(credit_of(run, "last").items())[-1] == ("(none)", (0.0, 0.0))


@pytest.mark.usefixtures("journeys")
def test_channels_that_no_model_credits_are_left_out(attribute: Attribute) -> None:
    assert credit_of(attribute(model="last"), "last").keys() == {"Email", "Search", "Direct", "(none)"}


def test_the_lookback_window_includes_its_first_and_last_second(import_rows: ImportRows, attribute: Attribute) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        "exactly,2026-03-08T12:00:00Z,Email",
        "too early,2026-03-08T11:59:59Z,Search",
        "at once,2026-03-15T12:00:00Z,Display",
        "too late,2026-03-15T12:00:01Z,Search",
    )
    people = ("exactly", "too early", "at once", "too late")
    import_rows("conversions", "customer,occurred_at", *(f"{person},2026-03-15T12:00:00Z" for person in people))
    credit = credit_of(attribute(model="linear", window_days=7), "linear")
    assert credit == {"Email": (1, 0), "Display": (1, 0), "(none)": (2, 0)}


def test_only_conversions_of_the_goal_count(import_rows: ImportRows, attribute: Attribute) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T00:00Z,Email")
    import_rows(
        "conversions",
        "customer,occurred_at,goal,value",
        "anna,2026-03-02T00:00Z,Lead,",
        "anna,2026-03-03T00:00Z,Purchase,80",
        "ben,2026-03-03T00:00Z,Sign-up,",
    )
    assert result_of(attribute(model="last"))["totals"] == {"conversions": 1, "value": 80.0}
    assert credit_of(attribute(model="last", metric="leads"), "last") == {"Email": (1, 0), "(none)": (0, 0)}
    assert credit_of(attribute(model="last", metric="Sign-up"), "last") == {"(none)": (1, 0)}


def test_what_did_not_convert_is_not_credited(import_rows: ImportRows, attribute: Attribute) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T00:00Z,Email")
    import_rows(
        "conversions",
        "customer,occurred_at,converted,value",
        "anna,2026-03-02T00:00Z,true,10",
        "ben,2026-03-02T00:00Z,false,99",
    )
    assert result_of(attribute(model="last"))["totals"] == {"conversions": 1, "value": 10.0}


def test_days_are_those_of_the_workspaces_time_zone(
    shop: Workspace, import_rows: ImportRows, attribute: Attribute
) -> None:
    shop.timezone = "Europe/Berlin"
    shop.save(update_fields=["timezone"])
    import_rows(
        "conversions",
        "customer,occurred_at,value",
        "february in both,2026-02-28T22:59:59Z,1",
        "march in Berlin,2026-02-28T23:00Z,2",
        "march in both,2026-03-31T21:59:59Z,4",
        "april in Berlin,2026-03-31T23:30Z,8",
    )
    assert result_of(attribute())["totals"] == {"conversions": 2, "value": 6.0}
    assert result_of(attribute(start="2026-04-01", end="2026-04-01"))["totals"] == {"conversions": 1, "value": 8.0}


@pytest.mark.usefixtures("journeys")
def test_rows_that_were_imported_before_count_once(import_rows: ImportRows, attribute: Attribute) -> None:
    before = attribute(model=list(BY_CHANNEL))
    assert import_rows("touchpoints", *TOUCHES).duplicates == 8
    assert import_rows("conversions", *CONVERSIONS).duplicates == 5
    after = attribute(model=list(BY_CHANNEL))
    assert after.pk != before.pk
    assert result_of(after) == result_of(before)


@pytest.mark.usefixtures("journeys")
def test_the_data_of_another_workspace_never_appears(import_rows: ImportRows, attribute: Attribute) -> None:
    elsewhere = WorkspaceFactory.create()
    create_default_goals(workspace=elsewhere)
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-14T00:00Z,Secret", workspace=elsewhere)
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-14T00:00Z,7", workspace=elsewhere)
    assert credit_of(attribute(model="last"), "last") == {
        "Email": (1, 200),
        "Search": (1, 50),
        "Direct": (2, 120),
        "(none)": (1, 30),
    }
    assert credit_of(attribute(model="last", workspace=elsewhere), "last") == {"Secret": (1, 7), "(none)": (0, 0)}


@pytest.mark.usefixtures("journeys")
def test_an_import_that_waits_or_was_refused_is_invisible(import_rows: ImportRows, attribute: Attribute) -> None:
    before = attribute(model="last")
    waits = import_rows("touchpoints", "customer,occurred_at,channel", "ben,2026-03-03T12:00Z,TV", carry_out=False)
    refused = import_rows("conversions", "customer,occurred_at,value", "ben,2026-03-03T12:00Z,much")
    assert (waits.status, refused.status) == ("pending", "failed")
    assert attribute(model="last").pk == before.pk


@pytest.mark.usefixtures("journeys")
@pytest.mark.parametrize("status", ["loading", "failed", "undone"])
def test_rows_of_an_import_that_is_not_active_are_invisible(
    status: str, import_rows: ImportRows, attribute: Attribute
) -> None:
    unfinished = import_rows("touchpoints", "customer,occurred_at,channel", "ben,2026-03-03T12:00Z,TV")
    Import.objects.filter(pk=unfinished.pk).update(status=status)
    assert "TV" not in credit_of(attribute(model="linear"), "linear")


def test_touches_without_a_channel_are_classified_by_source_and_medium(
    import_rows: ImportRows, attribute: Attribute
) -> None:
    sources = {
        "google,cpc,": "Paid Search",
        "www.google.co.uk,organic,": "Organic Search",
        "facebook,paid,": "Paid Social",
        "newsletter,email,": "Email",
        "(direct),(none),": "Direct",
        "shop window,poster,": "Unassigned",
        "google,cpc,Brand search": "Brand search",  # a channel on the row wins
    }
    import_rows(
        "touchpoints",
        "customer,occurred_at,source,medium,channel",
        *(f"{number},2026-03-03T00:00Z,{source}" for number, source in enumerate(sources)),
    )
    import_rows(
        "conversions", "customer,occurred_at", *(f"{number},2026-03-04T00:00Z" for number in range(len(sources)))
    )
    assert credit_of(attribute(model="last"), "last") == dict.fromkeys(sources.values(), (1, 0)) | {"(none)": (0, 0)}


def test_a_classified_direct_visit_is_direct_to_last_non_direct(import_rows: ImportRows, attribute: Attribute) -> None:
    import_rows(
        "touchpoints",
        "customer,occurred_at,source,medium",
        "anna,2026-03-01T00:00Z,google,cpc",
        "anna,2026-03-02T00:00Z,(direct),(none)",
    )
    import_rows("conversions", "customer,occurred_at", "anna,2026-03-03T00:00Z")
    assert credit_of(attribute(model="last_non_direct"), "last_non_direct")["Paid Search"] == (1, 0)


@pytest.mark.usefixtures("journeys")
def test_a_period_after_the_data_is_answered_with_its_last_days(attribute: Attribute) -> None:
    run = attribute(start="2026-05-01", end="2026-05-30")
    assert (run.job.status, run.job.error_code) == ("failed", "no_conversions")
    assert run.job.error == (
        "There are no conversions with the goal “Purchase” from 1–30 May 2026. "
        "The last ones are of 20 Mar 2026: choose 2026-02-19 to 2026-03-20, 30 days up to then."
    )


@pytest.mark.usefixtures("journeys")
def test_a_period_before_the_data_says_only_that_there_is_nothing(attribute: Attribute) -> None:
    run = attribute(start="2026-01-01", end="2026-01-01")
    assert run.job.error == "There are no conversions with the goal “Purchase” from 1 Jan 2026."


def test_without_any_conversions_the_sentence_says_so(attribute: Attribute) -> None:
    assert attribute(metric="leads").job.error == (
        "There are no conversions with the goal “Lead” from 1–31 Mar 2026. None have been imported yet."
    )


@pytest.mark.usefixtures("journeys")
def test_a_goal_that_is_renamed_before_the_run_begins_is_named(shop: Workspace) -> None:
    run = request_run(workspace=shop, kind="attribution", params={}, by=None, trigger=Run.Trigger.CLI, ring=False)
    shop.goals.filter(name="Purchase").update(name="Order")
    execute(job_id=run.job_id)
    run.job.refresh_from_db()
    assert run.job.error == "The goal “Purchase” no longer exists. Choose another goal."


def test_easier_questions_are_a_shorter_period_and_channels() -> None:
    params = {"start": "2026-01-01", "end": "2026-03-31", "dimension": "campaign", "model": ["last"]}
    shorter, by_channel = easier(params)
    assert shorter == (
        "A shorter period: 2–31 Mar 2026",
        params | {"start": "2026-03-02"},
    )
    assert by_channel == ("By channel instead of by campaign", params | {"dimension": "channel"})
    assert easier(params | {"start": "2026-03-02", "dimension": "channel"}) == []
