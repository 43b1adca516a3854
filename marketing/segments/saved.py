"""Segments that a workspace keeps under names."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ApiKey, User, Workspace
from marketing.models import SavedSegment
from marketing.segments.definition import Definition, parse
from marketing.segments.words import in_words
from mmm_project.problems import Invalid, NotFound

MOST_SEGMENTS = 200
LONGEST_NAME = 100

_uses: list[Callable[[Workspace], Mapping[int, int]]] = []


def register_uses(uses_of_segments: Callable[[Workspace], Mapping[int, int]]) -> None:
    """Let an app above say how often it used each segment of a workspace: primary key -> times."""
    if uses_of_segments not in _uses:
        _uses.append(uses_of_segments)


def uses(*, workspace: Workspace) -> Mapping[int, int]:
    """Return how often each segment of the workspace was used, by its primary key."""
    total: Counter[int] = Counter()
    for uses_of_segments in _uses:
        total.update(uses_of_segments(workspace))
    return total


def definition_of(segment: SavedSegment) -> Definition:
    """Return what a saved segment means."""
    return parse(segment.definition)


def get_segment(*, workspace: Workspace, segment_id: int) -> SavedSegment:
    """Return a segment of the workspace. Raises NotFound."""
    segment = SavedSegment.objects.filter(workspace=workspace, pk=segment_id).first()
    if segment is None:
        raise NotFound("There is no such segment in this workspace.")
    return segment


def find_segment(*, workspace: Workspace, text: str) -> SavedSegment | None:
    """Return the segment with this name, whatever its case, else the one with this id."""
    text = text.strip()
    if "\0" in text:  # PostgreSQL refuses to look for it
        return None
    segments = SavedSegment.objects.filter(workspace=workspace)
    named = segments.filter(name__iexact=text).first()
    # Ids have at most 19 digits; a longer number is not one, and no database would look for it.
    is_id = text.isascii() and text.isdigit() and len(text) <= 18
    return named or (segments.filter(pk=int(text)).first() if is_id else None)


def create_segment(
    *, workspace: Workspace, name: str, definition: Definition, by: User | None, api_key: ApiKey | None = None
) -> SavedSegment:
    """Keep a definition under a name. Raises Invalid if the name is taken, or nothing is chosen by it."""
    _require_conditions(definition)
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)  # so that two at once cannot pass the limit
        if SavedSegment.objects.filter(workspace=workspace).count() >= MOST_SEGMENTS:
            raise Invalid(f"A workspace keeps at most {MOST_SEGMENTS} segments. Change one that you no longer need.")
        segment = SavedSegment(workspace=workspace, name=name, definition=definition.as_json(), created_by=by)
        _save(segment)
        _record(segment, "created", by, api_key, definition=segment.definition)
    return segment


def change_segment(
    *, segment: SavedSegment, name: str, definition: Definition, by: User | None, api_key: ApiKey | None = None
) -> None:
    """Give a segment another name or meaning; runs that used it keep the meaning that it had. Raises Invalid."""
    _require_conditions(definition)
    changed = {"name": name, "definition": definition.as_json()}
    before = {field: getattr(segment, field) for field in changed}
    if changed == before:
        return
    with transaction.atomic():
        for field, value in changed.items():
            setattr(segment, field, value)
        _save(segment, update_fields=list(changed))
        _record(segment, "changed", by, api_key, changes=audit.changes_between(before, changed))


def duplicate_segment(*, segment: SavedSegment, by: User | None, api_key: ApiKey | None = None) -> SavedSegment:
    """Return a copy under a name that is still free. Raises Invalid if the workspace keeps too many already."""
    taken = {
        name.casefold()
        for name in SavedSegment.objects.filter(workspace=segment.workspace_id).values_list("name", flat=True)
    }
    numbers = ("", *(f" {number}" for number in range(2, MOST_SEGMENTS + 2)))
    copies = (f"{segment.name[: LONGEST_NAME - len(end)]}{end}" for end in (f" (copy{number})" for number in numbers))
    name = next(copy for copy in copies if copy.casefold() not in taken)
    return create_segment(
        workspace=segment.workspace, name=name, definition=definition_of(segment), by=by, api_key=api_key
    )


def archive_segment(*, segment: SavedSegment, by: User | None, api_key: ApiKey | None = None) -> bool:
    """Stop offering a segment; return whether it had been offered."""
    return _set_archived(segment, by, api_key, archived=True)


def restore_segment(*, segment: SavedSegment, by: User | None, api_key: ApiKey | None = None) -> bool:
    """Offer an archived segment again; return whether it was archived."""
    return _set_archived(segment, by, api_key, archived=False)


def _set_archived(segment: SavedSegment, by: User | None, api_key: ApiKey | None, *, archived: bool) -> bool:
    with transaction.atomic():
        unchanged = SavedSegment.objects.filter(pk=segment.pk, archived_at__isnull=archived)
        if not unchanged.update(archived_at=timezone.now() if archived else None):
            return False
        _record(segment, "archived" if archived else "restored", by, api_key)
    return True


def _require_conditions(definition: Definition) -> None:
    if not definition.conditions:
        sentence = "Add at least one condition: without any, the segment would be all customers."
        raise Invalid(sentence, errors={"conditions": [sentence]})


def _save(segment: SavedSegment, update_fields: list[str] | None = None) -> None:
    """Raises Invalid if another segment of the workspace has the name."""
    name = segment.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        sentence = f"A segment needs a name of at most {LONGEST_NAME} printable characters."
        raise Invalid(sentence, errors={"name": [sentence]})
    segment.name = name
    try:
        with transaction.atomic():
            segment.save(update_fields=update_fields)
    except IntegrityError:
        sentence = f"There is a segment called “{name}” already. It may be archived: then restore it, or rename it."
        raise Invalid(sentence, errors={"name": [sentence]}) from None


def _record(segment: SavedSegment, what: str, by: User | None, api_key: ApiKey | None, **detail: Any) -> None:
    meaning = in_words(parse(segment.definition))
    audit.record(
        workspace=segment.workspace,
        action=f"segment.{what}",
        target=segment.name,
        actor=by,
        api_key=api_key,
        meaning=meaning,
        **detail,
    )
