"""A demo world, with or without planted faults, brought into a workspace through the ordinary import."""

from collections.abc import Sequence
from pathlib import Path

from accounts.models import Workspace
from jobs.execution import execute
from marketing.demo import DemoWorld
from marketing.importing.actions import request_import
from marketing.importing.demo import DATASETS
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, Dataset, Import
from tests.marketing.health.worlds import ZONE


def load_world(workspace: Workspace, world: DemoWorld, directory: Path) -> None:
    """Import every table of the world, from files in `directory`."""
    Workspace.objects.filter(pk=workspace.pk).update(timezone=str(ZONE))
    workspace.refresh_from_db()
    for name, type_ in world.channels.itertuples(index=False):
        create_channel(workspace=workspace, name=name, type=Channel.Type(type_))
    for dataset in DATASETS:
        file = directory / f"{dataset}.parquet"
        table = getattr(world, dataset)
        for column in ("date", "start", "end"):
            if column in table:
                table = table.assign(**{column: table[column].dt.date})
        table.to_parquet(file, index=False)
        batch = request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=None, origin=Import.Origin.CLI, ring=False
        )
        execute(job_id=batch.job_id)
        batch.refresh_from_db()
        assert batch.status == Import.Status.ACTIVE, (dataset, batch.job.error)


def import_lines(workspace: Workspace, dataset: Dataset, lines: Sequence[str], directory: Path) -> None:
    """Import a file of these lines."""
    file = directory / "rows.csv"
    file.write_text("\n".join(lines))
    batch = request_import(
        workspace=workspace, dataset=dataset, file=file, mapping={}, by=None, origin=Import.Origin.CLI, ring=False
    )
    execute(job_id=batch.job_id)
    batch.refresh_from_db()
    assert batch.status == Import.Status.ACTIVE, batch.job.error
