"""What experiments have measured, beside what the model says without and with them, as a section of a document."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from marketing.day_labels import span_label
from mmm_project import formats
from weightings.presentation.results import Result

ROUTES: Mapping[str | None, str] = {
    "likelihood": "as a measurement of these days",
    "prior": "as a belief about its return",
    None: "not used",
}
LIFTS = {
    "all": "all that the tested spend has brought, what is carried over behind its days included",
    "within": "what the tested spend has brought within its days, without what is carried over behind them",
}


def experiments(result: Result) -> tuple[Section, ...]:
    """Every experiment that was there when the model was fitted; nothing where there was none."""
    found = result.data.get("experiments") or ()
    if not found:
        return ()
    returned = result.return_words
    table = DataTable(
        title="Experiments and the model",
        columns=(
            *("Channel", "Tested", "Used", "Measured lift", "Modelled without", "Modelled with"),
            *(f"{returned} of the test", f"{returned} without", f"{returned} with"),
        ),
        rows=tuple(
            Row(label=test["channel"], cells=_cells(result, test), href=result.href(test["channel"])) for test in found
        ),
        note=f"Medians with {result.interval_words}s. Lifts are {LIFTS[found[0]['counts']]}. "
        f"{returned} without and with experiments is of {result.period.label}, carry-over included.",
    )
    return (Section(title="Experiments", sentences=tuple(_moved(result)), tables=(table,)),)


def _moved(result: Result) -> Iterator[str]:
    """Yield what experiments have changed, channel by channel."""
    by_channel = {test["channel"]: test for test in result.data["experiments"] if test["before"]}
    for channel, test in by_channel.items():
        before, after = (
            result.returns(test[fit]["incremental_per_spend"], is_mark=True).with_interval
            for fit in ("before", "after")
        )
        yield f"{result.return_words} of {channel} is {before} without experiments, and {after} with them."
    if any(not test["before"]["converged"] for test in by_channel.values()):
        yield "The fit without experiments has not converged: what it says is rough."
    if not any(test["route"] for test in result.data["experiments"]):
        yield "None of the experiments could be used; the notes say why."


def _cells(result: Result, test: Mapping[str, Any]) -> tuple[Figure, ...]:
    days = span_label(dt.date.fromisoformat(test["start"]), dt.date.fromisoformat(test["end"]))
    where = f", {test['geo']}" if test["geo"] else ""
    return (
        Figure(f"{days}{where}"),
        Figure(ROUTES[test["route"]], test["why"]),
        _lift(result, test),
        *(_said(result, test, fit, "lift") for fit in ("before", "after")),
        result.returns(test["incremental_per_spend"]),
        *(_said(result, test, fit, "incremental_per_spend") for fit in ("before", "after")),
    )


def _lift(result: Result, test: Mapping[str, Any]) -> Figure:
    """The lift with the interval that its standard error makes, which is that of the test's return times its spend."""
    found, spend = test["incremental_per_spend"], test["spend"]
    if found["median"] is None:
        return Figure(result.rounded(test["lift"]), formats.count(test["lift"]), test["lift"])
    return result.amounts({end: spend * value for end, value in found.items()})


def _said(result: Result, test: Mapping[str, Any], fit: str, what: str) -> Figure:
    found = (test[fit] or {}).get(what)
    if found is None:
        return Figure(NO_FIGURE, "Not known")
    return result.amounts(found) if what == "lift" else result.returns(found)
