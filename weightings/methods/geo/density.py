"""The density of residuals of several geos, in JAX: all that is normal given the rest integrated out."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular


def collapsed_log_likelihood(residual: Any, sigma: Any, shared: Any, data: Mapping[str, Any]) -> Any:
    """The log density of residuals (G, T) whose baselines and noise have a part in common, averaged over the trend's
    scales.

    Residual g is `A_g D_s c + W_g b_g + shared u + sigma_g e_g`, all of c (B,), b_g (K,), u (T,) and e_g (T,) standard
    normal; u is the noise of a period that all geos share. In each period the noise has the precision
    `diag(p) - k p p'`, p_g = 1 / sigma_g^2. By that, the b are eliminated, with one matrix (G K, G K) for all of them,
    and then c, with its Schur complement, one matrix (B, B) for each scale of the trend.

    `data`, all zero where the outcome is not known: `known` (G, T); `common` (G, B, T), columns A_g times their prior
    scale, the trend's for a wander of 1; `common_scales` (R, B), D_s of R scales of the trend; `gram` (G, B, B) =
    A_g'A_g; `own` (G K, T), rows W_g'; `own_gram` (G K, G K) = W'W of all geos and `own_gram_within`, the same with
    zeros between geos; `cross` (G K, B) = W_g'A_g; `gappy` (I,) periods in which only some geos are known, and
    `own_gappy` (G K, I), the rows there; `known_count` (G,); `log_weights` (R,).
    """
    precision = 1 / sigma**2
    geos, width, periods = data["common"].shape
    of_row = jnp.repeat(precision, len(data["own"]) // geos)
    # How much of a period's shared noise all that is known of it takes out, and where nothing is missing.
    taken = shared**2 / (1 + shared**2 * (precision @ data["known"]))
    usually = shared**2 / (1 + shared**2 * jnp.sum(precision))
    together = precision @ residual
    columns = (precision @ data["common"].reshape(geos, -1)).reshape(width, periods)
    squares = jnp.sum(precision * jnp.sum(residual**2, axis=1)) - jnp.sum(taken * together**2)
    gappy = of_row[:, None] * data["own_gappy"]
    matrix = of_row[:, None] * data["own_gram_within"] - usually * jnp.outer(of_row, of_row) * data["own_gram"]
    matrix = matrix - (gappy * (taken[data["gappy"]] - usually)) @ gappy.T
    matrix = matrix + jnp.eye(len(of_row))
    with_columns = of_row[:, None] * (data["cross"] - data["own"] @ (taken * columns).T)
    within = jnp.sum(data["own"].reshape(geos, -1, periods) * residual[:, None], axis=2).reshape(-1)
    with_residual = of_row * (within - data["own"] @ (taken * together))
    log_volume, gone = eliminated(matrix, jnp.column_stack([with_columns, with_residual]))
    # What is left of the common columns.
    matrix = (precision @ data["gram"].reshape(geos, -1)).reshape(width, width) - (columns * taken) @ columns.T
    matrix = matrix - gone[:-1, :-1]
    vector = jnp.einsum("gbt,gt->b", data["common"], precision[:, None] * residual) - columns @ (taken * together)
    vector = vector - gone[:-1, -1]
    scales = data["common_scales"]
    of_scales = scales[:, :, None] * matrix * scales[:, None, :] + jnp.eye(width)
    log_volumes, explained = eliminated(of_scales, (scales * vector)[..., None])
    volume = jnp.sum(data["known_count"] * jnp.log(2 * jnp.pi / precision)) + log_volume + log_volumes
    volume += jnp.sum(jnp.log1p(shared**2 * (precision @ data["known"])))
    by_scale = data["log_weights"] - 0.5 * (squares - gone[-1, -1] - explained[:, 0, 0] + volume)
    highest = jnp.max(by_scale)
    return highest + jnp.log(jnp.sum(jnp.exp(by_scale - highest)))


@jax.custom_vjp
def eliminated(matrix: Any, columns: Any) -> tuple[Any, Any]:
    """log det M (...) and X' M^-1 X (..., k, k), of positive definite matrices (..., n, n) and columns (..., n, k).

    With its derivative given, which takes half as long as the one of a Cholesky decomposition.
    """
    return _eliminated(matrix, columns)[0]


def _eliminated(matrix: Any, columns: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    root = jnp.linalg.cholesky(matrix, symmetrize_input=False)
    whitened = solve_triangular(root, columns, lower=True)
    log_determinant = 2 * jnp.sum(jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1)), axis=-1)
    return (log_determinant, whitened.swapaxes(-1, -2) @ whitened), (root, whitened)


def _derivative(found: tuple[Any, Any], towards: tuple[Any, Any]) -> tuple[Any, Any]:
    """With G what X' M^-1 X is weighed by: d log det M = tr(M^-1 dM), d X' M^-1 X = 2 Y' dX - Y' dM Y, Y = M^-1 X."""
    root, whitened = found
    of_volume, of_products = towards
    of_products = of_products + of_products.swapaxes(-1, -2)
    solved = solve_triangular(root, whitened, lower=True, trans=1)
    of_columns = solved @ of_products
    unit = jnp.broadcast_to(jnp.eye(root.shape[-1]), root.shape)
    inverse = solve_triangular(root, solve_triangular(root, unit, lower=True), lower=True, trans=1)
    return of_volume[..., None, None] * inverse - 0.5 * of_columns @ solved.swapaxes(-1, -2), of_columns


eliminated.defvjp(_eliminated, _derivative)
