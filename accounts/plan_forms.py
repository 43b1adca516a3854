"""The form of Settings > Plan."""

from typing import Any

from django import forms

from accounts.models import Plan
from accounts.plan_requests import LONGEST_TEXT


class PlanRequestForm(forms.Form):
    """Which other plan, and why."""

    plan = forms.ChoiceField(label="Plan", error_messages={"invalid_choice": "Choose one of the plans."})
    message = forms.CharField(
        label="Message",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What you need it for, how many rows or seats, and from when on. Site admins read it.",
    )

    def __init__(self, *args: Any, present: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Plan.objects.exclude(pk=present.pk)
        plans: Any = self.fields["plan"]
        plans.choices = [(plan.code, plan.name) for plan in others]
        larger = next((plan for plan in others if plan.rank > present.rank), None)
        plans.initial = larger.code if larger else None
