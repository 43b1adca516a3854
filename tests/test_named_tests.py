"""What docs/security.md says is proved by tests: those that it names are there."""

import ast
import re
from pathlib import Path

from django.conf import settings

TESTS = Path(settings.BASE_DIR) / "tests"
DOCUMENT = Path(settings.BASE_DIR) / "docs/security.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def _tests_in(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_document_names_is_there() -> None:
    named = NAMED.findall(DOCUMENT.read_text())
    assert len(named) > 80
    missing = [f"{file}::{name}" for file, name in named if name not in _tests_in(TESTS / file)]
    assert missing == []


def test_every_threat_names_a_test() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if re.match(r"\| .* \| [STRIDE](, [STRIDE])* \|", line)]
    assert len(rows) > 40
    assert [row for row in rows if not NAMED.search(row)] == []
