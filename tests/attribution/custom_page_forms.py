"""What the pages of custom models send, as browsers do."""

from collections.abc import Callable, Mapping
from typing import Any

from django.test import Client

from accounts.models import User

ClientFor = Callable[[User | None], Client]
LIST = "/w/acme/attribution/models/"
NEW = f"{LIST}new/"
HTMX = {"HX-Request": "true"}
# What a form sends that has been left as it is offered.
EVEN = {"shape": "even", "paid": "1", "organic": "1", "owned": "1", "offline": "1", "half_life_days": ""}
ENDS = EVEN | {"shape": "ends", "first": "50", "middle": "30", "last": "20"}


def sent(*rules: Mapping[str, Any], action: str = "save", **fields: str) -> dict[str, Any]:
    """What the form sends, with each rule as its fields."""
    data: dict[str, Any] = {"name": "Mine", "description": "", "action": action, **ENDS, **fields}
    data["rule"] = [str(place) for place in range(len(rules))]
    for place, rule in enumerate(rules):
        data |= {f"r{place}-{name}": value for name, value in rule.items()}
    return data
