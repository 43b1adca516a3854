"""What is said to whoever answers for a schedule, by mail."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.urls import reverse

from accounts.models import User
from mmm_project import formats
from reports.deliveries.clock_times import instant_in_words
from reports.deliveries.links import site_url
from reports.deliveries.outbox import notify, whom_to_tell
from reports.models import Occurrence, Report, Schedule
from reports.schedules.announcing import announce_failure


def say_that_it_is_paused(schedule: Schedule, because: str) -> None:
    """Tell who answers for it that the product has paused a schedule."""
    body = (
        f"“{schedule.name}” goes out no more for now. {because}\n\n"
        f"Its page shows how it is set up. Whoever may change it can resume it there: {_address(schedule)}"
    )
    for user in whom_to_tell(schedule.workspace, schedule.created_by):
        notify(workspace=schedule.workspace, user=user, subject=f"“{schedule.name}” is paused", body=body)


def say_that_it_is_deleted(schedule: Schedule, by: User, with_report: Report | None) -> None:
    """Tell whoever set it up, if still a member, that somebody else has deleted a schedule."""
    along = f" with the report “{with_report.name}” that it sent" if with_report else ""
    body = (
        f"{by.email} has deleted “{schedule.name}”, which you set up{along}. It goes out no more. What it has made "
        "stays, and so does the list of mails that it sent."
    )
    for user in whom_to_tell(schedule.workspace, schedule.created_by):
        if user == schedule.created_by:
            notify(workspace=schedule.workspace, user=user, subject=f"“{schedule.name}” was deleted", body=body)


def say_what_failed(occurrence: Occurrence, sentence: str) -> None:
    """Note why nothing was sent at a due time, and tell who answers for the schedule; once for each time."""
    if not Occurrence.objects.filter(pk=occurrence.pk, problem="").update(problem=sentence):
        return
    schedule = occurrence.schedule
    announce_failure(schedule, due_at=occurrence.due_at)
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


def say_what_is_missing(occurrence: Occurrence, problems: Sequence[str]) -> None:
    """Tell who answers for the schedule that something went out of which parts could not be made."""
    schedule = occurrence.schedule
    body = "\n\n".join(
        [
            f"“{schedule.name}” went out, but {formats.count(len(problems), 'part')} of it could not be made.",
            *problems,
            f"The mails say so, too. Its page: {_address(schedule)}",
        ]
    )
    for user in whom_to_tell(schedule.workspace, schedule.created_by):
        notify(
            workspace=schedule.workspace,
            user=user,
            subject=f"“{schedule.name}” went out incomplete",
            body=body,
            occurrence=occurrence,
        )


def _address(schedule: Schedule) -> str:
    kwargs = {"slug": schedule.workspace.slug, "schedule_id": schedule.pk}
    return site_url(reverse("reports:schedule", kwargs=kwargs))
