"""What Celery carries: doorbells. Each task makes one call that is safe to deliver any number of times."""

from celery import shared_task

from jobs import actions, execution, worker_memory
from jobs.models import Job


@shared_task(name=actions.EXECUTE_TASK, ignore_result=True)
def execute_job(job_id: int) -> None:
    """Carry out the job whose turn it is in the queue of the one that was rung for."""
    queue = Job.objects.filter(pk=job_id).values_list("queue", flat=True).first()
    if queue is not None:
        execution.execute_next(queue=queue)
        # A worker of fits holds little, and would take nothing more until the last of them has ended.
        if queue != Job.Queue.FITS:
            worker_memory.end_if_too_large()


@shared_task(name="jobs.tasks.sweep_jobs", ignore_result=True)
def sweep_jobs() -> None:
    """Recover what crashes left behind; beat asks for it every few seconds."""
    actions.sweep()
