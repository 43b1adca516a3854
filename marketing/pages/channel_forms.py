"""Forms of Settings > Channels & grouping."""

from collections.abc import Sequence
from typing import Any

from django import forms

from marketing.channels import LONGEST_NAME
from marketing.models import Channel


class ChannelForm(forms.Form):
    """A channel's name and type."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        help_text="The name that it has now stays known: imports that use it still mean this channel.",
    )
    type = forms.ChoiceField(
        choices=Channel.Type.choices,
        help_text="Paid and offline channels are bought, owned ones are yours, such as e-mail, organic ones neither.",
    )


class OtherChannelForm(forms.Form):
    """Another channel of the workspace, to merge with or to exchange colours with."""

    other = forms.TypedChoiceField(label="Channel", coerce=int)

    def __init__(self, *args: Any, label: str, channels: Sequence[Channel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channels = {channel.pk: channel for channel in channels}
        field = self.fields["other"]
        field.label = label
        field.choices = [("", "Choose a channel"), *((pk, each.name) for pk, each in self.channels.items())]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Channel:
        """The channel, once the form is valid."""
        return self.channels[self.cleaned_data["other"]]
