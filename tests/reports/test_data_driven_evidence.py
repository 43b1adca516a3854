"""Data-driven ROAS beside the evidence of the dashboard: which run it is read from, what is said, what is offered."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.actions import set_plan
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import discard, request_run
from attribution.params import clean
from charts import ChartSpec, Mark
from jobs.execution import execute
from marketing.channels import merge_channels, rename_channel
from marketing.models import Channel
from reports.dashboard import overview as dashboard_page
from reports.data_driven import DataDriven
from tests.conftest import ImportRows
from tests.reports.conftest import NOW, Refresh
from tests.reports.test_dashboard_pages import MARCH, PAGE
from tests.reports.test_numbers import overview

ClientFor = Callable[[User | None], Client]
Ask = Callable[..., Run]
QUESTION = {
    "model": "data_driven",
    "goal": "Purchase",
    "start": "2026-03-01",
    "end": "2026-03-31",
    "dimension": "channel",
    "replicates": 100,
}
MARCH_OF = {"start": "2026-03-01", "end": "2026-03-31", "compare": "none"}


@pytest.fixture
def professional(shop: Workspace, figures: None) -> Workspace:
    set_plan(workspace=shop, plan="professional", by=None)
    return Workspace.objects.get(pk=shop.pk)


@pytest.fixture
def ask(professional: Workspace) -> Ask:
    """`ask(goal="Lead")` asks for Data-Driven in March, and carries it out."""

    def ask(**params: Any) -> Run:
        question = {name: value for name, value in (QUESTION | params).items() if value is not None}
        run = request_run(
            workspace=professional, kind="attribution", params=question, by=None, trigger=Run.Trigger.CLI, ring=False
        )
        execute(job_id=run.job_id)
        run = Run.objects.select_related("job").get(pk=run.pk)
        assert run.job.status == "done", run.job.error
        return run

    return ask


def found(workspace: Workspace, **query: str) -> DataDriven | None:
    return overview(workspace, **query).data_driven


def read(workspace: Workspace) -> DataDriven:
    run = found(workspace)
    assert run is not None
    return run


def evidence(workspace: Workspace, **query: str) -> tuple[ChartSpec, tuple[str, ...]]:
    """The chart of the evidence in March, and its sentences."""
    page = dashboard_page(workspace, MARCH_OF | query, now=NOW)
    assert page.document is not None
    (section,) = (section for section in page.document.sections if section.title == "Evidence")
    (chart,) = section.charts
    assert isinstance(chart, ChartSpec)
    return chart, section.sentences


def mark_of(chart: ChartSpec, series: str, channel: str) -> Mark | None:
    (one,) = (one for one in chart.series if one.name == series)
    return one.marks[[category.label for category in chart.categories].index(channel)]


def offer(html: str) -> tuple[str, list[str]]:
    """What is offered under the evidence: its words, and where its links lead."""
    offers = re.findall(r'<p class="evidence-offer muted">(.*?)</p>', html, re.DOTALL)
    found = next((each for each in offers if "media mix" not in each), "")
    return unescape(re.sub("<[^>]*>", "", found)), [unescape(url) for url in re.findall('href="([^"]*)"', found)]


# --- Which run ---


def test_the_roas_is_what_the_run_credits_divided_by_what_was_spent(professional: Workspace, ask: Ask) -> None:
    assert found(professional) is None
    run = ask()
    assert run.result is not None
    rows = {row["channel"]: row for row in run.result["models"]["data_driven"]["channels"]}
    chart, _ = evidence(professional)
    mark = mark_of(chart, "Data-Driven", "Search")
    assert mark is not None
    credited = rows["Search"]
    numbers = [credited["value"], credited["value_low"], credited["value_high"]]
    assert 0 < credited["value"] < 400
    assert [mark.value, mark.low, mark.high] == pytest.approx([number / 100 for number in numbers])
    assert chart.interval == "95% interval"
    assert [one.name for one in chart.series] == [
        "Last Touch",
        "Last Non-Direct",
        "Data-Driven",
        "Experiment (incremental)",
    ]


def test_a_run_of_several_models_or_of_markov_of_order_1_serves_as_well(professional: Workspace, ask: Ask) -> None:
    several = ask(model=["last", "data_driven"])
    of = read(professional)
    assert (of.run_id, of.model) == (several.pk, "Data-Driven")
    discard(run=several)
    markov = ask(model=["linear", "markov:1"], metric="conversions")
    of = read(professional)
    assert (of.run_id, of.model) == (markov.pk, "Markov, order 1")


@pytest.mark.parametrize(
    "other",
    [
        {"end": "2026-03-30"},
        {"start": "2026-02-28"},
        {"goal": "Lead"},
        {"window_days": 29},
        {"dimension": "campaign"},
        {"dimension": "channel_type"},
        {"model": "markov:2"},
        {"model": "shapley"},
        {"view_through": "exclude"},
        {"grouping": "granular"},
        {"segment": {"name": "Few", "match": "all", "conditions": [{"type": "touches", "at_least": 1, "at_most": 9}]}},
    ],
)
def test_a_run_of_any_other_question_is_not_read(professional: Workspace, ask: Ask, other: dict[str, Any]) -> None:
    ask(**other)
    assert found(professional) is None


def test_a_run_that_waits_or_is_void_is_not_read(professional: Workspace, ask: Ask) -> None:
    request_run(
        workspace=professional, kind="attribution", params=QUESTION, by=None, trigger=Run.Trigger.CLI, ring=False
    )
    assert found(professional) is None
    run = ask(seed=3)
    assert found(professional) is not None
    discard(run=run)
    assert found(professional) is None


def test_a_channel_that_was_renamed_or_merged_since_keeps_its_credit(
    professional: Workspace, ask: Ask, refresh: Refresh
) -> None:
    run = ask()
    assert run.result is not None
    value = {row["channel"]: row["value"] for row in run.result["models"]["data_driven"]["channels"]}
    search, email = Channel.objects.get(name="Search"), Channel.objects.get(name="Email")
    rename_channel(channel=search, name="Google", by=None)
    refresh()
    of = read(professional)
    assert of.by_channel[search.pk].value == value["Search"]
    assert of.is_outdated
    merge_channels(source=search, target=email, by=None)
    refresh()
    of = read(professional)
    assert of.by_channel[email.pk].value == pytest.approx(value["Search"] + value["Email"])
    assert (of.by_channel[email.pk].low, of.by_channel[email.pk].high) == (None, None)
    mark = mark_of(evidence(professional)[0], "Data-Driven", "Email")
    assert mark is not None
    assert mark.low is None


# --- What is said ---


def test_where_it_and_an_experiment_disagree_a_sentence_says_so(professional: Workspace, ask: Ask) -> None:
    # The experiment measured 0.40 (0.20 to 0.60); Search is credited with 300 on 100 of spend by its last touch.
    run = ask()
    _, sentences = evidence(professional, model="last")
    assert sentences[0].startswith("Search: an experiment of 1–28 Feb 2026 measured 0.40")
    assert "Last Touch credits 3.00, which is more than the experiment allows; Data-Driven credits " in sentences[0]
    # Its interval is that of 100 replicates, whose draws depend on the secret that customers are known by.
    assert re.search(r"Data-Driven credits \d\.\d\d \(95% interval \d\.\d\d to \d+\.\d\d\), which ", sentences[0])
    finished = run.job.finished_at
    assert finished is not None
    assert sentences[-1] == f"Data-Driven is what the run of {finished:%-d %b %Y, %H:%M} credited in this period."


def test_without_a_run_the_evidence_is_that_of_the_rules(professional: Workspace) -> None:
    chart, sentences = evidence(professional, model="last")
    assert [one.name for one in chart.series] == ["Last Touch", "First Touch", "Experiment (incremental)"]
    assert sentences[0].endswith("Last Touch credits 3.00, which is more than the experiment allows.")


def test_intervals_of_different_levels_are_told_apart(professional: Workspace, ask: Ask) -> None:
    ask(confidence=80)
    assert evidence(professional)[0].interval == "95% interval of experiments, 80% interval of Data-Driven"


def test_newer_data_are_mentioned(professional: Workspace, ask: Ask, import_rows: ImportRows, refresh: Refresh) -> None:
    ask()
    import_rows("conversions", "customer,occurred_at,value", "emil,2026-03-11T12:00Z,1000")
    refresh()
    assert evidence(professional)[1][-1].endswith("credited in this period; the data have changed since.")


def test_exports_carry_it(client_for: ClientFor, viewer: User, ask: Ask) -> None:
    run = ask()
    assert run.result is not None
    data = json.loads(client_for(viewer).get(f"{PAGE}export.json?{MARCH}").text)
    (search,) = (row for row in data["data_driven"]["channels"] if row["channel"] == "Search")
    (credited,) = (row for row in run.result["models"]["data_driven"]["channels"] if row["channel"] == "Search")
    assert search["roas"] == pytest.approx(credited["value"] / 100)
    assert search["roas_high"] == pytest.approx(credited["value_high"] / 100)
    assert (data["data_driven"]["run"], data["data_driven"]["confidence"]) == (str(run.pk), 95)


# --- What is offered ---


def test_who_may_run_is_led_to_just_the_question_that_is_read(
    professional: Workspace, client_for: ClientFor, analyst: User, ask: Ask
) -> None:
    text, (link,) = offer(client_for(analyst).get(f"{PAGE}?{MARCH}").text)
    assert "Run Data-Driven for this period" in text
    parts = urlsplit(link)
    assert parts.path == "/w/acme/attribution/"
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert client_for(analyst).get(link).status_code == 200
    run = ask(**clean(professional, asked | {"replicates": 100}))
    assert read(professional).run_id == run.pk
    text, (link,) = offer(client_for(analyst).get(f"{PAGE}?{MARCH}").text)
    assert link == f"/w/acme/runs/{run.pk}/"


@pytest.mark.usefixtures("professional")
def test_others_are_offered_nothing_that_they_may_not_do(client_for: ClientFor, viewer: User) -> None:
    assert offer(client_for(viewer).get(f"{PAGE}?{MARCH}").text) == ("", [])


@pytest.mark.usefixtures("figures")
def test_a_plan_without_it_says_so_and_shows_a_sample(client_for: ClientFor, analyst: User) -> None:
    text, links = offer(client_for(analyst).get(f"{PAGE}?{MARCH}").text)
    assert "is part of the Professional plan" in text
    assert links[1:] == ["/w/acme/settings/plan/"]
    for link in links:
        assert client_for(analyst).get(link).status_code == 200


def test_an_outdated_run_can_be_asked_again(
    client_for: ClientFor, analyst: User, viewer: User, ask: Ask, import_rows: ImportRows, refresh: Refresh
) -> None:
    ask()
    import_rows("conversions", "customer,occurred_at,value", "emil,2026-03-11T12:00Z,1000")
    refresh()
    assert "Run it on the newest data" in offer(client_for(analyst).get(f"{PAGE}?{MARCH}").text)[0]
    assert "newest data" not in offer(client_for(viewer).get(f"{PAGE}?{MARCH}").text)[0]


@pytest.mark.usefixtures("professional")
def test_looking_asks_for_nothing(client_for: ClientFor, analyst: User) -> None:
    before = Run.objects.count()
    client_for(analyst).get(f"{PAGE}?{MARCH}")
    assert Run.objects.count() == before


@pytest.mark.usefixtures("professional")
def test_where_there_is_no_evidence_nothing_is_offered_beside_it(client_for: ClientFor, analyst: User) -> None:
    assert offer(client_for(analyst).get(f"{PAGE}?start=2020-01-01&end=2020-01-31").text) == ("", [])


def test_more_runs_need_no_more_queries(
    client_for: ClientFor, analyst: User, ask: Ask, django_assert_max_num_queries: Any
) -> None:
    client = client_for(analyst)
    ask()
    client.get(f"{PAGE}?{MARCH}")
    with django_assert_max_num_queries(28) as few:
        client.get(f"{PAGE}?{MARCH}")
    for seed in range(1, 4):
        ask(seed=seed)
    with django_assert_max_num_queries(len(few)):
        client.get(f"{PAGE}?{MARCH}")
