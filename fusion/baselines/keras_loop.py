"""The paper's way to fit: one Keras model and one `fit` call for each sample, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.inr.architecture import flatten, unflatten
from fusion.inr.tensorflow_engine import load_tensorflow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.inr.architecture import Architecture
    from fusion.inr.settings import FitSettings


class KerasLoop:
    """Fits samples one by one; the model is built and compiled once, weights and Adam's state start anew for each.

    Parameters
    ----------
    architecture : Architecture
    settings : FitSettings
        Steps and a constant learning rate; each step is an epoch of one full batch.

    Notes
    -----
    Malherbe, Section 5.1.2. Building a model for each sample, as is often done, would be slower still.
    """

    def __init__(self, architecture: Architecture, settings: FitSettings) -> None:
        self.architecture = architecture
        self.settings = settings
        keras = load_tensorflow().keras
        layers = [keras.Input((architecture.d_in,))]
        for width, omega in zip(architecture.hidden, architecture.omegas, strict=True):
            layers.append(keras.layers.Dense(width, activation=_sine(keras, omega)))
        layers.append(keras.layers.Dense(architecture.d_out, activation=architecture.output))
        self.model = keras.Sequential(layers)
        self.model.compile(optimizer=keras.optimizers.Adam(settings.learning_rate), loss="mse")
        self.model.optimizer.build(self.model.trainable_variables)
        self._fresh = [variable.numpy() for variable in self.model.optimizer.variables]

    def fit(
        self, start: NDArray[Any], coordinates: NDArray[Any], values: NDArray[Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Fit samples from one start.

        Parameters
        ----------
        start : NDArray, shape=(k,)
        coordinates : NDArray, shape=(n, d_in)
        values : NDArray, shape=(b, n, d_out)

        Returns
        -------
        weights : NDArray of float32, shape=(b, k)
        mse : NDArray of float32, shape=(b,)
        """
        weights = np.stack([self._fit_one(start, coordinates, sample) for sample in values])
        return weights, np.array([self._error(theta, coordinates, y) for theta, y in zip(weights, values, strict=True)])

    def _fit_one(self, start: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float32]:
        layout = self.architecture.layout
        self.model.set_weights(list(unflatten(start, layout).values()))
        for variable, fresh in zip(self.model.optimizer.variables, self._fresh, strict=True):
            variable.assign(fresh)
        self.model.fit(x, y, batch_size=len(x), epochs=self.settings.steps, shuffle=False, verbose=0)
        names = [name for name, _, _ in layout]
        return flatten(dict(zip(names, self.model.get_weights(), strict=True)), layout)

    def _error(self, theta: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> np.float32:
        from fusion.inr.forward import forward

        return np.float32(np.mean((forward(self.architecture, theta, x) - y) ** 2))


def _sine(keras: Any, omega: float) -> Any:
    return lambda angle: keras.ops.sin(omega * angle)
