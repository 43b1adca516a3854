"""What Celery carries: doorbells. Each task makes one call that is safe to deliver any number of times."""

from celery import shared_task

from jobs import actions, execution


@shared_task(name=actions.EXECUTE_TASK, ignore_result=True)
def execute_job(job_id: int) -> None:
    """Carry out a job, if it still waits for it."""
    execution.execute(job_id=job_id)


@shared_task(name="jobs.tasks.sweep_jobs", ignore_result=True)
def sweep_jobs() -> None:
    """Recover what crashes left behind; beat asks for it every few seconds."""
    actions.sweep()
