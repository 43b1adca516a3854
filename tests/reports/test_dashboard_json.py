"""The dashboard as JSON: the shape that docs/api.md promises, with its numbers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User, Workspace
from analyses.models import Run
from tests.reports.export_world import kept
from tests.weightings.results import finished

ClientFor = Callable[[User | None], Client]
ADDRESS = "/w/acme/dashboard/export.json?start=2026-03-01&end=2026-03-31&model=last"
ELSEWHERE = {"data_driven"}  # tests/reports/test_data_driven_evidence.py has a run of it


@pytest.fixture
def promised() -> dict[str, Any]:
    """The example of the documentation."""
    text = (Path(settings.BASE_DIR) / "docs/api.md").read_text()
    section = text[text.index("The dashboard's JSON has this shape") :]
    example = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert example
    found: dict[str, Any] = json.loads(example[1])
    return found


@pytest.fixture
def given(shop: Workspace, figures: None, client_for: ClientFor, viewer: User) -> dict[str, Any]:
    kept(finished(shop))
    found: dict[str, Any] = client_for(viewer).get(ADDRESS).json()
    return found


def shape(value: Any) -> Any:
    """Names of fields all the way down, and of lists what their first entry has."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items() if name != "..."}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


def lacking(promised: Any, given: Any, at: str = "") -> list[str]:
    """What is promised and not given."""
    if isinstance(promised, dict):
        if not isinstance(given, dict):
            return [f"{at} is no object"]
        return [
            line
            for name, each in promised.items()
            for line in ([f"{at}.{name}"] if name not in given else lacking(each, given[name], f"{at}.{name}"))
        ]
    if isinstance(promised, list) and promised and isinstance(given, list):
        return lacking(promised[0], given[0], f"{at}[0]")
    return []


def test_it_has_every_field_that_is_promised(promised: dict[str, Any], given: dict[str, Any]) -> None:
    expected = {name: value for name, value in shape(promised).items() if name not in ELSEWHERE}
    assert lacking(expected, given) == []


def test_every_field_is_in_the_documentation(promised: dict[str, Any], given: dict[str, Any]) -> None:
    assert list(given) == list(promised)
    for part in ("channels", "days", "experiments"):
        assert given[part]
        assert set(given[part][0]) == set(promised[part][0])
    assert set(given["media_mix"]) == set(promised["media_mix"])


def test_the_numbers_of_the_example_are_those_of_such_a_shop(promised: dict[str, Any], given: dict[str, Any]) -> None:
    for part in ("title", "workspace", "currency", "period", "goal", "model", "window_days", "total"):
        assert given[part] == promised[part]
    (search,) = (channel for channel in given["channels"] if channel["name"] == "Search")
    assert search.items() >= {"conversions": 1.0, "revenue": 300.0, "spend": 100.0, "roas": 3.0}.items()
    assert given["days"][0] == promised["days"][0]
    assert given["revenue_by_model"].items() >= {"last": 450.0, "first": 450.0}.items()


def test_it_says_where_it_comes_from(given: dict[str, Any]) -> None:
    run = Run.objects.get(pk=given["run"])
    assert (run.data_version, run.kind) == (given["data_version"], "daily_attribution")
    assert given["computed_at"] == "2026-04-01T09:00:00+00:00"
