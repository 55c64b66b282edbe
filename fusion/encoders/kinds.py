"""The kinds of encoder: what each is configured with, learns, fits and decodes, looked up by name.

A kind is a module whose `KIND` says all that the rest of this room needs to know; it is loaded when it is first used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from fusion.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.pool import Mapper
    from fusion.inr.architecture import Architecture, LayoutEntry
    from fusion.inr.settings import FitSettings
    from fusion.modalities import Modality, Scaling

_MODULES = {
    "functa": "fusion.encoders.functa",
    "local": "fusion.encoders.local.local",
    "modulation": "fusion.encoders.modulation",
}


class EncoderConfig(Protocol):
    """A frozen, hashable configuration."""

    @property
    def kind(self) -> str:
        """Name of the kind."""

    @property
    def modality(self) -> Modality:
        """Its sizes may be open until `with_modality` fills them in."""

    @property
    def fit(self) -> FitSettings:
        """How one sample is fitted."""

    @property
    def psnr_floor(self) -> float | None:
        """A row below this many dB is marked."""

    @property
    def seed(self) -> int:
        """Seed of everything learned."""

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(name, shape, offset) of every array inside a row."""

    def network(self) -> Architecture:
        """Give the network whose steps a fit takes."""

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, how a row becomes a network."""

    def with_modality(self, modality: Modality) -> Self:
        """Give the same configuration for a modality whose sizes are known."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `config_from_dict` reads them back."""


class EncoderState(Protocol):
    """What is learned on training samples before the first fit."""

    @property
    def scaling(self) -> Scaling:
        """Limits that map raw values to [0, 1]."""

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Named arrays, as a store or a model folder keeps them."""


Fitted = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.int32]"]


@dataclass(frozen=True)
class EncoderKind:
    """All that differs between kinds.

    Parameters
    ----------
    config_from_dict, state_from_arrays : callable
        Read a configuration's plain values and a state's arrays.
    learn : callable
        (configuration, scaling, training samples, mapper) -> state.
    fit : callable
        (configuration, state, values of shape (b, n, d_out)) -> rows (b, k), mse (b,), steps (b,).
    weights : callable
        (configuration, state, row) -> the weights that `configuration.network()` decodes with.
    step_sizes : callable
        (configuration, state) -> how large a fit's steps are, in words, for messages.
    """

    config_from_dict: Callable[[Mapping[str, Any]], Any]
    state_from_arrays: Callable[[Mapping[str, NDArray[Any]]], Any]
    learn: Callable[[Any, Scaling, Iterable[Sample], Mapper], Any]
    fit: Callable[[Any, Any, NDArray[np.float32]], Fitted]
    weights: Callable[[Any, Any, NDArray[np.float32]], NDArray[np.float32]]
    step_sizes: Callable[[Any, Any], str]


def encoder_kind(name: str) -> EncoderKind:
    """Look up a kind; ConfigError when there is none of that name."""
    if name not in _MODULES:
        raise ConfigError(f"encoder {name!r} is not known; expected one of {', '.join(sorted(_MODULES))}")
    kind: EncoderKind = import_module(_MODULES[name]).KIND
    return kind


def config_from_dict(values: Mapping[str, Any]) -> EncoderConfig:
    """Read a configuration of any kind; ConfigError when an option is unknown, missing or out of range."""
    config: EncoderConfig = encoder_kind(values.get("kind", "functa")).config_from_dict(values)
    return config


def state_from_arrays(config: EncoderConfig, arrays: Mapping[str, NDArray[Any]]) -> EncoderState:
    """Read the state that belongs to a configuration."""
    state: EncoderState = encoder_kind(config.kind).state_from_arrays(arrays)
    return state


def row_length(config: EncoderConfig) -> int:
    """Length k of a row."""
    _, shape, offset = config.layout[-1]
    return int(offset + np.prod(shape))


def normalised(prepared: Sequence[NDArray[Any]], config: EncoderConfig, state: EncoderState) -> NDArray[np.float32]:
    """Stack prepared arrays as values in [0, 1] of shape (b, n, d_out)."""
    shape = (len(prepared), config.modality.points, config.modality.d_out)
    if not prepared:
        return np.empty(shape, np.float32)
    return np.stack([state.scaling.normalise(array) for array in prepared]).reshape(shape)
