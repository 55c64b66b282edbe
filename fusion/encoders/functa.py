"""One functa per sample: the weights of a network fitted to it from the shared start (paper, Section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from fusion.encoders.config import FunctaConfig
from fusion.encoders.encoder import Encoder
from fusion.encoders.learning import SPARE, smallest_by_hash, usable_arrays, values_to_learn_from
from fusion.errors import DataError
from fusion.inr.initialisation import random_start
from fusion.modalities import Scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets import Sample
    from fusion.encoders.pool import Mapper
    from fusion.encoders.rows import Fitted


@dataclass(frozen=True, eq=False)
class Functas(Encoder):
    """Fits one network to each sample.

    Parameters
    ----------
    config : FunctaConfig
    scaling : Scaling
        Limits that map raw values to [0, 1].
    start : NDArray of float32, shape=(k,)
        The shared start.
    step_sizes : NDArray of float32, shape=(k,), or None
        Rate of each weight in a fit by plain gradient steps, learned with the start ``meta``; None: Adam.
    """

    start: NDArray[np.float32]
    step_sizes: NDArray[np.float32] | None = None

    config_class = FunctaConfig
    learned: ClassVar[str] = "start and scaling"
    has_dictionary: ClassVar[bool] = False

    @classmethod
    def learn(cls, config: FunctaConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper) -> Self:
        """Draw, average or learn the shared start, as the configuration says."""
        if config.meta is not None:
            from fusion.inr.meta import learn_start

            network, coordinates = config.network(), config.modality.coordinates()
            values = values_to_learn_from(config.modality, scaling, training, config.meta.samples, config.seed)
            start, sizes = learn_start(network, coordinates, values, config.meta, seed=config.seed)
            return cls(config, scaling, start, sizes)
        drawn = cls(config, scaling, random_start(config.network(), config.seed))
        if config.initialisation == "class-average":
            return cls(config, scaling, drawn._class_average(training, mapper))
        return drawn

    @classmethod
    def from_arrays(cls, config: FunctaConfig, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `arrays` gave."""
        start, low, high = (np.asarray(arrays[name], dtype=np.float32) for name in ("start", "low", "high"))
        sizes = np.asarray(arrays["step_sizes"], dtype=np.float32) if "step_sizes" in arrays else None
        return cls(config, Scaling(low, high), start, sizes)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Give start, limits, and step sizes where they were learned."""
        arrays = {"start": self.start, "low": self.scaling.low, "high": self.scaling.high}
        return arrays if self.step_sizes is None else arrays | {"step_sizes": self.step_sizes}

    def fit(self, values: NDArray[np.float32]) -> Fitted:
        """Fit values (b, n, d_out) from the start; gives weights (b, k), mse (b,) and steps (b,)."""
        from fusion.inr.engine import fit

        config, coordinates = self.config, self.config.modality.coordinates()
        result = fit(config.network(), self.start, coordinates, values, config.fit, step_sizes=self.step_sizes)
        return result.weights, result.mse, result.steps

    @property
    def device(self) -> str:
        """Where the engine fits."""
        from fusion.inr.engine import backend_for

        return backend_for(self.config.network())

    def weights(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the row: it is the weights."""
        return row

    @property
    def step_size(self) -> str:
        """How large a fit's steps are, in words."""
        return "the learned step sizes" if self.step_sizes is not None else super().step_size

    def _class_average(self, training: Iterable[Sample], mapper: Mapper) -> NDArray[np.float32]:
        """Average the weights of a few samples of each class, fitted from the random start (paper, Section 5.1.2)."""
        candidates = smallest_by_hash(training, self.config.samples_per_class + SPARE, self.config.seed)
        fitted = mapper(self._fit_first, [candidates[label] for label in sorted(candidates)])
        weights = np.concatenate(list(fitted))
        if not len(weights):
            raise DataError("no training sample can be used for the averaged start")
        average: NDArray[Any] = weights.mean(axis=0, dtype=np.float64)
        return average.astype(np.float32)

    def _fit_first(self, candidates: list[Sample]) -> NDArray[np.float32]:
        chosen = list(islice(usable_arrays(candidates, self.config.modality), self.config.samples_per_class))
        weights = self.fit(self.values(chosen))[0]
        return weights[np.isfinite(weights).all(axis=1)]
