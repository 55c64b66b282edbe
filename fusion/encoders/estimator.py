"""The functa encoder as a scikit-learn transformer, for arrays already in memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fusion.datasets.base import Sample
from fusion.datasets.by_place import cells_of, samples_by_place
from fusion.datasets.memory import raw_of
from fusion.encoders.config import FunctaConfig
from fusion.encoders.learning import chunks, learn_encoder
from fusion.encoders.pool import worker_pool
from fusion.encoders.presets import with_preset
from fusion.encoders.reach import Reach
from fusion.errors import DataError
from fusion.inr.metrics import psnr
from fusion.modalities import modality_from_dict
from fusion.names import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from fusion.encoders.encoder import Encoder

_CHUNK = 256
_MOST = 0.5
"""Of the samples that a transformer warns of: of the few in a fold one often lies elsewhere than the others."""


class FunctaEncoder(TransformerMixin, BaseEstimator):
    """Turn each sample into the weights of a network fitted to it from one shared start.

    Parameters
    ----------
    modality : str
        Name of the modality, such as ``sensor``.
    architecture : str
        ``paper``, ``siren``, ``paper-half`` or ``siren-half``.
    omegas : tuple of float or None
        Frequency of each hidden layer; None takes the modality's preset.
    steps : int or None
        Gradient steps; None takes the modality's preset.
    learning_rate : float or None
        Adam's rate; None takes the modality's preset.
    initialisation : {"class-average", "random", "meta"}
        The shared start.
    samples_per_class : int
        Samples of each class that the averaged start is made of.
    seed : int
    workers : int or None
        Processes; 1 works in this process, None is one per core.

    Attributes
    ----------
    encoder_ : Encoder
        The configuration with all sizes known, and the start and the value scaling that were learned in `fit`.
    n_features_out_ : int
        Length k of a functa.

    Notes
    -----
    Malherbe, Section 3.2. For data on disk use `fusion.encode`, which streams, resumes and keeps IDs.
    """

    def __init__(
        self,
        modality: str = "sensor",
        *,
        architecture: str = "paper",
        omegas: tuple[float, ...] | None = None,
        steps: int | None = None,
        learning_rate: float | None = None,
        initialisation: str = "class-average",
        samples_per_class: int = 2,
        seed: int = 42,
        workers: int | None = 1,
    ) -> None:
        self.modality = modality
        self.architecture = architecture
        self.omegas = omegas
        self.steps = steps
        self.learning_rate = learning_rate
        self.initialisation = initialisation
        self.samples_per_class = samples_per_class
        self.seed = seed
        self.workers = workers

    def fit(self, X: Sequence[ArrayLike], y: Sequence[Any] | None = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn the start and the value scaling from training samples.

        Parameters
        ----------
        X : sequence of array_like
            Raw samples, such as windows of shape (readings, channels), or a `Recording` each.
        y : sequence, optional
            Labels; the averaged start takes samples of each class. Without them all samples are one class.

        Raises
        ------
        DataError
            When there are no samples, or not as many labels.
        """
        raws = list(_by_place(samples_by_place(X), len(X)))
        labels = [None] * len(raws) if y is None else [name_of(label, "label") for label in cells_of(y, "labels")]
        if len(labels) != len(raws):
            raise DataError(f"{len(labels)} labels for {len(raws)} samples; expected as many of both")
        samples = [
            Sample(f"{index}", label, "train", None, partial(raw_of, raw))
            for index, (raw, label) in enumerate(zip(raws, labels, strict=True))
        ]
        with worker_pool(self.workers) as mapper:
            self.encoder_ = learn_encoder(self._config(), samples, mapper)
        self.n_features_out_: int = self.encoder_.config.k
        return self

    def transform(self, X: Sequence[ArrayLike]) -> NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """Fit one functa to each sample, shape (b, k); raises SampleError at the first that cannot be used.

        Warns where most samples lie mostly outside the range that `fit` learned, to which they are cut.
        """
        return np.concatenate([fitted.weights for fitted in self._fitted(X)] or [self._no_rows()])

    def psnr(self, X: Sequence[ArrayLike]) -> NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """How well each sample's functa reproduces it, in dB, shape (b,)."""
        return psnr(np.concatenate([fitted.mse for fitted in self._fitted(X)] or [np.empty(0, np.float32)]))

    def inverse_transform(self, X: NDArray[Any], scale: float = 1.0) -> NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """Decode functas of shape (b, k) to raw samples of shape (b, *grid, channels), `scale` times as fine."""
        check_is_fitted(self)
        rows = np.atleast_2d(np.asarray(X, np.float32))
        k, modality = self.n_features_out_, self.encoder_.config.modality
        grid = modality.scaled_grid(scale)
        if not rows.size:
            return np.empty((0, *grid, modality.d_out), np.float32)
        if rows.shape[1:] != (k,):
            raise DataError(f"functas of shape {np.shape(X)}; expected (n, {k}), as transform gives them")
        return np.stack([self.encoder_.decode(functa, scale) for functa in rows])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:  # noqa: ARG002 - scikit-learn's signature
        """Name each weight after its layer, such as ``dense_0/kernel[3]``."""
        check_is_fitted(self)
        names = [
            f"{name}[{index}]"
            for name, shape, _ in self.encoder_.config.network().layout
            for index in range(int(np.prod(shape)))
        ]
        return np.asarray(names, dtype=object)

    @property
    def _n_features_out(self) -> int:
        return self.n_features_out_

    def _config(self) -> FunctaConfig:
        options: dict[str, Any] = {
            "architecture": self.architecture,
            "initialisation": self.initialisation,
            "samples_per_class": self.samples_per_class,
            "seed": self.seed,
        }
        if self.omegas is not None:
            options["omegas"] = self.omegas
        given: Mapping[str, Any] = {"steps": self.steps, "learning_rate": self.learning_rate}
        options["fit"] = {name: value for name, value in given.items() if value is not None}
        return FunctaConfig.from_dict(with_preset(modality_from_dict({"name": self.modality}), options))

    def _fitted(self, samples: Sequence[ArrayLike]) -> Iterator[_Fitted]:
        check_is_fitted(self)
        task, reach = partial(_fit_chunk, encoder=self.encoder_), Reach()
        with worker_pool(self.workers) as mapper:
            for fitted in mapper(task, chunks(enumerate(_in_order(samples)), _CHUNK)):
                reach = reach.and_more(fitted.reach)
                yield fitted
        for told in self.encoder_.reach_told({"": reach}, share=_MOST):
            warnings.warn(told, stacklevel=4)

    def _no_rows(self) -> NDArray[np.float32]:
        return np.empty((0, self.n_features_out_), np.float32)


def _in_order(samples: Iterable[Any]) -> Iterator[Any]:
    """Give samples by position, whatever index they carry, or as an iterator gives them."""
    if isinstance(samples, Iterator):
        return samples
    return _by_place(samples_by_place(samples), len(samples))  # type: ignore[arg-type]


def _by_place(samples: Any, count: int) -> Iterator[Any]:
    return (samples[place] for place in range(count))


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Weights (b, k) and errors (b,) of some samples, and where these lie in the ranges of the training."""

    weights: NDArray[np.float32]
    mse: NDArray[np.float32]
    reach: Reach


def _fit_chunk(placed: list[tuple[int, ArrayLike]], encoder: Encoder) -> _Fitted:
    prepared = {f"{place}": encoder.config.modality.prepare(raw_of(raw)) for place, raw in placed}
    weights, mse, _ = encoder.fit(encoder.values(list(prepared.values())))
    return _Fitted(weights, mse, reduce(Reach.and_more, (encoder.reach(*one) for one in prepared.items())))
