"""The demo world as imports of a workspace, with the truth behind it kept in a file beside them."""

import datetime as dt
import json
import tempfile
from pathlib import Path

import pandas as pd
from django.conf import settings

from accounts.models import User, Workspace
from marketing.demo import DemoWorld, build_world
from marketing.importing.actions import request_import
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, Dataset, Import

DATASETS = (
    Dataset.TOUCHPOINTS,
    Dataset.CONVERSIONS,
    Dataset.SPEND,
    Dataset.OUTCOMES,
    Dataset.CONTROLS,
    Dataset.EXPERIMENTS,
)
DAYS = ("date", "start", "end")


class DemoAlreadyLoaded(Exception):
    """The workspace holds demo data; the message says so."""


def request_demo(*, workspace: Workspace, end: dt.date, seed: int, by: User | None, ring: bool = True) -> list[Import]:
    """Queue the imports of the demo world whose last day is `end`; return those that are still to be carried out.

    A demo that was interrupted is completed, as the world that it began with. Raises DemoAlreadyLoaded.
    """
    if is_loaded(workspace):
        raise DemoAlreadyLoaded(f"The workspace “{workspace.name}” already holds demo data.")
    standing = _standing(workspace)
    if standing:
        begun = json.loads(truth_path(workspace).read_text())
        end, seed = dt.date.fromisoformat(begun["end"]), begun["seed"]
    missing = [dataset for dataset in DATASETS if dataset not in standing]
    if missing:
        standing |= _request(workspace, build_world(end, seed=seed), missing, by=by, ring=ring)
    return [standing[dataset] for dataset in DATASETS if standing[dataset].status != Import.Status.ACTIVE]


def is_loaded(workspace: Workspace) -> bool:
    """Whether the workspace holds all of a demo world."""
    standing = _standing(workspace)
    return all(dataset in standing and standing[dataset].status == Import.Status.ACTIVE for dataset in DATASETS)


def _standing(workspace: Workspace) -> dict[str, Import]:
    """The demo imports that are active or may become so, by dataset."""
    demo = Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO).select_related("job", "workspace")
    return {batch.dataset: batch for batch in demo.exclude(status__in=[Import.Status.FAILED, Import.Status.UNDONE])}


def _request(
    workspace: Workspace, world: DemoWorld, datasets: list[Dataset], *, by: User | None, ring: bool
) -> dict[str, Import]:
    _create_channels(workspace, world)
    _keep_truth(workspace, world)
    with tempfile.TemporaryDirectory() as folder:
        return {
            dataset: request_import(
                workspace=workspace,
                dataset=dataset,
                file=_write(getattr(world, dataset), Path(folder) / f"demo-{dataset}.parquet"),
                mapping={},
                by=by,
                origin=Import.Origin.DEMO,
                ring=ring,
            )
            for dataset in datasets
        }


def truth_path(workspace: Workspace) -> Path:
    """Return where the known truth of the workspace's demo world is kept (JSON)."""
    return Path(settings.MEDIA_ROOT) / "demo" / str(workspace.pk) / "truth.json"


def _create_channels(workspace: Workspace, world: DemoWorld) -> None:
    known = {name.lower() for name in Channel.objects.filter(workspace=workspace).values_list("name", flat=True)}
    for name, kind in world.channels[["channel", "type"]].itertuples(index=False):
        if name.lower() not in known:
            create_channel(workspace=workspace, name=name, type=Channel.Type(kind))


def _keep_truth(workspace: Workspace, world: DemoWorld) -> None:
    path = truth_path(workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(world.truth, indent=1))


def _write(table: pd.DataFrame, path: Path) -> Path:
    days = {name: table[name].dt.strftime("%Y-%m-%d") for name in DAYS if name in table}
    table.assign(**days).to_parquet(path, index=False)
    return path
