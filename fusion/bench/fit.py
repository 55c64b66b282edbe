"""How fast networks are fitted: this engine, the paper's way, and what the processor can do, on the same work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fusion.encoders.pool import worker_pool
from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, paper
from fusion.inr.engine import fit
from fusion.inr.initialisation import random_start
from fusion.inr.metrics import psnr
from fusion.inr.settings import FitSettings
from fusion.modalities import coordinate_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# At 5e-3 the networks with frequencies of 30 after 30 diverge from any other float32 arithmetic within 20 steps.
_RATE = 1e-3


@dataclass(frozen=True)
class Work:
    """Networks to fit.

    Parameters
    ----------
    architecture : Architecture
    grid : tuple of int
        Points along each coordinate.
    samples : int
        For the engine; the Keras loop fits one of them at each run.
    steps : int
        For both.
    """

    architecture: Architecture
    grid: tuple[int, ...]
    samples: int
    steps: int


WORK = {
    "sensor": Work(paper(1, 9), (128,), 60, 50),
    "image": Work(paper(2, 3, omegas=(30.0, 30.0)), (32, 32), 15, 50),
    "video": Work(paper(3, 3), (16, 32, 32), 2, 10),
    "audio": Work(paper(1, 1), (16_000,), 2, 10),
}
QUICK_WORK = {
    "sensor": Work(paper(1, 9), (128,), 8, 20),
    "image": Work(paper(2, 3, omegas=(30.0, 30.0)), (32, 32), 4, 20),
    "video": Work(paper(3, 3), (8, 16, 16), 2, 10),
    "audio": Work(paper(1, 1), (4000,), 2, 10),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """The data of some work, the same whenever it is made."""

    work: Work
    start: NDArray[np.float32]
    coordinates: NDArray[np.float32]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, work: Work, seed: int = 0) -> Problem:
        """Make smooth random signals."""
        rng = np.random.default_rng(seed)
        architecture, coordinates = work.architecture, coordinate_grid(work.grid)
        waves = rng.normal(0, 3, (work.samples, architecture.d_in, architecture.d_out))
        phases = rng.uniform(0, 6, (work.samples, 1, architecture.d_out))
        values = 0.5 + 0.4 * np.sin(np.einsum("nd,bdc->bnc", coordinates, waves) + phases)
        return cls(work, random_start(architecture, seed), coordinates, values.astype(np.float32))

    @property
    def settings(self) -> FitSettings:
        """How both sides fit."""
        return FitSettings(steps=self.work.steps, learning_rate=_RATE)

    def fit(self) -> NDArray[np.float32]:
        """Fit all samples with this engine; gives their errors."""
        given = self.work.architecture, self.start, self.coordinates, self.values, self.settings
        return fit(*given, backend="cpu").mse


def bench_fit(
    *, quick: bool = False, modalities: Sequence[str] | None = None, repeats: int | None = None
) -> dict[str, Any]:
    """Measure the fitting engine.

    Parameters
    ----------
    quick : bool
        Less work: rough figures in seconds instead of minutes.
    modalities : sequence of {"sensor", "image", "video", "audio"}, optional
        All four when not given.
    repeats : int, optional
        Medians of so many runs; 3, or 1 if `quick`.

    Returns
    -------
    dict
        ``modalities``: for each, ``engine_steps_per_second`` and ``keras_steps_per_second`` (gradient steps of one
        network), ``ratio_to_keras``, ``fraction_of_matmul`` (arithmetic of the steps' matrix products beside the rate
        of one matrix product), ``engine_psnr`` and ``keras_psnr`` in dB, of the same sample after the same steps.
        ``workers_speedup``: two worker processes over one. ``matmul_gflops``: the product's rate, the faster of
        ``numpy_gflops`` (a large product) and ``tiles_gflops`` (this engine's own), because the BLAS library that
        comes with NumPy does not use the widest vectors of every processor.

    Raises
    ------
    ConfigError
        When a modality is not known.

    See Also
    --------
    functa bench fit : The command that prints this; docs/settings.md.

    Notes
    -----
    Engine and product use one thread, the Keras loop as many as TensorFlow takes by itself.
    """
    available = QUICK_WORK if quick else WORK
    chosen = list(available) if modalities is None else list(modalities)
    for name in chosen:
        if name not in available:
            raise ConfigError(f"no bench for modality {name!r}; expected one of {', '.join(available)}")
    repeats = repeats or (1 if quick else 3)
    # First, because the threads that TensorFlow keeps would disturb it.
    speedup = _workers_speedup(available["image"], repeats=repeats, tasks=8 if quick else 24)
    limits: list[Limits] = []
    results = {name: _compare(Problem.of(available[name]), repeats, limits, quick=quick) for name in chosen}
    return {
        "modalities": results,
        "workers_speedup": speedup,
        "matmul_gflops": median(max(limit) for limit in limits),
        "numpy_gflops": median(limit.numpy for limit in limits),
        "tiles_gflops": median(limit.tiles for limit in limits),
        "repeats": repeats,
    }


class Limits(NamedTuple):
    """Rates of a float32 matrix product on one thread, in GFLOP/s."""

    numpy: float
    tiles: float


def _compare(problem: Problem, repeats: int, limits: list[Limits], *, quick: bool) -> dict[str, float]:
    from fusion.baselines.keras_loop import KerasLoop

    work = problem.work
    loop = KerasLoop(work.architecture, problem.settings)
    run_loop = partial(loop.fit, problem.start, problem.coordinates, problem.values[:1])
    engine_mse, (_, keras_mse) = problem.fit(), run_loop()
    engine, keras, matmul = [], [], []
    for _ in range(repeats):
        limits.append(Limits(_numpy_gflops(1024 if quick else 4096), _tiles_gflops()))
        matmul.append(max(limits[-1]))
        engine.append(work.samples * work.steps / _seconds(problem.fit))
        keras.append(work.steps / _seconds(run_loop))
    flops = work.architecture.flops_per_coordinate * len(problem.coordinates)
    return {
        "engine_steps_per_second": median(engine),
        "keras_steps_per_second": median(keras),
        "ratio_to_keras": median(engine) / median(keras),
        "fraction_of_matmul": median(engine) * flops / 1e9 / median(matmul),
        "engine_psnr": float(psnr(engine_mse[0])),
        "keras_psnr": float(psnr(keras_mse[0])),
    }


def _numpy_gflops(size: int) -> float:
    from threadpoolctl import threadpool_limits

    a = np.random.default_rng(0).random((size, size), dtype=np.float32)
    with threadpool_limits(1):
        return 2e-9 * size**3 / _seconds(lambda: a @ a)


def _tiles_gflops(size: int = 256, times: int = 100) -> float:
    from fusion.inr.tiles import product

    a = np.random.default_rng(0).random((size, size), dtype=np.float32)
    # Rows an odd number of cache lines apart, as the engine lays them out.
    b, out = (np.ones((size, size + 16), np.float32)[:, :size] for _ in range(2))
    product(a, b, out)
    return 2e-9 * size**3 * times / _seconds(lambda: [product(a, b, out) for _ in range(times)])


def _seconds(action: Callable[[], object]) -> float:
    begin = perf_counter()
    action()
    return perf_counter() - begin


def _workers_speedup(work: Work, *, repeats: int, tasks: int) -> float:
    """Rate of two worker processes over the rate of this one, which fits on one thread."""
    one, two = [], []
    Problem.of(work).fit()
    with worker_pool(2) as pool:
        _use_both(pool, work)
        for _ in range(repeats):
            one.append(_seconds(lambda: [_task(work) for _ in range(tasks)]))
            two.append(_seconds(lambda: list(pool(_task, [work] * tasks))))
    return median(one) / median(two)


def _use_both(pool: Any, work: Work) -> None:
    seen: set[int] = set()
    for _ in range(20):
        seen.update(pool(_task, [work] * 4))
        if len(seen) > 1:
            return


def _task(work: Work) -> int:
    Problem.of(work).fit()
    return os.getpid()
