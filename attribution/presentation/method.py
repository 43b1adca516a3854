"""How credit was computed, in paragraphs, and the terms that go with it: docs/methods.md in short."""

from collections.abc import Iterator

from analyses.definitions import defined
from analyses.documents import Document
from attribution.catalogue import BAYESIAN, Family
from attribution.params import PATHS
from attribution.presentation import presenters
from attribution.presentation.presenters import SIMPLIFIED, Credit

OF_CUSTOMERS = (
    *("journey", "touch", "conversion", "lookback", "credit", "none", "share", "roas", "customers_interval"),
    *("removal_effect", "marginal_effect", "null_path", "conversion_rate", "experiment"),
)
OF_PATHS = (
    *("path", "path_step", "path_conversion", "credit", "share", "roas", "paths_interval"),
    *("removal_effect", "marginal_effect", "path_without_conversion", "path_rate", "experiment"),
)
INTERVALS = ("customers_interval", "paths_interval")


def with_method(document: Document, credit: Credit) -> Document:
    """Return the document with its definitions, each model among them."""
    names = OF_PATHS if _is_of_paths(credit) else OF_CUSTOMERS
    values: dict[str, object] = {"currency": credit.currency}
    if not _is_of_paths(credit):
        values["window_days"] = credit.params["window_days"]
    if credit.intervals:
        values["confidence"] = credit.intervals["confidence"]
    return defined(
        document,
        *(name for name in names if credit.intervals or name not in INTERVALS),
        models=tuple((model.label, model.sentence) for model in credit.models),
        **values,
    )


def _is_of_paths(credit: Credit) -> bool:
    return bool(credit.params.get("data") == PATHS)


def method(credit: Credit) -> tuple[str, ...]:
    """Return what data and what models the numbers come from, and what their intervals say."""
    return (_data(credit), *_models(credit), *_intervals(credit))


def _data(credit: Credit) -> str:
    if _is_of_paths(credit):
        return (
            "Credited are aggregated paths: sequences of channels with how often each was taken, and what that was "
            "worth. They know no times and no customers, so a step counts as a day and the last one as the moment of "
            "the conversion."
        )
    days = credit.params["window_days"]
    return (
        f"Credited are the conversions of {credit.period.label}, days by the workspace’s clock. A journey is one "
        f"conversion with the touches of the same customer from 0 to {days} days before it, both ends included. "
        "Conversions without any touch there stand in the row “(none)”, so that credit adds up to all of them."
    )


def _models(credit: Credit) -> Iterator[str]:
    families = {model.family for model in credit.models}
    journey, journeys = ("path", "paths") if _is_of_paths(credit) else ("journey", "journeys")
    if families & {Family.RULE, Family.CUSTOM}:
        yield (
            "Rule models, and models of the workspace’s own, share out each conversion and its value among the "
            f"touches of its {journey} by fixed weights. They learn nothing from the data."
        )
    learning = [model for model in credit.models if model.is_data_driven and model.name != SIMPLIFIED]
    if any(not model.name.startswith("shapley") for model in learning):
        yield (
            "Markov models read all paths, those that convert and null paths, as a chain of touches with the "
            "observed frequencies. A channel’s removal effect is the share of conversions that is lost if everybody "
            "who would have touched it goes away; credit is in proportion to removal effects."
        )
    if any(model.name.startswith("shapley") for model in learning):
        yield (
            "Shapley values average, over all orders in which the channels could have joined, what each adds to the "
            f"conversion rate of the {journeys}. A channel whose paths convert less often has negative credit, which "
            "is shown as it is."
        )


def _intervals(credit: Credit) -> Iterator[str]:
    if credit.intervals is None:
        return
    about = presenters.about_intervals(credit).removesuffix(".")
    others = "paths of the same kind been taken" if _is_of_paths(credit) else "customers of the same kind come"
    yield (
        f"Numbers are given {about[0].lower()}{about[1:]}. They answer how much a number would differ, had other "
        f"{others}; they do not say how far association is from effect."
    )
    if _is_of_paths(credit) and any(model.name != BAYESIAN for model in credit.models):
        yield (
            "Aggregated paths know no customers: where customers come back, or orders differ in size, these "
            "intervals are too narrow."
        )
