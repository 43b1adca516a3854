"""The parameter `segment`: what may be asked, and the canonical form that a run keeps."""

import json
from typing import Any

import pytest

from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.segments import (
    LONGEST_IN_ADDRESS,
    clean_segment,
    in_address,
    segment_name,
    segment_of,
    segment_settings,
)
from marketing.models import SavedSegment
from marketing.segments.definition import parse
from marketing.segments.saved import archive_segment, create_segment
from tests.factories import WorkspaceFactory

NEW = {"match": "all", "conditions": [{"type": "customer", "is": "new"}]}


@pytest.fixture
def saved(workspace: Workspace) -> SavedSegment:
    return create_segment(workspace=workspace, name="First-timers", definition=parse(NEW), by=None)


def errors(workspace: Workspace, asked: object) -> dict[str, Any]:
    with pytest.raises(InvalidParams) as refusal:
        clean_segment(workspace, asked)
    return dict(refusal.value.errors)


@pytest.mark.parametrize("asked", [None, "", {}, {"conditions": []}, {"name": "Nobody left out", "match": "any"}])
def test_all_customers_are_no_segment(workspace: Workspace, asked: object) -> None:
    assert clean_segment(workspace, asked) == {}


@pytest.mark.parametrize("spelling", ["First-timers", "FIRST-timers ", "{id}", "id"])
def test_a_saved_segment_is_kept_with_its_meaning(workspace: Workspace, saved: SavedSegment, spelling: str) -> None:
    asked = saved.pk if spelling == "id" else spelling.format(id=saved.pk)
    assert clean_segment(workspace, asked) == {"segment": {"id": saved.pk, "name": "First-timers", **NEW}}


def test_what_is_canonical_stays_as_it_is_whatever_becomes_of_the_segment(
    workspace: Workspace, saved: SavedSegment
) -> None:
    canonical = clean_segment(workspace, "First-timers")
    archive_segment(segment=saved, by=None)
    SavedSegment.objects.update(name="Other", definition={"conditions": [{"type": "touches", "at_least": 9}]})
    assert clean_segment(workspace, canonical["segment"]) == canonical
    assert clean_segment(workspace, json.dumps(canonical["segment"])) == canonical


def test_a_definition_of_ones_own_can_be_asked(workspace: Workspace) -> None:
    assert clean_segment(workspace, NEW) == {"segment": {"name": "Unsaved segment", **NEW}}
    named = clean_segment(workspace, {"name": " Mine ", **NEW})
    assert named == {"segment": {"name": "Mine", **NEW}}
    assert clean_segment(workspace, named["segment"]) == named


@pytest.mark.parametrize("pk", [True, "1", 0, -1, 10**30, 1.0, None])
def test_an_id_that_is_none_is_left_out(workspace: Workspace, pk: object) -> None:
    assert clean_segment(workspace, {"id": pk, **NEW}) == {"segment": {"name": "Unsaved segment", **NEW}}


def test_another_workspaces_segment_is_unknown(workspace: Workspace, saved: SavedSegment) -> None:
    elsewhere = WorkspaceFactory.create()
    assert errors(elsewhere, "First-timers") == {"segment": ["There is no segment “First-timers” in this workspace."]}
    assert errors(elsewhere, saved.pk) == errors(elsewhere, str(saved.pk))
    assert "id" not in clean_segment(elsewhere, {"id": saved.pk, **NEW})["segment"]


def test_an_archived_segment_is_not_offered(workspace: Workspace, saved: SavedSegment) -> None:
    archive_segment(segment=saved, by=None)
    assert errors(workspace, "First-timers") == {
        "segment": ["The segment “First-timers” is archived. Restore it to use it again."]
    }


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (True, "segment"),
        (1.5, "segment"),
        ([1], "segment"),
        (10**400, "segment"),
        ("a\x00b", "segment"),
        ("x" * 200_000, "segment"),
        ("{", "segment"),
        ("{" * 5000, "segment"),
        ('{"match": "some"}', "segment.match"),
        ({"conditions": [{"type": "touches", "at_least": -1}]}, "segment.conditions[0].at_least"),
        ({**NEW, "name": ""}, "segment.name"),
        ({**NEW, "name": 5}, "segment.name"),
        ({**NEW, "name": "x" * 101}, "segment.name"),
        ({**NEW, "name": "\ud800"}, "segment.name"),
        ({**NEW, "goal": "Lead"}, "segment.goal"),
    ],
    ids=range(15),
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(workspace: Workspace, asked: object, field: str) -> None:
    found = errors(workspace, asked)
    assert list(found) == [field]
    assert all(len(sentence) < 500 for sentence in found[field])


def test_a_segment_is_said_in_settings() -> None:
    assert segment_settings({}) == [("Segment", "All customers")]
    assert segment_of({}) is None
    params = {"segment": {"name": "First-timers", **NEW}}
    assert segment_settings(params) == [("Segment", "First-timers"), ("Segment means", "New customers")]
    assert segment_name(params) == "First-timers"
    assert segment_of(params) == parse(NEW)


def test_an_address_holds_the_definition_itself(workspace: Workspace) -> None:
    params = {"model": ["last"], **clean_segment(workspace, {"name": "Mine", **NEW})}
    address = in_address(params)
    assert address["model"] == ["last"]
    assert clean_segment(workspace, address["segment"]) == {"segment": params["segment"]}
    assert in_address({"model": ["last"]}) == {"model": ["last"]}


def test_a_definition_too_long_for_an_address_is_named_there() -> None:
    names = [f"Channel {number:050}" for number in range(100)]
    definition = parse({"conditions": [{"type": "channels", "any_of": names}]}).as_json()
    assert len(json.dumps(definition)) > LONGEST_IN_ADDRESS
    assert in_address({"segment": {"name": "Long", **definition}})["segment"] == "Long"
