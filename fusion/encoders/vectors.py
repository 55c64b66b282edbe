"""Vectors made elsewhere: a row is the vector as it is, and nothing is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import PlainValidator

from fusion.encoders.plain import PlainConfig, PlainEncoder
from fusion.errors import ConfigError
from fusion.modalities import Scaling, VectorsModality, modality_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets import Sample
    from fusion.encoders.pool import Mapper
    from fusion.inr.architecture import LayoutEntry


@dataclass(frozen=True)
class VectorsConfig(PlainConfig):
    """How a vector is kept.

    Parameters
    ----------
    modality : VectorsModality
        Its length may be open until a vector is seen.
    seed : int
        Nothing is drawn.
    """

    modality: Annotated[VectorsModality, PlainValidator(modality_from_dict)]
    seed: int = 42

    kind: ClassVar[str] = "vectors"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.modality, VectorsModality):
            raise ConfigError(f"the encoder 'vectors' takes the modality 'vectors', not {self.modality.name!r}")

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """Give one entry, the vector."""
        return (("vector", (self.modality.d_out,), 0),)

    @property
    def learns_start(self) -> bool:
        """Nothing is learned."""
        return False

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, what a row holds."""
        return {"coordinates": "none", "values": "the vector as its source has it, as float32"}


@dataclass(frozen=True, eq=False)
class Vectors(PlainEncoder):
    """Keeps each vector.

    Parameters
    ----------
    config : VectorsConfig
    scaling : Scaling
        Of no effect.
    """

    config_class = VectorsConfig
    learned: ClassVar[str] = "nothing"
    has_dictionary: ClassVar[bool] = False

    @classmethod
    def learn(cls, config: VectorsConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper) -> Self:  # noqa: ARG003
        """Learn nothing."""
        return cls(config, scaling)

    @classmethod
    def from_arrays(cls, config: VectorsConfig, arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003
        """Take over nothing."""
        return cls(config, config.modality.fixed_scaling())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give nothing."""
        return {}

    def rows(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """Return the vectors, shape (b, k)."""
        return np.asarray(prepared, np.float32)

    def prepared(self, row: NDArray[np.float32]) -> NDArray[Any]:
        """Return the vector, shape (k,)."""
        return row
