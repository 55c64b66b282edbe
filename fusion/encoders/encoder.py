"""What every encoder is: one frozen configuration, and one object that holds it with all that was learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import PlainValidator

from fusion.encoders.reach import Reach
from fusion.encoders.rows import Encoded, Fitted, encode_samples
from fusion.errors import ConfigError
from fusion.inr.engine import evaluate
from fusion.modalities import Modality, coordinate_grid, modality_from_dict
from fusion.plugins import load_attribute
from fusion.settings import STRICT, plain_values, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets import Sample
    from fusion.encoders.pool import Mapper
    from fusion.inr.architecture import Architecture, LayoutEntry
    from fusion.inr.settings import FitSettings
    from fusion.modalities import Scaling
    from store import FunctaStore

_ENCODERS = {
    "columns": "fusion.encoders.columns:Columns",
    "functa": "fusion.encoders.functa:Functas",
    "local": "fusion.encoders.local.local:LocalFunctas",
    "modulation": "fusion.encoders.modulation:Modulations",
    "vectors": "fusion.encoders.vectors:Vectors",
}

_MOST_SEED = 1 << 63
"""Names are ordered by a hash whose key is a seed of eight bytes, see `fusion.splits.seeded_hash`."""

ModalityField = Annotated[Modality, PlainValidator(modality_from_dict)]


class EncoderConfig(ABC):
    """A frozen, hashable dataclass of settings, one class for each kind of encoder.

    Attributes
    ----------
    kind : str
        Name of the kind.
    modality : Modality
        Its sizes may be open until `with_modality` fills them in.
    fit : FitSettings
        How one sample is fitted.
    psnr_floor : float or None
        A row below this many dB is marked.
    seed : int
        Of everything that is drawn and learned.
    """

    __pydantic_config__ = STRICT
    kind: ClassVar[str]
    missing_values: ClassVar[bool] = False
    """Whether a row may lack some of its numbers, as NaN."""
    modality: Modality
    fit: FitSettings
    psnr_floor: float | None
    seed: int

    @property
    @abstractmethod
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(name, shape, offset) of every array inside a row."""

    @abstractmethod
    def network(self) -> Architecture:
        """Give the network whose steps a fit takes."""

    @abstractmethod
    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, how a row becomes a network."""

    @property
    def k(self) -> int:
        """Length of a row."""
        _, shape, offset = self.layout[-1]
        return int(offset + np.prod(shape))

    def __post_init__(self) -> None:
        if not 0 <= self.seed < _MOST_SEED:
            raise ConfigError(f"seed is {self.seed}; expected 0 to 2^63 - 1")

    @property
    def learns_start(self) -> bool:
        """Whether more than the scaling is learned from training samples."""
        return True

    @property
    def learns(self) -> bool:
        """Whether anything but sizes is learned from training samples: the scaling, or what the fit begins from."""
        return self.learns_start or self.modality.fixed_scaling() is None

    @property
    def sample_flops(self) -> float:
        """Cost of a sample: multiplications and additions of the matrix products in its fit."""
        points = min(self.fit.coordinates_per_step or self.modality.points, self.modality.points)
        return float(self.network().flops_per_coordinate * points * max(1, self.fit.steps))

    def fits_to_learn(self, classes: int) -> int:  # noqa: ARG002 - of the kinds that fit samples of each class
        """Count the samples that are fitted while the start is learned."""
        return 0

    def without_learning(self) -> Self | None:
        """Give a configuration whose samples cost the same and that learns no start; None where there is none."""
        return None

    def in_learning_steps(self, steps: int) -> Self | None:  # noqa: ARG002 - of the kinds that learn step by step
        """Give the same configuration that learns in so many steps; None where it does not learn in steps."""
        return None

    def learning_steps(self) -> int:
        """Count the steps in which it learns."""
        return 0

    @property
    def learning_samples(self) -> int:
        """How many samples it learns from at most, beside the scaling."""
        return 0

    def learning_share(self, samples: int, of: int) -> float:  # noqa: ARG002 - of the kinds whose steps look at all
        """Tell which part of the time a step of learning takes with so few samples, of that with so many."""
        return 1.0

    def with_modality(self, modality: Modality) -> Self:
        """Give the same configuration for a modality whose sizes are known."""
        return replace(self, modality=modality)  # type: ignore[type-var]

    def for_training(self, training: Iterable[Sample]) -> Self:  # noqa: ARG002 - of the kinds that leave sizes open
        """Give the same configuration with the sizes that so many training samples are enough for."""
        return self

    def with_sizes_of(self, stored: Mapping[str, Any]) -> Self:  # noqa: ARG002 - of the kinds that leave sizes open
        """Give the same configuration with the sizes it leaves open taken from what `to_dict` of another gave."""
        return self

    def reductions(self, asked: EncoderConfig) -> tuple[str, ...]:  # noqa: ARG002 - of the kinds that leave sizes open
        """Say which sizes are smaller than the preset's that was asked for, and why."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `encoder_config_from_dict` reads them back."""
        return {"kind": self.kind, **plain_values(self), "modality": self.modality.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, or a user's part of it; ConfigError when an option is unknown or wrong."""
        options = dict(values)
        kind = options.pop("kind", cls.kind)
        if kind != cls.kind:
            raise ConfigError(f"the encoder's kind is {kind!r}; expected {cls.kind!r}")
        return read_settings(cls, options, what="encoder")


@dataclass(frozen=True, eq=False)
class Encoder(ABC):
    """A configuration and what was learned with it on training samples: raw samples to rows of a store, and back.

    Rows are a pure function of configuration, learned arrays and sample.

    Parameters
    ----------
    config : EncoderConfig
        With all sizes known.
    scaling : Scaling
        Limits that map raw values to [0, 1].
    """

    config: Any
    scaling: Scaling

    config_class: ClassVar[type[EncoderConfig]]
    learned: ClassVar[str]
    """What this kind learns, in words."""
    outside: ClassVar[str] = "lie mostly outside the range that was learned from training rows, and are cut to it"
    outside_share: ClassVar[float] = 0.0
    """What is said of samples that lie elsewhere than training rows, and which share of all has to, for it to be said.
    """
    has_dictionary: ClassVar[bool]
    """Whether rows are written in what was learned, so that rows it was learned from cannot test anything."""

    @classmethod
    @abstractmethod
    def learn(cls, config: Any, scaling: Scaling, training: Iterable[Sample], mapper: Mapper) -> Self:
        """Learn on training samples what a fit begins from."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `arrays` gave."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what was learned as named arrays, as a store or a model folder keeps them."""

    @abstractmethod
    def fit(self, values: NDArray[np.float32]) -> Fitted:
        """Fit values (b, n, d_out) in [0, 1]; gives rows (b, k), mse (b,) and steps (b,)."""

    def sound(self, rows: NDArray[np.float32], mse: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which rows (b, k) of a fit a store can keep, shape (b,); the fit of the others diverged."""
        return np.asarray(np.isfinite(rows).all(axis=1) & np.isfinite(mse))

    @abstractmethod
    def weights(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the weights of `config.network()` that a row stands for; DataError where it stands for none."""

    @property
    def step_size(self) -> str:
        """How large a fit's steps are, in words, for messages."""
        return f"learning rate {self.config.fit.learning_rate}"

    @property
    def device(self) -> str:
        """Where this process fits: ``cpu``, or a device, to which workers had better leave the fits."""
        return "cpu"

    def values(self, prepared: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """Stack prepared arrays as values in [0, 1] of shape (b, n, d_out)."""
        shape = (len(prepared), self.config.modality.points, self.config.modality.d_out)
        if not prepared:
            return np.empty(shape, np.float32)
        return np.stack([self.scaling.normalise(array) for array in prepared]).reshape(shape)

    def reach(self, sample_id: str, prepared: NDArray[Any]) -> Reach:
        """Measure where a prepared sample lies in the ranges that were learned from training rows."""
        if self.config.modality.fixed_scaling() is not None:
            return Reach(1)
        return Reach.of(sample_id, prepared, self.scaling, self.config.modality.channel_names)

    def reach_told(self, found: Mapping[str, Reach], *, share: float | None = None) -> tuple[str, ...]:
        """Say of each split what is worth knowing of where its samples lie; `share` in place of `outside_share`."""
        least = self.outside_share if share is None else share
        named = [(f" of the split {split}" if split else "", reach) for split, reach in sorted(found.items())]
        return tuple(told for split, reach in named for told in reach.told(split, self.outside, share=least))

    def encode(
        self, samples: Sequence[Sample], *, known: Mapping[str, bytes] | None = None, reencode: bool = False
    ) -> Encoded:
        """Read, prepare and fit samples; see `fusion.encoders.rows.encode_samples`."""
        return encode_samples(self, samples, known=known, reencode=reencode)

    def decode(self, row: NDArray[Any], scale: float = 1.0) -> NDArray[np.float32]:
        """Evaluate a row, shape (k,), on its grid, or on one `scale` times as fine.

        Returns
        -------
        NDArray of float32, shape=(*grid, d_out)
            In raw units.
        """
        grid = self.config.modality.scaled_grid(scale)
        weights = self.weights(np.asarray(row, dtype=np.float32))
        values = evaluate(self.config.network(), weights[None], coordinate_grid(grid))[0]
        return self.config.modality.restore(values, self.scaling, grid)  # type: ignore[no-any-return]


def encoder_class(kind: str) -> type[Encoder]:
    """Look up a kind of encoder; ConfigError when there is none of that name."""
    if kind not in _ENCODERS:
        raise ConfigError(f"encoder {kind!r} is not known; expected one of {', '.join(sorted(_ENCODERS))}")
    found: type[Encoder] = load_attribute(_ENCODERS[kind])
    return found


def encoder_config_from_dict(values: Mapping[str, Any]) -> EncoderConfig:
    """Read a configuration of any kind; ConfigError when an option is unknown, missing or out of range."""
    config = encoder_class(values.get("kind", "functa")).config_class.from_dict(values)
    wanted = config.modality.encoder
    if wanted and wanted != config.kind:
        raise ConfigError(
            f"the encoder {config.kind!r} fits networks to values on a grid, and {config.modality.name} have none; "
            f"expected the encoder {wanted!r}"
        )
    return config


def restored(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Encoder:
    """Put an encoder together again from its configuration's plain values and its arrays."""
    config = encoder_config_from_dict(values)
    return encoder_class(config.kind).from_arrays(config, arrays)


def encoder_of(store: FunctaStore) -> Encoder:
    """Give the encoder that filled a store."""
    return restored(store.header.encoder, store.state)
