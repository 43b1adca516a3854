"""The posterior of a geo model: national, as that of any model, and the posterior of each geo within it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from weightings.methods.baseline import TREND_SCALES
from weightings.methods.geo.model import DEVIATION, SHARED
from weightings.methods.geo.preparing import GeoPrepared
from weightings.methods.media_mix import SIGMA
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import Posterior, blocks_of, saturated_media
from weightings.methods.preparing import only_before, with_tail

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class GeoPosterior(Posterior):
    """S draws of a model of G geos, read as a model of all of them together: what they add up to.

    `geos`: G names. `sizes`: (G,). `amounts`: (G, P, L - 1 + T) per size. `beta`: (S, P, G) per size. `columns`:
    (T, B + G K), the common columns added up by size, then each geo's own, times its size. `parameters`: by block
    (S, P), those of the shapes in common, and sigma (S,), of all geos' noise added up. `common`: (G, T, B). `own`:
    (G, T, K). `noise`: (S, G), the noise of each geo, per size, with what it shares with the others.
    """

    geos: tuple[str, ...]
    sizes: FloatArray
    common: FloatArray
    own: FloatArray
    noise: FloatArray

    def added(self, draws: slice, amounts: FloatArray) -> FloatArray:
        """What such amounts (G, P, lead + N) would add in all geos together: (draws, P, N)."""
        parameters = {name: values[draws] for name, values in self.parameters.items()}
        weights = self.beta[draws] * self.sizes
        total: FloatArray = np.zeros((len(weights), amounts.shape[1], amounts.shape[2] - self.lead))
        for geo, of_geo in enumerate(amounts):
            total += saturated_media(self.model, of_geo, parameters) * weights[:, :, geo, None]
        return total

    def take(self, draws: npt.NDArray[np.int64]) -> Self:
        """These draws only."""
        return replace(super().take(draws), noise=self.noise[draws])

    def of_geo(self, geo: int) -> Posterior:
        """The posterior of one geo: a model as if there was only this one, with the parameters of this fit."""
        shared = self.common.shape[2]
        width = self.own.shape[2]
        own = slice(shared + geo * width, shared + (geo + 1) * width)
        return Posterior(
            model=self.model,
            scale=OutcomeScale(self.scale.unit * float(self.sizes[geo]), None, self.scale.count),
            amounts=self.amounts[geo],
            columns=np.hstack([self.common[geo], self.own[geo]]),
            parameters={**self.parameters, SIGMA: self.noise[:, geo]},
            beta=self.beta[:, :, geo],
            coefficients=np.hstack([self.coefficients[:, :shared], self.coefficients[:, own]]),
            trend_scale=self.trend_scale,
        )


def geo_posterior_of(prepared: GeoPrepared, positions: FloatArray, rng: np.random.Generator) -> GeoPosterior:
    """The posterior behind positions (S, D) that NUTS has drawn: the baselines are drawn anew for each."""
    parameters = prepared.model.parameters(positions, prepared.data["priors"])
    draws, (geos, _periods, width) = len(positions), prepared.own.shape
    shared = prepared.common.shape[2]
    beta = np.empty((draws, len(prepared.model.media), geos))
    coefficients = np.empty((draws, shared + geos * width))
    trend_scale = np.empty(draws, np.int64)
    uniform: FloatArray = rng.random((draws,))
    normal: FloatArray = rng.standard_normal((draws, coefficients.shape[1]))
    scaled = prepared.scaled
    system = _System.of(prepared)
    for block in blocks_of(draws, 4 * prepared.amounts.size):
        saturated, beta[block] = geo_media_and_beta(prepared, _of_block(parameters, block))
        residual = scaled - np.einsum("spg,gspt->sgt", beta[block], saturated)
        for draw, missed in zip(range(block.start, block.stop), residual, strict=True):
            trend_scale[draw], coefficients[draw] = system.draw(
                np.where(system.known, missed, 0.0),
                parameters[SIGMA][draw],
                float(parameters[SHARED][draw]),
                float(uniform[draw]),
                normal[draw],
            )
    return assembled(prepared, parameters, beta, coefficients, trend_scale)


def assembled(
    prepared: GeoPrepared,
    parameters: Mapping[str, FloatArray],
    beta: FloatArray,
    coefficients: FloatArray,
    trend_scale: npt.NDArray[np.int64],
) -> GeoPosterior:
    """The posterior of these draws."""
    sizes, own = prepared.panel.sizes, prepared.own
    national = prepared.model.national
    sigma, shared = parameters[SIGMA], parameters[SHARED]
    of_all = np.sqrt(((sizes * sigma) ** 2).sum(axis=1) + (sizes.sum() * shared) ** 2)
    columns = [np.tensordot(sizes, prepared.common, 1)]
    columns += [of_geo * size for of_geo, size in zip(own, sizes, strict=True)]
    return GeoPosterior(
        model=national,
        scale=OutcomeScale(prepared.unit, None, len(prepared.panel)),
        amounts=prepared.amounts,
        columns=np.hstack(columns),
        parameters={**{block: parameters[block] for block in national.blocks}, SIGMA: of_all},
        beta=beta,
        coefficients=coefficients,
        trend_scale=trend_scale,
        geos=prepared.model.geos,
        sizes=sizes,
        common=prepared.common,
        own=own,
        noise=np.sqrt(sigma**2 + shared[:, None] ** 2),
    )


def geo_media_and_beta(prepared: GeoPrepared, parameters: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """For parameters of many draws: S(A(x)) in the outcome's periods (G, S, P, T), and beta (S, P, G)."""
    model, lead = prepared.model, prepared.model.lags - 1
    national = model.national
    saturated, added = [], []
    for amounts in prepared.amounts:
        with_behind = saturated_media(national, with_tail(amounts, lead), parameters)
        before = saturated_media(national, only_before(amounts, lead), parameters)
        saturated.append(with_behind[:, :, : with_behind.shape[2] - lead])
        added.append((with_behind.sum(axis=-1) - before.sum(axis=-1))[:, :, None, None])
    nothing = np.zeros((*parameters[DEVIATION].shape, 1))
    beta = model.beta(parameters, prepared.panel.sizes, prepared.data["unit"], np.concatenate(added, axis=2), nothing)
    return np.stack(saturated), np.asarray(beta)


@dataclass(frozen=True, eq=False)
class _System:
    """The normal equations of the baselines' coefficients given everything else, as in `geo.model`, in NumPy."""

    known: npt.NDArray[np.bool_]
    common: FloatArray
    own: FloatArray
    gram: FloatArray
    own_gram: FloatArray
    cross: FloatArray
    scales: FloatArray

    @classmethod
    def of(cls, prepared: GeoPrepared) -> "_System":
        known = np.isfinite(prepared.scaled)
        common, own = prepared.common * known[:, :, None], prepared.own * known[:, :, None]
        return cls(
            known=known,
            common=common,
            own=own,
            gram=np.einsum("gtb,gtc->gbc", common, common),
            own_gram=np.einsum("gtk,gtl->gkl", own, own),
            cross=np.einsum("gtk,gtb->gkb", own, common),
            scales=np.stack([prepared.baseline.scales_at(scale) for scale in TREND_SCALES]),
        )

    def draw(
        self, residual: FloatArray, sigma: FloatArray, shared: float, uniform: float, normal: FloatArray
    ) -> tuple[int, FloatArray]:
        """One draw of the trend's scale and the coefficients (B + G K,), given residual (G, T) and noise.

        The scale by its probability given the residual; then the common coefficients, then the geos' own given these.
        """
        geos, _periods, width = self.own.shape
        precision = 1 / sigma**2
        taken = shared**2 / (1 + shared**2 * (precision @ self.known))
        rows = (self.own * precision[:, None, None]).swapaxes(0, 1).reshape(len(taken), -1)
        columns = np.einsum("g,gtb->tb", precision, self.common)
        together = precision @ residual
        # Own coefficients: their precision, and how they go with the common columns and the residual.
        matrix = np.eye(geos * width) - rows.T @ (taken[:, None] * rows)
        for geo in range(geos):
            mine = slice(geo * width, (geo + 1) * width)
            matrix[mine, mine] += precision[geo] * self.own_gram[geo]
        beside = np.column_stack([columns, together])
        within = np.einsum("gtk,gt->gk", self.own, residual)[:, :, None]
        with_others = precision[:, None, None] * np.concatenate([self.cross, within], axis=2)
        with_others = with_others.reshape(geos * width, -1) - rows.T @ (taken[:, None] * beside)
        root = cholesky(matrix, lower=True)
        whitened = solve_triangular(root, with_others, lower=True)
        # Common coefficients, one system for each scale of the trend.
        block = np.tensordot(precision, self.gram, 1) - columns.T @ (taken[:, None] * columns)
        block -= whitened[:, :-1].T @ whitened[:, :-1]
        vector = np.einsum("gtb,gt->b", self.common, precision[:, None] * residual)
        vector -= columns.T @ (taken * together) + whitened[:, :-1].T @ whitened[:, -1]
        size = len(vector)
        roots = [cholesky(np.eye(size) + scale[:, None] * block * scale, lower=True) for scale in self.scales]
        along = [solve_triangular(each, s * vector, lower=True) for each, s in zip(roots, self.scales, strict=True)]
        likely = np.array([0.5 * a @ a - np.log(np.diag(r)).sum() for a, r in zip(along, roots, strict=True)])
        reached = np.cumsum(np.exp(likely - likely.max()))
        chosen = min(int((reached < uniform * reached[-1]).sum()), len(roots) - 1)
        drawn = solve_triangular(roots[chosen], along[chosen] + normal[:size], lower=True, trans=1)
        common = self.scales[chosen] * drawn
        rest = whitened[:, -1] - whitened[:, :-1] @ common
        own = solve_triangular(root, rest + normal[size:], lower=True, trans=1)
        return chosen, np.concatenate([common, own])


def _of_block(parameters: Mapping[str, FloatArray], block: slice) -> dict[str, FloatArray]:
    return {name: values[block] for name, values in parameters.items()}
