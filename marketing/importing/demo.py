"""The demo world as imports of a workspace, with the truth behind it kept in a file beside them."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from accounts.models import User, Workspace
from jobs.actions import submit
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, Dataset, Import, Outcome

if TYPE_CHECKING:
    import pandas as pd

    from marketing.demo import DemoWorld

IMPORT_JOB = "marketing.import"
PLAN = "plan.json"
DEFAULT_SEED = 7
DATASETS = (
    Dataset.TOUCHPOINTS,
    Dataset.CONVERSIONS,
    Dataset.SPEND,
    Dataset.OUTCOMES,
    Dataset.CONTROLS,
    Dataset.EXPERIMENTS,
)
DAYS = ("date", "start", "end")
SALES = "Sales"  # marketing.demo.outcomes.SALES, which brings pandas


class DemoAlreadyLoaded(Exception):
    """The workspace holds demo data; the message says so."""


def request_demo(
    *, workspace: Workspace, end: dt.date, by: User | None, seed: int = DEFAULT_SEED, ring: bool = True
) -> list[Import]:
    """Queue the imports of the demo world whose last day is `end`; return those that are still to be carried out.

    The world is built, and its files are written, when the first of them is carried out: that takes some seconds. A
    demo that was interrupted is completed, as the world that it began with. Raises DemoAlreadyLoaded.
    """
    with transaction.atomic():
        # Whoever asks at the same moment waits here, and then finds these.
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        if is_loaded(workspace):
            raise DemoAlreadyLoaded(f"The workspace “{workspace.name}” already holds demo data.")
        standing = _standing(workspace)
        if not standing:
            _keep_plan(workspace, end=end, seed=seed)
        for dataset in DATASETS:
            if dataset not in standing:
                standing[dataset] = _queue(workspace, dataset, by=by, ring=ring)
    return [standing[dataset] for dataset in DATASETS if standing[dataset].status != Import.Status.ACTIVE]


def provide_file(batch: Import) -> None:
    """Write the files of the workspace's demo world, and create its channels, unless they are there already."""
    if (Path(settings.MEDIA_ROOT) / batch.stored_file).exists():
        return
    from marketing.demo import build_world  # pandas: only where the world is built
    from marketing.demo.world import TIME_ZONE

    plan = json.loads((_directory(batch.workspace) / PLAN).read_text())
    world = build_world(dt.date.fromisoformat(plan["end"]), seed=plan["seed"])
    _create_channels(batch.workspace, world)
    _create_sales(batch.workspace)
    truth_path(batch.workspace).write_text(json.dumps(world.truth, indent=1))
    is_at_home = batch.workspace.timezone == TIME_ZONE
    for dataset in DATASETS:
        table = getattr(world, dataset)
        if "occurred_at" in table and not is_at_home:
            # Its hours are kept as they are on the clock, and so are its days: the last one is over here, too.
            table = table.assign(occurred_at=table["occurred_at"].dt.tz_convert(TIME_ZONE).dt.tz_localize(None))
        _write(table, Path(settings.MEDIA_ROOT) / _file(batch.workspace, dataset))


def remove_files(workspace: Workspace) -> None:
    """Remove the files of the demo world."""
    shutil.rmtree(_directory(workspace), ignore_errors=True)


def is_loaded(workspace: Workspace) -> bool:
    """Whether the workspace holds all of a demo world."""
    standing = _standing(workspace)
    return all(dataset in standing and standing[dataset].status == Import.Status.ACTIVE for dataset in DATASETS)


def _standing(workspace: Workspace) -> dict[str, Import]:
    """The demo imports that are active or may become so, by dataset."""
    demo = Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO).select_related("job", "workspace")
    return {batch.dataset: batch for batch in demo.exclude(status__in=[Import.Status.FAILED, Import.Status.UNDONE])}


def _queue(workspace: Workspace, dataset: Dataset, *, by: User | None, ring: bool) -> Import:
    return Import.objects.create(
        workspace=workspace,
        job=submit(workspace=workspace, kind=IMPORT_JOB, ring=ring),
        dataset=dataset,
        origin=Import.Origin.DEMO,
        file_name=f"demo-{dataset}.parquet",
        stored_file=str(_file(workspace, dataset)),
        requested_by=by,
    )


def truth_path(workspace: Workspace) -> Path:
    """Return where the known truth of the workspace's demo world is kept (JSON)."""
    return _directory(workspace) / "truth.json"


def _directory(workspace: Workspace) -> Path:
    return Path(settings.MEDIA_ROOT) / "demo" / str(workspace.pk)


def _file(workspace: Workspace, dataset: Dataset) -> Path:
    return Path("demo") / str(workspace.pk) / f"{dataset}.parquet"


def _keep_plan(workspace: Workspace, *, end: dt.date, seed: int) -> None:
    """Note which world is to be built, in place of any that was here before."""
    remove_files(workspace)
    _directory(workspace).mkdir(parents=True, exist_ok=True)
    (_directory(workspace) / PLAN).write_text(json.dumps({"end": end.isoformat(), "seed": seed}))


def _create_channels(workspace: Workspace, world: "DemoWorld") -> None:
    known = {name.lower() for name in Channel.objects.filter(workspace=workspace).values_list("name", flat=True)}
    for name, kind in world.channels[["channel", "type"]].itertuples(index=False):
        if name.lower() not in known:
            create_channel(workspace=workspace, name=name, type=Channel.Type(kind))


def _create_sales(workspace: Workspace) -> None:
    """The demo's sales are money, which their name does not say (`dimensions.says_money`)."""
    if not Outcome.objects.filter(workspace=workspace, name__iexact=SALES).exists():
        Outcome.objects.create(workspace=workspace, name=SALES, kind=Outcome.Kind.SALES, is_money=True)


def _write(table: "pd.DataFrame", path: Path) -> None:
    """Write beside the place and rename: a file that is there is whole."""
    days = {name: table[name].dt.strftime("%Y-%m-%d") for name in DAYS if name in table}
    draft = path.with_suffix(".draft")
    table.assign(**days).to_parquet(draft, index=False)
    draft.rename(path)
