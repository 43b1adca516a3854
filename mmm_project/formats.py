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


def _amount(text: str) -> str:
    return _signed(_CODE_BEFORE_DIGITS.sub("\N{NO-BREAK SPACE}", text))


def _signed(text: str) -> str:
    """Write minus as a minus, and none before what has been rounded to zero."""
    return text.replace("-", MINUS if any(digit in text for digit in "123456789") else "")
