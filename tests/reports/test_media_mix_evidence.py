"""Media-mix ROI beside the evidence of the dashboard: which run it is read from, what is said, where it is exported."""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone
from pptx import Presentation

from accounts.models import User, Workspace
from analyses.models import Run
from charts import ChartSpec, Mark
from jobs.models import Job
from marketing.channel_index import channel_index
from marketing.channels import merge_channels, rename_channel
from marketing.models import Channel, Outcome
from reports.dashboard import overview as dashboard_page
from reports.media_mix import MediaMix, newest_media_mix
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory
from tests.reports.conftest import NOW, Refresh
from tests.reports.test_dashboard_pages import MARCH, PAGE
from tests.reports.test_numbers import overview
from tests.weightings.results import a_check, a_result, around, finished

ClientFor = Callable[[User | None], Client]
MARCH_OF = {"start": "2026-03-01", "end": "2026-03-31", "compare": "none"}
SERIES = "Media mix (incremental)"
pytestmark = pytest.mark.usefixtures("figures")


def a_run(
    workspace: Workspace,
    *,
    age: dt.timedelta = dt.timedelta(days=1),
    returns: dict[str, float] | None = None,
    **how: Any,
) -> Run:
    """Keep a finished run of Search 2.00 (1.40 to 2.60) and TV 0.50 (0.35 to 0.65), or of other `returns`."""
    run = finished(workspace, **how)
    assert run.result is not None
    if returns:
        channel = run.result["channels"][0]
        run.result["channels"] = [
            channel | {"channel": name, "roi": around(median)} for name, median in returns.items()
        ]
    run.job = Job.objects.create(
        workspace=workspace, kind="analyses.run", status=Job.Status.DONE, finished_at=timezone.now()
    )
    run.fingerprint = f"{run.job.pk:064}"
    run.save()
    run.created_at = timezone.now() - age
    run.save(update_fields=["created_at"])
    return run


def found(workspace: Workspace) -> MediaMix | None:
    return overview(workspace).media_mix


def read(workspace: Workspace) -> MediaMix:
    modelled = found(workspace)
    assert modelled is not None
    return modelled


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


# --- Which run ---


def test_what_the_model_says_stands_beside_the_rest(shop: Workspace) -> None:
    assert found(shop) is None
    run = a_run(shop)
    chart, _ = evidence(shop)
    assert [one.name for one in chart.series] == [
        "Last Touch",
        "Last Non-Direct",
        "First Touch",
        SERIES,
        "Experiment (incremental)",
    ]
    search, tv = (mark_of(chart, SERIES, name) for name in ("Search", "TV"))
    assert search is not None
    assert tv is not None
    assert (search.value, search.low, search.high) == (2.0, 1.4, 2.6)
    assert (tv.value, tv.low, tv.high) == (0.5, 0.35, 0.65), "which attribution does not see"
    assert search.href == f"/w/acme/runs/{run.pk}/"
    assert mark_of(chart, SERIES, "Search") == search
    assert chart.interval == "95% interval of experiments, 90% interval of media mix"


def test_the_newest_converged_run_is_read(shop: Workspace) -> None:
    newest = a_run(shop, age=dt.timedelta(days=5))
    a_run(shop, age=dt.timedelta(days=9))
    a_run(shop, age=dt.timedelta(days=3), converged=False)
    assert read(shop).run_id == newest.pk


def test_runs_without_a_result_or_of_elsewhere_are_not_read(shop: Workspace) -> None:
    for status in (Job.Status.FAILED, Job.Status.RUNNING):
        Job.objects.filter(run=a_run(shop)).update(status=status)
    Run.objects.filter(pk=a_run(shop).pk).update(void=True)
    a_run(WorkspaceFactory.create(slug="elsewhere"))
    assert found(shop) is None


def test_only_outcomes_in_money_have_a_return_to_compare(shop: Workspace) -> None:
    a_run(shop, is_money=False)
    a_run(shop, is_money=False, bounds=[0, 1])
    run = a_run(shop, age=dt.timedelta(days=60))
    assert read(shop).run_id == run.pk


def test_sales_come_before_any_other_money(shop: Workspace) -> None:
    for name, kind in (
        ("Margin", Outcome.Kind.CUSTOM),
        ("Sales", Outcome.Kind.SALES),
        ("Shop sales", Outcome.Kind.SALES),
    ):
        Outcome.objects.create(workspace=shop, name=name, kind=kind, is_money=True)
    margin = a_run(shop, age=dt.timedelta(days=1), outcome="Margin")
    assert (read(shop).run_id, read(shop).outcome) == (margin.pk, "Margin")
    second = a_run(shop, age=dt.timedelta(days=2), outcome="Shop sales")
    assert read(shop).run_id == second.pk
    first = a_run(shop, age=dt.timedelta(days=3), outcome="Sales")
    assert read(shop).run_id == first.pk
    Run.objects.filter(pk=first.pk).update(result=a_result(converged=False))
    assert read(shop).run_id == second.pk, "one that has not converged is no answer"


def test_a_channel_that_was_renamed_keeps_its_return_and_merged_ones_lose_theirs(
    shop: Workspace, refresh: Refresh
) -> None:
    a_run(shop)
    search, email = Channel.objects.get(name="Search"), Channel.objects.get(name="Email")
    rename_channel(channel=search, name="Google", by=None)
    refresh()
    assert read(shop).by_channel[search.pk].value == 2.0
    a_run(shop, age=dt.timedelta(hours=1), returns={"Google": 2.0, "Email": 3.0})
    merge_channels(source=search, target=email, by=None)
    refresh()
    modelled = read(shop)
    assert search.pk not in modelled.by_channel
    assert email.pk not in modelled.by_channel
    assert modelled.unsplit == ("Email",)
    merged = "It knows several channels that are one now, so it says nothing of Email."
    assert merged in list_of_sentences(shop)


def list_of_sentences(shop: Workspace) -> list[str]:
    page = dashboard_page(shop, MARCH_OF, now=NOW)
    assert page.document is not None
    return [sentence for section in page.document.sections for sentence in section.sentences]


# --- What is said ---


def test_where_it_and_attribution_disagree_a_sentence_says_so(shop: Workspace) -> None:
    """Search: 300 on 100 of spend by its last touch, so 3.00, against 1.40 to 2.60."""
    a_run(shop)
    sentences = evidence(shop, model="last")[1]
    assert (
        "Last Touch credits more than the media mix model's 90% interval allows: Search (3.00, not 1.40 to 2.60)."
        in sentences
    )
    a_run(shop, age=dt.timedelta(hours=1), returns={"Search": 10.0})
    sentences = evidence(shop, model="last")[1]
    assert (
        "Last Touch credits less than the media mix model's 90% interval allows: Search (3.00, not 7.00 to 13.00)."
        in sentences
    )
    a_run(shop, age=dt.timedelta(minutes=1), returns={"Search": 3.5})
    sentences = evidence(shop, model="last")[1]
    assert "What attribution credits lies within the media mix model's interval for every channel." in sentences


@pytest.mark.parametrize(
    ("roi", "verdict"),
    [
        (2.0, "the media mix model says 2.00 (90% interval 1.40 to 2.60), which is more than the experiment allows."),
        (0.5, "the media mix model says 0.50 (90% interval 0.35 to 0.65), which agrees."),
        (0.1, "the media mix model says 0.10 (90% interval 0.07 to 0.13), which is less than the experiment allows."),
    ],
)
def test_it_is_held_against_experiments(shop: Workspace, roi: float, verdict: str) -> None:
    """The experiment measured 0.40 (0.20 to 0.60)."""
    a_run(shop, returns={"Search": roi})
    sentence = evidence(shop)[1][0]
    assert sentence.startswith("Search: an experiment of 1–28 Feb 2026 measured 0.40")
    assert sentence.endswith(verdict)


def test_the_run_and_its_own_period_are_said(shop: Workspace) -> None:
    run = a_run(shop)
    asked = f"{run.created_at:%-d %b %Y, %H:%M}"
    chart, sentences = evidence(shop)
    assert sentences[-1] == (
        f"Media mix (incremental) is the ROI of Sales that the run of {asked} found for 5 Jan – 29 Mar 2026, whatever "
        "the period of this page; the data have changed since."
    )
    assert "media mix and experiments are of their own days" in chart.subtitle
    mark = mark_of(chart, SERIES, "TV")
    assert mark is not None
    assert mark.detail == ("Incremental ROI of Sales, 5 Jan – 29 Mar 2026",)


def test_a_model_that_fails_checks_is_marked(shop: Workspace) -> None:
    a_run(shop, checks=[a_check("VIF", 20.0, 10.0, "fail")])
    chart, sentences = evidence(shop)
    assert "Media mix (incremental; failed checks)" in [one.name for one in chart.series]
    assert "Its model has failed checks, so do not act on it." in sentences


def test_a_stale_model_is_marked(shop: Workspace) -> None:
    a_run(shop, age=dt.timedelta(days=91))
    chart, sentences = evidence(shop)
    assert "Media mix (incremental; stale)" in [one.name for one in chart.series]
    assert "Its model is more than 90 days old: refresh it before you act on it." in sentences
    a_run(shop, age=dt.timedelta(days=89))
    assert SERIES in [one.name for one in evidence(shop)[0].series]


def test_where_attribution_sees_nothing_the_model_is_shown_alone(
    shop: Workspace, import_rows: ImportRows, refresh: Refresh
) -> None:
    import_rows("spend", "date,channel,spend", "2025-11-10,TV,80")
    import_rows("conversions", "customer,occurred_at,value", "zoe,2025-11-11T12:00Z,10")
    refresh()
    november = {"start": "2025-11-01", "end": "2025-11-30"}
    page = dashboard_page(shop, november, now=NOW)
    assert page.document is not None
    assert not [section for section in page.document.sections if section.title == "Evidence"]
    a_run(shop)
    chart, _ = evidence(shop, **november)
    assert chart.title == "Attribution sees none of these channels, and the media mix model does"
    mark = mark_of(chart, SERIES, "TV")
    assert mark is not None
    assert mark.value == 0.5


# --- Where it goes ---


def test_every_export_carries_it(shop: Workspace, client_for: ClientFor, viewer: User) -> None:
    run = a_run(shop)
    client = client_for(viewer)

    def exported(form: str) -> bytes:
        return bytes(client.get(f"{PAGE}export.{form}?{MARCH}").getvalue())

    data = json.loads(exported("json"))["media_mix"]
    assert (data["run"], data["confidence"], data["is_stale"], data["doubts"]) == (str(run.pk), 90, False, "")
    assert data["period"] == {"start": "2026-01-05", "end": "2026-03-29"}
    by_name = {each.pop("channel"): each for each in data["channels"]}
    assert by_name["Search"] == {"roi": 2.0, "roi_low": 1.4, "roi_high": 2.6}
    table = list(csv.DictReader(io.StringIO(exported("csv").decode())))
    (search,) = (row for row in table if (row["level"], row["name"]) == ("channel", "Search"))
    assert [float(search[f"media_mix_roi{end}"]) for end in ("", "_low", "_high")] == [2.0, 1.4, 2.6]
    assert {row["media_mix_roi"] for row in table if row["level"] != "channel"} == {""}
    book = openpyxl.load_workbook(io.BytesIO(exported("xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert SERIES in {str(cell) for cell in cells}
    slides = Presentation(io.BytesIO(exported("pptx"))).slides
    plots = [shape.chart for slide in slides for shape in slide.shapes if shape.has_chart]
    (values,) = (list(series.values) for plot in plots for series in plot.plots[0].series if series.name == SERIES)
    assert sorted(value for value in values if value) == [0.5, 2.0]
    assert exported("pdf").startswith(b"%PDF")


def test_without_a_model_tables_have_no_columns_for_it(client_for: ClientFor, viewer: User) -> None:
    text = client_for(viewer).get(f"{PAGE}export.csv?{MARCH}").getvalue().decode()
    assert "media_mix" not in text
    assert json.loads(client_for(viewer).get(f"{PAGE}export.json?{MARCH}").text)["media_mix"] is None


def offers(html: str) -> list[tuple[str, list[str]]]:
    """What leads on beside the evidence about the media mix: words and addresses."""
    paragraphs = re.findall(r'<p class="evidence-offer muted">(.*?)</p>', html, re.DOTALL)
    return [
        (unescape(re.sub("<[^>]*>", "", each)), re.findall('href="([^"]*)"', each))
        for each in paragraphs
        if "edia mix" in each
    ]


def test_what_leads_on_is_the_run_or_the_way_to_have_one(
    shop: Workspace, client_for: ClientFor, analyst: User, viewer: User
) -> None:
    (offered,) = offers(client_for(analyst).get(f"{PAGE}?{MARCH}").text)
    assert offered[1] == ["/w/acme/weightings/"]
    assert client_for(analyst).get("/w/acme/weightings/").status_code == 200
    assert offers(client_for(viewer).get(f"{PAGE}?{MARCH}").text) == []
    run = a_run(shop, age=dt.timedelta(days=100))
    (offered,) = offers(client_for(viewer).get(f"{PAGE}?{MARCH}").text)
    assert offered == ("Media mix comes from a run of its own. See its run", [f"/w/acme/runs/{run.pk}/"])
    (offered,) = offers(client_for(analyst).get(f"{PAGE}?{MARCH}").text)
    assert offered[0] == "The media mix model is more than 90 days old. See its run and refresh it"


def test_more_runs_need_no_more_queries(
    shop: Workspace, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client = client_for(viewer)
    a_run(shop)
    client.get(f"{PAGE}?{MARCH}")
    with django_assert_max_num_queries(29) as few:
        client.get(f"{PAGE}?{MARCH}")
    for hours in range(1, 5):
        a_run(shop, age=dt.timedelta(hours=hours))
    with django_assert_max_num_queries(len(few)):
        client.get(f"{PAGE}?{MARCH}")


def test_results_are_not_read_as_a_whole(shop: Workspace, django_assert_num_queries: Any) -> None:
    """Of one run the parts that are shown, of all others nothing."""
    for days in range(1, 4):
        a_run(shop, age=dt.timedelta(days=days))
    index = channel_index(workspace=shop)
    with django_assert_num_queries(4) as queries:
        newest_media_mix(shop, index=index)
    read = [query["sql"] for query in queries.captured_queries if "result" in query["sql"]]
    assert len(read) == 1
    # Only ever as what is looked into, never as a column of its own.
    assert not re.search(r'(SELECT|, )"analyses_run"."result"(,| FROM)', read[0])
