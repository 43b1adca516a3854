"""Segments kept under names: created, changed, copied, put away; and what a workspace's names stand for."""

import pytest

from accounts.models import AuditEvent, User, Workspace
from marketing.importing.dimensions import create_channel
from marketing.models import Channel, ChannelAlias, SavedSegment, Segment
from marketing.segments import saved
from marketing.segments.definition import Definition, parse
from marketing.segments.names import codes
from marketing.segments.saved import (
    archive_segment,
    change_segment,
    create_segment,
    definition_of,
    duplicate_segment,
    find_segment,
    get_segment,
    restore_segment,
)
from marketing.sources import source_lookup
from mmm_project.problems import Invalid, NotFound
from tests.factories import WorkspaceFactory

NEW = parse({"conditions": [{"type": "customer", "is": "new"}]})
RETURNING = NEW.complement()


def keep(
    workspace: Workspace, name: str = "New ones", definition: Definition = NEW, by: User | None = None
) -> SavedSegment:
    return create_segment(workspace=workspace, name=name, definition=definition, by=by)


def events(workspace: Workspace) -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(workspace=workspace).order_by("pk").values_list("action", "target"))


def test_a_segment_is_kept_with_its_definition(workspace: Workspace, analyst: User) -> None:
    segment = get_segment(workspace=workspace, segment_id=keep(workspace, " New ones ", by=analyst).pk)
    assert (segment.name, definition_of(segment), segment.created_by) == ("New ones", NEW, analyst)
    event = AuditEvent.objects.get()
    assert (event.action, event.target, event.actor) == ("segment.created", "New ones", analyst)
    assert event.detail["meaning"] == "New customers"


def test_a_name_is_taken_whatever_its_case(workspace: Workspace) -> None:
    keep(workspace)
    with pytest.raises(Invalid, match="already") as refusal:
        keep(workspace, "NEW ONES")
    assert set(refusal.value.errors) == {"name"}
    assert SavedSegment.objects.count() == 1
    assert events(workspace) == [("segment.created", "New ones")]
    keep(WorkspaceFactory.create())  # another workspace has names of its own


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "line\nbreak"])
def test_a_segment_needs_a_name_that_can_be_shown(workspace: Workspace, name: str) -> None:
    with pytest.raises(Invalid, match="needs a name"):
        keep(workspace, name)


def test_a_segment_of_everybody_is_not_kept(workspace: Workspace) -> None:
    with pytest.raises(Invalid, match="at least one condition"):
        keep(workspace, definition=Definition())
    assert not SavedSegment.objects.exists()


def test_a_workspace_keeps_a_limited_number(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST_SEGMENTS", 1)
    segment = keep(workspace)
    with pytest.raises(Invalid, match="at most 1"):
        duplicate_segment(segment=segment, by=None)


def test_a_change_is_recorded_with_what_was_before(workspace: Workspace) -> None:
    segment = keep(workspace)
    change_segment(segment=segment, name="Known ones", definition=RETURNING, by=None)
    segment.refresh_from_db()
    assert (segment.name, definition_of(segment)) == ("Known ones", RETURNING)
    event = AuditEvent.objects.latest("pk")
    assert event.detail["changes"] == {
        "name": {"before": "New ones", "after": "Known ones"},
        "definition": {"before": NEW.as_json(), "after": RETURNING.as_json()},
    }


def test_what_changes_nothing_leaves_no_trace(workspace: Workspace) -> None:
    change_segment(segment=keep(workspace), name="New ones", definition=NEW, by=None)
    assert events(workspace) == [("segment.created", "New ones")]


def test_a_change_to_a_taken_name_changes_nothing(workspace: Workspace) -> None:
    keep(workspace, "Taken")
    segment = keep(workspace)
    with pytest.raises(Invalid, match="already"):
        change_segment(segment=segment, name="taken", definition=RETURNING, by=None)
    segment.refresh_from_db()
    assert (segment.name, definition_of(segment)) == ("New ones", NEW)


def test_copies_get_names_that_are_free(workspace: Workspace) -> None:
    segment = keep(workspace, "x" * 100)
    first, second = (duplicate_segment(segment=segment, by=None) for _ in range(2))
    assert first.name == f"{'x' * 93} (copy)"
    assert second.name == f"{'x' * 91} (copy 2)"
    assert definition_of(second) == NEW


def test_archiving_and_restoring_happen_once(workspace: Workspace) -> None:
    segment = keep(workspace)
    assert archive_segment(segment=segment, by=None)
    assert not archive_segment(segment=segment, by=None)
    assert SavedSegment.objects.get().archived_at is not None
    assert restore_segment(segment=segment, by=None)
    assert not restore_segment(segment=segment, by=None)
    assert SavedSegment.objects.get().archived_at is None
    assert [action for action, _ in events(workspace)] == ["segment.created", "segment.archived", "segment.restored"]


def test_a_segment_is_found_by_its_name_before_its_id(workspace: Workspace) -> None:
    segment = keep(workspace)
    named_like_it = keep(workspace, str(segment.pk))
    assert find_segment(workspace=workspace, text=" new ONES") == segment
    assert find_segment(workspace=workspace, text=str(segment.pk)) == named_like_it
    assert find_segment(workspace=workspace, text=str(named_like_it.pk)) == named_like_it
    assert find_segment(workspace=workspace, text="9" * 30) is None
    assert find_segment(workspace=workspace, text="a\x00b") is None


def test_another_workspaces_segment_is_not_found(workspace: Workspace) -> None:
    theirs = keep(WorkspaceFactory.create())
    assert find_segment(workspace=workspace, text="New ones") is None
    assert find_segment(workspace=workspace, text=str(theirs.pk)) is None
    with pytest.raises(NotFound):
        get_segment(workspace=workspace, segment_id=theirs.pk)


def test_channels_are_found_by_the_names_that_they_had(workspace: Workspace) -> None:
    email = create_channel(workspace=workspace, name="Email", type=Channel.Type.OWNED)
    old = create_channel(workspace=workspace, name="Newsletter", type=Channel.Type.OWNED)
    Channel.objects.filter(pk=old.pk).update(merged_into=email)
    ChannelAlias.objects.create(workspace=workspace, channel=old, name="Mailing")
    names = ["email", "NEWSLETTER", "Mailing", "Never heard of"]
    definition = parse({"conditions": [{"type": "channels", "any_of": names}]})
    sources = source_lookup(workspace=workspace)
    found = codes(workspace=workspace, sources=sources, definition=definition).channels
    place = frozenset([sources.channels.index("Email")])
    assert [found.get(name.casefold()) for name in names] == [place, place, place, None]


def test_attributes_that_differ_in_case_are_meant_together(workspace: Workspace) -> None:
    pks = {Segment.objects.create(workspace=workspace, name=name).pk for name in ("Loyal", "loyal")}
    Segment.objects.create(workspace=WorkspaceFactory.create(), name="Loyal")
    definition = parse({"conditions": [{"type": "attribute", "any_of": ["LOYAL"]}]})
    found = codes(workspace=workspace, sources=source_lookup(workspace=workspace), definition=definition)
    assert found.attributes == {"loyal": frozenset(pks)}
