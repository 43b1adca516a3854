"""The demo world keeps its promises: sizes, keys, reconciliation, and a truth that the data really follow."""

import datetime
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketing.demo import DemoWorld, build_world, media, outcomes, seasons, world
from marketing.demo.report import last_touch_revenue, truth_markdown
from marketing.demo.simulation import Simulation, simulate
from marketing.demo.truth import expected_totals, window_lift

END = datetime.date(2026, 6, 30)
START = END - datetime.timedelta(days=729)
WINDOW = pd.Timedelta(days=30)
PAID_MEDIUM = re.compile(r"^(.*cp.*|ppc|retargeting|paid.*)$")
SHOPPING_CAMPAIGN = re.compile(r"^(.*(([^a-df-z]|^)shop|shopping).*)$")


@pytest.fixture(scope="module")
def demo() -> DemoWorld:
    return build_world(END)


@pytest.fixture(scope="module")
def half_year() -> Simulation:
    return simulate(end=END, seed=7, days=200)


def purchases_of(demo: DemoWorld) -> pd.DataFrame:
    return demo.conversions[demo.conversions["goal"] == "Purchase"]


def local_day(moments: pd.Series) -> pd.Series:
    days: pd.Series = moments.dt.tz_convert("Europe/Berlin").dt.tz_localize(None).dt.normalize()
    return days


def purchase_paths(demo: DemoWorld) -> pd.DataFrame:
    """Touches by journey: each purchase's 30 days, and the last 30 days of customers who never bought."""
    purchases, touches = purchases_of(demo), demo.touchpoints
    pairs = purchases.merge(touches, on="customer", suffixes=("", "_touch"))
    age = pairs["occurred_at"] - pairs["occurred_at_touch"]
    bought = pairs[(age >= pd.Timedelta(0)) & (age <= WINDOW)]
    bought = bought.assign(journey=bought["order_id"], bought=1, age=age[bought.index])
    others = touches[~touches["customer"].isin(purchases["customer"])]
    anchor = others.groupby("customer")["occurred_at"].transform("max")
    others = others[anchor - others["occurred_at"] <= WINDOW].assign(journey=others["customer"], bought=0)
    return pd.concat([bought, others])[["journey", "customer", "channel", "bought", "age"]]


def logistic_regression(design: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and standard errors by Newton's method."""
    coefficients = np.zeros(design.shape[1])
    for _ in range(25):
        fitted = 1 / (1 + np.exp(-design @ coefficients))
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        coefficients = coefficients + np.linalg.solve(information, design.T @ (outcome - fitted))
    return coefficients, np.sqrt(np.diag(np.linalg.inv(information)))


# Shape


def test_columns_are_the_import_fields(demo: DemoWorld) -> None:
    expected = {
        "touchpoints": "customer occurred_at channel source medium campaign interaction segment",
        "conversions": "customer occurred_at goal value order_id converted",
        "spend": "date channel campaign spend impressions clicks",
        "outcomes": "date outcome value",
        "controls": "date control value",
        "experiments": "channel start end geo lift standard_error spend",
        "channels": "channel type",
    }
    assert {name: " ".join(getattr(demo, name).columns) for name in expected} == expected


def test_world_has_the_promised_size(demo: DemoWorld) -> None:
    customers = pd.concat([demo.touchpoints["customer"], demo.conversions["customer"]]).nunique()
    assert 36_000 <= customers <= 44_000
    assert 180_000 <= len(demo.touchpoints) <= 220_000
    assert 9_000 <= len(purchases_of(demo)) <= 12_000
    assert (demo.conversions["goal"] == "Lead").sum() >= 3_000
    assert len(demo.channels) >= 10
    assert demo.touchpoints["channel"].nunique() >= 8
    assert set(demo.channels["type"]) == {"paid", "organic", "owned", "offline"}
    assert len(demo.experiments) == 2


def test_every_table_reaches_the_last_day_and_stays_in_the_period(demo: DemoWorld) -> None:
    days = {name: getattr(demo, name)["date"] for name in ("spend", "outcomes", "controls")}
    days |= {name: local_day(getattr(demo, name)["occurred_at"]) for name in ("touchpoints", "conversions")}
    for name, day in days.items():
        assert (day.min().date(), day.max().date()) == (START, END), name
    assert demo.experiments["start"].min().date() >= START
    assert demo.experiments["end"].max().date() <= END


def test_same_arguments_give_identical_worlds() -> None:
    first, second = build_world(END, seed=3, days=180), build_world(END, seed=3, days=180)
    for name in ("touchpoints", "conversions", "spend", "outcomes", "controls", "experiments", "channels"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)
    assert first.truth == second.truth
    assert len(build_world(END, seed=4, days=180).touchpoints) != len(first.touchpoints)


def test_later_end_date_keeps_prices_and_promotions_of_the_days_before(demo: DemoWorld) -> None:
    clock = seasons.build_clock(end=END + datetime.timedelta(days=1), days=730)
    later = outcomes.daily_controls(clock=clock, seed=world.DEFAULT_SEED)
    both = demo.controls.merge(later, on=["date", "control"], suffixes=("", "_later"))
    assert len(both) == len(demo.controls) - 2
    assert (both["value"] == both["value_later"]).all()


@pytest.mark.parametrize(
    ("end", "days", "message"),
    [(END, 100, "at least 180 days"), (datetime.date(2001, 6, 1), 730, "cannot start before")],
)
def test_impossible_periods_are_refused(end: datetime.date, days: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_world(end, days=days)


def test_clock_counts_the_hour_that_summer_time_gives_back() -> None:
    clock = seasons.build_clock(end=datetime.date(2025, 10, 26), days=180)
    hours_per_day = np.bincount(clock.hour_day)
    assert hours_per_day[-1] == 25
    assert set(hours_per_day[:-1]) <= {23, 24}


def test_package_needs_no_django() -> None:
    code = "import sys, marketing.demo; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Keys and reconciliation


def test_no_touch_appears_twice(demo: DemoWorld) -> None:
    key = ["customer", "occurred_at", "channel", "campaign", "interaction"]
    assert not demo.touchpoints.duplicated(key).any()
    assert not demo.spend.duplicated(["date", "channel", "campaign"]).any()


def test_order_ids_are_unique_within_a_goal(demo: DemoWorld) -> None:
    assert not demo.conversions.duplicated(["goal", "order_id"]).any()
    assert demo.conversions["converted"].all()


def test_leads_carry_no_value_and_purchases_whole_cents(demo: DemoWorld) -> None:
    is_lead = demo.conversions["goal"] == "Lead"
    assert (demo.conversions.loc[is_lead, "value"] == 0).all()
    assert (purchases_of(demo)["value"] > 0).all()
    assert (demo.conversions["value"] == demo.conversions["value"].round(2)).all()


def test_sales_are_the_purchases_of_the_local_day(demo: DemoWorld) -> None:
    purchases = purchases_of(demo)
    cents = (purchases["value"] * 100).round().astype("int64").groupby(local_day(purchases["occurred_at"])).sum()
    sales = demo.outcomes[demo.outcomes["outcome"] == "Sales"].set_index("date")["value"]
    sales_cents = (sales * 100).round().astype("int64")
    assert (sales_cents == cents.reindex(sales_cents.index, fill_value=0)).all()
    assert (sales == sales.round(2)).all()


def test_spend_is_plausible_in_every_row(demo: DemoWorld) -> None:
    spend = demo.spend
    assert (spend[["spend", "impressions", "clicks"]] >= 0).all(axis=None)
    assert (spend["spend"] == spend["spend"].round(2)).all()
    assert (spend["clicks"] <= spend["impressions"]).all()
    types = demo.channels.set_index("channel")["type"]
    assert set(spend["channel"]) == set(types.index[types.isin(["paid", "offline"])])
    assert (spend.groupby("channel")["date"].nunique() == 730).all()


def test_every_paid_touch_belongs_to_a_campaign_that_runs_that_day(demo: DemoWorld) -> None:
    touches = demo.touchpoints[demo.touchpoints["channel"].isin(demo.spend["channel"])]
    touches = touches.assign(date=local_day(touches["occurred_at"]).astype("datetime64[us]"))
    joined = touches.merge(demo.spend, on=["date", "channel", "campaign"], how="left")
    assert joined["spend"].notna().all()


def test_outcomes_stay_in_their_ranges(demo: DemoWorld) -> None:
    values = {str(name): rows["value"] for name, rows in demo.outcomes.groupby("outcome")}
    assert set(values) == {"Sales", "Brand awareness", "Website traffic", "App installs"}
    assert values["Brand awareness"].between(0, 100).all()
    assert (values["Website traffic"] > 0).all()
    assert (values["App installs"] >= 0).all()


# What marketers will recognise


def test_source_and_medium_fall_into_the_default_channel_group_of_the_channel(demo: DemoWorld) -> None:
    search, social = {"google", "bing", "ecosia"}, {"facebook", "instagram", "pinterest"}

    def group(source: str, medium: str, campaign: str) -> str:
        paid, shop = PAID_MEDIUM.match(medium), SHOPPING_CAMPAIGN.match(campaign)
        rules = (
            ("Direct", source == "(direct)" and medium == "(none)"),
            ("Paid Shopping", shop and paid),
            ("Paid Search", source in search and paid),
            ("Paid Social", source in social and paid),
            ("Paid Video", source == "youtube" and paid),
            ("Display", medium == "display"),
            ("Paid Other", paid),
            ("Organic Shopping", shop),
            ("Organic Social", source in social or medium == "social"),
            ("Organic Search", source in search or medium == "organic"),
            ("Referral", medium == "referral"),
            ("Email", medium == "email"),
            ("Affiliates", medium == "affiliate"),
        )
        return next(name for name, holds in rules if holds)

    origins = demo.touchpoints[["channel", "source", "medium", "campaign"]].drop_duplicates()
    for channel, source, medium, campaign in origins.itertuples(index=False):
        named = campaign.lower() if isinstance(campaign, str) else ""
        assert group(source, medium, named) == channel, (source, medium, campaign)


def test_journeys_look_like_journeys(demo: DemoWorld) -> None:
    paths = purchase_paths(demo)
    bought = paths[paths["bought"] == 1].groupby("journey")
    lengths, days = bought.size(), bought["age"].max().dt.total_seconds() / 86_400
    assert lengths.min() == 1
    assert 2 <= lengths.median() <= 5
    assert lengths.quantile(0.99) <= 15
    assert 2 <= days.median() <= 7
    assert 0.05 <= 1 - len(lengths) / len(purchases_of(demo)) <= 0.20, "some purchases have no touch"


def test_most_customers_never_buy_and_some_buy_again(demo: DemoWorld) -> None:
    orders = purchases_of(demo)["customer"].value_counts()
    assert len(orders) < 0.35 * demo.touchpoints["customer"].nunique()
    assert 0.05 <= (orders > 1).mean() <= 0.30


def test_loyal_customers_buy_more_often_than_new_ones(demo: DemoWorld) -> None:
    segment = demo.touchpoints.drop_duplicates("customer").set_index("customer")["segment"]
    rate = segment.index.isin(purchases_of(demo)["customer"])
    by_segment = pd.Series(rate, index=segment.index).groupby(segment).mean()
    assert by_segment["Loyal"] > by_segment["Returning"] > by_segment["New"]


def test_economics_are_realistic(demo: DemoWorld) -> None:
    assert 3 <= demo.conversions["value"].sum() / demo.spend["spend"].sum() <= 6
    returns = {name: true["incremental_roi"] for name, true in demo.truth["channels"].items() if true["spend"]}
    assert len(returns) == 8
    assert all(0.3 <= roi <= 4 for roi in returns.values()), returns


def test_last_touch_flatters_display_and_slights_paid_social(demo: DemoWorld) -> None:
    last, true = last_touch_revenue(demo), demo.truth["channels"]
    assert last["Display"] / true["Display"]["spend"] > 5 * true["Display"]["incremental_roi"]
    assert last["Paid Social"] / true["Paid Social"]["spend"] < 0.7 * true["Paid Social"]["incremental_roi"]


# Truth


def test_intensity_is_one_at_the_budget_zero_without_spend_and_carries_over() -> None:
    plan = world.Media(100.0, 0.5, 1.0, 1.0, 10.0, 0.01)
    assert media.intensity(spend=np.full(3, 100.0), media=plan) == pytest.approx(np.ones(3))
    assert (media.intensity(spend=np.zeros(3), media=plan) == 0).all()
    # Adstock of 100, 0, 0 is 100, 50, 25; x / (x + 1) * 2 of 1, .5, .25.
    assert media.intensity(spend=np.array([100.0, 0, 0]), media=plan) == pytest.approx([1, 2 / 3, 0.4])


def test_pair_effect_comes_on_top_of_both_channels() -> None:
    names = [channel.name for channel in world.touch_channels()]
    met = np.array([[name in {"Paid Search", "Organic Search"} for name in names]])
    alone = sum(world.channel_named(name).log_odds for name in ("Paid Search", "Organic Search"))
    assert outcomes.touch_log_odds(met, with_pairs=False) == pytest.approx([alone])
    assert outcomes.touch_log_odds(met) == pytest.approx([alone + world.PAIRS[1].log_odds])


@pytest.mark.parametrize("channel", ["Paid Search", "Paid Social", "Display", "TV"])
def test_truth_is_what_a_world_without_the_spend_loses(half_year: Simulation, channel: str) -> None:
    without = simulate(end=END, seed=7, days=200, without_spend=frozenset({channel}))
    counterfactual = expected_totals(half_year, without=frozenset({channel}))
    again = expected_totals(without)
    assert again.purchases == pytest.approx(counterfactual.purchases, rel=1e-12)
    assert again.revenue == pytest.approx(counterfactual.revenue, rel=1e-12)
    assert again.leads == pytest.approx(counterfactual.leads, rel=1e-12)
    assert counterfactual.purchases < expected_totals(half_year).purchases


def test_purchases_that_really_happen_follow_the_truth_over_several_worlds() -> None:
    lost, true = 0, 0.0
    for seed in range(1, 5):
        actual = simulate(end=END, seed=seed, days=300)
        without = simulate(end=END, seed=seed, days=300, without_spend=frozenset({"Paid Social"}))
        lost += int(actual.buys.sum()) - int(without.buys.sum())
        added = expected_totals(actual) - expected_totals(actual, without=frozenset({"Paid Social"}))
        true += added.purchases
    # With common draws, at most a Poisson error of the purchases lost remains.
    assert lost == pytest.approx(true, abs=4 * math.sqrt(true))


def test_expected_totals_agree_with_what_happened(demo: DemoWorld) -> None:
    happened = len(purchases_of(demo))
    assert happened == pytest.approx(demo.truth["totals"]["purchases"], abs=4 * math.sqrt(happened))


def test_direct_visits_have_no_effect_of_their_own(demo: DemoWorld) -> None:
    assert demo.truth["channels"]["Direct"]["incremental_purchases"] == 0


def test_pooled_journeys_show_the_synergy_and_the_cannibalisation(demo: DemoWorld) -> None:
    paths = purchase_paths(demo)
    touches = pd.crosstab(paths["journey"], paths["channel"])
    bought = paths.groupby("journey")["bought"].first().reindex(touches.index).to_numpy()
    met = (touches > 0).astype(float)
    pairs = [met[first] * met[second] for first, second in (pair["channels"] for pair in demo.truth["pairs"])]
    length = touches.sum(axis=1)
    design = np.column_stack([np.ones(len(met)), met.to_numpy(), length, *pairs])
    coefficients, errors = logistic_regression(design, bought)
    scores = coefficients[-2:] / errors[-2:]
    assert [pair["kind"] for pair in demo.truth["pairs"]] == ["synergy", "cannibalisation"]
    assert scores[0] > 5
    assert scores[1] < -5
    assert demo.truth["pairs"][0]["incremental_purchases"] > 0 > demo.truth["pairs"][1]["incremental_purchases"]


def test_experiments_report_the_truth_within_their_error(demo: DemoWorld) -> None:
    for row, true in zip(demo.experiments.to_dict("records"), demo.truth["experiments"], strict=True):
        assert row["channel"] == true["channel"]
        assert row["lift"] != true["true_lift"]
        assert abs(row["lift"] - true["true_lift"]) <= 3 * row["standard_error"]
        assert row["spend"] > 0


@pytest.mark.parametrize("channel", ["Display", "TV", "Paid Social"])
def test_lift_of_all_spend_is_the_channels_increment(half_year: Simulation, channel: str) -> None:
    added = expected_totals(half_year) - expected_totals(half_year, without=frozenset({channel}))
    since_the_burn_in = window_lift(half_year, channel=channel, first_day=-world.BURN_IN_DAYS, last_day=199)
    reported_days_only = window_lift(half_year, channel=channel, first_day=0, last_day=199)
    assert since_the_burn_in == pytest.approx(added.revenue, rel=1e-12)
    assert 0 < reported_days_only < since_the_burn_in


def test_weekly_sales_reveal_what_tv_and_paid_social_added(demo: DemoWorld) -> None:
    simulation = simulate(end=END, seed=world.DEFAULT_SEED, days=730)
    clock = simulation.clock
    # Considerations take their time, so sales answer an exposure with a delay: a second, short adstock of five days.
    delay = np.exp(-np.arange(28) / 5)
    reach = {
        plan.channel.name: np.convolve(media.intensity(spend=plan.spend, media=plan.media), delay / delay.sum())
        for plan in simulation.plans
    }
    columns = [
        np.ones(len(clock.dates)),
        seasons.demand(clock=clock, seed=simulation.seed),
        seasons.promotion(clock),
        seasons.price_index(clock=clock, seed=simulation.seed),
        *(series[: len(clock.dates)] for series in reach.values()),
    ]
    design = clock.reported(np.column_stack(columns))[:728].reshape(104, 7, -1).sum(axis=1)
    sales = demo.outcomes[demo.outcomes["outcome"] == "Sales"]["value"].to_numpy()[:728].reshape(104, 7).sum(axis=1)
    coefficients, *_ = np.linalg.lstsq(design, sales, rcond=None)
    variance = ((sales - design @ coefficients) ** 2).sum() / (len(sales) - design.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    for name in ("TV", "Paid Social"):
        column = 4 + list(reach).index(name)
        exposure = design[:, column].sum()
        estimate, error = coefficients[column] * exposure, errors[column] * exposure
        assert abs(estimate - demo.truth["channels"][name]["incremental_revenue"]) <= 3 * error, name
        assert estimate > 3 * error, name


def test_brand_awareness_rises_with_the_advertising_of_the_weeks_before(demo: DemoWorld) -> None:
    awareness = demo.outcomes[demo.outcomes["outcome"] == "Brand awareness"].set_index("date")["value"]
    spots = demo.spend[demo.spend["channel"] == "TV"].groupby("date")["spend"].sum()
    recent = spots.rolling(60).mean().dropna()
    assert np.corrcoef(recent, awareness[recent.index])[0, 1] > 0.7


def test_truth_is_json(demo: DemoWorld) -> None:
    assert json.loads(json.dumps(demo.truth))["totals"] == demo.truth["totals"]
    assert list(demo.truth["channels"]) == list(demo.channels["channel"])


def test_documentation_shows_the_true_values(demo: DemoWorld) -> None:
    page = Path(__file__).parents[2] / "docs" / "demo-world.md"
    assert page.read_text(encoding="utf-8").endswith(truth_markdown(demo))
