"""Seeing a job through on the command line: carried out here, with progress on stderr, or waited for."""

import sys
import time
from collections.abc import Callable

from django.conf import settings
from tqdm import tqdm

from jobs import actions
from jobs.execution import execute
from jobs.models import Job

SECONDS_BETWEEN_LOOKS = 0.5
WAITING = "Waiting for another process to finish. If it has died, its work is taken over within {seconds} seconds."


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


def see_through(job: Job, *, ours: bool, title: str = "", before_looking: Callable[[], None] = lambda: None) -> None:
    """Execute the job, or wait for the worker that has claimed it, until it has ended; `job` is then up to date.

    Where it has to be waited for, `before_looking` is called before each look. Raises Interrupted on Ctrl-C, having
    cancelled the job if it was `ours` or being executed here.
    """
    layout = "{l_bar}{bar}| {elapsed}"
    with tqdm(total=100, unit="%", bar_format=layout, file=sys.stderr, disable=None, leave=False) as bar:

        def show(phase: str, fraction: float) -> None:
            bar.set_description(f"{title} {phase}".strip(), refresh=False)
            bar.n = round(fraction * 100)
            bar.refresh()

        executing = waiting = False
        try:
            while not job.finished:
                executing = True
                execute(job_id=job.pk, on_progress=show)
                executing = False
                job.refresh_from_db()
                if not job.finished:
                    if not waiting:
                        bar.write(WAITING.format(seconds=settings.JOB_LEASE_SECONDS), file=sys.stderr)
                    waiting = True
                    show(job.phase or "Waiting", job.progress)
                    time.sleep(SECONDS_BETWEEN_LOOKS)
                    # There may be no scheduler here to notice that the worker we wait for has died.
                    actions.sweep()
                    before_looking()
        except KeyboardInterrupt:
            if ours or executing:
                actions.request_cancel(job=job, by=None)
            raise Interrupted from None
