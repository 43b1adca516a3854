"""JAX as the fits have it: in 64 bits, and compiling each program once for all processes of tests."""

import os

import pytest

from weightings.methods import jax_runtime


@pytest.fixture(scope="session", autouse=True)
def _jax_as_the_fits_have_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before the first array: NumPy and JAX are then the same to rounding."""
    jax_runtime.configure()
    import jax

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    jax.config.update("jax_compilation_cache_dir", str(shared / "jax-cache"))
