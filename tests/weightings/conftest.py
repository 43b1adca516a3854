"""JAX as the fits have it."""

import pytest

from weightings.methods import jax_runtime


@pytest.fixture(scope="session", autouse=True)
def _jax_computes_in_float64() -> None:
    """Before the first array: NumPy and JAX are then the same to rounding."""
    jax_runtime.configure()
