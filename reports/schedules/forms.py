"""The form of a schedule: what goes out, when, and to whom."""

from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms

from accounts.models import User, Workspace, validate_timezone
from analyses.models import Run
from mmm_project.problems import Invalid, PlanLimit
from reports.blocks.definition import KINDS
from reports.blocks.relative_periods import PERIODS
from reports.deliveries.addresses import clean_lines
from reports.deliveries.recipients import listed, sentences_of_unsubscribed
from reports.exports import FORMATS
from reports.models import Report, Schedule
from reports.schedules.actions import LONGEST_NAME, Settings
from reports.schedules.calendar import Recurrence
from reports.schedules.contents import ANALYSES, Content, content_of, content_of_run, find_run
from reports.schedules.words import WEEKDAYS, ordinal

SAVE, SHOW_NEXT = "save", "upcoming"
AS_IT_IS, REPORT, RUN = "as_it_is", "report:", "run:"
FIRST_FREQUENCY, FIRST_PERIOD, FIRST_TIME = "weekly", "previous_week", "09:00"
_FREQUENCIES = [("daily", "Daily"), ("weekly", "Weekly"), ("monthly", "Monthly")]
_MONTH_DAYS = [*((str(day), ordinal(day)) for day in range(1, 31)), ("31", "31st, or the last day")]


class WhenForm(forms.Form):
    """When something recurs, and of which days; `recurrence` is the first once its own fields are valid."""

    period = forms.ChoiceField(label="Period", choices=list(PERIODS.items()))

    frequency = forms.ChoiceField(label="Frequency", choices=_FREQUENCIES)
    weekday = forms.TypedChoiceField(
        label="Day of the week", choices=list(enumerate(WEEKDAYS)), coerce=int, empty_value=None, required=False
    )
    month_day = forms.TypedChoiceField(
        label="Day of the month", choices=_MONTH_DAYS, coerce=int, empty_value=None, required=False
    )
    time = forms.TimeField(
        label="Time", input_formats=["%H:%M"], widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        validators=[validate_timezone],
        widget=forms.TextInput(attrs={"list": "timezones", "autocomplete": "off"}),
        help_text="It goes out at this time by the clock there, in summer and in winter.",
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        self.recurrence: Recurrence | None = None
        days = f"Whole days of the workspace ({workspace.timezone})"
        self.fields["period"].help_text = f"{days}, seen from the day there on which it goes out."

    @property
    def chosen_period(self) -> str:
        """The period, once the form is cleaned; "" where none is chosen."""
        return str(self.cleaned_data.get("period", ""))

    def clean(self) -> dict[str, Any]:
        """Say beside its field which day is missing."""
        data = super().clean() or {}
        frequency = data.get("frequency")
        if frequency == "weekly" and data.get("weekday") is None and "weekday" not in self.errors:
            self.add_error("weekday", "Choose a day of the week.")
        if frequency == "monthly" and data.get("month_day") is None and "month_day" not in self.errors:
            self.add_error("month_day", "Choose a day of the month.")
        if not {"frequency", "weekday", "month_day", "time", "zone"} & self.errors.keys():
            self.recurrence = Recurrence(
                data["frequency"],
                data["time"],
                ZoneInfo(data["zone"]),
                weekday=data["weekday"] if frequency == "weekly" else None,
                month_day=data["month_day"] if frequency == "monthly" else None,
            )
        return data


class ScheduleForm(WhenForm):
    """All of a schedule; `settings` are what the actions take once the form is valid."""

    name = forms.CharField(
        max_length=LONGEST_NAME, required=False, help_text="The subject of the mails. Left empty: by what they bring."
    )
    what = forms.ChoiceField(label="Analysis type")
    formats = forms.MultipleChoiceField(
        label="Report format",
        choices=[(name, form.label) for name, form in FORMATS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    recipients = forms.CharField(
        label="Recipients",
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text="E-mail addresses, one a line or separated by commas; 50 at most. Each can unsubscribe by a link in "
        "the mail.",
    )

    def __init__(self, *args: Any, workspace: Workspace, schedule: Schedule | None = None, **kwargs: Any) -> None:
        super().__init__(*args, workspace=workspace, **kwargs)
        self.schedule = schedule
        self.settings: Settings | None = None
        asked = (one for one in (self.data.get("what"), self.initial.get("what")) if one and one.startswith(RUN))
        self.run = find_run(workspace, next(asked, "").removeprefix(RUN))
        self.fields["what"].choices = self._contents()  # type: ignore[attr-defined]

    def clean_recipients(self) -> list[str]:
        return clean_lines(self.cleaned_data["recipients"])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.recurrence and not self.errors:
            try:
                content = self._content(data["what"])
            except (Invalid, PlanLimit) as refusal:
                self.add_error("what", refusal.detail)
            else:
                names = ("name", "period", "formats", "recipients")
                self.settings = Settings(
                    content=content, recurrence=self.recurrence, **{name: data[name] for name in names}
                )
        return data

    @property
    def unsubscribed(self) -> list[str]:
        """A sentence for each address in the form that gets nothing: its owner has unsubscribed from the schedule."""
        if self.schedule is None:
            return []
        if self.is_bound:
            self.is_valid()
            return sentences_of_unsubscribed(self.schedule, self.cleaned_data.get("recipients", ()))
        return sentences_of_unsubscribed(self.schedule, self.initial["recipients"].split("\n"))

    def refuse(self, refusal: Invalid | PlanLimit) -> None:
        """Say beside its field what the action refused."""
        if not refusal.errors:
            self.add_error("what" if isinstance(refusal, PlanLimit) else None, refusal.detail)
        for field, sentences in refusal.errors.items():
            self.add_error(field, list(sentences))

    def _contents(self) -> list[tuple[str, Any]]:
        reports = Report.objects.filter(workspace=self.workspace).values_list("pk", "name")
        groups: list[tuple[str, Any]] = [
            ("Analyses", [(kind, KINDS[kind].label) for kind in ANALYSES]),
            ("Reports", [(f"{REPORT}{pk}", name) for pk, name in reports]),
        ]
        particular = []
        if self.run:
            particular.append((f"{RUN}{self.run.pk}", f"{_label_of(self.run)}, as in the run of {_day_of(self.run)}"))
        if self.schedule and self.schedule.kind and self.schedule.params:
            particular.append((AS_IT_IS, f"{KINDS[self.schedule.kind].label}, with the settings that it has"))
        if particular:
            groups.insert(0, ("With particular settings", particular))
        return [group for group in groups if group[1]]

    def _content(self, what: str) -> Content:
        if what == AS_IT_IS and self.schedule:
            return content_of(self.schedule)
        if self.run and what.startswith(RUN):
            return content_of_run(self.run)
        if what.startswith(REPORT):
            report = Report.objects.filter(workspace=self.workspace, pk=int(what.removeprefix(REPORT))).first()
            if report is None:  # deleted since its choice was checked
                raise Invalid("This report is there no longer.")
            return Content(report=report)
        return Content(kind=what)


def first_choices(workspace: Workspace, user: User, *, what: str) -> dict[str, Any]:
    """What the form of a new schedule begins with."""
    return {
        "what": what or ANALYSES[0],
        "period": FIRST_PERIOD,
        "formats": ["pdf"],
        "frequency": FIRST_FREQUENCY,
        "weekday": 0,
        "month_day": 1,
        "time": FIRST_TIME,
        "zone": workspace.timezone,
        "recipients": user.email,
    }


def choices_of(schedule: Schedule) -> dict[str, Any]:
    """What the form of a schedule shows before anything is changed."""
    of_kind = AS_IT_IS if schedule.params else schedule.kind
    return {
        "name": schedule.name,
        "what": f"{REPORT}{schedule.report_id}" if schedule.report_id else of_kind,
        "weekday": 0 if schedule.weekday is None else schedule.weekday,
        "month_day": schedule.month_day or 1,
        "recipients": "\n".join(listed(schedule).order_by("pk").values_list("email", flat=True)),
        **{name: getattr(schedule, name) for name in ("period", "formats", "frequency", "time", "zone")},
    }


def _label_of(run: Run) -> str:
    return next(kind.label for kind in KINDS.values() if kind.analysis == run.kind)


def _day_of(run: Run) -> str:
    return f"{cast('Any', run.job.finished_at).astimezone(run.workspace.zone):%-d %b %Y, %H:%M}"
