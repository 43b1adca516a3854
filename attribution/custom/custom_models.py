"""Attribution models that a workspace makes up itself: what can be done with them, and how they are found.

A version is never changed once it is saved. A run keeps the definition that it was asked with in its params, so that
neither a later version nor archiving changes any result.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Prefetch, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import ApiKey, User, Workspace
from analyses.models import Run
from attribution.catalogue import MODELS
from attribution.methods.custom_definition import CustomDefinition, in_words, parse
from attribution.models import CustomModel, CustomModelVersion
from mmm_project.problems import Invalid, NotFound

MOST_ACTIVE = 50
MOST_VERSIONS = 200  # of one model
LONGEST_NAME, LONGEST_DESCRIPTION = 100, 500
PREFIX = "custom:"
PARAM = "custom_models"  # where the params of a run keep what `as_param` returns
_KEY = re.compile(r"custom:(\d{1,18})(?:@(\d{1,9}))?", re.ASCII)


# --- looking up ---


def get(*, workspace: Workspace, model_id: int) -> CustomModel:
    """Return a custom model of the workspace, archived or not. Raises NotFound."""
    # Ids have at most 19 digits; a longer number is not one, and no database would look for it.
    found = known(workspace).filter(pk=model_id).first() if 0 < model_id < 10**18 else None
    if found is None:
        raise NotFound("There is no such custom model in this workspace.")
    return found


def known(workspace: Workspace) -> QuerySet[CustomModel]:
    """Return the custom models of the workspace by name, archived or not, each with its versions, newest first."""
    versions = CustomModelVersion.objects.select_related("created_by").order_by("-number")
    models = CustomModel.objects.filter(workspace=workspace).select_related("workspace", "created_by")
    return models.prefetch_related(Prefetch("versions", queryset=versions))


def active(workspace: Workspace) -> list[CustomModelVersion]:
    """Return the newest version of each custom model that is offered, by name; one query."""
    versions = CustomModelVersion.objects.filter(model__workspace=workspace, model__archived_at=None)
    newest = versions.values("model").annotate(newest=Max("number")).values_list("model", "newest")
    found = versions.select_related("model").order_by("model__name", "-number")
    latest = dict(newest)
    return [version for version in found if version.number == latest.get(version.model_id)]


def find(workspace: Workspace, text: str) -> CustomModelVersion | None:
    """Return the version that `custom:<id>@<version>`, `custom:<id>` (its newest) or a model's name stands for.

    Names count whatever their case. Versions of archived models are found too: whether they may still be asked for is
    for the caller to say.
    """
    text = text.strip()
    if "\0" in text:  # PostgreSQL refuses to look for it
        return None
    versions = CustomModelVersion.objects.filter(model__workspace=workspace).select_related("model")
    if key := _KEY.fullmatch(text.lower()):
        versions = versions.filter(model=int(key[1]))
        if key[2]:
            versions = versions.filter(number=int(key[2]))
    else:
        versions = versions.filter(model__name__iexact=text)
    return versions.order_by("-number").first()


def as_param(version: CustomModelVersion) -> dict[str, dict[str, Any]]:
    """Return what a run keeps of a version: {"custom:3@2": {"name", "version", "definition"}}."""
    return {
        version.key: {"name": version.model.name, "version": version.number, "definition": version.definition},
    }


def definition_of(version: CustomModelVersion) -> CustomDefinition:
    """Return what a saved version means."""
    return parse(version.definition)


def newest(model: CustomModel) -> CustomModelVersion:
    """Return the version of the model that is offered at present."""
    return max(model.versions.all(), key=lambda version: version.number)


def uses(workspace: Workspace) -> Mapping[str, int]:
    """Return how many runs of the workspace asked for each version, by its key ("custom:3@2")."""
    asked = Run.objects.filter(workspace=workspace, params__has_key=PARAM).order_by()
    used: Counter[str] = Counter()
    for names, times in asked.values_list("params__model").annotate(Count("pk")):
        for name in set(names):
            if name.startswith(PREFIX):
                used[name] += times
    return used


# --- changing ---


def create(
    *,
    workspace: Workspace,
    name: str,
    definition: CustomDefinition,
    description: str = "",
    by: User | None,
    api_key: ApiKey | None = None,
) -> CustomModel:
    """Keep a definition as version 1 of a new model. Raises Invalid for a name that is taken or cannot be one."""
    with transaction.atomic():
        _make_room(workspace)
        model = CustomModel(workspace=workspace, name=name, description=description, created_by=by)
        _save(model)
        version = CustomModelVersion.objects.create(
            model=model, number=1, definition=definition.as_json(), created_by=by
        )
        _record(model, "created", by, api_key, version)
    return model


def save_version(
    *, model: CustomModel, definition: CustomDefinition, by: User | None, api_key: ApiKey | None = None
) -> CustomModelVersion:
    """Keep a definition as the model's next version; return the newest one there is if it already means that.

    Raises Invalid if the model is archived or has as many versions as there may be.
    """
    with transaction.atomic():
        stored = CustomModel.objects.select_for_update().get(pk=model.pk)
        last = stored.versions.latest("number")
        if definition_of(last) == definition:
            return last
        if stored.archived_at is not None:
            raise Invalid(f"“{stored.name}” is archived. Restore it to change it.")
        if last.number >= MOST_VERSIONS:
            raise Invalid(f"A custom model has at most {MOST_VERSIONS} versions. Duplicate it and go on with the copy.")
        version = CustomModelVersion.objects.create(
            model=stored, number=last.number + 1, definition=definition.as_json(), created_by=by
        )
        _record(stored, "version_saved", by, api_key, version)
    return version


def rename(*, model: CustomModel, name: str, description: str, by: User | None, api_key: ApiKey | None = None) -> bool:
    """Give a model another name and description, whatever its versions; return whether that changed anything.

    Runs keep the name that they were asked with. Raises Invalid for a name that is taken or cannot be one.
    """
    changed = {"name": name.strip(), "description": description.strip()}
    before = {field: getattr(model, field) for field in changed}
    if changed == before:
        return False
    with transaction.atomic():
        try:
            for field, value in changed.items():
                setattr(model, field, value)
            _save(model, update_fields=list(changed))
        except Invalid:
            for field, value in before.items():
                setattr(model, field, value)
            raise
        _record(model, "renamed", by, api_key, changes=audit.changes_between(before, changed))
    return True


def change(
    *,
    model: CustomModel,
    name: str,
    description: str,
    definition: CustomDefinition,
    by: User | None,
    api_key: ApiKey | None = None,
) -> CustomModelVersion:
    """Rename a model and save what it means from now on, both or neither; return its newest version. Raises Invalid."""
    with transaction.atomic():
        rename(model=model, name=name, description=description, by=by, api_key=api_key)
        return save_version(model=model, definition=definition, by=by, api_key=api_key)


def duplicate(*, model: CustomModel, by: User | None, api_key: ApiKey | None = None) -> CustomModel:
    """Return a new model that means what the newest version does, under a name that is still free. Raises Invalid."""
    taken = {
        name.casefold()
        for name in CustomModel.objects.filter(workspace=model.workspace_id).values_list("name", flat=True)
    }
    endings = (" (copy)", *(f" (copy {number})" for number in range(2, len(taken) + 3)))
    copies = (f"{model.name[: LONGEST_NAME - len(ending)]}{ending}" for ending in endings)
    return create(
        workspace=model.workspace,
        name=next(copy for copy in copies if copy.casefold() not in taken),
        definition=definition_of(newest(model)),
        description=model.description,
        by=by,
        api_key=api_key,
    )


def archive(*, model: CustomModel, by: User | None, api_key: ApiKey | None = None) -> bool:
    """Stop offering a model; return whether it had been offered. Its runs stay as they are."""
    return _set_archived(model, by, api_key, archived=True)


def restore(*, model: CustomModel, by: User | None, api_key: ApiKey | None = None) -> bool:
    """Offer an archived model again; return whether it was archived. Raises Invalid if too many are offered."""
    return _set_archived(model, by, api_key, archived=False)


def _set_archived(model: CustomModel, by: User | None, api_key: ApiKey | None, *, archived: bool) -> bool:
    with transaction.atomic():
        unchanged = CustomModel.objects.filter(pk=model.pk, archived_at__isnull=archived)
        if not unchanged.exists():
            return False
        if not archived:
            _make_room(model.workspace)
        at = timezone.now() if archived else None
        if not unchanged.update(archived_at=at):
            return False
        model.archived_at = at
        _record(model, "archived" if archived else "restored", by, api_key)
    return True


def _make_room(workspace: Workspace) -> None:
    """Raise Invalid if the workspace offers as many models as it may; no other can pass the limit at the same time."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    if CustomModel.objects.filter(workspace=workspace, archived_at=None).count() >= MOST_ACTIVE:
        raise Invalid(
            f"A workspace has at most {MOST_ACTIVE} custom models in use. Archive one that you no longer need."
        )


def _save(model: CustomModel, update_fields: list[str] | None = None) -> None:
    """Raises Invalid if the name is taken in the workspace, by an archived model too, or cannot be a name."""
    model.name, model.description = model.name.strip(), model.description.strip()
    if problem := _name_problem(model.name):
        raise Invalid(problem, errors={"name": [problem]})
    if len(model.description) > LONGEST_DESCRIPTION or not model.description.isprintable():
        sentence = f"A description has at most {LONGEST_DESCRIPTION} printable characters, on one line."
        raise Invalid(sentence, errors={"description": [sentence]})
    try:
        with transaction.atomic():
            model.save(update_fields=update_fields)
    except IntegrityError:
        sentence = f"There is a custom model called “{model.name}” already. It may be archived: then restore it."
        raise Invalid(sentence, errors={"name": [sentence]}) from None


def _name_problem(name: str) -> str:
    """Return why a custom model cannot be called this; "" if it can."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return f"A custom model needs a name of at most {LONGEST_NAME} printable characters."
    # What a name stands for must be clear wherever models are asked for by name.
    folded = name.casefold()
    labels = {model.label.casefold() for model in MODELS.values()}
    kinds = {built_in.partition(":")[0] for built_in in (*MODELS, PREFIX)}  # of names with settings: time_decay:14
    if folded in labels or folded.partition(":")[0] in kinds:
        return f"“{name}” is what another model is called. Choose another name."
    return ""


def _record(
    model: CustomModel,
    what: str,
    by: User | None,
    api_key: ApiKey | None,
    version: CustomModelVersion | None = None,
    **detail: Any,
) -> None:
    if version is not None:
        meaning = " ".join(in_words(definition_of(version)))
        detail |= {"version": version.number, "definition": version.definition, "meaning": meaning}
    audit.record(
        workspace=model.workspace,
        action=f"custom_model.{what}",
        target=model.name,
        actor=by,
        api_key=api_key,
        **detail,
    )
