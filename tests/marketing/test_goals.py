"""Settings > Goals & outcomes: names and kinds, the one default, what is offered no more, and what can go."""

import datetime as dt
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User, Workspace
from analyses.errors import InvalidParams
from attribution.forms import AttributionForm, asked_for, initial
from attribution.params import clean
from marketing import goals
from marketing.importing.dimensions import Dimensions
from marketing.models import Conversion, Dataset, Goal, Import, Outcome, OutcomeValue
from mmm_project.problems import Conflict, Invalid
from reports.state import dashboard_state
from tests.marketing.batches import add_customer, add_import

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/goals/"
MAY_1 = dt.datetime(2026, 5, 1, 23, 30, tzinfo=dt.UTC)


def goal(name: str) -> Goal:
    return Goal.objects.get(workspace__slug="acme", name=name)


def path(name: str, deed: str = "") -> str:
    return f"{PAGE}{goal(name).pk}/{deed}"


def convert(found: Goal, *days: int, status: str = Import.Status.ACTIVE, **fields: object) -> Import:
    """Import a conversion with this goal on each of these days after 1 May 2026."""
    batch = add_import(found.workspace, Dataset.CONVERSIONS, status=status)
    add_customer(found.workspace, 7)
    Conversion.objects.bulk_create(
        Conversion(batch=batch, customer_id=7, occurred_at=MAY_1 + dt.timedelta(day), goal=found, **fields)
        for day in days
    )
    return batch


def audited() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


# --- What the page shows ---


def test_conversions_are_counted_as_far_as_they_are_visible(shop: Workspace) -> None:
    shop.timezone = "Asia/Tokyo"
    purchase = goal("Purchase")
    convert(purchase, 0, 5, 9)
    convert(purchase, 20, shadowed=True)
    convert(purchase, 21, converted=False)
    convert(purchase, 22, status=Import.Status.LOADING)
    convert(purchase, 23, status=Import.Status.UNDONE)
    by_name = {use.goal.name: use for use in goals.goals_in_use(workspace=shop)}
    use = by_name["Purchase"]
    # In Tokyo it is the next day already.
    assert (use.conversions, use.first_day, use.last_day) == (3, dt.date(2026, 5, 2), dt.date(2026, 5, 11))
    assert (by_name["Lead"].conversions, by_name["Lead"].first_day) == (0, None)
    assert [use.goal.name for use in goals.goals_in_use(workspace=shop)] == ["Purchase", "Lead"]


def test_outcomes_are_counted_as_far_as_they_are_visible(shop: Workspace) -> None:
    sales = Outcome.objects.create(workspace=shop, name="Sales")
    for status, shadowed, days in (
        (Import.Status.ACTIVE, False, (1, 8)),
        (Import.Status.ACTIVE, True, (15,)),
        (Import.Status.UNDONE, False, (22,)),
    ):
        batch = add_import(shop, Dataset.OUTCOMES, status=status)
        OutcomeValue.objects.bulk_create(
            OutcomeValue(batch=batch, outcome=sales, date=dt.date(2026, 5, day), value=3, shadowed=shadowed)
            for day in days
        )
    (use,) = goals.outcomes_in_use(workspace=shop)
    assert (use.values, use.first_day, use.last_day) == (2, dt.date(2026, 5, 1), dt.date(2026, 5, 8))


def test_the_page_shows_goals_and_outcomes_with_their_numbers(
    client_for: ClientFor, shop: Workspace, viewer: User
) -> None:
    convert(goal("Purchase"), *range(1200))
    Outcome.objects.create(workspace=shop, name="Brand recall", kind=Outcome.Kind.BRAND_AWARENESS, is_money=False)
    Goal.objects.create(workspace=shop, name="Old", archived_at=timezone.now())
    page = client_for(viewer).get(PAGE).text
    assert "1,200" in page
    assert "Brand recall" in page
    assert page.index("Archived goals") < page.index(">Old")
    assert "An owner or admin of the workspace can change goals and outcomes." in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]


def test_without_outcomes_the_page_says_where_they_come_from(
    client_for: ClientFor, shop: Workspace, viewer: User
) -> None:
    assert "No outcome has been imported yet." in client_for(viewer).get(PAGE).text


# --- Adding and renaming ---


def test_an_admin_adds_a_goal(client_for: ClientFor, shop: Workspace, admin: User) -> None:
    response = client_for(admin).post(PAGE, {"name": " Sign-up ", "kind": "lead"})
    assert response.headers["Location"] == PAGE
    assert (goal("Sign-up").kind, goal("Sign-up").is_default) == ("lead", False)
    event = AuditEvent.objects.get(action="goal.added")
    assert (event.actor, event.target) == (admin, "Sign-up")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"name": "", "kind": "sale"}, "This field is required."),
        ({"name": "PURCHASE", "kind": "sale"}, "“Purchase” is there already"),
        ({"name": "x" * 101, "kind": "sale"}, "at most 100 characters"),
        ({"name": "Sign-up", "kind": "wish"}, "Select a valid choice."),
        ({}, "This field is required."),
    ],
)
def test_a_goal_that_cannot_be_is_refused(
    client_for: ClientFor, shop: Workspace, admin: User, answers: dict[str, str], sentence: str
) -> None:
    response = client_for(admin).post(PAGE, answers)
    assert response.status_code == 422
    assert sentence in unescape(response.text)
    assert Goal.objects.count() == 2
    assert audited() == []


def test_a_goal_gets_another_name_and_kind_with_a_trace_of_both(
    client_for: ClientFor, shop: Workspace, admin: User
) -> None:
    where = path("Lead")
    assert "rows that still say “Lead” would bring a second goal" in client_for(admin).get(where).text
    client_for(admin).post(where, {"name": "Enquiry", "kind": "other"})
    assert goal("Enquiry").kind == "other"
    renamed = AuditEvent.objects.get(action="goal.renamed")
    assert renamed.detail == {
        "goal": goal("Enquiry").pk,
        "changes": {"name": {"before": "Lead", "after": "Enquiry"}},
    }
    assert AuditEvent.objects.get(action="goal.kind_changed").detail == {
        "changes": {"kind": {"before": "lead", "after": "other"}}
    }


def test_a_goal_may_change_its_capitals_and_take_its_old_name_back(shop: Workspace, admin: User) -> None:
    lead = goal("Lead")
    for name in ("LEAD", "Enquiry", "Lead"):
        goals.change_goal(goal=lead, name=name, kind=Goal.Kind.LEAD, by=admin)
        assert Goal.objects.get(pk=lead.pk).name == name


def test_the_former_name_of_a_goal_stays_its_own_as_runs_still_say_it(shop: Workspace, admin: User) -> None:
    goals.change_goal(goal=goal("Lead"), name="Enquiry", kind=Goal.Kind.LEAD, by=admin)
    other = goals.add_goal(workspace=shop, name="Call", kind=Goal.Kind.OTHER, by=admin)
    for attempt in (
        lambda: goals.add_goal(workspace=shop, name="lead", kind=Goal.Kind.OTHER, by=admin),
        lambda: goals.change_goal(goal=other, name="Lead", kind=Goal.Kind.OTHER, by=admin),
    ):
        with pytest.raises(Invalid, match="was the name of “Enquiry”") as refusal:
            attempt()
        assert list(refusal.value.errors) == ["name"]
    goals.delete_goal(goal=goal("Enquiry"), by=admin)
    assert goals.add_goal(workspace=shop, name="Lead", kind=Goal.Kind.OTHER, by=admin).name == "Lead"


def test_the_name_of_another_workspaces_goal_is_free(shop: Workspace, admin: User, outsider: User) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    theirs = Goal.objects.create(workspace=elsewhere, name="Call")
    goals.change_goal(goal=theirs, name="Ring", kind=Goal.Kind.OTHER, by=outsider)
    for name in ("Call", "Ring"):
        assert goals.add_goal(workspace=shop, name=name, kind=Goal.Kind.OTHER, by=admin).workspace == shop


# --- The default ---


def test_there_is_always_one_default_goal(client_for: ClientFor, shop: Workspace, admin: User) -> None:
    client_for(admin).post(path("Lead", "default/"))
    assert list(Goal.objects.filter(is_default=True)) == [goal("Lead")]
    client_for(admin).post(path("Lead", "default/"))
    assert audited() == ["goal.made_default"]
    assert Dimensions(shop).default_goal() == goal("Lead").pk
    state = dashboard_state({}, workspace=shop, now=timezone.now())
    assert state is not None
    assert state.goal == goal("Lead")


def test_the_default_goal_is_neither_archived_nor_deleted(client_for: ClientFor, shop: Workspace, admin: User) -> None:
    client = client_for(admin)
    for deed in ("archive/", "delete/"):
        client.post(path("Purchase", deed))
        assert "“Purchase” is the default goal. Make another one the default first." in client.get(PAGE).text
    assert goal("Purchase").archived_at is None
    goals.archive_goal(goal=goal("Lead"), by=admin)
    with pytest.raises(Conflict, match="Restore it first"):
        goals.make_default(goal=goal("Lead"), by=admin)


# --- Archiving ---


def test_an_archived_goal_is_offered_nowhere_until_it_is_restored(
    client_for: ClientFor, shop: Workspace, admin: User
) -> None:
    goals.add_goal(workspace=shop, name="Sign-up", kind=Goal.Kind.OTHER, by=admin)
    client = client_for(admin)
    for name in ("Lead", "Sign-up"):
        client.post(path(name, "archive/"))
    metric: Any = AttributionForm(workspace=shop).fields["metric"]
    assert [value for value, _ in metric.choices] == ["revenue", "conversions"]
    for asked in ({"metric": "leads"}, {"metric": "Sign-up"}, {"goal": "Sign-up"}):
        with pytest.raises(InvalidParams):
            clean(shop, asked)
    # An address of before, such as “ask again” of an old run, falls back to the defaults.
    assert initial(shop, asked_for(shop, QueryDict("metric=conversions&goal=Sign-up")))["goal"] == "Purchase"
    state = dashboard_state({"goal": "Lead"}, workspace=shop, now=timezone.now())
    assert state is not None
    assert (state.goal, [each.name for each in state.goals]) == (goal("Purchase"), ["Purchase"])
    assert state.errors == ("There is no goal “Lead”. Shown is Purchase.",)
    client.post(path("Lead", "restore/"))
    assert clean(shop, {"metric": "leads"})["goal"] == "Lead"
    assert audited() == ["goal.added", "goal.archived", "goal.archived", "goal.restored"]


def test_rows_of_an_archived_goal_still_count_to_it(shop: Workspace, admin: User) -> None:
    goals.archive_goal(goal=goal("Lead"), by=admin)
    assert Dimensions(shop).goals(["lead"]) == {"lead": goal("Lead").pk}


# --- Deleting ---


def test_a_goal_without_rows_can_be_deleted(client_for: ClientFor, shop: Workspace, admin: User) -> None:
    where = path("Lead", "delete/")
    assert where in client_for(admin).get(PAGE).text
    assert client_for(admin).post(where).headers["Location"] == PAGE
    assert not Goal.objects.filter(name="Lead").exists()
    assert audited() == ["goal.deleted"]


@pytest.mark.parametrize(
    "fields", [{}, {"shadowed": True}, {"converted": False}, {"status": Import.Status.UNDONE}], ids=str
)
def test_a_goal_that_any_row_refers_to_stays(
    client_for: ClientFor, shop: Workspace, admin: User, fields: dict[str, object]
) -> None:
    convert(goal("Lead"), 0, **fields)  # type: ignore[arg-type]
    client = client_for(admin)
    assert path("Lead", "delete/") not in client.get(PAGE).text
    client.post(path("Lead", "delete/"))
    assert "There are conversions with “Lead”. Archive it instead." in client.get(PAGE).text
    assert Goal.objects.filter(name="Lead").exists()
    assert audited() == []


@pytest.mark.parametrize("status", [Import.Status.PENDING, Import.Status.LOADING])
def test_no_goal_is_deleted_from_under_an_import(shop: Workspace, admin: User, status: str) -> None:
    add_import(shop, Dataset.CONVERSIONS, status=status)
    with pytest.raises(Conflict, match="An import is on its way"):
        goals.delete_goal(goal=goal("Lead"), by=admin)


# --- Outcomes ---


def test_an_outcome_gets_another_name_kind_and_unit(client_for: ClientFor, shop: Workspace, admin: User) -> None:
    outcome = Outcome.objects.create(workspace=shop, name="sales_de")
    where = f"{PAGE}outcomes/{outcome.pk}/"
    assert "sales_de" in client_for(admin).get(where).text
    response = client_for(admin).post(where, {"name": "Sales in Germany", "kind": "sales", "is_money": "on"})
    assert response.headers["Location"] == PAGE
    outcome.refresh_from_db()
    assert (outcome.name, outcome.kind, outcome.is_money) == ("Sales in Germany", "sales", True)
    assert AuditEvent.objects.get(action="outcome.changed").detail["changes"] == {
        "name": {"before": "sales_de", "after": "Sales in Germany"},
        "kind": {"before": "custom", "after": "sales"},
        "is_money": {"before": False, "after": True},
    }
    client_for(admin).post(where, {"name": "Sales in Germany", "kind": "sales", "is_money": "on"})
    assert audited() == ["outcome.changed"]


def test_two_outcomes_do_not_share_a_name(client_for: ClientFor, shop: Workspace, admin: User) -> None:
    Outcome.objects.create(workspace=shop, name="Sales")
    visits = Outcome.objects.create(workspace=shop, name="Visits")
    response = client_for(admin).post(f"{PAGE}outcomes/{visits.pk}/", {"name": "sales", "kind": "custom"})
    assert response.status_code == 422
    assert "“Sales” is there already" in response.text


# --- Who may ---


@pytest.mark.parametrize("role", ["analyst", "viewer"])
def test_others_change_nothing(
    client_for: ClientFor, shop: Workspace, request: pytest.FixtureRequest, role: str
) -> None:
    outcome = Outcome.objects.create(workspace=shop, name="Sales")
    client = client_for(request.getfixturevalue(role))
    before = list(Goal.objects.values())
    assert client.get(path("Lead")).status_code == 403
    assert client.get(f"{PAGE}outcomes/{outcome.pk}/").status_code == 403
    for where in (
        PAGE,
        path("Lead"),
        f"{PAGE}outcomes/{outcome.pk}/",
        *(path("Lead", deed) for deed in ("default/", "archive/", "restore/", "delete/")),
    ):
        assert client.post(where, {"name": "Mine", "kind": "other"}).status_code == 403
    assert list(Goal.objects.values()) == before
    assert Outcome.objects.get().name == "Sales"


def test_goals_of_another_workspace_cannot_be_reached(
    client_for: ClientFor, shop: Workspace, admin: User, outsider: User
) -> None:
    theirs = Goal.objects.create(workspace=Workspace.objects.get(slug="elsewhere"), name="Theirs")
    outcome = Outcome.objects.create(workspace=theirs.workspace, name="Theirs")
    client = client_for(admin)
    for where in (f"{PAGE}{theirs.pk}/", f"{PAGE}{10**30}/", f"{PAGE}outcomes/{outcome.pk}/"):
        assert client.get(where).status_code == 404
    for deed in ("default/", "archive/", "restore/", "delete/"):
        assert client.post(f"{PAGE}{theirs.pk}/{deed}").status_code == 404
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client.delete(PAGE).status_code == 405
    assert client.get(path("Lead", "archive/")).status_code == 405
