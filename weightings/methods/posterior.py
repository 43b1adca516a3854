"""The posterior of a fitted model: parameters, and the baseline drawn exactly from its conditional distribution."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg

from weightings.methods.adstock import adstock, lagged
from weightings.methods.baseline import TREND_SCALES
from weightings.methods.media_mix import SIGMA, MediaMixModel
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.preparing import NEGLIGIBLE, Prepared, only_before, with_tail

FloatArray: TypeAlias = npt.NDArray[np.float64]

BLOCK_BYTES = 2**22  # of one temporary array; much larger ones are given back and asked for again each time


class Fitted(Protocol):
    """What is needed of a fitted model, of whatever family, to say what media did: S draws, P media, T periods.

    `media`: P names, the paid ones first. `amounts`: (P, lead + T), what acts, `lead` periods of it before the outcome;
    (G, P, lead + T) of a model of G geos, whose results are of all of them together.
    `tail`: periods after which next to nothing of a medium's effect is left. `scale`: of the outcome.
    `sigma`: (S,) and `baseline`: (S, T), on the model's scale.
    """

    @property
    def media(self) -> tuple[str, ...]: ...
    @property
    def amounts(self) -> FloatArray: ...
    @property
    def lead(self) -> int: ...
    @property
    def tail(self) -> int: ...
    @property
    def scale(self) -> OutcomeScale: ...
    @property
    def sigma(self) -> FloatArray: ...
    @property
    def baseline(self) -> FloatArray: ...
    def added(self, draws: slice, amounts: FloatArray) -> FloatArray:
        """What such amounts (..., P, lead + N) would add in each period, on the model's scale: (draws, P, N)."""

    def take(self, draws: npt.NDArray[np.int64]) -> Self:
        """These draws only."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Posterior:
    """S draws of a media mix model, all on the model's scale: `scale` leads back to the outcome's.

    `amounts`: (P, L - 1 + T) in multiples of each medium's usual amount. `columns`: (T, B) of the baseline.
    `parameters`: by block (S, P), and sigma (S,). `beta`: (S, P), what a medium adds where it is wholly saturated.
    `coefficients`: (S, B) of the baseline's columns. `trend_scale`: (S,) which of TREND_SCALES the draw has.
    """

    model: MediaMixModel
    scale: OutcomeScale
    amounts: FloatArray
    columns: FloatArray
    parameters: Mapping[str, FloatArray]
    beta: FloatArray
    coefficients: FloatArray
    trend_scale: npt.NDArray[np.int64]

    @property
    def media(self) -> tuple[str, ...]:
        return self.model.media

    @property
    def lead(self) -> int:
        return self.model.lags - 1

    @property
    def tail(self) -> int:
        return self.model.lags - 1

    @property
    def sigma(self) -> FloatArray:
        return self.parameters[SIGMA]

    @cached_property
    def baseline(self) -> FloatArray:
        """Drawn exactly: (S, T)."""
        return np.asarray(self.coefficients @ self.columns.T)

    def added(self, draws: slice, amounts: FloatArray) -> FloatArray:
        """What such amounts (P, lead + N) would add in each of the N periods: (draws, P, N)."""
        parameters = {name: values[draws] for name, values in self.parameters.items()}
        return saturated_media(self.model, amounts, parameters) * self.beta[draws][:, :, None]

    def take(self, draws: npt.NDArray[np.int64]) -> Self:
        """These draws only."""
        return replace(
            self,
            parameters={name: values[draws] for name, values in self.parameters.items()},
            beta=self.beta[draws],
            coefficients=self.coefficients[draws],
            trend_scale=self.trend_scale[draws],
        )


def blocks_of(draws: int, width: int) -> Iterator[slice]:
    """Slices of so many draws that `width` numbers for each take a bounded amount of memory."""
    at_once = max(1, BLOCK_BYTES // (8 * max(width, 1)))
    for start in range(0, draws, at_once):
        yield slice(start, min(start + at_once, draws))


def saturated_media(model: MediaMixModel, amounts: FloatArray, parameters: Mapping[str, FloatArray]) -> FloatArray:
    """S(A(x)) of amounts (P, L - 1 + N), for parameters of many draws (S, P): (S, P, N)."""
    past = lagged(amounts.T, model.lags)[:, :, model.lags - 1 :]
    return np.asarray(model.saturate(adstock(past, model.carry_over(parameters)), parameters))


def media_and_beta(prepared: Prepared, parameters: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """For parameters of many draws (S, P): S(A(x)) in the outcome's periods (S, P, T), and beta (S, P)."""
    model, behind = prepared.model, prepared.model.lags - 1
    saturated = saturated_media(model, with_tail(prepared.amounts, behind), parameters)
    before = saturated_media(model, only_before(prepared.amounts, behind), parameters)
    beta = np.asarray(model.beta(parameters, prepared.units, saturated, before))
    return saturated[:, :, : saturated.shape[2] - behind], beta


def posterior_of(prepared: Prepared, positions: FloatArray, rng: np.random.Generator) -> Posterior:
    """The posterior behind positions (S, D) that NUTS has drawn: the baseline is drawn anew for each."""
    parameters = prepared.model.parameters(positions, prepared.data["priors"])
    scaled = prepared.scale.scaled(prepared.panel.outcome)
    known = np.isfinite(scaled)
    bases = [_Basis.of(prepared.baseline.columns, prepared.baseline.scales_at(s), known) for s in TREND_SCALES]
    draws, media = positions.shape[0], len(prepared.model.media)
    beta = np.empty((draws, media))
    coefficients = np.empty((draws, prepared.baseline.columns.shape[1]))
    trend_scale = np.empty(draws, np.int64)
    # Drawn for all at once, so that the blocks' size changes nothing.
    uniform, normal = rng.random((draws,)), rng.standard_normal(coefficients.shape)
    for block in blocks_of(draws, media * prepared.amounts.shape[1]):
        of_block = {name: values[block] for name, values in parameters.items()}
        saturated, beta[block] = media_and_beta(prepared, of_block)
        residual = np.where(known, np.nan_to_num(scaled) - np.einsum("sp,spt->st", beta[block], saturated), 0.0)
        trend_scale[block], coefficients[block] = _baseline_draws(
            residual, of_block[SIGMA], bases, uniform[block], normal[block]
        )
    return Posterior(
        model=prepared.model,
        scale=prepared.scale,
        amounts=prepared.amounts,
        columns=prepared.baseline.columns,
        parameters=parameters,
        beta=beta,
        coefficients=coefficients,
        trend_scale=trend_scale,
    )


@dataclass(frozen=True, eq=False)
class _Basis:
    """Z diag(s) by its singular vectors. `left`: (B, T), zero beyond the rank; `values`: (B,) squared singular values;
    `right`: (B, B), diag(s) V: what coefficients a unit along each direction is."""

    left: FloatArray
    values: FloatArray
    right: FloatArray

    @classmethod
    def of(cls, columns: FloatArray, scales: FloatArray, known: npt.NDArray[np.bool_]) -> "_Basis":
        width = columns.shape[1]
        left, singular, right = linalg.svd(columns * known[:, None] * scales, full_matrices=True)
        rank = len(singular)
        singular = np.where(singular > NEGLIGIBLE * singular.max(initial=0.0), singular, 0.0)
        vectors, values = np.zeros((width, len(columns))), np.zeros(width)
        vectors[:rank], values[:rank] = left.T[:rank], singular**2
        return cls(vectors, values, scales[:, None] * right.T)


def _baseline_draws(
    residual: FloatArray, sigma: FloatArray, bases: list[_Basis], uniform: FloatArray, normal: FloatArray
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """One draw of the trend's scale and of the coefficients for each residual (S, T), given sigma (S,).

    The scale by its probability given the residual; along each singular direction the coefficient is then normal with
    mean sqrt(d) u'r / (sigma^2 + d) and variance sigma^2 / (sigma^2 + d).
    """
    variance = (sigma**2)[:, None]
    projected = [residual @ basis.left.T for basis in bases]
    log_weights = np.stack(
        [
            0.5 * np.sum(p**2 * b.values / (variance * (variance + b.values)) - np.log1p(b.values / variance), axis=1)
            for p, b in zip(projected, bases, strict=True)
        ]
    )
    weights = np.exp(log_weights - log_weights.max(axis=0))
    reached = np.cumsum(weights / weights.sum(axis=0), axis=0)
    chosen = np.minimum((reached < uniform).sum(axis=0), len(bases) - 1)
    coefficients = np.empty_like(normal)
    for place, basis in enumerate(bases):
        mine = chosen == place
        shrunk = variance[mine] + basis.values
        along = np.sqrt(basis.values) * projected[place][mine] / shrunk
        along += normal[mine] * np.sqrt(variance[mine] / shrunk)
        coefficients[mine] = along @ basis.right.T
    return chosen.astype(np.int64), coefficients
