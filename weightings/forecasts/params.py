"""The parameters of a forecast, as people ask for it and as it is kept."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from accounts import plans
from accounts.models import Feature, Workspace
from analyses import artifacts
from analyses.asking import CONFIDENCE_LEVELS, LARGEST_SEED, Refused
from analyses.errors import InvalidParams
from weightings.forecasts.horizon import FEWEST, MOST, USUAL
from weightings.forecasts.model_runs import Model, find_model, offered_runs, usual_model
from weightings.forecasts.plan_tables import PlanRefused
from weightings.forecasts.plan_values import SPEND, plan_values
from weightings.models import Scenario
from weightings.params import NO, YES

MULTIPLES, PER_PERIOD, PLAN, SCENARIO = "multiples", "spend_per_period", "plan", "scenario"
KNOWN = (
    *("model_run", "periods", MULTIPLES, PER_PERIOD, SCENARIO, PLAN, "plan_name", "confidence", "seed", "override"),
)
# What follows from the run: canonical params keep it, nobody gives it.
DERIVED = ("outcome", "granularity", "start", "end")
LARGEST_MULTIPLE, LARGEST_SPEND = 1000.0, 1e12
DIGITS = 12  # that matter, as an address says them
LONGEST_NAME = 100
LONGEST_ID = 19  # digits, more than databases count to
HOW_TO_SAY = "TV: 1.2; Search: 0.8"
NONE_YET = (
    "There is no finished model to forecast with. Calculate weightings first, by one of the models “hill”, “delayed” "
    "and “logistic”, for all geos together."
)
NONE_TO_RELY_ON = (
    "Every finished model has either not converged or fails checks. Fit one again, or choose one and set “override” to "
    "yes to forecast with it all the same."
)

_Reader: TypeAlias = Callable[[Workspace, Mapping[str, Any]], dict[str, Any]]


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the workspace's default or the usual.

    `model_run`: the id of a finished weightings run; the newest that may be relied on, or that of the scenario, if
    absent. `periods` after its data -> with `start` and `end`. What is spent is said in one way: `multiples` of what
    was (1 if nothing is said), one for all or by channel; `spend_per_period` by channel, on average; `scenario`, an id
    or a name, which becomes that; or `plan`, a table by period (`plan_values`), which may also say what else is known.
    `confidence` in percent and `seed` are always there; `override`, yes to use a model that should not be, `plan` and
    `plan_name` only where they are given.

    Raises PlanRequired before anything else is looked at, and InvalidParams with a sentence for each field.
    """
    plans.require_feature(workspace, Feature.FORECAST)
    known = (*KNOWN, *DERIVED)
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in known}
    given = {name: value for name, value in params.items() if value is not None and value != "" and value != {}}
    cleaned: dict[str, Any] = {}
    for read in (_confidence, _seed, _plan_name):
        _take(errors, cleaned, lambda read=read: read(workspace, given))  # type: ignore[misc]
    found: dict[str, Any] = {}
    _take(errors, found, lambda: _model(workspace, given))
    if "model" in found:
        model: Model = found["model"]
        _take(errors, cleaned, lambda: _override(model, given))
        _take(errors, cleaned, lambda: _asked_of(model, found["scenario"], workspace, given))
        if found["scenario"] and "plan_name" not in given:
            cleaned["plan_name"] = found["scenario"].name
    if errors:
        raise InvalidParams(errors)
    return cleaned


def _take(errors: dict[str, str], into: dict[str, Any], read: Callable[[], dict[str, Any]]) -> None:
    try:
        into |= read()
    except Refused as refusal:
        errors[refusal.name] = str(refusal)


def _model(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """The model, and the scenario if one is asked for."""
    scenario = _scenario(workspace, given)
    asked = given.get("model_run", scenario.run_id if scenario else None)
    model = usual_model(workspace) if asked is None else find_model(workspace, asked)
    if model is None and asked is None:
        raise Refused("model_run", NONE_TO_RELY_ON if offered_runs(workspace) else NONE_YET)
    if model is None:
        raise Refused("model_run", f"There is no such run of weightings that has finished: “{_cut(asked)}”.")
    if model.cannot:
        raise Refused("model_run", model.cannot)
    if not artifacts.is_whole(model.run):
        raise Refused("model_run", "The figures of this run are no longer on disk. Run it again, or choose another.")
    return {"model": model, "scenario": scenario}


def _scenario(workspace: Workspace, given: Mapping[str, Any]) -> Scenario | None:
    if SCENARIO not in given:
        return None
    found = find_scenario(workspace, given[SCENARIO])
    if found is None:
        raise Refused(SCENARIO, f"There is no scenario “{_cut(given[SCENARIO])}”.")
    return found


def find_scenario(workspace: Workspace, asked: object) -> Scenario | None:
    """Return the workspace's scenario with this id or, where none has it, this name; None if there is none."""
    text = str(asked).strip()
    of_workspace = Scenario.objects.filter(workspace=workspace).select_related("run")
    found = None
    # The id first: pages say ids, and a scenario may be called like that of another.
    if text.isascii() and text.isdigit() and len(text) < LONGEST_ID:
        found = of_workspace.filter(pk=int(text)).first()
    return found or of_workspace.filter(name__iexact=text[:LONGEST_NAME].replace("\0", "")).first()


def _override(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("override", NO[0])).strip().lower()
    if asked not in (*YES, *NO):
        raise Refused("override", f"“override” is yes or no, not “{_cut(asked)}”.")
    if model.doubt and asked in NO:
        raise Refused("override", model.doubt)
    return {"override": YES[0]} if model.doubt else {}


def _asked_of(
    model: Model, scenario: Scenario | None, workspace: Workspace, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What is asked of the model: when, and what is spent then."""
    of_model = {"outcome": model.outcome, "granularity": model.granularity}
    for name, value in of_model.items():
        if given.get(name, value) != value:
            raise Refused(name, f"The model that is used is of “{model.outcome}”, by {model.granularity}.")
    periods = _periods(model, given)
    planned: dict[str, Any] = {}
    if PLAN in given:
        try:
            planned = {PLAN: plan_values(given[PLAN], model, workspace, periods)}
        except PlanRefused as refusal:
            raise Refused(PLAN, str(refusal)) from None
        periods = len(next(values for of in planned[PLAN].values() for values in of.values()))
    spend = _spend(model, scenario, given, has_plan=SPEND in planned.get(PLAN, {}))
    horizon = model.horizon(USUAL[model.granularity] if periods is None else periods)
    dates = {"start": horizon.starts[0].isoformat(), "end": horizon.end.isoformat()}
    for name, date in dates.items():
        if given.get(name, date) != date:
            raise Refused(name, f"A forecast is of the periods after the model's data: from {dates['start']} on.")
    return {
        "model_run": str(model.run.pk),
        **of_model,
        **dates,
        "periods": len(horizon.starts),
        **spend,
        **planned,
    }


def _periods(model: Model, given: Mapping[str, Any]) -> int | None:
    if "periods" not in given:
        return None
    fewest, most = FEWEST[model.granularity], MOST[model.granularity]
    text = str(given["periods"]).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6 and fewest <= int(text) <= most):
        raise Refused("periods", f"A forecast is of {fewest} to {most} {model.granularity}s, not “{_cut(text)}”.")
    return int(text)


def _spend(
    model: Model, scenario: Scenario | None, given: Mapping[str, Any], *, has_plan: bool
) -> dict[str, dict[str, float]]:
    """What is spent where the plan by period does not say it."""
    said = [name for name in (MULTIPLES, PER_PERIOD, SCENARIO) if name in given]
    if has_plan:
        if said:
            raise Refused(said[0], "The plan says by period what is spent: say nothing else of it.")
        return {}
    if len(said) > 1:
        raise Refused(said[1], f"Say in one way what is spent: as “{said[0]}” or as “{said[1]}”.")
    if scenario is not None:
        return {PER_PERIOD: _of_scenario(model, scenario)}
    if PER_PERIOD in given:
        found = _by_channel(PER_PERIOD, given[PER_PERIOD], model, LARGEST_SPEND)
        missing = [name for name in model.channels if name not in found]
        if missing:
            raise Refused(PER_PERIOD, f"No spend is given for “{missing[0]}”. Say 0 where there is to be none.")
        return {PER_PERIOD: found}
    asked = given.get(MULTIPLES, 1)
    if not isinstance(asked, Mapping) and ":" not in str(asked):
        return {MULTIPLES: dict.fromkeys(model.channels, _number(MULTIPLES, asked, LARGEST_MULTIPLE))}
    of_some = _by_channel(MULTIPLES, asked, model, LARGEST_MULTIPLE)
    return {MULTIPLES: {name: of_some.get(name, 1.0) for name in model.channels}}


def _of_scenario(model: Model, scenario: Scenario) -> dict[str, float]:
    """What the scenario spends in a period, on average, by the model's channels."""
    result = scenario.run.result
    assert result is not None  # noqa: S101 - scenarios are of finished runs
    if result["granularity"] != model.granularity:
        raise Refused(
            SCENARIO,
            f"The scenario was made by {result['granularity']}, and this model is by {model.granularity}. Choose the "
            "run that it was made with.",
        )
    spend = scenario.plan["spend"]
    if set(spend) - set(model.channels) or set(model.channels) - set(spend):
        raise Refused(SCENARIO, "The scenario has other channels than this model. Choose the run it was made with.")
    periods = scenario.plan.get("periods") or result["period"]["periods"]
    return {name: _rounded(float(spend[name]) / periods) for name in model.channels}


def _by_channel(param: str, asked: Any, model: Model, most: float) -> dict[str, float]:
    """Numbers by channel, in the model's order, from a mapping or from text such as “TV: 1.2; Search: 0.8”."""
    if isinstance(asked, Mapping):
        entries = [(str(name), value) for name, value in asked.items()]
    else:
        entries = []
        for entry in filter(None, (part.strip() for part in str(asked).split(";"))):
            name, colon, text = entry.rpartition(":")
            if not colon:
                raise Refused(param, f"“{_cut(entry)}” is not of the form {HOW_TO_SAY}.")
            entries.append((name, text))
    known = {" ".join(name.split()).casefold(): name for name in model.channels}
    found: dict[str, float] = {}
    for asked_name, value in entries:
        channel = known.get(" ".join(asked_name.split()).casefold())
        if channel is None:
            names = ", ".join(f"“{name}”" for name in model.channels) or "none"
            raise Refused(param, f"The model has no channel “{_cut(asked_name)}”. It has {names}.")
        if channel in found:
            raise Refused(param, f"The channel “{channel}” is there twice.")
        found[channel] = _number(param, value, most)
    return {name: found[name] for name in model.channels if name in found}


def _number(param: str, asked: Any, most: float) -> float:
    try:
        if isinstance(asked, bool) or len(str(asked)) > 40:
            raise ValueError
        number = float(asked) if not isinstance(asked, str) else _plain(asked)
    except (TypeError, ValueError, OverflowError):
        raise Refused(param, f"“{_cut(asked)}” is not a number such as 1.2.") from None
    if not 0 <= number <= most:
        raise Refused(param, f"A number from 0 to {most:g}, please, not “{_cut(asked)}”.")
    return _rounded(number)


def _plain(text: str) -> float:
    text = text.strip()
    if not text.isascii() or "_" in text:
        raise ValueError
    return float(text)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _confidence(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = str(given.get("confidence", workspace.confidence)).strip().removesuffix("%")
    if asked not in map(str, CONFIDENCE_LEVELS):
        levels = ", ".join(map(str, CONFIDENCE_LEVELS))
        raise Refused("confidence", f"The confidence level is one of {levels} percent, not “{_cut(asked)}”.")
    return {"confidence": int(asked)}


def _seed(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    text = str(given.get("seed", 0)).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 13 and int(text) <= LARGEST_SEED):
        raise Refused("seed", f"“seed” is a whole number from 0 to {LARGEST_SEED}, not “{_cut(text)}”.")
    return {"seed": int(text)}


def _plan_name(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the plan is called: a scenario's or a file's name, for people alone."""
    name = " ".join(str(given.get("plan_name", "")).split())
    if not name:
        return {}
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("plan_name", f"A name has at most {LONGEST_NAME} characters, all of them readable.")
    return {"plan_name": name}


def by_channel_as_text(numbers: Mapping[str, float]) -> str:
    """Return numbers by channel as people type them."""
    return "; ".join(f"{name}: {number:.{DIGITS}g}" for name, number in numbers.items())


def _cut(asked: object) -> str:
    return str(asked)[:60]
