"""The media mix model of several markets at once: what they have in common is learnt from all of them.

For geo g and period t, on the outcome per size of the geo:

    y_gt = baseline_gt + sum_c beta_gc S_c(A_c(x_gc))_t + shared_t + own_gt,

shared ~ Normal(0, tau), what moves all geos in a period alike, and own ~ Normal(0, sigma_g). Adstock and saturation are
those of `weightings.methods.media_mix`, the same everywhere. The baseline has coefficients common to all geos and,
around these, an intercept and slopes of the controls of each geo; all of them, and the shared noise, are integrated out
exactly. Effects differ: `beta_gc` is proportional to `exp(spread_c z_gc)`, z standard normal, and such that what all
geos add is the channel's effect, draw by draw. So the prior is one on the national ROI.

Source of the partial pooling: Sun, Wang, Jin, Chan, Koehler 2017, "Geo-level Bayesian hierarchical media mix modeling".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.media_mix import EFFECT, SIGMA, MediaMixModel, experiments_log_likelihood

FloatArray: TypeAlias = npt.NDArray[np.float64]

SPREAD, DEVIATION = "spread", "deviation"
SHARED = "shared"


@dataclass(frozen=True)
class GeoMediaMixModel:
    """A model of `media` media in `geos` geos: a density that NUTS can sample.

    A position holds, one after another: what `national` has, but sigma; by medium the spread of its effects over geos;
    by medium and geo a deviation; the shared noise; and by geo log sigma. All but the last are standard normal a
    priori. Sigma is known well in every geo, so its logarithm is sampled as it is, in units of about the error with
    which it is known; a priori it is normal around a level that all geos share, which is integrated out.
    """

    national: MediaMixModel
    geos: tuple[str, ...]

    @property
    def media(self) -> tuple[str, ...]:
        return self.national.media

    @property
    def lags(self) -> int:
        return self.national.lags

    @property
    def blocks(self) -> tuple[str, ...]:
        return self.national.blocks

    @property
    def size(self) -> int:
        media, geos = len(self.media), len(self.geos)
        return self._shapes + media + geos * media + 1 + geos

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return (
            *self.national.parameter_names[:-1],
            *(f"{SPREAD} of {name} over geos" for name in self.media),
            *(f"{DEVIATION} of {name} in {geo}" for name in self.media for geo in self.geos),
            "shared noise",
            *(f"{SIGMA} in {geo}" for geo in self.geos),
        )

    @property
    def entangled(self) -> int:
        """What all geos have in common."""
        return self._shapes

    def __hash__(self) -> int:
        return hash((self.national, len(self.geos)))

    def __eq__(self, other: object) -> bool:
        """Names do not count: they are in no equation."""
        return (
            isinstance(other, GeoMediaMixModel)
            and self.national == other.national
            and len(self.geos) == len(other.geos)
        )

    @property
    def _shapes(self) -> int:
        return self.national.size - 1

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """A position to start from, (D,): the deviations near their middle, the rest scattered."""
        geos = len(self.geos)
        position = rng.normal(0.0, 0.7, self.size)
        position[self._shapes + len(self.media) : -geos] *= 0.3
        return position

    def parameters(self, positions: Any, priors: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
        """The parameters at positions (..., D): those of `national` by block (..., C), `spread` (..., C), the factors
        `deviation` (..., C, G) of the geos, `shared` (...), and sigma (..., G)."""
        media, geos, start = len(self.media), len(self.geos), self._shapes
        found = self.national.parameters(positions[..., : start + 1], priors, xp)
        spread = positions[..., start : start + media]
        found[SPREAD] = xp.exp(priors["spread_location"] + priors["spread_spread"] * spread)
        deviations = positions[..., start + media : -geos - 1].reshape((*positions.shape[:-1], media, geos))
        found[DEVIATION] = xp.exp(found[SPREAD][..., None] * deviations)
        found[SHARED] = xp.exp(priors["shared_location"] + priors["shared_spread"] * positions[..., -geos - 1])
        found[SIGMA] = xp.exp(priors["sigma_location"] + priors["sigma_unit"] * positions[..., -geos:])
        return found

    def beta(
        self, parameters: Mapping[str, Any], sizes: Any, unit: Any, saturated: Any, before: Any, xp: Any = np
    ) -> Any:
        """What a medium adds in each geo, per size, where it is wholly saturated: (..., C, G).

        `saturated`: (..., C, G, T + L - 1) and `before`: (..., C, G, L - 1), as `MediaMixModel.beta` takes them.
        """
        added = saturated.sum(axis=-1) - before.sum(axis=-1)
        total = (sizes * parameters[DEVIATION] * added).sum(axis=-1)
        effect = parameters[EFFECT] * unit / xp.where(total > 0, total, 1.0)
        return parameters[DEVIATION] * effect[..., None]

    def log_density(self, position: Any, data: Mapping[str, Any]) -> Any:
        """The log posterior density of a position (D,), up to a constant."""
        import jax.numpy as jnp

        geos, priors = len(self.geos), data["priors"]
        away = priors["sigma_unit"] * position[-geos:]  # of log sigma, from where it is expected
        # The precision of what is normal around a level that is normal itself.
        own, level = priors["sigma_geo_spread"] ** 2, priors["sigma_spread"] ** 2
        sigmas = -0.5 * (jnp.sum(away**2) - level / (own + geos * level) * jnp.sum(away) ** 2) / own
        parameters = self.parameters(position, priors, jnp)
        return self.log_likelihood(parameters, data) + sigmas - 0.5 * jnp.sum(position[:-geos] ** 2)

    def log_likelihood(self, parameters: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """log p(y | media parameters, sigmas), shared noise and all coefficients of the baseline integrated out.

        `data`: as `weightings.methods.geo.preparing` lays it out.
        """
        import jax.numpy as jnp

        from weightings.methods.geo.density import collapsed_log_likelihood

        media, geos = len(self.media), len(self.geos)
        saturated = self.national.saturated(data["lagged"], parameters, jnp).reshape(media, geos, -1)
        before = self.national.saturated(data["lagged_before"], parameters, jnp).reshape(media, geos, -1)
        beta = self.beta(parameters, data["size"], data["unit"], saturated * data["counted"], before, jnp)
        added = jnp.einsum("cg,cgt->gt", beta, saturated[:, :, : data["outcome"].shape[1]])
        residual = (data["outcome"] - added) * data["known"]
        found = collapsed_log_likelihood(residual, parameters[SIGMA], parameters[SHARED], data)
        if "experiments" in data:
            in_geos = (beta * data["size"]).T
            found += experiments_log_likelihood(self.national, parameters, in_geos, data["experiments"], jnp)
        return found
