"""The text of a PDF, as a reader would copy it: glyphs are told by the tables that the PDF itself brings for that."""

import io
import re
from typing import Any

import pikepdf

_PAIR = re.compile(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>")
_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.*?)end\1", re.DOTALL)
_RANGE = re.compile(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>")


def words_of(pdf: bytes) -> set[str]:
    """Return every piece of text that is shown without a gap, of all pages."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return {word for page in document.pages for word in _words(page)}


def _words(page: pikepdf.Page) -> set[str]:
    fonts = {name: _letters(font) for name, font in page.resources.Font.items()}
    letters: dict[int, str] = {}
    words: set[str] = set()
    for instruction in pikepdf.parse_content_stream(page):
        operands: Any = instruction.operands
        operator = str(instruction.operator)
        if operator == "Tf":
            letters = fonts[str(operands[0])]
        elif operator in ("Tj", "TJ"):
            shown = operands[0] if operator == "TJ" else [operands[0]]
            codes = b"".join(bytes(piece) for piece in shown if isinstance(piece, pikepdf.String))
            text = "".join(letters.get(code, "") for code in _two_byte(codes))
            words |= {text.strip(), *text.split()}
    return words


def _letters(font: pikepdf.Object) -> dict[int, str]:
    """The code of each glyph -> what it stands for."""
    if "/ToUnicode" not in font:
        return {}
    found: dict[int, str] = {}
    for kind, block in _BLOCK.findall(font.ToUnicode.read_bytes()):
        if kind == b"bfchar":
            found |= {int(code, 16): _decoded(text) for code, text in _PAIR.findall(block)}
            continue
        for first, last, text in _RANGE.findall(block):
            start = ord(_decoded(text)[-1:] or "\0")
            found |= {code: chr(start + code - int(first, 16)) for code in range(int(first, 16), int(last, 16) + 1)}
    return found


def _decoded(text: bytes) -> str:
    return bytes.fromhex(text.decode()).decode("utf-16-be")


def _two_byte(codes: bytes) -> list[int]:
    return [int.from_bytes(codes[place : place + 2]) for place in range(0, len(codes), 2)]
