"""Which scopes there are, what they are for, and whose keys can have them."""

import pytest

from accounts.models import Role
from accounts.scopes import AREAS, READING, SENDING, WRITING, Scope, in_words, to_send, usable, why_not
from marketing.models import Dataset

OWNER, ADMIN, ANALYST, VIEWER = Role.OWNER, Role.ADMIN, Role.ANALYST, Role.VIEWER
# Written out again, so that a slip in either shows.
FOR_ANALYSTS = {
    "attribution:read", "weightings:read", "crosschannel:read", "runs:read", "data:read", "reports:read",
    "settings:read",
}  # fmt: skip


def test_every_scope_is_in_one_area() -> None:
    listed = [scope for area in AREAS for scope in (*area.whole, *area.parts)]
    assert sorted(listed) == sorted(Scope)


def test_every_scope_says_what_it_is_for() -> None:
    descriptions = [scope.label for scope in Scope]
    assert len(set(descriptions)) == len(descriptions)
    assert not [each for each in descriptions if each.endswith(".") or ":" in each]
    assert all(scope.label.startswith("Read ") for scope in Scope if scope.only_reads)


def test_every_dataset_that_is_sent_as_rows_has_a_scope() -> None:
    sent = set(Dataset) - {Dataset.MEDIA_TABLE}  # which only comes as a file
    assert {scope for dataset in sent for scope in to_send(dataset)} == {*SENDING, Scope.DATA_WRITE}


def test_an_area_reads_and_writes_what_its_scopes_say() -> None:
    assert all(area.read.only_reads and not (area.write and area.write.only_reads) for area in AREAS)
    assert {*READING, *WRITING} <= {scope for area in AREAS for scope in area.whole}


@pytest.mark.parametrize(
    ("role", "scopes"),
    [(OWNER, set(Scope.values)), (ADMIN, set(Scope.values)), (ANALYST, FOR_ANALYSTS), (VIEWER, set())],
)
def test_keys_of_a_role_can_have(role: Role, scopes: set[str]) -> None:
    assert set(usable(Scope.values, role)) == scopes
    assert {scope.value for scope in Scope if not why_not(scope, role)} == scopes


def test_a_viewer_has_no_keys() -> None:
    assert {why_not(scope, VIEWER) for scope in Scope} == {"A viewer has no API keys."}


def test_a_scope_of_another_release_is_of_no_use() -> None:
    assert usable(["runs:read", "moon:read"], OWNER) == ["runs:read"]


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (Scope.RUNS_WRITE, "Keys of an analyst only read."),
        (Scope.SETTINGS_WRITE, "Keys of an analyst only read."),
        (Scope.AUDIT_READ, "An analyst may not read the audit log."),
        (Scope.RUNS_READ, ""),
    ],
)
def test_an_analyst_is_told_why_not(scope: Scope, reason: str) -> None:
    assert why_not(scope, ANALYST) == reason


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (["runs:read"], "Runs of every kind: read"),
        (["data:write", "attribution:read", "attribution:write"], "Attribution: read and write; Data: write"),
        (["touchpoints:write"], "Data: write touchpoints"),
        (
            ["data:read", "spend:write", "touchpoints:write", "paths:write"],
            "Data: read, and write touchpoints, spend and paths",
        ),
        (["data:write", "spend:write"], "Data: write"),
        (Scope.values, "Everything: read and write"),
        ([scope.value for scope in Scope if scope.only_reads], "Everything: read"),
        ([], ""),
    ],
)
def test_scopes_in_words(scopes: list[str], words: str) -> None:
    assert in_words(scopes) == words
