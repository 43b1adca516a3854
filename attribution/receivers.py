"""What attribution does when its own rows say that something happened."""

from django.db import transaction
from django.db.models.signals import post_save

from attribution.cube.keeping import keep_cube_current
from attribution.models import CustomModelVersion


def connect() -> None:
    """Listen to them."""
    post_save.connect(ask_for_cube, sender=CustomModelVersion, dispatch_uid="attribution.cube_of_custom_models")


def ask_for_cube(*, instance: CustomModelVersion, **_: object) -> None:
    """Have a saved version in the daily cube soon, as whoever saved it goes on to look; the sweep would be later."""
    workspace = instance.model.workspace
    transaction.on_commit(lambda: keep_cube_current(workspace=workspace), robust=True)
