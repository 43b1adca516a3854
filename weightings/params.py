"""The parameters of a media mix model, as people ask for it and as it is kept."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from babel import Locale
from django.utils import timezone

from accounts.models import Workspace
from analyses import asking
from analyses.asking import LARGEST_SEED, Refused
from analyses.errors import InvalidParams
from marketing.channel_index import channel_index
from marketing.models import Outcome
from marketing.periods import Period, preset, preset_name, yesterday
from weightings import expected_returns, leaving_out
from weightings.labels import EXPERIMENT_USES, EXPOSURES, GRANULARITIES, LIFT_COUNTS, LIGHTWEIGHT, MODEL_LABELS
from weightings.outcomes import days_of_data, outcomes_with_data, usual_outcome

LEAVE_OUT = ("leave_out_channels", "leave_out_controls", "leave_out_experiments")
KNOWN = (
    *("outcome", "period", "start", "end", "granularity", "model", "confidence", "exposure", "holidays", "roi"),
    *("bounds", "knots", "folds", "draws", "seed", "short_allowed", "experiments", "lifts", "by_geo"),
    *LEAVE_OUT,
)
EFFECTS = "effects"  # what `roi` becomes
MEASURED_IN = "measured_in"  # what the outcome's settings say of it: canonical params keep it, nobody gives it
ALL = "all"  # the period of all data
MOST_KNOTS = 50
FOLDS, GEO_FOLDS, MOST_FOLDS = 3, 1, 6
DRAWS, FEWEST_DRAWS, MOST_DRAWS = 4000, 500, 20_000
LIGHTWEIGHT_DRAWS = 2000  # each takes many times as long, and more of them seldom help these models
NO_EXPERIMENTS = "none"
YES, NO = ("yes", "true", "1", "on"), ("no", "false", "0", "off")
_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
_SIGNED = re.compile(rf"[-\u2212]?{_NUMBER}")


_Reader: TypeAlias = Callable[[Workspace, Mapping[str, Any]], dict[str, Any]]


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the workspace's or the model's default.

    `outcome`: a name, or a kind such as sales or brand_awareness. `period`: all (if absent), last_30 ... or `start` and
    `end` -> `start` and `end` of what is reported; the model learns from all data up to the end. `granularity`,
    `model`, `seed`, `confidence` in percent, `folds` held back and `draws` at most per chain are always there;
    `exposure`, `holidays` and `bounds` (-> lists), `knots`, `short_allowed`, `experiments`, `lifts` and `by_geo` only
    where they differ from the default; `leave_out_channels`, `leave_out_controls` and `leave_out_experiments` (-> lists
    of names) only where something is.
    `roi`: expected returns as text or as a mapping -> `effects` by channel. `measured_in`, money, share or number, is
    looked up anew. Raises InvalidParams with a sentence for each field.
    """
    known = (*KNOWN, EFFECTS, MEASURED_IN)  # canonical ones come back
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in known}
    given = {name: value for name, value in params.items() if value not in (None, "", [], {})}
    cleaned: dict[str, Any] = {}
    try:
        outcome = _outcome(workspace, given)
    except Refused as refusal:
        errors[refusal.name] = str(refusal)
        readers: Sequence[_Reader] = _READERS
    else:
        cleaned |= {"outcome": outcome.name, MEASURED_IN: _measured_in(outcome)}
        readers = (partial(_period, outcome), *_READERS, partial(_effects, outcome))
    for read in readers:
        try:
            cleaned |= read(workspace, given)
        except Refused as refusal:
            errors[refusal.name] = str(refusal)
    unused = [name for name in cleaned.get(EFFECTS, ()) if name in cleaned.get("leave_out_channels", ())]
    if unused:
        errors["roi"] = f"A return is expected of “{unused[0]}”, which is left out. Say nothing of it, or keep it in."
    if errors:
        raise InvalidParams(errors)
    return cleaned


def _outcome(workspace: Workspace, given: Mapping[str, Any]) -> Outcome:
    """The outcome by its name, or the first with data of a kind."""
    with_data = outcomes_with_data(workspace)
    if "outcome" not in given:
        usual = usual_outcome(with_data)
        if usual is None:
            raise Refused("outcome", "There is no outcome with values yet. Import some, such as sales by day.")
        return usual
    asked = str(given["outcome"]).strip().casefold()
    known = list(Outcome.objects.filter(workspace=workspace).order_by("pk"))
    named = [outcome for outcome in known if outcome.name.casefold() == asked]
    kinds = [kind for kind in Outcome.Kind if kind != Outcome.Kind.CUSTOM]
    of_kind = [outcome for outcome in known if outcome.kind == asked and outcome.kind in kinds]
    found = next((outcome for outcome in (*named, *of_kind) if outcome in with_data), None)
    if found is not None:
        return found
    names = ", ".join(outcome.name for outcome in with_data) or "none"
    if named or of_kind:
        name = next(iter((*named, *of_kind))).name
        raise Refused("outcome", f"“{name}” has no values yet. Import some, or choose another outcome: {names}.")
    raise Refused("outcome", f"There is no outcome “{_cut(given['outcome'])}”. Outcomes with values: {names}.")


def _measured_in(outcome: Outcome) -> str:
    """What the settings say of the outcome, on which the answer depends as much as on the data."""
    if outcome.is_money:
        return "money"
    return "share" if outcome.kind == Outcome.Kind.BRAND_AWARENESS else "number"


def _period(outcome: Outcome, workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    if "start" in given or "end" in given:
        if "period" in given:
            raise Refused("period", "Give a period by name, or a start and an end, not both.")
        return asking.custom_period(given)
    asked = str(given.get("period", ALL)).strip().lower()
    if asked == ALL:
        period = days_of_data(outcome)
        assert period is not None  # noqa: S101 - outcomes without data are refused
        return asking.ends(period)
    try:
        period = preset(preset_name(asked), until=yesterday(now=timezone.now(), zone=workspace.zone))
    except ValueError as error:
        raise Refused("period", f"{error} Or “{ALL}”, for all data.") from None
    data = days_of_data(outcome)
    if data is not None and data.end < period.start:
        offer = Period.last_days(period.days, until=data.end)
        raise Refused(
            "period",
            f"“{outcome.name}” has no values from {period.label}: they end on {data.end:%-d %b %Y}. Choose "
            f"{offer.start} as the start and {offer.end} as the end, {offer.days} days up to then.",
        )
    return asking.ends(period)


def _granularity(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("granularity", "week")).strip().lower()
    if asked not in GRANULARITIES:
        raise Refused("granularity", f"The granularity is {', '.join(GRANULARITIES)}, not “{_cut(asked)}”.")
    return {"granularity": asked}


def _model(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("model", "hill")).strip().lower()
    if asked not in MODEL_LABELS:
        raise Refused("model", f"There is no model “{_cut(asked)}”. Models: {', '.join(MODEL_LABELS)}.")
    return {"model": asked}


def is_lightweight(given: Mapping[str, Any]) -> bool:
    """Whether the question is for a model of the LightweightMMM package."""
    return str(given.get("model", "")).strip().lower().startswith(LIGHTWEIGHT)


def _exposure(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("exposure", "auto")).strip().lower()
    if asked not in EXPOSURES:
        raise Refused("exposure", f"The exposure is {', '.join(EXPOSURES)}, not “{_cut(asked)}”.")
    return {} if asked == "auto" else {"exposure": asked}


def _holidays(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = given.get("holidays", [])
    codes = [str(code).strip().upper() for code in (asked if isinstance(asked, list) else str(asked).split(","))]
    codes = sorted({code for code in codes if code})
    for code in codes:
        if code not in Locale("en").territories or not code.isalpha():
            raise Refused("holidays", f"“{_cut(code)}” is no country's two letters, such as DE.")
    return {"holidays": codes} if codes else {}


def _bounds(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    if "bounds" not in given:
        return {}
    asked = given["bounds"]
    given_parts = asked if isinstance(asked, list) else str(asked).split(",")
    parts = [expected_returns.plain(part) if isinstance(part, float) else str(part).strip() for part in given_parts]
    if len(parts) != 2 or not all(_SIGNED.fullmatch(part) for part in parts):
        raise Refused("bounds", f"Bounds are two numbers such as 0,100, not “{_cut(asked)}”.")
    low, high = (float(part.replace("\u2212", "-")) for part in parts)
    if not low < high:
        said = f"{expected_returns.plain(low)} and {expected_returns.plain(high)}"
        raise Refused("bounds", f"The lower bound must lie below the upper one, not {said}.")
    return {"bounds": [low, high]}


def _knots(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    if "knots" not in given:
        return {}
    if is_lightweight(given):
        raise Refused("knots", "LightweightMMM's models have a trend of their own: leave the knots out.")
    return {"knots": asking.whole(given, "knots", 0, 0, MOST_KNOTS)}


def _folds(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """How often periods are held back; LightweightMMM's models are not tried on any, and those of geos on few."""
    usual = GEO_FOLDS if _by_geo(_workspace, given) else 0 if is_lightweight(given) else FOLDS
    folds = asking.whole(given, "folds", usual, 0, MOST_FOLDS)
    if folds and is_lightweight(given):
        raise Refused("folds", "LightweightMMM's models are not tried on periods held back: leave the folds out.")
    return {"folds": folds}


def _short_allowed(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("short_allowed", "no")).strip().lower()
    if asked not in (*YES, *NO):
        raise Refused("short_allowed", f"“short_allowed” is yes or no, not “{_cut(asked)}”.")
    return {"short_allowed": "yes"} if asked in YES else {}


def _by_geo(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("by_geo", "no")).strip().lower()
    if asked not in (*YES, *NO):
        raise Refused("by_geo", f"“by_geo” is yes or no, not “{_cut(asked)}”.")
    if asked in NO:
        return {}
    if is_lightweight(given):
        raise Refused("by_geo", "LightweightMMM's models know one market only: leave the geos out.")
    if "bounds" in given:
        raise Refused("by_geo", "An outcome with bounds does not add up over geos: model it for all geos together.")
    return {"by_geo": "yes"}


def _experiments(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("experiments", "auto")).strip().lower()
    if asked not in EXPERIMENT_USES:
        raise Refused("experiments", f"Experiments are used as {', '.join(EXPERIMENT_USES)}, not “{_cut(asked)}”.")
    if is_lightweight(given) and asked not in ("auto", NO_EXPERIMENTS):
        raise Refused("experiments", "LightweightMMM's models know no experiments: leave them out.")
    return {} if asked == "auto" else {"experiments": asked}


def _lifts(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """What lifts count, which is of no consequence where no experiments are used."""
    asked = str(given.get("lifts", "all")).strip().lower()
    if asked not in LIFT_COUNTS:
        raise Refused("lifts", f"What lifts count is {' or '.join(LIFT_COUNTS)}, not “{_cut(asked)}”.")
    if asked == "all" or str(given.get("experiments", "")).strip().lower() == NO_EXPERIMENTS:
        return {}
    if is_lightweight(given):
        raise Refused("lifts", "LightweightMMM's models know no experiments: leave out what their lifts count.")
    return {"lifts": asked}


def _without(
    name: str, read: Callable[[Workspace, Any], list[str]], workspace: Workspace, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What is left out, by its names."""
    try:
        found = read(workspace, given[name]) if name in given else []
    except ValueError as error:
        raise Refused(name, str(error)) from None
    return {name: found} if found else {}


def _without_experiments(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Single experiments, which is of no consequence where none is used in any case."""
    found = _without("leave_out_experiments", leaving_out.experiments, workspace, given)
    none_used = str(given.get("experiments", "")).strip().lower() == NO_EXPERIMENTS
    return {} if none_used or is_lightweight(given) else found


def _draws(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    usual = LIGHTWEIGHT_DRAWS if is_lightweight(given) else DRAWS
    return {"draws": asking.whole(given, "draws", usual, FEWEST_DRAWS, MOST_DRAWS)}


def _seed(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"seed": asking.whole(given, "seed", 0, 0, LARGEST_SEED)}


_READERS: Sequence[_Reader] = (
    *(_granularity, _model, asking.confidence, _folds, _draws, _seed),
    *(_exposure, _holidays, _bounds, _knots, _short_allowed, _experiments, _lifts, _by_geo),
    partial(_without, "leave_out_channels", leaving_out.channels),
    partial(_without, "leave_out_controls", leaving_out.controls),
    _without_experiments,
)


def _effects(outcome: Outcome, workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected of channels, by the names that they have now, in the order of those."""
    if "roi" in given and EFFECTS in given:
        raise Refused("roi", f"Give expected returns as “roi” or as “{EFFECTS}”, not both.")
    asked = given.get("roi", given.get(EFFECTS))
    if asked is None:
        return {}
    if is_lightweight(given):
        raise Refused("roi", "LightweightMMM's models have their own beliefs: leave the expected returns out.")
    if not outcome.is_money or "bounds" in given:
        raise Refused("roi", f"Returns can be expected of an outcome in money, and “{outcome.name}” is none.")
    try:
        return {EFFECTS: expected_returns.read(asked, channel_index(workspace=workspace))}
    except ValueError as error:
        raise Refused("roi", str(error)) from None


def _cut(asked: object) -> str:
    return str(asked)[:60]
