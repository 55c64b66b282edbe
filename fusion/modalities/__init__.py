"""Modalities: each turns a raw sample into a signal (coordinates and values in [0, 1]) and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.errors import ConfigError
from fusion.modalities.base import Modality, Signal, coordinate_grid, source_hash
from fusion.modalities.scaling import ChannelStatistics, Scaling
from fusion.modalities.sensor import SensorModality

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MODALITIES",
    "ChannelStatistics",
    "Modality",
    "Scaling",
    "SensorModality",
    "Signal",
    "coordinate_grid",
    "modality_from_dict",
    "source_hash",
]

MODALITIES: dict[str, type[Modality]] = {SensorModality.name: SensorModality}


def modality_from_dict(fields: Mapping[str, Any]) -> Modality:
    """Build a modality from its name and options.

    Parameters
    ----------
    fields : mapping
        ``name`` and any of that modality's fields, as its `to_dict` writes them.

    Raises
    ------
    ConfigError
        When the name or an option is not known.
    """
    options = dict(fields)
    name = options.pop("name", None)
    if name not in MODALITIES:
        raise ConfigError(f"modality {name!r} is not known; expected one of {', '.join(sorted(MODALITIES))}")
    try:
        return MODALITIES[name](**options)
    except TypeError as error:
        raise ConfigError(f"modality {name!r} does not take these options: {options}; {error}") from error
