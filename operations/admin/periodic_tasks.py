"""The ticks of the scheduler in the admin: when each last ran; off, on, and now.

What there is, and how often, is in the settings, which the scheduler writes over these rows whenever it starts. It does
not touch whether one is on: what somebody switches off stays off, which the status page calls a problem.
"""

from typing import Any, ClassVar

from celery import current_app
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from kombu.exceptions import OperationalError

from accounts.audit import record
from accounts.site_admins import acting
from mmm_project.admin_rows import answer, row_action
from mmm_project.problems import Conflict
from mmm_project.read_only_admin import ReadOnlyAdmin

# The library's pages change rows that the settings rule, run any task with any arguments, and have scripts inside them.
for model in (PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    list_display = ("name", "enabled", "scheduler", "last_run_at", "total_run_count", "task")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    list_select_related: ClassVar = ["interval", "crontab", "solar", "clocked"]
    fields = (
        "name",
        "task",
        "enabled",
        "scheduler",
        "last_run_at",
        "total_run_count",
        "expire_seconds",
        "date_changed",
    )
    actions = ("switch_on", "switch_off", "run_now")

    @row_action("Switch on", applies=lambda task: not task.enabled)
    def switch_on(self, request: HttpRequest, tasks: QuerySet[PeriodicTask]) -> None:
        self.carry_out(request, tasks, lambda task: _switch(task, on=True, by=acting(request)), done="Switched on")

    @row_action("Switch off…", applies=lambda task: task.enabled)
    def switch_off(self, request: HttpRequest, tasks: QuerySet[PeriodicTask]) -> HttpResponse | None:
        if not answer(forms.Form, request).is_valid():
            sentence = (
                "They stay off, also over a restart, until somebody switches them on. Without sweep-jobs, jobs of "
                "workers that died are not taken up; without tick-reports, nothing that is due goes out."
            )
            return self.ask(request, tasks, title="Switch ticks off", sentence=sentence, button="Switch them off")
        self.carry_out(request, tasks, lambda task: _switch(task, on=False, by=acting(request)), done="Switched off")
        return None

    @row_action("Run now")
    def run_now(self, request: HttpRequest, tasks: QuerySet[PeriodicTask]) -> None:
        """Send the message that the scheduler sends; the tasks of this product are safe to repeat."""
        by = acting(request)
        self.carry_out(request, tasks, lambda task: _run(task, by=by), done="Sent to the workers")
        if not tasks.exists():
            self.message_user(request, "There is nothing to run.", messages.WARNING)


@transaction.atomic
def _switch(task: PeriodicTask, *, on: bool, by: Any) -> bool:
    """Switch a tick on or off; False if it is. Saving it tells the scheduler."""
    if task.enabled == on:
        return False
    task.enabled = on
    task.save()
    if on:
        record(workspace=None, action="periodic_task.switched_on", target=task.name, actor=by)
    else:
        record(workspace=None, action="periodic_task.switched_off", target=task.name, actor=by)
    return True


@transaction.atomic
def _run(task: PeriodicTask, *, by: Any) -> None:
    record(workspace=None, action="periodic_task.run", target=task.name, actor=by)
    try:
        current_app.send_task(task.task, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        raise Conflict("The message broker does not answer. The status page says more.") from error
