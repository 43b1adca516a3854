"""What the scheduler has done to data."""

from celery import shared_task


@shared_task(name="marketing.tasks.remove_expired_files", ignore_result=True)
def remove_expired_files() -> None:
    """Remove uploaded files that have been kept for as long as their workspaces wish."""
    from marketing.importing import retention

    retention.remove_expired_files()
