"""The attribution models that can be asked for: their names, and what people read of them.

A name says everything about a model, its settings included: `time_decay:14` has a half-life of 14 days,
`position:30-40-30` gives 30% to the first touch, 40% to those between and 30% to the last, and `custom:3@2` is the
second version of the workspace's own model 3. So models with different settings stand side by side in one run.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from attribution.labels import MODEL_LABELS, MODEL_RULES

if TYPE_CHECKING:
    from attribution.methods.markov import MarkovModel
    from attribution.methods.rules import RuleModel
    from attribution.methods.shapley import ShapleyModel

# Custom models as params keep them in `custom_models`: {"custom:3@2": {"name": "Our model", "version": 2, ...}}.
CustomModels: TypeAlias = Mapping[str, Mapping[str, Any]]

CUSTOM_PREFIX = "custom:"
DATA_DRIVEN, BAYESIAN = "data_driven", "bayesian_markov"
LAST_RESORT = "last_non_direct"  # where the workspace's default is no model (any more), or cannot be taken
DEFAULT_HALF_LIFE_DAYS, LONGEST_HALF_LIFE_DAYS = 7.0, 3650.0
DECIMALS = 6  # of the settings that names of models say
TOTAL_WITHIN = 1e-5  # of 100%: thirds can be said
DEFAULT_WEIGHTS = (40.0, 20.0, 40.0)


class Family(StrEnum):
    """What a model learns from: nothing (a rule), the paths themselves, or what the workspace has defined."""

    RULE = "rule"
    DATA_DRIVEN = "data_driven"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Model:
    """A model as people know it. `name` as in params and results; `sentence` says what it does."""

    name: str
    label: str
    sentence: str
    family: Family

    @property
    def is_data_driven(self) -> bool:
        return self.family == Family.DATA_DRIVEN

    @property
    def adds_up(self) -> bool:
        """Whether the credit of all groups is the conversions there are; under Participation each group has its own."""
        return self.name != "participation"


class UnknownModel(ValueError):
    """There is no such model, or not with these settings; the sentence says what there is."""


_MARKOV = "paths are followed as a Markov chain, with those that did not convert"
_PLAIN = (
    *(Model(name, label, MODEL_RULES[name], Family.RULE) for name, label in MODEL_LABELS.items()),
    Model(
        "j_shape", "J-Shape", "20% to the first touch, 60% to the last, the rest shared by those between.", Family.RULE
    ),
    Model(
        "inverse_j",
        "Inverse J-Shape",
        "60% to the first touch, 20% to the last, the rest shared by those between.",
        Family.RULE,
    ),
    Model(
        "w_shape",
        "W-Shape",
        "30% each to the first touch, to the one that made the lead, and to the last; the rest shared by the others. "
        "Journeys without a lead are credited 40% each to the first and the last touch, 20% to those between.",
        Family.RULE,
    ),
    Model(
        "participation",
        "Participation",
        "Each channel on the path gets the whole conversion, so that the credit of all channels is more than there is.",
        Family.RULE,
    ),
    Model(
        DATA_DRIVEN,
        "Data-Driven",
        "Credit in proportion to how many conversions would be lost without a channel: "
        f"{_MARKOV}; the next touch depends on the last one (order 1).",
        Family.DATA_DRIVEN,
    ),
    *(
        Model(
            f"markov:{order}",
            f"Markov, order {order}",
            f"Credit in proportion to removal effects: {_MARKOV}; the next touch depends on the last {touches}.",
            Family.DATA_DRIVEN,
        )
        for order, touches in ((1, "one"), (2, "two"), (3, "three"))
    ),
    Model(
        "shapley",
        "Shapley",
        "Credit by each channel's average marginal effect on the conversion rate over all orders in which channels "
        "could have been added; negative where a channel comes with a lower rate.",
        Family.DATA_DRIVEN,
    ),
    Model(
        "shapley:simplified",
        "Simplified Shapley",
        "Every channel on the path gets the same share, however often it was touched.",
        Family.DATA_DRIVEN,
    ),
    Model(
        BAYESIAN,
        "Bayesian Markov",
        "As Data-Driven, with a posterior of where journeys go next: its intervals say what the paths leave open.",
        Family.DATA_DRIVEN,
    ),
)
MODELS = {model.name: model for model in _PLAIN}
# Those without settings of their own that a list offers; a Markov chain of order 1 is what Data-Driven means.
OFFERED = {name: model for name, model in MODELS.items() if name != "markov:1"}


def find(asked: str, customs: CustomModels | None = None) -> Model:
    """Return the model with this name, its settings written in the one canonical way. Raises UnknownModel.

    `customs`: the custom models that may be named.
    """
    name = asked.strip()
    if name == "markov":
        name = "markov:1"
    if name in MODELS:
        return MODELS[name]
    if custom := (customs or {}).get(name):
        return _custom(name, custom)
    kind, _, setting = name.partition(":")
    if kind in _SETTABLE and setting:
        return _SETTABLE[kind](setting)
    raise UnknownModel(f"There is no model “{asked[:60]}”. Choose from {', '.join(OFFERED)}.")


def _custom(name: str, custom: Mapping[str, Any]) -> Model:
    return Model(name, f"{custom['name']} (v{custom['version']})", custom.get("words", "") or _OWN, Family.CUSTOM)


_OWN = "The workspace's own model."


def _time_decay(setting: str) -> Model:
    days = _rounded(setting)
    if days is None or not 0 < days <= LONGEST_HALF_LIFE_DAYS:
        raise UnknownModel(
            f"The half-life of time_decay is more than 0 and at most {LONGEST_HALF_LIFE_DAYS:g} days, "
            f"not “{setting[:60]}”."
        )
    if days == DEFAULT_HALF_LIFE_DAYS:
        return MODELS["time_decay"]
    in_days = f"{_text(days)} {'day' if days == 1 else 'days'}"
    sentence = f"A touch weighs half as much for every {in_days} that it lies before the conversion."
    return Model(f"time_decay:{_text(days)}", f"Time Decay, {in_days}", sentence, Family.RULE)


def _position(setting: str) -> Model:
    weights = [_rounded(part) for part in setting.split("-")]
    if len(weights) != 3 or any(weight is None or weight < 0 for weight in weights):
        raise UnknownModel(
            "The weights of position are first-middle-last in percent, such as position:30-40-30, "
            f"not “{setting[:60]}”."
        )
    first, middle, last = (weight or 0.0 for weight in weights)
    if problem := weights_problem(first, middle, last):
        raise UnknownModel(f"The weights of position {problem}.")
    if (first, middle, last) == DEFAULT_WEIGHTS:
        return MODELS["position"]
    texts = [_text(weight) for weight in (first, middle, last)]
    return Model(
        f"position:{'-'.join(texts)}",
        f"Position Based {'/'.join(texts)}",
        f"{texts[0]}% to the first touch, {texts[2]}% to the last, {texts[1]}% shared by those between.",
        Family.RULE,
    )


def weights_problem(first: float, middle: float, last: float) -> str:
    """Say what weights in percent must do that these do not, as the rest of a sentence about them; "" if nothing."""
    if abs(first + middle + last - 100) > TOTAL_WITHIN:
        return f"must total 100%, not {_text(first + middle + last)}%"
    return "" if first + last > 0 else "must give something to the first or the last touch"


_SETTABLE: dict[str, Callable[[str], Model]] = {"time_decay": _time_decay, "position": _position}


def half_life_days(model: str) -> float:
    """Return the half-life that the name of a time-decay model says."""
    _, _, setting = model.partition(":")
    return float(setting) if setting else DEFAULT_HALF_LIFE_DAYS


def position_weights(model: str) -> tuple[float, float, float]:
    """Return the weights in percent (first, middle, last) that the name of a position-based model says."""
    _, _, setting = model.partition(":")
    if not setting:
        return DEFAULT_WEIGHTS
    first, middle, last = map(float, setting.split("-"))
    return first, middle, last


def parse_method(asked: str) -> "RuleModel | MarkovModel | ShapleyModel":
    """Return the method of a model that is neither custom nor Bayesian, by its canonical name. Raises UnknownModel."""
    from attribution.methods import rules
    from attribution.methods.markov import MarkovModel
    from attribution.methods.shapley import ShapleyModel

    name = find(asked).name
    kind, _, setting = name.partition(":")
    plain = rules.RULE_MODELS | rules.MORE_RULE_MODELS
    if name in plain:
        return plain[name]
    if kind == "time_decay":
        return rules.time_decay(half_life_days(name), name)
    if kind == "position":
        return rules.position(*position_weights(name), name)
    if name == DATA_DRIVEN:
        return MarkovModel(name, order=1)
    if kind == "markov":
        return MarkovModel(name, order=int(setting))
    if name == "shapley":
        return ShapleyModel(name)
    raise UnknownModel(f"“{name}” has no method of its own.")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and text.strip() == text and "_" not in text else None


def _rounded(text: str) -> float | None:
    """Return a number as the name of a model can say it; None if it is none."""
    number = _number(text)
    return None if number is None else round(number, DECIMALS)


def _text(number: float) -> str:
    """Return a number as short as it can be written: 14, 2.5."""
    return f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")
