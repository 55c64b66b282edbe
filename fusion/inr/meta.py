"""A start and a step size for each weight, learned so that a few plain gradient steps fit a new sample.

Notes
-----
MAML (Finn et al. 2017) with learned step sizes (Meta-SGD, Li et al. 2017), for INRs as in Tancik et al. 2021, "Learned
initializations for optimizing coordinate-based neural representations", Section 3. The gradient through the inner
steps is kept: on images it was worth 2 dB after five steps against its first-order approximation. The products with
second derivatives that it needs are differences of two gradients, so that the compiled kernel does all the work.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.cpu_engine import prepare
from fusion.inr.initialisation import random_start
from fusion.inr.kernel import measure_gradient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.meta_settings import MetaSettings

    Floats = NDArray[np.float32]

_MAX_POINTS = 2048
_MAX_FLOPS = 3e12
_MIN_STEPS = 20
_START_RATE, _SIZE_RATE = 1e-3, 3e-2
_FIRST_SIZES = 10.0 ** np.arange(-4.0, 2.1, 0.5)
# The largest step size that descends from the first start is too large for later ones.
_CAUTION = 0.3
_LONGEST = 5.0
_SMALL_MOVE = 1e-4
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.99, 1e-12


def learn_start(
    architecture: Architecture,
    coordinates: NDArray[np.float32],
    values: NDArray[Any],
    settings: MetaSettings,
    *,
    seed: int,
) -> tuple[Floats, Floats]:
    """Learn a start and step sizes for `fusion.inr.engine.fit`.

    Parameters
    ----------
    architecture : Architecture
    coordinates : NDArray, shape=(n, d_in)
        Of more than 2,048 a seeded subset is drawn for each change of the start.
    values : NDArray, shape=(b, n, d_out)
        Training samples; their order matters as much as the seed.
    settings : MetaSettings
    seed : int

    Returns
    -------
    start : NDArray of float32, shape=(k,)
    step_sizes : NDArray of float32, shape=(k,)

    Notes
    -----
    The first start is drawn as a SIREN's whatever the architecture's own distribution: among the weights that Keras
    draws, frequencies above 1 in the second layer leave no step size that descends.
    """
    rng = np.random.default_rng(seed)
    problem = _Problem(architecture, coordinates, settings.inner_steps)
    start = random_start(replace(architecture, initialiser="siren"), seed)
    batch = min(settings.batch, len(values))
    size = _CAUTION * _first_size(problem, start, values[:batch])
    learned = np.stack([start.astype(np.float64), np.full(len(start), np.log(size))])
    steps = _affordable(settings.steps, batch * (2 * settings.inner_steps + 1) * problem.flops)
    optimiser = _Adam(learned.shape)
    for step in range(steps):
        problem.draw(rng)
        chosen = rng.choice(len(values), batch, replace=False)
        slope = np.mean([problem.slope(learned, values[index]) for index in chosen], axis=0)
        decay = 0.5 * (1.0 + np.cos(np.pi * step / steps))
        learned -= decay * np.array([[_START_RATE], [_SIZE_RATE]]) * optimiser.direction(slope)
    return learned[0].astype(np.float32), np.exp(learned[1]).astype(np.float32)


def _affordable(steps: int, flops: float) -> int:
    # Counted in operations, not in seconds: every machine learns the same start.
    return max(1, min(steps, max(_MIN_STEPS, int(_MAX_FLOPS // flops))))


def _first_size(problem: _Problem, start: Floats, values: NDArray[Any]) -> float:
    """Find the step size, one for all weights, whose first step lowers the error most."""
    slopes = [problem.gradient(start, y)[0] for y in values]
    errors = [
        np.mean(
            [problem.gradient(start - np.float32(size) * slope, y)[1] for slope, y in zip(slopes, values, strict=True)]
        )
        for size in _FIRST_SIZES
    ]
    return float(_FIRST_SIZES[np.argmin(np.nan_to_num(errors, nan=np.inf))])


class _Problem:
    """Gradients of one network's error on one grid, and of the error after the inner steps."""

    def __init__(self, architecture: Architecture, coordinates: NDArray[np.float32], inner_steps: int) -> None:
        self.inner_steps = inner_steps
        self.grid = np.require(coordinates, np.float32, ["C", "A", "W"])
        self.rows = np.arange(len(coordinates))[:: -(-len(coordinates) // _MAX_POINTS)]
        self.points = min(len(coordinates), _MAX_POINTS)
        self.flops = architecture.flops_per_coordinate * self.points
        self.network, self.workspace = prepare(architecture, len(coordinates))

    def draw(self, rng: np.random.Generator) -> None:
        """Draw other coordinates where there are too many for all of them."""
        if self.points < len(self.grid):
            self.rows = rng.permutation(len(self.grid))[: self.points]

    def gradient(self, theta: Floats, values: NDArray[Any]) -> tuple[Floats, float]:
        """Gradient of the mean squared error, shape (k,), and the error."""
        plain = np.require(values, np.float32, ["C", "A", "W"])
        mse = measure_gradient(theta, self.network, self.workspace, self.grid, plain, np.ascontiguousarray(self.rows))
        return self.workspace.gradient.copy(), mse

    def path(self, start: Floats, sizes: Floats, values: NDArray[Any]) -> tuple[list[Floats], list[Floats]]:
        """Weights before, between and after the inner steps, and the gradient of each step."""
        weights, gradients = [start], []
        for _ in range(self.inner_steps):
            gradients.append(self.gradient(weights[-1], values)[0])
            weights.append(weights[-1] - sizes * gradients[-1])
        return weights, gradients

    def slope(self, learned: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.float64]:
        """Gradient of the logarithm of the error after the steps by start and log step sizes, shape (2, k).

        A sample whose steps diverge says nothing; the length of the others is bounded, so that none outweighs the rest.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            slope = self._slope(learned, values)
            longest = np.linalg.norm(slope, axis=1).max()
        return slope / max(1.0, longest / _LONGEST) if np.isfinite(longest) else np.zeros_like(slope)

    def _slope(self, learned: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.float64]:
        start, sizes = learned[0].astype(np.float32), np.exp(learned[1]).astype(np.float32)
        weights, gradients = self.path(start, sizes, values)
        last, mse = self.gradient(weights.pop(), values)
        by_weights, by_sizes = last / np.float32(mse), np.zeros_like(start)
        while weights:
            theta, gradient = weights.pop(), gradients.pop()
            move = sizes * by_weights
            by_sizes -= move * gradient
            by_weights = by_weights - self._curvature(theta, gradient, move, values)
        return np.stack([by_weights, by_sizes]).astype(np.float64)

    def _curvature(self, theta: Floats, gradient: Floats, move: Floats, values: NDArray[Any]) -> Floats:
        """Multiply the second derivatives at theta by a vector, as the difference of two gradients."""
        length = float(np.linalg.norm(move))
        if not 0.0 < length < np.inf:
            return move
        small = np.float32(_SMALL_MOVE * np.linalg.norm(theta) / length)
        return np.asarray((self.gradient(theta + small * move, values)[0] - gradient) / small)


class _Adam:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.step = 0
        self.mean, self.square = np.zeros(shape), np.zeros(shape)

    def direction(self, slope: NDArray[np.float64]) -> NDArray[np.float64]:
        self.step += 1
        self.mean += (1.0 - _BETA_1) * (slope - self.mean)
        self.square += (1.0 - _BETA_2) * (slope**2 - self.square)
        mean, square = self.mean / (1.0 - _BETA_1**self.step), self.square / (1.0 - _BETA_2**self.step)
        return np.asarray(mean / (np.sqrt(square) + _EPSILON))
