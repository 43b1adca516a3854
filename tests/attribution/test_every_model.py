"""Runs under every model there is: credit adds up, intervals hold it, and what explains it is there."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.actions import set_plan
from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.models import Run
from attribution.catalogue import MODELS, OFFERED
from attribution.custom import custom_models
from attribution.methods.custom_definition import parse
from attribution.presentation.document import document
from marketing.channels import set_channel_type
from marketing.models import Channel
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows

CHANNELS = ("Email", "Search", "Display", "Direct")
API = "/api/v1/runs/"


@pytest.fixture
def pro(shop: Workspace) -> Workspace:
    set_plan(workspace=shop, plan="professional", by=None)
    shop.refresh_from_db()  # the plan that it had is remembered
    return shop


@pytest.fixture
def _customers(import_rows: ImportRows) -> None:
    """200 customers: of those that touch Email most convert, of the others few; two convert without a touch, and one
    after a view only."""
    rng = np.random.default_rng(5)
    touches, sales, leads = [], [], []
    for customer in range(200):
        path = [CHANNELS[int(step)] for step in rng.integers(0, 4, int(rng.integers(1, 5)))]
        for place, channel in enumerate(path):
            kind = "impression" if channel == "Display" else "click"
            touches.append(f"c{customer},2026-03-{10 + place}T10:00Z,{channel},{kind}")
        if rng.random() < (0.7 if "Email" in path else 0.2):
            sales.append(f"c{customer},2026-03-20T10:00Z,{20 + customer % 7},Purchase")
        if customer % 3 == 0:
            leads.append(f"c{customer},2026-03-11T12:00Z,0,Lead")
    sales += [f"x{n},2026-03-21T10:00Z,50,Purchase" for n in range(2)]
    touches.append("seen,2026-03-12T10:00Z,Display,impression")
    sales.append("seen,2026-03-20T10:00Z,20,Purchase")
    import_rows("touchpoints", "customer,occurred_at,channel,interaction", *touches)
    import_rows("conversions", "customer,occurred_at,value,goal", *sales, *leads)


def models_of(run: Run) -> dict[str, dict[str, Any]]:
    assert run.result is not None, run.job.error
    models: dict[str, dict[str, Any]] = run.result["models"]
    return models


def by_name(detail: Mapping[str, Any], figure: str, dimension: str = "channel") -> dict[str, float]:
    return {group[dimension]: group[figure] for group in detail[f"{dimension}s"] if figure in group}


@pytest.mark.usefixtures("_customers", "pro")
@pytest.mark.parametrize("name", MODELS)
def test_credit_adds_up_and_lies_within_its_intervals(name: str, attribute: Attribute) -> None:
    run = attribute(model=name, replicates=200)
    (detail,) = models_of(run).values()
    assert run.result is not None
    groups = detail["channels"]
    assert {group["channel"] for group in groups[:-1]} == set(CHANNELS)
    assert groups[-1]["channel"] == "(none)"
    totals = run.result["totals"]
    for measure in ("conversions", "value"):
        added_up = math.fsum(group[measure] for group in groups)
        if MODELS[name].adds_up:
            assert added_up == pytest.approx(totals[measure], rel=1e-12)
        else:
            assert added_up > totals[measure]
    for group in groups:
        for figure in ("conversions", "value", "share"):
            assert group[f"{figure}_low"] <= group[figure] <= group[f"{figure}_high"]
            if name != "bayesian_markov" or group["channel"] != "(none)":
                assert group[f"{figure}_low"] < group[f"{figure}_high"]
    assert groups[-1]["conversions"] == 2
    assert run.result["intervals"] == {"confidence": 95, "replicates": 200, "seed": 0}


@pytest.mark.usefixtures("_customers", "pro")
def test_models_side_by_side_give_what_each_gives_alone(attribute: Attribute) -> None:
    names = list(OFFERED)[:12]
    together = models_of(attribute(model=names, replicates=200))
    assert list(together) == names
    for name in ("last", "participation", "data_driven"):
        alone = models_of(attribute(model=name, replicates=200))[name]
        for figure in ("conversions", "conversions_low", "value_high"):
            # A sum in another order may differ in the last digit.
            assert by_name(together[name], figure) == pytest.approx(by_name(alone, figure), rel=1e-12)
    main = by_name(together["last"], "conversions")
    for group in together["data_driven"]["channels"]:
        apart = group["difference"]
        assert apart["conversions"] == pytest.approx(group["conversions"] - main[group["channel"]], abs=1e-12)
        assert apart["conversions_low"] <= apart["conversions"] <= apart["conversions_high"]
    assert "difference" not in together["last"]["channels"][0]


@pytest.mark.usefixtures("_customers", "pro")
def test_a_removal_is_explained_in_rates(attribute: Attribute) -> None:
    run = attribute(model="data_driven", metric="conversions")
    detail = models_of(run)["data_driven"]
    effects, without = by_name(detail, "removal_effect"), by_name(detail, "rate_without")
    assert max(effects, key=lambda name: effects[name]) == "Email", "it is what converts"
    for name, effect in effects.items():
        assert effect == pytest.approx(1 - without[name] / detail["conversion_rate"], abs=1e-12)
    shares = {name: effect / sum(effects.values()) for name, effect in effects.items()}
    touched = run.result["totals"]["conversions"] - 2 if run.result else 0
    assert by_name(detail, "conversions") == pytest.approx(
        {name: touched * share for name, share in shares.items()} | {"(none)": 2}, rel=1e-12
    )
    rows = detail["transitions"]["probabilities"]
    assert [sum(row) for row in rows] == pytest.approx([1.0] * 5)
    sentences = [sentence for section in document(run).sections for sentence in section.sentences]
    assert any(sentence.startswith("Removing Email lowers the conversion probability from ") for sentence in sentences)


@pytest.mark.usefixtures("_customers", "pro")
def test_what_explains_credit_has_intervals(attribute: Attribute) -> None:
    run = attribute(model=["markov:1", "bayesian_markov", "shapley"], replicates=200)
    markov, bayesian, shapley = models_of(run).values()
    for detail, figures in (
        (markov, ("rate_without",)),
        (bayesian, ("rate_without",)),
        (shapley, ("marginal_effect",)),
    ):
        for figure in figures:
            for group in detail["channels"][:-1]:
                assert group[f"{figure}_low"] < group[figure] < group[f"{figure}_high"], (figure, group["channel"])
    for detail in (markov, bayesian):
        assert 0 < detail["conversion_rate_low"] < detail["conversion_rate"] < detail["conversion_rate_high"] < 1
    shown = [
        figure.interval
        for section in document(run).sections
        for table in section.tables
        for row in table.rows
        for figure in row.cells
        if table.title.startswith(("Removal", "Marginal"))
    ]
    assert all(shown)


@pytest.mark.usefixtures("_customers", "pro")
def test_what_models_have_in_common_is_not_in_their_difference(attribute: Attribute) -> None:
    for group in models_of(attribute(model=["linear", "bayesian_markov"]))["bayesian_markov"]["channels"]:
        apart = group["difference"]
        assert apart["value_low"] <= apart["value"] <= apart["value_high"]
        if group["channel"] == "(none)":
            assert (apart["value_low"], apart["value"], apart["value_high"]) == pytest.approx((0, 0, 0), abs=1e-9)


@pytest.mark.usefixtures("_customers")
def test_under_participation_shares_are_of_what_there_is(attribute: Attribute) -> None:
    run = attribute(model="participation", metric="conversions")
    assert run.result is not None
    for group in models_of(run)["participation"]["channels"]:
        assert group["share"] == pytest.approx(group["conversions"] / run.result["totals"]["conversions"])
        assert group["share_low"] <= group["share"] <= group["share_high"]
    assert sum(by_name(models_of(run)["participation"], "share").values()) > 1
    (chart, *_) = document(run).charts
    assert "together get" not in chart.title


@pytest.mark.usefixtures("_customers", "pro")
def test_a_posterior_of_too_many_groups_is_refused(attribute: Attribute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attribution.computation.MOST_GROUPS_OF_POSTERIOR", 3)
    run = attribute(model="bayesian_markov")
    assert (run.result, run.job.error_code) == (None, "too_many_groups")
    assert "Bayesian Markov is for 3 channels at most, and these journeys have 4." in run.job.error


@pytest.mark.usefixtures("pro")
def test_the_seed_is_that_of_sampled_orders(attribute: Attribute, import_rows: ImportRows) -> None:
    rng = np.random.default_rng(1)
    touches, sales = [], []
    for customer in range(300):
        touches += [
            f"c{customer},2026-03-10T{hour}:00Z,Channel {step}" for hour, step in enumerate(rng.integers(0, 22, 3), 10)
        ]
        sales += [f"c{customer},2026-03-11T10:00Z,20"] if customer % 3 else []
    import_rows("touchpoints", "customer,occurred_at,channel", *touches)
    import_rows("conversions", "customer,occurred_at,value", *sales)
    one, same, other = (
        models_of(attribute(model=["shapley", *more], seed=seed, replicates=100))["shapley"]
        for more, seed in (((), 7), (("last",), 7), ((), 8))
    )
    assert not one["is_exact"]
    assert by_name(one, "marginal_effect") == by_name(same, "marginal_effect") != by_name(other, "marginal_effect")
    assert all(error > 0 for error in by_name(one, "monte_carlo_error").values())


@pytest.mark.usefixtures("pro")
def test_data_of_buyers_alone_are_said_to_teach_nothing(attribute: Attribute, import_rows: ImportRows) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", "a,2026-03-01T00:00Z,Email", "b,2026-03-01T00:00Z,TV")
    import_rows("conversions", "customer,occurred_at,value", "a,2026-03-02T00:00Z,10", "b,2026-03-02T00:00Z,10")
    notes = " ".join(document(attribute(model="data_driven", replicates=100)).notes)
    assert "The data tell of no journey without conversion" in notes
    assert "no journey without conversion" not in " ".join(document(attribute(model="last")).notes)


@pytest.mark.usefixtures("_customers", "pro")
def test_the_same_question_gives_the_same_numbers_and_another_seed_other_intervals(attribute: Attribute) -> None:
    one = attribute(model="last,data_driven,bayesian_markov", replicates=200)
    again = attribute(model="last,data_driven,bayesian_markov", replicates=200, window_days=31)
    other = attribute(model="last,data_driven,bayesian_markov", replicates=200, seed=1)
    assert models_of(one) == models_of(again), "a longer window that adds no touch"
    for name in ("last", "data_driven"):
        first, second = models_of(one)[name], models_of(other)[name]
        assert by_name(first, "conversions") == by_name(second, "conversions")
        assert by_name(first, "conversions_low") != by_name(second, "conversions_low")


@pytest.mark.usefixtures("_customers")
@pytest.mark.parametrize("name", ["last", "linear"])
def test_a_higher_level_gives_a_wider_interval(name: str, attribute: Attribute) -> None:
    widths = []
    for level in (80, 90, 95, 99):
        groups = models_of(attribute(model=name, confidence=level))[name]["channels"]
        widths.append(min(group["value_high"] - group["value_low"] for group in groups))
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


@pytest.mark.usefixtures("_customers")
def test_view_through_can_be_left_out(attribute: Attribute) -> None:
    with_views, without = (
        models_of(attribute(model="linear", view_through=how, metric="conversions"))["linear"]
        for how in ("include", "exclude")
    )
    assert by_name(with_views, "conversions")["Display"] > 0
    assert "Display" not in by_name(without, "conversions"), "all its touches are views"
    assert by_name(without, "conversions")["(none)"] > 2, "some had nothing else"


@pytest.mark.usefixtures("_customers")
def test_credit_by_type_of_channel_is_that_of_its_channels(attribute: Attribute, shop: Workspace) -> None:
    by_channel = by_name(models_of(attribute(model="linear"))["linear"], "value")
    by_type = by_name(models_of(attribute(model="linear", dimension="channel_type"))["linear"], "value", "channel_type")
    expected: dict[str, float] = {"(none)": by_channel["(none)"]}
    for channel in Channel.objects.filter(workspace=shop):
        label = str(Channel.Type(channel.type).label)
        expected[label] = expected.get(label, 0.0) + by_channel[channel.name]
    assert by_type == pytest.approx(expected)


@pytest.mark.usefixtures("_customers")
@pytest.mark.parametrize("looks", ["dimension", "model", "nowhere"])
def test_a_channels_new_type_is_another_question_where_the_answer_depends_on_it(
    looks: str, attribute: Attribute, shop: Workspace
) -> None:
    paid_only = parse({"channel_types": {"organic": 0, "owned": 0, "offline": 0}})
    custom_models.create(workspace=shop, name="Paid only", definition=paid_only, by=None)
    asked = {"model": "Paid only" if looks == "model" else "linear"}
    if looks == "dimension":
        asked["dimension"] = "channel_type"
    before = attribute(**asked)
    set_channel_type(channel=Channel.objects.get(name="Display"), type=Channel.Type.OFFLINE, by=None)
    after = attribute(**asked)
    if looks == "nowhere":
        assert after.pk == before.pk
        return
    assert after.pk != before.pk
    dimension = "channel_type" if looks == "dimension" else "channel"
    one, other = (by_name(next(iter(models_of(run).values())), "value", dimension) for run in (before, after))
    assert one != other
    if looks == "model":
        assert other.get("Display", 0.0) == 0 < one["Display"]
    else:
        assert other["Offline"] > 0
    assert attribute(**after.params).pk == after.pk, "canonical params stay as they are"


@pytest.mark.usefixtures("shop")
def test_credit_can_be_grouped_otherwise_than_in_the_settings(attribute: Attribute, import_rows: ImportRows) -> None:
    import_rows("touchpoints", "customer,occurred_at,source,medium", "a,2026-03-01T00:00Z,google,cpc")
    import_rows("conversions", "customer,occurred_at,value", "a,2026-03-02T00:00Z,10")
    usual, granular = (models_of(attribute(model="last", **asked))["last"] for asked in ({}, {"grouping": "granular"}))
    assert set(by_name(usual, "value")) == {"Paid Search", "(none)"}
    (name,) = set(by_name(granular, "value")) - {"(none)"}
    assert name.startswith("google / cpc")


@pytest.mark.usefixtures("_customers")
def test_the_w_shape_says_how_many_journeys_have_no_lead(attribute: Attribute) -> None:
    run = attribute(model="w_shape")
    left = models_of(run)["w_shape"]["journeys_without_lead"]
    assert run.result is not None
    assert 0 < left < run.result["totals"]["conversions"]
    assert any(
        "no touch up to a lead in the lookback window" in text
        for section in document(run).sections
        for text in section.sentences
    )


@pytest.mark.usefixtures("_customers")
def test_a_custom_model_credits_as_it_is_defined_and_says_so(attribute: Attribute, shop: Workspace) -> None:
    emails_only = parse(
        {"rules": [{"when": {"channel": ["Search", "Display", "Direct"]}, "factor": 0}], "position": {"even": True}}
    )
    ours = custom_models.create(workspace=shop, name="Emails only", definition=emails_only, by=None)
    run = attribute(model="Emails only", metric="conversions")
    (detail,) = models_of(run).values()
    credit = by_name(detail, "conversions")
    assert credit.keys() == {"Email", "(none)"}
    assert detail["journeys_without_weight"] == credit["(none)"] - 2 > 0
    headings = {section.title: section.sentences for section in document(run).sections}
    assert "How Emails only (v1) credits" in headings
    custom_models.save_version(model=ours, definition=parse({"position": {"even": True}}), by=None)
    again = attribute(**run.params)
    assert again.pk == run.pk, "version 1 is still what it was"
    newest = attribute(model="Emails only", metric="conversions")
    linear = attribute(model="linear", metric="conversions")
    (detail,) = models_of(newest).values()
    assert by_name(detail, "conversions") == pytest.approx(by_name(models_of(linear)["linear"], "conversions"))


@pytest.mark.usefixtures("_customers")
def test_without_the_plan_data_driven_is_refused_and_no_work_is_done(shop: Workspace, owner: User) -> None:
    _key, token = create_api_key(
        workspace=shop, created_by=owner, name="Asker", scopes=["attribution:read", "attribution:write"]
    )
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for model in ("data_driven", ["last", "shapley"], "markov:2", "bayesian_markov", "shapley:simplified"):
        body = json.dumps({"kind": "attribution", "params": {"model": model}})
        response = client.post(API, body, content_type="application/json")
        assert response.status_code == 403
        said = response.json()
        assert (said["code"], said["feature"], said["plan"]) == ("plan_required", "data_driven", "professional")
    assert not Run.objects.exists()
    set_plan(workspace=shop, plan="professional", by=None)
    assert client.post(API, body, content_type="application/json").status_code == 202


@pytest.mark.usefixtures("_customers", "pro")
def test_a_refused_run_of_a_downgraded_plan_stays_readable(attribute: Attribute, shop: Workspace) -> None:
    run = attribute(model="data_driven")
    set_plan(workspace=shop, plan="starter", by=None)
    run = Run.objects.select_related("job", "workspace").get(pk=run.pk)
    assert document(run).headline
    assert models_of(run)
