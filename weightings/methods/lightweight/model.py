"""LightweightMMM's three media mix models as densities that our sampler draws from.

The model is the package's own function, `lightweight_mmm.models.media_mix_model` (0.1.9), national form. With t the
period, c the channel, all data scaled by their means and x* the transformed media:

    y_t = intercept + coef_trend t^expo_trend + seasonality_t + sum_c coef_media_c x*_tc
          + features_t . coef_extra_features + weekday_(t mod 7) + Normal(0, sigma)

    adstock       x* = a^exponent,                  a_t = x_t + lag_weight a_(t-1), times 1 - lag_weight
    hill_adstock  x* = 1 / (1 + (a / half_max_effective_concentration)^-slope), the same a
    carryover     x* = (sum_l w_l x_(t-l))^exponent, w_l = ad_effect_retention_rate^((l - peak_effect_delay)^2),
                  l = 0..12, over their sum

Only the package's modules `models` and `media_transforms` are imported: the others load TensorFlow and plotting.
Source: LightweightMMM 0.1.9, which follows Jin, Wang, Sun, Chan, Koehler 2017 (Google).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from lightweight_mmm import media_transforms, models
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.util import potential_energy

Family: TypeAlias = Literal["hill_adstock", "adstock", "carryover"]
FloatArray: TypeAlias = npt.NDArray[np.float64]

_TRANSFORMS = {
    "hill_adstock": models.transform_hill_adstock,
    "adstock": models.transform_adstock,
    "carryover": models.transform_carryover,
}
START_RADIUS = 2.0  # of the positions that chains start from, as NumPyro's and Stan's own


# What makes 0.1.9 run: two of its functions call jnp.where by keywords that JAX removed.


def _apply_exponent_safe(data: jax.Array, exponent: jax.Array) -> jax.Array:
    """`data ** exponent`, elementwise, and 0 where `data` is 0, whatever the exponent, with finite gradients there."""
    is_zero = data == 0
    return jnp.where(is_zero, 0, jnp.where(is_zero, 1, data) ** exponent)


def _hill(data: jax.Array, half_max_effective_concentration: jax.Array, slope: jax.Array) -> jax.Array:
    """`1 / (1 + (data / half_max_effective_concentration) ** -slope)`, elementwise, and 0 where `data` is 0.

    In the logistic form, in which no power overflows: the package's own form has NaN for a gradient where one does, and
    returns 0 where `data` is so far beyond half saturation that the power underflows to 0; the Hill curve is 1 there.
    """
    is_zero = data == 0
    log_ratio = jnp.log(jnp.where(is_zero, 1, data)) - jnp.log(half_max_effective_concentration)
    return jnp.where(is_zero, 0, jax.nn.sigmoid(slope * log_ratio))


# The package's models look both up in their module when they are traced.
media_transforms.apply_exponent_safe = _apply_exponent_safe
media_transforms.hill = _hill


# The models


class _Site(NamedTuple):
    """A random quantity of the package's model: its shape, and the map from the real numbers to its support."""

    name: str
    shape: tuple[int, ...]
    bijection: Any


@dataclass(frozen=True)
class LightweightModel:
    """One of the package's models for data of T = `periods`, C = `channels` and F = `features` (extra features).

    `degrees_seasonality` pairs of sine and cosine with a period of `frequency` periods; `weekday`: seven effects for
    daily data. A *position* is (D,) float64: the model's sites one after another in the order of the model, each in C
    order, mapped from its support to the real numbers. Raises ValueError for an unknown family or impossible sizes.

    `trend_at_end`: the coordinate of coef_trend is the trend at the last period, coef_trend (T - 1)^expo_trend, which
    the data know whatever the exponent is. The posterior is the same; but along coef_trend itself it is a curved
    funnel, where NUTS diverges and chains stick, unless the trend is strong.
    """

    family: Family
    periods: int
    channels: int
    features: int = 0
    degrees_seasonality: int = 2
    frequency: int = 52
    weekday: bool = False
    trend_at_end: bool = False

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise ValueError(f"LightweightMMM has no model {self.family!r}.")
        if min(self.periods, self.channels, self.degrees_seasonality, self.frequency) < 1 or self.features < 0:
            raise ValueError("LightweightMMM needs a period, a channel and a degree of seasonality at least.")

    @property
    def size(self) -> int:
        """How many numbers a position has, D."""
        return sum(math.prod(site.shape) for site in _sites(self))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """A name for each coordinate: of the constrained parameter that it stands for, such as `coef_media[0]`."""
        renamed = {"coef_trend": "trend_at_end"} if self.trend_at_end else {}
        return tuple(
            renamed.get(site.name, site.name) + (f"[{','.join(map(str, place))}]" if place else "")
            for site in _sites(self)
            for place in np.ndindex(site.shape)
        )

    @property
    def entangled(self) -> int:
        """None in particular."""
        return 0

    def log_density(self, position: jax.Array, data: Mapping[str, jax.Array]) -> jax.Array:
        """The log posterior density at `position`, (D,), up to the evidence; () float64.

        With the log Jacobian of the map to the supports: minus NumPyro's potential energy of the package's model, and
        with `trend_at_end` the log Jacobian of that. `data` is what `data` returns. Pure, and traceable; NumPyro's
        handlers are global, so trace in one thread only.
        """
        blocks, log_jacobian = self._unpack(position)
        energy: jax.Array = potential_energy(models.media_mix_model, (), self._arguments(data), blocks)
        return log_jacobian - energy

    def constrain(self, positions: npt.ArrayLike) -> dict[str, FloatArray]:
        """The parameters at `positions`, (..., D), by site: each (..., *shape of the site), on its support."""
        blocks, _ = self._unpack(jnp.asarray(positions))
        return {site.name: np.asarray(site.bijection(blocks[site.name])) for site in _sites(self)}

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """A position to start a chain from, (D,): uniform on [-2, 2] in each coordinate, as is usual."""
        return rng.uniform(-START_RADIUS, START_RADIUS, self.size)

    def data(
        self,
        media: npt.ArrayLike,
        target: npt.ArrayLike,
        media_prior: npt.ArrayLike,
        extra_features: npt.ArrayLike | None = None,
    ) -> dict[str, FloatArray]:
        """What `log_density` is given, as float64: the scaled media (T, C) and target (T,), and the rest.

        `media_prior`: (C,), the scale of each channel's half-normal prior. `extra_features`: (T, F), needed if F > 0.
        Raises ValueError unless shapes fit, everything is finite, media are not negative and media priors positive.
        """
        shapes = {
            "media": (self.periods, self.channels),
            "target": (self.periods,),
            "media_prior": (self.channels,),
            "extra_features": (self.periods, self.features),
        }
        given = {"media": media, "target": target, "media_prior": media_prior, "extra_features": extra_features}
        if not self.features and (extra_features is None or np.size(extra_features) == 0):
            del given["extra_features"]
        data = {name: np.array(values, dtype=np.float64) for name, values in given.items()}
        for name, values in data.items():
            if values.shape != shapes[name]:
                raise ValueError(f"{name} must have shape {shapes[name]}, but it has {values.shape}.")
            if not np.all(np.isfinite(values)):
                raise ValueError(f"{name} must be finite.")
        if np.any(data["media"] < 0):
            raise ValueError("media must not be negative.")
        if np.any(data["media_prior"] <= 0):
            raise ValueError("media_prior must be positive.")
        return data

    def media_transformed(self, draws: Mapping[str, npt.ArrayLike], media: npt.ArrayLike) -> FloatArray:
        """The media after adstock or carry-over and saturation, (N, T, C), for each of N draws.

        `draws`: what `constrain` returns for (N, D). `media`: (T, C), scaled, of any number of periods; the first has
        no past. A channel's contribution to the scaled target is this times its `coef_media`.
        """
        names = models.TRANSFORM_PRIORS_NAMES[self.family]
        parameters = {name: jnp.asarray(draws[name], dtype=float) for name in names}
        return np.asarray(_transform_media(self.family, parameters, jnp.asarray(media, dtype=float)))

    def _arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the package's model function."""
        return {
            "media_data": data["media"],
            "target_data": data["target"],
            "media_prior": data["media_prior"],
            "extra_features": data.get("extra_features"),
            "degrees_seasonality": self.degrees_seasonality,
            "frequency": self.frequency,
            "transform_function": _TRANSFORMS[self.family],
            "weekday_seasonality": self.weekday,
            "custom_priors": {},
        }

    def _unpack(self, positions: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
        """The package's unconstrained sites at (..., D), each (..., *shape), and the log Jacobian of `trend_at_end`."""
        sites = _sites(self)
        ends = np.cumsum([math.prod(site.shape) for site in sites])
        parts = zip(sites, jnp.split(positions, ends[:-1], axis=-1), strict=True)
        blocks = {site.name: part.reshape(*part.shape[:-1], *site.shape) for site, part in parts}
        if not self.trend_at_end:
            return blocks, jnp.zeros(positions.shape[:-1])
        (exponent,) = (site.bijection(blocks[site.name]) for site in sites if site.name == "expo_trend")
        log_jacobian = -exponent * math.log(max(self.periods - 1, 1))
        blocks["coef_trend"] *= jnp.exp(log_jacobian)[..., None]
        return blocks, log_jacobian


@lru_cache(maxsize=64)
def _sites(model: LightweightModel) -> tuple[_Site, ...]:
    """The sites of the package's model in its order, seen by tracing it once, on shapes alone."""
    shapes = {
        "media": (model.periods, model.channels),
        "target": (model.periods,),
        "media_prior": (model.channels,),
    } | ({"extra_features": (model.periods, model.features)} if model.features else {})
    found: list[_Site] = []

    def look(data: dict[str, jax.Array]) -> None:
        seeded = handlers.seed(models.media_mix_model, 0)
        trace = handlers.trace(seeded).get_trace(**model._arguments(data))  # noqa: SLF001
        found.extend(
            _Site(site["name"], site["fn"].shape(), biject_to(site["fn"].support))
            for site in trace.values()
            if site["type"] == "sample" and not site["is_observed"]
        )

    jax.eval_shape(look, {name: jax.ShapeDtypeStruct(shape, jnp.float64) for name, shape in shapes.items()})
    return tuple(found)


@partial(jax.jit, static_argnums=0)
def _transform_media(family: Family, parameters: dict[str, jax.Array], media: jax.Array) -> jax.Array:
    """The family's transform of `media`, (T, C), under each of N draws of its `parameters`, (N, C) each: (N, T, C)."""

    def transform(draw: dict[str, jax.Array]) -> jax.Array:
        transformed: jax.Array = handlers.substitute(_TRANSFORMS[family], data=draw)(media, custom_priors={})
        return transformed

    return jax.vmap(transform)(parameters)


# The scaling that the package asks for


@dataclass(frozen=True, eq=False)
class LightweightScaling:
    """The means that the data were divided by: scaled = original / mean, original = scaled x mean.

    `media`: (C,), media units per period. `target`: outcome per period. `costs`: account currency per channel.
    `extra_features`: (F,), or None.
    """

    media: FloatArray
    target: float
    costs: float
    extra_features: FloatArray | None


@dataclass(frozen=True, eq=False)
class LightweightInputs:
    """Data scaled for the package's models: `media` (T, C), `target` (T,), `media_prior` (C,), `extra_features` (T, F).

    `scaling`: what takes them back.
    """

    media: FloatArray
    target: FloatArray
    media_prior: FloatArray
    extra_features: FloatArray | None
    scaling: LightweightScaling


def scale_for_lightweight(
    *,
    media: npt.ArrayLike,
    target: npt.ArrayLike,
    costs: npt.ArrayLike,
    extra_features: npt.ArrayLike | None = None,
) -> LightweightInputs:
    """Divide everything by its mean: `media` (T, C) and `extra_features` (T, F) by column, `target` (T,), `costs` (C,).

    `costs` are each channel's total over the periods; divided by their mean they are the media priors. Source: the
    package's documentation, `CustomScaler(divide_operation=jnp.mean)`. Raises ValueError where a mean is zero.
    """
    media, target, costs = (np.asarray(values, dtype=np.float64) for values in (media, target, costs))
    features = None if extra_features is None else np.asarray(extra_features, dtype=np.float64)
    features_mean = None if features is None else features.mean(axis=0)
    scaling = LightweightScaling(media.mean(axis=0), float(target.mean()), float(costs.mean()), features_mean)
    for name, mean in vars(scaling).items():
        if mean is not None and np.any(mean == 0):
            raise ValueError(f"{name} cannot be scaled by a mean of zero.")
    return LightweightInputs(
        media=media / scaling.media,
        target=target / scaling.target,
        media_prior=costs / scaling.costs,
        extra_features=None if features is None or features_mean is None else features / features_mean,
        scaling=scaling,
    )
