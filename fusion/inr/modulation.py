"""One network shared by all samples, moved for each by a short vector that shifts the biases of its hidden layers.

Notes
-----
Dupont et al. 2022, "From data to functa", Section 3: shift modulations through a linear map, fitted by a few gradient
steps from zero; network and map are learned on training samples through these steps, the step sizes with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError
from fusion.inr.bilevel import Gradients, OuterAdam, affordable_steps, bounded, first_size, mean_slopes
from fusion.inr.engine import FitResult
from fusion.inr.initialisation import random_start
from fusion.inr.metrics import mse_of_psnr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.meta_settings import MetaSettings
    from fusion.inr.settings import FitSettings

    Floats = NDArray[np.float32]

_MAX_FLOPS = 6e12
_RATES = [1e-3, 1e-3, 3e-2]


@dataclass(frozen=True, eq=False)
class SharedNetwork:
    """What all samples share.

    Parameters
    ----------
    architecture : Architecture
    weights : NDArray of float32, shape=(k,)
    directions : NDArray of float32, shape=(hidden units, m)
        Shift of each hidden unit's bias by each modulation.
    step_sizes : NDArray of float32, shape=(m,)
        Rate of each modulation in a fit.
    """

    architecture: Architecture
    weights: Floats
    directions: Floats
    step_sizes: Floats

    def __post_init__(self) -> None:
        k, units, m = self.architecture.size, sum(self.architecture.hidden), len(self.step_sizes)
        expected = {"weights": (k,), "directions": (units, m), "step sizes": (m,)}
        given = {"weights": self.weights, "directions": self.directions, "step sizes": self.step_sizes}
        for name, array in given.items():
            if array.shape != expected[name]:
                raise ConfigError(f"{name} of shape {array.shape}: this network needs {expected[name]}")

    def modulated(self, modulation: NDArray[Any]) -> Floats:
        """Give the weights (k,) of the network that a modulation (m,) makes; any code for INRs evaluates it."""
        theta = self.weights.copy()
        theta[hidden_biases(self.architecture)] += self.directions @ np.asarray(modulation, np.float32)
        return theta


def hidden_biases(architecture: Architecture) -> NDArray[np.int64]:
    """Places of the hidden layers' biases in the weight vector, first layer first."""
    biases = [entry for entry in architecture.layout if entry[0].endswith("/bias")][:-1]
    return np.concatenate([np.arange(offset, offset + shape[0]) for _, shape, offset in biases])


def fit_modulations(
    shared: SharedNetwork, coordinates: NDArray[np.float32], values: NDArray[Any], settings: FitSettings
) -> FitResult:
    """Fit a modulation to each sample by plain gradient steps from zero.

    Parameters
    ----------
    shared : SharedNetwork
    coordinates : NDArray, shape=(n, d_in)
    values : NDArray, shape=(b, n, d_out)
        In [0, 1].
    settings : FitSettings
        The learned step sizes stand in place of its learning rate.

    Returns
    -------
    FitResult
        Its weights are the modulations, shape (b, m); a fit that diverges gives NaN.
    """
    gradients = Gradients(shared.architecture, coordinates, max_points=len(coordinates))
    subsets = settings.subsets(len(coordinates))
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = [_fit_one(shared, gradients, sample, settings, subsets) for sample in values]
    return FitResult(
        np.array([modulation for modulation, _, _ in fitted], np.float32).reshape(len(values), len(shared.step_sizes)),
        np.array([mse for _, mse, _ in fitted], np.float32),
        np.array([steps for _, _, steps in fitted], np.int32),
    )


def _fit_one(
    shared: SharedNetwork,
    gradients: Gradients,
    values: NDArray[Any],
    settings: FitSettings,
    subsets: NDArray[np.int32] | None,
) -> tuple[Floats, float, int]:
    target = -1.0 if settings.psnr_target is None else mse_of_psnr(settings.psnr_target)
    every = np.arange(len(gradients.grid), dtype=np.int64)
    biases = hidden_biases(shared.architecture)
    modulation, taken = np.zeros(len(shared.step_sizes), np.float32), 0
    for step, factor in enumerate(settings.decay()):
        gradients.rows = every if subsets is None else subsets[step].astype(np.int64)
        gradient, mse = gradients(shared.modulated(modulation), values)
        if mse <= target:
            break
        modulation = modulation - factor * shared.step_sizes * (gradient[biases] @ shared.directions)
        taken += 1
    gradients.rows = every
    return modulation, gradients(shared.modulated(modulation), values)[1], taken


def learn_shared(
    architecture: Architecture,
    modulations: int,
    coordinates: NDArray[np.float32],
    values: NDArray[Any],
    settings: MetaSettings,
    *,
    seed: int,
) -> SharedNetwork:
    """Learn the shared network, the map of the modulations and their step sizes.

    Parameters
    ----------
    architecture : Architecture
    modulations : int >= 1
        Length m of a modulation.
    coordinates : NDArray, shape=(n, d_in)
        Of more than 2,048 a seeded subset is drawn for each change of the network.
    values : NDArray, shape=(b, n, d_out)
        Training samples; their order matters as much as the seed.
    settings : MetaSettings
    seed : int
    """
    rng = np.random.default_rng(seed)
    gradients = Gradients(architecture, coordinates)
    batch = min(settings.batch, len(values))
    limit = 1.0 / np.sqrt(modulations)
    directions = rng.uniform(-limit, limit, (sum(architecture.hidden), modulations))
    first = SharedNetwork(
        architecture, random_start(architecture, seed), directions.astype(np.float32), np.ones(modulations, np.float32)
    )
    size = _first_size(gradients, first, values[:batch])
    learned = [first.weights.astype(np.float64), directions, np.full(modulations, np.log(size))]
    steps = affordable_steps(settings.steps, batch * (2 * settings.inner_steps + 1) * gradients.flops, _MAX_FLOPS)
    outer = OuterAdam(learned, _RATES, steps)
    for _ in range(steps):
        gradients.draw(rng)
        shared = _as_network(architecture, learned)
        chosen = rng.choice(len(values), batch, replace=False)
        with np.errstate(over="ignore", invalid="ignore"):
            slopes = [bounded(slopes_of_shared(gradients, shared, values[i], settings.inner_steps)) for i in chosen]
        outer.descend(mean_slopes(slopes))
    return _as_network(architecture, learned)


def _as_network(architecture: Architecture, learned: list[NDArray[np.float64]]) -> SharedNetwork:
    weights, directions, log_sizes = learned
    return SharedNetwork(
        architecture, weights.astype(np.float32), directions.astype(np.float32), np.exp(log_sizes).astype(np.float32)
    )


def _first_size(gradients: Gradients, shared: SharedNetwork, values: NDArray[Any]) -> float:
    biases = hidden_biases(shared.architecture)
    slopes = [gradients(shared.weights, y)[0][biases] @ shared.directions for y in values]

    def error_after(size: float) -> float:
        moved = (shared.modulated(-size * slope) for slope in slopes)
        return float(np.mean([gradients(theta, y)[1] for theta, y in zip(moved, values, strict=True)]))

    return first_size(error_after)


def slopes_of_shared(
    gradients: Gradients, shared: SharedNetwork, values: NDArray[Any], inner_steps: int
) -> list[NDArray[Any]]:
    """Derive the logarithm of a sample's error after the inner steps by all that is shared.

    Returns
    -------
    list of NDArray
        By the weights (k,), the directions (units, m) and the logarithms of the step sizes (m,).
    """
    biases, directions = hidden_biases(shared.architecture), shared.directions
    modulation, path = np.zeros(len(shared.step_sizes), np.float32), []
    for _ in range(inner_steps):
        theta = shared.modulated(modulation)
        gradient, _ = gradients(theta, values)
        path.append((theta, modulation, gradient))
        modulation = modulation - shared.step_sizes * (gradient[biases] @ directions)
    last, mse = gradients(shared.modulated(modulation), values)
    by_weights = last / np.float32(mse)
    by_directions = np.outer(by_weights[biases], modulation)
    by_modulation, by_sizes = by_weights[biases] @ directions, np.zeros_like(modulation)
    for theta, modulation, gradient in reversed(path):
        step = shared.step_sizes * by_modulation
        by_sizes -= step * (gradient[biases] @ directions)
        move = np.zeros_like(theta)
        move[biases] = directions @ step
        bent = gradients.curvature(theta, gradient, move, values)
        by_weights = by_weights - bent
        by_directions -= np.outer(gradient[biases], step) + np.outer(bent[biases], modulation)
        by_modulation = by_modulation - bent[biases] @ directions
    return [by_weights, by_directions, by_sizes]
