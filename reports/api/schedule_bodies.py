"""From what a request says of a schedule to the settings that the actions take."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Workspace
from mmm_project.problems import Invalid
from reports.api.fields import named
from reports.deliveries.recipients import listed
from reports.models import Report, Schedule
from reports.schedules.actions import Settings, recurrence_of
from reports.schedules.calendar import Recurrence
from reports.schedules.contents import Content, content_of, content_of_run, find_run

NO_REPORT = "There is no such report in this workspace."
NO_RUN = "There is no finished run of attribution, weightings or cross-channel of this id in this workspace."
# By frequency: which day it has, and how to say so.
DAYS = {
    "weekly": ("weekday", "A weekly schedule has a day of the week, from 0 (Monday) to 6."),
    "monthly": ("month_day", "A monthly schedule has a day of the month, from 1 to 31."),
}


def settings_from(asked: Mapping[str, Any], *, workspace: Workspace, schedule: Schedule | None = None) -> Settings:
    """Return the settings of a schedule that is new, or those of `schedule` with what is asked changed.

    Raises Invalid with `errors` by the names of the body.
    """
    if schedule is None:
        before: dict[str, Any] = {"name": ""}
    else:
        before = {"name": schedule.name, "period": schedule.period, "formats": schedule.formats}
        before["recipients"] = list(listed(schedule).order_by("pk").values_list("email", flat=True))
    wanted = before | {name: asked[name] for name in ("name", "period", "formats", "recipients") if name in asked}
    return Settings(
        content=_content(asked, workspace, schedule), recurrence=_recurrence(asked, workspace, schedule), **wanted
    )


def where_refused(refusal: Invalid, asked: Mapping[str, Any]) -> Invalid:
    """Return the same refusal with what is wrong about the content under the name that the body has for it."""
    name = next((name for name in ("params", "report", "kind", "run") if name in asked), "report")
    errors = {name if field == "what" else field: said for field, said in refusal.errors.items()}
    return Invalid(refusal.detail, errors=errors)


def _content(asked: Mapping[str, Any], workspace: Workspace, schedule: Schedule | None) -> Content:
    if "report" in asked:
        reports = Report.objects.filter(workspace=workspace)
        return Content(report=named(reports, asked["report"], field="report", sentence=NO_REPORT))
    if "run" in asked:
        run = find_run(workspace, str(asked["run"]))
        if run is None:
            raise Invalid(NO_RUN, errors={"run": [NO_RUN]})
        return content_of_run(run)
    if "kind" in asked:
        return Content(kind=asked["kind"], params=asked.get("params", {}))
    if schedule is None:
        raise ValueError("A new schedule says what goes out.")
    if "params" in asked:
        if not schedule.kind:
            sentence = "A report goes out, whose blocks have their own settings."
            raise Invalid(sentence, errors={"params": [sentence]})
        return Content(kind=schedule.kind, params=asked["params"])
    return content_of(schedule)


def _recurrence(asked: Mapping[str, Any], workspace: Workspace, schedule: Schedule | None) -> Recurrence:
    before = recurrence_of(schedule) if schedule else None
    frequency, time = (asked[name] if name in asked else getattr(before, name) for name in ("frequency", "time"))
    zone = ZoneInfo(asked["zone"]) if "zone" in asked else (before or workspace).zone
    days = {"weekday": asked.get("weekday"), "month_day": asked.get("month_day")}
    own, sentence = DAYS.get(frequency, ("", ""))
    if before and own and own not in asked:
        days[own] = getattr(before, own)
    errors = {} if not own or days[own] is not None else {own: [sentence]}
    errors |= {name: [f"A {frequency} schedule has none."] for name in days if name != own and days[name] is not None}
    if errors:
        raise Invalid(" ".join(said for (said,) in errors.values()), errors=errors)
    return Recurrence(frequency, time, zone, **days)
