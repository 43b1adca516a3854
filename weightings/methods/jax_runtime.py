"""How JAX is set up in the processes that fit models. Call `configure` before anything imports JAX."""

import os
import sys

# One thread per computation: chains run side by side, one a core, and kernels this small gain nothing from more.
_FLAGS = "--xla_cpu_multi_thread_eigen=false"


def configure() -> None:
    """Set JAX to 64 bits on the processor, and keep what it compiles where JAX_COMPILATION_CACHE_DIR says, if it does.

    Compilations are kept however short they were: a fit that finds its own needs none at all.
    """
    if "jax" not in sys.modules:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_FLAGS}".strip()
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
