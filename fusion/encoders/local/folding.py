"""One gradient step from a shared start as one matrix.

The gradient of a network's mean squared error at the start is linear in the values it is fitted to. So the weights
after one step, less the start, are ``(values - start's own values) @ matrix``: a one-step local functa is the tangent
feature of the start. The matrix is read off the engine's own gradient, one value of the window at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.bilevel import Gradients
from fusion.inr.engine import fit
from fusion.inr.forward import forward
from fusion.modalities import coordinate_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.settings import FitSettings


@dataclass(frozen=True, eq=False)
class Step:
    """What one step from a start does to a window's values.

    Parameters
    ----------
    own : NDArray of float64, shape=(v,)
        Values of the start itself, channels fastest.
    matrix : NDArray of float64, shape=(v, k)
        Change of the weights by each value, at a step size of `size`.
    size : float
        Step size: one by the largest curvature of the error at the start, times the learning rate.
    """

    own: NDArray[np.float64]
    matrix: NDArray[np.float64]
    size: float

    def deltas(self, windows: NDArray[Any]) -> NDArray[np.float64]:
        """Weights minus start of windows (w, v) after one step, shape (w, k)."""
        return np.asarray((windows - self.own) @ self.matrix)


def folded_step(
    architecture: Architecture, start: NDArray[np.float32], size: Sequence[int], learning_rate: float
) -> Step:
    """Read the matrix of one step off the engine's gradient.

    Parameters
    ----------
    architecture : Architecture
        With a linear output.
    start : NDArray, shape=(k,)
    size : sequence of int
        Points of the window along each axis.
    learning_rate : float > 0
        In units of one by the largest curvature; plain steps are stable below 2.
    """
    coordinates = coordinate_grid(size)
    own = forward(architecture, start, coordinates).astype(np.float32)
    gradients = Gradients(architecture, coordinates, max_points=len(coordinates))
    slopes = np.empty((own.size, architecture.size))
    for index in range(own.size):
        # The start fits its own values: what is left of the gradient belongs to the one value that differs.
        values = own.copy()
        values.flat[index] += 1.0
        slopes[index] = -gradients(start, values)[0]
    kernel = slopes @ slopes.T
    # The error's curvature has the eigenvalues of the tangent kernel times values / 2 (Gauss and Newton's matrix).
    step = learning_rate / (float(np.linalg.eigvalsh(kernel)[-1]) * own.size / 2.0)
    return Step(own.astype(np.float64).ravel(), slopes * step, step)


def no_step(values: int) -> Step:
    """Give windows of so many values back as they are, where raw windows stand beside fitted ones."""
    return Step(np.zeros(values), np.eye(values), 1.0)


def stepped_deltas(
    architecture: Architecture,
    start: NDArray[np.float32],
    size: Sequence[int],
    windows: NDArray[Any],
    settings: FitSettings,
    step_size: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit windows (w, v) by the engine, by plain steps of `step_size`.

    Returns
    -------
    deltas : shape=(w, k)
        Weights minus start.
    mse : shape=(w,)
    """
    coordinates = coordinate_grid(size)
    values = windows.reshape(len(windows), len(coordinates), architecture.d_out)
    sizes = np.full(architecture.size, step_size, np.float32)
    result = fit(architecture, start, coordinates, values, settings, step_sizes=sizes)
    return result.weights - start, result.mse
