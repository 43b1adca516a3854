"""Results that have become old: of kinds that say for how long theirs are to be acted upon."""

import datetime as dt

from django.utils import timezone

from analyses import registry
from analyses.models import Run


def is_stale(run: Run) -> bool:
    """Whether the run was asked longer ago than its kind's results hold; those of most kinds hold for ever."""
    return is_older(run.kind, run.created_at)


def is_older(kind: str, created_at: dt.datetime) -> bool:
    """The same of a run that is known by its kind and time only."""
    holds = registry.get(kind).stale_after
    return holds is not None and timezone.now() - created_at > holds


def stale_sentence(run: Run) -> str:
    """Return what is to be said with a stale run's numbers, the same on every day; "" for one that is not."""
    holds = registry.get(run.kind).stale_after
    if holds is None or not is_stale(run):
        return ""
    made = f"{run.created_at.astimezone(run.workspace.zone):%-d %b %Y}"
    return f"This is of {made}, more than {holds.days} days ago: markets move on, so refresh it before you act on it."
