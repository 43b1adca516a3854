"""What is said to whoever answers for a schedule, by mail."""

from zoneinfo import ZoneInfo

from django.urls import reverse

from reports.deliveries.clock_times import instant_in_words
from reports.deliveries.links import site_url
from reports.deliveries.outbox import notify, whom_to_tell
from reports.models import Occurrence, Schedule


def say_that_it_is_paused(schedule: Schedule, because: str) -> None:
    """Tell who answers for it that the product has paused a schedule."""
    body = (
        f"“{schedule.name}” goes out no more for now. {because}\n\n"
        f"Its page shows how it is set up. Whoever may change it can resume it there: {_address(schedule)}"
    )
    for user in whom_to_tell(schedule.workspace, schedule.created_by):
        notify(workspace=schedule.workspace, user=user, subject=f"“{schedule.name}” is paused", body=body)


def say_what_failed(occurrence: Occurrence, sentence: str) -> None:
    """Note why nothing was sent at a due time, and tell who answers for the schedule; once for each time."""
    if not Occurrence.objects.filter(pk=occurrence.pk, problem="").update(problem=sentence):
        return
    schedule = occurrence.schedule
    due = instant_in_words(occurrence.due_at, ZoneInfo(schedule.zone))
    body = (
        f"“{schedule.name}”, due on {due}, was not sent. {sentence}\n\n"
        f"It goes out again at its next time. It can be sent at once from its page: {_address(schedule)}"
    )
    for user in whom_to_tell(schedule.workspace, schedule.created_by):
        notify(
            workspace=schedule.workspace,
            user=user,
            subject=f"“{schedule.name}” was not sent",
            body=body,
            occurrence=occurrence,
        )


def _address(schedule: Schedule) -> str:
    kwargs = {"slug": schedule.workspace.slug, "schedule_id": schedule.pk}
    return site_url(reverse("reports:schedule", kwargs=kwargs))
