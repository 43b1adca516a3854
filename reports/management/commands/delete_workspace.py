"""`manage.py delete_workspace --workspace S`: delete a workspace in the foreground, or what an earlier attempt left."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import DataCommand
from accounts.models import Workspace
from jobs.foreground import Interrupted, see_through
from jobs.models import Job
from reports.workspace_deletion import being_deleted, request_deletion


class Command(DataCommand):
    """Delete a workspace on the command line."""

    help = "Delete a workspace with all that it holds; one whose deletion has failed, by the slug that it had."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--yes", action="store_true", help="do not ask whether it is meant")

    def handle(self, *, workspace: str, yes: bool, **_options: Any) -> None:
        found = being_deleted(workspace) or Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        if not yes and input(f"Delete {found.name} with all that it holds? Type {workspace}: ").strip() != workspace:
            raise CommandError("Nothing was deleted.")
        job = request_deletion(workspace=found, by=None, ring=False)
        try:
            see_through(job, ours=False, title="Deleting")
        except Interrupted:
            raise CommandError("Stopped. The workspace is closed; start this again to delete the rest.") from None
        except Job.DoesNotExist:
            pass  # it went with the workspace
        else:
            raise CommandError(job.error or "The deletion was cancelled.")
        self.stdout.write(f"Deleted {found.name}.")
