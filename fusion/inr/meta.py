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

from fusion.inr.bilevel import Gradients, OuterAdam, affordable_steps, bounded, first_size, mean_slopes
from fusion.inr.initialisation import random_start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.meta_settings import MetaSettings

    Floats = NDArray[np.float32]

_MAX_FLOPS = 3e12
_RATES = [1e-3, 3e-2]


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
    gradients = Gradients(architecture, coordinates)
    start = random_start(replace(architecture, initialiser="siren"), seed)
    batch = min(settings.batch, len(values))
    size = _first_size(gradients, start, values[:batch])
    learned = [start.astype(np.float64), np.full(len(start), np.log(size))]
    steps = learning_steps(gradients.flops, settings, len(values))
    outer = OuterAdam(learned, _RATES, steps)
    for _ in range(steps):
        gradients.draw(rng)
        chosen = rng.choice(len(values), batch, replace=False)
        with np.errstate(over="ignore", invalid="ignore"):
            slopes = [bounded(slopes_of_start(gradients, learned, values[i], settings.inner_steps)) for i in chosen]
        outer.descend(mean_slopes(slopes))
    return learned[0].astype(np.float32), np.exp(learned[1]).astype(np.float32)


def learning_steps(flops: float, settings: MetaSettings, samples: int) -> int:
    """Count the changes of the start, of a network whose gradient of one sample takes `flops` operations."""
    batch = min(settings.batch, samples)
    return affordable_steps(settings.steps, batch * (2 * settings.inner_steps + 1) * flops, _MAX_FLOPS)


def affordable_changes(network: Architecture, coordinates: NDArray[Any], settings: MetaSettings) -> int:
    """Count the changes of what a network learns, as its time allows."""
    return learning_steps(Gradients(network, coordinates).flops, settings, settings.samples)


def _first_size(gradients: Gradients, start: Floats, values: NDArray[Any]) -> float:
    slopes = [gradients(start, y)[0] for y in values]

    def error_after(size: float) -> float:
        moved = (start - np.float32(size) * slope for slope in slopes)
        return float(np.mean([gradients(theta, y)[1] for theta, y in zip(moved, values, strict=True)]))

    return first_size(error_after)


def slopes_of_start(
    gradients: Gradients, learned: list[NDArray[np.float64]], values: NDArray[Any], inner_steps: int
) -> list[NDArray[Any]]:
    """Derive the logarithm of a sample's error after the inner steps by the start and by the logarithm of step sizes.

    Parameters
    ----------
    gradients : Gradients
    learned : start and logarithms of the step sizes, each of shape (k,)
    values : NDArray, shape=(n, d_out)
    inner_steps : int

    Returns
    -------
    list of two NDArray, shape=(k,)
    """
    theta, sizes = learned[0].astype(np.float32), np.exp(learned[1]).astype(np.float32)
    path = []
    for _ in range(inner_steps):
        gradient, _ = gradients(theta, values)
        path.append((theta, gradient))
        theta = theta - sizes * gradient
    last, mse = gradients(theta, values)
    by_start, by_sizes = last / np.float32(mse), np.zeros_like(theta)
    for theta, gradient in reversed(path):
        move = sizes * by_start
        by_sizes -= move * gradient
        by_start = by_start - gradients.curvature(theta, gradient, move, values)
    return [by_start, by_sizes]
