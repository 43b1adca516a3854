"""What a workspace's settings may be, as far as the apps above leave it to accounts, and what those apps add to it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from accounts.models import Workspace

PERIOD_DAYS = (30, 60, 90, 180, 365)
LONGEST_PERIOD_DAYS = 3660
WINDOW_DAYS = (7, 14, 30, 60, 90)
LONGEST_WINDOW_DAYS = 365

Choices: TypeAlias = Sequence[tuple[str, Sequence[tuple[str, str]]]]  # by group: name and label

_attribution_models: list[Callable[[Workspace], Choices]] = []
_amount_counters: list[Callable[[Workspace], bool]] = []


def register_attribution_models(offered: Callable[[Workspace], Choices]) -> None:
    """Let an app say which models a workspace may have as its default, by group; its own may be among them."""
    if offered not in _attribution_models:
        _attribution_models.append(offered)


def attribution_models(workspace: Workspace) -> Choices:
    """Return name and label of each model that may be the workspace's default, by group, as they were registered."""
    return [group for offered in _attribution_models for group in offered(workspace)]


def register_amounts(holds_amounts: Callable[[Workspace], bool]) -> None:
    """Let an app say whether it holds amounts of money of a workspace."""
    if holds_amounts not in _amount_counters:
        _amount_counters.append(holds_amounts)


def holds_amounts(workspace: Workspace) -> bool:
    """Whether anything of the workspace is an amount in its currency, which a new currency would give another worth."""
    return any(holds(workspace) for holds in _amount_counters)
