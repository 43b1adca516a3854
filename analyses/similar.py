"""Runs that ask the same, of whatever period and data."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.models import Workspace
from analyses import registry
from analyses.models import Run

PERIOD = ("start", "end")


def asking_the_same(*, workspace: Workspace, kind: str, params: Mapping[str, Any]) -> QuerySet[Run]:
    """Return the runs whose canonical params are these, but for the period, newest first."""
    same = {f"params__{name}": value for name, value in params.items() if name not in PERIOD}
    left_out = [name for name in registry.get(kind).optional if name not in params]
    same |= {f"params__{name}__isnull": True for name in left_out}
    return Run.objects.filter(workspace=workspace, kind=kind, **same).order_by("-created_at")
