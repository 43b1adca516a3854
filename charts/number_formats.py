"""Number formats of PowerPoint and Excel that show numbers as the chart's texts do."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GENERAL = "General"
_SCALES = (1.0, 0.01, 1e3, 1e6, 1e9, 1e12)
_READING = re.compile(
    r"(?P<sign>[+\N{MINUS SIGN}-]?)(?P<prefix>[^\d+\N{MINUS SIGN}-]*)(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<suffix>\D*)"
)


@dataclass(frozen=True, slots=True)
class _Style:
    prefix: str
    suffix: str
    scale: float


def number_format(readings: Iterable[tuple[float, str]]) -> str:
    """Return the format that turns each number into its text, such as `"€"#,##0," k"` for 20,000 and "€20 k".

    The format has as many decimals as the text with most. Below and above some amount texts may differ in their unit;
    where they differ in more, or cannot be read, it is "General".
    """
    styles: dict[_Style, float] = {}  # each with the smallest number that it is used for
    decimals, signed, negative, zero = 0, False, False, ""
    for value, text in readings:
        match = _READING.fullmatch(text.strip())
        if match is None:
            return GENERAL
        digits = match["digits"].replace(",", "")
        places = len(digits.partition(".")[2])
        signed, negative = signed or match["sign"] == "+", negative or value < 0
        if value == 0:
            zero = text  # often written without its unit
            continue
        scale = _scale(abs(value), float(digits), places)
        if scale is None or (scale < 1 and "%" not in match["suffix"]):
            return GENERAL
        decimals = max(decimals, places)
        style = _Style(match["prefix"], match["suffix"], scale)
        styles[style] = min(styles.get(style, abs(value)), abs(value))
    bodies = [(least, _body(style, decimals)) for style, least in sorted(styles.items(), key=lambda item: item[1])]
    if len(bodies) == 1:
        body = bodies[0][1]
        if signed:
            return f"+{body};-{body};{_literal(zero) or body}"
        return f"{body};-{body};{_literal(zero)}" if zero and not zero.isdigit() else body
    if len(bodies) == 2 and not negative and not signed:
        (_, small), (least, large) = bodies
        return f"[>={least:.15g}]{large};{small}"
    return GENERAL


def number_formats(readings: Sequence[tuple[float, str]]) -> list[str]:
    """Return the format of each number: the same for all, or each its own where no format follows all texts."""
    of_all = number_format(readings)
    return [of_all if of_all != GENERAL else number_format([reading]) for reading in readings]


def _scale(value: float, shown: float, places: int) -> float | None:
    """How many of the number's units are one of the text's: 1,000 for "k", 0.01 for per cent of a share."""
    tolerance = 0.5 * 10.0**-places * (1 + 1e-6)
    return next((scale for scale in _SCALES if abs(value / scale - shown) <= tolerance), None)


def _body(style: _Style, decimals: int) -> str:
    number = "#,##0" + ("." + "0" * decimals if decimals else "")
    if style.scale == 0.01:
        percent, _, rest = style.suffix.partition("%")
        return _literal(style.prefix) + number + _literal(percent) + "%" + _literal(rest)
    thousands = "," * [1.0, 1e3, 1e6, 1e9, 1e12].index(style.scale)
    return _literal(style.prefix) + number + thousands + _literal(style.suffix)


def _literal(text: str) -> str:
    return '"' + text.replace('"', "") + '"' if text else ""
