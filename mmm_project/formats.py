"""Numbers as people read them. Every page, export and sentence formats through here, so that they agree."""

from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent

LOCALE = "en"
MINUS = "\N{MINUS SIGN}"


def count(value: float) -> str:
    """A number of things, perhaps a share of one: "1,234", "1,234.5"; two decimals at most."""
    return _signed(format_decimal(round(value, 2), "#,##0.##", locale=LOCALE))


def money(value: float, currency: str) -> str:
    """An amount in full: "€1,234.50"."""
    return _signed(format_currency(value, currency, locale=LOCALE))


def round_money(value: float, currency: str) -> str:
    """An amount in whole units: "€1,234"."""
    return _signed(format_currency(value, currency, "¤#,##0", currency_digits=False, locale=LOCALE))


def short(value: float) -> str:
    """A number abbreviated: "1.2M"; below a thousand as `count` with one decimal."""
    if abs(value) < 1000:
        return _signed(format_decimal(value, "#,##0.#", locale=LOCALE))
    return _signed(format_compact_decimal(value, fraction_digits=1, locale=LOCALE))


def short_money(value: float, currency: str) -> str:
    """An amount abbreviated: "€1.2M"."""
    symbol = format_currency(0, currency, "¤", currency_digits=False, locale=LOCALE)
    return f"{MINUS if value < 0 else ''}{symbol}{short(abs(value))}"


def percent(share: float) -> str:
    """A share of one with one decimal: "12.3%"."""
    return _signed(format_percent(share, "#,##0.0%", locale=LOCALE))


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
