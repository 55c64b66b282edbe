"""One modulation per sample: a short vector that moves a network shared by all (Dupont et al. 2022, Section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from fusion.encoders.encoder import Encoder, EncoderConfig, ModalityField
from fusion.encoders.learning import values_to_learn_from
from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, LayoutEntry, sines
from fusion.inr.meta_settings import MetaSettings
from fusion.inr.settings import FitSettings
from fusion.modalities import Scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets import Sample
    from fusion.encoders.pool import Mapper
    from fusion.encoders.rows import Fitted
    from fusion.inr.modulation import SharedNetwork

_FIT = {"steps": 3}
_META = {"steps": 1000, "samples": 2048}
_LEARNED = ("weights", "directions", "step_sizes")


@dataclass(frozen=True)
class ModulationConfig(EncoderConfig):
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

    modality: ModalityField
    size: int = 256
    hidden: tuple[int, ...] = (128, 128, 128)
    omega: float = 15.0
    fit: FitSettings = field(default_factory=lambda: FitSettings(steps=3))
    meta: MetaSettings = field(default_factory=lambda: MetaSettings(steps=1000, samples=2048))
    psnr_floor: float | None = None
    seed: int = 42

    kind: ClassVar[str] = "modulation"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "hidden", tuple(int(width) for width in self.hidden))
        object.__setattr__(self, "omega", float(self.omega))
        if self.size < 1:
            raise ConfigError(f"size of a modulation is {self.size}; expected 1 or more")
        sines(1, 1, self.hidden, self.omega)  # refuses what no modality can have

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """One array: the modulation."""
        return (("modulation", (self.size,), 0),)

    def in_learning_steps(self, steps: int) -> ModulationConfig:
        """Give the same configuration with so many changes of the shared network."""
        return replace(self, meta=replace(self.meta, steps=steps))

    def learning_steps(self) -> int:
        """Count the changes of the shared network that its time allows."""
        from fusion.inr.meta import affordable_changes

        return affordable_changes(self.network(), self.modality.coordinates(), self.meta)

    @property
    def learning_samples(self) -> int:
        """How many samples the shared network is learned from at most."""
        return self.meta.samples

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

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, or a user's part of it; what is left out of `fit` and `meta` has own defaults."""
        fit, meta = ({**default, **dict(values.get(name, {}))} for name, default in (("fit", _FIT), ("meta", _META)))
        return super().from_dict({**values, "fit": fit, "meta": meta})


@dataclass(frozen=True, eq=False)
class Modulations(Encoder):
    """Fits a short vector to each sample, which moves the network that all share.

    Parameters
    ----------
    config : ModulationConfig
    scaling : Scaling
        Limits that map raw values to [0, 1].
    shared : SharedNetwork
        Weights of the shared network, the shift of each hidden unit's bias by each modulation, and step sizes.
    """

    shared: SharedNetwork

    config_class = ModulationConfig
    learned: ClassVar[str] = "shared network"
    has_dictionary: ClassVar[bool] = True

    @classmethod
    def learn(cls, config: ModulationConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper) -> Self:  # noqa: ARG003
        """Learn the shared network, the map of the modulations and their step sizes."""
        from fusion.inr.modulation import learn_shared

        values = values_to_learn_from(config.modality, scaling, training, config.meta.samples, config.seed)
        coordinates = config.modality.coordinates()
        return cls(
            config,
            scaling,
            learn_shared(config.network(), config.size, coordinates, values, config.meta, seed=config.seed),
        )

    @classmethod
    def from_arrays(cls, config: ModulationConfig, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `arrays` gave."""
        from fusion.inr.modulation import SharedNetwork

        names = (*_LEARNED, "low", "high")
        *learned, low, high = (np.asarray(arrays[name], dtype=np.float32) for name in names)
        return cls(config, Scaling(low, high), SharedNetwork(config.network(), *learned))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Give the shared network's arrays and the limits."""
        learned = {name: getattr(self.shared, name) for name in _LEARNED}
        return learned | {"low": self.scaling.low, "high": self.scaling.high}

    def fit(self, values: NDArray[np.float32]) -> Fitted:
        """Fit values (b, n, d_out) by plain gradient steps; gives modulations (b, m), mse (b,) and steps (b,)."""
        from fusion.inr.modulation import fit_modulations

        result = fit_modulations(self.shared, self.config.modality.coordinates(), values, self.config.fit)
        return result.weights, result.mse, result.steps

    def weights(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the shared weights with their hidden biases shifted by a modulation."""
        return self.shared.modulated(row)

    @property
    def step_size(self) -> str:
        """How large a fit's steps are, in words."""
        return "the learned step sizes"
