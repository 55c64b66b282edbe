"""Conventional networks on raw values: Conv1D for signals, Conv2D for images and maps, Conv3D for video, in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fusion.errors import DataError
from fusion.inr.tensorflow_engine import load_tensorflow
from fusion.splits import hold_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Change = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]

__all__ = ["ConvNet"]

_FILTERS = (32, 64, 128)
_LONG = 4096
_EPOCHS, _PATIENCE = 60, 8
_ANNEALED_EPOCHS, _MOST_LONGER = 40, 5
_FEW = 1200  # an epoch of fewer rows is too few steps to judge by
_MOMENTUM = 0.9  # of 0.99, Keras's own, the averages have not settled after the few batches of a small data set


class ConvNet:
    """Three blocks of two convolutions, batch normalisation and pooling, then a global average and a dense softmax.

    Parameters
    ----------
    filters : tuple of int
        Of each block.
    epochs : int > 0 or None
        Most epochs. None = 60, of under 1,200 rows as many more as give about the same number of steps.
    patience : int > 0 or None
        Epochs without a lower loss of the held-out part; the best weights are kept. None = 8, and more like `epochs`.
    batch : int > 0
    learning_rate : float > 0
        Of Adam.
    validation_fraction : float in (0, 1)
        Part of the training groups that early stopping watches.
    annealed : bool
        Let the learning rate fall to 0 along a cosine over all epochs, 40 if they are not given and up to 200 of few
        rows, on all training rows; nothing is held out and nothing stops early.
    augmentation : callable, optional
        Changes a batch of training samples, such as `Augmentation`.
    seed : int
        Of weights, dropout, order, augmentation and held-out groups.

    Notes
    -----
    Malherbe, Sections 5.2.2, 5.3.2 and 5.5.2, names "Conv2D", "Conv3D" and "Conv1D" without sizes; this is the common
    small network of its kind. A signal longer than 4,096 points is first read with a stride.
    """

    def __init__(
        self,
        *,
        filters: tuple[int, ...] = _FILTERS,
        epochs: int | None = None,
        patience: int | None = None,
        batch: int = 32,
        learning_rate: float = 1e-3,
        validation_fraction: float = 0.2,
        annealed: bool = False,
        augmentation: Change | None = None,
        seed: int = 42,
    ) -> None:
        self.filters = filters
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.annealed = annealed
        self.augmentation = augmentation
        self.seed = seed

    def fit(
        self, values: NDArray[np.float32], rows: NDArray[np.intp], labels: NDArray[Any], groups: NDArray[Any] | None
    ) -> Self:
        """Train on some rows of `values`, shape (n, *grid, d_out), with their labels and groups, shape (r,).

        Raises
        ------
        DataError
            One class only.
        """
        self.classes_, codes = np.unique(labels.astype(str), return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"the {len(rows)} training rows hold one class only; expected at least two classes.")
        held = np.zeros(len(rows), bool)
        if not self.annealed:
            held = hold_out(codes, groups, fraction=self.validation_fraction, seed=self.seed)
        keras = load_tensorflow().keras
        self.model_ = _build(keras, values.shape[1:], len(self.classes_), self.filters, self.seed)
        learned = _batches(keras, values, rows[~held], codes[~held], self.batch, self.seed, self.augmentation)
        longer = max(1, round(_FEW / int(np.sum(~held))))
        rate: Any = self.learning_rate
        watching: dict[str, Any] = {}
        if self.annealed:
            epochs = self.epochs or _ANNEALED_EPOCHS * min(longer, _MOST_LONGER)
            rate = keras.optimizers.schedules.CosineDecay(rate, epochs * len(learned))
        else:
            epochs = self.epochs or _EPOCHS * longer
            watched = held if held.any() else ~held
            patience = self.patience or _PATIENCE * longer
            watching = {
                "validation_data": _batches(keras, values, rows[watched], codes[watched], self.batch, None, None),
                "callbacks": [keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)],
            }
        self.model_.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
        history = self.model_.fit(learned, epochs=epochs, shuffle=False, verbose=0, **watching)
        self.epochs_ = len(history.history["loss"])
        self.weights_ = int(self.model_.count_params())
        return self

    def predict(self, values: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.object_]:
        """Return the most probable class of some rows, shape (r,)."""
        found = []
        for first in range(0, len(rows), self.batch):
            part = rows[first : first + self.batch]
            short = self.batch - len(part)  # one shape for all batches, so that the graph is traced once
            padded = np.concatenate([part, np.repeat(part[:1], short)])
            found.append(np.asarray(self.model_.predict_on_batch(values[padded]))[: len(part)])
        return np.asarray(self.classes_[np.concatenate(found).argmax(axis=1)], dtype=object)


def _build(keras: Any, shape: tuple[int, ...], classes: int, filters: tuple[int, ...], seed: int) -> Any:
    rank = len(shape) - 1
    layers = keras.layers
    conv, pool, average = (getattr(layers, f"{name}{rank}D") for name in ("Conv", "MaxPooling", "GlobalAveragePooling"))
    seeds = iter(range(seed, seed + 1000))
    stack = [keras.Input(shape), layers.BatchNormalization(momentum=_MOMENTUM)]
    size = list(shape[:-1])

    def convolution(width: int, kernel: int, stride: int = 1) -> list[Any]:
        initial = keras.initializers.HeNormal(seed=next(seeds))
        made = conv(width, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer=initial)
        return [made, layers.BatchNormalization(momentum=_MOMENTUM), layers.ReLU()]

    kernel = 7 if rank == 1 else 3
    while rank == 1 and size[0] > _LONG:
        stack += convolution(filters[0], 16, 8)
        size[0] = -(-size[0] // 8)
    for width in filters:
        stack += convolution(width, kernel) + convolution(width, kernel)
        factors = tuple(2 if points >= 4 else 1 for points in size)
        stack.append(pool(factors))
        size = [points // factor for points, factor in zip(size, factors, strict=True)]
    final = keras.initializers.GlorotUniform(seed=next(seeds))
    stack += [average(), layers.Dropout(0.3, seed=seed)]
    stack.append(layers.Dense(classes, activation="softmax", kernel_initializer=final))
    return keras.Sequential(stack)


def _batches(
    keras: Any,
    values: NDArray[np.float32],
    rows: NDArray[np.intp],
    codes: NDArray[np.intp],
    batch: int,
    seed: int | None,
    change: Change | None,
) -> Any:
    """Rows of an array, in memory or in a file, batch by batch; shuffled and changed anew each epoch with a seed."""

    class Batches(keras.utils.PyDataset):
        def __init__(self) -> None:
            super().__init__()
            self.epoch = 0
            self.on_epoch_end()

        def __len__(self) -> int:
            return -(-len(rows) // batch)

        def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
            part = np.sort(self.order[number * batch : (number + 1) * batch])
            samples = values[rows[part]]
            if seed is not None and change is not None:
                samples = change(samples, np.random.default_rng((seed, self.epoch, number)))
            return samples, codes[part]

        def on_epoch_end(self) -> None:
            plain = np.arange(len(rows))
            self.order = plain if seed is None else np.random.default_rng((seed, self.epoch)).permutation(plain)
            self.epoch += 1

    return Batches()
