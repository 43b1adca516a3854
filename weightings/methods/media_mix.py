"""The media mix model: media with adstock and saturation on top of a baseline, whose coefficients are integrated out.

For period t: `y_t = baseline_t + sum_c beta_c S_c(A_c(x_c))_t + noise_t`, noise ~ Normal(0, sigma), with A an adstock
(Jin, Wang, Sun, Chan, Koehler 2017) and S a saturation curve. `beta_c = effect_c unit_c / added_c`, where `added_c` is
what the medium adds per unit of beta in the outcome's periods and behind them, less what media from before would have
added anyway: its incremental outcome. So an effect is a ROI, a share of the outcome, or a mean change of log odds, by
what `unit_c` is (`weightings.methods.preparing`), and its prior is one on what is reported.

Every parameter is a standard normal a priori, stretched by its prior: `link(location + spread z)`. NUTS samples the z.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.adstock import adstock, delayed_weights, geometric_weights
from weightings.methods.saturation import hill, logistic

FloatArray: TypeAlias = npt.NDArray[np.float64]
AdstockName: TypeAlias = Literal["geometric", "delayed"]
SaturationName: TypeAlias = Literal["hill", "logistic"]

EFFECT, RETENTION, DELAY = "effect", "retention", "peak_delay"
HALF_SATURATION, SLOPE, RATE, SIGMA = "half_saturation", "slope", "rate", "sigma"


@dataclass(frozen=True)
class MediaMixModel:
    """A national model of `media` media with carry-over of `lags` periods: a density that NUTS can sample.

    Two models with the same fields are one program: data and priors are arguments (`weightings.methods.preparing`).
    """

    media: tuple[str, ...]
    lags: int
    adstock: AdstockName = "geometric"
    saturation: SaturationName = "hill"

    @property
    def blocks(self) -> tuple[str, ...]:
        """The kinds of parameter that each medium has, in the order in which positions hold them."""
        carry = (RETENTION, DELAY) if self.adstock == "delayed" else (RETENTION,)
        return (EFFECT, *carry, *((HALF_SATURATION, SLOPE) if self.saturation == "hill" else (RATE,)))

    @property
    def size(self) -> int:
        return len(self.blocks) * len(self.media) + 1

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return (*(f"{block} of {name}" for block in self.blocks for name in self.media), SIGMA)

    @property
    def entangled(self) -> int:
        """None: a diagonal mass matrix serves a model of many media better."""
        return 0

    def __hash__(self) -> int:
        return hash((len(self.media), self.lags, self.adstock, self.saturation))

    def __eq__(self, other: object) -> bool:
        """Names do not count: they are in no equation."""
        return isinstance(other, MediaMixModel) and self._program == other._program

    @property
    def _program(self) -> tuple[int, int, str, str]:
        return len(self.media), self.lags, self.adstock, self.saturation

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """A draw from the prior, (D,), drawn in somewhat: the far tails are no place to start from."""
        return rng.normal(0.0, 0.7, self.size)

    def parameters(self, positions: Any, priors: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
        """The parameters at positions (..., D): by block (..., C), and sigma (...).

        `priors`: by block `<block>_location` and `<block>_spread`, (C,), and for sigma ().
        """
        count = len(self.media)
        found = {}
        for place, block in enumerate(self.blocks):
            z = positions[..., place * count : (place + 1) * count]
            found[block] = _link(block, priors[f"{block}_location"] + priors[f"{block}_spread"] * z, xp)
        found[SIGMA] = xp.exp(priors["sigma_location"] + priors["sigma_spread"] * positions[..., -1])
        return found

    def saturated(self, lagged: Any, parameters: Mapping[str, Any], xp: Any = np) -> Any:
        """S(A(x)) of media in multiples of their scale: (C, L, N) -> (C, N). `parameters`: of one draw."""
        return self.saturate(adstock(lagged, self.carry_over(parameters, xp), xp), parameters, xp)

    def carry_over(self, parameters: Mapping[str, Any], xp: Any = np) -> Any:
        """The weights (C, L) of the lags; (..., C, L) for parameters of many draws."""
        if self.adstock == "delayed":
            return delayed_weights(parameters[RETENTION], parameters[DELAY], self.lags, xp)
        return geometric_weights(parameters[RETENTION], self.lags, xp)

    def saturate(self, stock: Any, parameters: Mapping[str, Any], xp: Any = np) -> Any:
        """S of adstocked media (..., C, N), for parameters (..., C)."""
        if self.saturation == "hill":
            return hill(stock, parameters[HALF_SATURATION][..., None], parameters[SLOPE][..., None], xp)
        return logistic(stock, parameters[RATE][..., None], xp)

    def beta(self, parameters: Mapping[str, Any], unit: Any, saturated: Any, before: Any, xp: Any = np) -> Any:
        """What a medium adds where it is wholly saturated: (..., C).

        `saturated`: (..., C, T + L - 1), S in the outcome's periods and behind them, where there are no media any more.
        `before`: (..., C, L - 1), S in the first periods if there had only been the media from before.
        """
        added = saturated.sum(axis=-1) - before.sum(axis=-1)
        # Zero only for a medium that is: its effect is then of no consequence.
        return parameters[EFFECT] * unit / xp.where(added > 0, added, 1.0)

    def log_density(self, position: Any, data: Mapping[str, Any]) -> Any:
        """The log posterior density of z (D,), up to a constant: log likelihood and standard normal priors."""
        import jax.numpy as jnp

        parameters = self.parameters(position, data["priors"], jnp)
        return self.log_likelihood(parameters, data) - 0.5 * jnp.sum(position**2)

    def log_likelihood(self, parameters: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """log p(y | media parameters, sigma), the coefficients of the baseline integrated out.

        `data`: as `weightings.methods.preparing.density_data` lays it out; all that is padding is zero there.
        """
        import jax.numpy as jnp

        saturated = self.saturated(data["lagged"], parameters, jnp)
        before = self.saturated(data["lagged_before"], parameters, jnp)
        beta = self.beta(parameters, data["unit"], saturated * data["counted"], before, jnp)
        residual = (data["outcome"] - beta @ saturated) * data["known"]
        found = collapsed_log_likelihood(residual, parameters[SIGMA], data, jnp)
        if "experiments" in data:
            found += experiments_log_likelihood(self, parameters, beta, data["experiments"], jnp)
        return found


def collapsed_log_likelihood(residual: Any, sigma: Any, data: Mapping[str, Any], xp: Any) -> Any:
    """log of sum_g w_g Normal(residual; 0, sigma^2 I + Z diag(s_g^2) Z'), by the singular vectors of Z diag(s_g).

    `residual`: (T,), zero where the outcome is not known. `data`: `directions` (K, T), `rotations` (G, K, K) and
    squared `singular_values` (G, K), as `preparing.SingularBases` has them, `log_weights` (G,) of the scales,
    `known_count` ().
    """
    variance = sigma**2
    squared = data["singular_values"]
    projected = xp.einsum("gkj,j->gk", data["rotations"], data["directions"] @ residual)
    explained = xp.sum(projected**2 * squared / (variance + squared), axis=1)
    volume = data["known_count"] * xp.log(2 * np.pi * variance) + xp.sum(xp.log1p(squared / variance), axis=1)
    by_scale = data["log_weights"] - 0.5 * ((xp.sum(residual**2) - explained) / variance + volume)
    highest = xp.max(by_scale)
    return highest + xp.log(xp.sum(xp.exp(by_scale - highest)))


def experiments_log_likelihood(
    model: MediaMixModel, parameters: Mapping[str, Any], beta: Any, data: Mapping[str, Any], xp: Any = np
) -> Any:
    """log of prod_e Normal(lift_e; modelled lift_e, 1 / precision_e), up to a constant; 0 of what is padding.

    `data`: as `modelled_lifts` takes it, and `lift` and `precision` (E,), on the scale that beta is on.
    """
    missed = data["lift"] - modelled_lifts(model, parameters, beta, data, xp)
    return -0.5 * xp.sum(data["precision"] * missed**2)


def modelled_lifts(
    model: MediaMixModel, parameters: Mapping[str, Any], beta: Any, data: Mapping[str, Any], xp: Any = np
) -> Any:
    """What media of E tests added in the periods that their lifts count: (E,).

    `parameters`: of one draw, by block (C,). `beta`: (C,), or (G, C) where each of G geos has its own: lifts are then
    of all geos together. `data`: `channel` (E,), the medium that was tested; `lagged_with` and `lagged_without`
    (E, L, W), or (E, G, L, W), amounts in and before the W periods that count, with and without what was tested.
    """
    channel, lagged = data["channel"], data["lagged_with"]
    of_each = (-1, *([1] * (lagged.ndim - 3)))
    tested = {block: parameters[block][channel].reshape(of_each) for block in model.blocks}
    weights = model.carry_over(tested, xp)

    def added(amounts: Any) -> Any:
        return model.saturate(xp.einsum("...ln,...l->...n", amounts, weights), tested, xp).sum(axis=-1)

    lifts = xp.moveaxis(beta[..., channel], -1, 0) * (added(lagged) - added(data["lagged_without"]))
    return lifts.reshape(len(channel), -1).sum(axis=1)


def _link(block: str, values: Any, xp: Any) -> Any:
    if block != RETENTION:
        return xp.exp(values)
    # The same as expit, which NumPy does not have; tanh overflows nowhere.
    return 0.5 * (1 + xp.tanh(0.5 * values))
