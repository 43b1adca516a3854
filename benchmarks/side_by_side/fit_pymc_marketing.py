"""PyMC-Marketing, sampled by nutpie, as its example has it: `notebooks/mmm/mmm_example` of its documentation.

Geometric adstock of up to 8 weeks, logistic saturation, two Fourier modes of the year, a trend as the control `t`, and
the example's priors: those of the channels' coefficients follow their share of spend. A ROI prior cannot be stated
directly. The class is that of `pymc_marketing.mmm.multidimensional`, which the older one refers to. 4 chains of 1,000
draws after 1,000 of tuning are the defaults of `pymc.sample`; the target acceptance is 0.9 and not the default of 0.8,
as is usual with this package. `MMM.fit` also computes what follows from the parameters, which counts. With more draws,
tuning is made longer as well.
"""

from typing import Any

import numpy as np
import pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing.mmm import GeometricAdstock, LogisticSaturation
from pymc_marketing.mmm.multidimensional import MMM

CHAINS, TUNE, DRAWS, TARGET_ACCEPT = 4, 1000, 1000, 0.9
PACKAGES = ("pymc-marketing", "nutpie", "pymc", "pytensor", "numba", "numpy")


def fit(world: dict[str, Any], scale: int) -> dict[str, Any]:
    channels = world["channels"].tolist()
    table = pd.DataFrame(world["spend"], columns=channels)
    table.insert(0, "date", pd.to_datetime(world["dates"]))
    table["t"] = range(len(table))
    share = world["spend"].sum(axis=0) / world["spend"].sum()
    mmm = MMM(
        model_config={
            "intercept": Prior("Normal", mu=0.5, sigma=0.2),
            "saturation_beta": Prior("HalfNormal", sigma=len(channels) * share, dims="channel"),
            "gamma_control": Prior("Normal", mu=0, sigma=0.05, dims="control"),
            "gamma_fourier": Prior("Laplace", mu=0, b=0.2, dims="fourier_mode"),
            "likelihood": Prior("Normal", sigma=Prior("HalfNormal", sigma=6), dims="date"),
        },
        date_column="date",
        channel_columns=channels,
        control_columns=["t"],
        adstock=GeometricAdstock(l_max=8),
        saturation=LogisticSaturation(),
        yearly_seasonality=2,
    )
    mmm.fit(
        table,
        pd.Series(world["revenue"], name="y"),
        progressbar=False,
        random_seed=1,
        chains=CHAINS,
        tune=scale * TUNE,
        draws=scale * DRAWS,
        target_accept=TARGET_ACCEPT,
        nuts_sampler="nutpie",
    )
    return {"mmm": mmm, "scale": scale}


def report(fitted: dict[str, Any]) -> dict[str, Any]:
    mmm, scale = fitted["mmm"], fitted["scale"]
    found = mmm.idata
    # Outcome of all weeks that would be missing without the channel's media, over its spend: documented as ROAS.
    roi = mmm.incrementality.contribution_over_spend(frequency="all_time")
    # nutpie says how long it sampled, warm-up included; almost all of that goes into gradients, which it counts.
    tuned = float(found.warmup_sample_stats["n_steps"].sum())
    drawn = float(found.sample_stats["n_steps"].sum())
    return {
        "draws": {variable.name: found.posterior[variable.name].to_numpy() for variable in mmm.model.free_RVs},
        "roi": np.asarray(roi.transpose("chain", "draw", ..., "channel")).reshape(CHAINS, scale * DRAWS, -1),
        "sampling_seconds": found.posterior.attrs["sampling_time"] * drawn / (tuned + drawn),
        "divergences": int(found.sample_stats["diverging"].sum()),
        "settings": {
            "chains": CHAINS,
            "warmup": scale * TUNE,
            "draws": scale * DRAWS,
            "target_accept": TARGET_ACCEPT,
        },
    }
