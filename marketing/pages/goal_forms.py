"""The forms of Settings > Goals & outcomes."""

from django import forms

from marketing.models import Goal, Outcome


class GoalForm(forms.Form):
    """A goal's name and kind."""

    name = forms.CharField(max_length=100, help_text="As your files of conversions call it.")
    kind = forms.TypedChoiceField(
        choices=Goal.Kind.choices,
        coerce=Goal.Kind,
        initial=Goal.Kind.OTHER,
        help_text="A sale has a value; “Leads” counts a goal of the kind lead.",
    )


class OutcomeForm(forms.Form):
    """An outcome's name, kind and unit."""

    name = forms.CharField(max_length=100, help_text="As your files of outcomes call it.")
    kind = forms.TypedChoiceField(choices=Outcome.Kind.choices, coerce=Outcome.Kind)
    is_money = forms.BooleanField(
        label="Its values are amounts of money", required=False, help_text="In the currency of the workspace."
    )
