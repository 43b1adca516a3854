"""The form of Settings > Branding."""

import re
from typing import Any

from django import forms

from reports.branding.look import ACCENT
from reports.models import Branding

MOST_MB = 1
_HEX = re.compile(r"#?[0-9a-f]{6}")


class ColourField(forms.CharField):
    """Red, green and blue as six hexadecimal digits; "" for none."""

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").lower()
        if text and not _HEX.fullmatch(text):
            raise forms.ValidationError(f"Write a colour as six hexadecimal digits, such as {ACCENT}.")
        return f"#{text.removeprefix('#')}" if text else ""


class LookForm(forms.Form):
    """A logo, an accent colour and the paper."""

    logo = forms.FileField(
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text="A PNG, JPEG or WebP picture of at most 1 MB, best on a transparent or white ground. It is kept as a "
        "PNG of at most 800 by 300 pixels.",
        error_messages={"empty": "The file is empty."},
    )
    drop_logo = forms.BooleanField(label="Remove the logo", required=False)
    colour = ColourField(
        label="Accent colour",
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={"placeholder": ACCENT, "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"Six hexadecimal digits, dark enough to be read on white. Empty for {ACCENT}.",
    )
    paper = forms.ChoiceField(
        choices=Branding.Paper.choices,
        widget=forms.RadioSelect,
        help_text="Of PDFs and printed workbooks. Slides are 16:9 on either.",
    )

    def clean_logo(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["logo"]
        if file and file.size > MOST_MB * 2**20:
            raise forms.ValidationError(
                "The file is larger than 1 MB. A logo is never printed that large: save a smaller copy."
            )
        return file
