"""The form of a workspace's own grouping rules: what was typed, in order, and what its buttons do to it.

Without a script each button sends the whole form and gets it back changed; nothing is kept until it is saved.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Self

from django.http import QueryDict

from accounts.models import Workspace
from marketing.grouping_rules import (
    FIELDS,
    MATCHES,
    OPERATORS,
    OTHERWISE,
    Errors,
    InvalidRulesError,
    Rules,
    parse_rules,
)
from marketing.models import Channel

RULE_KEY = re.compile(r"rule-(\d{1,4})-(channel|type|match)")
CONDITION_KEY = re.compile(r"rule-(\d{1,4})-(\d{1,4})-(field|operator|value)")
# What the form's lists offer: (value, label).
CHOICES: dict[str, list[tuple[str, str]]] = {
    "types": [("", "by its name"), *Channel.Type.choices],
    "matches": list(MATCHES.items()),
    "fields": list(FIELDS.items()),
    "operators": list(OPERATORS.items()),
    "otherwise": list(OTHERWISE.items()),
}
ACTION = re.compile(r"(add|remove|up|down|add-condition|remove-condition)(?:-(\d{1,4}))?(?:-(\d{1,4}))?")


@dataclass(slots=True)
class ConditionFields:
    """A condition as typed; `errors` by its fields. `has_focus`: whether the cursor goes there."""

    field: str = "source"
    operator: str = "contains"
    value: str = ""
    errors: dict[str, Sequence[str]] = dataclass_field(default_factory=dict)
    has_focus: bool = False


@dataclass(slots=True)
class RuleFields:
    """A rule as typed; `errors` by its fields. `focus`: the field or button that the cursor goes to."""

    channel: str = ""
    type: str = ""
    match: str = "all"
    conditions: list[ConditionFields] = dataclass_field(default_factory=lambda: [ConditionFields()])
    errors: dict[str, Sequence[str]] = dataclass_field(default_factory=dict)
    focus: str = ""


@dataclass(slots=True)
class GroupingEditor:
    """The whole form. `seen`: the digest of the rules that it started from. `focus`: as of a rule.

    `is_complete`: whether the rules can be kept, once they have been looked at.
    """

    grouping: str
    rules: list[RuleFields]
    otherwise: str
    seen: str
    focus: str = ""
    errors: Sequence[str] = ()
    is_complete: bool = True

    @classmethod
    def of(cls, *, workspace: Workspace, stored: Rules) -> Self:
        """The form for the rules that are stored."""
        rules = [
            RuleFields(
                channel=rule.channel,
                type=rule.type,
                match=rule.match,
                conditions=[
                    ConditionFields(each.field, each.operator, "\n".join(each.values)) for each in rule.conditions
                ],
            )
            for rule in stored.rules
        ]
        return cls(workspace.channel_grouping, rules, stored.otherwise, stored.digest)

    @classmethod
    def posted(cls, data: QueryDict) -> Self:
        """The form as somebody filled it in."""
        rules: dict[int, dict[str, str]] = {}
        conditions: dict[int, dict[int, dict[str, str]]] = {}
        for key, value in data.items():
            if found := RULE_KEY.fullmatch(key):
                rules.setdefault(int(found[1]), {})[found[2]] = str(value)
            elif found := CONDITION_KEY.fullmatch(key):
                conditions.setdefault(int(found[1]), {}).setdefault(int(found[2]), {})[found[3]] = str(value)
        typed = [
            RuleFields(
                channel=rule.get("channel", ""),
                type=rule.get("type", ""),
                match=rule.get("match", "all"),
                conditions=[
                    ConditionFields(each.get("field", ""), each.get("operator", ""), each.get("value", ""))
                    for _, each in sorted(conditions.get(number, {}).items())
                ],
            )
            for number, rule in sorted(rules.items())
        ]
        text = {name: str(data.get(name, "")) for name in ("grouping", "otherwise", "seen")}
        return cls(text["grouping"], typed, text["otherwise"] or "standard", text["seen"])

    def carry_out(self, action: str) -> bool:
        """Do what a button says, such as "up-3", and remember where to go on; returns whether it says anything."""
        found = ACTION.fullmatch(action)
        if not found:
            return False
        verb, number, part = found[1], int(found[2] or 0), int(found[3] or 0)
        if verb == "add":
            self.rules.append(RuleFields(focus="channel"))
        elif number < len(self.rules):
            self._change(verb, number, part)
        return True

    def _change(self, verb: str, number: int, part: int) -> None:
        rule = self.rules[number]
        if verb == "remove":
            del self.rules[number]
            if self.rules:
                self.rules[min(number, len(self.rules) - 1)].focus = "remove"
            else:
                self.focus = "add"
        elif verb in ("up", "down"):
            last = len(self.rules) - 1
            place = max(number - 1, 0) if verb == "up" else min(number + 1, last)
            self.rules.insert(place, self.rules.pop(number))
            # At the end the button is of no use any more, so the other one is next.
            rule.focus = "down" if place == 0 else "up" if place == last else verb
        elif verb == "add-condition":
            rule.conditions.append(ConditionFields(has_focus=True))
        elif part < len(rule.conditions):
            del rule.conditions[part]
            rule.focus = "add-condition"

    def document(self) -> list[dict[str, Any]]:
        """The rules as they are stored, if they can be."""
        rules: list[dict[str, Any]] = []
        for each in self.rules:
            rule: dict[str, Any] = {"channel": each.channel.strip(), "match": each.match}
            if each.type:
                rule["type"] = each.type
            rule["conditions"] = [_condition(condition) for condition in each.conditions]
            rules.append(rule)
        return rules if self.otherwise == "standard" else [*rules, {"otherwise": self.otherwise}]

    def parsed(self) -> Rules | None:
        """The rules; None, with the errors where they belong, if they cannot be. Those that do not count may wait."""
        if self.grouping not in Workspace.Grouping.values:
            self.errors = ["Choose how traffic is grouped."]
            return None
        try:
            return parse_rules(self.document())
        except InvalidRulesError as invalid:
            self.is_complete = False
            if self.grouping != Workspace.Grouping.CUSTOM:
                return Rules()
            self._tell(invalid.errors)
            return None

    def _tell(self, errors: Errors) -> None:
        told = []
        for path, sentences in errors.items():
            parts = path.split(".")
            place = int(parts[0]) if parts[0].isdecimal() else len(self.rules)
            if place >= len(self.rules):
                told += sentences
                continue
            at = self.rules[place].conditions[int(parts[2])].errors if len(parts) == 4 else self.rules[place].errors
            at[parts[-1]] = sentences
            told += [f"Rule {place + 1}: {sentence}" for sentence in sentences]
        self.errors = told


def _condition(typed: ConditionFields) -> dict[str, Any]:
    condition: dict[str, Any] = {"field": typed.field, "operator": typed.operator}
    if typed.operator == "one_of":
        condition["value"] = [value for value in re.split(r"[\n\r,]+", typed.value) if value.strip()]
    elif typed.operator != "is_empty":
        condition["value"] = typed.value.strip()
    return condition
