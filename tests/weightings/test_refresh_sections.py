"""What the page of a run says of the model before it, and the page that compares any two runs of the two."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses import artifacts
from analyses.documents import Section
from analyses.models import Run
from charts import ChartSpec
from marketing.channels import merge_channels, rename_channel
from marketing.importing.dimensions import ensure_channels
from tests.weightings.refits import KNOWN, LATER, earlier_run, later_run
from tests.weightings.results import around, finished
from weightings.presentation.comparison import compare
from weightings.presentation.refresh_sections import since_previous as sections_of
from weightings.presentation.results import Result
from weightings.refresh.changes import since_previous
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]
PROBLEMS = {f"{part}_problem": "" for part in ("data", "stability", "budget", "backtest")}

PREDICTED = (
    "The model of 3 May 2026 predicted the 5 weeks since with an error of 4.0% (wMAPE): 4 of 5 lie inside its 90% "
    "intervals; to say the same as a year before would have had one of 12.0%."
)
BADLY = (
    "It has predicted badly: what came lies further off than chance explains, so something has changed that it does "
    "not know of."
)
OTHER_PERIODS = (
    "The two report different periods, 24 Nov 2025 – 15 Feb 2026 and 5 Jan – 29 Mar 2026: part of what differs may be "
    "what was spent in them."
)


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path, db: None) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


def kept(**parts: Any) -> dict[str, Any]:
    """What a result keeps of the model before it, by hand: six weeks have come, and TV has doubled."""
    found = {
        "run": "5f6e1f1e-0000-4000-8000-000000000000",
        "asked_at": "2026-05-03T21:30:00+00:00",
        "period": {"start": "2025-11-24", "end": "2026-02-15", "periods": 12, "first": 0},
        "estimation": {"start": "2025-11-24", "end": "2026-02-15", "periods": 12, "history": 0},
        "verdict": "good",
        "problem": "",
        "data": data(),
        "stability": {
            "score": 83.6,
            "standing": "moved",
            "same_period": False,
            "channels": [
                {"channel": "TV", "distance": 0.4, "weight": 0.8, "before": around(0.25), "after": around(0.5)},
                {"channel": "Search", "distance": 0.02, "weight": 0.2, "before": around(2.1), "after": around(2.0)},
            ],
        },
        "budget": {
            "moved": 0.125,
            "moved_current": 0.05,
            "channels": [
                shares("TV", before=(0.75, 0.5), after=(0.8, 0.625)),
                shares("Search", before=(0.25, 0.5), after=(0.2, 0.375)),
            ],
        },
        "backtest": tried(),
    }
    return found | PROBLEMS | parts


def data(**changed: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"removed": 0, "outcome": None, "spend": [], "appeared": [], "left": []}
    return (
        {"common": 12, "added_before": 0, "added_after": 6, "other_appeared": [], "other_left": []} | nothing | changed
    )


def shares(name: str, *, before: tuple[float, float], after: tuple[float, float]) -> dict[str, Any]:
    return {
        "channel": name,
        "current_before": before[0],
        "recommended_before": before[1],
        "current_after": after[0],
        "recommended_after": after[1],
    }


def tried(**changed: Any) -> dict[str, Any]:
    return {
        "level": 90.0,
        "period_start": [20_458 + 7 * (6 + week) for week in range(6)],
        "observed": [900.0, 1000.0, 1100.0, 1000.0, None, 1000.0],
        "low": [800.0] * 6,
        "mean": [1000.0] * 6,
        "high": [1080.0] * 6,
        "known": 5,
        "inside": 4,
        "wmape": 0.04,
        "naive_wmape": 0.12,
        "bias": 0.0,
        "crps": 30.0,
        "naive_crps": 90.0,
        "skill": 2 / 3,
        "total": {"low": 4500.0, "mean": 5000.0, "high": 5400.0},
        "total_observed": 5000.0,
        "as_far_off": 1.0,
        "verdict": "good",
        "new": [],
    } | changed


def said(workspace: Workspace, found: dict[str, Any] | None, **changed: Any) -> Section:
    (section,) = sections_of(Result(finished(workspace, **changed, result={"since_previous": found})))
    return section


def test_the_first_model_says_nothing_of_one_before_it(workspace: Workspace) -> None:
    for run in (finished(workspace), finished(workspace, result={"since_previous": None})):
        assert sections_of(Result(run)) == ()
    older = finished(workspace)
    assert older.result is not None
    del older.result["since_previous"]  # of a version that did not look
    assert sections_of(Result(older)) == ()


def test_what_the_section_says(workspace: Workspace) -> None:
    workspace.timezone = "Europe/Berlin"
    section = said(workspace, kept())
    assert section.title == "Since the previous model"
    assert section.sentences == (
        "The previous model is of 3 May 2026, and had learnt from 24 Nov 2025 – 15 Feb 2026.",
        PREDICTED,
        "It has predicted well.",
        "In total it predicted €5,000 (€4,500–€5,400), and €5,000 came.",
        "Stability 84 of 100: returns have moved, though by less than half of what they were uncertain by.",
        "TV has moved most: Incremental ROI was 0.25 (0.18–0.32), and is 0.50 (0.35–0.65).",
        OTHER_PERIODS,
        "12.5% of the recommended budget is now for other channels; of what was spent, 5.0% went to other channels.",
        "The data have gained 6 weeks at the end.",
        "In the 12 weeks that both know, no outcome and no spend has changed.",
    )
    assert [table.title for table in section.tables] == [
        "How far each channel has moved",
        "Current and recommended shares in both models",
    ]


def test_charts_show_the_numbers_that_are_kept(workspace: Workspace) -> None:
    found = kept()
    predicted, returns, budget = said(workspace, found).charts
    assert isinstance(predicted, ChartSpec)
    assert isinstance(returns, ChartSpec)
    assert isinstance(budget, ChartSpec)
    assert predicted.title == "4 of 5 weeks lie within what the previous model predicted"
    assert [category.label for category in predicted.categories][:2] == [
        "Week of 16 February 2026",
        "Week of 23 February 2026",
    ]
    band, observed = predicted.series
    assert [(mark.low, mark.value, mark.high) for mark in band.marks if mark] == [(800.0, 1000.0, 1080.0)] * 6
    assert [mark and mark.value for mark in observed.marks] == found["backtest"]["observed"]
    assert returns.title == "The intervals of TV do not meet"
    assert [category.label for category in returns.categories] == ["Search", "TV"]
    assert [[mark.value for mark in series.marks if mark] for series in returns.series] == [[2.1, 0.25], [2.0, 0.5]]
    assert [series.name for series in budget.series] == ["Before", "Now"]
    assert [[mark.value for mark in series.marks if mark] for series in budget.series] == [[0.5, 0.5], [0.625, 0.375]]
    assert budget.title == "The share that is recommended for TV has grown most"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"verdict": "review"}, "It has predicted no better than a year before's values would have."),
        (
            {"verdict": "fail"},
            BADLY,
        ),
        (
            {"bias": 0.25, "total_observed": 4000.0},
            "In total it predicted €5,000 (€4,500–€5,400), and €4,000 came, 20.0% less.",
        ),
        (
            {"bias": -0.2, "total_observed": 6250.0},
            "In total it predicted €5,000 (€4,500–€5,400), and €6,250 came, 25.0% more.",
        ),
        ({"new": ["Radio"]}, "Radio is new since: that model knows no effect of it."),
        (
            {"known": 1, "inside": 1, "wmape": None, "naive_wmape": None},
            "The model of 3 May 2026 predicted the 1 week since: 1 of 1 lie inside its 90% intervals.",
        ),
    ],
    ids=["no better", "badly", "too much", "too little", "new", "of nothing"],
)
def test_how_the_previous_model_predicted(workspace: Workspace, changed: dict[str, Any], sentence: str) -> None:
    assert sentence in said(workspace, kept(backtest=tried(**changed))).sentences


def test_what_has_changed_in_the_data(workspace: Workspace) -> None:
    changed = data(
        added_after=0,
        removed=1,
        outcome={"name": "Sales", "before": 10_000.0, "after": 12_500.0, "periods": 3},
        spend=[{"name": "TV", "before": 400.0, "after": 800.0, "periods": 12}],
        appeared=["Radio"],
        left=["Print"],
        other_appeared=["Weather", "Easter"],
    )
    section = said(workspace, kept(data=changed))
    assert section.sentences[-5:] == (
        "No whole week has been added to the data.",
        "1 week of the earlier data is no longer there.",
        "Of the 12 weeks that both know, there are other values of Sales and spend on TV.",
        "Radio, Weather and Easter are new in the model.",
        "Print is no longer in it.",
    )
    table = section.tables[-1]
    assert [(row.label, [cell.text for cell in row.cells]) for row in table.rows] == [
        ("Sales", ["€10\xa0k", "€12.5\xa0k", "+25.0%", "3"]),
        ("TV", ["€400", "€800", "+100.0%", "12"]),
    ]


def test_an_earlier_model_that_failed_checks_is_said_to_have(workspace: Workspace) -> None:
    assert said(workspace, kept(verdict="fail")).sentences[1].startswith("It failed checks")


def test_a_model_that_is_as_it_was(workspace: Workspace) -> None:
    still = {
        "score": 97.2,
        "standing": "stable",
        "same_period": True,
        "channels": [{"channel": "TV", "distance": 0.03, "weight": 1.0, "before": around(0.5), "after": around(0.5)}],
    }
    section = said(workspace, kept(stability=still))
    assert "Stability 97 of 100: channels return about what they did." in section.sentences
    assert "No channel's return has moved noticeably." in section.sentences
    assert not any("different periods" in sentence for sentence in section.sentences)


def test_a_part_that_is_missing_leaves_its_reason(workspace: Workspace) -> None:
    nothing = dict.fromkeys(("data", "stability", "budget", "backtest"))
    reasons = {f"{part}_problem": f"No {part}." for part in nothing}
    section = said(workspace, kept(**nothing, **reasons))
    assert section.sentences[1:] == ("No backtest.", "No stability.", "No budget.", "No data.")
    assert (section.charts, section.tables) == ((), ())
    assert said(workspace, {"problem": "It could not be read."}).sentences == ("It could not be read.",)


def test_an_outcome_in_points_is_said_in_points(workspace: Workspace) -> None:
    share = tried(**{name: [0.31] * 6 for name in ("observed", "low", "mean", "high")}, known=6, inside=6, bias=0.0)
    share |= {"total": {"low": 0.29, "mean": 0.31, "high": 0.33}, "total_observed": 0.31}
    section = said(workspace, kept(backtest=share), is_money=False, bounds=[0, 1])
    assert "On average it predicted 31 points (29–33), and 31 points came." in section.sentences


# Of real runs


def test_a_run_of_stored_figures_shows_what_is_kept_of_it(workspace: Workspace) -> None:
    earlier_run(workspace)
    run = later_run(workspace)
    assert run.result is not None
    run.result["since_previous"] = since_previous(workspace, run.params, StoredModel(run))
    (section,) = sections_of(Result(run))
    assert [chart.id for chart in section.charts if isinstance(chart, ChartSpec)] == [
        "since-backtest",
        "returns-in-both",
        "both-recommendations",
    ]
    assert any(sentence.startswith("Stability ") for sentence in section.sentences)


# Any two runs


def test_two_runs_are_compared_by_data_returns_and_recommendation(
    workspace: Workspace, client_for: ClientFor, viewer: User
) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    response = client_for(viewer).get(f"/w/acme/runs/compare/?run={run.pk}&run={before.pk}")
    titles = [section.title for section in response.context["comparison"].sections]
    assert titles == ["Changes in the data", "Returns in both models", "Recommendations of both models"]
    text = response.text
    assert "The data have gained 8 weeks at the end." in text
    assert "Stability " in text
    assert "of the recommended budget is now for other channels" in text
    for title in titles:
        assert f">{title}</h2>" in text


def test_the_model_before_is_said_to_have_predicted(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert run.result is not None
    run.result["since_previous"] = since_previous(workspace, run.params, StoredModel(run))
    section = compare(before, run)[-1]
    assert section.title == "How the earlier model predicted what came"
    assert f"of {len(run.result['since_previous']['backtest']['observed'])} lie inside" in section.sentences[0]
    other = earlier_run(workspace, window=(0, KNOWN - 4))
    assert compare(other, run)[-1].title == "Recommendations of both models", "that one predicted nothing"


def test_runs_whose_figures_are_gone_are_compared_by_what_their_results_say(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    artifacts.remove(before.artifact)
    changed, returns, budget = compare(before, run)
    assert changed.sentences == returns.sentences == ("The figures of this run are no longer on disk. Run it again.",)
    assert [chart.id for chart in returns.charts if isinstance(chart, ChartSpec)] == ["compared-returns"]
    assert budget.charts


def test_a_model_that_is_not_to_be_acted_on_is_named(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace, converged=False)
    standing = compare(before, run)[0]
    assert standing.title == "Standing"
    assert [sentence[:2] for sentence in standing.sentences] == ["B:"]
    assert "not converged" in standing.sentences[0]


def test_a_model_that_is_old_is_named(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    before.created_at -= dt.timedelta(days=400)
    standing = compare(before, run)[0]
    assert standing.title == "Standing"
    (sentence,) = standing.sentences
    assert sentence.startswith("A: This is of ")
    assert "more than 90 days ago" in sentence


def returned_in_both(before: Run, run: Run) -> ChartSpec:
    (section,) = (section for section in compare(before, run) if section.title == "Returns in both models")
    (chart,) = section.charts
    assert isinstance(chart, ChartSpec)
    return chart


@pytest.mark.parametrize("names", [{"TV": "Television"}, {"TV": "Television", "Search": "Paid search"}])
def test_a_channel_that_was_renamed_is_one_in_the_chart(names: dict[str, str], workspace: Workspace) -> None:
    channels = ensure_channels(workspace=workspace, names=["TV", "Search"])
    before = earlier_run(workspace)
    for channel in channels:
        rename_channel(channel=channel, name=names.get(channel.name, channel.name), by=None)
    called = tuple(names.get(name, name) for name in LATER.channels)
    run = later_run(workspace, replace(LATER, channels=called))
    chart = returned_in_both(before, run)
    assert {category.label for category in chart.categories} == set(called)
    assert all(mark for series in chart.series for mark in series.marks)
    assert chart.title == "The intervals of every channel overlap"
    hrefs = [[mark.href for mark in series.marks if mark] for series in chart.series]
    assert hrefs[0] == hrefs[1], "both lead to what the later run says of the channel"
    assert all(hrefs[0])


def test_channels_that_are_one_now_have_no_return_in_the_chart(workspace: Workspace) -> None:
    tv, search = ensure_channels(workspace=workspace, names=["TV", "Search"])
    before, run = earlier_run(workspace), later_run(workspace)
    artifacts.remove(before.artifact)
    merge_channels(source=search, target=tv, by=None)
    assert run.result is not None
    run.result["stored"]["panel"]["channels"].remove("Search")
    run.result["channels"] = [each for each in run.result["channels"] if each["channel"] != "Search"]
    chart = returned_in_both(before, run)
    assert [category.label for category in chart.categories] == ["TV"]
    earlier, later = (series.marks for series in chart.series)
    assert earlier == (None,), "nobody knows what the two of the earlier run returned together"
    assert later[0]


def test_runs_by_other_periods_keep_their_returns_side_by_side(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert run.result is not None
    run.result["stored"]["panel"]["granularity"] = "month"
    changed, returns, _budget = compare(before, run)
    assert changed.sentences == ("The two models are by different periods, so their data cannot be compared.",)
    assert returns.sentences[0].startswith("Stability ")


def test_runs_in_other_currencies_have_no_data_in_common(workspace: Workspace) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    assert before.result is not None
    before.result["outcome"]["unit"] = "JPY"
    assert "different units" in compare(before, run)[0].sentences[0]


@pytest.mark.usefixtures("owner")
def test_comparing_needs_as_many_queries_for_any_runs(
    workspace: Workspace, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    before, run = earlier_run(workspace), later_run(workspace)
    client = client_for(viewer)
    with django_assert_max_num_queries(20):
        assert client.get(f"/w/acme/runs/compare/?run={run.pk}&run={before.pk}").status_code == 200
    assert Run.objects.count() == 2
