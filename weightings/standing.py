"""Whether a finished result may be acted upon, and why not."""

from collections.abc import Mapping
from typing import Any

NOT_CONVERGED = (
    "The model has not converged, so no budget is recommended from it. Ask for more draws, or for a simpler model."
)
UNHEALTHY = "The model fails checks, so no budget is recommended from it. See what to do under Model health."


def doubts(result: Mapping[str, Any]) -> str:
    """Return why nothing is to be decided by a weightings result: a sentence, or "" where it may be."""
    if not result["diagnostics"]["converged"]:
        return NOT_CONVERGED
    return UNHEALTHY if result["verdict"] == "fail" else ""
