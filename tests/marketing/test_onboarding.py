"""The first steps: which are ticked, who is led where, and when they are no longer shown."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.invitations import invite
from accounts.models import Membership, Role, User, Workspace
from marketing.models import Conversion, Dataset, Goal, HealthReport, Import
from marketing.onboarding import SHOWN_FOR, checklist, checklist_beside_figures
from tests.factories import MembershipFactory
from tests.marketing.batches import add_customer, add_import

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/dashboard/"
LABELS = [
    "Import touchpoints",
    "Import conversions",
    "Import spend",
    "Have data health checked",
    "Choose your goals",
    "Invite your team",
]


@pytest.fixture
def membership(shop: Workspace, owner: User) -> Membership:
    """The owner's, who is alone."""
    return Membership.objects.select_related("workspace", "user").get(user=owner)


def ticked(membership: Membership) -> set[str]:
    return {step.label for step in checklist(membership).steps if step.is_done}


def import_conversion(workspace: Workspace, goal: str, **fields: object) -> None:
    batch = add_import(workspace, Dataset.CONVERSIONS)
    add_customer(workspace, 1)
    found = Goal.objects.get(workspace=workspace, name=goal)
    Conversion.objects.create(
        batch=batch, customer_id=1, occurred_at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC), goal=found, **fields
    )


def everything_but(step: str, membership: Membership) -> None:
    workspace = membership.workspace
    deeds: dict[str, Callable[[], object]] = {
        "Import touchpoints": lambda: add_import(workspace, Dataset.TOUCHPOINTS),
        "Import conversions": lambda: import_conversion(workspace, "Purchase"),
        "Import spend": lambda: add_import(workspace, Dataset.SPEND),
        "Have data health checked": lambda: HealthReport.objects.create(
            workspace=workspace, data_version="", day=dt.date(2026, 5, 1)
        ),
        "Invite your team": lambda: MembershipFactory.create(workspace=workspace),
    }
    for label, deed in deeds.items():
        if label != step:
            deed()


def test_a_new_workspace_has_six_steps_and_none_is_done(membership: Membership) -> None:
    assert [step.label for step in checklist(membership).steps] == LABELS
    assert ticked(membership) == set()


@pytest.mark.parametrize(
    ("dataset", "label"),
    [
        (Dataset.TOUCHPOINTS, "Import touchpoints"),
        (Dataset.CONVERSIONS, "Import conversions"),
        (Dataset.SPEND, "Import spend"),
        (Dataset.MEDIA_TABLE, "Import spend"),
    ],
)
def test_an_import_ticks_its_step_while_it_counts(membership: Membership, dataset: Dataset, label: str) -> None:
    batch = add_import(membership.workspace, dataset)
    assert ticked(membership) == {label}
    for status in (Import.Status.UNDONE, Import.Status.FAILED, Import.Status.LOADING, Import.Status.PENDING):
        Import.objects.filter(pk=batch.pk).update(status=status)
        assert ticked(membership) == set()


def test_demo_data_is_no_step_of_ones_own(membership: Membership) -> None:
    add_import(membership.workspace, Dataset.SPEND)
    Import.objects.update(origin=Import.Origin.DEMO)
    assert ticked(membership) == set()
    assert checklist_beside_figures(membership) is None


def test_health_is_checked_once_there_is_a_report_about_data(membership: Membership) -> None:
    HealthReport.objects.create(workspace=membership.workspace, data_version="", day=dt.date(2026, 5, 1))
    assert ticked(membership) == set()
    add_import(membership.workspace, Dataset.OUTCOMES)
    assert ticked(membership) == {"Have data health checked"}


def test_goals_are_chosen_once_the_data_know_the_default_one(membership: Membership) -> None:
    import_conversion(membership.workspace, "Lead")
    import_conversion(membership.workspace, "Purchase", converted=False)
    assert "Choose your goals" not in ticked(membership)
    Goal.objects.filter(name="Purchase").update(is_default=False)
    Goal.objects.filter(name="Lead").update(is_default=True)
    assert "Choose your goals" in ticked(membership)


def test_a_team_is_another_member_or_an_invitation_that_waits(membership: Membership) -> None:
    offer = invite(workspace=membership.workspace, email="new@example.com", role=Role.VIEWER, by=membership)
    assert ticked(membership) == {"Invite your team"}
    offer.invitation.delete()
    assert ticked(membership) == set()
    MembershipFactory.create(workspace=membership.workspace)
    assert ticked(membership) == {"Invite your team"}


@pytest.mark.parametrize("missing", ["Import touchpoints", "Have data health checked", "Invite your team", "nothing"])
def test_beside_figures_the_steps_stay_until_all_are_taken(membership: Membership, missing: str) -> None:
    everything_but(missing, membership)
    found = checklist_beside_figures(membership)
    assert (found is None) == (missing == "nothing")
    if found:
        assert {step.label for step in found.steps if not step.is_done} == {missing}


def test_beside_figures_the_steps_go_after_a_month(membership: Membership) -> None:
    everything_but("Invite your team", membership)
    created_at = membership.workspace.created_at
    with time_machine.travel(created_at + SHOWN_FOR):
        assert checklist_beside_figures(membership)
    with time_machine.travel(created_at + SHOWN_FOR + dt.timedelta(minutes=1)):
        assert checklist_beside_figures(membership) is None


def test_everybody_is_led_only_where_they_may_do_something(
    client_for: ClientFor, shop: Workspace, owner: User, member: Callable[[Role], User]
) -> None:
    start = '<ol class="first-steps">'
    led = client_for(owner).get(PAGE).text.partition(start)[2].partition("</ol>")[0]
    assert '"/w/acme/settings/goals/"' in led
    assert '"/w/acme/settings/team/"' in led
    left = client_for(member(Role.VIEWER)).get(PAGE).text.partition(start)[2].partition("</ol>")[0]
    assert "Import touchpoints" in left
    assert "/settings/" not in left
    assert "/imports/" not in left


def test_an_empty_workspace_shows_the_steps_and_the_demo_however_old_it_is(
    client_for: ClientFor, shop: Workspace, owner: User
) -> None:
    Workspace.objects.update(created_at=shop.created_at - dt.timedelta(days=400))
    page = client_for(owner).get(PAGE).text
    assert page.count('class="step-label"') == len(LABELS)
    assert "Load demo data" in page


def test_with_some_data_the_start_says_that_it_is_not_enough(
    client_for: ClientFor, shop: Workspace, owner: User
) -> None:
    add_import(shop, Dataset.TOUCHPOINTS)
    page = client_for(owner).get(PAGE).text
    assert "There is not enough data here yet" in page
    assert page.count("is-done") == 1
    assert "Load demo data" not in page


def test_the_steps_take_few_queries(membership: Membership, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    everything_but("nothing", membership)
    with django_assert_num_queries(4):
        checklist(membership)
