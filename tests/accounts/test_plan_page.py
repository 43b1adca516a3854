"""Settings > Plan shows what is used and what the plans include, and locks lead there."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.actions import set_plan
from accounts.models import Plan, User, Workspace
from accounts.plan_presenter import NO_LIMIT, bars_of, compare_plans
from accounts.usage import Usage, Used, month_of, usage_of
from marketing.models import Import
from tests.conftest import ImportRows

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/plan/"

pytestmark = pytest.mark.django_db


def rows_of_table(page: str) -> dict[str, list[str]]:
    """What the comparison says, by the label of its line."""
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    lines = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', body, re.DOTALL)
    return {label: re.findall(r"<td[^>]*>(.*?)</td>", cells) for label, cells in lines}


def test_the_plans_stand_side_by_side_as_the_database_has_them(viewer: User, client_for: ClientFor) -> None:
    Plan.objects.filter(code="starter").update(max_members=1, runs_a_month=30)
    page = client_for(viewer).get(PAGE).text
    table = rows_of_table(page)
    assert table["Data-driven attribution"] == ["Not included", "Included", "Included"]
    assert table["Predictive modelling"] == ["Not included", "Included", "Included"]
    assert table["Rows of data stored"] == ["1,000,000", "20,000,000", NO_LIMIT]
    assert table["Members and open invitations"] == ["1 seat", NO_LIMIT, NO_LIMIT]
    assert table["Runs a month"] == ["30", NO_LIMIT, NO_LIMIT]
    assert table["Media mix models fitted at once"] == ["1", "2", NO_LIMIT]
    assert table["API calls a minute, of each key"] == ["300", "600", "1,200"]
    assert re.search(r'class="plan-present">Starter <span class="badge badge-accent">Your plan', page)


def test_a_plan_that_the_site_admin_adds_is_there(viewer: User, client_for: ClientFor) -> None:
    Plan.objects.create(code="team", name="Team & more", rank=2, features=["forecast"], max_members=12)
    table = rows_of_table(client_for(viewer).get(PAGE).text)
    assert "12 seats" in table["Members and open invitations"]
    assert "Team &amp; more" in client_for(viewer).get(PAGE).text


def test_every_limit_of_a_plan_is_in_the_comparison() -> None:
    plan = Plan(
        code="odd", name="Odd", concurrent_fits=3, max_rows=5, max_members=7, runs_a_month=11, api_calls_a_minute=13
    )
    said = [cell.text for line in compare_plans([plan], present=plan).entitlements for cell in line.cells]
    assert [text for text in said if text[0].isdigit()] == ["5", "7 seats", "11", "3", "13"]


def test_what_is_used_is_drawn_against_its_limit(
    shop: Workspace, owner: User, viewer: User, import_rows: ImportRows, client_for: ClientFor
) -> None:
    Plan.objects.filter(code="starter").update(max_members=2)
    import_rows("spend", "date,channel,spend", "2026-06-01,TV,10")
    Import.objects.update(accepted=250_000)
    page = client_for(viewer).get(PAGE).text
    assert "250,000 of 1,000,000" in page
    assert (
        '<meter min="0" max="1000000" high="900000.0" optimum="0" value="250000" aria-labelledby="used-rows">' in page
    )
    assert re.search(r'2 of 2 <span class="badge badge-warn">Full</span>', page)
    assert "2 members, 0 open invitations" in page
    assert "0, no fixed limit" in page  # runs
    assert "0 today, 0 this month" in page


def test_a_workspace_beyond_its_limits_shows_by_how_much(workspace: Workspace) -> None:
    usage = usage_of(workspace)
    over = Usage(
        plan=usage.plan,
        rows=Used(1_500_000, 1_000_000),
        seats=Used(3, None),
        members=2,
        invitations=1,
        runs_this_month=Used(10, 10),
        month_start=month_of(workspace)[0],
        fits_now=Used(0, 1),
        api_calls_today=0,
        api_calls_this_month=0,
    )
    rows, seats, runs, *_others = bars_of(over)
    assert (rows.text, rows.value, rows.most, rows.is_full) == ("1,500,000 of 1,000,000", 1_000_000, 1_000_000, True)
    assert "500,000 more than the plan includes" in rows.note
    assert (seats.text, seats.most, seats.note) == ("3, no fixed limit", None, "2 members, 1 open invitation.")
    assert (runs.is_full, "more than" in runs.note) == (True, False)


def test_a_lock_leads_owners_to_the_plan_and_tells_others_whom_to_ask(
    shop: Workspace,
    owner: User,
    analyst: User,
    viewer: User,
    import_rows: ImportRows,
    client_for: ClientFor,
) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-01T10:00Z,Email")
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-02T10:00Z,20")
    for path in ("attribution/", "attribution/data-driven/", "weightings/forecast/"):
        page = client_for(owner).get(f"/w/acme/{path}").text
        assert "is part of the Professional plan" in page
        assert f'<a href="{PAGE}">Ask for an upgrade</a>' in page
        # Viewers do not see the form that attribution is asked with.
        for member in [analyst] if path == "attribution/" else [analyst, viewer]:
            page = client_for(member).get(f"/w/acme/{path}").text
            assert f'<a href="{PAGE}">See what the plans include</a>, or ask an owner: owner@example.com' in page
            assert "Ask for an upgrade" not in page


def test_no_lock_is_shown_where_the_plan_has_it_all(shop: Workspace, owner: User, client_for: ClientFor) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    for path in ("attribution/", "attribution/data-driven/", "weightings/forecast/"):
        assert "Ask for an upgrade" not in client_for(owner).get(f"/w/acme/{path}").text


def test_a_refusal_leads_there_too(analyst: User, owner: User, client_for: ClientFor) -> None:
    response = client_for(owner).post("/w/acme/weightings/forecast/", {})
    assert response.status_code == 403
    assert f'<a href="{PAGE}">Ask for an upgrade</a>' in response.text


def test_the_page_asks_the_database_as_often_for_ten_plans_as_for_three(
    viewer: User, client_for: ClientFor, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for number in range(7):
        Plan.objects.create(code=f"plan-{number}", name=f"Plan {number}", rank=10 + number)
    client = client_for(viewer)
    client.get(PAGE)
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        client.get(PAGE)
