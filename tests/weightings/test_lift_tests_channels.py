"""Lift tests of channels that have been renamed or merged since: which of them count, and what is said of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.execution import execute
from jobs.models import Job
from marketing.channels import merge_channels, rename_channel
from marketing.experiments import visible_experiments
from marketing.importing.dimensions import ensure_channels
from marketing.models import Channel, Dataset, Experiment, Import
from tests.weightings.markets import add_outcome, add_spend
from tests.weightings.stored_runs import a_stored_run
from tests.weightings.test_lift_tests_form import BY_LIFT, NEW, PAGE
from tests.weightings.test_lift_tests_page import keep, told
from weightings import leaving_out

ClientFor = Callable[[User | None], Client]
SAVED = {"channel": "TV", "lift": "1900", "standard_error": "600"}


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    add_outcome(workspace)
    add_spend(workspace)
    return workspace


def work() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


def merge(workspace: Workspace, source: str, target: str) -> None:
    one, other = ensure_channels(workspace=workspace, names=[source, target])
    merge_channels(source=one, target=other, by=None)


def rename(workspace: Workspace, name: str, to: str) -> None:
    rename_channel(channel=Channel.objects.get(workspace=workspace, name=name), name=to, by=None)


def counting(workspace: Workspace) -> list[tuple[str, float]]:
    return [(test.channel, test.lift) for test in visible_experiments(workspace)]


def preview(client: Client, **changed: Any) -> str:
    return client.post(NEW, BY_LIFT | changed | {"action": "preview"}, headers={"HX-Request": "true"}).text


def test_a_correction_replaces_a_test_of_a_merged_channel(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    first = keep(shop, channel="YouTube")
    merge(shop, "YouTube", "TV")
    client = client_for(analyst)
    assert '<option value="TV" selected>' in client.get(f"{NEW}?experiment={first.pk}").text
    assert "This one will take its place" in preview(client, **SAVED)
    assert client.post(NEW, BY_LIFT | SAVED).status_code == 302
    work()
    assert counting(shop) == [("TV", 1900.0)]
    page = client.get(PAGE)
    assert len(page.context["page"].rows) == 1
    assert "Counts instead of 1 other test of these days, as their channels are merged." in page.text
    newest = Import.objects.filter(dataset=Dataset.EXPERIMENTS).latest("pk")
    client.post(f"/w/acme/data/imports/{newest.pk}/undo/")
    work()
    assert counting(shop) == [("TV", 2400.0)]
    assert "Counts instead of" not in client.get(PAGE).text


def test_of_merged_channels_the_newest_import_of_a_test_counts(shop: Workspace) -> None:
    keep(shop, channel="TV", lift=900.0)
    keep(shop, channel="YouTube", lift=400.0)
    keep(shop, channel="Video", lift=100.0, geo="North")
    keep(shop, channel="Video", lift=200.0, end="2022-05-30")
    assert len(counting(shop)) == 4
    merge(shop, "TV", "Video")
    merge(shop, "YouTube", "Video")
    assert counting(shop) == [("Video", 400.0), ("Video", 100.0), ("Video", 200.0)]
    assert [test.instead_of for test in visible_experiments(shop)] == [1, 0, 0]


def test_one_that_is_left_out_brings_no_other_in(shop: Workspace) -> None:
    keep(shop, channel="TV", lift=900.0)
    keep(shop, channel="YouTube", lift=400.0)
    merge(shop, "YouTube", "TV")
    found = visible_experiments(shop)
    names = [leaving_out.experiment_name(one.channel, one.period, one.geo) for one in found]
    assert names == ["TV 2022-05-02/2022-05-29"]
    assert leaving_out.kept(found, leaving_out.experiments(shop, names)) == []


def test_a_run_knows_a_test_by_the_name_that_its_channel_had(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    keep(shop)
    rename(shop, "TV", "Television")
    a_stored_run(shop, result={"experiments": [told(0.4)]})
    page = client_for(analyst).get(PAGE).text
    assert ">Agrees<" in page
    assert "Television<span" in page
    assert "€2,600" in page


def test_a_renamed_channel_has_the_return_that_the_model_says(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    a_stored_run(shop, result={"experiments": [told(0.4)]})
    client = client_for(analyst)
    before = preview(client)
    rename(shop, "TV", "Television")
    text = preview(client, channel="Television")
    assert re.search(r"says [\d.]+ \([\d.–]+\) of Television with the experiments that it knows,", text)
    assert text.replace("Television", "TV") == before


def test_what_a_run_says_of_channels_apart_is_not_held_against_them_together(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    keep(shop)
    a_stored_run(shop, result={"experiments": [told(0.4)]})
    merge(shop, "Search", "TV")
    client = client_for(analyst)
    page = client.get(PAGE).text
    assert ">Merged since<" in page
    assert "It was entered since" not in page
    assert "€2,600" not in page
    assert "has no ROI of TV to hold it against" in preview(client)


def test_of_two_tests_that_a_run_has_of_the_same_days_the_one_that_counts_is_told_of(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    keep(shop, channel="YouTube", lift=1000.0)
    keep(shop)
    merge(shop, "YouTube", "TV")
    a_stored_run(shop, result={"experiments": [told(0.001, lift=1000.0), told(0.4)]})
    assert ">Agrees<" in client_for(analyst).get(PAGE).text


def test_the_number_of_queries_does_not_grow_with_merged_tests(
    client_for: ClientFor, analyst: User, shop: Workspace
) -> None:
    client = client_for(analyst)
    keep(shop)
    a_stored_run(shop, result={"experiments": [told(0.4)]})
    client.get(PAGE)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(PAGE)
        return len(found)

    few = queries()
    for place in range(5):
        keep(shop, channel=f"Channel {place}")
        merge(shop, f"Channel {place}", "TV")
    assert Experiment.objects.filter(shadowed=False).count() == 6
    assert len(counting(shop)) == 1
    assert queries() == few
