"""What the form of a lift test shows beside it: what follows from it, what is doubtful, and what the model says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analyses.age import stale_sentence
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats
from weightings.lift_tests.checks import Doubt
from weightings.lift_tests.entries import LiftTest, reach
from weightings.lift_tests.forms import LiftTestForm, Measured
from weightings.lift_tests.recorded import Recorded
from weightings.lift_tests.runs import NamesNow, newest_run
from weightings.presentation.results import Result, category, extent, figure, mark
from weightings.standing import doubts as doubts_about


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of the preview: `label`, `text`, and `note` below it."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`problems`: what is wrong with what has been entered. `amounts`: what follows from it, as far as it does.

    `replaces`: that an earlier test gives way. `model`: sentences on what the model says, with a `chart` of both.
    """

    problems: Sequence[str]
    amounts: Sequence[Amount]
    doubts: Sequence[Doubt]
    replaces: str = ""
    model: Sequence[str] = ()
    chart: ChartSpec | None = None

    @property
    def is_empty(self) -> bool:
        return not self.problems and not self.amounts


def present_preview(form: LiftTestForm, found: Recorded | None, doubts: Sequence[Doubt]) -> Preview:
    """Return the preview of a form; `found`: what the data hold of its test, once that is complete."""
    if not form.is_bound:
        return Preview(problems=(), amounts=(), doubts=())
    currency, confidence = form.workspace.currency, form.workspace.confidence
    measured, spend = form.measured, form.cleaned_data.get("spend")
    amounts = [] if measured is None else list(_amounts(measured, spend, currency, confidence))
    preview = Preview(problems=form.problems, amounts=amounts, doubts=doubts)
    if form.test is None or found is None:
        return preview
    sentences, chart = _beside_the_model(form, form.test)
    return Preview(
        problems=preview.problems,
        amounts=amounts,
        doubts=doubts,
        replaces=_replaces(form.test, found, currency),
        model=sentences,
        chart=chart,
    )


def _amounts(measured: Measured, spend: float | None, currency: str, confidence: int) -> Iterator[Amount]:
    margin, interval = reach(measured.standard_error, confidence), f"{confidence}% interval"

    def money(amount: float) -> str:
        return formats.short_money(amount, currency)

    if measured.groups and measured.of_groups:
        test, control = measured.groups
        more = formats.count(round(measured.of_groups.conversions, 1), "conversion")
        yield Amount(
            "More conversions",
            more,
            f"{test.rate:.3%} of the test group converted, {control.rate:.3%} of the control group",
        )
    ends = f"{money(measured.lift - margin)} to {money(measured.lift + margin)}"
    yield Amount("Lift", money(measured.lift), f"{interval} {ends}")
    yield Amount("Standard error", money(measured.standard_error), _surely(measured))
    if spend:
        low, high = ((measured.lift + side * margin) / spend for side in (-1, 1))
        ends = f"{formats.ratio(low)} to {formats.ratio(high)}"
        yield Amount("Incremental ROI", formats.ratio(measured.lift / spend), f"{interval} {ends}")


def _surely(measured: Measured) -> str:
    ratio = abs(measured.lift) / measured.standard_error
    return f"The lift is {formats.count(round(ratio, 1))} times as large"


def _replaces(test: LiftTest, found: Recorded, currency: str) -> str:
    """That a test of these days is there already, if so."""
    same = next((each for each in found.tests if each.period == test.period), None)
    if same is None:
        return ""
    lift, error = (formats.short_money(amount, currency) for amount in (same.lift, same.standard_error))
    return (
        f"There is a test of {test.channel} of these days already: a lift of {lift} with a standard error of {error}. "
        "This one will take its place, until its import is undone."
    )


def _beside_the_model(form: LiftTestForm, test: LiftTest) -> tuple[Sequence[str], ChartSpec | None]:
    """Where the test's return lies beside that of the newest model."""
    run = newest_run(form.workspace)
    if run is None:
        return ("There is no model yet to hold it against.",), None
    result = Result(run)
    names = NamesNow(result)
    said = next((each for each in result.paid if names.is_of(test.channel, each["channel"])), None)
    if not result.is_money or said is None or names.are_several(test.channel) or said["roi"]["median"] is None:
        return (f"The newest model, of {result.outcome}, has no ROI of {test.channel} to hold it against.",), None
    modelled, measured = result.returns(said["roi"], is_mark=True), _measured(test, form.workspace.confidence)
    if modelled.low is None or modelled.high is None:
        return (), None
    experiments = result.data.get("experiments", ())
    knows = any(names.is_of(test.channel, each["channel"]) and each["route"] for each in experiments)
    with_tests = " with the experiments that it knows" if knows else ""
    said_so = (
        f"The newest model of {result.outcome} says {modelled.with_interval} of {test.channel}{with_tests}, "
        f"{result.period.label}, {result.interval_words}."
    )
    marks = filter(None, (_unreliable(result), stale_sentence(run)))
    sentences = [said_so, *marks, _where(measured, modelled.low, modelled.high)]
    return sentences, _chart(test, form.workspace.confidence, result, [measured, mark(modelled)])


def _unreliable(result: Result) -> str:
    if not result.converged:
        return "That model has not converged, so its numbers are rough."
    if doubts_about(result.data):
        return "That model fails checks, so its numbers are not to be relied on."
    return ""


def _measured(test: LiftTest, confidence: int) -> Mark:
    margin = test.reach(confidence) / test.spend
    summary = {"median": test.roi, "low": test.roi - margin, "high": test.roi + margin}
    found = mark(figure(summary, formats.ratio, formats.ratio))
    assert found is not None  # noqa: S101 - all of its numbers are known
    return found


def _where(measured: Mark, low: float, high: float) -> str:
    if measured.high is not None and measured.high < low:
        return "The test says less: the two intervals have nothing in common."
    if measured.low is not None and measured.low > high:
        return "The test says more: the two intervals have nothing in common."
    if measured.low is not None and measured.high is not None and low <= measured.low and measured.high <= high:
        return "The test's interval lies within the model's, so the model would learn from it."
    return "The two intervals overlap."


def _chart(test: LiftTest, confidence: int, result: Result, marks: Sequence[Any]) -> ChartSpec:
    level = f"{confidence}% interval"
    if result.data["confidence"] != confidence:
        level = f"intervals of the test {confidence}%, of the model {result.data['confidence']}%"
    return ChartSpec(
        id="test-and-model",
        kind=Kind.DOTS,
        title=f"Incremental ROI of {test.channel}",
        subtitle=f"Per {result.spend_words} spent, {level}",
        summary=f"Incremental ROI of {test.channel}: {marks[0].text} by this test, {marks[1].text} by the model.",
        category_title="By",
        categories=(category("This test"), category("The model")),
        series=(Series(name="Incremental ROI", colour=Colour.ACCENT, marks=tuple(marks)),),
        axis=axis([*extent(list(marks)), 0.0], title="Incremental ROI", text=formats.ratio),
        interval=level,
    )
