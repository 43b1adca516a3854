"""What a finished run keeps of its model: data, posterior and the surface that plans are read from. Needs no JAX."""

from functools import cached_property, lru_cache
from typing import Any

from analyses import artifacts
from analyses.artifacts import ArtifactMissing
from analyses.models import Run
from marketing.frames import MediaPanel
from weightings.methods.planning.answers import unpack_surface
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import NOT_A_SUM, ResponseSurface
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Quantities, Window
from weightings.methods.storing import (
    UnknownFormat,
    unpack_geo_panel,
    unpack_panel,
    unpack_posterior,
    unpack_quantities,
)

SURFACES_KEPT = 4  # in memory, as a planner asks for the same one again and again
TOO_OLD = "This run was made by an earlier version, which kept less. Run it again to plan with it."


class StoredModel:
    """A finished weightings run's model. What is read raises ArtifactMissing where the run's file is gone or damaged.

    `window`: the periods that the run reports. `level`: of its intervals, as a share.
    """

    def __init__(self, run: Run) -> None:
        assert run.result is not None  # noqa: S101 - only finished runs have a model
        self.run = run
        self.result: dict[str, Any] = run.result
        self._stored: dict[str, Any] = run.result["stored"]
        self.window = Window(*self._stored["quantities"]["window"])
        self.level = run.result["confidence"] / 100

    @cached_property
    def panel(self) -> MediaPanel:
        """The data that the model was fitted to; of several geos, all together."""
        arrays = self._arrays("panel.")
        try:
            described = self._stored["panel"]
            return (
                unpack_geo_panel(described, arrays).national()
                if "geos" in described
                else unpack_panel(described, arrays)
            )
        except (KeyError, ValueError) as error:
            raise ArtifactMissing(DAMAGED) from error

    @cached_property
    def posterior(self) -> Posterior:
        """All draws. Raises CannotBePlanned for a model of the LightweightMMM package, which keeps none of ours."""
        described = self._stored["posterior"]
        if described is None:
            raise CannotBePlanned("This needs one of the models “hill”, “delayed” and “logistic”. Choose a run of one.")
        try:
            return unpack_posterior(described, self._arrays("posterior."))
        except UnknownFormat as error:
            raise CannotBePlanned(str(error)) from error
        except (KeyError, ValueError) as error:
            raise ArtifactMissing(DAMAGED) from error

    @cached_property
    def quantities(self) -> Quantities:
        """What the run reports, per draw."""
        try:
            return unpack_quantities(self._stored["quantities"], self._arrays("quantities."))
        except (KeyError, ValueError) as error:
            raise ArtifactMissing(DAMAGED) from error

    @property
    def surface(self) -> ResponseSurface:
        """What channels add by their spend in the period that the run reports. Raises CannotBePlanned where there is
        none: for outcomes with bounds, and runs of earlier versions."""
        if self.result["outcome"]["bounds"] is not None:
            raise CannotBePlanned(NOT_A_SUM)
        if self._stored.get("surface") is None:
            raise CannotBePlanned(TOO_OLD)
        return _surface(_Key(self.run))

    def _arrays(self, beginning: str) -> artifacts.Arrays:
        return artifacts.read(self.run, only=lambda name: name.startswith(beginning))


DAMAGED = "The figures of this run are damaged on disk. Run it again."


class _Key:
    """A run as the key of a cache: what it is and its file are never changed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __hash__(self) -> int:
        return hash((self.run.pk, self.run.artifact))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and (self.run.pk, self.run.artifact) == (other.run.pk, other.run.artifact)


@lru_cache(maxsize=SURFACES_KEPT)
def _surface(key: _Key) -> ResponseSurface:
    run = key.run
    assert run.result is not None  # noqa: S101 - only finished runs have a model
    try:
        surface = unpack_surface(
            run.result["stored"]["surface"], artifacts.read(run, only=lambda name: name.startswith("surface."))
        )
    except (KeyError, ValueError) as error:
        raise ArtifactMissing(DAMAGED) from error
    _ = surface.curves  # here, so that it is computed once
    return surface
