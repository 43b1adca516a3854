"""What waits, runs and failed: the jobs in the database."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min

from jobs.child_slots import slots_in_use
from jobs.models import Job
from mmm_project.admin_links import list_of
from operations.status.lines import Line, State, lasting

LONG_WAIT = timedelta(minutes=15)
VERY_LONG_WAIT = timedelta(hours=6)
GRACE = timedelta(seconds=60)  # for the sweep to see an expired lease
FAILED_SINCE = timedelta(hours=24)
# Failures that are nobody's question: something is wrong with the service.
OURS = frozenset(
    {"internal_error", "worker_lost", "database_lost", "storage_full", "out_of_memory", "fit_killed", "unknown_kind"}
)
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)


def queue(now: datetime) -> list[Line]:
    """How much waits and runs, by kind, and since when: one look at an index."""
    live = Job.objects.filter(status__in=LIVE).order_by()
    by_kind = live.values("kind", "status").annotate(jobs=Count("pk"), first=Min("created_at"), begun=Min("started_at"))
    counts: dict[str, dict[str, int]] = {status: defaultdict(int) for status in LIVE}
    oldest: dict[str, list[datetime]] = {status: [] for status in LIVE}
    for row in by_kind:
        counts[row["status"]][row["kind"]] += row["jobs"]
        oldest[row["status"]].append(
            row["first"] if row["status"] == Job.Status.QUEUED else row["begun"] or row["first"]
        )
    return [
        _waiting(now, counts[Job.Status.QUEUED], min(oldest[Job.Status.QUEUED], default=None)),
        _running(now, counts[Job.Status.RUNNING], min(oldest[Job.Status.RUNNING], default=None)),
    ]


def _waiting(now: datetime, counts: dict[str, int], first: datetime | None) -> Line:
    href = list_of("jobs.job", status__exact=Job.Status.QUEUED.value)
    if first is None:
        return Line(name="Waiting", state=State.OK, sentence="Nothing waits.", href=href)
    sentence = f"{_total(counts)} The oldest was asked for {lasting(now - first)} ago."
    if now - first < LONG_WAIT:
        return Line(name="Waiting", state=State.OK, sentence=sentence, href=href)
    return Line(
        name="Waiting",
        state=State.PROBLEM if now - first >= VERY_LONG_WAIT else State.WARNING,
        sentence=sentence,
        advice="Models wait for a slot of their machine and of their plan; anything else should not wait so long. If "
        "workers live, start more of them, or raise JOB_CHILD_SLOTS where there is memory.",
        href=href,
    )


def _running(now: datetime, counts: dict[str, int], first: datetime | None) -> Line:
    href = list_of("jobs.job", status__exact=Job.Status.RUNNING.value)
    if first is None:
        return Line(name="Running", state=State.OK, sentence="Nothing runs.", href=href)
    sentence = f"{_total(counts)} The oldest began {lasting(now - first)} ago."
    if now - first < timedelta(seconds=2 * settings.JOB_CHILD_SECONDS):
        return Line(name="Running", state=State.OK, sentence=sentence, href=href)
    return Line(
        name="Running",
        state=State.WARNING,
        sentence=sentence,
        advice="That is twice as long as a computation may take. Look at its progress; cancel it if it stands still.",
        href=href,
    )


def _total(counts: dict[str, int]) -> str:
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(counts.items()))
    return f"{sum(counts.values()):,}: {kinds}."


def expired_leases(now: datetime) -> Line:
    running = Job.objects.filter(status=Job.Status.RUNNING)
    expired = running.filter(lease_until__lt=now - GRACE).count()
    if not expired:
        return Line(name="Leases", state=State.OK, sentence="No worker has left a job behind.")
    are = "1 job of a worker that fell silent is" if expired == 1 else f"{expired:,} jobs of silent workers are"
    return Line(
        name="Leases",
        state=State.PROBLEM,
        sentence=f"{are} not taken up again.",
        advice="The sweep does that every few seconds: see that scheduler and workers live, and sweep-jobs is on.",
        href=list_of("jobs.job", status__exact=Job.Status.RUNNING.value),
    )


def failures(now: datetime) -> Line:
    failed = Job.objects.filter(status=Job.Status.FAILED, finished_at__gt=now - FAILED_SINCE).order_by()
    counts = dict(failed.values_list("error_code").annotate(jobs=Count("pk")))
    href = list_of("jobs.job", status__exact=Job.Status.FAILED.value)
    if not counts:
        return Line(name="Failed within 24 h", state=State.OK, sentence="None.", href=href)
    codes = ", ".join(f"{code or 'without a code'} {number:,}" for code, number in sorted(counts.items()))
    sentence = f"{sum(counts.values()):,}: {codes}."
    ours = sorted(OURS & counts.keys())
    if not ours:
        return Line(name="Failed within 24 h", state=State.OK, sentence=sentence, href=href)
    return Line(
        name="Failed within 24 h",
        state=State.WARNING,
        sentence=sentence,
        advice=f"{', '.join(ours)}: not what people asked is at fault, but the service. The log of the workers says "
        "more; ask for the runs again when it is mended.",
        href=list_of("jobs.job", error_code=ours[0]),
    )


def slots() -> Line:
    """Of this machine; of other machines with workers, nothing is known here."""
    in_use = slots_in_use()
    sentence = f"{in_use} of {settings.JOB_CHILD_SLOTS} for long computations are in use on this machine."
    return Line(name="Slots", state=State.OK, sentence=sentence)
