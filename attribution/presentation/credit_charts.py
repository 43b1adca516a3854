"""The charts of an attribution result: credit by group under one model, or under several side by side."""

from collections.abc import Sequence

from attribution.presentation import presenters
from attribution.presentation.presenters import Credit, Group
from attribution.presentation.sources import Sources
from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats

MOST_MARKS = 12
LONGEST_LABEL = 28
# Models have no colours of their own, so they borrow: the main one that of action, the others those that stay apart
# best from it and from each other, on light and dark ground and under the common colour-vision deficiencies.
MODEL_COLOURS = (
    Colour.ACCENT,
    Colour.CHANNEL_1,
    Colour.CHANNEL_4,
    Colour.CHANNEL_8,
    Colour.CHANNEL_3,
    Colour.OTHER,
    Colour.CHANNEL_5,
    Colour.CHANNEL_7,
)


def category(group: Group) -> Category:
    """Return a group's place in a chart, its name cut where it is long."""
    is_long = len(group.label) > LONGEST_LABEL
    return Category(label=group.label, short=f"{group.label[: LONGEST_LABEL - 1]}…" if is_long else "")


def value_axis(credit: Credit, groups: list[Group]) -> Axis:
    """Return the axis of the chosen metric, with its unit, for all models of these groups."""
    ends = [
        number
        for group in groups
        for amounts in group.credit
        for number in (amounts[credit.measure], *(presenters.bounds(amounts, credit.measure) or ()))
    ]
    return amount_axis(credit, ends)


def amount_axis(credit: Credit, amounts: Sequence[float]) -> Axis:
    """Return an axis of the chosen metric, with its unit, that holds these amounts."""
    by_value = credit.measure == "value"
    return axis(
        amounts,
        title=f"{credit.metric_label}, {credit.currency}" if by_value else credit.metric_label,
        text=lambda value: formats.short_money(value, credit.currency) if by_value else formats.short_count(value),
    )


def bars(credit: Credit, sources: Sources) -> ChartSpec:
    groups = credit.shown(MOST_MARKS)
    model = credit.models[0]
    marks = tuple(
        _mark(credit, group, 0, detail=(_in_full(credit, group),), sources=sources, colour=sources.of(group).colour)
        for group in groups
    )
    largest = ", ".join(f"{group.label} {credit.rounded(credit.of(group))}" for group in credit.groups[:3])
    what = f"{credit.metric_label} by {credit.dimension_label.lower()} under {model.label}"
    return ChartSpec(
        id="credit",
        kind=Kind.BARS,
        horizontal=True,
        title=presenters.concentration(credit),
        subtitle=f"{what}, {credit.period.label}. {model.sentence}",
        summary=f"{what}. Largest: {largest}." if largest else f"{what}.",
        category_title=credit.dimension_label,
        categories=tuple(category(group) for group in groups),
        series=(Series(name=credit.metric_label, colour=Colour.OTHER, marks=marks),),
        axis=value_axis(credit, groups),
        interval=credit.interval_words,
    )


def dots(credit: Credit, sources: Sources) -> ChartSpec:
    groups = credit.shown(MOST_MARKS)
    labels = [model.label for model in credit.models]
    series = tuple(
        Series(
            name=label,
            colour=MODEL_COLOURS[place % len(MODEL_COLOURS)],
            marks=tuple(_model_mark(credit, group, place, sources) for group in groups),
        )
        for place, label in enumerate(labels)
    )
    what = f"{credit.metric_label} by {credit.dimension_label.lower()} under {', '.join(labels[:-1])} and {labels[-1]}"
    finding = presenters.disagreement(credit)
    return ChartSpec(
        id="models-side-by-side",
        kind=Kind.DOTS,
        title=finding,
        subtitle=f"{what}, {credit.period.label}",
        summary=f"{what}. {finding}.",
        category_title=credit.dimension_label,
        categories=tuple(category(group) for group in groups),
        series=series,
        axis=value_axis(credit, groups),
        interval=credit.interval_words,
    )


def _model_mark(credit: Credit, group: Group, place: int, sources: Sources) -> Mark:
    """A dot: under the main model its share, under another one also its difference to the main model's."""
    value, main = credit.of(group, place), credit.of(group)
    apart = (presenters.difference(credit, value, main, credit.models[0].label),) if place else ()
    return _mark(credit, group, place, detail=(_in_full(credit, group, place), *apart), sources=sources)


def _mark(
    credit: Credit, group: Group, place: int, *, detail: tuple[str, ...], sources: Sources, colour: Colour | None = None
) -> Mark:
    value, interval = credit.of(group, place), credit.interval(group, place)
    low, high = interval or (None, None)
    return Mark(
        value=value,
        text=credit.rounded(value),
        low=low,
        high=high,
        low_text="" if low is None else credit.rounded(low),
        high_text="" if high is None else credit.rounded(high),
        detail=detail,
        href=sources.of(group).href,
        colour=colour,
    )


def _in_full(credit: Credit, group: Group, place: int = 0) -> str:
    value = credit.of(group, place)
    return f"{credit.in_full(value)}, {formats.percent(credit.share(value))} of {credit.metric_in_sentence}"
