"""What Celery carries: doorbells, which may ring any number of times."""

from celery import shared_task

from webhooks import courier, outbox


@shared_task(name=outbox.SEND_TASK, ignore_result=True)
def send() -> None:
    """Send the messages that are due."""
    courier.send_due()
