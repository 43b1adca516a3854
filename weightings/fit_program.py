"""What a child process carries out to fit a model: question and panel in, answer and arrays out. Knows no Django."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from jobs.child_side import Arrays, Failed, Report
from marketing.frames import MediaPanel
from weightings import standing
from weightings.methods import jax_runtime

# How far along the work is when each part begins, by what they take on two cores.
FITTED, TRIED = 0.6, 0.95
VALIDATION_CHAINS, VALIDATION_DRAWS = 2, 400  # a fold takes half as long as the fit
PRIOR_DRAWS = 2000
NO_START = "numerical_error"


def fit(question: dict[str, Any], arrays: Arrays, report: Report) -> tuple[dict[str, Any], Arrays]:
    """Fit the model that the question asks for. Raises Failed with a sentence where that cannot be done.

    `question`: `panel` (as `storing.pack_panel` or `pack_geo_panel` describes it), `model`, `window` [start, stop),
    `confidence` in percent, `seed`, `draws` at most per chain, `folds` and `horizon` of rolling origin, `threads`,
    `effects` by channel (median, low, high), `knots`, and, if there are any, `experiments` (each as
    `experiments.Experiment` has it), `experiments_as` and `lifts_count`.
    """
    began = time.perf_counter()
    report = _rising(report)
    report("Starting", 0.0)
    jax_runtime.configure()
    from weightings.methods import answering, storing
    from weightings.methods.outcome_scale import CannotBeModelled
    from weightings.methods.sampling import SamplingError, Settings

    import_seconds = time.perf_counter() - began
    settings = Settings(
        seed=question["seed"],
        most_draws=question["draws"],
        draws=min(Settings.draws, question["draws"]),
        threads=question["threads"],
    )
    try:
        fitting, described = _fitted(question, arrays, settings, report)
    except SamplingError as error:
        raise Failed(str(error), NO_START) from error
    except CannotBeModelled as error:
        raise Failed(str(error), "cannot_be_modelled") from error
    report("Reading the posterior", TRIED)
    reading = time.perf_counter()
    found = answering.quantities_of(fitting)
    curves = answering.curves_of(fitting)
    _require_finite(found.expected, found.incremental, curves)
    result = answering.answer(fitting, found, curves)
    packed, kept = storing.pack_quantities(found)
    planned, surface = answering.plans_of(fitting, doubts=standing.doubts(result))
    result |= planned
    kept |= surface
    result["stored"] |= {"posterior": described["posterior"], "quantities": packed, "panel": question["panel"]}
    kept |= {"positions": fitting.draws.positions, "response_grid": curves}
    kept |= arrays
    if described["posterior"]:
        kept |= storing.pack_posterior(cast("Any", fitting.fitted))[1]
    result["timings"] = {
        "import_seconds": import_seconds,
        "compile_seconds": fitting.draws.compile_seconds,
        "sampling_seconds": fitting.draws.sampling_seconds,
        "holdout_seconds": described["holdout_seconds"],
        "reading_seconds": time.perf_counter() - reading,
        "total_seconds": time.perf_counter() - began,
    }
    return result, kept


def _fitted(question: Mapping[str, Any], arrays: Arrays, settings: Any, report: Report) -> tuple[Any, dict[str, Any]]:
    """The fit with all that is said of it, and what describes it for storing."""
    from weightings.methods import fitting, storing
    from weightings.methods.geo import fitting as geo_fitting
    from weightings.methods.quantities import Window
    from weightings.methods.series import Fitting

    family, _colon, package_model = question["model"].partition(":")
    if family == "lightweight":
        panel = storing.unpack_panel(question["panel"], arrays)
        return _lightweight(panel, question, package_model, settings, report)
    geos = storing.unpack_geo_panel(question["panel"], arrays) if "geos" in question["panel"] else None
    # Two modules of the same functions, each for its own panels.
    engine: Any = fitting if geos is None else geo_fitting
    choices = _choices(question, family)
    end = FITTED / 2 if choices.experiments else FITTED
    fitted = engine.fit(
        geos or storing.unpack_panel(question["panel"], arrays), choices, settings, _part(report, 0, end)
    )
    before = _before(engine, fitted, choices, settings, _part(report, end, FITTED))
    began = time.perf_counter()
    prepared = fitted.prepared
    folds = engine.rolling_origin(
        prepared.panel,
        choices,
        replace(settings, chains=VALIDATION_CHAINS, draws=VALIDATION_DRAWS, most_draws=VALIDATION_DRAWS),
        folds=question["folds"],
        horizon=question["horizon"],
        on_progress=lambda phase, share: report(phase, FITTED + (TRIED - FITTED) * share),
    )
    holdout_seconds = time.perf_counter() - began
    found = Fitting(
        panel=engine.whole_panel(prepared),
        fitted=fitted.posterior,
        draws=fitted.draws,
        names=prepared.model.parameter_names,
        window=Window(*question["window"]),
        level=question["confidence"] / 100,
        seed=settings.seed,
        folds=folds,
        priors=prepared.priors.effects,
        prior=engine.prior_of(prepared, PRIOR_DRAWS, fitting.stream(settings.seed, fitting.PRIOR_STREAM)),
        baseline=engine.reported_baseline(prepared),
        money_doubted=prepared.money_doubted,
        readings=prepared.readings,
        before=before,
        geos=geos,
    )
    return found, {"posterior": storing.pack_posterior(fitted.posterior)[0], "holdout_seconds": holdout_seconds}


def _choices(question: Mapping[str, Any], family: str) -> Any:
    from weightings.methods.experiments.lifts import Experiment
    from weightings.methods.preparing import Choices
    from weightings.methods.priors import LogNormal

    return Choices(
        adstock="delayed" if family == "delayed" else "geometric",
        saturation="logistic" if family == "logistic" else "hill",
        knots=question["knots"],
        effects={name: LogNormal.from_range(**believed) for name, believed in question["effects"].items()},
        experiments=tuple(Experiment(**experiment) for experiment in question.get("experiments", ())),
        experiments_as=question.get("experiments_as", "auto"),
        lifts_count=question.get("lifts_count", "all"),
    )


def _before(engine: Any, fitted: Any, choices: Any, settings: Any, report: Report) -> Any:
    """The fit as it would be without experiments; None where none is used, or there can be none, which is no reason to
    lose the other."""
    from weightings.methods.sampling import SamplingError

    if not any(reading.route for reading in fitted.prepared.readings):
        return None
    try:
        return engine.fit_without_experiments(fitted, choices, settings, report)
    except SamplingError:
        return None


def _lightweight(
    panel: MediaPanel, question: Mapping[str, Any], family: str, settings: Any, report: Report
) -> tuple[Any, dict[str, Any]]:
    from weightings.methods.lightweight.fitting import fit_lightweight
    from weightings.methods.quantities import Window
    from weightings.methods.series import Fitting

    fitted = fit_lightweight(panel, cast("Any", family), settings, _part(report, 0, TRIED))
    fitting = Fitting(
        panel=panel,
        fitted=fitted.posterior,
        draws=fitted.draws,
        names=fitted.posterior.model.parameter_names,
        window=Window(*question["window"]),
        level=question["confidence"] / 100,
        seed=settings.seed,
    )
    return fitting, {"posterior": None, "holdout_seconds": 0.0}


def _part(report: Report, begin: float, end: float) -> Report:
    """Progress of a sampling that is the part of the work from `begin` to `end`."""
    from weightings.methods.sampling import share_of_all

    return lambda phase, share: report(phase, begin + (end - begin) * share_of_all(phase, share))


def _rising(report: Report) -> Report:
    """Progress that never goes back, also where more draws turn out to be needed."""
    highest = 0.0

    def rise(phase: str, share: float) -> None:
        nonlocal highest
        highest = max(highest, share)
        report(phase, highest)

    return rise


def _require_finite(*arrays: Any) -> None:
    if not all(np.all(np.isfinite(array)) for array in arrays):
        raise Failed(
            "The model did not arrive at finite numbers. Check the data for extreme values, or choose another model.",
            NO_START,
        )
