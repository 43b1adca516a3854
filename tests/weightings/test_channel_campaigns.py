"""The page of one channel of a run: what its campaigns added."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User, Workspace
from analyses.documents import NO_FIGURE
from analyses.models import Run
from analyses.registry import get as kind_named
from analyses.runs import current_data_version
from marketing.channels import rename_channel
from marketing.day_labels import span_label
from marketing.models import Channel, ChannelSpend
from tests.weightings.campaign_rows import ALWAYS, SPRING, TWO_CAMPAIGNS, UNNAMED, add_campaigns, date_of, spent
from tests.weightings.channel_pages import TV, address, campaigns, column, said, shown, table
from tests.weightings.forecasts import market, some_draws
from tests.weightings.stored_runs import a_stored_run, stored_run
from weightings.channels import reading
from weightings.methods.campaigns import campaign_effects
from weightings.methods.quantities import Window
from weightings.stored import StoredModel

ClientFor = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return a_stored_run(workspace)


def now_current(run: Run) -> Run:
    """The run as if it had been computed on the data as they are."""
    run.data_version = current_data_version(workspace=run.workspace, analysis=kind_named("weightings"))
    run.method_version = kind_named("weightings").method_version
    run.save(update_fields=["data_version", "method_version"])
    return run


# Campaigns


def test_each_campaign_has_what_would_be_missing_without_it_and_a_share_that_adds_up(run: Run) -> None:
    add_campaigns(run)
    model = StoredModel(run)
    found = campaign_effects(model.posterior, TV, Window(0, 60), np.stack([SPRING, ALWAYS, UNNAMED]))
    made = table(campaigns(run))
    incremental, per_spend = column(made, "Incremental Sales"), column(made, "Incremental ROI")
    shares, spend = column(made, "Fair share"), column(made, "Spend")
    for place, label in enumerate(("Spring", "Always on", "Without a campaign")):
        low, middle, high = np.quantile(found.incremental[:, place], [0.05, 0.5, 0.95])
        figure = incremental[label]
        assert [figure.low, figure.value, figure.high] == pytest.approx([low, middle, high], rel=1e-6)
        amount = spend[label].value
        assert per_spend[label].value == pytest.approx(middle / amount, rel=1e-6)
        assert shares[label].value == pytest.approx(found.split[:, place].mean(), rel=1e-6)
    assert spend["Spring"].value == pytest.approx(spent(run.workspace, "Spring"), rel=1e-6)
    of_channel = next(one for one in model.result["channels"] if one["channel"] == "TV")
    assert spend["The channel"].value == pytest.approx(of_channel["spend"])
    assert incremental["The channel"].value == pytest.approx(of_channel["incremental"]["median"])
    assert per_spend["The channel"].value == pytest.approx(of_channel["roi"]["median"])
    *parts, whole = (figure.value for figure in shares.values())
    assert sum(parts) == pytest.approx(whole)
    assert whole == pytest.approx(of_channel["incremental"]["mean"])


def test_campaigns_come_by_spend_and_lead_to_their_pages(run: Run) -> None:
    add_campaigns(run)
    section = campaigns(run)
    made = table(section)
    assert [row.label for row in made.rows] == ["Always on", "Spring", "Without a campaign", "The channel"]
    spend = [row.cells[1].value or 0 for row in made.rows]
    assert spend[0] > spend[1] > spend[2] > 0  # what names no campaign is last, whatever it is
    page = made.rows[0].href
    assert re.fullmatch(r"/w/acme/dashboard/campaigns/\d+/\?start=2022-02-14&end=2023-04-09", page), page
    assert (made.rows[2].href, made.rows[3].href) == ("", "")
    (chart,) = section.charts
    assert [one.label for one in chart.panels[0].categories] == ["Always on", "Spring", "Without a campaign"]
    by_label = column(made, "Incremental ROI")
    for category, mark in zip(chart.panels[0].categories, chart.panels[0].series[0].marks, strict=True):
        assert mark is not None
        assert (mark.value, mark.low) == (by_label[category.label].value, by_label[category.label].low)


def test_running_campaigns_are_told_from_those_that_have_ended(run: Run) -> None:
    late = np.zeros(60)
    late[57:59] = 0.5  # of the spend that the others leave
    add_campaigns(run, {"Spring": SPRING * (1 - late), "Late": late, "Always on": (1 - SPRING) * (1 - late)})
    section = campaigns(run)
    status = column(table(section), "Status")
    assert status["Always on"].text == "Still running: carry-over to come"
    assert status["Late"].text == "Ended: carry-over to come"
    assert re.fullmatch(r"Ended \d+ Nov 2022", status["Spring"].text)
    assert "Always on is still running: part of what is counted here is carry-over that has yet to come" in said(
        section
    )


def test_active_days_are_those_with_spend(run: Run) -> None:
    add_campaigns(run)
    active = column(table(campaigns(run)), "Active")
    panel = StoredModel(run).panel
    weeks = panel.period_start[6:46][panel.spend[6:46, TV] > 0].tolist()
    days = span_label(date_of(weeks[0]), date_of(weeks[-1]))
    assert active["Spring"].text == f"{days}, {len(weeks)} days"
    assert active["The channel"].text == "14 Feb 2022 – 9 Apr 2023"


@pytest.mark.parametrize(
    ("times", "word"), [(100.0, "Clearly paid back"), (0.001, "Clearly did not"), (1.0, "Not clear")]
)
def test_the_verdict_is_where_the_interval_lies(times: float, word: str, workspace: Workspace) -> None:
    panel = market()
    posterior = some_draws(panel, 40)
    run = stored_run(workspace, panel, replace(posterior, beta=times * posterior.beta), knots=6)
    add_campaigns(run)
    section = campaigns(run)
    figure, returned = (column(table(section), name)["Spring"] for name in ("Verdict", "Incremental ROI"))
    assert figure.text == word
    assert (returned.low > 1, returned.high < 1) == (word == "Clearly paid back", word == "Clearly did not")
    told = {
        "Clearly paid back": "clearly paid back.",
        "Clearly did not": "clearly did not pay back.",
        "Not clear": "Of",
    }
    assert told[word] in section.sentences[0]
    assert figure.full.startswith("It brought in more than it cost with a probability of ")


def test_the_page_says_that_the_model_takes_campaigns_to_act_alike(run: Run) -> None:
    add_campaigns(run)
    assert "it takes all of its campaigns to act alike per unit" in said(campaigns(run))


def test_it_says_so_where_data_have_changed_since_the_run(run: Run) -> None:
    add_campaigns(run)
    assert "The data have changed" not in said(campaigns(now_current(run)))
    run.data_version = "of before"
    assert "The data have changed since this run" in said(campaigns(run))


def test_where_spend_has_changed_campaigns_are_parts_of_what_the_run_knew(run: Run) -> None:
    add_campaigns(run)
    before = column(table(campaigns(run)), "Spend")["The channel"].value
    ChannelSpend.objects.filter(campaign__name="Spring").update(spend=123_456)
    after = column(table(campaigns(run)), "Spend")
    assert after["The channel"].value == before
    assert sum(after[name].value for name in ("Spring", "Always on", "Without a campaign")) == pytest.approx(before)


def test_a_channel_that_was_renamed_since_is_found(run: Run) -> None:
    add_campaigns(run)
    rename_channel(channel=Channel.objects.get(name="TV"), name="Television", by=None)
    assert "Spring" in column(table(campaigns(run)), "Spend")


# Some days of the period


def test_a_part_of_the_period_is_read_in_whole_weeks(run: Run) -> None:
    add_campaigns(run)
    section = campaigns(run, start="2022-10-05", end="2022-12-04")
    found = campaign_effects(
        StoredModel(run).posterior, TV, Window(34, 42), np.stack([part[34:42] for part in TWO_CAMPAIGNS.values()])
    )
    made = table(section)
    assert "10 Oct – 4 Dec 2022" in made.note
    assert column(made, "Incremental Sales")["Always on"].value == pytest.approx(
        np.median(found.incremental[:, 1]), rel=1e-6
    )
    assert column(made, "Status")["Always on"].text == "Still running"  # what comes after these days is known
    assert "still running" not in said(section)


def test_days_without_a_whole_week_show_all_and_say_so(run: Run) -> None:
    add_campaigns(run)
    section = campaigns(run, start="2022-10-05", end="2022-10-08")
    assert section.sentences[0] == (
        "There is no whole week of the run's period within 5–8 Oct 2022, so all of it is shown."
    )
    assert "14 Feb 2022 – 9 Apr 2023" in table(section).note


def test_only_days_of_the_runs_period_count(workspace: Workspace) -> None:
    run = a_stored_run(workspace, window=(30, 50))
    add_campaigns(run)
    section = campaigns(run, start="2000-01-01", end="2100-01-01")
    assert "12 Sept 2022 – 29 Jan 2023" in table(section).note.replace("Sep ", "Sept ")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?start=2022-10-05", "Give both a first and a last day"),
        ("?start=2022-10-05&end=2022-10-04", "The last day comes before the first."),
        ("?start=2022-02-30&end=2022-10-04", "Enter a valid date."),
        ("?start=%00&end=x", "Enter a valid date."),
    ],
)
def test_days_that_are_none_are_said_to_be_none_beside_what_is_there(
    query: str, sentence: str, client_for: ClientFor, viewer: User, run: Run
) -> None:
    add_campaigns(run)
    page = client_for(viewer).get(address(run, TV, query))
    assert page.status_code == 200
    assert sentence in page.text
    assert ">Spring</a>" in page.text


def test_days_in_which_nothing_was_spent_say_so_and_keep_the_form(
    client_for: ClientFor, viewer: User, workspace: Workspace
) -> None:
    panel = market()
    spend = panel.spend.copy()
    spend[6:16, TV] = 0
    run = stored_run(workspace, replace(panel, spend=spend, exposure=spend), some_draws(panel, 40), knots=6)
    add_campaigns(run)
    page = client_for(viewer).get(address(run, TV, "?start=2022-02-14&end=2022-03-27"))
    assert page.status_code == 200
    assert "Nothing was spent on TV in 14 Feb – 27 Mar 2022" in page.text
    assert 'name="start"' in page.text


# Where nothing can be said


def test_without_campaigns_it_says_what_to_import(run: Run) -> None:
    add_campaigns(run, {"": np.ones(60)})
    assert shown(run).no_campaigns.startswith("The spend of TV names no campaigns.")


def test_spend_that_is_gone_is_not_read(run: Run) -> None:
    assert "is no longer among the data" in shown(run).no_campaigns


def test_a_model_of_geos_or_of_another_family_says_why_not(run: Run) -> None:
    add_campaigns(run)
    assert run.result is not None
    run.params |= {"model": "lightweight:adstock"}
    assert "LightweightMMM" in shown(run).no_campaigns
    run.params |= {"model": "hill"}
    run.result["stored"]["panel"]["geos"] = ["North", "South"]
    assert shown(run).no_campaigns.startswith("Campaigns are read from models of one market only")


def test_a_run_whose_figures_are_gone_says_so(run: Run) -> None:
    add_campaigns(run)
    run.artifact = "runs/nowhere.npz"
    assert shown(run).no_campaigns == "The figures of this run are no longer on disk. Run it again."


def test_an_outcome_that_is_no_money_has_no_verdict(workspace: Workspace) -> None:
    run = a_stored_run(workspace, bounded=True)
    add_campaigns(run)
    section = campaigns(run)
    assert "Verdict" not in table(section).columns
    assert "Whether a campaign paid back cannot be said" in said(section)
    shares = column(table(section), "Fair share")
    *parts, whole = (figure.value for figure in shares.values())
    assert sum(parts) == pytest.approx(whole)


def test_many_campaigns_are_read_and_the_smallest_together(
    run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    weights = np.arange(1.0, 31)
    add_campaigns(run, {f"No. {place}": np.full(60, weights[place] / weights.sum()) for place in range(30)})
    with django_assert_max_num_queries(12):
        made = table(campaigns(run))
    assert [row.label for row in made.rows][-3:] == ["No. 5", "5 other campaigns", "The channel"]
    assert sum(row.cells[1].value or 0 for row in made.rows[:-1]) == pytest.approx(made.rows[-1].cells[1].value)


@pytest.mark.parametrize(
    ("shares", "together"),
    [
        ({f"No. {place}": np.full(60, 1 / 40) for place in range(40)}, "40 campaigns added"),
        (TWO_CAMPAIGNS, "2 campaigns and what ran without one added"),
        ({"Spring": SPRING, "": 1 - SPRING}, "1 campaign and what ran without one added"),
    ],
)
def test_the_chart_counts_campaigns_and_not_rows(shares: Mapping[str, Any], together: str, run: Run) -> None:
    add_campaigns(run, shares)
    (chart,) = campaigns(run).charts
    assert f" returned most per unit of spend; {together} €" in chart.title
    assert chart.title.endswith(" together")


def test_what_acts_without_any_spend_is_no_campaigns(workspace: Workspace) -> None:
    panel = market()
    spend = panel.spend.copy()
    spend[20:26, TV] = 0  # shown all the same
    seen = np.maximum(panel.exposure, 1.0)
    run = stored_run(workspace, replace(panel, spend=spend, exposure=seen), some_draws(panel, 40), knots=6)
    add_campaigns(run, {"Spring": np.ones(60)})
    made = table(campaigns(run))
    assert [row.label for row in made.rows] == ["Spring", "Without a campaign", "The channel"]
    assert made.rows[1].cells[1].value == 0
    assert (made.rows[1].cells[2].value or 0) > 0
    assert made.rows[1].cells[0].full == "No day with spend"
    assert column(made, "Verdict")["Without a campaign"].full == "Nothing was spent"
    status = column(made, "Status")["Without a campaign"]
    assert (status.text, status.full) == (NO_FIGURE, "No day with spend")


def test_fewer_draws_are_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_campaigns(run)
    assert "draws" not in said(campaigns(run))
    monkeypatch.setattr(reading, "MOST_NUMBERS", 1)
    monkeypatch.setattr(reading, "FEWEST_DRAWS", 10)
    assert "Computed from 10 of the model's 40 draws" in said(campaigns(run))
