"""New migrations can be applied while the code of before still runs; those of before this policy are not judged."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from mmm_project.migration_operations import AddIndexOnline
from tests.migration_policy import GONE, LARGE, LOCKS, MARK, NARROWED, NOT_NULL, objections, since
from tests.test_architecture import local_apps

# The last migration of each app when the policy began. Never raise these.
BASELINE = {
    "accounts": 3,
    "analyses": 3,
    "api": 1,
    "attribution": 1,
    "jobs": 3,
    "marketing": 5,
    "operations": 2,
    "reports": 3,
    "webhooks": 1,
    "weightings": 1,
}


def test_new_migrations_can_be_applied_while_the_code_of_before_runs() -> None:
    loader = MigrationLoader(None)
    ours = [one for (app, _), one in loader.disk_migrations.items() if app in local_apps()]
    assert len(ours) > 20
    found = {}
    for one in since(ours, BASELINE):
        before = loader.project_state([(one.app_label, one.name)], at_end=False)
        if against := objections(one, before):
            found[f"{one.app_label}.{one.name}"] = against
    assert not found, f"See docs/deployment.md, Migrations; or give the class a sentence in `{MARK}`."


def test_the_large_tables_are_there() -> None:
    assert {model._meta.label_lower for model in apps.get_models()} >= LARGE


@pytest.fixture
def before() -> ProjectState:
    state = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("kind", models.CharField(max_length=40)),
        ("note", models.TextField(null=True)),
    ]
    for app, name in (("jobs", "Job"), ("accounts", "Plan")):
        state.add_model(ModelState(app, name, fields))
    return state


def judged(operation: Operation, before: ProjectState, *, app: str, **attributes: object) -> list[str]:
    """Return the reasons against a migration of this one operation."""
    migration: Migration = type("Migration", (Migration,), {"operations": [operation], **attributes})("0009_x", app)
    return [reason.rpartition(": ")[2] for reason in objections(migration, before)]


INDEX = models.Index(fields=["kind"], name="job_kind")
CHECK = models.CheckConstraint(condition=~models.Q(kind=""), name="has_kind")
NEW = migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True)), ("kind", models.TextField())])


@pytest.mark.parametrize(
    ("operation", "app", "reasons"),
    [
        (migrations.RemoveField("plan", "kind"), "accounts", [GONE]),
        (migrations.RenameField("plan", "kind", "sort"), "accounts", [GONE]),
        (migrations.RenameModel("Plan", "Tariff"), "accounts", [GONE]),
        (migrations.DeleteModel("Plan"), "accounts", [GONE]),
        (migrations.AlterModelTable("Plan", "tariff"), "accounts", [GONE]),
        (migrations.AddField("plan", "size", models.IntegerField(default=0)), "accounts", [NOT_NULL]),
        (migrations.AddField("plan", "size", models.IntegerField(default=0, db_default=0)), "accounts", []),
        (migrations.AddField("plan", "size", models.IntegerField(null=True)), "accounts", []),
        (migrations.AddField("job", "size", models.IntegerField(null=True, db_index=True)), "jobs", [LOCKS]),
        (migrations.AddField("plan", "size", models.IntegerField(null=True, db_index=True)), "accounts", []),
        (migrations.AlterField("plan", "note", models.TextField()), "accounts", [NARROWED]),
        (migrations.AlterField("plan", "kind", models.CharField(max_length=20)), "accounts", [NARROWED]),
        (migrations.AlterField("plan", "kind", models.CharField(max_length=80)), "accounts", []),
        (migrations.AlterField("plan", "kind", models.CharField(max_length=40, choices=[("a", "A")])), "accounts", []),
        (migrations.AlterField("plan", "kind", models.IntegerField()), "accounts", [NARROWED]),
        (migrations.AlterField("job", "kind", models.CharField(max_length=40, db_index=True)), "jobs", [LOCKS]),
        (migrations.AddIndex("job", INDEX), "jobs", [LOCKS]),
        (migrations.AddIndex("plan", INDEX), "accounts", []),
        (AddIndexOnline("job", INDEX), "jobs", []),
        (migrations.RemoveIndex("job", "job_kind"), "jobs", []),
        (migrations.AddConstraint("job", CHECK), "jobs", [NARROWED, LOCKS]),
        (migrations.AddConstraint("plan", CHECK), "accounts", [NARROWED]),
        (migrations.SeparateDatabaseAndState(database_operations=[migrations.DeleteModel("Plan")]), "accounts", [GONE]),
        (NEW, "accounts", []),
    ],
    ids=lambda one: one.describe() if isinstance(one, Operation) else None,
)
def test_what_stands_against_an_operation(
    operation: Operation, app: str, reasons: list[str], before: ProjectState
) -> None:
    if isinstance(operation, migrations.RemoveIndex):
        before.add_index(app, "job", INDEX)
    assert judged(operation, before, app=app) == [reason.rpartition(": ")[2] for reason in reasons]


def test_a_model_of_the_same_migration_may_be_constrained(before: ProjectState) -> None:
    unique = models.UniqueConstraint(fields=["kind"], name="new_kind")
    migration = type("Migration", (Migration,), {"operations": [NEW, migrations.AddConstraint("new", unique)]})
    assert objections(migration("0009_x", "accounts"), before) == []


@pytest.mark.parametrize(("sentence", "reasons"), [("No code has read it since 0.3.", []), (" ", [GONE])])
def test_a_sentence_lets_a_migration_through(sentence: str, reasons: list[str], before: ProjectState) -> None:
    marked = {MARK: sentence}
    assert judged(migrations.RemoveField("plan", "kind"), before, app="accounts", **marked) == reasons


@pytest.mark.parametrize(("vendor", "how"), [("postgresql", {"concurrently": True}), ("sqlite", {})])
def test_an_index_is_added_and_removed_online_where_the_database_can(
    vendor: str, how: dict[str, bool], before: ProjectState
) -> None:
    calls: list[tuple[str, dict[str, bool]]] = []
    editor: Any = SimpleNamespace(
        connection=SimpleNamespace(vendor=vendor, alias="default", in_atomic_block=False),
        add_index=lambda _model, _index, **options: calls.append(("add", options)),
        remove_index=lambda _model, _index, **options: calls.append(("remove", options)),
    )
    operation, after = AddIndexOnline("job", INDEX), before.clone()
    operation.state_forwards("jobs", after)
    operation.database_forwards("jobs", editor, before, after)
    operation.database_backwards("jobs", editor, after, before)
    assert calls == [("add", how), ("remove", how)]
