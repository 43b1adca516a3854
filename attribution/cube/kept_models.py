"""The models that the daily cube holds, and that the dashboard can therefore show and a workspace have as its default.

Their credit adds up over days and from campaigns to channels. So Participation and the Simplified Shapley value are not
among them: they credit each channel, or each campaign, on a path alike. Nor is W-Shape: what counts as a lead is a
decision of people that no version of the data knows. Data-driven models look at all paths of a period at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import OuterRef, Subquery

from accounts.models import Workspace
from attribution import channel_types
from attribution.catalogue import CUSTOM_PREFIX, LAST_RESORT, Model, UnknownModel, find
from attribution.channel_types import decided_types, looks_at_types
from attribution.methods.rules import INVERSE_J, J_SHAPE, RULE_MODELS
from attribution.models import CustomModel, CustomModelVersion

RULES = RULE_MODELS | {model.name: model for model in (J_SHAPE, INVERSE_J)}
DEFINITIONS = "custom_definitions"  # what the cube's params call them


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """The newest version of a custom model that is offered. `key`: what cubes and runs call it, "custom:3@2"."""

    key: str
    name: str
    version: int
    definition: Mapping[str, Any]

    @property
    def choice(self) -> str:
        """What addresses and settings call it: "custom:3", whatever its version."""
        return choice_of(self.key)


def choice_of(name: str) -> str:
    """Return what addresses and settings call a model: a custom one without its version."""
    return name.partition("@")[0] if name.startswith(CUSTOM_PREFIX) else name


def is_kept_daily(name: str) -> bool:
    """Whether the model is of those that cubes hold, whichever version of a custom one they hold now."""
    return name in RULES or name.startswith(CUSTOM_PREFIX)


def own_models(workspaces: Collection[Workspace]) -> dict[int, list[OwnModel]]:
    """Return the newest version of each custom model that is offered, by name, for each workspace; one query."""
    newest = CustomModelVersion.objects.filter(model=OuterRef("model")).order_by("-number").values("number")[:1]
    offered = CustomModelVersion.objects.filter(
        model__workspace__in=workspaces, model__archived_at=None, number=Subquery(newest)
    )
    found: dict[int, list[OwnModel]] = {workspace.pk: [] for workspace in workspaces}
    for version in offered.select_related("model").order_by("model__name", "model"):
        found[version.model.workspace_id].append(
            OwnModel(key=version.key, name=version.model.name, version=version.number, definition=version.definition)
        )
    return found


def asked_of_own(own: Mapping[int, Sequence[OwnModel]]) -> dict[int, dict[str, Any]]:
    """Return what the params of the cube say of custom models, for each workspace; one query at most.

    Nothing where there are none. Names are not among it: a model that is renamed credits what it did.
    """
    asked: dict[int, dict[str, Any]] = {
        workspace: {DEFINITIONS: {model.key: dict(model.definition) for model in models}} if models else {}
        for workspace, models in own.items()
    }
    looking = [pk for pk, models in own.items() if any(looks_at_types(model.definition) for model in models)]
    for workspace, types in decided_types(looking).items():
        asked[workspace][channel_types.PARAM] = types
    return asked


@dataclass(frozen=True, kw_only=True)
class Models:
    """What a workspace can choose from where models are kept day by day: the rules, and its own models."""

    own: Sequence[OwnModel]

    @cached_property
    def _own(self) -> Mapping[str, OwnModel]:
        return {model.choice: model for model in self.own}

    def by_family(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the choices as (name, label), the rules first, then the workspace's own if it has any."""
        rules = [(name, find(name).label) for name in RULES]
        own = [(model.choice, model.name) for model in self.own]
        return [("Rules", rules), *([("Your own", own)] if own else [])]

    def newest(self, asked: str) -> str | None:
        """Return what the newest cube calls the model that is asked for; None if it can have no such model.

        `asked`: a name as `attribution.catalogue` has them; of a custom model with or without a version.
        """
        if own := self._own.get(choice_of(asked)):
            return own.key
        try:
            name = find(asked).name
        except UnknownModel:
            return None
        return name if name in RULES else None

    def is_offered(self, name: str) -> bool:
        """Whether a model of a cube, which may be an older one, can still be chosen, be it in another version."""
        return name in RULES or choice_of(name) in self._own

    def label(self, name: str) -> str:
        """Return what people call a model of the cube; a custom one with its version. Raises UnknownModel."""
        return self._known(name).label

    def sentence(self, name: str) -> str:
        """Return what a model of the cube does. Raises UnknownModel."""
        return self._known(name).sentence

    def _known(self, name: str) -> Model:
        own = self._own.get(choice_of(name))
        if own is None:
            return find(name)
        return find(name, {name: {"name": own.name, "version": int(name.partition("@")[2] or own.version)}})


def models_of(workspace: Workspace) -> Models:
    """Return the models that the workspace can choose from; one query."""
    return Models(own=own_models([workspace])[workspace.pk])


def why_not(*, workspace: Workspace, asked: str) -> str:
    """Say why a model cannot be chosen where they are kept day by day."""
    archived = _archived(workspace, asked)
    if archived:
        return f"The model “{archived}” is archived."
    try:
        label = find(asked).label
    except UnknownModel:
        return f"There is no attribution model “{asked[:60]}”."
    return f"{label} is not kept for every day: ask for it under Attribution."


def archived_default(workspace: Workspace) -> str:
    """Return the name of the workspace's default model if that is an archived custom one, else ""."""
    return _archived(workspace, workspace.default_attribution_model)


def _archived(workspace: Workspace, asked: str) -> str:
    number = choice_of(asked).removeprefix(CUSTOM_PREFIX)
    if not (asked.startswith(CUSTOM_PREFIX) and number.isascii() and number.isdigit() and len(number) < 19):
        return ""
    archived = CustomModel.objects.filter(workspace=workspace, pk=int(number), archived_at__isnull=False)
    return archived.values_list("name", flat=True).first() or ""


def usual_model(*, workspace: Workspace, models: Models) -> str:
    """Return the choice that stands for the workspace's default; the last resort where that is none (any more)."""
    newest = models.newest(workspace.default_attribution_model)
    return choice_of(newest) if newest else LAST_RESORT


def default_models(workspace: Workspace) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the models that may be the workspace's default, as (name, label) by family; one query."""
    return models_of(workspace).by_family()
