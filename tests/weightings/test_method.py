"""What is said of how a model came to its numbers: what it did, whatever was asked of it."""

from typing import Any

import pytest

from accounts.models import Workspace
from tests.weightings.results import finished
from weightings.presentation.method import method
from weightings.presentation.results import Result

pytestmark = pytest.mark.django_db


def said(workspace: Workspace, *, params: dict[str, Any] | None = None, **changes: Any) -> str:
    return " ".join(method(Result(finished(workspace, **changes, **(params or {})))))


def lift(channel: str, route: str | None) -> dict[str, Any]:
    """As much of an experiment as is said here."""
    return {"channel": channel, "route": route}


@pytest.mark.parametrize("asked", [None, "auto", "likelihood", "none"])
def test_no_experiment_was_used_where_the_result_has_none(workspace: Workspace, asked: str | None) -> None:
    text = said(workspace, params={"experiments": asked} if asked else {}, result={"experiments": []})
    assert "No experiment was used." in text
    assert "measurement" not in text


def test_experiments_are_named_with_what_they_were_used_as(workspace: Workspace) -> None:
    tests = [lift("TV", "prior"), lift("Search", "likelihood"), lift("Search", "likelihood"), lift("TV", None)]
    text = said(workspace, result={"experiments": tests})
    assert (
        "2 experiments of Search were used as measurements of their days; 1 experiment of TV was used as beliefs about "
        "returns; 1 more could not be used." in text
    )
    assert "No experiment" not in text


def test_adjusted_beliefs_are_called_so(workspace: Workspace) -> None:
    text = said(workspace, params={"experiments": "adjusted_prior"}, result={"experiments": [lift("TV", "prior")]})
    assert "1 experiment of TV was used as beliefs about returns, weaker for short, old and unusual tests." in text


@pytest.mark.parametrize(("there", "words"), [(1, "1 was there"), (3, "3 were there")])
def test_experiments_that_could_not_be_used_are_counted(workspace: Workspace, there: int, words: str) -> None:
    text = said(workspace, result={"experiments": [lift("TV", None)] * there})
    assert f"No experiment was used, though {words}." in text


def test_chains_agree_only_where_they_do(workspace: Workspace) -> None:
    assert "4 chains of 500 draws each, until the chains agree." in said(workspace)
    without = said(workspace, converged=False)
    assert "until the chains agree" not in without
    assert "4 chains of 500 draws each, for as many draws as were allowed; the chains do not agree" in without
