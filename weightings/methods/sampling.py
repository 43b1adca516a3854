"""Draws from a posterior by NUTS: chains side by side, in chunks, stopped by what the draws show.

NumPyro's `MCMC` compiles the data into the program, so that each dataset costs a compilation of its own. Here NumPyro's
NUTS *kernel* is compiled with the data as an argument: a second dataset of the same shapes compiles nothing. Between
chunks of draws there is progress and cancellation; how the draws are cut into chunks changes none of them.

Source: Hoffman, Gelman 2014, The No-U-Turn Sampler, JMLR 15.
"""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import lax
from numpyro.infer.hmc import hmc

from weightings.methods.convergence import Convergence, diagnose

FloatArray: TypeAlias = npt.NDArray[np.float64]
Data: TypeAlias = Any  # a tree (dict, tuple, dataclass known to JAX) of arrays
OnProgress: TypeAlias = Callable[[str, float], None]

CHAINS_STREAM = 0  # of random numbers, beside those that start with another number
CHUNK = 100  # draws at most
SECONDS_PER_CHUNK = 1.0
SECONDS_BETWEEN_LOOKS = 0.1
MOST_STARTS = 20  # positions tried until one has a finite density
MOST_RESTARTS = 3  # of one chain
JUDGED = 50  # warm-up draws, the last ones, by which a chain is found to be stuck
WARMING_UP, DRAWING, COMPILING = "Warming up", "Drawing", "Compiling"
_PARTS = {COMPILING: (0.0, 0.1), WARMING_UP: (0.1, 0.6), DRAWING: (0.6, 1.0)}  # of all the work, by usual times


class SamplingError(Exception):
    """The density cannot be sampled at all; the sentence says why."""


def share_of_all(phase: str, share: float) -> float:
    """How far the sampling is as a whole, 0 to 1, when this much of a phase is done."""
    low, high = _PARTS[phase]
    return low + (high - low) * share


class Target(Protocol):
    """A density over `size` real numbers. Targets that are equal have the same density for the same data."""

    @property
    def size(self) -> int:
        """How many numbers there are, D."""

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """A name for each of them."""

    @property
    def entangled(self) -> int:
        """How many of them, the first ones, depend on each other so much that a dense mass matrix is worth its cost,
        where there are too many for one of all."""

    def log_density(self, position: jax.Array, data: Data) -> jax.Array:
        """The log density at (D,), up to a constant: pure, and all that is known of the data is in `data`."""

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """A position to start from, (D,): spread wider than the posterior will be."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to sample. `warmup`: draws per chain that tune the kernel and are not kept.

    `draws` per chain are made before convergence is looked at for the first time, `most_draws` at most. Every parameter
    must come to an R-hat of `r_hat` at most and a bulk and a tail ESS of `ess` at least. `threads`: chains at a time.
    `dense_up_to`: parameters up to which the mass matrix is dense: that halves the steps, but each takes several
    products with it. Beyond, it is dense for those that the target says.
    """

    seed: int
    chains: int = 4
    warmup: int = 500
    draws: int = 500
    most_draws: int = 4000
    r_hat: float = 1.01
    ess: float = 400
    target_accept: float = 0.85
    max_tree_depth: int = 10
    dense_up_to: int = 40
    threads: int = 2

    def __post_init__(self) -> None:
        if self.chains < 2 or self.draws < CHUNK or self.most_draws < self.draws or self.warmup < 2 * JUDGED:
            raise ValueError("There must be 2 chains, 100 draws and 100 warm-up draws at least.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """Draws of C chains, N each, and what they say about themselves.

    `positions`: (C, N, D). `log_density`: (C, N). `diverging`: (C, N) bool. `steps`: (C, N) leapfrog steps.
    `restarts`: (C,), how often each chain was begun anew because it was stuck; `stuck`: the chains that still are.
    `convergence` of each parameter; `converged`: whether all have come as far as the settings ask.
    """

    positions: FloatArray
    log_density: FloatArray
    diverging: npt.NDArray[np.bool_]
    steps: npt.NDArray[np.int64]
    restarts: tuple[int, ...]
    stuck: tuple[int, ...]
    convergence: Convergence
    converged: bool
    compile_seconds: float
    sampling_seconds: float

    @property
    def flat(self) -> FloatArray:
        """All chains after one another, (C N, D)."""
        return self.positions.reshape(-1, self.positions.shape[-1])


def sample(
    target: Target, data: Data, settings: Settings, on_progress: OnProgress = lambda _phase, _share: None
) -> Draws:
    """Draw until every parameter has converged, or the draws allowed are used up.

    The same target, data and settings give the same draws, bit for bit, on the same machine, whatever the threads.
    `on_progress` is called several times a second from the calling thread; what it raises ends the sampling within a
    chunk and is raised here. Raises SamplingError where no start with a finite density is found.
    """
    began = time.perf_counter()
    on_progress(COMPILING, 0.0)
    program = compiled(target, data, settings)
    compile_seconds = time.perf_counter() - began
    began = time.perf_counter()
    data = jax.device_put(data)
    with _Team(settings, on_progress) as team:
        chains = [_Chain(target, program, data, settings, number) for number in range(settings.chains)]
        team.see_through(WARMING_UP, [chain.warm_up for chain in chains], settings.warmup)
        stuck = _restart_stuck(chains, team, settings)
        wanted = settings.draws
        while True:
            missing = wanted - len(chains[0].log_density)
            team.see_through(DRAWING, [partial(chain.draw, missing) for chain in chains], missing)
            found = diagnose(np.stack([chain.positions for chain in chains]))
            converged = _is_enough(found, settings)
            if converged or wanted >= settings.most_draws:
                break
            wanted = _next_count(wanted, found, settings)
    return Draws(
        positions=np.stack([chain.positions for chain in chains]),
        log_density=np.stack([chain.log_density for chain in chains]),
        diverging=np.stack([chain.diverging for chain in chains]),
        steps=np.stack([chain.steps for chain in chains]),
        restarts=tuple(chain.restarts for chain in chains),
        stuck=stuck,
        convergence=found,
        converged=converged and not stuck,
        compile_seconds=compile_seconds,
        sampling_seconds=time.perf_counter() - began,
    )


def _is_enough(found: Convergence, settings: Settings) -> bool:
    least = np.minimum(found.bulk_ess, found.tail_ess)
    return bool(np.all(found.r_hat <= settings.r_hat) and np.all(least >= settings.ess))


def _next_count(drawn: int, found: Convergence, settings: Settings) -> int:
    """The draws per chain after which to look again: what the slowest parameter needs at its present rate, in chunks.

    Known from the draws alone, so that it is the same on every machine.
    """
    least = float(np.nanmin(np.minimum(found.bulk_ess, found.tail_ess), initial=settings.ess))
    needed = drawn * min(max(1.1 * settings.ess / max(least, 1.0), 1.4), 4.0)
    return min(CHUNK * int(np.ceil(needed / CHUNK)), settings.most_draws)


# The program


class _Program(NamedTuple):
    """What is compiled for a target and the shapes of its data; `D` numbers, chunks of `CHUNK` draws at most."""

    start: Callable[..., Any]  # position (D,), seeds (3,) int64, data -> state
    advance: Callable[..., Any]  # state, data, number of draws -> state, _Chunk


class _Chunk(NamedTuple):
    """Draws of one call: the first `n` rows of each array are filled."""

    positions: jax.Array
    log_density: jax.Array
    diverging: jax.Array
    steps: jax.Array


def compiled(target: Target, data: Data, settings: Settings) -> _Program:
    """The program for this target, data of these shapes and these settings: compiled now unless it was before.

    To be called from one thread at a time: NumPyro's handlers, which a target may use, are global.
    """
    leaves, tree = jax.tree.flatten(data)
    shapes = tuple((np.shape(leaf), np.result_type(leaf).name) for leaf in leaves)
    dense = min(target.size if target.size <= settings.dense_up_to else target.entangled, target.size)
    kernel = (settings.warmup, settings.target_accept, settings.max_tree_depth, dense)
    return _compile(target, shapes, tree, kernel)


_DENSE, _REST = "0", "1"  # the parts of a position, in the order in which they are joined


def _joined(parts: dict[str, jax.Array]) -> jax.Array:
    return jnp.concatenate([parts[_DENSE], parts[_REST]])


@lru_cache(maxsize=16)
def _compile(target: Target, shapes: tuple[tuple[tuple[int, ...], str], ...], tree: Any, kernel: Hashable) -> _Program:
    assert isinstance(kernel, tuple)  # noqa: S101 - lru_cache wants it hashable, mypy wants it known
    warmup, target_accept, max_tree_depth, dense = kernel
    data = jax.tree.unflatten(tree, [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes])
    begin, step = hmc(
        potential_fn_gen=lambda data: lambda parts: -target.log_density(_joined(parts), data),
        algo="NUTS",
    )

    def start(position: jax.Array, seeds: jax.Array, data: Data) -> Any:
        key = jax.random.key(seeds[0])
        for seed in (seeds[1], seeds[2]):
            key = jax.random.fold_in(key, seed)
        return begin(
            {_DENSE: position[:dense], _REST: position[dense:]},
            warmup,
            dense_mass=[(_DENSE,)] if dense else False,
            target_accept_prob=target_accept,
            max_tree_depth=max_tree_depth,
            model_args=(data,),
            rng_key=key,
        )

    def advance(state: Any, data: Data, draws: jax.Array) -> tuple[Any, _Chunk]:
        empty = _Chunk(
            jnp.zeros((CHUNK, target.size)), jnp.zeros(CHUNK), jnp.zeros(CHUNK, bool), jnp.zeros(CHUNK, jnp.int64)
        )

        def one(i: jax.Array, carry: tuple[Any, _Chunk]) -> tuple[Any, _Chunk]:
            state, chunk = carry
            state = step(state, model_args=(data,))
            found = (_joined(state.z), -state.potential_energy, state.diverging, state.num_steps)
            return state, _Chunk(*(column.at[i].set(value) for column, value in zip(chunk, found, strict=True)))

        filled: tuple[Any, _Chunk] = lax.fori_loop(0, draws, one, (state, empty))
        return filled

    position = jax.ShapeDtypeStruct((target.size,), jnp.float64)
    seeds = jax.ShapeDtypeStruct((3,), jnp.int64)
    # In this order: `begin` tells `step` how long the warm-up is.
    lowered_start = jax.jit(start).lower(position, seeds, data)
    state = jax.eval_shape(start, position, seeds, data)
    lowered_advance = jax.jit(advance).lower(state, data, jax.ShapeDtypeStruct((), jnp.int64))
    # XLA compiles without Python's lock, so both at once.
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(lowered_start.compile)
        ready = lowered_advance.compile()
        return _Program(waiting.result(), ready)


# The chains


class _Chain:
    """One chain: its state between chunks, and the draws that are kept."""

    def __init__(self, target: Target, program: _Program, data: Data, settings: Settings, number: int) -> None:
        self.restarts = 0
        self._target = target
        self._program = program
        self._data = data
        self._settings = settings
        self._number = number
        self._state: Any = None
        self._kept: list[tuple[npt.NDArray[Any], ...]] = []
        self._seconds_per_draw = SECONDS_PER_CHUNK / 10

    def warm_up(self, told: "Callable[[int], None]") -> None:
        """Start, and tune the kernel; the warm-up's last draws are kept until `forget`."""
        self._state = self._begin()
        self.draw(self._settings.warmup, told)

    def judge(self) -> float:
        """The mean log density of the last draws: how high the region is that the chain has come to."""
        return float(np.mean(self.log_density[-JUDGED:]))

    def forget(self) -> None:
        """Drop the draws so far."""
        self._kept = []

    def draw(self, count: int, told: "Callable[[int], None]") -> None:
        """Make `count` draws and keep them. `told` hears how many after each chunk, and may raise to stop."""
        while count:
            at_once = min(count, CHUNK, max(1, int(SECONDS_PER_CHUNK / self._seconds_per_draw)))
            began = time.perf_counter()
            self._state, chunk = self._program.advance(self._state, self._data, np.int64(at_once))
            self._kept.append(tuple(np.asarray(column)[:at_once] for column in chunk))
            self._seconds_per_draw = max((time.perf_counter() - began) / at_once, 1e-6)
            count -= at_once
            told(at_once)

    def _begin(self) -> Any:
        rng = np.random.default_rng([self._settings.seed, CHAINS_STREAM, self._number, self.restarts])
        seeds = np.array([self._settings.seed, self._number, self.restarts], np.int64)
        for _ in range(MOST_STARTS):
            state = self._program.start(self._target.initial(rng), seeds, self._data)
            if np.isfinite(state.potential_energy) and np.all(np.isfinite(_joined(state.z_grad))):
                return state
        raise SamplingError("No starting values were found for which the model and these data fit together.")

    @property
    def positions(self) -> FloatArray:
        return self._column(0)

    @property
    def log_density(self) -> FloatArray:
        return self._column(1)

    @property
    def diverging(self) -> npt.NDArray[np.bool_]:
        return self._column(2)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        return self._column(3)

    def _column(self, place: int) -> npt.NDArray[Any]:
        empty = ((0, self._target.size), (0,), (0,), (0,))[place]
        return np.concatenate([chunk[place] for chunk in self._kept]) if self._kept else np.zeros(empty)


def _restart_stuck(chains: Sequence[_Chain], team: "_Team", settings: Settings) -> tuple[int, ...]:
    """Begin chains anew that warmed up in a region of next to no probability; return those that stay there.

    The log density of a D-dimensional normal varies by sqrt(D / 2); a chain that lies further below the best than any
    draw of it would holds less than a millionth of the probability, unless its region is far wider. What is still
    stuck after some restarts is left as it is: R-hat then speaks of it.
    """
    size = len(chains[0].positions[0])
    gap = 10.0 + 4.0 * np.sqrt(size / 2)
    for last in (False,) * MOST_RESTARTS + (True,):
        heights = np.array([chain.judge() for chain in chains])
        stuck = [i for i, height in enumerate(heights) if not height >= np.nanmax(heights) - gap]
        if last or not stuck:
            break
        for i in stuck:
            chains[i].restarts += 1
            chains[i].forget()
        team.see_through(WARMING_UP, [chains[i].warm_up for i in stuck], settings.warmup)
    for chain in chains:
        chain.forget()
    return tuple(stuck)


class _Stopped(Exception):
    """Somebody wants no more draws; raised in the threads of the chains."""


class _Team:
    """Threads that carry chains on side by side, and the calling thread, which reports how far they are."""

    def __init__(self, settings: Settings, on_progress: OnProgress) -> None:
        self._threads = ThreadPoolExecutor(max(1, min(settings.threads, settings.chains)), "chain")
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._done = 0

    def __enter__(self) -> "_Team":
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def see_through(self, phase: str, parts: "Sequence[Callable[[Callable[[int], None]], None]]", draws: int) -> None:
        """Carry out all parts, `draws` each, and return when they are done; raises what one of them raises."""
        self._done = 0
        futures: set[Future[None]] = {self._threads.submit(part, self._told) for part in parts}
        while futures:
            ended, futures = wait(futures, SECONDS_BETWEEN_LOOKS, FIRST_EXCEPTION)
            for future in ended:
                future.result()
            self._on_progress(phase, self._done / (len(parts) * draws))

    def _told(self, draws: int) -> None:
        if self._stop.is_set():
            raise _Stopped
        with self._lock:
            self._done += draws
