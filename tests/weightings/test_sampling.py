"""The sampler: right draws, the same draws, one compilation for many datasets, and it can be stopped."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from django.conf import settings as project

from tests.weightings.targets import QUICK, Normal, Nowhere, TwoHills, data_of
from weightings.methods import sampling
from weightings.methods.convergence import diagnose
from weightings.methods.sampling import Draws, SamplingError, Settings, sample


@pytest.fixture(scope="module")
def drawn() -> Draws:
    return sample(Normal(), data_of(1), QUICK)


def test_means_and_covariances_of_a_normal_are_found(drawn: Draws) -> None:
    data = data_of(1)
    covariance = np.linalg.inv(data["precision"])
    error = np.sqrt(np.diag(covariance) / diagnose(drawn.positions).bulk_ess)
    assert drawn.converged
    assert np.all(np.abs(drawn.flat.mean(axis=0) - data["mean"]) < 4 * error)
    np.testing.assert_allclose(np.cov(drawn.flat.T), covariance, atol=6 * np.abs(covariance).max() / np.sqrt(400))


def test_the_log_density_of_a_draw_is_that_of_its_position(drawn: Draws) -> None:
    data = data_of(1)
    expected = [float(Normal().log_density(position, data)) for position in drawn.flat[:20]]
    np.testing.assert_allclose(drawn.log_density.ravel()[:20], expected, rtol=1e-9)


def test_a_second_dataset_compiles_nothing() -> None:
    sample(Normal(), data_of(1), QUICK)
    compiled: list[str] = []

    def listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if "compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        other = sample(Normal(), data_of(2), QUICK)
        assert compiled == []
        jax.jit(lambda x: x * 3.25)(1.0)
        assert compiled  # the listener hears compilations when there are any
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert np.all(np.abs(other.flat.mean(axis=0) - data_of(2)["mean"]) < 0.5)


def test_the_same_seed_gives_the_same_draws_whatever_the_threads_and_chunks(
    drawn: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SECONDS_PER_CHUNK", 1e-4)
    again = sample(Normal(), data_of(1), replace(QUICK, threads=4))
    np.testing.assert_array_equal(again.positions, drawn.positions)
    other = sample(Normal(), data_of(1), replace(QUICK, seed=4))
    assert not np.array_equal(other.positions, drawn.positions)


def test_chains_differ_from_each_other(drawn: Draws) -> None:
    assert len({chain.tobytes() for chain in drawn.positions}) == QUICK.chains


def test_the_draws_are_those_of_numpyros_own_sampler_in_distribution(drawn: Draws) -> None:
    from numpyro.infer import MCMC, NUTS

    data = data_of(1)
    own = MCMC(
        NUTS(potential_fn=lambda position: -Normal().log_density(position, data)),
        num_warmup=300,
        num_samples=600,
        num_chains=2,
        chain_method="sequential",
        progress_bar=False,
    )
    own.run(jax.random.key(0), init_params=jnp.zeros((2, 3)))
    theirs = np.asarray(own.get_samples())
    for level in (0.05, 0.5, 0.95):
        spread = drawn.flat.std(axis=0)
        np.testing.assert_array_less(
            np.abs(np.quantile(theirs, level, axis=0) - np.quantile(drawn.flat, level, axis=0)), 0.25 * spread
        )


def test_what_has_not_converged_says_so_after_all_the_draws_allowed() -> None:
    starts = [0.0, 40.0] * 20
    draws = sample(TwoHills(starts=starts), {"low": np.array(0.0)}, QUICK)
    assert not draws.converged
    assert draws.positions.shape[1] == QUICK.most_draws
    assert np.all(draws.convergence.r_hat > 1.5)
    assert draws.stuck == ()  # both hills are as high: neither may be left out


def test_a_chain_on_a_hill_of_no_probability_is_begun_anew() -> None:
    draws = sample(TwoHills(starts=[0.0, 40.0]), {"low": np.array(40.0)}, replace(QUICK, threads=1))
    assert draws.restarts == (0, 1, 0, 0)
    assert draws.converged
    assert np.all(np.abs(draws.flat) < 10)


def test_a_chain_that_stays_stuck_is_named_and_nothing_is_called_converged() -> None:
    target = TwoHills(starts=[0.0, 40.0, 0.0, 0.0, 40.0, 40.0, 40.0])
    draws = sample(target, {"low": np.array(40.0)}, replace(QUICK, threads=1))
    assert draws.stuck == (1,)
    assert draws.restarts[1] == sampling.MOST_RESTARTS
    assert not draws.converged


def test_a_density_without_finite_values_is_an_error_with_a_sentence() -> None:
    with pytest.raises(SamplingError, match="No starting values"):
        sample(Nowhere(), data_of(1), QUICK)


def test_progress_rises_in_each_phase() -> None:
    heard: list[tuple[str, float]] = []
    sample(Normal(), data_of(1), QUICK, lambda phase, share: heard.append((phase, share)))
    assert heard[0] == (sampling.COMPILING, 0.0)
    for phase in (sampling.WARMING_UP, sampling.DRAWING):
        shares = [share for name, share in heard if name == phase]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


class Enough(Exception):
    pass


def test_what_progress_raises_ends_the_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SECONDS_PER_CHUNK", 1e-4)
    monkeypatch.setattr(sampling, "SECONDS_BETWEEN_LOOKS", 1e-3)

    def stop(phase: str, share: float) -> None:
        if phase == sampling.DRAWING:
            raise Enough

    endless = replace(QUICK, draws=1_000_000, most_draws=1_000_000)
    with pytest.raises(Enough):
        sample(Normal(), data_of(1), endless, stop)


@pytest.mark.parametrize("wrong", [{"chains": 1}, {"draws": 50}, {"warmup": 50}, {"draws": 500, "most_draws": 400}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least"):
        replace(Settings(seed=0), **wrong)


SAMPLE_FOR_EVER = """
from weightings.methods.jax_runtime import configure
configure()
from tests.weightings.targets import Normal, QUICK, data_of
from dataclasses import replace
from typing import Any
from weightings.methods.sampling import sample
print("compiling", flush=True)
said = []
def tell(phase, share):
    if phase not in said:
        said.append(phase)
        print(phase, flush=True)
sample(Normal(), data_of(1), replace(QUICK, draws=100_000_000, most_draws=100_000_000), tell)
"""


@pytest.mark.parametrize("moment", ["compiling", sampling.DRAWING])
def test_a_termination_signal_ends_a_sampling_process_within_ten_seconds(moment: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SAMPLE_FOR_EVER],
        cwd=project.BASE_DIR,
        stdout=subprocess.PIPE,
        env={"DJANGO_SETTINGS_MODULE": "mmm_project.settings", "DATA_DIR": str(project.DATA_DIR)},
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.decode().strip() == moment:
                break
        asked = time.monotonic()
        process.terminate()
        assert process.wait(timeout=10) == -signal.SIGTERM
        assert time.monotonic() - asked < 10
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
