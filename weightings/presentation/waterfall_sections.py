"""From the baseline through the channels to the expected outcome, as one chart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from charts.spec import SUMS_WITHIN
from mmm_project import formats
from weightings.methods.summaries import LARGEST
from weightings.presentation.results import Result, category, listed

OTHERS = "Other channels"
Channel = Mapping[str, Any]


def waterfall(result: Result) -> Iterator[ChartSpec]:
    """The expected outcome step by step; nothing of a result whose parts do not add up to it."""
    shown, folded = _steps(result)
    baseline = result.data["baseline"]
    marks = [
        _mark(result, baseline["outcome"], baseline["share"], Colour.OTHER),
        *(
            _mark(
                result,
                channel["contribution"],
                channel["contribution_share"],
                result.colour(channel["channel"]),
                href=result.href(channel["channel"]),
            )
            for channel in shown
        ),
        *_together(result, folded),
    ]
    expected = result.amounts(result.data["expected"], middle="mean")
    ends = [sum(mark.value for mark in marks[: place + 1]) for place in range(len(marks))]
    if expected.value is None or abs(ends[-1] - expected.value) > SUMS_WITHIN * max(map(abs, ends)):
        return
    detail = (f"{result.interval_words} {expected.interval}",)
    total = Mark(value=expected.value, text=expected.text, detail=detail, colour=Colour.OTHER, is_total=True)
    names = ["Baseline", *(channel["channel"] for channel in shown), *([OTHERS] if folded else ()), "Expected"]
    media = ends[-1] - ends[0]
    verb = "add" if media >= 0 else "take"
    title = f"Media {verb} {result.rounded(abs(media))} {'to' if media >= 0 else 'from'} a baseline of {marks[0].text}"
    most = f" {shown[0]['channel']} adds most, {marks[1].text}." if shown and marks[1].value > 0 else ""
    yield ChartSpec(
        id="waterfall",
        kind=Kind.WATERFALL,
        title=title,
        subtitle=f"Expected {result.outcome}, {result.unit}, {result.period.label}, by what it is owed to. "
        "Means, which add up.",
        summary=f"From a baseline of {marks[0].text} channels lead to an expected {result.outcome} of {total.text}."
        f"{most}",
        category_title="Owed to",
        categories=tuple(Category(label=name) if name in (OTHERS, "Expected") else category(name) for name in names),
        series=(Series(name="Contribution", colour=Colour.OTHER, marks=(*marks, total)),),
        axis=axis([0.0, *ends], title=f"Expected {result.outcome}, {result.unit}", text=result.tick),
    )


def _steps(result: Result) -> tuple[Sequence[Channel], Sequence[Channel]]:
    """The channels that are steps of their own, the largest contribution first, and those that are one together."""
    by_reach = sorted(result.channels, key=lambda each: (-abs(each["contribution"]["mean"]), each["channel"]))
    shown, folded = by_reach[:LARGEST], by_reach[LARGEST:]
    return sorted(shown, key=lambda each: (-each["contribution"]["mean"], each["channel"])), folded


def _mark(
    result: Result, amount: Mapping[str, Any], share: Mapping[str, Any], colour: Colour, *, href: str = ""
) -> Mark:
    figure = result.amounts(amount, middle="mean")
    part = f"{formats.percent(share['mean'])} of expected {result.outcome}"
    return Mark(
        value=figure.value or 0.0,
        text=figure.text,
        detail=(f"{result.interval_words} {figure.interval}", part),
        colour=colour,
        href=href,
    )


def _together(result: Result, folded: Sequence[Channel]) -> Iterator[Mark]:
    """The channels past the eighth as one step. Runs of earlier versions do not know the interval of their sum."""
    if not folded:
        return
    names = [channel["channel"] for channel in folded]
    found = result.data.get("smaller_media")
    if found is not None and found["media"] == names:
        mark = _mark(result, found["contribution"], found["contribution_share"], Colour.OTHER)
        yield replace(mark, detail=(listed(names), *mark.detail))
    else:
        value = result.factor * sum(channel["contribution"]["mean"] for channel in folded)
        yield Mark(value=value, text=result.rounded(value), detail=(listed(names),), colour=Colour.OTHER)
