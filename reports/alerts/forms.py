"""The form of an alert: what is watched, when it is raised, and who is told."""

from typing import Any

from django import forms

from accounts.models import User, Workspace
from marketing.models import Channel, Goal
from mmm_project.problems import Invalid
from reports.alerts.actions import LONGEST_NAME, SPANS, Settings
from reports.alerts.wording import SPANS as SPAN_NAMES
from reports.deliveries.addresses import clean_lines
from reports.deliveries.recipients import listed, sentences_of_unsubscribed
from reports.models import Alert

SAVE, PREVIEW = "save", "preview"
WATCHED = ("metric", "channel", "goal", "condition", "threshold", "days")
_CONDITIONS = [
    (Alert.Condition.ANOMALY, "A day is unlike the days before"),
    (Alert.Condition.BELOW, "It falls below a threshold"),
    (Alert.Condition.ABOVE, "It rises above a threshold"),
]


class AlertForm(forms.Form):
    """All of an alert; `settings` are what the actions take, and `watched` what it would watch, once they are valid."""

    name = forms.CharField(max_length=LONGEST_NAME, help_text="The subject of its mails.")
    metric = forms.ChoiceField(choices=Alert.Metric.choices)
    channel = forms.ModelChoiceField(queryset=Channel.objects.none(), required=False, empty_label="All channels")
    goal = forms.ModelChoiceField(
        queryset=Goal.objects.none(),
        required=False,
        empty_label="The default goal",
        help_text="What revenue, conversions and ROAS count. Spend has none.",
    )
    condition = forms.ChoiceField(label="Raise it when", choices=_CONDITIONS, widget=forms.RadioSelect)
    threshold = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=4,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="For a threshold: an amount in the workspace’s currency, a number of conversions, or a ROAS.",
    )
    days = forms.TypedChoiceField(
        label="Over",
        choices=[(days, SPAN_NAMES[days][:1].upper() + SPAN_NAMES[days][1:]) for days in SPANS],
        coerce=int,
        help_text="For a threshold: the sum of these days is compared with it; of ROAS, their ratio.",
    )
    recipients = forms.CharField(
        label="Recipients",
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text="E-mail addresses, one a line or separated by commas; 50 at most. They get two mails of this alert a "
        "day at most, and can unsubscribe by a link in each.",
    )

    def __init__(self, *args: Any, workspace: Workspace, alert: Alert | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace, self.alert = workspace, alert
        self.settings: Settings | None = None
        channels = Channel.objects.filter(workspace=workspace, merged_into=None)
        goals = Goal.objects.filter(workspace=workspace, archived_at=None)
        if alert is not None:  # what has been merged or archived since stays chosen until something else is
            channels |= Channel.objects.filter(workspace=workspace, pk=alert.channel_id or 0)
            goals |= Goal.objects.filter(workspace=workspace, pk=alert.goal_id or 0)
        self.fields["channel"].queryset = channels.order_by("name")  # type: ignore[attr-defined]
        self.fields["goal"].queryset = goals.order_by("name")  # type: ignore[attr-defined]

    def clean_recipients(self) -> list[str]:
        return clean_lines(self.cleaned_data["recipients"])

    def clean(self) -> dict[str, Any]:
        """Say beside its field which threshold is missing."""
        data = super().clean() or {}
        of_anomalies = data.get("condition") == Alert.Condition.ANOMALY
        if not of_anomalies and data.get("threshold") is None and "threshold" not in self.errors:
            self.add_error("threshold", "Enter a number to compare with.")
        if not self.errors:
            self.settings = Settings(**data)
        return data

    @property
    def watched(self) -> Alert | None:
        """An alert that is not saved, of what the form says is to be watched; None where that is not valid."""
        if not self.is_bound or set(WATCHED) & self.errors.keys():
            return None
        chosen = {name: self.cleaned_data[name] for name in WATCHED}
        if chosen["condition"] == Alert.Condition.ANOMALY:
            chosen |= {"threshold": None, "days": 1}
        return Alert(workspace=self.workspace, name=self.cleaned_data.get("name", ""), **chosen)

    @property
    def unsubscribed(self) -> list[str]:
        """A sentence for each address in the form that gets nothing: its owner has unsubscribed from the alert."""
        if self.alert is None:
            return []
        if self.is_bound:
            self.is_valid()
            return sentences_of_unsubscribed(self.alert, self.cleaned_data.get("recipients", ()))
        return sentences_of_unsubscribed(self.alert, self.initial["recipients"].split("\n"))

    def refuse(self, refusal: Invalid) -> None:
        """Say beside its field what the action refused."""
        if not refusal.errors:
            self.add_error(None, refusal.detail)
        for field, sentences in refusal.errors.items():
            self.add_error(field, list(sentences))


def first_choices(user: User) -> dict[str, Any]:
    """What the form of a new alert begins with."""
    return {
        "metric": Alert.Metric.REVENUE,
        "condition": Alert.Condition.ANOMALY,
        "days": 1,
        "recipients": user.email,
    }


def choices_of(alert: Alert) -> dict[str, Any]:
    """What the form of an alert shows before anything is changed."""
    threshold = alert.threshold
    return {
        "name": alert.name,
        "threshold": None if threshold is None else f"{threshold.normalize():f}",
        "recipients": "\n".join(listed(alert).order_by("pk").values_list("email", flat=True)),
        **{name: getattr(alert, name) for name in ("metric", "channel", "goal", "condition", "days")},
    }
