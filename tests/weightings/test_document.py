"""A media mix result as a document, from results written by hand."""

from typing import Any

import pytest

from accounts.models import Workspace
from analyses.documents import NO_FIGURE, DataTable, Document, Section
from charts import ChartSpec, Colour, Kind, SmallMultiples
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel
from reports.exports import FORMATS, write
from tests.weightings.results import BASELINE, CHANNELS, EXPECTED, NOTHING, a_check, around, finished
from weightings.analysis import KIND
from weightings.presentation.comparison import OTHER_OUTCOMES, compare
from weightings.presentation.document import document
from weightings.presentation.rows import rows

pytestmark = pytest.mark.django_db


def shown(workspace: Workspace, **changes: Any) -> Document:
    return document(finished(workspace, **changes))


def section(of: Document, title: str) -> Section:
    (found,) = (section for section in of.sections if section.title == title)
    return found


def table(of: Document, title: str) -> DataTable:
    (found,) = (table for section in of.sections for table in section.tables if table.title == title)
    return found


def chart(of: Document, name: str) -> ChartSpec:
    (found,) = (chart for chart in of.charts if chart.id == name)
    assert isinstance(found, ChartSpec)
    return found


def cell(of: DataTable, row: str, column: str) -> str:
    (found,) = (one for one in of.rows if one.label == row)
    return found.cells[of.columns.index(column) - 1].with_interval


def said(of: Document) -> str:
    return " ".join([of.headline, *of.notes, *(sentence for section in of.sections for sentence in section.sentences)])


def test_the_headline_names_the_channel_that_returned_most(workspace: Workspace) -> None:
    assert shown(workspace).headline == "Search returned 2.00 (1.40–2.60) per €1 spent, the most of 2 channels."


def test_the_headline_says_so_where_intervals_overlap(workspace: Workspace) -> None:
    channels = [
        channel | ({"roi": around(1.9)} if channel["channel"] == "TV" else {})
        for channel in finished(workspace).result["channels"]
    ]
    headline = shown(workspace, result={"channels": channels}).headline
    assert headline.endswith("the most of 2 channels, though intervals overlap.")


def test_a_model_that_has_not_converged_says_so_before_anything_else(workspace: Workspace) -> None:
    found = shown(workspace, converged=False)
    assert found.headline.startswith("The model has not converged: do not use these numbers yet.")
    assert found.notes[0].startswith(
        "After 500 draws in each of 4 chains 1 parameter had not converged: retention of TV"
    )
    (health,) = (card for card in found.cards if card.label == "Model health")
    assert (health.figure.text, health.change_tone) == ("Not converged", "bad")


def test_a_model_that_fails_checks_says_so_in_the_headline_and_the_notes(workspace: Workspace) -> None:
    found = shown(workspace, checks=[a_check("VIF", 12.0, 5.0, "fail", "TV")])
    assert found.headline.endswith("2 channels. But the model fails checks: see Model health before using this.")
    assert found.notes[0] == "This model fails 1 check (VIF). Its numbers may mislead."


def test_returns_stand_beside_what_was_believed(workspace: Workspace) -> None:
    returns = table(shown(workspace), "Returns by channel")
    assert [row.label for row in returns.rows] == ["Search", "TV"]  # the blog has no spend
    assert cell(returns, "Search", "Incremental ROI") == "2.00 (1.40–2.60)"
    assert cell(returns, "Search", "Believed beforehand") == "1.20 (0.30–5.40)"
    assert cell(returns, "Search", "Marginal ROI") == "1.60 (1.12–2.08)"
    assert cell(returns, "TV", "Spend") == "€4,000"
    assert cell(returns, "TV", "Incremental Sales") == "€2,000 (€1,400–€2,600)"
    assert cell(returns, "TV", "Efficiency score") == "50 (35–65)"


def test_contributions_and_baseline_add_up_to_the_expected_outcome(workspace: Workspace) -> None:
    made_of = table(shown(workspace), "What Sales is made of")
    *parts, total = made_of.rows
    assert [row.label for row in parts] == ["Search", "TV", "Blog", "Baseline"]
    assert (total.label, total.is_total) == ("Expected", True)
    for place, whole in ((0, EXPECTED), (1, 1.0)):
        assert sum(row.cells[place].value or 0 for row in parts) == pytest.approx(whole)
        assert total.cells[place].value == pytest.approx(whole)
    assert "Means over the posterior, so that they add up" in made_of.note


def test_observed_weeks_are_set_against_what_was_to_be_expected(workspace: Workspace) -> None:
    lines = chart(shown(workspace), "observed-and-expected")
    expected, observed = lines.series
    assert lines.kind == Kind.LINE
    assert lines.title == "11 of 11 weeks lie within what was to be expected"
    assert lines.interval == "90% prediction interval"
    assert [mark is None for mark in observed.marks].index(True) == 5
    assert all(mark and mark.low is not None for mark in expected.marks)
    assert lines.categories[0].label == "Week of 5 January 2026"


def test_only_the_period_that_is_reported_is_drawn(workspace: Workspace) -> None:
    period = {"start": "2026-03-02", "end": "2026-03-29", "periods": 4, "first": 8}
    found = shown(workspace, result={"period": period})
    for name in ("observed-and-expected", "decomposition"):
        assert [one.label for one in chart(found, name).categories][::3] == [
            "Week of 2 March 2026",
            "Week of 23 March 2026",
        ]
    assert "The model has learnt from 12 weeks, 5 Jan – 29 Mar 2026. What is reported is 2–29 Mar 2026." in found.notes


def test_the_decomposition_stacks_channels_on_the_baseline(workspace: Workspace) -> None:
    for name in ("TV", "Search", *(f"Channel {place}" for place in range(7)), "Blog"):
        ensure_channels(workspace=workspace, names=[name])
    stacked = chart(shown(workspace), "decomposition")
    assert [series.name for series in stacked.series] == ["Baseline", "Search", "TV", "Blog"]
    assert sum(series.marks[0].value for series in stacked.series if series.marks[0]) == pytest.approx(EXPECTED / 12)
    assert Channel.objects.get(name="Blog").colour_slot > 7
    colours = [series.colour for series in stacked.series]
    assert len(set(colours)) == len(colours)
    assert colours[:2] == [Colour.OTHER, Colour.CHANNEL_2]


def test_a_negative_baseline_is_not_stacked(workspace: Workspace) -> None:
    series = dict(finished(workspace).result["series"])
    found = shown(workspace, result={"series": series | {"baseline": [-1.0] * 12}})
    assert "decomposition" not in {chart.id for chart in found.charts}


def test_curves_go_on_dashed_beyond_the_present_spend(workspace: Workspace) -> None:
    (curves,) = section(shown(workspace), "Response curves").charts
    assert isinstance(curves, SmallMultiples)
    assert [panel.title for panel in curves.panels] == ["TV", "Search"]
    known, beyond, present, recommended = curves.panels[0].series
    assert sum(mark is not None for mark in recommended.marks) == 1
    assert (known.dashed, beyond.dashed) == (False, True)
    assert [place for place, mark in enumerate(present.marks) if mark] == [10]
    assert present.marks[10] == known.marks[10]
    assert known.marks[10] == beyond.marks[10]
    assert (known.marks[11], beyond.marks[9]) == (None, None)
    assert curves.panels[0].categories[10].label == "€4,000 (1.0×)"
    assert curves.title.endswith("half as much spend again would add 22.5%")


def test_checks_are_listed_with_the_worst_first_and_advice_is_given_once(workspace: Workspace) -> None:
    checks = [
        a_check("VIF", 2.0, 5.0, "good", "Search"),
        a_check("Learnt from the data", 0.05, 0.1, "review", "TV"),
        a_check("Learnt from the data", 0.02, 0.1, "review", "Blog"),
        a_check("Currency", None, None, "review"),
        a_check("Negative baseline", 0.9, 0.2, "fail"),
    ]
    found = shown(workspace, checks=checks)
    health = section(found, "Model health")
    assert [row.label for row in table(found, "Checks of the model").rows] == [
        *("Negative baseline", "Learnt from the data", "Learnt from the data", "Currency", "R-hat", "VIF"),
    ]
    assert [figure.text for figure in table(found, "Checks of the model").rows[0].cells] == [
        *("the model", "90.0%", "at most 20.0%", "Fails"),
    ]
    assert health.sentences == (
        "Fails: Negative baseline. Do something about Negative baseline.",
        "Review: Learnt from the data (TV and Blog). Do something about Learnt from the data.",
        "Review: Currency. Do something about Currency.",
    )


def test_periods_held_back_are_named_with_how_far_predictions_were_off(workspace: Workspace) -> None:
    found = shown(workspace)
    held = table(found, "Periods held back")
    assert cell(held, "2–29 Mar 2026", "Off by (wMAPE)") == "10.0%"
    assert "off by 10.0% on average (wMAPE); to say the same as a year before would have been off by 20.0%" in said(
        found
    )


@pytest.mark.parametrize(
    ("converged", "sentence"),
    [
        ([True, True, True], None),
        ([True, False, True], "One of the fits had not converged"),
        ([False, False, True], "2 of the fits had not converged"),
    ],
)
def test_it_says_how_many_fits_without_the_last_periods_are_rough(
    converged: list[bool], sentence: str | None, workspace: Workspace
) -> None:
    held = finished(workspace).result["holdout"]
    folds = [held["folds"][0] | {"converged": each} for each in converged]
    found = said(shown(workspace, result={"holdout": held | {"folds": folds}}))
    assert ("had not converged" in found) == (sentence is not None)
    assert sentence is None or sentence in found


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"folds": 0}, "It was asked to hold no periods back"),
        ({"folds": 3}, "No periods could be held back"),
        ({"folds": 0, "model": "lightweight:adstock"}, "LightweightMMM's models are not tried on periods held back."),
    ],
)
def test_it_says_why_no_periods_were_held_back(params: dict[str, Any], sentence: str, workspace: Workspace) -> None:
    assert sentence in said(shown(workspace, result={"holdout": None}, **params))


def test_beliefs_are_set_against_what_the_data_made_of_them(workspace: Workspace) -> None:
    found = shown(workspace, checks=[a_check("Learnt from the data", 0.4, 0.1, "good", "TV")])
    beliefs = table(found, "Believed before and after")
    assert cell(beliefs, "TV", "With the data") == "0.50 (0.35–0.65)"
    assert cell(beliefs, "TV", "Learnt") == "0.40"
    assert cell(beliefs, "Blog", "What is believed") == "share of the outcome"
    assert cell(beliefs, "Blog", "Beforehand") == "3.0% (1.0%–10.0%)"
    assert chart(found, "beliefs").title == "The data have at least halved the range of Search and TV"


def test_an_outcome_that_is_no_money_has_returns_per_so_much_spend(workspace: Workspace) -> None:
    found = shown(workspace, is_money=False)
    assert found.headline == "Search brought 2 (1.4–2.6) of Sales per €1 spent, the most of 2 channels."
    returns = table(found, "Returns by channel")
    assert "Believed beforehand" not in returns.columns
    assert cell(returns, "TV", "Cost of each") == "€2.00 (€1.40–€2.60)"
    assert cell(returns, "TV", "Incremental Sales") == "2,000 (1,400–2,600)"
    assert "ROI" not in said(found)


def test_small_returns_are_given_per_more_spend(workspace: Workspace) -> None:
    channels = [
        channel
        | (
            {"incremental_per_spend": around(0.004 if channel["channel"] == "TV" else 0.002)}
            if channel["spend"]
            else {}
        )
        for channel in finished(workspace).result["channels"]
    ]
    found = shown(workspace, is_money=False, result={"channels": channels})
    assert found.headline.startswith("TV brought 4 (2.8–5.2) of Sales per €1,000 spent")


def test_a_share_of_one_is_shown_in_points(workspace: Workspace) -> None:
    result = {
        "baseline": {"outcome": around(0.3), "share": around(0.75, reach=0.1)},
        "expected": around(0.4),
        "observed": {"outcome": 0.41, "periods": 12, "periods_known": 11},
    }
    found = shown(workspace, is_money=False, bounds=[0, 1], result=result)
    assert cell(table(found, "What Sales is made of"), "Baseline", "Contribution") == "30 points (21–39)"
    note = table(found, "What Sales is made of").note
    assert note.startswith("Expected 40 points, observed 41 points, in the 11 of 12 weeks that are known.")
    assert "means over the period, in points" in said(found)
    assert found.cards[0].figure.text == "41 points"


def test_a_channel_without_spend_in_the_period_has_no_return(workspace: Workspace) -> None:
    per_spend = ("roi", "mroi", "incremental_per_spend", "marginal_per_spend", "cpik", "efficiency")
    channels = [
        channel | (dict.fromkeys(per_spend, NOTHING) | {"spend": 0.0} if channel["channel"] == "Search" else {})
        for channel in finished(workspace).result["channels"]
    ]
    found = shown(workspace, result={"channels": channels})
    assert found.headline == "TV returned 0.50 (0.35–0.65) per €1 spent."
    assert cell(table(found, "Returns by channel"), "Search", "Incremental ROI") == "–"


def test_without_any_spend_the_headline_is_what_media_account_for(workspace: Workspace) -> None:
    channels = [channel for channel in finished(workspace).result["channels"] if not channel["spend"]]
    curves = {"multipliers": [0.0, 1.0], "channels": []}
    found = shown(workspace, result={"channels": channels, "curves": curves})
    assert found.headline.startswith("Media account for 25.0% (17.5%–32.5%) of Sales")
    assert "No channel of the period has spend" in said(found)


def test_a_model_of_another_family_says_nothing_of_beliefs(workspace: Workspace) -> None:
    channels = [
        {name: value for name, value in channel.items() if name not in ("prior", "parameters")}
        for channel in finished(workspace).result["channels"]
    ]
    found = shown(workspace, result={"channels": channels, "prior_predictive": None, "model": "lightweight:adstock"})
    assert "What was believed beforehand" not in {section.title for section in found.sections}
    assert cell(table(found, "Returns by channel"), "TV", "Believed beforehand") == "–"


def test_remarks_about_the_data_are_notes(workspace: Workspace) -> None:
    assert "“Sales” is known for 12 whole weeks." in shown(workspace).notes


def test_days_are_added_up_to_weeks_where_they_are_many(workspace: Workspace) -> None:
    days = 200
    series = {
        "period_start": list(range(20_458, 20_458 + days)),
        "observed": [10.0] * days,
        "expected": {"mean": [10.0] * days, "low": [9.0] * days, "high": [11.0] * days},
        "predicted": {"low": [8.0] * days, "high": [12.0] * days},
        "baseline": [6.0] * days,
        "baseline_parts": {},
        "channels": [{"channel": "TV", "mean": [4.0] * days, "low": [3.0] * days, "high": [5.0] * days}],
    }
    period = {"start": "2026-01-05", "end": "2026-07-23", "periods": days, "first": 0}
    found = shown(workspace, result={"series": series, "period": period, "granularity": "day"}, granularity="day")
    stacked = chart(found, "decomposition")
    assert len(stacked.categories) == days // 7
    assert stacked.subtitle.endswith(
        "23 Jul 2026. Means, which add up. Not drawn: 20–23 Jul 2026, which is no whole week."
    )
    assert [series.marks[0].value for series in stacked.series if series.marks[0]] == [42.0, 28.0]
    assert len(chart(found, "observed-and-expected").categories) == days


def test_the_rows_are_the_results_numbers_in_full(workspace: Workspace) -> None:
    header, *found = rows(finished(workspace))
    table_of = {row[0]: dict(zip(header, row, strict=True)) for row in found}
    assert list(table_of) == ["Search", "TV", "Blog", "(baseline)", "(expected)"]
    assert (table_of["TV"]["roi"], table_of["TV"]["roi_low"]) == (0.5, 0.35)
    assert table_of["Blog"]["roi"] is None
    assert table_of["(baseline)"]["contribution_mean"] == BASELINE
    assert sum(float(row["contribution_share_mean"] or 0) for row in table_of.values()) == pytest.approx(1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_result_of_points_that_fails_can_be_taken_away_in_every_format(form: str, workspace: Workspace) -> None:
    checks = [a_check("VIF", 12.0, 5.0, "fail", "TV")]
    run = finished(workspace, is_money=False, bounds=[0, 100_000], converged=False, checks=checks)
    assert len(write(document(run), form)) > 500


def test_two_runs_are_compared_by_their_returns(workspace: Workspace) -> None:
    channels = [
        channel | ({"roi": around(0.9)} if channel["channel"] == "TV" else {})
        for channel in finished(workspace).result["channels"]
    ]
    sections = compare(finished(workspace), finished(workspace, model="delayed", result={"channels": channels}))
    (dots,) = (chart for section in sections for chart in section.charts)
    assert isinstance(dots, ChartSpec)
    assert dots.title == "The intervals of every channel overlap"
    assert [category.label for category in dots.categories] == ["Search", "TV"]
    assert [mark.value for series in dots.series for mark in series.marks if mark] == [2.0, 0.5, 2.0, 0.9]


def test_runs_of_different_outcomes_are_not_compared(workspace: Workspace) -> None:
    (section,) = compare(finished(workspace), finished(workspace, is_money=False))
    assert section.sentences == (OTHER_OUTCOMES,)
    assert not section.charts


def test_the_question_in_words(workspace: Workspace) -> None:
    params = finished(workspace, effects={"TV": {"median": 1.5, "low": 0.5, "high": 4}}, holidays=["DE"]).params
    assert KIND.describe(params) == "Sales · Hill curve · by week · 1 Jan – 31 Mar 2026 · with expected returns"
    settings = dict(KIND.settings(params))
    assert settings["Expected returns"] == "TV 1.5 (0.5–4)"
    assert settings["Holidays"] == "Germany"
    assert settings["Outcome"] == "Sales, in money"


def test_easier_questions_are_coarser_or_hold_nothing_back(workspace: Workspace) -> None:
    params = finished(workspace, granularity="day", model="delayed").params
    offers = KIND.easier(params)
    assert [label for label, _params in offers] == [
        "By week instead of by day",
        "Without trying it on periods held back",
        "With the Hill curve, the plain model",
    ]
    assert offers[0][1] == {**params, "granularity": "week"}


def test_channels_have_their_page_and_colour(workspace: Workspace) -> None:
    ensure_channels(workspace=workspace, names=["TV"])
    run = finished(workspace)
    returns = chart(document(run), "returns")
    marks = dict(zip([category.label for category in returns.categories], returns.series[0].marks, strict=True))
    assert marks["TV"] is not None
    assert marks["Search"] is not None
    assert marks["TV"].href == f"/w/acme/weightings/runs/{run.pk}/channels/1/"
    assert marks["TV"].colour == Colour.CHANNEL_1
    assert marks["Search"].href == f"/w/acme/weightings/runs/{run.pk}/channels/0/"
    assert marks["Search"].colour == Colour.OTHER  # the workspace has no such channel any more
    assert [name for name, *_ in CHANNELS] == ["Search", "TV"]


def test_a_card_says_what_all_paid_media_returned(workspace: Workspace) -> None:
    run = finished(workspace)
    assert run.result is not None
    together = run.result["paid_media"]
    (card,) = (card for card in shown(workspace).cards if card.label == "Incremental ROI")
    assert card.figure.value == together["roi"]["median"]
    assert (card.figure.low, card.figure.high) == (together["roi"]["low"], together["roi"]["high"])


def test_periods_held_back_without_any_outcome_have_no_percentage(workspace: Workspace) -> None:
    run = finished(workspace)
    assert run.result is not None
    nothing = {"wmape": None, "naive_wmape": None}
    folds = [fold | {"wmape": None} for fold in run.result["holdout"]["folds"]]
    found = shown(workspace, result={"holdout": run.result["holdout"] | nothing | {"folds": folds}})
    assert "are off by no percentage" in said(found)
    assert [row.cells[0].text for row in table(found, "Periods held back").rows] == [NO_FIGURE]
