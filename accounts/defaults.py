"""What a workspace's settings may be, as far as the apps above leave it to accounts, and what those apps add to it."""

from collections.abc import Callable, Mapping

from accounts.models import Workspace

PERIOD_DAYS = (30, 60, 90, 180, 365)
LONGEST_PERIOD_DAYS = 3660
WINDOW_DAYS = (7, 14, 30, 60, 90)
LONGEST_WINDOW_DAYS = 365

_attribution_models: dict[str, str] = {}
_amount_counters: list[Callable[[Workspace], bool]] = []


def register_attribution_models(labels: Mapping[str, str]) -> None:
    """Add models (name -> label) to those that a workspace may have as its default."""
    _attribution_models.update(labels)


def attribution_models() -> list[tuple[str, str]]:
    """Return name and label of each model that may be a workspace's default, in the order of their registration."""
    return list(_attribution_models.items())


def register_amounts(holds_amounts: Callable[[Workspace], bool]) -> None:
    """Let an app say whether it holds amounts of money of a workspace."""
    if holds_amounts not in _amount_counters:
        _amount_counters.append(holds_amounts)


def holds_amounts(workspace: Workspace) -> bool:
    """Whether anything of the workspace is an amount in its currency, which a new currency would give another worth."""
    return any(holds(workspace) for holds in _amount_counters)
