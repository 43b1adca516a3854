"""What marketing does when the apps below it say that something happened."""

from accounts.models import Workspace
from accounts.signals import workspace_created
from marketing.models import Goal


def connect() -> None:
    """Listen to the signals of the apps below."""
    workspace_created.connect(create_default_goals, dispatch_uid="marketing.default_goals")


def create_default_goals(*, workspace: Workspace, **_: object) -> None:
    """Give a new workspace the two goals that nearly everybody has."""
    Goal.objects.create(workspace=workspace, name="Purchase", kind=Goal.Kind.SALE, is_default=True)
    Goal.objects.create(workspace=workspace, name="Lead", kind=Goal.Kind.LEAD)
