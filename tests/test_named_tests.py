"""What docs/security.md and docs/reliability.md say is proved by tests: those that they name are there."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

TESTS = Path(settings.BASE_DIR) / "tests"
DOCS = Path(settings.BASE_DIR) / "docs"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def _tests_in(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("document", "fewest"), [("security.md", 80), ("reliability.md", 25)])
def test_every_test_that_the_document_names_is_there(document: str, fewest: int) -> None:
    named = NAMED.findall((DOCS / document).read_text())
    assert len(named) > fewest
    missing = [f"{file}::{name}" for file, name in named if name not in _tests_in(TESTS / file)]
    assert missing == []


def test_every_threat_names_a_test() -> None:
    lines = (DOCS / "security.md").read_text().splitlines()
    rows = [line for line in lines if re.match(r"\| .* \| [STRIDE](, [STRIDE])* \|", line)]
    assert len(rows) > 40
    assert [row for row in rows if not NAMED.search(row)] == []
