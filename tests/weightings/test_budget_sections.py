"""What a recommended budget says of its aim and of what it brings, in the outcome's unit."""

import numpy as np
import pytest

from accounts.models import Workspace
from analyses.models import Run
from tests.weightings.budgets import budget
from tests.weightings.stored_runs import a_stored_run, stored_run
from tests.weightings.worlds import panel
from weightings.budgets.document import document
from weightings.methods.posterior import posterior_of
from weightings.methods.preparing import Choices, prepare
from weightings.presentation.results import Result


def a_run_of_signups(workspace: Workspace) -> Run:
    """Some hundred euros for one of them."""
    rng = np.random.default_rng(5)
    spend = rng.gamma(2, 50, (66, 2)).round(2)
    outcome = 30 + 0.01 * spend[6:].sum(axis=1) + rng.normal(0, 1, 60)
    signups = panel(outcome, spend, history=6, is_money=False, names=("TV", "Search"))
    prepared = prepare(signups, Choices(lags=5, knots=6))
    posterior = posterior_of(prepared, 0.3 * rng.standard_normal((40, prepared.model.size)), rng)
    return stored_run(workspace, signups, posterior, knots=6)


def aim_of(run: Run) -> str:
    return document(run).sections[0].sentences[1]


def test_targets_are_given_for_as_much_spend_as_returns_are(workspace: Workspace) -> None:
    result = Result(a_run_of_signups(workspace))
    assert result.per_spend == 100
    found = budget(workspace, goal="return", target=0.0124)
    assert aim_of(found).endswith("while it returns at least 1.24 per €100.")
    found = budget(workspace, goal="marginal_return", target=0.0124)
    assert aim_of(found).endswith("up to where the next €100 of spend would add less than 1.24.")


@pytest.mark.parametrize(("total", "word"), [(5000, "less"), (12000, "more")])
def test_a_budget_that_brings_less_says_so(total: float, word: str, workspace: Workspace) -> None:
    model = a_stored_run(workspace)
    found = budget(workspace, total=total)
    assert found.result is not None
    gain = found.result["budget"]["gain"]["median"]
    amount = Result(model).rounded(abs(gain))
    assert f"would bring {amount} {word} (" in document(found).headline
