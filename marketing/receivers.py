"""What marketing does when the apps below it say that something happened."""

import shutil
from collections.abc import Collection
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from accounts.models import Workspace
from accounts.signals import workspace_created
from marketing.importing.days import follow_time_zone
from marketing.models import Goal, Import

# Below each, a folder for every workspace, named by its id.
FOLDERS_OF_WORKSPACES = ("imports", "demo", "snapshots")


def connect() -> None:
    """Listen to the signals of the apps below."""
    workspace_created.connect(create_default_goals, dispatch_uid="marketing.default_goals")
    post_save.connect(move_days_of_imports, sender=Workspace, dispatch_uid="marketing.days_of_imports")
    post_delete.connect(remove_files_of_workspace, sender=Workspace, dispatch_uid="marketing.files_of_workspace")


def create_default_goals(*, workspace: Workspace, **_: object) -> None:
    """Give a new workspace the two goals that nearly everybody has."""
    Goal.objects.create(workspace=workspace, name="Purchase", kind=Goal.Kind.SALE, is_default=True)
    Goal.objects.create(workspace=workspace, name="Lead", kind=Goal.Kind.LEAD)


def move_days_of_imports(
    *, instance: Workspace, created: bool, update_fields: Collection[str] | None, **_: object
) -> None:
    """Have the first and last days of imports follow the workspace's time zone, whoever changes it."""
    if not created and (update_fields is None or "timezone" in update_fields):
        follow_time_zone(Import.objects.filter(workspace=instance), zone=instance.zone)


def remove_files_of_workspace(*, instance: Workspace, **_: object) -> None:
    """Remove what a deleted workspace kept in files, once its rows are gone for good."""
    workspace_id = instance.pk

    def remove() -> None:
        for folder in FOLDERS_OF_WORKSPACES:
            shutil.rmtree(Path(settings.MEDIA_ROOT) / folder / str(workspace_id), ignore_errors=True)

    transaction.on_commit(remove, robust=True)
