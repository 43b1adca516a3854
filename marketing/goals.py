"""Goals and outcomes as settings: what counts, what it is called, and what of it is still offered."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, RestrictedError
from django.utils import timezone as clock

from accounts.audit import record
from accounts.models import ApiKey, AuditEvent, User, Workspace
from marketing.models import Conversion, Goal, Import, Outcome, OutcomeValue
from mmm_project import formats
from mmm_project.problems import Conflict, Invalid, NotFound

RENAMED = "goal.renamed"
ON_THEIR_WAY = (Import.Status.PENDING, Import.Status.LOADING)


@dataclass(frozen=True, kw_only=True)
class GoalUse:
    """A goal and the visible conversions with it: how many, and their first and last local day."""

    goal: Goal
    conversions: int = 0
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    may_be_deleted: bool = False

    @property
    def count(self) -> str:
        return formats.count(self.conversions, "conversion")


@dataclass(frozen=True, kw_only=True)
class OutcomeUse:
    """An outcome and its visible values: how many, and their first and last day."""

    outcome: Outcome
    values: int = 0
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    @property
    def count(self) -> str:
        return formats.count(self.values, "value")


def goals_in_use(*, workspace: Workspace) -> list[GoalUse]:
    """Return every goal, the default first, then as they were made; two queries, one of which reads the conversions."""
    # From the imports to the rows: conversions have an index by import, and none by goal.
    rows = Conversion.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE)
    counted = rows.filter(converted=True, shadowed=False).order_by().values_list("goal")
    found = {
        goal: (number, first, last)
        for goal, number, first, last in counted.annotate(Count("pk"), Min("occurred_at"), Max("occurred_at"))
    }
    referred_to = set(
        Conversion.objects.filter(batch__workspace=workspace).order_by().values_list("goal", flat=True).distinct()
    )
    uses = []
    for goal in Goal.objects.filter(workspace=workspace).order_by("-is_default", "pk"):
        number, first, last = found.get(goal.pk, (0, None, None))
        uses.append(
            GoalUse(
                goal=goal,
                conversions=number,
                first_day=_local_day(first, workspace),
                last_day=_local_day(last, workspace),
                may_be_deleted=goal.pk not in referred_to and not goal.is_default,
            )
        )
    return uses


def outcomes_in_use(*, workspace: Workspace) -> list[OutcomeUse]:
    """Return every outcome by name; two queries."""
    rows = OutcomeValue.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False)
    counted = rows.order_by().values_list("outcome").annotate(Count("pk"), Min("date"), Max("date"))
    found = {outcome: (number, first, last) for outcome, number, first, last in counted}
    uses = []
    for outcome in Outcome.objects.filter(workspace=workspace).order_by("name"):
        number, first, last = found.get(outcome.pk, (0, None, None))
        uses.append(OutcomeUse(outcome=outcome, values=number, first_day=first, last_day=last))
    return uses


def find_goal(*, workspace: Workspace, goal_id: int) -> Goal:
    """Return a goal of the workspace. Raises NotFound."""
    goal = Goal.objects.filter(workspace=workspace, pk=goal_id).first() if goal_id < 2**63 else None
    if goal is None:
        raise NotFound("There is no such goal in this workspace.")
    return goal


def find_outcome(*, workspace: Workspace, outcome_id: int) -> Outcome:
    """Return an outcome of the workspace. Raises NotFound."""
    outcome = Outcome.objects.filter(workspace=workspace, pk=outcome_id).first() if outcome_id < 2**63 else None
    if outcome is None:
        raise NotFound("There is no such outcome in this workspace.")
    return outcome


@transaction.atomic
def add_goal(
    *, workspace: Workspace, name: str, kind: Goal.Kind, by: User | None, api_key: ApiKey | None = None
) -> Goal:
    """Add a goal. Raises Invalid for a name that is, or was, another goal's."""
    _lock(workspace)
    _refuse_taken_name(name, _named(Goal.objects.filter(workspace=workspace)))
    _refuse_former_name(workspace, name, goal=None)
    goal = Goal.objects.create(workspace=workspace, name=name, kind=kind)
    record(workspace=workspace, action="goal.added", target=name, actor=by, api_key=api_key, kind=kind)
    return goal


@transaction.atomic
def change_goal(*, goal: Goal, name: str, kind: Goal.Kind, by: User | None, api_key: ApiKey | None = None) -> None:
    """Give a goal another name or kind. Raises Invalid for a name that is, or was, another goal's."""
    workspace = goal.workspace
    _lock(workspace)
    goal.refresh_from_db()
    before, before_kind = goal.name, goal.kind
    if name != before:
        others = Goal.objects.filter(workspace=workspace).exclude(pk=goal.pk)
        _refuse_taken_name(name, _named(others))
        _refuse_former_name(workspace, name, goal=goal)
    goal.name, goal.kind = name, kind
    goal.save(update_fields=["name", "kind"])
    if name != before:
        record(
            workspace=workspace,
            action=RENAMED,
            target=name,
            actor=by,
            api_key=api_key,
            goal=goal.pk,
            changes={"name": {"before": before, "after": name}},
        )
    if kind != before_kind:
        record(
            workspace=workspace,
            action="goal.kind_changed",
            target=name,
            actor=by,
            api_key=api_key,
            changes={"kind": {"before": before_kind, "after": kind}},
        )


@transaction.atomic
def make_default(*, goal: Goal, by: User | None, api_key: ApiKey | None = None) -> None:
    """Let dashboards begin with this goal, and conversions that name no goal count towards it.

    Raises Conflict for an archived one.
    """
    _lock(goal.workspace)
    goal.refresh_from_db()
    if goal.archived_at is not None:
        raise Conflict(f"“{goal.name}” is archived. Restore it first.")
    if goal.is_default:
        return
    standing = Goal.objects.filter(workspace=goal.workspace_id, is_default=True)
    before = standing.values_list("name", flat=True).first()
    standing.update(is_default=False)
    goal.is_default = True
    goal.save(update_fields=["is_default"])
    record(
        workspace=goal.workspace,
        action="goal.made_default",
        target=goal.name,
        actor=by,
        api_key=api_key,
        changes={"default_goal": {"before": before, "after": goal.name}},
    )


@transaction.atomic
def archive_goal(*, goal: Goal, by: User | None, api_key: ApiKey | None = None) -> None:
    """Offer the goal no more; its conversions and the runs about it stay. Raises Conflict for the default goal."""
    _lock(goal.workspace)
    goal.refresh_from_db()
    if goal.is_default:
        raise Conflict(f"“{goal.name}” is the default goal. Make another one the default first.")
    if goal.archived_at is None:
        goal.archived_at = clock.now()
        goal.save(update_fields=["archived_at"])
        record(workspace=goal.workspace, action="goal.archived", target=goal.name, actor=by, api_key=api_key)


@transaction.atomic
def restore_goal(*, goal: Goal, by: User | None, api_key: ApiKey | None = None) -> None:
    """Offer an archived goal again."""
    if Goal.objects.filter(pk=goal.pk, archived_at__isnull=False).update(archived_at=None):
        record(workspace=goal.workspace, action="goal.restored", target=goal.name, actor=by, api_key=api_key)


@transaction.atomic
def delete_goal(*, goal: Goal, by: User | None, api_key: ApiKey | None = None) -> None:
    """Delete a goal that no row refers to. Raises Conflict for one that is in use, or may be in a moment."""
    workspace = goal.workspace
    _lock(workspace)
    goal.refresh_from_db()
    if goal.is_default:
        raise Conflict(f"“{goal.name}” is the default goal. Make another one the default first.")
    if Import.objects.filter(workspace=workspace, status__in=ON_THEIR_WAY).exists():
        raise Conflict("An import is on its way and may need this goal. Delete it afterwards.")
    in_use = Conflict(f"There are conversions with “{goal.name}”. Archive it instead.")
    if Conversion.objects.filter(batch__workspace=workspace, goal=goal).exists():
        raise in_use
    name = goal.name
    try:
        with transaction.atomic():
            goal.delete()
    except (IntegrityError, RestrictedError):  # a row of this moment
        raise in_use from None
    record(workspace=workspace, action="goal.deleted", target=name, actor=by, api_key=api_key)


@transaction.atomic
def change_outcome(
    *,
    outcome: Outcome,
    name: str,
    kind: Outcome.Kind,
    is_money: bool,
    by: User | None,
    api_key: ApiKey | None = None,
) -> None:
    """Give an outcome another name, kind or unit. Raises Invalid for a name that is another outcome's."""
    workspace = outcome.workspace
    _lock(workspace)
    outcome.refresh_from_db()
    _refuse_taken_name(name, _named(Outcome.objects.filter(workspace=workspace).exclude(pk=outcome.pk)))
    changes = {
        field: {"before": getattr(outcome, field), "after": after}
        for field, after in (("name", name), ("kind", kind), ("is_money", is_money))
        if getattr(outcome, field) != after
    }
    for field, values in changes.items():
        setattr(outcome, field, values["after"])
    if changes:
        outcome.save(update_fields=list(changes))
        record(workspace=workspace, action="outcome.changed", target=name, actor=by, api_key=api_key, changes=changes)


def _lock(workspace: Workspace) -> None:
    """Let one transaction at a time change the workspace's goals and outcomes; no import can be added meanwhile."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)


def _named(rows: Iterable[Goal | Outcome]) -> list[str]:
    return [row.name for row in rows]


def _refuse_taken_name(name: str, taken: Iterable[str]) -> None:
    same = next((other for other in taken if other.lower() == name.lower()), None)
    if same is not None:
        sentence = f"“{same}” is there already; names that differ only in capitals are the same."
        raise Invalid(sentence, errors={"name": [sentence]})


def _refuse_former_name(workspace: Workspace, name: str, *, goal: Goal | None) -> None:
    """Raise Invalid if another goal had this name: runs say goals by name, so its results would pass for this one's."""
    renamings = AuditEvent.objects.filter(workspace=workspace, action=RENAMED).values_list("detail", flat=True)
    owners = {detail["goal"] for detail in renamings if _name_before(detail).lower() == name.lower()}
    owners.discard(goal.pk if goal else None)
    owner = Goal.objects.filter(workspace=workspace, pk__in=owners).first()
    if owner is not None:
        sentence = f"“{name}” was the name of “{owner.name}”, and earlier results still call it so. Choose another."
        raise Invalid(sentence, errors={"name": [sentence]})


def _name_before(detail: dict[str, Any]) -> str:
    """The name that a goal had before it was renamed; former versions noted it without the field's name."""
    former: str = detail["changes"]["name"]["before"] if "changes" in detail else detail["before"]
    return former


def _local_day(moment: dt.datetime | None, workspace: Workspace) -> dt.date | None:
    return moment.astimezone(workspace.zone).date() if moment else None
