"""The models that are being fitted: as many at once as the workspace's plan says (`jobs.turns`)."""

from accounts.models import Workspace
from analyses.models import Run
from jobs.models import Job


def fits_now(workspace: Workspace) -> int:
    """Return how many models are being fitted, without those that wait for others to be done."""
    return Run.objects.filter(workspace=workspace, kind="weightings", job__status=Job.Status.RUNNING).count()
