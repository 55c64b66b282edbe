"""One modulation per sample: a short vector that moves a network shared by all (Dupont et al. 2022, Section 3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.config import checked_options
from fusion.encoders.kinds import EncoderKind
from fusion.encoders.learning import values_to_learn_from
from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, LayoutEntry, sines
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings
from fusion.modalities import Modality, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.kinds import Fitted
    from fusion.encoders.pool import Mapper
    from fusion.inr.modulation import SharedNetwork


@dataclass(frozen=True)
class ModulationConfig:
    """How one modulation per sample is fitted.

    Parameters
    ----------
    modality : Modality
        Its sizes may be open until resolved.
    size : int >= 1
        Length m of a modulation.
    hidden : tuple of int
        Units of each hidden layer of the shared network.
    omega : float > 0
        Frequency of its hidden layers. At 30, a SIREN's usual one, shifts of all layers hardly learned on images.
    fit : FitSettings
        Steps are plain gradient steps; the learned step sizes take the place of the learning rate.
    meta : MetaSettings
        How the shared network is learned.
    psnr_floor : float or None
        A modulation below this many dB is kept with status "below the PSNR floor".
    seed : int
        Seed of the first network and of the choice of samples to learn from.
    """

    modality: Modality
    size: int = 256
    hidden: tuple[int, ...] = (128, 128, 128)
    omega: float = 15.0
    fit: FitSettings = field(default_factory=lambda: FitSettings(steps=3))
    meta: MetaSettings = field(default_factory=lambda: MetaSettings(steps=1000, samples=2048))
    psnr_floor: float | None = None
    seed: int = 42

    kind = "modulation"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        object.__setattr__(self, "omega", float(self.omega))
        if self.size < 1:
            raise ConfigError(f"size of a modulation is {self.size}; expected 1 or more")
        sines(1, 1, self.hidden, self.omega)  # refuses what no modality can have

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """One array: the modulation."""
        return (("modulation", (self.size,), 0),)

    def network(self) -> Architecture:
        """Give the shared network's architecture with the modality's input and output sizes."""
        return sines(self.modality.d_in, self.modality.d_out, self.hidden, self.omega)

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, how a modulation becomes a network."""
        return {
            "architecture": self.network().to_dict(),
            "modulation": "weights are state/weights, their hidden biases, first layer first, plus "
            "state/directions @ modulation",
        }

    def with_modality(self, modality: Modality) -> ModulationConfig:
        """Give the same configuration for a modality whose sizes are known."""
        return replace(self, modality=modality)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        plain = asdict(self) | {"modality": self.modality.to_dict(), "fit": self.fit.to_dict()}
        return {"kind": self.kind, **plain, "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModulationConfig:
        """Read what `to_dict` wrote, or a user's subset of it; ConfigError when an option is unknown or wrong."""
        options = checked_options(cls, {**values, "fit": {"steps": 3} | dict(values.get("fit", {}))})
        if "meta" in options:
            options["meta"] = MetaSettings.from_dict({"steps": 1000, "samples": 2048} | dict(options["meta"]))
        return cls(**options)

    def sha256(self) -> str:
        """Hash of the whole configuration, in hex."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class ModulationState:
    """What is learned on training samples before the first fit.

    Parameters
    ----------
    weights : NDArray of float32, shape=(weights of the shared network,)
    directions : NDArray of float32, shape=(hidden units, m)
        Shift of each hidden unit's bias by each modulation.
    step_sizes : NDArray of float32, shape=(m,)
    scaling : Scaling
        Limits that map raw values to [0, 1].
    """

    weights: NDArray[np.float32]
    directions: NDArray[np.float32]
    step_sizes: NDArray[np.float32]
    scaling: Scaling

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Named arrays, as a store or a model folder keeps them."""
        learned = {name: getattr(self, name) for name in ("weights", "directions", "step_sizes")}
        return learned | {"low": self.scaling.low, "high": self.scaling.high}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ModulationState:
        """Read what `arrays` gave."""
        names = ("weights", "directions", "step_sizes", "low", "high")
        weights, directions, sizes, low, high = (np.asarray(arrays[name], dtype=np.float32) for name in names)
        return cls(weights, directions, sizes, Scaling(low, high))

    def shared(self, config: ModulationConfig) -> SharedNetwork:
        """Give the shared network that the arrays belong to."""
        from fusion.inr.modulation import SharedNetwork

        return SharedNetwork(config.network(), self.weights, self.directions, self.step_sizes)


def learn_modulation_state(
    config: ModulationConfig,
    scaling: Scaling,
    training: Iterable[Sample],
    mapper: Mapper,  # noqa: ARG001 - every kind's
) -> ModulationState:
    """Learn the shared network, the map of the modulations and their step sizes."""
    from fusion.inr.modulation import learn_shared

    values = values_to_learn_from(config.modality, scaling, training, config.meta.samples, config.seed)
    coordinates = config.modality.coordinates()
    shared = learn_shared(config.network(), config.size, coordinates, values, config.meta, seed=config.seed)
    return ModulationState(shared.weights, shared.directions, shared.step_sizes, scaling)


def _fit(config: ModulationConfig, state: ModulationState, values: NDArray[np.float32]) -> Fitted:
    from fusion.inr.modulation import fit_modulations

    result = fit_modulations(state.shared(config), config.modality.coordinates(), values, config.fit)
    return result.weights, result.mse, result.steps


def _weights(config: ModulationConfig, state: ModulationState, row: NDArray[np.float32]) -> NDArray[np.float32]:
    return state.shared(config).modulated(row)


def _step_sizes(config: ModulationConfig, state: ModulationState) -> str:  # noqa: ARG001
    return "the learned step sizes"


KIND = EncoderKind(
    config_from_dict=ModulationConfig.from_dict,
    state_from_arrays=ModulationState.from_arrays,
    learn=learn_modulation_state,
    fit=_fit,
    weights=_weights,
    step_sizes=_step_sizes,
)
