"""How many rows a workspace holds: what its plan limits."""

from django.db.models import Sum

from accounts.models import Workspace
from marketing.models import Import


def rows_stored(workspace: Workspace) -> int:
    """Return the rows of all imports that count, by what each import says of itself: no row is looked at."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
    return int(active.aggregate(rows=Sum("accepted"))["rows"] or 0)
