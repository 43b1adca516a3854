"""Custom models: versions that never change, names that are clear, and what can be done with both."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, User, Workspace
from attribution.custom import custom_models
from attribution.methods.custom_definition import CustomDefinition, parse
from attribution.models import CustomModel, CustomModelVersion, ImmutableError
from mmm_project.problems import Invalid, NotFound
from tests.factories import WorkspaceFactory

ENDS = parse({"position": {"first": 50, "middle": 30, "last": 20}})
HALVED_BY_AGE = parse({"half_life_days": 7})


def keep(workspace: Workspace, name: str = "Ours", definition: CustomDefinition = ENDS, **rest: Any) -> CustomModel:
    return custom_models.create(workspace=workspace, name=name, definition=definition, by=None, **rest)


def save(model: CustomModel, definition: CustomDefinition, by: User | None = None) -> CustomModelVersion:
    return custom_models.save_version(model=model, definition=definition, by=by)


# --- creating and versions ---


def test_a_model_begins_with_version_1(workspace: Workspace, analyst: User) -> None:
    model = custom_models.create(
        workspace=workspace, name="  Ours ", description=" For the board ", definition=ENDS, by=analyst
    )
    assert (model.name, model.description, model.created_by) == ("Ours", "For the board", analyst)
    (version,) = model.versions.all()
    assert (version.number, version.key, version.created_by) == (1, f"custom:{model.pk}@1", analyst)
    assert custom_models.definition_of(version) == ENDS


def test_the_next_version_leaves_the_first_as_it_was(workspace: Workspace, analyst: User) -> None:
    model = keep(workspace)
    second = save(model, HALVED_BY_AGE, by=analyst)
    assert (second.number, second.created_by) == (2, analyst)
    first = model.versions.get(number=1)
    assert custom_models.definition_of(first) == ENDS
    assert custom_models.newest(model) == second


def test_saving_what_it_means_already_makes_no_version(workspace: Workspace) -> None:
    model = keep(workspace)
    same = parse({"position": {"last": 20.0, "first": 50, "middle": 30}, "half_life_days": None, "rules": []})
    assert save(model, same).number == 1
    assert model.versions.count() == 1
    assert AuditEvent.objects.filter(action="custom_model.version_saved").count() == 0


def test_going_back_to_an_earlier_meaning_is_a_new_version(workspace: Workspace) -> None:
    model = keep(workspace)
    save(model, HALVED_BY_AGE)
    assert save(model, ENDS).number == 3


def test_a_saved_version_cannot_be_changed_or_deleted(workspace: Workspace) -> None:
    version = keep(workspace).versions.get()
    version.definition = HALVED_BY_AGE.as_json()
    for write in (
        version.save,
        version.delete,
        CustomModelVersion.objects.all().delete,
        lambda: CustomModelVersion.objects.update(number=7),
        lambda: CustomModelVersion.objects.bulk_update([version], ["definition"]),
    ):
        with pytest.raises(ImmutableError):
            write()
    assert CustomModelVersion.objects.get().definition == ENDS.as_json()


def test_versions_go_with_their_workspace(workspace: Workspace) -> None:
    save(keep(workspace), HALVED_BY_AGE)
    Workspace.objects.filter(pk=workspace.pk).delete()
    assert not CustomModelVersion.objects.exists()


def test_versions_outlive_who_saved_them(workspace: Workspace, analyst: User) -> None:
    model = custom_models.create(workspace=workspace, name="Ours", definition=ENDS, by=analyst)
    User.objects.filter(pk=analyst.pk).delete()
    assert model.versions.get().created_by is None


def test_the_database_keeps_numbers_apart(workspace: Workspace) -> None:
    model = keep(workspace)
    for number in (1, 0):
        with pytest.raises(IntegrityError), transaction.atomic():
            CustomModelVersion.objects.create(model=model, number=number, definition={})


def test_there_is_an_end_to_versions(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_models, "MOST_VERSIONS", 1)
    model = keep(workspace)
    with pytest.raises(Invalid, match="Duplicate it"):
        save(model, HALVED_BY_AGE)


# --- names ---


@pytest.mark.parametrize("name", ["ours", "OURS ", " Ours"])
def test_a_name_is_taken_whatever_its_case_and_by_archived_models_too(workspace: Workspace, name: str) -> None:
    custom_models.archive(model=keep(workspace), by=None)
    with pytest.raises(Invalid) as refusal:
        keep(workspace, name)
    assert "already" in refusal.value.errors["name"][0]
    assert keep(WorkspaceFactory.create(), name).name == name.strip()  # in another workspace it is free


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "x" * 101,
        "two\nlines",
        "bell\a",
        "nul\0",
        "Last Touch",
        "LINEAR",
        "time_decay",
        "custom:3",
        "Data-driven",
        "markov",
        "Markov:2",
        "position:1-2-3",
    ],
)
def test_some_names_cannot_be_given(workspace: Workspace, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        keep(workspace, name)
    assert refusal.value.errors["name"]
    assert not CustomModel.objects.exists()


@pytest.mark.parametrize("description", ["x" * 501, "nul\0"])
def test_some_descriptions_cannot_be_given(workspace: Workspace, description: str) -> None:
    with pytest.raises(Invalid) as refusal:
        keep(workspace, description=description)
    assert refusal.value.errors["description"]


def test_renaming_makes_no_version(workspace: Workspace) -> None:
    model = keep(workspace)
    assert custom_models.rename(model=model, name="OURS", description="Now shouted", by=None)
    assert not custom_models.rename(model=model, name="OURS", description="Now shouted ", by=None)
    model.refresh_from_db()
    assert (model.name, model.description, model.versions.count()) == ("OURS", "Now shouted", 1)


def test_a_refused_name_leaves_the_model_as_it_was(workspace: Workspace) -> None:
    keep(workspace, "Theirs")
    model = keep(workspace)
    with pytest.raises(Invalid):
        custom_models.change(model=model, name="theirs", description="", definition=HALVED_BY_AGE, by=None)
    assert model.name == "Ours"
    assert model.versions.count() == 1


def test_name_and_meaning_are_changed_together_or_not_at_all(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = keep(workspace)
    version = custom_models.change(model=model, name="New", description="", definition=HALVED_BY_AGE, by=None)
    assert (version.number, CustomModel.objects.get().name) == (2, "New")
    monkeypatch.setattr(custom_models, "MOST_VERSIONS", 2)
    with pytest.raises(Invalid):
        custom_models.change(model=model, name="Newer", description="", definition=ENDS, by=None)
    assert CustomModel.objects.get().name == "New"


# --- archiving, restoring, duplicating ---


def test_an_archived_model_is_not_offered_until_it_is_restored(workspace: Workspace) -> None:
    model = keep(workspace)
    assert custom_models.archive(model=model, by=None)
    assert not custom_models.archive(model=model, by=None)
    assert custom_models.active(workspace) == []
    with pytest.raises(Invalid, match="Restore it"):
        save(model, HALVED_BY_AGE)
    assert custom_models.restore(model=model, by=None)
    assert not custom_models.restore(model=model, by=None)
    assert [version.model for version in custom_models.active(workspace)] == [model]


def test_a_copy_means_what_the_newest_version_does(workspace: Workspace, analyst: User) -> None:
    model = keep(workspace, description="For the board")
    save(model, HALVED_BY_AGE)
    copies = [custom_models.duplicate(model=model, by=analyst) for _ in range(2)]
    assert [copy.name for copy in copies] == ["Ours (copy)", "Ours (copy 2)"]
    assert copies[0].description == "For the board"
    assert custom_models.definition_of(copies[0].versions.get()) == HALVED_BY_AGE


def test_a_long_name_is_cut_for_its_copy(workspace: Workspace) -> None:
    copy = custom_models.duplicate(model=keep(workspace, "x" * 100), by=None)
    assert copy.name == f"{'x' * 93} (copy)"


def test_a_workspace_has_room_for_so_many_models_in_use(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_models, "MOST_ACTIVE", 2)
    first, second = keep(workspace, "1"), keep(workspace, "2")
    with pytest.raises(Invalid, match="at most 2 custom models"):
        keep(workspace, "3")
    with pytest.raises(Invalid):
        custom_models.duplicate(model=first, by=None)
    custom_models.archive(model=first, by=None)
    keep(workspace, "3")
    with pytest.raises(Invalid):
        custom_models.restore(model=first, by=None)
    first.refresh_from_db()
    assert first.archived_at is not None
    custom_models.archive(model=second, by=None)
    custom_models.restore(model=first, by=None)


# --- looking up ---


def test_models_are_found_by_id_version_and_name(workspace: Workspace) -> None:
    model = keep(workspace)
    save(model, HALVED_BY_AGE)
    keep(workspace, "Another")
    for text in (f"custom:{model.pk}", f"custom:{model.pk}@2", "ours", " OURS ", f"Custom:{model.pk}"):
        found = custom_models.find(workspace, text)
        assert found is not None
        assert (found.model, found.number) == (model, 2)
    first = custom_models.find(workspace, f"custom:{model.pk}@1")
    assert first is not None
    assert custom_models.definition_of(first) == ENDS


@pytest.mark.parametrize(
    "text", ["", "nobody", "custom:", "custom:x", "custom:{id}@3", "custom:{id}@0", "custom:{id}@", "custom:²", "a\0b",
             f"custom:{10**30}", "custom:{id}@9999999999"]
)  # fmt: skip
def test_what_is_no_model_is_not_found(workspace: Workspace, text: str) -> None:
    model = keep(workspace)
    assert custom_models.find(workspace, text.format(id=model.pk)) is None


def test_another_workspaces_model_is_not_found(workspace: Workspace) -> None:
    model = keep(WorkspaceFactory.create())
    for text in (f"custom:{model.pk}", f"custom:{model.pk}@1", "Ours"):
        assert custom_models.find(workspace, text) is None
    for model_id in (model.pk, 0, 10**30):
        with pytest.raises(NotFound):
            custom_models.get(workspace=workspace, model_id=model_id)


def test_the_newest_versions_of_models_in_use_are_offered_by_name(
    workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    save(keep(workspace, "Beta"), HALVED_BY_AGE)
    keep(workspace, "Alpha")
    custom_models.archive(model=keep(workspace, "Gone"), by=None)
    keep(WorkspaceFactory.create(), "Elsewhere")
    with django_assert_max_num_queries(2):
        offered = custom_models.active(workspace)
        assert [(version.model.name, version.number) for version in offered] == [("Alpha", 1), ("Beta", 2)]


def test_a_run_keeps_the_definition_of_the_version(workspace: Workspace) -> None:
    model = keep(workspace)
    kept = {"name": "Ours", "version": 1, "definition": ENDS.as_json()}
    assert custom_models.as_param(model.versions.get()) == {f"custom:{model.pk}@1": kept}


# --- the audit log ---


def test_every_change_is_on_record(workspace: Workspace, analyst: User) -> None:
    model = custom_models.create(workspace=workspace, name="Ours", definition=ENDS, by=analyst)
    save(model, HALVED_BY_AGE, by=analyst)
    custom_models.rename(model=model, name="Mine", description="", by=analyst)
    custom_models.archive(model=model, by=analyst)
    custom_models.restore(model=model, by=analyst)
    events = list(AuditEvent.objects.filter(workspace=workspace, action__startswith="custom_model.").order_by("pk"))
    done = ["created", "version_saved", "renamed", "archived", "restored"]
    assert [event.action for event in events] == [f"custom_model.{what}" for what in done]
    assert {event.actor for event in events} == {analyst}
    assert [event.target for event in events] == ["Ours", "Ours", "Mine", "Mine", "Mine"]
    assert events[1].detail["version"] == 2
    assert events[1].detail["definition"] == HALVED_BY_AGE.as_json()
    assert "half as much" in events[1].detail["meaning"]
    assert events[2].detail["changes"] == {"name": {"before": "Ours", "after": "Mine"}}
