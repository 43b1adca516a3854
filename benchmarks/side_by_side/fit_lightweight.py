"""LightweightMMM, as its demo has it: `examples/simple_end_to_end_demo.ipynb` of google/lightweight_mmm.

Hill-adstock, the default model. Media, target and costs are divided by their means, costs are then multiplied by 0.15
"to reflect typical ranges"; they are the media's prior, and no ROI prior can be stated. Seasonality of 2 degrees,
1,000 draws after 1,000 of warm-up in 2 chains and a target acceptance of 0.85: all defaults of `LightweightMMM.fit`.
Chains run in parallel by `numpyro.set_host_device_count`, as the demo says. Neither demo nor FAQ says what to do about
chains that have not converged: with more draws, the warm-up is made longer as well.
"""

import sys
import time
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro

# One of its modules imports TensorFlow to save models to files, which nobody does here.
_tensorflow, _io = ModuleType("tensorflow"), ModuleType("tensorflow.io")
vars(_io)["gfile"] = None
vars(_tensorflow)["io"] = _io
sys.modules |= {"tensorflow": _tensorflow, "tensorflow.io": _io}

from lightweight_mmm import lightweight_mmm, preprocessing  # noqa: E402 - after its stand-in

CHAINS, WARMUP, DRAWS = 2, 1000, 1000
PACKAGES = ("lightweight-mmm", "numpyro", "jax", "jaxlib", "numpy")

numpyro.set_host_device_count(CHAINS)


def fit(world: dict[str, Any], scale: int) -> dict[str, Any]:
    media_scaler = preprocessing.CustomScaler(divide_operation=jnp.mean)
    target_scaler = preprocessing.CustomScaler(divide_operation=jnp.mean)
    cost_scaler = preprocessing.CustomScaler(divide_operation=jnp.mean, multiply_by=0.15)
    costs = jnp.asarray(world["spend"].sum(axis=0))
    model = lightweight_mmm.LightweightMMM(model_name="hill_adstock")
    began = time.perf_counter()
    model.fit(
        media=media_scaler.fit_transform(jnp.asarray(world["spend"])),
        media_prior=cost_scaler.fit_transform(costs),
        target=target_scaler.fit_transform(jnp.asarray(world["revenue"])),
        number_warmup=scale * WARMUP,
        number_samples=scale * DRAWS,
        number_chains=CHAINS,
        seed=1,
    )
    jax.block_until_ready(model.trace)
    sampled = began, time.perf_counter()
    return {"model": model, "scaler": target_scaler, "costs": costs, "sampled": sampled, "scale": scale}


def report(fitted: dict[str, Any]) -> dict[str, Any]:
    model, scale = fitted["model"], fitted["scale"]
    by_chain = model._mcmc.get_samples(group_by_chain=True)  # noqa: SLF001 - it shows its draws nowhere else
    diverging = model._mcmc.get_extra_fields()["diverging"]  # noqa: SLF001
    sites = model._mcmc.last_state.z  # noqa: SLF001 - what was sampled, and nothing that follows from it
    _share, roi = model.get_posterior_metrics(unscaled_costs=fitted["costs"], target_scaler=fitted["scaler"])
    # It samples in one go: what is not compiling, times the share of draws that are not warm-up.
    sampling = fitted["seconds_without_compiling"] * DRAWS / (WARMUP + DRAWS)
    return {
        "draws": {name: np.asarray(by_chain[name]) for name in sites},
        "roi": np.asarray(roi).reshape(CHAINS, scale * DRAWS, -1),
        "sampling_seconds": sampling,
        "divergences": int(np.sum(diverging)),
        "settings": {"chains": CHAINS, "warmup": scale * WARMUP, "draws": scale * DRAWS, "target_accept": 0.85},
    }
