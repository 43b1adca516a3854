"""Google Meridian on JAX, its default backend: a national model of revenue, as its documentation has it.

Draws: `sample_posterior(n_adapt=1000, n_burnin=500, n_keep=1000)` of "Run the model" in its user guide and of the
docstring of `meridian.mlflow.autolog`; the number of chains must be chosen, so 4. Prior: the default ROI prior,
LogNormal(0.2, 0.9), which is this project's, too. Knots: "Set knots" says that a national model starts with one and
takes more for trend and season until they no longer help, and offers Automatic Knot Selection (`enable_aks`) to find
how many: used here, and its time counts, as one knot has no season at all. Where chains have not converged, "Model
debugging" says to raise `n_adapt`, `n_burnin` and `n_keep`.
"""

import time
from typing import Any

import numpy as np
from meridian.analysis import analyzer
from meridian.data import nd_array_input_data_builder
from meridian.model import model, prior_distribution, spec

CHAINS, ADAPT, BURN_IN, KEEP = 4, 1000, 500, 1000
PACKAGES = ("google-meridian", "tfp-nightly", "jax", "jaxlib", "numpy")
FOLLOWING = {"beta_m", "beta_gm", "mu_t", "tau_g"}  # parameters that follow from others and are not sampled


def fit(world: dict[str, Any], scale: int) -> dict[str, Any]:
    dates, channels = world["dates"].tolist(), world["channels"].tolist()
    builder = nd_array_input_data_builder.NDArrayInputDataBuilder(kpi_type="revenue")
    builder.time_coords = dates
    builder.media_time_coords = dates
    builder.with_kpi(world["revenue"][None])
    builder.with_media(m_nd=world["spend"][None], ms_nd=world["spend"][None], media_channels=channels)
    settings = spec.ModelSpec(prior=prior_distribution.PriorDistribution(), enable_aks=True)
    meridian = model.Meridian(input_data=builder.build(), model_spec=settings)
    began = time.perf_counter()
    meridian.sample_posterior(
        n_chains=CHAINS, n_adapt=scale * ADAPT, n_burnin=scale * BURN_IN, n_keep=scale * KEEP, seed=1
    )
    return {"meridian": meridian, "sampled": (began, time.perf_counter()), "scale": scale}


def report(fitted: dict[str, Any]) -> dict[str, Any]:
    meridian, scale = fitted["meridian"], fitted["scale"]
    found = meridian.inference_data
    draws = {name: values.to_numpy() for name, values in found.posterior.items() if name not in FOLLOWING}
    # It samples in one go: what is not compiling, times the share of draws that are kept.
    sampling = fitted["seconds_without_compiling"] * KEEP / (ADAPT + BURN_IN + KEEP)
    return {
        # A national model has fixed parameters, such as how much geos differ, and does not show the deviations that
        # have no effect then.
        "draws": {name: values for name, values in draws.items() if np.ptp(values) > 0},
        # Outcome of the window that would be missing without the channel's media in it, over the window's spend.
        "roi": np.asarray(analyzer.Analyzer(meridian).roi()),
        "sampling_seconds": sampling,
        "divergences": int(found.sample_stats["diverging"].sum()),
        "settings": {
            "chains": CHAINS,
            "warmup": scale * (ADAPT + BURN_IN),
            "draws": scale * KEEP,
            "knots": int(meridian.model_context.knot_info.n_knots),
        },
    }
