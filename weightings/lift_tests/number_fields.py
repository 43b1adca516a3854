"""Fields for numbers, which take and refuse what imported files may say."""

import math
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

LONGEST = 60  # characters
MOST = 1e12  # of money or of people


class NumberField(forms.Field):
    """A number such as "1234.5", "1,234.50" or, of money, "€ 1,234.50"; finite, and below a trillion on either side.

    `currency`: that of the workspace, "" of a number of things. `whole`: without decimals. `above`, `at_least`: what it
    has to be. The value is a float, an integer where it is `whole`, and None where nothing was entered.
    """

    def __init__(
        self,
        *,
        currency: str = "",
        whole: bool = False,
        above: float | None = None,
        at_least: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.currency, self.whole, self.above, self.at_least = currency, whole, above, at_least
        attrs = {"inputmode": "numeric" if whole else "decimal", "autocomplete": "off"}
        super().__init__(required=False, widget=forms.TextInput(attrs=attrs), **kwargs)

    def to_python(self, value: Any) -> float | int | None:
        """Read what was typed. Raises ValidationError with a sentence for what is no such number."""
        text = "" if value is None else str(value).strip()
        if not text:
            return None
        number = self._read(text)
        if abs(number) >= MOST:
            raise ValidationError("Enter a number of at most 12 digits.", code="too_large")
        if self.above is not None and not number > self.above:
            raise ValidationError(f"Enter a number above {self.above:g}.", code="too_small")
        if self.at_least is not None and number < self.at_least:
            raise ValidationError(f"Enter a number of {self.at_least:g} or more.", code="too_small")
        if not self.whole:
            return number
        if number != round(number):
            raise ValidationError("Enter a whole number.", code="not_whole")
        return int(number)

    def _read(self, text: str) -> float:
        import pyarrow as pa  # only where somebody has entered a number

        from marketing.importing import numbers
        from marketing.importing.errors import FileRejected

        if len(text) > LONGEST:
            raise ValidationError("Enter a number, not a text.", code="no_number")
        try:
            found = numbers.read(pa.array([text]), decimal=".", currency=self.currency)
        except FileRejected as error:
            raise ValidationError(str(error), code="currency") from error
        if 0 in found.wrong:
            raise ValidationError(f"{found.wrong[0][0].upper()}{found.wrong[0][1:]}.", code="no_number")
        number = float(found.values[0])
        if not math.isfinite(number):
            raise ValidationError("Enter a number such as 1234.56.", code="no_number")
        return number
