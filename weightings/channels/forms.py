"""Which days of a run's period campaigns are read in."""

from typing import Any

from django import forms

from marketing.periods import Period


class DaysForm(forms.Form):
    """Days from one to another; of a form that is not filled in, all of the run's period."""

    start = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        start, end = cleaned.get("start"), cleaned.get("end")
        if (start is None) != (end is None):
            raise forms.ValidationError("Give both a first and a last day, or neither for all of the run's period.")
        if start is not None and end is not None and start > end:
            raise forms.ValidationError("The last day comes before the first.")
        return cleaned

    @property
    def days(self) -> Period | None:
        """The days that are asked for; None for all, and of a form that is not valid."""
        if not self.is_valid() or self.cleaned_data["start"] is None:
            return None
        return Period(self.cleaned_data["start"], self.cleaned_data["end"])
