"""The forms of Settings > Team."""

from typing import Any

from django import forms

from accounts.invitations import clean_address
from accounts.models import Membership, Role
from accounts.permissions import roles_up_to


class InvitationForm(forms.Form):
    """Whom to invite, as what: up to the role of `by`."""

    # No EmailField: it would cut off a line break at an end, and what is sent is to be refused as it is.
    email = forms.CharField(
        label="E-mail address",
        max_length=254,
        strip=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.com"}),
    )
    role = forms.TypedChoiceField(coerce=Role, initial=Role.ANALYST)

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles: Any = self.fields["role"]
        roles.choices = [(role.value, role.label) for role in roles_up_to(by.role)]

    def clean_email(self) -> str:
        return clean_address(self.cleaned_data["email"])


class RoleForm(forms.Form):
    """Another role for a member; whether it may be given is for `accounts.team` to say."""

    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role)


class TransferForm(forms.Form):
    """Which of the other members becomes the owner."""

    member = forms.TypedChoiceField(label="New owner", coerce=int)

    def __init__(self, *args: Any, others: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members: Any = self.fields["member"]
        members.choices = [(other.pk, f"{other.user.email} ({other.get_role_display().lower()})") for other in others]
