"""Formulas of the guide: LaTeX, as forges show it, into MathML, which browsers draw and screen readers speak."""

import re

from latex2mathml.converter import convert

# What the converter lets through as it stands: a command that it does not know, and an alignment mark.
_NOT_CONVERTED = re.compile(r"\\[A-Za-z]+|&(?!\w+;|#)")


class FormulaError(ValueError):
    """A formula of the guide that cannot be shown."""


def mathml(latex: str, *, is_block: bool) -> str:
    """Return a formula as a `<math>` element. Raises FormulaError for LaTeX that the converter does not know."""
    try:
        element: str = convert(latex, display="block" if is_block else "inline")
    except Exception as error:  # the converter's own errors share no class of their own
        raise FormulaError(f"The formula {latex} cannot be read: {error!r}.") from error
    if left := _NOT_CONVERTED.search(element):
        raise FormulaError(f"The formula {latex} has {left[0]}, which cannot be shown.")
    return element
