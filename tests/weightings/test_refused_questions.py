"""Questions about media that end without an answer, and what is asked of the child process; nothing is fitted here."""

import datetime as dt
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.actions import request_cancel
from jobs.children import ChildAnswer
from jobs.execution import execute
from jobs.handlers import JobFailed
from jobs.models import Job
from marketing.frames import MediaPanel
from marketing.importing.actions import request_import
from marketing.importing.dimensions import ensure_channels
from marketing.models import Dataset, Import, OutcomeValue
from marketing.periods import Period
from tests.weightings.markets import add_channels, add_outcome, add_spend, market_weeks
from tests.weightings.questions import WEEKS, market, spend_of
from weightings import computation
from weightings.methods.storing import unpack_panel

ClientFor = Callable[[User | None], Client]


@pytest.fixture
def bare(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    """No data; files are kept for this test alone."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return workspace


@pytest.fixture
def shop(bare: Workspace) -> Workspace:
    """Sixty weeks of sales, and spend on TV and Search."""
    add_outcome(bare)
    add_spend(bare)
    return bare


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> list[MediaPanel]:
    """The panels that the child process is given; it answers at once, and with nothing."""
    given: list[MediaPanel] = []

    def keep(*, question: dict[str, Any], arrays: Mapping[str, Any], **_rest: Any) -> ChildAnswer:
        given.append(unpack_panel(question["panel"], arrays))
        return ChildAnswer({"timings": {"total_seconds": 0.0}}, {})

    monkeypatch.setattr(computation, "compute_in_child", keep)
    return given


def ask(workspace: Workspace, **params: Any) -> Run:
    return request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )


def carried_out(workspace: Workspace, **params: Any) -> Run:
    run = ask(workspace, **params)
    execute(job_id=run.job_id)
    return Run.objects.select_related("job", "workspace").get(pk=run.pk)


def test_what_is_reported_are_the_whole_weeks_of_the_period() -> None:
    period = Period(dt.date(2022, 1, 4), dt.date(2022, 1, 30))
    assert computation.window_of(market(), period) == (1, 4)


@pytest.mark.parametrize(
    ("params", "code", "sentence"),
    [
        ({"start": "2022-02-01", "end": "2022-12-31"}, "too_short", "known for 51 whole weeks"),
        ({"granularity": "day"}, "step_too_long", "Choose weeks"),
        ({"start": "2023-02-21", "end": "2023-02-25", "short_allowed": "yes"}, "no_whole_periods", "no whole week"),
        ({"start": "2024-01-01", "end": "2024-02-01"}, "no_whole_periods", "known for 3 Jan 2022"),
        ({"start": "2021-01-01", "end": "2021-02-01"}, "no_values", "has no values in the chosen period"),
        ({"roi": "Radio: 2 (1-3)"}, "no_spend", "A return is expected of “Radio”, which has no spend"),
        ({"holidays": "EU"}, "unknown_country", "The holidays of “EU” are not known."),
        ({"bounds": "0,5"}, "out_of_bounds", "must lie between 0 and 5"),
    ],
)
def test_what_the_data_cannot_answer_is_refused_with_a_sentence(
    params: dict[str, Any], code: str, sentence: str, shop: Workspace
) -> None:
    ensure_channels(workspace=shop, names=["Radio"])
    run = carried_out(shop, **params)
    assert (run.job.status, run.job.error_code) == (Job.Status.FAILED, code)
    assert sentence in run.job.error
    assert run.result is None


def varied(seed: int) -> list[float]:
    """Spend of sixty weeks that changes."""
    return [float(amount) for amount in spend_of(seed)[:, 0]]


def sales(
    more: Mapping[str, list[float]] | None = None, *, weeks: int = WEEKS, without: tuple[int, ...] = ()
) -> Callable[[Workspace], None]:
    """Sales, the market's spend, and that of more channels by name."""

    def make(workspace: Workspace) -> None:
        add_outcome(workspace, weeks=weeks, without=without)
        add_spend(workspace)
        if more:
            add_channels(workspace, more)

    return make


@dataclass(frozen=True, kw_only=True)
class Flawed:
    """Data that are not as a model wants them, and what is said of them: a remark, or a refusal."""

    data: Callable[[Workspace], None]
    code: str
    says: str
    refused: bool = False
    unknown: tuple[int, ...] = ()  # weeks whose outcome is NaN in the panel
    params: Mapping[str, Any] = field(default_factory=dict)


FLAWED = {
    "constant channel": Flawed(
        data=sales({"Radio": [50.0] * WEEKS}),
        code="constant_channel",
        says="“Radio” is left out: what never changes cannot be told from the baseline.",
    ),
    "channel of zeros": Flawed(
        data=sales({"Radio": [0.0] * WEEKS}),
        code="zero_channel",
        says="“Radio” is left out: nothing was spent or shown in 3 Jan 2022 – 26 Feb 2023.",
    ),
    "three weeks": Flawed(
        data=sales(weeks=3),
        refused=True,
        code="too_short",
        says="“Sales” is known for 3 whole weeks; a media mix model needs 52. Import older ones, or choose a longer "
        "period.",
    ),
    "three weeks, although few are allowed": Flawed(
        data=sales(weeks=3),
        params={"short_allowed": "yes"},
        refused=True,
        code="too_short",
        says="“Sales” is known for 3 whole weeks; a media mix model needs 8. Import older ones, or choose a longer "
        "period.",
    ),
    "seven weeks, although few are allowed": Flawed(
        data=sales(weeks=7),
        params={"short_allowed": "yes"},
        refused=True,
        code="too_short",
        says="“Sales” is known for 7 whole weeks; a media mix model needs 8. Import older ones, or choose a longer "
        "period.",
    ),
    "eight weeks, as few are allowed": Flawed(
        data=sales(weeks=8),
        params={"short_allowed": "yes"},
        code="short",
        says="“Sales” is known for 8 whole weeks. A model needs 52. With 104, a model can tell the time of year and "
        "the trend from media.",
    ),
    "two hundred channels": Flawed(
        data=sales({f"Channel {number}": varied(number) for number in range(1, 199)}),
        refused=True,
        code="too_many_channels",
        says="There are media of 200 channels, but effects of more than 40 cannot be told apart. Merge the channels "
        "that belong together, or group them by rules.",
    ),
    "channels that are one another's multiple": Flawed(
        data=sales({"Radio": varied(1), "Print": [2 * amount for amount in varied(1)]}),
        refused=True,
        code="identical_channels",
        says="“Radio” and “Print” rise and fall as one, so their effects cannot be told apart. Merge them.",
    ),
    "a tenth of the weeks missing": Flawed(
        data=sales(without=(5, 6, 20, 30, 40, 50)),
        unknown=(5, 6, 20, 30, 40, 50),
        code="missing_periods",
        says="“Sales” is not known for 6 of 60 whole weeks, the first being 7–13 Feb 2022. They are left out of the "
        "fit.",
    ),
    "more than a tenth of the weeks missing": Flawed(
        data=sales(without=(5, 6, 7, 20, 30, 40, 50)),
        refused=True,
        code="missing_periods",
        says="“Sales” is not known for 7 of 60 whole weeks, the first being 7–13 Feb 2022. At most 10% may be missing. "
        "Import the days that are missing, with 0 where there was nothing, or choose another period.",
    ),
}


@pytest.mark.parametrize("flawed", FLAWED.values(), ids=FLAWED)
def test_flawed_data_are_refused_or_remarked_on(flawed: Flawed, bare: Workspace, panels: list[MediaPanel]) -> None:
    flawed.data(bare)
    run = carried_out(bare, **flawed.params)
    if flawed.refused:
        assert (run.job.status, run.job.error_code, run.job.error) == (Job.Status.FAILED, flawed.code, flawed.says)
        assert (run.result, panels) == (None, [])
        return
    assert run.job.status == Job.Status.DONE, run.job.error
    assert run.result is not None
    assert {remark["code"]: remark["sentence"] for remark in run.result["remarks"]}[flawed.code] == flawed.says
    (panel,) = panels
    assert set(panel.channels) == {"TV", "Search"}
    assert tuple(np.flatnonzero(np.isnan(panel.outcome))) == flawed.unknown
    assert np.isfinite(panel.spend).all()


@pytest.mark.parametrize(
    ("dataset", "name", "value", "reason"),
    [
        ("spend", "Radio", "-1", "take credits and refunds off"),
        ("spend", "Radio", "NaN", "is not a number"),
        ("outcomes", "Sales", "NaN", "is not a number"),
    ],
    ids=["negative spend", "spend that is NaN", "outcome that is NaN"],
)
def test_a_row_that_is_no_amount_is_rejected_by_the_import_and_reaches_no_panel(
    dataset: str, name: str, value: str, reason: str, bare: Workspace, panels: list[MediaPanel], tmp_path: Path
) -> None:
    add_spend(bare)
    if dataset == "spend":
        add_outcome(bare)
    amounts = [f"{amount:.2f}" for amount in varied(1)]
    amounts[10] = value
    header = "date,channel,spend" if dataset == "spend" else "date,outcome,value"
    rows = [f"{week},{name},{amount}" for week, amount in zip(market_weeks(), amounts, strict=True)]
    batch = imported(bare, dataset, "\n".join([header, *rows]), tmp_path / "rows.csv")
    (error,) = batch.errors
    assert (batch.status, batch.accepted, batch.rejected) == (Import.Status.ACTIVE, WEEKS - 1, 1)
    assert error["row"] == 12
    assert reason in error["reason"]

    run = carried_out(bare)

    assert run.job.status == Job.Status.DONE, run.job.error
    (panel,) = panels
    unknown = np.flatnonzero(np.isnan(panel.outcome)).tolist()
    if dataset == "spend":
        assert panel.spend[10, panel.channels.index(name)] == 0
        assert unknown == []
    else:
        assert unknown == [10]
    assert np.isfinite(panel.spend).all()


def imported(workspace: Workspace, dataset: str, content: str, path: Path) -> Import:
    path.write_text(content)
    batch = request_import(
        workspace=workspace,
        dataset=Dataset(dataset),
        file=path,
        mapping={},
        by=None,
        origin=Import.Origin.CLI,
        ring=False,
    )
    execute(job_id=batch.job_id)
    return Import.objects.select_related("job").get(pk=batch.pk)


def test_a_constant_outcome_cannot_be_explained(shop: Workspace) -> None:
    add_outcome(shop, name="Visits", is_money=False, constant=True)
    run = carried_out(shop, outcome="Visits")
    assert run.job.error == "“Visits” is 500 in every week, so nothing moves it. Choose another outcome or period."


def test_an_outcome_that_is_gone_by_then_is_named(shop: Workspace) -> None:
    run = ask(shop)
    OutcomeValue.objects.all().delete()
    shop.outcomes.all().delete()
    execute(job_id=run.job_id)
    run.job.refresh_from_db()
    assert run.job.error == "The outcome “Sales” no longer exists. Choose another one."


def test_a_run_that_is_cancelled_stores_nothing(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*, progress: Any, **_question: Any) -> ChildAnswer:
        request_cancel(job=progress.job, by=None)
        progress._written_at = None
        progress("Sampling", 0.5)
        raise AssertionError("It went on.")

    monkeypatch.setattr(computation, "compute_in_child", cancelled)
    run = carried_out(shop)
    assert (run.job.status, run.result, run.artifact) == (Job.Status.CANCELLED, None, "")
    assert ask(shop) != run


def test_a_fit_that_fails_offers_something_easier(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch, client_for: ClientFor, analyst: User
) -> None:
    def failed(**_question: Any) -> ChildAnswer:
        raise JobFailed("The model did not arrive at finite numbers.", code="numerical_error")

    monkeypatch.setattr(computation, "compute_in_child", failed)
    run = carried_out(shop)
    page = client_for(analyst).get(f"/w/acme/runs/{run.pk}/").text
    assert "The model did not arrive at finite numbers." in page
    assert "By month instead of by week" in page
    addresses = re.findall(r'href="/w/acme/weightings/\?([^"]+)"', page)
    offered = [parse_qs(html.unescape(address)) for address in addresses]
    assert [query["granularity"] for query in offered if query["granularity"] != ["week"]] == [["month"]]
    assert all(query["outcome"] == ["Sales"] for query in offered)


def test_the_child_is_asked_what_the_params_say(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def keep(*, question: dict[str, Any], **rest: Any) -> ChildAnswer:
        asked.update(question, program=rest["program"])
        raise JobFailed("Enough.")

    monkeypatch.setattr(computation, "compute_in_child", keep)
    carried_out(
        shop,
        model="delayed",
        roi="TV: 2 (1-3)",
        knots=4,
        folds=2,
        draws=700,
        seed=3,
        start="2022-06-01",
        end="2023-02-26",
    )
    assert {name: asked[name] for name in asked if name not in ("panel", "threads")} == {
        "program": "weightings.fit_program:fit",
        "model": "delayed",
        "window": [22, 60],
        "confidence": shop.confidence,
        "seed": 3,
        "draws": 700,
        "folds": 2,
        "horizon": 13,
        "effects": {"TV": {"median": 2.0, "low": 1.0, "high": 3.0}},
        "knots": 4,
        "experiments": [],
        "experiments_as": "auto",
        "lifts_count": "all",
    }


def test_the_command_line_says_why_a_question_cannot_be_used(shop: Workspace) -> None:
    with pytest.raises(CommandError, match="There is no model “robyn”"):
        call_command("analyse", "weightings", "--workspace", "acme", "--param", "model=robyn")
