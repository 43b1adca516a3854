"""What merging, renaming and grouping channels does to the dashboard's cube and to runs, old and new."""

import datetime as dt
from collections.abc import Iterator

import celery
import pytest
import time_machine

from accounts.models import Workspace
from analyses.models import Run
from analyses.runs import inputs_changed
from attribution.cube.daily_cube import cube_runs, latest_cube
from attribution.cube.keeping import keep_cubes_current
from attribution.presentation.document import document
from jobs.execution import execute
from jobs.models import Job
from marketing.channels import change_grouping, merge_channels, rename_channel, unmerge_channel
from marketing.models import Channel, Goal
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows

NOW = dt.datetime(2026, 4, 10, 9, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that stands still, and no worker that would hear a doorbell."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def imported(shop: Workspace, import_rows: ImportRows) -> Workspace:
    """Facebook and Meta each lead to a sale and cost something on one day; google's ads lead to a third."""
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel,source,medium",
        "anna,2026-03-20T10:00Z,Facebook,,",
        "bert,2026-03-20T10:00Z,Meta,,",
        "carl,2026-03-20T10:00Z,,google,cpc",
    )
    import_rows(
        "conversions",
        "customer,occurred_at,value",
        "anna,2026-03-21T10:00Z,10",
        "bert,2026-03-21T10:00Z,20",
        "carl,2026-03-21T10:00Z,40",
    )
    import_rows("spend", "date,channel,spend", "2026-03-20,Facebook,3", "2026-03-20,Meta,4", "2026-03-20,TV,5")
    sweep_and_work()
    return shop


def sweep_and_work() -> int:
    """Sweep as the scheduler does, carry out what waits, and return how many cubes that was."""
    keep_cubes_current()
    waiting = list(Job.objects.filter(status=Job.Status.QUEUED, kind="analyses.run").values_list("pk", flat=True))
    for job_id in waiting:
        execute(job_id=job_id)
    return len(waiting)


def shown(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """Revenue by last touch and spend of each channel, as the dashboard would show them."""
    workspace.refresh_from_db()
    daily = latest_cube(workspace=workspace)
    assert daily is not None
    part = daily.cube.part(first_day=0, last_day=10**6, goal=Goal.objects.get(is_default=True).pk)
    sums, last = part.by_channel(), daily.cube.models.index("last")
    names = dict(Channel.objects.values_list("pk", "name"))
    return {
        names[key]: (value, spend)
        for key, value, spend in zip(sums.key.tolist(), sums.value[:, last].tolist(), sums.spend.tolist(), strict=True)
    }


def is_updating(workspace: Workspace) -> bool:
    daily = latest_cube(workspace=workspace)
    assert daily is not None
    return daily.is_updating


def test_merged_channels_are_one_in_the_next_cube_and_two_again_once_that_is_undone(imported: Workspace) -> None:
    apart = {"Facebook": (10, 3), "Meta": (20, 4), "TV": (0, 5), "Paid Search": (40, 0)}
    assert shown(imported) == apart
    facebook = Channel.objects.get(name="Facebook")
    merge_channels(source=facebook, target=Channel.objects.get(name="Meta"), by=None)
    assert is_updating(imported)
    assert sweep_and_work() == 1
    assert not is_updating(imported)
    assert shown(imported) == {"Meta": (30, 7), "TV": (0, 5), "Paid Search": (40, 0)}
    unmerge_channel(channel=facebook, by=None)
    assert (is_updating(imported), shown(imported)) == (False, apart), "the cube of before is there still"
    assert sweep_and_work() == 0


def test_another_grouping_is_in_the_next_cube(imported: Workspace) -> None:
    rules = [{"channel": "Search ads", "conditions": [{"field": "medium", "operator": "is", "value": "cpc"}]}]
    change_grouping(workspace=imported, grouping="custom", rules=rules, by=None)
    assert is_updating(imported)
    assert sweep_and_work() == 1
    assert shown(imported)["Search ads"] == (40, 0)
    assert "Paid Search" not in shown(imported)
    change_grouping(workspace=imported, grouping="custom", rules=[rules[0] | {"channel": "Meta"}], by=None)
    assert sweep_and_work() == 1
    assert shown(imported)["Meta"] == (60, 4)
    change_grouping(workspace=imported, grouping="granular", by=None)
    assert sweep_and_work() == 1
    assert shown(imported)["google / cpc / (not set)"] == (40, 0)


def test_a_cube_brings_no_other_about(imported: Workspace) -> None:
    assert sweep_and_work() == 0, "the channel that it created for the grouping is no change of the data"
    assert cube_runs().count() == 1


def test_a_renamed_channel_has_its_new_name_in_new_results_and_its_old_one_in_old(
    imported: Workspace, attribute: Attribute
) -> None:
    old = attribute(model="last")
    facebook = Channel.objects.get(name="Facebook")
    rename_channel(channel=facebook, name="Social ads", by=None)
    assert sweep_and_work() == 1
    assert shown(imported)["Social ads"] == (10, 3)
    new = attribute(model="last")
    assert new.pk != old.pk, "the same question is answered anew"
    assert credited(new)["Social ads"] == credited(old)["Facebook"] == 10
    old.refresh_from_db()
    assert inputs_changed(run=old)
    assert not inputs_changed(run=new)
    for run, name in ((old, "Facebook"), (new, "Social ads")):
        assert f"/dashboard/channels/{facebook.pk}/?" in links(run)[name]


def test_a_merged_channel_of_an_old_result_leads_to_the_one_that_it_counts_for(
    imported: Workspace, attribute: Attribute
) -> None:
    old, meta = attribute(model="last"), Channel.objects.get(name="Meta")
    merge_channels(source=Channel.objects.get(name="Facebook"), target=meta, by=None)
    new = attribute(model="last")
    assert (credited(old)["Facebook"], credited(old)["Meta"], credited(new)["Meta"]) == (10, 20, 30)
    assert "Facebook" not in credited(new)
    assert f"/dashboard/channels/{meta.pk}/?" in links(old)["Facebook"]


def credited(run: Run) -> dict[str, float]:
    assert run.result is not None, run.job.error
    return {group["channel"]: group["value"] for group in run.result["models"]["last"]["channels"]}


def links(run: Run) -> dict[str, str]:
    (table,) = document(run).sections[1].tables
    return {row.label: row.href for row in table.rows}
