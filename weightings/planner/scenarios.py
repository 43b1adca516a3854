"""Scenarios: plans that are kept under a name. Nothing else writes `Scenario`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import ApiKey, User, Workspace
from analyses.models import Run
from mmm_project.problems import Invalid, NotFound
from weightings.models import Scenario

if TYPE_CHECKING:
    from weightings.planner.plan import Plan

LONGEST_NAME = 100
MOST = 200  # of a workspace
MOST_COMPARED = 50
GONE = "There is no such scenario in this workspace."


def known(workspace: Workspace) -> QuerySet[Scenario]:
    """Return a workspace's scenarios with their runs, the newest first, without the runs' results."""
    related = Scenario.objects.filter(workspace=workspace).select_related("run", "created_by", "workspace")
    return related.defer("run__result")


def get(*, workspace: Workspace, scenario_id: int) -> Scenario:
    """Return a scenario of the workspace with its run and result. Raises NotFound."""
    found = Scenario.objects.filter(workspace=workspace, pk=scenario_id)
    scenario = found.select_related("workspace", "run__workspace", "run__job", "created_by").first()
    if scenario is None:
        raise NotFound(GONE)
    return scenario


def create(*, run: Run, name: str, plan: "Plan", by: User | None, api_key: ApiKey | None = None) -> Scenario:
    """Keep a plan that was made with a run's model. Raises Invalid for a name that will not do."""
    return _create(Scenario(run=run, name=_name(name), plan=plan.as_json()), by, api_key)


def rename(*, scenario: Scenario, name: str, by: User | None, api_key: ApiKey | None = None) -> None:
    """Give it another name. Raises Invalid for one that will not do, and NotFound where it is gone."""
    before, scenario.name = scenario.name, _name(name)
    changes = {"name": {"before": before, "after": scenario.name}}
    _change(scenario, "name", "scenario.renamed", by, api_key, changes=changes)


def change_plan(*, scenario: Scenario, plan: "Plan", by: User | None) -> None:
    """Keep another plan under the same name. Raises NotFound where it is gone."""
    before, scenario.plan = scenario.plan, plan.as_json()
    _change(scenario, "plan", "scenario.changed", by, changes=audit.changes_between(before, scenario.plan))


def duplicate(*, scenario: Scenario, by: User | None) -> Scenario:
    """Keep the same plan under a name of its own."""
    names = set(Scenario.objects.filter(workspace=scenario.workspace).values_list("name", flat=True))
    taken = {name.casefold() for name in names}
    number = 1
    while (name := _copied(scenario.name, number)).casefold() in taken:
        number += 1
    return _create(Scenario(run=scenario.run, name=name, plan=scenario.plan), by)


def delete(*, scenario: Scenario, by: User | None, api_key: ApiKey | None = None) -> None:
    """Remove it; the run stays."""
    with transaction.atomic():
        audit.record(
            workspace=scenario.workspace, action="scenario.deleted", target=scenario.name, actor=by, api_key=api_key
        )
        scenario.delete()


def _copied(name: str, number: int) -> str:
    ending = " (copy)" if number == 1 else f" (copy {number})"
    return f"{name[: LONGEST_NAME - len(ending)]}{ending}"


def _name(asked: str) -> str:
    name = " ".join(asked.split())
    if not name:
        raise Invalid("A scenario needs a name.", errors={"name": ["Give the scenario a name."]})
    if len(name) > LONGEST_NAME or not name.isprintable():
        sentence = f"A name has at most {LONGEST_NAME} characters, all of them readable."
        raise Invalid(sentence, errors={"name": [sentence]})
    return name


def _create(scenario: Scenario, by: User | None, api_key: ApiKey | None = None) -> Scenario:
    scenario.workspace, scenario.created_by = scenario.run.workspace, by
    if Scenario.objects.filter(workspace=scenario.workspace).count() >= MOST:
        raise Invalid(f"A workspace keeps {MOST} scenarios at most. Delete one that is no longer needed.")
    with _recorded(scenario, "scenario.saved", by, api_key):
        scenario.save()
    return scenario


def _change(
    scenario: Scenario, field: str, action: str, by: User | None, api_key: ApiKey | None = None, **detail: object
) -> None:
    """Save one field, so that what others change at the same time stays."""
    with _recorded(scenario, action, by, api_key, **detail):
        if Scenario.objects.select_for_update().filter(pk=scenario.pk).first() is None:
            raise NotFound(GONE)
        scenario.save(update_fields=(field, "updated_at"))


@contextmanager
def _recorded(
    scenario: Scenario, action: str, by: User | None, api_key: ApiKey | None, **detail: object
) -> Iterator[None]:
    """What is written inside stands or falls with its trace. Raises Invalid where another scenario has the name."""
    try:
        with transaction.atomic():
            yield
            audit.record(
                workspace=scenario.workspace, action=action, target=scenario.name, actor=by, api_key=api_key, **detail
            )
    except IntegrityError:
        sentence = f"There is a scenario “{scenario.name}” already. Choose another name."
        raise Invalid(sentence, errors={"name": [sentence]}) from None
