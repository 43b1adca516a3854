"""What the scheduler has done to requests that the API remembers."""

from celery import shared_task

from api import idempotency


@shared_task(name="api.tasks.remove_old_requests", ignore_result=True)
def remove_old_requests() -> None:
    """Remove answers that are not kept any longer, some thousand at a time."""
    while idempotency.remove_old():
        pass
