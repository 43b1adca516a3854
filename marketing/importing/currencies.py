"""Signs and codes of currencies, as they stand before or after an amount."""

import re
from functools import cache

from babel.numbers import list_currencies

from marketing.importing.errors import FileRejected

DOLLARS = frozenset(
    ("USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "BBD", "BMD", "BSD", "BZD", "FJD",
     "GYD", "JMD", "KYD", "LRD", "NAD", "SBD", "SRD", "TTD", "UYU", "XCD")
)  # fmt: skip
SIGNS: dict[str, frozenset[str]] = {"$": DOLLARS} | {
    sign: frozenset(codes.split())
    for sign, codes in {
        "€": "EUR", "£": "GBP EGP", "¥": "JPY CNY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₽": "RUB", "₪": "ILS",
        "฿": "THB", "₫": "VND", "₱": "PHP", "₴": "UAH", "₦": "NGN", "US$": "USD", "A$": "AUD", "AU$": "AUD",
        "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "R$": "BRL",
        "zł": "PLN", "kr": "SEK NOK DKK ISK", "kr.": "SEK NOK DKK ISK", "Kč": "CZK", "Ft": "HUF", "Fr.": "CHF",
        "lei": "RON", "лв": "BGN",
    }.items()
}  # fmt: skip
SIGN = r"(?:[A-Z]{1,3}\$|[A-Z]{3}|kr\.|" + "|".join(re.escape(sign) for sign in SIGNS if "$" not in sign) + r"|\$)"


def require_currency(signs: set[str], currency: str) -> None:
    """Raise FileRejected unless each sign or code may stand for the workspace's currency."""
    foreign = sorted(sign for sign in signs if currency not in _codes(sign))
    if not foreign:
        return
    if unknown := [sign for sign in foreign if not _codes(sign)]:
        raise FileRejected(f"“{unknown[0]}” beside an amount is no currency that is known. Is this the right column?")
    if len(signs) > 1:
        raise FileRejected(
            f"The file mixes currencies: {', '.join(sorted(signs))}. Convert all amounts to {currency}, the "
            "workspace's currency."
        )
    raise FileRejected(
        f"Amounts are in {foreign[0]}, but the workspace counts in {currency}. Convert them to {currency}."
    )


@cache
def _codes(sign: str) -> frozenset[str]:
    return SIGNS.get(sign) or frozenset({sign} & list_currencies())
