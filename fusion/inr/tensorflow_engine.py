"""Fits in TensorFlow: a reference for the two engines, which are faster; nothing chooses it by itself.

A batch of networks is fitted at once in one graph of fixed shape. Gradients are written by hand, so that a step is a
handful of batched matrix products; `GradientTape` records the same products but keeps and walks a tape.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError
from fusion.inr.metrics import mse_of_psnr
from fusion.inr.settings import BETA_1, BETA_2, EPSILON

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.settings import FitSettings

_CACHE_BYTES = 1 << 20
_MAX_BATCH = 64


def default_batch(architecture: Architecture, coordinates: int) -> int:
    """Networks in one graph: so many that their activations stay in a core's second-level cache.

    Parameters
    ----------
    architecture : Architecture
    coordinates : int
        Coordinates of each step.

    Returns
    -------
    int, a power of two in [1, 64]
    """
    one = 4 * coordinates * sum(architecture.widths)
    batch = 1
    while batch < _MAX_BATCH and 2 * batch * one <= _CACHE_BYTES:
        batch *= 2
    return batch


def fit(
    architecture: Architecture,
    start: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    values: NDArray[Any],
    settings: FitSettings,
    batch: int | None = None,
    step_sizes: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Fit one network to each of one sample or more; see `fusion.inr.engine.fit`, which checks what it passes on.

    Returns
    -------
    weights : shape=(b, k)
    mse : shape=(b,)
    steps : shape=(b,)
    """
    per_step = min(settings.coordinates_per_step or len(coordinates), len(coordinates))
    size = batch or default_batch(architecture, per_step)
    run = _compiled(architecture, settings, len(coordinates), size, plain=step_sizes is not None)
    sizes = np.zeros_like(start) if step_sizes is None else step_sizes
    parts = [
        run(start, sizes, coordinates, _padded(values[begin : begin + size], size))
        for begin in range(0, len(values), size)
    ]
    weights, mse, steps = (np.concatenate(part)[: len(values)] for part in zip(*parts, strict=True))
    return weights, mse, steps


def _padded(values: NDArray[Any], size: int) -> NDArray[np.float32]:
    # One fixed shape means one graph; a padded sample is fitted and thrown away.
    values = np.ascontiguousarray(values, dtype=np.float32)
    if len(values) == size:
        return values
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])


Run = Callable[["NDArray[Any]", "NDArray[Any]", "NDArray[Any]", "NDArray[Any]"], "tuple[NDArray[Any], ...]"]


@lru_cache(maxsize=16)
def _compiled(architecture: Architecture, settings: FitSettings, coordinates: int, size: int, *, plain: bool) -> Run:
    tf = load_tensorflow()
    graph = _Graph(tf, architecture, settings, coordinates, size, plain=plain)
    signature = [
        tf.TensorSpec([architecture.size]),
        tf.TensorSpec([architecture.size]),
        tf.TensorSpec([coordinates, architecture.d_in]),
        tf.TensorSpec([size, coordinates, architecture.d_out]),
    ]
    traced = tf.function(graph.fit, input_signature=signature).get_concrete_function()

    def run(
        start: NDArray[Any], sizes: NDArray[Any], grid: NDArray[Any], values: NDArray[Any]
    ) -> tuple[NDArray[Any], ...]:
        outputs = traced(*(tf.constant(array) for array in (start, sizes, grid, values)))
        return tuple(output.numpy() for output in outputs)

    return run


def load_tensorflow() -> Any:
    """Import TensorFlow without what it writes to stderr while it loads.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            with _quiet_stderr():
                return import_module("tensorflow")
        except ImportError as error:
            raise ConfigError(
                "conventional networks, the Keras loop and the reference engine need TensorFlow, which cannot be "
                f"imported here ({error}). Run pip install tensorflow; encode, train and predict do without it"
            ) from error
    return sys.modules["tensorflow"]


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    # TensorFlow's libraries write to file descriptor 2 while they load, whatever the log level says.
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


class _Graph:
    """One fit of `size` networks as TensorFlow operations."""

    def __init__(
        self, tf: Any, architecture: Architecture, settings: FitSettings, coordinates: int, size: int, *, plain: bool
    ) -> None:
        self.tf = tf
        self.architecture = architecture
        self.settings = settings
        self.size = size
        self.plain = plain
        self.rates = settings.decay() if plain else settings.rates()
        self.subsets = settings.subsets(coordinates)
        self.target = None if settings.psnr_target is None else mse_of_psnr(settings.psnr_target)

    def fit(self, start: Any, sizes: Any, grid: Any, values: Any) -> tuple[Any, Any, Any]:
        """Run all steps, then measure the error of the weights reached."""
        tf = self.tf
        theta = tf.tile(start[None], [self.size, 1])
        moments = tf.zeros_like(theta), tf.zeros_like(theta)
        steps = tf.zeros([self.size], tf.int32)
        active = tf.ones([self.size], tf.bool)
        rates = tf.constant(self.rates)

        def body(index: Any, theta: Any, m: Any, v: Any, steps: Any, active: Any) -> tuple[Any, ...]:
            x, y = self._subset(index, grid, values)
            gradient, mse = self._gradient(theta, x, y)
            if self.target is not None:
                active = active & (mse > self.target)
            if self.plain:
                update = rates[index] * sizes * gradient
            else:
                m = BETA_1 * m + (1.0 - BETA_1) * gradient
                v = BETA_2 * v + (1.0 - BETA_2) * tf.square(gradient)
                update = rates[index] * m / (tf.sqrt(v) + EPSILON)
            theta = theta - (update if self.target is None else tf.where(active[:, None], update, 0.0))
            return index + 1, theta, m, v, steps + tf.cast(active, tf.int32), active

        if self.settings.steps:
            _, theta, _, _, steps, _ = tf.while_loop(
                lambda index, *state: (index < self.settings.steps) & tf.reduce_any(state[-1]),
                body,
                (tf.constant(0), theta, *moments, steps, active),
                parallel_iterations=1,
            )
        prediction = self._forward(self._layers(theta), grid)[0][-1]
        mse = tf.reduce_mean(tf.square(prediction - values), [1, 2])
        return theta, mse, steps

    def _subset(self, index: Any, grid: Any, values: Any) -> tuple[Any, Any]:
        if self.subsets is None:
            return grid, values
        rows = self.tf.constant(self.subsets)[index]
        return self.tf.gather(grid, rows), self.tf.gather(values, rows, axis=1)

    def _layers(self, theta: Any) -> list[tuple[Any, Any]]:
        tf, layers, offset = self.tf, [], 0
        for fan_in, fan_out in self.architecture.layers:
            kernel_end, end = offset + fan_in * fan_out, offset + (fan_in + 1) * fan_out
            kernel = tf.reshape(theta[:, offset:kernel_end], [self.size, fan_in, fan_out])
            layers.append((kernel, tf.reshape(theta[:, kernel_end:end], [self.size, 1, fan_out])))
            offset = end
        return layers

    def _affine(self, activation: Any, kernel: Any, bias: Any) -> Any:
        if kernel.shape[1] == 1:
            return activation * kernel + bias
        return self.tf.matmul(activation, kernel) + bias

    def _forward(self, layers: list[tuple[Any, Any]], x: Any) -> tuple[list[Any], list[Any]]:
        """Activations of every layer, the input first and the output last, and the angles of the hidden layers."""
        tf = self.tf
        activations, angles = [tf.broadcast_to(x, [self.size, *x.shape])], []
        for (kernel, bias), omega in zip(layers[:-1], self.architecture.omegas, strict=True):
            angles.append(omega * self._affine(activations[-1], kernel, bias))
            activations.append(tf.sin(angles[-1]))
        output = self._affine(activations[-1], *layers[-1])
        activations.append(tf.sigmoid(output) if self.architecture.output == "sigmoid" else output)
        return activations, angles

    def _gradient(self, theta: Any, x: Any, y: Any) -> tuple[Any, Any]:
        """Gradient of the mean squared error, shape (b, k), and the error itself, shape (b,)."""
        tf = self.tf
        layers = self._layers(theta)
        activations, angles = self._forward(layers, x)
        prediction = activations[-1]
        error = prediction - y
        delta = error * (2.0 / (y.shape[1] * y.shape[2]))
        if self.architecture.output == "sigmoid":
            delta = delta * prediction * (1.0 - prediction)
        parts: list[Any] = []
        for index in reversed(range(len(layers))):
            kernel_gradient = tf.matmul(activations[index], delta, transpose_a=True)
            parts[:0] = [tf.reshape(kernel_gradient, [self.size, -1]), tf.reduce_sum(delta, 1)]
            if index:
                slope = self.architecture.omegas[index - 1] * tf.cos(angles[index - 1])
                delta = tf.matmul(delta, layers[index][0], transpose_b=True) * slope
        return tf.concat(parts, 1), tf.reduce_mean(tf.square(error), [1, 2])
