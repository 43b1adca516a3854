"""Text in the cells of a sheet."""

from openpyxl.cell.cell import Cell

from charts.wording import printable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def is_like_a_formula(text: str) -> bool:
    """Whether a program may take the text for a formula."""
    return text.startswith(_FORMULA_STARTS)


def write_text(cell: Cell, text: str) -> Cell:
    """Write text that stays text, whatever it starts with."""
    cell.value = printable(text)
    if is_like_a_formula(cell.value):
        cell.data_type = "s"
        cell.quotePrefix = True  # or Excel reads it anew as soon as somebody edits the cell
    return cell
