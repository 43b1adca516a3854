"""Attribution models that a workspace makes up itself, in versions.

Only `attribution.custom.custom_models` writes them.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower

from accounts.models import User, Workspace


class CustomModel(models.Model):
    """A name under which versions of a definition follow one another; archived, it is no longer offered."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="custom_models")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint("workspace", Lower("name"), name="custom_model_name_unique")]

    def __str__(self) -> str:
        return self.name


class ImmutableError(TypeError):
    """A programming error: something tried to change a version that was saved."""

    def __init__(self) -> None:
        super().__init__("Versions of custom models are never changed, and go only with their workspace.")


class CustomModelVersionQuerySet(models.QuerySet["CustomModelVersion"]):
    """Versions can be added and read."""

    def update(self, **_fields: object) -> int:
        raise ImmutableError

    def delete(self) -> tuple[int, dict[str, int]]:
        raise ImmutableError

    def bulk_update(self, *_args: object, **_options: object) -> int:
        raise ImmutableError


class CustomModelVersion(models.Model):
    """What a custom model means from one moment on: `definition` as `attribution.methods.custom_definition` says."""

    model = models.ForeignKey(CustomModel, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="From 1.")
    definition = models.JSONField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CustomModelVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["model", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "number"], name="custom_model_version_unique"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="custom_model_version_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.model} (version {self.number})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ImmutableError
        super().save(*args, **kwargs)

    def delete(self, *_args: object, **_kwargs: object) -> tuple[int, dict[str, int]]:
        raise ImmutableError

    @property
    def key(self) -> str:
        """How runs name it: "custom:3@2"."""
        return f"custom:{self.model_id}@{self.number}"
