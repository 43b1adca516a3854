"""What a fit says of experiments, and how the result of a run shows it."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from accounts.models import Workspace
from analyses.documents import NO_FIGURE, DataTable
from jobs.child_side import Failed
from tests.weightings.questions import TRUE_ROI, Answered, ask, market
from tests.weightings.results import around, finished
from weightings.methods.experiments import lifts
from weightings.methods.sampling import SamplingError
from weightings.presentation.document import document
from weightings.presentation.rows import rows


def lift_test(channel: str, start: int, weeks: int, *, lift_per_spend: float, error: float) -> dict[str, Any]:
    """A test of whole weeks of the market, with all of the channel's spend in them."""
    given = market()
    spend = float(given.spend[start : start + weeks, given.channels.index(channel)].sum())
    first = int(given.period_start[start])
    return asdict(
        lifts.Experiment(
            channel=channel,
            start=first,
            end=first + 7 * weeks - 1,
            lift=lift_per_spend * spend,
            standard_error=error * spend,
            spend=spend,
        )
    )


@pytest.fixture(scope="module")
def answered() -> Answered:
    """TV's test says what is true; Search's is of before the data, and so a belief; nobody knows Radio."""
    radio = lift_test("TV", 0, 1, lift_per_spend=1.0, error=0.1) | {"channel": "Radio"}
    search = lift_test("Search", 30, 6, lift_per_spend=TRUE_ROI[1], error=0.05)
    search |= {"start": search["start"] - 700, "end": search["end"] - 700}
    tests = [lift_test("TV", 20, 6, lift_per_spend=TRUE_ROI[0], error=0.04), search, radio]
    return ask(market(), experiments=tests, model="logistic")


def test_the_answer_says_what_experiments_have_changed(answered: Answered) -> None:
    result, _arrays = answered
    tv, search, radio = result["experiments"]
    assert [test["route"] for test in (tv, search, radio)] == ["likelihood", "prior", None]
    assert (radio["before"], radio["after"]) == (None, None)
    for test, channel in zip((tv, search), result["channels"], strict=True):
        before, after = (test[fit]["incremental_per_spend"] for fit in ("before", "after"))
        assert after == channel["roi"]
        assert after["high"] - after["low"] < 0.9 * (before["high"] - before["low"])
        assert test["before"]["converged"]
    assert tv["after"]["incremental_per_spend"]["low"] < TRUE_ROI[0] < tv["after"]["incremental_per_spend"]["high"]
    off = [abs(tv[fit]["lift"]["median"] - tv["lift"]) for fit in ("before", "after")]
    assert off[1] < off[0]
    assert tv["after"]["lift"]["median"] == pytest.approx(tv["lift"], rel=0.05)
    assert (search["before"]["lift"], search["after"]["tail_probability"]) == (None, None)


def test_the_belief_that_an_experiment_makes_is_that_of_its_channel(answered: Answered) -> None:
    tv, search = (channel["prior"] for channel in answered[0]["channels"])
    assert tv["median"] == pytest.approx(np.exp(0.2))
    # Its lift counts what is carried over out of its weeks, so it measured the return itself: by 6%, so hardly less.
    assert search["median"] == pytest.approx(TRUE_ROI[1], rel=0.01)


@pytest.mark.parametrize(("asked", "counts"), [({"lifts_count": "within"}, "within"), ({}, "all")])
def test_the_program_models_lifts_as_it_is_told(
    asked: dict[str, str], counts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weightings.methods import fitting

    def caught(_panel: Any, choices: Any, *_rest: Any) -> Any:
        assert choices.lifts_count == counts
        raise SamplingError("Seen.")

    monkeypatch.setattr(fitting, "fit", caught)
    with pytest.raises(Failed, match="Seen"):
        ask(market(), experiments=[lift_test("TV", 20, 6, lift_per_spend=1.0, error=0.1)], **asked)


def test_model_health_says_whether_experiments_agree(answered: Answered) -> None:
    (check,) = (check for check in answered[0]["health"] if check["check"] == "Agreement with an experiment")
    assert check["subject"] == f"TV, {lifts.Experiment(**lift_test('TV', 20, 6, lift_per_spend=1, error=1)).span}"
    tv = answered[0]["experiments"][0]
    assert tv["before"]["tail_probability"] != tv["after"]["tail_probability"]
    assert (check["verdict"], check["value"]) == ("good", tv["before"]["tail_probability"])


def test_the_answer_is_json_of_finite_numbers(answered: Answered) -> None:
    assert json.loads(json.dumps(answered[0], allow_nan=False)) == answered[0]


def test_progress_rises_through_both_fits_and_a_fit_that_cannot_be_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from weightings.methods import fitting

    def impossible(*_args: Any) -> Any:
        raise SamplingError("No.")

    monkeypatch.setattr(fitting, "fit_without_experiments", impossible)
    shares: list[float] = []
    test = lift_test("TV", 20, 6, lift_per_spend=TRUE_ROI[0], error=0.04)
    result, _arrays = ask(
        market(), experiments=[test], model="logistic", report=lambda _phase, share: shares.append(share)
    )
    assert shares == sorted(shares)
    assert [share for share in shares if share < 0.95][-1] <= 0.3
    assert result["experiments"][0]["before"] is None
    assert result["experiments"][0]["after"]["lift"]["median"] > 0


# The result


def said(lift: float, returned: float) -> dict[str, Any]:
    return {
        "incremental_per_spend": around(returned),
        "lift": around(lift),
        "tail_probability": 0.4,
        "converged": True,
    }


def an_experiment(channel: str = "TV", **changed: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "start": "2026-02-02",
        "end": "2026-02-15",
        "geo": "",
        "lift": 400.0,
        "standard_error": 40.0,
        "spend": 500.0,
        "counts": "all",
        "incremental_per_spend": around(0.8),
        "route": "likelihood",
        "why": "",
        "before": said(900.0, 1.8),
        "after": said(450.0, 0.5),
    } | changed


UNUSED = an_experiment("Radio", route=None, why="The channel has no spend.", before=None, after=None)


def shown(workspace: Workspace, *tests: dict[str, Any]) -> tuple[DataTable, str]:
    (section,) = (
        section
        for section in document(finished(workspace, result={"experiments": list(tests)})).sections
        if section.title == "Experiments"
    )
    (table,) = section.tables
    return table, " ".join(section.sentences)


def test_the_result_sets_each_experiment_beside_the_model_without_and_with_it(workspace: Workspace) -> None:
    table, sentences = shown(workspace, an_experiment(geo="North"), UNUSED)
    assert [row.label for row in table.rows] == ["TV", "Radio"]
    first, second = (dict(zip(table.columns[1:], row.cells, strict=True)) for row in table.rows)
    assert first["Tested"].text == "2–15 Feb 2026, North"
    assert first["Measured lift"].with_interval == "€400 (€280–€520)"
    assert first["Modelled without"].with_interval == "€900 (€630–€1,170)"
    assert first["Modelled with"].with_interval == "€450 (€315–€585)"
    assert first["Incremental ROI of the test"].with_interval == "0.80 (0.56–1.04)"
    assert first["Incremental ROI without"].value == 1.8
    assert first["Incremental ROI with"].value == 0.5
    assert (second["Used"].text, second["Used"].full) == ("not used", "The channel has no spend.")
    assert second["Modelled with"].text == NO_FIGURE
    assert sentences == (
        "Incremental ROI of TV is 1.80 (1.26–2.34) without experiments, and 0.50 (0.35–0.65) with them."
    )


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ("all", "Lifts are all that the tested spend has brought, what is carried over behind its days included."),
        ("within", "brought within its days, without what is carried over behind them."),
    ],
)
def test_the_result_says_what_lifts_count(counts: str, note: str, workspace: Workspace) -> None:
    table, _sentences = shown(workspace, an_experiment(counts=counts), UNUSED | {"counts": counts})
    assert note in table.note


def test_a_fit_without_experiments_that_has_not_converged_says_so(workspace: Workspace) -> None:
    _table, sentences = shown(workspace, an_experiment(before=said(900.0, 1.8) | {"converged": False}))
    assert "The fit without experiments has not converged" in sentences


def test_experiments_none_of_which_is_used_say_so(workspace: Workspace) -> None:
    _table, sentences = shown(workspace, UNUSED)
    assert sentences == "None of the experiments could be used; the notes say why."


def test_results_without_experiments_show_none(workspace: Workspace) -> None:
    run = finished(workspace)
    assert run.result is not None
    for result in (run.result, {name: value for name, value in run.result.items() if name != "experiments"}):
        run.result = result
        assert "Experiments" not in {section.title for section in document(run).sections}
        header, *lines = rows(run)
        assert all(line[header.index("incremental_per_spend_without_experiments")] is None for line in lines)


def test_the_table_of_all_numbers_has_the_return_without_experiments(workspace: Workspace) -> None:
    header, *lines = rows(finished(workspace, result={"experiments": [an_experiment(), UNUSED]}))
    place = header.index("incremental_per_spend_without_experiments")
    found = {line[0]: line[place : place + 3] for line in lines}
    assert found["TV"] == tuple(around(1.8)[end] for end in ("median", "low", "high"))
    assert found["Search"] == (None, None, None)


def test_the_settings_say_how_experiments_are_used(workspace: Workspace) -> None:
    usual = document(finished(workspace))
    without = document(finished(workspace, experiments="none"))
    lightweight = document(finished(workspace, model="lightweight:adstock"))
    assert ("Experiments", "as measurements of their days, of outcomes in money") in usual.facts
    assert ("Experiments", "not used") in without.facts
    assert ("Experiments", "not used") in lightweight.facts
    within = document(finished(workspace, lifts="within"))
    assert ("Lifts count", "all that the test's spend has brought, also after its days") in usual.facts
    assert ("Lifts count", "what it has brought within the test's days") in within.facts
    assert "Lifts count" not in {name for name, _value in (*without.facts, *lightweight.facts)}
    assert "without experiments" in without.subtitle
