"""Runs under custom models: the credit of the version that was asked for, whatever becomes of the model later."""

import datetime as dt
from typing import Any

import pytest

from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.models import Run
from attribution.custom import custom_models
from attribution.custom.preview import own_credit
from attribution.methods.custom_definition import CustomDefinition, parse
from attribution.models import CustomModel
from jobs.models import Job
from marketing.channels import rename_channel
from marketing.models import Channel, Goal
from marketing.periods import Period
from marketing.segments.preview import Scope
from reports.workspace_history import settings_of
from tests.attribution.conftest import Attribute
from tests.conftest import ImportRows

ENDS = parse({"position": {"first": 50, "middle": 30, "last": 20}})
LAST_HEAVY = parse({"position": {"first": 10, "middle": 20, "last": 70}})
NEVER_SEARCH = parse({"channels": {"Search": 0}})


@pytest.fixture
def journeys(import_rows: ImportRows, shop: Workspace) -> Workspace:
    """Anna touches Display, Email and Search; Ben only Search; Cleo nothing: three conversions of 100, 40 and 10."""
    import_rows(
        "touchpoints",
        "customer,occurred_at,channel",
        "anna,2026-03-01T12:00Z,Display",
        "anna,2026-03-05T12:00Z,Email",
        "anna,2026-03-08T12:00Z,Search",
        "ben,2026-03-08T12:00Z,Search",
    )
    import_rows(
        "conversions",
        "customer,occurred_at,value",
        "anna,2026-03-09T12:00Z,100",
        "ben,2026-03-09T12:00Z,40",
        "cleo,2026-03-09T12:00Z,10",
    )
    return shop


def keep(workspace: Workspace, definition: CustomDefinition, name: str = "Ours") -> CustomModel:
    return custom_models.create(workspace=workspace, name=name, definition=definition, by=None)


def credit(run: Run, model: str) -> dict[str, float]:
    """The conversions of each channel."""
    assert run.job.status == Job.Status.DONE, run.job.error
    assert run.result is not None
    return {one["channel"]: one["conversions"] for one in run.result["models"][model]["channels"]}


def test_a_custom_model_credits_beside_the_others(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, ENDS)
    run = attribute(model=f"custom:{model.pk},last", metric="conversions")
    assert run.params["model"] == [f"custom:{model.pk}@1", "last"]
    # By hand: 50/30/20 for Anna, all to the only touch of Ben, nothing to credit for Cleo.
    expected = {"Display": 0.5, "Email": 0.3, "Search": 1.2, "(none)": 1}
    assert credit(run, f"custom:{model.pk}@1") == pytest.approx(expected)
    assert credit(run, "last") == {"Display": 0, "Email": 0, "Search": 2, "(none)": 1}


def test_version_2_leaves_the_results_of_version_1_unchanged(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, ENDS)
    first = attribute(model=f"custom:{model.pk}", metric="conversions")
    result, fingerprint = first.result, first.fingerprint
    custom_models.save_version(model=model, definition=LAST_HEAVY, by=None)
    second = attribute(model=f"custom:{model.pk}", metric="conversions")
    assert second.pk != first.pk
    assert credit(second, f"custom:{model.pk}@2") == pytest.approx(
        {"Display": 0.1, "Email": 0.2, "Search": 1.7, "(none)": 1}
    )
    first.refresh_from_db()
    assert (first.result, first.fingerprint) == (result, fingerprint)
    # Asked for again by its version, it is the same question with the same answer.
    again = attribute(model=f"custom:{model.pk}@1", metric="conversions")
    assert again.pk == first.pk


def test_both_versions_stand_side_by_side(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, ENDS)
    custom_models.save_version(model=model, definition=LAST_HEAVY, by=None)
    names = [f"custom:{model.pk}@{number}" for number in (1, 2)]
    run = attribute(model=names, metric="conversions")
    assert [credit(run, name)["Display"] for name in names] == pytest.approx([0.5, 0.1])


def test_a_model_is_asked_for_by_name(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, ENDS)
    assert attribute(model="ours").params["model"] == [f"custom:{model.pk}@1"]


def test_a_renamed_channel_is_still_meant(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, NEVER_SEARCH)
    rename_channel(channel=Channel.objects.get(workspace=journeys, name="Search"), name="Engines", by=None)
    run = attribute(model=f"custom:{model.pk}", metric="conversions")
    assert credit(run, f"custom:{model.pk}@1") == pytest.approx({"Display": 0.5, "Email": 0.5, "(none)": 2})


def test_an_archived_model_is_asked_for_by_its_version_alone(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, ENDS)
    custom_models.archive(model=model, by=None)
    for asked in (f"custom:{model.pk}", "Ours"):
        with pytest.raises(InvalidParams, match="archived"):
            attribute(model=asked)
    assert attribute(model=f"custom:{model.pk}@1").params["model"] == [f"custom:{model.pk}@1"]


@pytest.mark.parametrize("asked", ["custom:{id}@2", "custom:999999", "custom:{id}@0", "custom:x"])
def test_an_unknown_version_is_refused(journeys: Workspace, attribute: Attribute, asked: str) -> None:
    model = keep(journeys, ENDS)
    with pytest.raises(InvalidParams):
        attribute(model=asked.format(id=model.pk))


def test_the_preview_shows_what_a_run_credits(journeys: Workspace, attribute: Attribute) -> None:
    model = keep(journeys, NEVER_SEARCH)
    run = attribute(model=f"custom:{model.pk}", metric="conversions")
    march = Period(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    scope = Scope(goal=Goal.objects.get(workspace=journeys, is_default=True), period=march, window_days=30)
    shown = own_credit(workspace=journeys, scope=scope, definition=NEVER_SEARCH)
    assert shown is not None
    credited = credit(run, f"custom:{model.pk}@1")
    ours = dict(zip([*shown.channels, "(none)"], shown.shares[0], strict=True))
    assert {name: 3 * share for name, share in ours.items() if share} == pytest.approx(
        {name: amount for name, amount in credited.items() if amount}
    )
    assert (shown.conversions, shown.without_weight, shown.sampled) == (3, 1, 1.0)


def test_the_use_of_versions_is_counted(journeys: Workspace, attribute: Attribute) -> None:
    model, other = keep(journeys, ENDS), keep(journeys, LAST_HEAVY, "Other")
    attribute(model=f"custom:{model.pk}")
    attribute(model=[f"custom:{model.pk}", "last"])
    attribute(model="last")
    custom_models.save_version(model=model, definition=NEVER_SEARCH, by=None)
    attribute(model=[f"custom:{other.pk}", f"custom:{model.pk}"])
    used = {f"custom:{model.pk}@1": 2, f"custom:{model.pk}@2": 1, f"custom:{other.pk}@1": 1}
    assert dict(custom_models.uses(journeys)) == used


def test_an_export_of_the_workspace_has_all_versions(shop: Workspace) -> None:
    model = keep(shop, ENDS)
    custom_models.save_version(model=model, definition=LAST_HEAVY, by=None)
    custom_models.archive(model=keep(shop, NEVER_SEARCH, "Put away"), by=None)
    ours, put_away = settings_of(shop)["custom_models"]
    assert (ours["id"], ours["name"], ours["archived_at"]) == (model.pk, "Ours", None)
    definitions: list[Any] = [(version["number"], version["definition"]) for version in ours["versions"]]
    assert definitions == [(1, ENDS.as_json()), (2, LAST_HEAVY.as_json())]
    assert put_away["archived_at"] is not None
