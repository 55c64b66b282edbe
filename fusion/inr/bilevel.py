"""What learning through the steps of a fit needs: gradients, products with second derivatives, and the outer steps.

The compiled kernel does all the work. It gives first derivatives; a product with second derivatives is the difference
of two of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.cpu_engine import prepare
from fusion.inr.kernel import measure_gradient

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture

    Floats = NDArray[np.float32]

_MAX_POINTS = 2048
_MIN_STEPS = 20
_FIRST_SIZES = 10.0 ** np.arange(-4.0, 2.1, 0.5)
# The step size that descends most from the first start is too large for later ones.
_CAUTION = 0.3
_LONGEST = 5.0
_SMALL_MOVE = 1e-4
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.99, 1e-12


class Gradients:
    """Gradients of one network's error on one grid, or on seeded subsets where the grid is large."""

    def __init__(
        self, architecture: Architecture, coordinates: NDArray[np.float32], max_points: int = _MAX_POINTS
    ) -> None:
        self.grid = np.require(coordinates, np.float32, ["C", "A", "W"])
        self.points = min(len(coordinates), max_points)
        self.rows = np.arange(len(coordinates), dtype=np.int64)
        if self.points < len(coordinates):
            self.rows = np.linspace(0, len(coordinates) - 1, self.points).astype(np.int64)
        self.flops = architecture.flops_per_coordinate * self.points
        self.network, self.workspace = prepare(architecture, len(coordinates))

    def draw(self, rng: np.random.Generator) -> None:
        """Draw other coordinates where there are too many for all of them."""
        if self.points < len(self.grid):
            self.rows = rng.permutation(len(self.grid))[: self.points]

    def __call__(self, theta: Floats, values: NDArray[Any]) -> tuple[Floats, float]:
        """Gradient of the mean squared error, shape (k,), and the error."""
        plain = np.require(values, np.float32, ["C", "A", "W"])
        mse = measure_gradient(theta, self.network, self.workspace, self.grid, plain, self.rows)
        return self.workspace.gradient.copy(), mse

    def curvature(self, theta: Floats, gradient: Floats, move: Floats, values: NDArray[Any]) -> Floats:
        """Multiply the second derivatives at theta, where the gradient is known, by a move of shape (k,)."""
        length = float(np.linalg.norm(move))
        if not 0.0 < length < np.inf:
            return move
        small = np.float32(_SMALL_MOVE * np.linalg.norm(theta) / length)
        return np.asarray((self(theta + small * move, values)[0] - gradient) / small)


def first_size(error_after: Callable[[float], float]) -> float:
    """Choose the first step size, one for all: a careful part of the one whose first step lowers the error most."""
    with np.errstate(over="ignore", invalid="ignore"):
        errors = [error_after(float(size)) for size in _FIRST_SIZES]
    return _CAUTION * float(_FIRST_SIZES[np.argmin(np.nan_to_num(errors, nan=np.inf))])


def affordable_steps(steps: int, flops: float, most: float) -> int:
    """Lower the number of steps of `flops` operations each where they came to more than `most`.

    Counted in operations, not in seconds: every machine learns the same.
    """
    return max(1, min(steps, max(_MIN_STEPS, int(most // flops))))


def bounded(slopes: list[NDArray[Any]]) -> list[NDArray[np.float64]]:
    """Bound the length of one sample's slopes, so that none outweighs the rest; what diverged says nothing."""
    longest = max(float(np.linalg.norm(slope)) for slope in slopes)
    scale = 1.0 / max(1.0, longest / _LONGEST)
    known = np.isfinite(longest)
    return [slope.astype(np.float64) * scale if known else np.zeros(slope.shape) for slope in slopes]


class OuterAdam:
    """Adam over what is learned, its rate lowered to zero over the steps along a cosine."""

    def __init__(self, learned: list[NDArray[np.float64]], rates: list[float], steps: int) -> None:
        self.learned, self.rates, self.steps, self.step = learned, rates, steps, 0
        self.moments = [(np.zeros_like(array), np.zeros_like(array)) for array in learned]

    def descend(self, slopes: list[NDArray[np.float64]]) -> None:
        """Change what is learned, in place."""
        decay = 0.5 * (1.0 + np.cos(np.pi * self.step / self.steps))
        self.step += 1
        for array, rate, slope, (mean, square) in zip(self.learned, self.rates, slopes, self.moments, strict=True):
            mean += (1.0 - _BETA_1) * (slope - mean)
            square += (1.0 - _BETA_2) * (slope**2 - square)
            scale = np.sqrt(square / (1.0 - _BETA_2**self.step)) + _EPSILON
            array -= decay * rate * mean / (1.0 - _BETA_1**self.step) / scale


def mean_slopes(slopes: list[list[NDArray[np.float64]]]) -> list[NDArray[np.float64]]:
    """Average the slopes of several samples."""
    return [np.mean(parts, axis=0) for parts in zip(*slopes, strict=True)]
