"""Numbers as people read them. Every page, export and sentence formats through here, so that they agree.

All of them round halves to even, from the number's shortest decimal form, so 2.675 is 2.68.
"""

import re

from babel.numbers import format_currency, format_decimal, format_percent

LOCALE = "en"
MINUS = "\N{MINUS SIGN}"
_CODE_BEFORE_DIGITS = re.compile(r"(?<=[A-Z])(?=\d)")  # CHF1,234: a currency without a symbol of its own


def count(value: float, noun: str = "") -> str:
    """A number of things, perhaps a share of one, with two decimals at most: "1,234.5", "1 conversion"."""
    text = _signed(format_decimal(value, "#,##0.##", locale=LOCALE))
    if not noun:
        return text
    return f"{text} {noun if text == '1' else noun + 's'}"


def money(value: float, currency: str) -> str:
    """An amount in full: "€1,234.50", "CHF 1,234.50"."""
    return _amount(format_currency(value, currency, locale=LOCALE))


def round_money(value: float, currency: str) -> str:
    """An amount in whole units: "€1,234"."""
    return _amount(format_currency(value, currency, "¤#,##0", currency_digits=False, locale=LOCALE))


def percent(share: float) -> str:
    """A share of one with one decimal: "12.3%"."""
    return _signed(format_percent(share, "#,##0.0%", locale=LOCALE))


def change(share: float) -> str:
    """A change as a share of what it is compared with, always with its sign: "+12.3%", "−4.0%"."""
    return f"+{percent(share)}" if round(share, 3) > 0 else percent(share)


def ratio(value: float) -> str:
    """A ratio such as a ROAS, with two decimals: "2.41"."""
    return _signed(format_decimal(value, "#,##0.00", locale=LOCALE))


def short_count(value: float) -> str:
    """A number of things with three digits that matter, whole from 100 on: "84.7", "9,876", "12.3 k", "1.23 M"."""
    scaled, suffix = _scaled(value)
    return count(_to_three_digits(scaled)) + suffix


def short_money(value: float, currency: str) -> str:
    """An amount with three digits that matter: "€847", "€9,876", "€12.3 k", "€1.23 M"."""
    scaled, suffix = _scaled(value)
    if not suffix:
        return round_money(value, currency)
    pattern = "¤#,##0.##"
    text = format_currency(_to_three_digits(scaled), currency, pattern, currency_digits=False, locale=LOCALE)
    return _amount(text) + suffix


def _scaled(value: float) -> tuple[float, str]:
    """A number in the largest unit that leaves an integer part, and the unit; in full below ten thousand."""
    if abs(value) < 9_999.5:
        return value, ""
    # By the rounded number: 999,950 is 1 M, not 1,000 k.
    units = ((1e3, "k"), (1e6, "M"), (1e9, "bn"), (1e12, "tn"))
    size, unit = next(((size, unit) for size, unit in units if abs(value) < 999.5 * size), units[-1])
    return value / size, f"\N{NO-BREAK SPACE}{unit}"


def _to_three_digits(value: float) -> float:
    """Round to three digits that matter, and to no less than a whole from 100 on."""
    whole_digits = len(str(int(abs(value))))
    return round(value, max(3 - whole_digits, 0)) if abs(value) >= 1 else round(value, 2)


def _amount(text: str) -> str:
    return _signed(_CODE_BEFORE_DIGITS.sub("\N{NO-BREAK SPACE}", text))


def _signed(text: str) -> str:
    """Write minus as a minus, and none before what has been rounded to zero."""
    return text.replace("-", MINUS if any(digit in text for digit in "123456789") else "")
