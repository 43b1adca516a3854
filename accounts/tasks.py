"""What the scheduler has done to accounts."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="accounts.tasks.clear_expired_sessions", ignore_result=True)
def clear_expired_sessions() -> None:
    """Delete the sessions that have ended; nothing else does."""
    call_command("clearsessions")
