"""Asking questions of tables by an engine."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Workspace
from tests.spark.worlds import random_rows, write

AskTables = Callable[..., dict[str, Any]]


@pytest.fixture
def ask_tables(shop: Workspace) -> AskTables:
    """`ask_tables("local", folder, model="last")` asks of March 2026 on the command line and returns the result."""

    def ask(engine: str, source: Path | str, *options: str, **params: object) -> dict[str, Any]:
        out = StringIO()
        asked = {"start": "2026-03-01", "end": "2026-03-31", "replicates": 100} | params
        named = [f"--param={name}={value}" for name, value in asked.items()]
        call_command(
            *("analyse", "attribution", f"--workspace={shop.slug}", f"--engine={engine}", f"--source={source}"),
            *options,
            *named,
            stdout=out,
            stderr=StringIO(),
        )
        result: dict[str, Any] = json.loads(out.getvalue())
        return result

    return ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables of 300 customers drawn at random."""
    touches, conversions = random_rows(7, 300)
    write(tmp_path, "touches", touches)
    write(tmp_path, "conversions", conversions)
    return tmp_path
