"""Why the models credit as they do: what would be lost without a channel, where journeys go next, what was defined."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from attribution.catalogue import Family, Model
from attribution.custom import custom_models
from attribution.labels import NONE
from attribution.methods.custom_definition import in_words, parse
from attribution.presentation import evidence_words as words
from attribution.presentation import presenters
from attribution.presentation.presenters import Credit
from mmm_project import formats

MOST_SENTENCES = 5
MOST_EXPLAINED = 50


def sections(credit: Credit) -> tuple[Section, ...]:
    """Return a section for each model that has more to say than its credit."""
    return tuple(
        section
        for model, detail in zip(credit.models, credit.details, strict=True)
        if (section := _section(credit, model, detail)) is not None
    )


def _section(credit: Credit, model: Model, detail: Mapping[str, Any]) -> Section | None:
    if model.family == Family.CUSTOM:
        return _defined(credit, model, detail)
    if "conversion_rate" in detail:
        return _removal(credit, model, detail)
    if "is_exact" in detail:
        return _marginal(credit, model, detail)
    if detail.get("journeys_without_lead"):
        journeys = formats.count(detail["journeys_without_lead"], "journey")
        have = "has" if detail["journeys_without_lead"] == 1 else "have"
        sentence = f"{journeys} {have} no touch up to a lead in the lookback window, and {have} the U shape: 40/20/40."
        return Section(title=f"About {model.label}", sentences=(sentence,))
    return None


def _defined(credit: Credit, model: Model, detail: Mapping[str, Any]) -> Section:
    definition = credit.params[custom_models.PARAM][model.name]["definition"]
    sentences = list(in_words(parse(definition)))
    if left := detail.get("journeys_without_weight"):
        journeys, stand = formats.count(left, "converting journey"), "it stands" if left == 1 else "they stand"
        sentences.append(f"{journeys} got no weight on any touch under these rules: {stand} in the row “{NONE}”.")
    return Section(title=f"How {model.label} credits", sentences=tuple(sentences))


def _groups(credit: Credit, detail: Mapping[str, Any], figure: str) -> list[Mapping[str, Any]]:
    """The groups that have the figure, largest first."""
    groups = [group for group in detail[f"{credit.dimension}s"] if figure in group]
    return sorted(groups, key=lambda group: (-group[figure], group[credit.dimension]))


def _removal(credit: Credit, model: Model, detail: Mapping[str, Any]) -> Section:
    rate = detail["conversion_rate"]
    groups = [group for group in _groups(credit, detail, "removal_effect") if group["removal_effect"]]
    sentences = tuple(
        f"Removing {group[credit.dimension]} lowers the conversion probability from {_rate(rate)} to "
        f"{_rate(group['rate_without'])}."
        for group in groups[:MOST_SENTENCES]
    )
    table = DataTable(
        title=f"Removal effects under {model.label}",
        columns=(credit.dimension_label, "Removal effect", "Conversion probability without it"),
        rows=tuple(
            Row(
                label=group[credit.dimension],
                cells=(
                    _figure(group, "removal_effect", formats.percent),
                    _figure(group, "rate_without", _rate),
                ),
            )
            for group in groups[:MOST_EXPLAINED]
        ),
        note="The removal effect is the share of conversions that would be lost if journeys ended where they now meet "
        f"the {credit.dimension_label.lower()}. Credit is in proportion to it.",
    )
    tables = [table] if groups else []
    return Section(
        title=f"What would be lost under {model.label}",
        sentences=sentences or ("No removal costs a conversion.",),
        tables=(*tables, *_transitions(model, detail)),
    )


def _transitions(model: Model, detail: Mapping[str, Any]) -> Iterator[DataTable]:
    """The table of where journeys go from each state, where it is small enough to be read."""
    matrix = detail.get("transitions")
    if matrix is None:
        return
    yield DataTable(
        title=f"Where journeys go next under {model.label}",
        columns=("From", *matrix["to"]),
        rows=tuple(
            Row(label=name, cells=tuple(_probability(value) for value in probabilities))
            for name, probabilities in zip(matrix["from"], matrix["probabilities"], strict=True)
        ),
        note="Each row adds up to 100%: of the journeys at this step, how many go where next.",
    )


def _probability(value: float) -> Figure:
    return Figure(formats.percent(value), f"{value:.6%}", value) if value else Figure(NO_FIGURE, "Never", 0.0)


def _marginal(credit: Credit, model: Model, detail: Mapping[str, Any]) -> Section:
    groups = _groups(credit, detail, "marginal_effect")
    negative = [str(group[credit.dimension]) for group in groups if group["marginal_effect"] < 0]
    one = credit.dimension_in_sentence
    sentences = [f"The marginal effect is what a {one} adds to a journey's conversion probability, on average."]
    if negative:
        with_it = "it" if len(negative) == 1 else "them"
        sentences.append(
            f"{words.listed(negative[:MOST_SENTENCES])}: journeys with {with_it} convert less often, which gives "
            "negative credit."
        )
    columns: tuple[str, ...] = (credit.dimension_label, "Marginal effect")
    figures = [("marginal_effect", _rate)]
    if not detail["is_exact"]:
        sentences.append(
            f"There are too many {one}s for all orders: these are sampled, with a Monte Carlo error that comes on top "
            "of the interval."
        )
        columns, figures = (*columns, "Monte Carlo error"), [*figures, ("monte_carlo_error", _rate)]
    return Section(
        title=f"Marginal effects under {model.label}",
        sentences=tuple(sentences),
        tables=(
            DataTable(
                title=f"Marginal effects under {model.label}",
                columns=columns,
                rows=tuple(
                    Row(
                        label=group[credit.dimension],
                        cells=tuple(_figure(group, figure, text) for figure, text in figures),
                    )
                    for group in groups[:MOST_EXPLAINED]
                ),
            ),
        ),
    )


def _figure(group: Mapping[str, Any], name: str, text: Callable[[float], str]) -> Figure:
    """A probability of the group, or a difference between two, with its interval where it has one."""
    value = group.get(name, 0.0)
    low, high = presenters.bounds(group, name) or (None, None)
    ends = ("", "") if low is None or high is None else (text(low), text(high))
    return Figure(text(value), f"{value:.6%}", value, low, high, *ends)


def _rate(value: float) -> str:
    """A conversion rate with so many decimals that small ones can be told apart: 6.2%, 0.054%."""
    if not value:
        return "0%"
    decimals = max(1, 1 - math.floor(math.log10(abs(value) * 100)))
    return f"{value * 100:.{min(decimals, 6)}f}%".replace("-", formats.MINUS)
