"""An autoregressive LSTM as the INR of a sample: given some values it predicts the next; its weights are the functa.

All samples of a batch are fitted at once, each with its own weights and Adam moments,
from one start: the mean of the networks of two training samples per class.

Notes
-----
Malherbe, Section 4.2, raises it for images, as the series of their pixels; any grid is read that way, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError
from fusion.inr.tensorflow_engine import load_tensorflow

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LstmSettings", "lstm_functas", "lstm_start"]

_BATCH = 32
_MOST_WINDOWS = 256


@dataclass(frozen=True)
class LstmSettings:
    """How each LSTM is fitted.

    Parameters
    ----------
    given : int > 0
        Values that the next one is predicted from.
    units : int > 0
    steps : int > 0
        Of Adam, each on all windows of a sample.
    learning_rate : float > 0
    stride : int > 0
        Points between windows, or more where there would be over 256 of them.
    """

    given: int = 8
    units: int = 16
    steps: int = 60
    learning_rate: float = 1e-2
    stride: int = 2

    def shapes(self, channels: int) -> tuple[tuple[int, ...], ...]:
        """Shapes of input kernel, recurrent kernel, bias, output kernel and output bias; gates i, f, g, o."""
        wide = 4 * self.units
        return (channels, wide), (self.units, wide), (wide,), (self.units, channels), (channels,)

    def k(self, channels: int) -> int:
        """Weights of one network."""
        return sum(int(np.prod(shape)) for shape in self.shapes(channels))


def lstm_start(
    values: NDArray[np.float32], labels: NDArray[Any], settings: LstmSettings, *, seed: int = 42
) -> NDArray[np.float32]:
    """Average the networks of two samples per class, fitted from one random start.

    Parameters
    ----------
    values : NDArray of float32, shape=(n, *grid, channels)
        Training samples, in [0, 1].
    labels : shape=(n,)
    settings : LstmSettings
    seed : int
        Of the random start and of the choice of samples.

    Returns
    -------
    NDArray of float32, shape=(k,)
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    chosen = np.concatenate([order[labels[order] == name][:2] for name in np.unique(labels.astype(str))])
    first = np.concatenate([_draw(random, shape) for shape in settings.shapes(values.shape[-1])])
    return np.asarray(lstm_functas(values[chosen], first, settings).mean(axis=0), dtype=np.float32)


def lstm_functas(
    values: NDArray[np.float32], start: NDArray[np.float32], settings: LstmSettings
) -> NDArray[np.float32]:
    """Fit one LSTM to each sample from the start and return their weights, shape (n, k).

    Parameters
    ----------
    values : NDArray of float32, shape=(n, *grid, channels)
        In [0, 1].
    start : NDArray of float32, shape=(k,)
    settings : LstmSettings

    Raises
    ------
    ConfigError
        The samples are not longer than what is given.
    """
    points = int(np.prod(values.shape[1:-1]))
    if points <= settings.given:
        raise ConfigError(f"samples have {points} points; expected more than the {settings.given} that are given.")
    fit = _graph(settings, points)
    made = []
    for first in range(0, len(values), _BATCH):
        part = np.asarray(values[first : first + _BATCH]).reshape(-1, points, values.shape[-1])
        padded = np.concatenate([part, np.repeat(part[:1], _BATCH - len(part), axis=0)])
        weights = np.repeat(start[None].astype(np.float32), _BATCH, axis=0)
        made.append(fit(padded, weights).numpy()[: len(part)])
    return np.concatenate(made)


def _draw(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    reach = np.sqrt(6 / sum(shape)) if len(shape) == 2 else 0.0
    drawn: NDArray[np.float32] = random.uniform(-reach, reach, int(np.prod(shape))).astype(np.float32)
    return drawn


@lru_cache(maxsize=2)
def _graph(settings: LstmSettings, points: int) -> Any:
    tf = load_tensorflow()
    starts = np.arange(0, points - settings.given, max(settings.stride, points // _MOST_WINDOWS))
    inputs = starts[:, None] + np.arange(settings.given)

    def loss(samples: Any, weights: Any) -> Any:
        windows, following = tf.gather(samples, inputs, axis=1), tf.gather(samples, starts + settings.given, axis=1)
        return tf.reduce_sum(tf.reduce_mean((_predict(tf, settings, windows, weights) - following) ** 2, axis=(1, 2)))

    def step(samples: Any, done: Any, weights: Any, mean: Any, square: Any) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(samples, weights)
        gradient = tape.gradient(value, weights)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        count = tf.cast(done + 1, tf.float32)
        rate = settings.learning_rate * tf.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        return done + 1, weights - rate * mean / (tf.sqrt(square) + 1e-7), mean, square

    @tf.function(autograph=False)  # AutoGraph does not read Python 3.13
    def fit(samples: Any, weights: Any) -> Any:
        begin = (tf.constant(0), weights, tf.zeros_like(weights), tf.zeros_like(weights))
        return tf.while_loop(lambda done, *_: done < settings.steps, partial(step, samples), begin)[1]

    return fit


def _predict(tf: Any, settings: LstmSettings, windows: Any, weights: Any) -> Any:
    """Predict what follows windows of shape (b, w, given, channels) by weights of shape (b, k): (b, w, channels)."""
    shapes = settings.shapes(windows.shape[-1])
    flat = tf.split(weights, [int(np.prod(shape)) for shape in shapes], axis=1)
    kernel, recurrent, bias, out, out_bias = (
        tf.reshape(part, (-1, *shape)) for part, shape in zip(flat, shapes, strict=True)
    )
    state = memory = tf.zeros((*windows.shape[:2], settings.units))
    for place in range(settings.given):
        gates = windows[:, :, place] @ kernel + state @ recurrent + bias[:, None]
        enter, keep, new, leave = tf.split(gates, 4, axis=-1)
        memory = tf.sigmoid(keep + 1.0) * memory + tf.sigmoid(enter) * tf.tanh(new)
        state = tf.sigmoid(leave) * tf.tanh(memory)
    return state @ out + out_bias[:, None]
