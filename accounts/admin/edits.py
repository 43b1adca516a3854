"""What a form of the admin has changed, as the audit log keeps it."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.forms import ModelForm

from accounts.audit import Changes


def edits(form: "ModelForm[Any]") -> Changes:
    """Return what the form has changed, by field, before and after; never a password."""
    return {
        name: {"before": _plain(form.initial.get(name)), "after": _plain(form.cleaned_data[name])}
        for name in form.changed_data
        if name in form.cleaned_data and "password" not in name
    }


def _plain(value: Any) -> Any:
    """Return the value as JSON has it: rows by their name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Iterable) and not isinstance(value, Model):
        return sorted(map(str, value))
    return str(value)
