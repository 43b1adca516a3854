"""Custom attribution models, from a checked definition to the factors that the compiled loop multiplies.

The weight of a touch is its position weight x decay x the multipliers of its channel and of its channel's type x the
factors of all rules that hold. What depends on the traffic source alone is multiplied out here, once for each source;
rules that also ask for the age, the interaction or the position of a touch are left to the loop.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from attribution.methods.custom_definition import (
    MOST_NTH,
    Conditions,
    CustomDefinition,
    FirstMiddleLast,
    NthTouch,
    NthWeights,
    PositionWeights,
    Role,
)
from attribution.methods.custom_weighing import add_custom_credit
from marketing.frames import MICROSECONDS_PER_DAY, BoolColumn, Float64Column, Int64Column, UInt8Column, UInt32Column

INTERACTION_CODES = 256  # that the column of interactions has room for
ROLES = {role: code for code, role in enumerate(Role)}


@dataclass(frozen=True, slots=True, eq=False)
class CompiledCustom:
    """A custom model over the S traffic sources of a workspace, with R rules that are left to the loop.

    `source_factor`: (S,) float64, what depends on the source alone.
    `role_weight`: (4,) float64, weights of the first, middle, last and only touch; `is_middle_shared`: whether the
    touches between share theirs. `nth_weight`: (MOST_NTH+1,) float64, weights by number, the last for all further
    touches; `is_nth_from_end`: whether they are counted from the end.
    `half_life_us`: microseconds, infinite for no decay.
    `rule_factor`: (R,) float64. A rule holds where its row of `rule_source` (R, S), of `rule_interaction` (R, 256) and
    of `rule_role` (R, 4) or `rule_nth` (R, 2, MOST_NTH+1; from the start, from the end) is true and the age lies in
    `rule_age_us` (R, 2): at or above the first, below the second.
    `unknown_channels`, `unknown_campaigns`: names in the definition that no source has at present.
    """

    source_factor: Float64Column
    role_weight: Float64Column
    nth_weight: Float64Column
    is_middle_shared: bool
    is_nth_from_end: bool
    half_life_us: float
    rule_factor: Float64Column
    rule_source: npt.NDArray[np.bool_]
    rule_interaction: npt.NDArray[np.bool_]
    rule_role: npt.NDArray[np.bool_]
    rule_nth: npt.NDArray[np.bool_]
    rule_age_us: npt.NDArray[np.float64]
    unknown_channels: tuple[str, ...] = ()
    unknown_campaigns: tuple[str, ...] = ()

    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The arguments that the loop takes, in its order."""
        return (
            *(self.source_factor, self.role_weight, self.nth_weight),
            np.array([self.is_middle_shared, self.is_nth_from_end]),
            np.array([self.half_life_us]),
            *(self.rule_factor, self.rule_source, self.rule_interaction),
            *(self.rule_role, self.rule_nth, self.rule_age_us),
        )


def compile_custom(
    definition: CustomDefinition,
    *,
    channels: Sequence[str],
    channel_of_source: npt.NDArray[np.integer[Any]],
    campaigns: Sequence[str],
    campaign_of_source: npt.NDArray[np.integer[Any]],
    channel_types: Mapping[str, str],
    interaction_codes: Mapping[str, int],
    former_names: Mapping[str, str] | None = None,
) -> CompiledCustom:
    """Compile a definition for the sources of a workspace, as `SourceLookup` knows them.

    `channel_of_source`, `campaign_of_source`: (S,), indices into `channels` and into `campaigns`, of which the first
    stands for none and contains no text. `channel_types`: type by channel name. `interaction_codes`: code in
    `Touches.interaction` by name. `former_names`: what channels are called now, by names that they had before they were
    renamed or merged. Capitals never matter; names that nothing has match nothing.

    Raises KeyError for an interaction without a code.
    """
    lookup = _Lookup(channels, campaigns, channel_types, former_names or {})
    channel_factor = np.ones(len(channels))
    for name, multiplier in definition.channels:
        channel_factor[lookup.is_channel([name])] *= multiplier
    for name, multiplier in definition.channel_types:
        channel_factor[lookup.is_type([name])] *= multiplier
    source_factor = channel_factor[channel_of_source]
    left = []
    for rule in definition.rules:
        holds = lookup.channels_of(rule.when)[channel_of_source] & lookup.campaigns_of(rule.when)[campaign_of_source]
        if rule.when.interaction or rule.when.age_days or rule.when.position:
            left.append((rule, holds))
        else:
            source_factor[holds] *= rule.factor
    role_weight, nth_weight = _position_weights(definition.position)
    return CompiledCustom(
        source_factor=source_factor,
        role_weight=role_weight,
        nth_weight=nth_weight,
        is_middle_shared=isinstance(definition.position, FirstMiddleLast),
        is_nth_from_end=isinstance(definition.position, NthWeights) and definition.position.from_end,
        half_life_us=(definition.half_life_days or np.inf) * MICROSECONDS_PER_DAY,
        rule_factor=np.array([rule.factor for rule, _ in left]),
        rule_source=np.array([holds for _, holds in left], np.bool_).reshape(len(left), len(source_factor)),
        rule_interaction=np.array([_interactions(rule.when, interaction_codes) for rule, _ in left]).reshape(-1, 256),
        rule_role=np.array([_roles(rule.when) for rule, _ in left], np.bool_).reshape(-1, len(ROLES)),
        rule_nth=np.array([_nth(rule.when) for rule, _ in left], np.bool_).reshape(-1, 2, MOST_NTH + 1),
        rule_age_us=np.array([_ages_us(rule.when) for rule, _ in left]).reshape(-1, 2),
        unknown_channels=lookup.unknown_channels(definition),
        unknown_campaigns=lookup.unknown_campaigns(definition),
    )


def touch_weights(
    custom: CompiledCustom,
    *,
    touched_at: Int64Column,
    source: UInt32Column,
    interaction: UInt8Column,
    anchor_at: int,
) -> Float64Column:
    """The share of each touch of one journey: (n,) float64, zeros if no touch has any weight.

    `touched_at`: (n,) int64, oldest first; `anchor_at`: the time of the conversion; microseconds. This runs the loop
    that credits whole data, uncompiled: it is meant for a few journeys on a page.
    """
    touches = len(touched_at)
    # Each touch becomes a source and a group of its own, so that credit by group is credit by touch.
    by_touch = np.arange(touches, dtype=np.int64)
    of_touch = replace(custom, source_factor=custom.source_factor[source], rule_source=custom.rule_source[:, source])
    credit = np.zeros((1, touches + 1, 2))
    one_journey = (np.array([0]), np.array([touches]), np.array([True]), np.zeros(1), np.array([0]))
    of_touches = (np.array([anchor_at]), touched_at, by_touch, interaction, by_touch)
    loop: Callable[..., None] = add_custom_credit
    loop(credit, 0, 1, touches + 1, *one_journey, *of_touches, *of_touch.columns())
    return credit[0, :touches, 0].copy()


class _Lookup:
    """Which channels and campaigns names stand for, whatever their capitals."""

    def __init__(
        self,
        channels: Sequence[str],
        campaigns: Sequence[str],
        channel_types: Mapping[str, str],
        former_names: Mapping[str, str],
    ) -> None:
        self._former = {former.casefold(): now.casefold() for former, now in former_names.items()}
        self._channels = [name.casefold() for name in channels]
        self._campaigns = [name.casefold() for name in campaigns]
        types = {name.casefold(): channel_type for name, channel_type in channel_types.items()}
        self._types = [types.get(name, "") for name in self._channels]

    def is_channel(self, names: Iterable[str]) -> BoolColumn:
        return _is_in(self._channels, {self._now(name) for name in names})

    def is_type(self, types: Iterable[str]) -> BoolColumn:
        return _is_in(self._types, set(types))

    def channels_of(self, when: Conditions) -> BoolColumn:
        """Which channels a rule may hold for: (channels,) bool."""
        holds = np.ones(len(self._channels), np.bool_)
        if when.channel:
            holds &= self.is_channel(when.channel)
        if when.channel_type:
            holds &= self.is_type(when.channel_type)
        return holds

    def campaigns_of(self, when: Conditions) -> BoolColumn:
        """Which campaigns a rule may hold for: (campaigns,) bool."""
        if when.campaign:
            return _is_in(self._campaigns, {name.casefold() for name in when.campaign})
        if when.campaign_contains:
            text = when.campaign_contains.casefold()
            return np.array([place > 0 and text in name for place, name in enumerate(self._campaigns)], np.bool_)
        return np.ones(len(self._campaigns), np.bool_)

    def unknown_channels(self, definition: CustomDefinition) -> tuple[str, ...]:
        given = [name for name, _ in definition.channels]
        given += [name for rule in definition.rules for name in rule.when.channel]
        known = set(self._channels)
        return tuple(dict.fromkeys(name for name in given if self._now(name) not in known))

    def unknown_campaigns(self, definition: CustomDefinition) -> tuple[str, ...]:
        given = [name for rule in definition.rules for name in rule.when.campaign]
        known = set(self._campaigns)
        return tuple(dict.fromkeys(name for name in given if name.casefold() not in known))

    def _now(self, name: str) -> str:
        folded = name.casefold()
        return folded if folded in self._channels else self._former.get(folded, folded)


def _is_in(names: Sequence[str], wanted: set[str]) -> BoolColumn:
    return np.array([name in wanted for name in names], np.bool_)


def _position_weights(position: PositionWeights) -> tuple[Float64Column, Float64Column]:
    """Weights by role, (4,), and by number, (MOST_NTH+1,), of which one set is all ones."""
    by_role, by_number = np.ones(len(ROLES)), np.ones(MOST_NTH + 1)
    if isinstance(position, FirstMiddleLast):
        weights = {Role.FIRST: position.first, Role.MIDDLE: position.middle, Role.LAST: position.last, Role.ONLY: 100.0}
        for role, weight in weights.items():
            by_role[ROLES[role]] = weight / 100.0
    elif isinstance(position, NthWeights):
        by_number[:] = position.rest
        by_number[: len(position.weights)] = position.weights
    return by_role, by_number


def _interactions(when: Conditions, codes: Mapping[str, int]) -> BoolColumn:
    holds = np.full(INTERACTION_CODES, not when.interaction)
    holds[[codes[name] for name in when.interaction]] = True
    return holds


def _roles(when: Conditions) -> BoolColumn:
    return np.array([not when.position or role in when.position for role in ROLES], np.bool_)


def _nth(when: Conditions) -> npt.NDArray[np.bool_]:
    holds = np.zeros((2, MOST_NTH + 1), np.bool_)
    for touch in when.position:
        if isinstance(touch, NthTouch):
            holds[int(touch.from_end), touch.n - 1] = True
    return holds


def _ages_us(when: Conditions) -> tuple[float, float]:
    low, high = (when.age_days.at_least, when.age_days.below) if when.age_days else (None, None)
    return (low or 0.0) * MICROSECONDS_PER_DAY, (np.inf if high is None else high) * MICROSECONDS_PER_DAY
