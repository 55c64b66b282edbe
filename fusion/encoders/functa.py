"""One functa per sample: the weights of a network fitted to it from the shared start (paper, Section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.config import FunctaConfig
from fusion.encoders.kinds import EncoderKind, normalised
from fusion.encoders.learning import SPARE, smallest_by_hash, usable_arrays, values_to_learn_from
from fusion.errors import DataError
from fusion.inr.initialisation import random_start
from fusion.modalities import Scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.kinds import Fitted
    from fusion.encoders.pool import Mapper


@dataclass(frozen=True, eq=False)
class FunctaState:
    """What is learned on training samples before the first fit.

    Parameters
    ----------
    start : NDArray of float32, shape=(k,)
        The shared start.
    scaling : Scaling
        Limits that map raw values to [0, 1].
    step_sizes : NDArray of float32, shape=(k,), or None
        Rate of each weight in a fit by plain gradient steps, learned with the start ``meta``; None: Adam.
    """

    start: NDArray[np.float32]
    scaling: Scaling
    step_sizes: NDArray[np.float32] | None = None

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Named arrays, as a store or a model folder keeps them."""
        arrays = {"start": self.start, "low": self.scaling.low, "high": self.scaling.high}
        return arrays if self.step_sizes is None else arrays | {"step_sizes": self.step_sizes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FunctaState:
        """Read what `arrays` gave."""
        start, low, high = (np.asarray(arrays[name], dtype=np.float32) for name in ("start", "low", "high"))
        sizes = np.asarray(arrays["step_sizes"], dtype=np.float32) if "step_sizes" in arrays else None
        return cls(start, Scaling(low, high), sizes)


def learn_functa_state(
    config: FunctaConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper
) -> FunctaState:
    """Draw, average or learn the shared start, as the configuration says."""
    if config.meta is not None:
        from fusion.inr.meta import learn_start

        values = values_to_learn_from(config.modality, scaling, training, config.meta.samples, config.seed)
        learned = learn_start(config.network(), config.modality.coordinates(), values, config.meta, seed=config.seed)
        return FunctaState(learned[0], scaling, learned[1])
    state = FunctaState(random_start(config.network(), config.seed), scaling)
    if config.initialisation == "class-average":
        return FunctaState(_class_average(config, state, training, mapper), scaling)
    return state


def _class_average(
    config: FunctaConfig, state: FunctaState, training: Iterable[Sample], mapper: Mapper
) -> NDArray[np.float32]:
    """Average the weights of a few samples of each class, fitted from the random start (paper, Section 5.1.2)."""
    candidates = smallest_by_hash(training, config.samples_per_class + SPARE, config.seed)
    fitted = mapper(
        partial(_fit_first, config=config, state=state), [candidates[label] for label in sorted(candidates)]
    )
    weights = np.concatenate(list(fitted))
    if not len(weights):
        raise DataError("no training sample can be used for the averaged start")
    average: NDArray[Any] = weights.mean(axis=0, dtype=np.float64)
    return average.astype(np.float32)


def _fit_first(candidates: list[Sample], config: FunctaConfig, state: FunctaState) -> NDArray[np.float32]:
    chosen = list(islice(usable_arrays(candidates, config.modality), config.samples_per_class))
    weights = fit_functas(config, state, normalised(chosen, config, state))[0]
    return weights[np.isfinite(weights).all(axis=1)]


def fit_functas(config: FunctaConfig, state: FunctaState, values: NDArray[np.float32]) -> Fitted:
    """Fit values (b, n, d_out) from the state's start; gives weights (b, k), mse (b,) and steps (b,)."""
    from fusion.inr.engine import fit

    coordinates = config.modality.coordinates()
    result = fit(config.network(), state.start, coordinates, values, config.fit, step_sizes=state.step_sizes)
    return result.weights, result.mse, result.steps


def _weights(config: FunctaConfig, state: FunctaState, row: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG001
    return row


def _step_sizes(config: FunctaConfig, state: FunctaState) -> str:
    return "the learned step sizes" if state.step_sizes is not None else f"learning rate {config.fit.learning_rate}"


KIND = EncoderKind(
    config_from_dict=FunctaConfig.from_dict,
    state_from_arrays=FunctaState.from_arrays,
    learn=learn_functa_state,
    fit=fit_functas,
    weights=_weights,
    step_sizes=_step_sizes,
)
