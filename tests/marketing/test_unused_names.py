"""Imports that fail, are cancelled or are undone leave no name behind that only they said."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Workspace
from jobs.actions import request_cancel, sweep
from jobs.execution import execute
from jobs.models import Job
from marketing import channels, goals
from marketing.data_versions import data_version
from marketing.importing import actions, removal, unused_names
from marketing.importing.undo import undo_imports
from marketing.models import Channel, Dataset, Goal, Import, Outcome, SavedSegment, TrafficSource
from mmm_project.problems import QuotaExceeded
from tests.factories import WorkspaceFactory

Importer = Callable[..., Import]
TOUCHES = "customer,occurred_at,channel,campaign,segment\n"
EACH_KIND = {
    "touchpoints": TOUCHES + "ann,2026-01-01T10:00Z,TV,Spring,Loyal\n",
    "conversions": "customer,occurred_at,goal\nann,2026-01-02T10:00Z,Sign-up\n",
    "spend": "date,channel,campaign,spend\n2026-01-01,Radio,Summer,5\n",
    "experiments": "channel,start,end,lift,standard_error,spend\nCinema,2026-01-01,2026-01-07,5,1,2\n",
    "paths": "path,conversions\nPodcast > Cinema,5\n",
    "media_table": "date,spend:Print,outcome:Sales,control:Price\n2026-01-01,2,3,4\n",
}


class Killed(BaseException):
    """The process is gone."""


def take_back(*imports: Import) -> None:
    undo_imports(workspace=imports[0].workspace, imports=imports, by=None)


def sweep_all() -> None:
    while removal.imports_to_clear().exists():
        sweep()


def names(workspace: Workspace) -> dict[str, list[str]]:
    """Every name of the workspace, by its kind."""
    return {
        kind._meta.model_name or "": sorted(map(str, kind._default_manager.filter(workspace=workspace)))
        for kind in unused_names.KINDS
        if kind is not Goal
    } | {"goal": sorted(Goal.objects.filter(workspace=workspace).values_list("name", flat=True))}


def channel_names(workspace: Workspace) -> list[str]:
    return sorted(workspace.channels.values_list("name", flat=True))


@pytest.fixture
def bare(shop: Workspace) -> dict[str, list[str]]:
    """The names of a workspace without data: its goals."""
    before = names(shop)
    assert before["goal"] == ["Lead", "Purchase"]
    return before


@pytest.mark.parametrize("dataset", EACH_KIND)
def test_names_go_with_the_import_that_brought_them(
    shop: Workspace, bare: dict[str, list[str]], import_rows: Importer, dataset: str
) -> None:
    batch = import_rows(dataset, EACH_KIND[dataset])
    assert batch.status == "active"
    assert names(shop) != bare
    take_back(batch)
    assert names(shop) != bare
    sweep_all()
    assert names(shop) == bare
    batch.refresh_from_db()
    assert batch.created_names == {}


def test_a_file_that_fails_midway_leaves_no_names(
    shop: Workspace, bare: dict[str, list[str]], import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise QuotaExceeded("Too many rows.")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("accounts.plans.require_rows", refuse)
        batch = import_rows("spend", EACH_KIND["spend"])
    assert batch.status == "failed"
    assert channel_names(shop) == ["Radio"]  # the chunk was written
    sweep_all()
    assert names(shop) == bare


def test_the_next_import_clears_the_names_of_one_that_failed_before_it_looks_any_up(
    shop: Workspace, import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "keep_measures_unsaid", fail)
        failed = import_rows("spend", "date,channel,spend\n2026-01-01,Radio,5\n2026-01-01,Rdio,5\n")
    first = set(shop.channels.values_list("pk", flat=True))
    import_rows("spend", "date,channel,spend\n2026-01-01,Radio,5\n")
    failed.refresh_from_db()
    assert failed.rows_removed_at is not None
    assert channel_names(shop) == ["Radio"]
    assert not first & set(shop.channels.values_list("pk", flat=True))
    assert list(shop.channels.values_list("colour_slot", flat=True)) == [0]


def test_an_attempt_that_was_killed_leaves_its_names_to_the_next_one_and_they_go_with_that(
    shop: Workspace,
    bare: dict[str, list[str]],
    queue_import: Importer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = queue_import("touchpoints", EACH_KIND["touchpoints"])

    def die(*_arguments: object, **_named: object) -> None:
        raise Killed

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "shadow_repeated_touches", die)
        with pytest.raises(Killed):
            execute(job_id=batch.job_id)
    batch.refresh_from_db()
    assert (batch.status, batch.created_names.keys()) == (
        "loading",
        {"trafficsource", "channel", "campaign", "segment"},
    )
    Job.objects.filter(pk=batch.job_id).update(lease_until=batch.created_at)
    sweep()  # gives the job back
    execute(job_id=batch.job_id)
    batch.refresh_from_db()
    assert batch.status == "active"
    take_back(batch)
    sweep_all()
    assert names(shop) == bare


def test_a_kill_while_names_are_removed_is_made_up_for(
    shop: Workspace, bare: dict[str, list[str]], import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_back(batch := import_rows("media_table", EACH_KIND["media_table"]))

    def keep_some(*arguments: Any) -> set[int]:
        if arguments[0] is Outcome:
            raise Killed
        return keep(*arguments)

    keep = unused_names._keep_used
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(unused_names, "_keep_used", keep_some)
        with pytest.raises(Killed):
            list(removal.remove_rows(batch))
    assert channel_names(shop) == ["Print"]
    sweep_all()
    assert names(shop) == bare


def test_a_cancelled_import_leaves_no_names(
    shop: Workspace, bare: dict[str, list[str]], queue_import: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = queue_import("touchpoints", EACH_KIND["touchpoints"])

    def cancel(*_arguments: object, **_named: object) -> int:
        assert request_cancel(job=batch.job, by=None)
        return 0

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(actions, "admit_new_conversions", cancel)
        execute(job_id=batch.job_id)
    batch.refresh_from_db()
    assert (batch.status, Job.objects.get(pk=batch.job_id).status) == ("failed", "cancelled")
    sweep_all()
    assert names(shop) == bare


@pytest.mark.parametrize("dataset", EACH_KIND)
def test_a_name_that_two_imports_say_goes_with_the_last_of_them(
    shop: Workspace, bare: dict[str, list[str]], import_rows: Importer, dataset: str
) -> None:
    first = import_rows(dataset, EACH_KIND[dataset])
    second = import_rows(dataset, EACH_KIND[dataset].replace("2026-01-0", "2026-02-0"))
    full = names(shop)
    take_back(first)
    sweep_all()
    assert names(shop) == full
    take_back(second)
    sweep_all()
    assert names(shop) == bare


def test_names_wait_for_the_rows_of_every_import_that_was_undone(shop: Workspace, import_rows: Importer) -> None:
    first = import_rows("spend", EACH_KIND["spend"])
    second = import_rows("spend", EACH_KIND["spend"].replace("2026-01-0", "2026-02-0"))
    take_back(first, second)
    list(removal.remove_rows(first))
    assert channel_names(shop) == ["Radio"]
    list(removal.remove_rows(second))
    assert channel_names(shop) == []


def test_a_channel_that_another_dataset_says_stays(shop: Workspace, import_rows: Importer) -> None:
    spend = import_rows("spend", "date,channel,spend\n2026-01-01,TV,5\n2026-01-01,Radio,5\n")
    import_rows("touchpoints", "customer,occurred_at,channel\nann,2026-01-01T10:00Z,tv\n")
    take_back(spend)
    sweep_all()
    assert channel_names(shop) == ["TV"]


def test_while_an_import_is_loading_the_names_stay(
    shop: Workspace, import_rows: Importer, queue_import: Importer
) -> None:
    batch = import_rows("spend", EACH_KIND["spend"])
    take_back(batch)
    loading = queue_import("spend", EACH_KIND["spend"])
    Import.objects.filter(pk=loading.pk).update(status=Import.Status.LOADING)
    list(removal.remove_rows(batch))
    batch.refresh_from_db()
    assert (batch.status, batch.rows_removed_at) == ("undone", None)
    assert channel_names(shop) == ["Radio"]
    Import.objects.filter(pk=loading.pk).update(status=Import.Status.PENDING)
    sweep_all()
    assert channel_names(shop) == []


def test_names_that_somebody_decided_something_about_stay(shop: Workspace, import_rows: Importer) -> None:
    said = ["Renamed", "Retyped", "Merged", "Target", "Swapped", "Other", "Segmented", "Ruled", "Untouched"]
    rows = "".join(f"2026-01-01,{name},5\n" for name in said)
    batch = import_rows("spend", "date,channel,spend\n" + rows)
    table = import_rows("media_table", "date,outcome:Sales,outcome:Visits\n2026-01-01,3,4\n")
    bought = import_rows("conversions", "customer,occurred_at,goal\nann,2026-01-02,Sign-up\nann,2026-01-02,Trial\n")
    by_name = {channel.name: channel for channel in Channel.objects.filter(workspace=shop)}
    channels.rename_channel(channel=by_name["Renamed"], name="New", by=None)
    channels.set_channel_type(channel=by_name["Retyped"], type=Channel.Type.OWNED, by=None)
    channels.merge_channels(source=by_name["Merged"], target=by_name["Target"], by=None)
    channels.swap_colours(channel=by_name["Swapped"], other=by_name["Other"], by=None)
    SavedSegment.objects.create(
        workspace=shop, name="Some", definition={"conditions": [{"type": "channels", "any_of": ["segmented"]}]}
    )
    rule = {"channel": "Ruled", "conditions": [{"field": "source", "operator": "is", "value": "x"}]}
    channels.change_grouping(workspace=shop, grouping="standard", rules=[rule], by=None)
    sales = Outcome.objects.get(workspace=shop, name="Sales")
    goals.change_outcome(outcome=sales, name="Sales", kind=Outcome.Kind.SALES, is_money=True, by=None)
    goals.make_default(goal=Goal.objects.get(workspace=shop, name="Trial"), by=None)
    take_back(batch, table, bought)
    sweep_all()
    kept = {"New", "Retyped", "Merged", "Target", "Swapped", "Other", "Segmented", "Ruled"}
    assert set(channel_names(shop)) == kept
    assert names(shop)["outcome"] == ["Sales"]
    assert names(shop)["goal"] == ["Lead", "Purchase", "Trial"]


def test_a_channel_that_traffic_is_grouped_into_stays(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", "customer,occurred_at,source,medium\nann,2026-01-01T10:00Z,news,email\n")
    batch = import_rows("spend", "date,channel,spend\n2026-01-01,Email,5\n2026-01-01,Display,5\n")
    take_back(batch)
    sweep_all()
    assert channel_names(shop) == ["Email"]


def test_names_that_were_there_before_stay(shop: Workspace, import_rows: Importer) -> None:
    Channel.objects.create(workspace=shop, name="Radio", colour_slot=4)
    TrafficSource.objects.create(workspace=shop, source="partner")
    batch = import_rows("spend", "date,channel,spend\n2026-01-01,Radio,5\n2026-01-01,TV,5\n")
    take_back(batch)
    sweep_all()
    assert channel_names(shop) == ["Radio"]
    assert shop.traffic_sources.count() == 1


def test_where_later_imports_hold_too_many_rows_to_look_through_their_names_stay(
    shop: Workspace, import_rows: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = import_rows("touchpoints", EACH_KIND["touchpoints"])
    other = import_rows("touchpoints", TOUCHES + "bob,2026-01-01T10:00Z,Print,,\ncem,2026-01-01T10:00Z,Print,,\n")
    monkeypatch.setattr(unused_names, "MOST_ROWS_READ", 1)
    take_back(first)
    sweep_all()
    assert channel_names(shop) == ["Print", "TV"]
    take_back(other)
    sweep_all()
    assert channel_names(shop) == []


def test_an_undo_restores_the_version_of_before_with_the_names_gone(shop: Workspace, import_rows: Importer) -> None:
    import_rows("touchpoints", TOUCHES + "ann,2026-01-01T10:00Z,TV,Spring,Loyal\n")
    before = data_version(workspace=shop, datasets=list(Dataset)), names(shop)
    wide = import_rows("media_table", EACH_KIND["media_table"])
    touches = import_rows("touchpoints", TOUCHES + "bob,2026-01-01T10:00Z,Print,Autumn,New\n")
    assert data_version(workspace=shop, datasets=list(Dataset)) != before[0]
    take_back(wide, touches)
    sweep_all()
    assert (data_version(workspace=shop, datasets=list(Dataset)), names(shop)) == before


def test_other_workspaces_keep_their_names(shop: Workspace, import_rows: Importer) -> None:
    other = Channel.objects.create(workspace=WorkspaceFactory.create(), name="Radio", colour_slot=0)
    take_back(import_rows("spend", EACH_KIND["spend"]))
    sweep_all()
    assert list(Channel.objects.all()) == [other]


def test_the_ids_of_many_names_are_kept_as_spans(shop: Workspace, import_rows: Importer) -> None:
    rows = "".join(f"ann,2026-01-01T10:{n % 60:02}Z,TV,Campaign {n},\n" for n in range(300))
    batch = import_rows("touchpoints", TOUCHES + rows)
    (span,) = batch.created_names["campaign"]
    assert span[1] - span[0] == 299
    assert len(batch.created_names["trafficsource"]) == 1


def test_rows_of_an_import_that_is_gone_meanwhile_are_no_fault(shop: Workspace, import_rows: Importer) -> None:
    batch = import_rows("spend", EACH_KIND["spend"])
    take_back(batch)
    removal_of_rows = removal.remove_rows(batch)
    assert next(removal_of_rows) == 1
    Import.objects.filter(pk=batch.pk).delete()
    assert list(removal_of_rows) == []
    assert channel_names(shop) == ["Radio"]
