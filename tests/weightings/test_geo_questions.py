"""Questions about several geos: from the database to the program that fits models, and from its answer to the page."""

import datetime as dt
from typing import Any, cast

import numpy as np
import pytest

from accounts.models import Workspace
from analyses.documents import NO_FIGURE
from analyses.errors import AnalysisError, InvalidParams
from marketing.frames import GeoPanel
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Dataset, Outcome, OutcomeValue
from marketing.periods import EPOCH
from tests.factories import WorkspaceFactory
from tests.marketing.batches import add_import
from tests.weightings.geo_worlds import GeoWorld, geo_world
from tests.weightings.markets import add_outcome, add_spend
from tests.weightings.results import NOTHING, around, finished
from weightings import computation, fit_program
from weightings.analysis import easier
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.quantities import MULTIPLIERS
from weightings.methods.storing import pack_geo_panel, unpack_geo_panel, unpack_posterior
from weightings.params import clean
from weightings.presentation.document import document

Answered = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def world() -> GeoWorld:
    return geo_world(3, geos=3, weeks=60, channels=2)


def ask(world: GeoWorld, **others: Any) -> Answered:
    described, arrays = pack_geo_panel(world.panel)
    question = {
        "panel": described,
        "model": "hill",
        "window": [4, 56],
        "confidence": 90,
        "seed": 5,
        "draws": 500,
        "folds": 0,
        "horizon": 6,
        "threads": 2,
        "effects": {},
        "knots": 4,
    }
    return fit_program.fit(question | others, arrays, lambda _phase, _share: None)


@pytest.fixture(scope="module")
def answered(world: GeoWorld) -> Answered:
    return ask(world)


def test_geos_add_up_to_the_nation(answered: Answered) -> None:
    result, _arrays = answered
    assert [geo["geo"] for geo in result["geos"]] == ["Geo 1", "Geo 2", "Geo 3"]
    for place, channel in enumerate(result["channels"]):
        spend = sum(geo["channels"][place]["spend"] for geo in result["geos"])
        assert spend == pytest.approx(channel["spend"], rel=1e-9)
        # The geos speak of every fourth draw only.
        added = sum(geo["channels"][place]["incremental"]["mean"] for geo in result["geos"])
        assert added == pytest.approx(channel["incremental"]["mean"], rel=0.05)
    observed = sum(geo["observed"]["outcome"] for geo in result["geos"])
    assert observed == pytest.approx(result["observed"]["outcome"], rel=1e-9)
    assert result["reconciliation"]["ok"]


def test_everything_that_is_said_of_a_nation_is_said_of_its_geos_together(answered: Answered, world: GeoWorld) -> None:
    result, arrays = answered
    assert len(result["series"]["expected"]["mean"]) == 60
    parts = np.sum(list(result["series"]["baseline_parts"].values()), axis=0)
    np.testing.assert_allclose(parts, result["series"]["baseline"], rtol=1e-9)
    assert set(result["series"]["baseline_parts"]) == {"intercept", "trend", "season", "control: Control 1"}
    assert arrays["response_grid"].shape[1:] == (2, len(MULTIPLIERS))
    assert result["fit"]["r2"] > 0.3
    assert any(check["check"] == "VIF" for check in result["health"])
    posterior = unpack_posterior(result["stored"]["posterior"], arrays)
    assert isinstance(posterior, GeoPosterior)
    assert posterior.geos == world.panel.geos


@pytest.mark.full
def test_an_experiment_in_a_geo_is_held_against_that_geo(world: GeoWorld) -> None:
    days = world.panel.panels[0].period_start[13:]
    asked: dict[str, Any] = {"channel": "Channel 2", "start": int(days[30]), "end": int(days[35]) + 6, "geo": "Geo 2"}
    spend = float(world.panel.panels[1].spend[13 + 30 : 13 + 36, 1].sum())
    lift = float(world.geo_roi[1, 1]) * spend
    result, _arrays = ask(world, experiments=[{**asked, "lift": lift, "standard_error": lift / 20, "spend": spend}])
    tested = result["experiments"][0]
    assert (tested["geo"], tested["route"], tested["why"]) == ("Geo 2", "likelihood", "")
    before, after = tested["before"]["lift"], tested["after"]["lift"]
    assert after["high"] - after["low"] < before["high"] - before["low"]
    assert abs(after["median"] - tested["lift"]) < abs(before["median"] - tested["lift"])


# From the database to the question


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What the program that fits models is asked, which answers that it is refused."""
    heard: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def refuse(*, question: dict[str, Any], arrays: dict[str, Any], **_others: Any) -> None:
        heard.append((question, arrays))
        raise AnalysisError("Enough.")

    monkeypatch.setattr(computation, "compute_in_child", refuse)
    return heard


def add_geos(workspace: Workspace, panel: GeoPanel, *, kind: str = Outcome.Kind.SALES) -> Outcome:
    """The outcome and spend of the panel's geos, as imports have left them."""
    outcome = Outcome.objects.create(workspace=workspace, name="Sales", kind=kind, is_money=kind == Outcome.Kind.SALES)
    outcomes, spend = add_import(workspace, Dataset.OUTCOMES), add_import(workspace, Dataset.SPEND)
    channels = ensure_channels(workspace=workspace, names=list(panel.panels[0].channels))
    for geo, of_geo in panel.by_name.items():
        days = [EPOCH.date() + dt.timedelta(day) for day in of_geo.period_start.tolist()]
        OutcomeValue.objects.bulk_create(
            OutcomeValue(batch=outcomes, outcome=outcome, date=day, geo=geo, value=value)
            for day, value in zip(days[of_geo.history :], of_geo.outcome.tolist(), strict=True)
        )
        ChannelSpend.objects.bulk_create(
            ChannelSpend(batch=spend, channel=channel, date=day, geo=geo, spend=round(amount, 2))
            for place, channel in enumerate(channels)
            for day, amount in zip(days, of_geo.spend[:, place].tolist(), strict=True)
        )
    return outcome


@pytest.mark.django_db
def test_geos_are_asked_about_as_they_were_imported(
    world: GeoWorld, asked: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    workspace = WorkspaceFactory.create(slug="acme")
    add_geos(workspace, world.panel)
    params = clean(workspace, {"by_geo": "yes", "start": "2022-06-01", "end": "2023-05-31"})
    assert (params["by_geo"], params["folds"]) == ("yes", 1)
    with pytest.raises(AnalysisError, match="Enough"):
        computation.compute(workspace, params, cast("Any", lambda _phase, _share: None))
    panel = unpack_geo_panel(asked[0][0]["panel"], asked[0][1])
    assert set(panel.geos) == set(world.panel.geos)
    for geo, of_geo in panel.by_name.items():
        meant = world.panel.by_name[geo]
        np.testing.assert_allclose(of_geo.outcome, meant.outcome[: len(of_geo.outcome)], rtol=1e-12)
        spent = meant.spend[meant.history - of_geo.history :][: len(of_geo.spend)]
        np.testing.assert_allclose(of_geo.spend, spent, atol=0.0051)
    assert panel.sizes.mean() == pytest.approx(1)


@pytest.mark.django_db
def test_an_outcome_of_one_market_has_no_geos(asked: list[Any]) -> None:
    workspace = WorkspaceFactory.create(slug="acme")
    add_outcome(workspace)
    add_spend(workspace)
    with pytest.raises(AnalysisError) as refused:
        computation.compute(workspace, clean(workspace, {"by_geo": "yes"}), cast("Any", lambda _phase, _share: None))
    assert refused.value.code == "no_geos"
    assert not asked


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"by_geo": "perhaps"}, "is yes or no, not “perhaps”"),
        ({"by_geo": "yes", "model": "lightweight:adstock"}, "one market only"),
        ({"by_geo": "yes", "bounds": "0,1e6"}, "does not add up over geos"),
    ],
)
def test_what_has_no_geos_is_refused(given: dict[str, str], sentence: str) -> None:
    workspace = WorkspaceFactory.create(slug="acme")
    add_outcome(workspace)
    with pytest.raises(InvalidParams) as refused:
        clean(workspace, given)
    assert sentence in refused.value.errors["by_geo"][0]


def test_one_market_is_easier_than_geos() -> None:
    params = {"granularity": "month", "folds": 0, "model": "hill", "by_geo": "yes"}
    assert easier(params) == [
        ("All geos together, as one market", {"granularity": "month", "folds": 0, "model": "hill"})
    ]


@pytest.mark.django_db
def test_the_page_shows_the_returns_of_each_geo() -> None:
    workspace = WorkspaceFactory.create(slug="acme")

    def geo(name: str, roi: float) -> dict[str, Any]:
        channels = [
            {"channel": channel, "roi": around(factor * roi, reach=0.1), "incremental_per_spend": around(roi)}
            for channel, factor in (("Search", 1.0), ("TV", 0.5))
        ]
        observed = {"outcome": 5000.0, "periods": 12, "periods_known": 12}
        return {"geo": name, "observed": observed, "baseline_share": around(0.75, reach=0.1), "channels": channels}

    north = geo("North", 3.0)
    north["channels"][1]["roi"] = dict(NOTHING)
    run = finished(workspace, by_geo="yes", result={"geos": [north, geo("South", 1.0)]})
    section = next(section for section in document(run).sections if section.title == "Geos")
    assert section.sentences == ("Search clearly returned more in some geos than in others.",)
    table = section.tables[0]
    assert table.columns == ("Geo", "Outcome", "Owed to media", "TV", "Search")
    shown = {row.label: [cell.text for cell in row.cells] for row in table.rows}
    assert shown["South"][1:] == ["25.0%", "0.50", "1.00"]
    assert shown["North"][2] == NO_FIGURE
    low, high = table.rows[0].cells[1].low, table.rows[0].cells[1].high
    assert (low, high) == pytest.approx((0.175, 0.325))
