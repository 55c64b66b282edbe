"""The fit in float64 NumPy, written for reading: what the engine is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.inr.architecture import Architecture
from fusion.inr.settings import FitSettings


def loss_and_gradient(
    architecture: Architecture, theta: NDArray[Any], x: NDArray[Any], y: NDArray[Any]
) -> tuple[float, NDArray[Any]]:
    kernels, biases, offset = [], [], 0
    for fan_in, fan_out in architecture.layers:
        kernels.append(theta[offset : offset + fan_in * fan_out].reshape(fan_in, fan_out))
        biases.append(theta[offset + fan_in * fan_out : offset + (fan_in + 1) * fan_out])
        offset += (fan_in + 1) * fan_out
    activations, angles = [x], []
    for kernel, bias, omega in zip(kernels, biases, architecture.omegas, strict=False):
        angles.append(omega * (activations[-1] @ kernel + bias))
        activations.append(np.sin(angles[-1]))
    prediction = activations[-1] @ kernels[-1] + biases[-1]
    slope: Any = 1.0
    if architecture.output == "sigmoid":
        prediction = 1.0 / (1.0 + np.exp(-prediction))
        slope = prediction * (1.0 - prediction)
    error = prediction - y
    delta = 2.0 * error * slope / y.size
    gradients: list[NDArray[Any]] = []
    for layer in range(len(kernels) - 1, -1, -1):
        gradients[:0] = [(activations[layer].T @ delta).ravel(), delta.sum(0)]
        if layer:
            delta = (delta @ kernels[layer].T) * architecture.omegas[layer - 1] * np.cos(angles[layer - 1])
    return float(np.mean(error**2)), np.concatenate(gradients)


def reference_fit(
    architecture: Architecture,
    start: NDArray[Any],
    x: NDArray[Any],
    y: NDArray[Any],
    settings: FitSettings,
    step_sizes: NDArray[Any] | None = None,
) -> tuple[NDArray[Any], float, int]:
    theta = start.astype(np.float64)
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    subsets = settings.subsets(len(x))
    steps = 0
    for step in range(settings.steps):
        rows = slice(None) if subsets is None else subsets[step]
        loss, gradient = loss_and_gradient(architecture, theta, x[rows], y[rows])
        if settings.psnr_target is not None and -10.0 * np.log10(loss) >= settings.psnr_target:
            break
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        if step_sizes is None:
            theta = theta - settings.rates()[step] * m / (np.sqrt(v) + 1e-7)
        else:
            theta = theta - settings.decay()[step] * step_sizes * gradient
        steps += 1
    return theta, loss_and_gradient(architecture, theta, x, y)[0], steps
