"""Where every fit begins: one start shared by all samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.architecture import Architecture, flatten

if TYPE_CHECKING:
    from numpy.typing import NDArray


def random_start(architecture: Architecture, seed: int) -> NDArray[np.float32]:
    """Draw a random start.

    Parameters
    ----------
    architecture : Architecture
        Its `initialiser` chooses the distribution of the kernels, uniform in [-limit, limit]:
        ``keras`` (TensorFlow's default for Dense layers) has sqrt(6 / (fan_in + fan_out)) and zero biases;
        ``siren`` has 1 / fan_in in the first layer, sqrt(6 / fan_in) / omega after it, biases within 1 / sqrt(fan_in).
    seed : int
        Same seed, same start.

    Returns
    -------
    NDArray of float32, shape=(k,)

    Notes
    -----
    Malherbe, Section 5.1.2 (Keras default); Sitzmann et al. 2020, Section 3.2 (SIREN).
    """
    rng = np.random.default_rng(seed)
    arrays: dict[str, NDArray[Any]] = {}
    for index, (fan_in, fan_out) in enumerate(architecture.layers):
        kernel_limit, bias_limit = _limits(architecture, index)
        arrays[f"dense_{index}/kernel"] = rng.uniform(-kernel_limit, kernel_limit, (fan_in, fan_out))
        arrays[f"dense_{index}/bias"] = rng.uniform(-bias_limit, bias_limit, fan_out)
    return flatten(arrays, architecture.layout)


def _limits(architecture: Architecture, index: int) -> tuple[float, float]:
    fan_in, fan_out = architecture.layers[index]
    if architecture.initialiser == "keras":
        return float(np.sqrt(6.0 / (fan_in + fan_out))), 0.0
    bias = 1.0 / float(np.sqrt(fan_in))
    if index == 0:
        return 1.0 / fan_in, bias
    omega = architecture.omegas[min(index, len(architecture.omegas) - 1)]
    return float(np.sqrt(6.0 / fan_in)) / omega, bias
