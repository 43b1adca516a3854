"""What the pages of custom models show; all counting and wording is finished here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from attribution.custom import custom_models
from attribution.methods.custom_definition import in_words
from attribution.models import CustomModel, CustomModelVersion
from mmm_project import formats

NOT_USED = "Not used yet"


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """A version in the history of a model: what it means, and how that differs from the one before."""

    version: CustomModelVersion
    author: str
    used: str
    meaning: Sequence[str]
    added: Sequence[str]
    removed: Sequence[str]
    is_newest: bool
    query: str

    @property
    def is_first(self) -> bool:
        return self.version.number == 1


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A custom model in the list, by its newest version."""

    model: CustomModel
    version: CustomModelVersion
    versions: str
    author: str
    used: str
    meaning: Sequence[str]
    query: str


def present_rows(models: Sequence[CustomModel], used: Mapping[str, int]) -> list[ModelRow]:
    """Return the models as the list shows them; `used`: runs of each version, by its key."""
    return [_row(model, used) for model in models]


def present_versions(model: CustomModel, used: Mapping[str, int]) -> list[VersionRow]:
    """Return the versions of a model, newest first."""
    versions = sorted(model.versions.all(), key=lambda version: -version.number)
    meanings = {version.number: in_words(custom_models.definition_of(version)) for version in versions}
    rows = []
    for version in versions:
        meaning = meanings[version.number]
        before = meanings.get(version.number - 1, ())
        rows.append(
            VersionRow(
                version=version,
                author=_author(version),
                used=_used(used.get(version.key, 0)),
                meaning=meaning,
                added=[sentence for sentence in meaning if sentence not in before],
                removed=[sentence for sentence in before if sentence not in meaning],
                is_newest=version is versions[0],
                query=urlencode({"model": version.key}),
            )
        )
    return rows


def query_of(model: CustomModel) -> str:
    """Return the newest version of a model as analyses are asked for it in an address."""
    return urlencode({"model": f"{custom_models.PREFIX}{model.pk}"})


def _row(model: CustomModel, used: Mapping[str, int]) -> ModelRow:
    version = custom_models.newest(model)
    keys = [each.key for each in model.versions.all()]
    return ModelRow(
        model=model,
        version=version,
        versions=formats.count(len(keys), "version"),
        author=_author(version),
        used=_used(sum(used.get(key, 0) for key in keys)),
        meaning=in_words(custom_models.definition_of(version)),
        query=query_of(model),
    )


def _author(version: CustomModelVersion) -> str:
    return version.created_by.email if version.created_by else "somebody who has left"


def _used(runs: int) -> str:
    return f"Used in {formats.count(runs, 'run')}" if runs else NOT_USED
