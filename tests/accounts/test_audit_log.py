"""The audit log as a list: filters, pages that stay put, and what an event says in words."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from accounts import audit_log
from accounts.api_key_actions import create_api_key
from accounts.audit import changes_between, record
from accounts.audit_log import THE_PRODUCT, Filters, events, in_batches, page_of
from accounts.audit_presenter import Change, csv_rows, json_pieces, present_event
from accounts.models import ApiKey, AuditEvent, User, Workspace
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db
UTC = ZoneInfo("UTC")
Record = Callable[..., AuditEvent]


@pytest.fixture
def note(workspace: Workspace) -> Record:
    def note(action: str = "goal.added", **given: Any) -> AuditEvent:
        return record(**{"workspace": workspace, "action": action, **given})

    return note


@pytest.fixture
def key(workspace: Workspace, owner: User) -> ApiKey:
    key, _text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["data:read"])
    AuditEvent.objects.all()._raw_delete("default")
    return key


def ids(found: Any) -> list[int]:
    return [event.pk for event in found]


def test_events_come_newest_first_and_only_those_of_the_workspace(note: Record, workspace: Workspace) -> None:
    one, two = note(), note()
    record(workspace=WorkspaceFactory.create(), action="goal.added")
    record(workspace=None, action="plan.edited")
    assert ids(events(workspace)) == [two.pk, one.pk]


def test_filters_leave_what_fits(note: Record, workspace: Workspace, owner: User, analyst: User, key: ApiKey) -> None:
    by_owner = note("goal.added", actor=owner, target="Lead")
    by_analyst = note("goal.renamed", actor=analyst, target="Newsletter sign-up")
    by_key = note("import.finished", actor=owner, api_key=key, target="spend.csv")
    by_product = note("goalpost.moved", target="Lead")

    def found(**filters: Any) -> set[int]:
        return set(ids(events(workspace, Filters(**filters))))

    assert found() == {by_owner.pk, by_analyst.pk, by_key.pk, by_product.pk}
    assert found(actor=owner.pk) == {by_owner.pk, by_key.pk}
    assert found(actor=THE_PRODUCT) == {by_product.pk}
    assert found(api_key=key.pk) == {by_key.pk}
    assert found(action="goal.renamed") == {by_analyst.pk}
    assert found(action="goal") == {by_owner.pk, by_analyst.pk}
    assert found(target="LEAD") == {by_owner.pk, by_product.pk}
    assert found(target="100%_") == set()
    assert found(actor=owner.pk, action="import", target="spend") == {by_key.pk}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/New_York"])
@pytest.mark.parametrize("far", [dt.date(1, 1, 1), dt.date(1, 1, 2), dt.date(9999, 12, 30), dt.date(9999, 12, 31)])
def test_days_at_the_ends_of_the_calendar_leave_everything_or_nothing(
    note: Record, workspace: Workspace, zone: str, far: dt.date
) -> None:
    workspace.timezone = zone
    event, is_past = note(), far.year == 1
    assert ids(events(workspace, Filters(start=far))) == ([event.pk] if is_past else [])
    assert ids(events(workspace, Filters(end=far))) == ([] if is_past else [event.pk])


def test_days_are_the_workspaces(note: Record, workspace: Workspace) -> None:
    Workspace.objects.update(timezone="Pacific/Auckland")  # UTC+12 in June
    auckland = Workspace.objects.get(pk=workspace.pk)
    with time_machine.travel(dt.datetime(2026, 6, 9, 11, 59, tzinfo=dt.UTC), tick=False):
        on_the_ninth = note()
    with time_machine.travel(dt.datetime(2026, 6, 9, 12, 0, tzinfo=dt.UTC), tick=False):
        on_the_tenth = note()
    ninth, tenth = dt.date(2026, 6, 9), dt.date(2026, 6, 10)
    assert ids(events(auckland, Filters(start=ninth, end=ninth))) == [on_the_ninth.pk]
    assert ids(events(auckland, Filters(start=tenth))) == [on_the_tenth.pk]
    assert ids(events(auckland, Filters(end=ninth))) == [on_the_ninth.pk]


def test_pages_lead_to_and_fro_and_miss_nothing(note: Record, workspace: Workspace) -> None:
    with time_machine.travel(dt.datetime(2026, 6, 9, tzinfo=dt.UTC), tick=False):  # all in the same moment
        every = ids(reversed([note() for _ in range(7)]))
    found = events(workspace)
    first = page_of(found, size=3)
    assert (ids(first.events), first.newer, first.older) == (every[:3], None, every[2])
    second = page_of(found, after=first.older, size=3)
    assert (ids(second.events), second.newer, second.older) == (every[3:6], every[3], every[5])
    last = page_of(found, after=second.older, size=3)
    assert (ids(last.events), last.newer, last.older) == (every[6:], every[6], None)
    back = page_of(found, before=last.newer, size=3)
    assert (ids(back.events), back.newer, back.older) == (every[3:6], every[3], every[5])
    front = page_of(found, before=back.newer, size=3)
    assert (ids(front.events), front.newer, front.older) == (every[:3], None, every[2])


def test_pages_stay_put_while_events_arrive(note: Record, workspace: Workspace) -> None:
    every = ids(reversed([note() for _ in range(5)]))
    first = page_of(events(workspace), size=2)
    note()
    assert ids(page_of(events(workspace), after=first.older, size=2).events) == every[2:4]


def test_an_event_that_is_not_found_begins_anew(note: Record, workspace: Workspace) -> None:
    one = note("goal.added")
    elsewhere = record(workspace=WorkspaceFactory.create(), action="goal.added")
    for cursor in ({"after": elsewhere.pk}, {"before": elsewhere.pk}, {"after": 2**63 - 1}):
        assert ids(page_of(events(workspace), **cursor).events) == [one.pk]
    other = note("goal.renamed")
    assert ids(page_of(events(workspace, Filters(action="goal.added")), after=other.pk).events) == [one.pk]


def test_an_export_holds_every_event_once(note: Record, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "EVENTS_AT_ONCE", 2)
    every = ids(reversed([note() for _ in range(5)]))
    assert ids(in_batches(events(workspace))) == every
    assert list(in_batches(events(workspace, Filters(target="nothing")))) == []


def test_a_page_is_one_query_however_long_the_log_is(
    note: Record, workspace: Workspace, owner: User, key: ApiKey, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(12):
        note(actor=owner, api_key=key)
    with django_assert_num_queries(1):
        page = page_of(events(workspace), size=10)
        assert len([present_event(event, UTC) for event in page.events]) == 10


def test_the_people_of_a_log_are_found_without_reading_it(
    note: Record, workspace: Workspace, owner: User, analyst: User, outsider: User
) -> None:
    for actor in (owner, None, analyst, owner, outsider):
        note(actor=actor)
    workspace.memberships.filter(user=analyst).delete()
    assert audit_log.actors(workspace) == sorted([owner, analyst, outsider], key=lambda user: user.email)
    assert audit_log.actors(WorkspaceFactory.create()) == []


def test_an_event_says_who_did_what_to_what(note: Record, owner: User) -> None:
    with time_machine.travel(dt.datetime(2026, 6, 9, 22, 30, 5, tzinfo=dt.UTC), tick=False):
        row = present_event(
            note("member.added", actor=owner, target="a@example.com", role="viewer"), ZoneInfo("Europe/Berlin")
        )
    assert (row.at, row.at_iso) == ("10 Jun 2026, 00:30:05", "2026-06-10T00:30:05+02:00")
    assert (row.who, row.who_else) == ("owner@example.com", "")
    assert (row.what, row.target) == ("Added a member", "a@example.com")
    assert (row.changes, row.details) == ([], [("Role", "viewer")])


def test_a_key_is_named_with_whose_it_is(note: Record, owner: User, key: ApiKey) -> None:
    row = present_event(note("import.finished", actor=owner, api_key=key), UTC)
    assert row.who == "API key ETL"
    assert row.who_else == f"mmm_{key.lookup}…{key.last4}, created by owner@example.com"


def test_an_event_about_a_key_was_done_by_a_person(note: Record, owner: User, key: ApiKey) -> None:
    row = present_event(note("api_key.revoked", actor=owner, api_key=key, target=str(key)), UTC)
    assert (row.who, row.who_else) == ("owner@example.com", "")


def test_what_nobody_did_the_product_did(note: Record) -> None:
    assert present_event(note("schedule.paused"), UTC).who == "The product itself"


def test_who_unsubscribes_is_not_signed_in(note: Record) -> None:
    row = present_event(note("recipient.unsubscribed", target="r@example.com"), UTC)
    assert (row.who, row.who_else) == ("r@example.com", "By the link of a mail")


@pytest.mark.parametrize(
    ("detail", "changes", "details"),
    [
        ({"changes": {"week_start": {"before": 0, "after": 6}}}, [Change("Week start", "0", "6")], []),
        ({"changes": {"paused": {"before": True, "after": None}}}, [Change("Paused", "yes", "–")], []),
        ({"changes": {"scopes": {"before": [], "after": ["a", "b"]}}}, [Change("Scopes", "–", "a, b")], []),
        ({"changes": {"rules": {"before": {"a": 1}, "after": {}}}}, [Change("Rules", '{"a": 1}', "–")], []),
        ({"changes": {"logo": "added"}}, [], [("Logo", "added")]),
        ({"changes": ["name"]}, [], [("Changes", "name")]),
        # As former versions wrote it.
        ({"before": "viewer", "after": "admin"}, [Change("Value", "viewer", "admin")], []),
        ({"before": {"a": 1, "b": 2}, "after": {"a": 1, "b": 3}}, [Change("B", "2", "3")], []),
        ({"before": "Old name"}, [], [("Before", "Old name")]),
        ({"expires_at": "2026-06-09T22:30:00+00:00"}, [], [("Expires at", "9 Jun 2026, 22:30")]),
        ({"expires_at": None, "until": "tomorrow"}, [], [("Expires at", "–"), ("Until", "tomorrow")]),
        ({"message": "x" * 301}, [], [("Message", "x" * 300 + "…")]),
    ],
)
def test_what_changed_is_told_from_what_else_there_is(
    note: Record, detail: dict[str, Any], changes: list[Change], details: list[tuple[str, str]]
) -> None:
    row = present_event(note(**detail), UTC)
    assert (row.changes, row.details) == (changes, details)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(detail=st.dictionaries(st.text(), json_values))
def test_any_detail_can_be_shown_and_exported(detail: dict[str, Any]) -> None:
    event = AuditEvent(pk=1, action="goal.added", at=dt.datetime(2026, 6, 9, tzinfo=dt.UTC), detail=detail)
    row = present_event(event, UTC)
    assert all(isinstance(text, str) for change in row.changes for text in (change.field, change.before, change.after))
    (exported,) = json.loads("".join(json_pieces([event], UTC)))
    assert exported["detail"] == detail
    *_, line = csv_rows([event], UTC)
    assert json.loads(str(line[-1])) == detail


def test_changes_between_two_states_are_those_that_differ() -> None:
    before, after = {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None, "d": 4}
    assert changes_between(before, after) == {"b": {"before": 2, "after": 3}, "d": {"before": None, "after": 4}}


def test_an_empty_log_is_an_empty_array() -> None:
    assert json.loads("".join(json_pieces([], UTC))) == []
