"""Evaluate networks at any coordinates with NumPy alone, so that decoding does not wait for TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.architecture import Architecture, unflatten

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 1 << 16


def forward(architecture: Architecture, weights: NDArray[Any], coordinates: NDArray[Any]) -> NDArray[Any]:
    """Values of one network.

    Parameters
    ----------
    architecture : Architecture
    weights : NDArray, shape=(k,)
        float32 gives float32 values, float64 gives float64.
    coordinates : NDArray, shape=(n, d_in)
        In [-1, 1], at any resolution.

    Returns
    -------
    NDArray, shape=(n, d_out)
    """
    arrays = unflatten(weights, architecture.layout)
    parts = [
        _forward_chunk(architecture, arrays, coordinates[begin : begin + _CHUNK].astype(weights.dtype))
        for begin in range(0, len(coordinates), _CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty((0, architecture.d_out), weights.dtype)


def _forward_chunk(
    architecture: Architecture, arrays: dict[str, NDArray[Any]], coordinates: NDArray[Any]
) -> NDArray[Any]:
    activation = coordinates
    for index, omega in enumerate(architecture.omegas):
        activation = np.sin(omega * (activation @ arrays[f"dense_{index}/kernel"] + arrays[f"dense_{index}/bias"]))
    last = len(architecture.omegas)
    values = activation @ arrays[f"dense_{last}/kernel"] + arrays[f"dense_{last}/bias"]
    return np.asarray(values if architecture.output == "linear" else 0.5 * (1.0 + np.tanh(0.5 * values)))
